package domain

import (
	"strconv"
	"strings"
)

// Shape is what a value looks like on the line, for schemas, forms and
// whatever else is made from the catalogue without decoding. The codec decides:
// a shape admits all that its codec reads, and Says tells what of the codec's
// rules it cannot show.
type Shape struct {
	// Name is the word for values of this shape, such as "period"; "" where
	// there is none.
	Name string
	// JSON is "string", "integer", "boolean", "array" or "object"; "" where the
	// value has one of the shapes of Either.
	JSON string
	// Pattern is the grammar of a string, or of the names in an object of any
	// names: a regular expression, in what ECMA-262 and RE2 read alike.
	Pattern string
	// Words are all the strings there are, where they can be listed.
	Words []string
	// Most is the most bytes of a string in UTF-8, the largest integer, the
	// most elements of an array or the most members of an object; 0 where
	// nothing is said. Strings and arrays with a Most are not empty.
	Most int64
	// Element is the shape of an array's elements, none of which stands twice,
	// or of the values in an object of any names.
	Element *Shape
	// Members are those of an object. Others may stand beside them, and are
	// ignored.
	Members []Member
	Either  []Shape
	// Says is what the rest does not, for a person to read.
	Says string
}

// Member is one named value of an object, as the catalogue has it.
type Member struct {
	Name     string
	Required bool
	// Absent marks a member that must not be there.
	Absent bool
	Shape  Shape
}

// Describe is the data of events of type t: its members in canonical order.
func Describe(t Type) []Member {
	members := make([]Member, 0, len(bodies[t].members))
	for _, m := range bodies[t].members {
		members = append(members, Member{Name: m.name, Required: m.required, Shape: m.shape})
	}
	return members
}

// DescribeAttributes is the CloudEvents attributes that the rules know, but for
// data, in canonical order. An event of type t has a subject where t makes a
// record. Extension attributes may stand beside them, and are ignored.
func DescribeAttributes(t Type) []Member {
	text := Shape{JSON: "string"}
	return []Member{
		{Name: "specversion", Required: true, Shape: Shape{JSON: "string", Words: []string{"1.0"}}},
		{Name: "id", Required: true, Shape: idShape},
		{Name: "source", Required: true, Shape: diaryShape},
		{Name: "type", Required: true, Shape: Shape{JSON: "string", Words: []string{t.String()}}},
		{Name: "subject", Required: t.MakesRecord(), Shape: recordIDShape},
		{Name: "time", Shape: instantShape},
		{Name: "datacontenttype", Shape: mediaShape},
		{Name: "dataschema", Shape: text},
		{Name: "data_base64", Absent: true, Shape: text},
	}
}

// The parts that grammars are made of.
const (
	tokenPart    = `[a-z0-9-]{1,64}`
	recordIDPart = `[!-.0-~]{1,128}` // printable ASCII without space and slash
	datePart     = `[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])`
	unitPart     = `[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?`
	hourPart     = `([01][0-9]|2[0-3]):[0-5][0-9]`
	instantPart  = datePart + `T` + hourPart + `:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]` + hourPart + `)`
	calendarSays = "Years run from 0001, days are those of the calendar, the offset -00:00 is refused."
)

// grammar is the shape of a string that matches pattern from end to end.
func grammar(name, pattern, says string) Shape {
	return Shape{Name: name, JSON: "string", Pattern: "^" + pattern + "$", Says: says}
}

// The shapes of strings.
var (
	tokenShape       = grammar("agency", tokenPart, "")
	agencyOrNotShape = grammar("agency-or-not", tokenPart, "A name, or not-given where the source does not say.")
	diaryShape       = grammar("diary", "/"+tokenPart+"/"+tokenPart, "The diary that writes: /agency/unit.")
	termShape        = grammar("term", `[a-z0-9_-]{1,64}`, "")
	opaqueShape      = grammar("reference", `[!-.0-~]{1,64}`, "An opaque reference, never a name.")
	hashShape        = grammar("sha256", `[0-9a-f]{64}`, "")
	idShape          = grammar("event-id", `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`,
		"A UUID in small letters, which belongs to its source: version 7 when minted, version 5 from a system's own key. The same id again is the same event.")
	recordIDShape = grammar("record-id", recordIDPart, "The record's id in its diary.")
	recordShape   = grammar("record", "("+kindsPart+")/"+tokenPart+"/"+tokenPart+"/"+recordIDPart, "The full name of a record: kind/agency/unit/id.")
	periodShape   = grammar("period", "(unknown|"+unitPart+`(/(`+unitPart+`|\.\.))?|\.\./`+unitPart+"|"+instantPart+")",
		"When, as precisely as the source says and no more: a day, a month, a year, a time with its offset, an interval such as 2024-01/2025-06, "+
			"one with an open end such as ../2026-02-02, or unknown. "+calendarSays+" An interval does not end before it begins.")
	instantShape = grammar("instant", instantPart, "A date-time with its offset, RFC 3339 in capital letters. "+calendarSays)
	mediaShape   = grammar("media-type", `(application/json|[^;]*\+json)(;[\s\S]*)?`, "")
	zoneShape    = grammar("zone", `[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*`, "An IANA time zone, as spelt in release 2025c.")

	countryShape     = Shape{Name: "country", JSON: "string", Words: strings.Fields(currentCountries + " " + formerCountries), Says: "ISO 3166: two letters, or four for a country that is no more."}
	homeCountryShape = Shape{Name: "home-country", JSON: "string", Words: strings.Fields(currentCountries), Says: "ISO 3166-1 alpha-2."}
	nationalityShape = Shape{Name: "nationality", Either: []Shape{
		{JSON: "string", Words: []string{string(Stateless), string(ForeignNationality), string(UnknownNationality)}},
		countryShape,
	}, Says: "A country, or stateless, or foreign (not of the home country, and not known of which), or unknown."}
	currencyShape = Shape{Name: "currency", JSON: "string", Words: strings.Fields(strings.Join(currenciesByDecimals[:], " ")), Says: "ISO 4217, only what has a minor unit."}
)

// kindsPart is the kinds of records, as alternatives.
var kindsPart = func() string {
	var kinds []string
	for t := TypeLedgerOpened; t < TypeRecordCorrected; t++ {
		if k := string(typeKinds[t]); len(kinds) == 0 || kinds[len(kinds)-1] != k {
			kinds = append(kinds, k)
		}
	}
	return strings.Join(kinds, "|")
}()

// textShape is the source's own words, without control characters but those in
// except: "", or a tab and a line feed.
func textShape(name string, most int, except string) Shape {
	s := grammar(name, `[^\x00-\x1f\x7f-\x9f]+`, "At most "+strconv.Itoa(most)+" bytes of UTF-8, without control characters.")
	if except != "" {
		s.Pattern = `^[^\x00-\x08\x0b-\x1f\x7f-\x9f]+$`
		s.Says = "At most " + strconv.Itoa(most) + " bytes of UTF-8, without control characters but tabs and line feeds."
	}
	s.Most = int64(most)
	return s
}

// linkShape is a link to a record of one kind.
func linkShape(kind Kind) Shape {
	return grammar(string(kind)+"-link", "("+recordIDPart+"|"+string(kind)+"/"+tokenPart+"/"+tokenPart+"/"+recordIDPart+")",
		"A "+string(kind)+": its id in the own diary, or "+string(kind)+"/agency/unit/id. It may come later.")
}

// qualifierShape is the qualifiers but for some.
func qualifierShape(but ...Qualifier) Shape {
	s := Shape{JSON: "string"}
	for q, word := range qualifierWords {
		left := true
		for _, b := range but {
			left = left && Qualifier(q) != b
		}
		if left {
			s.Words = append(s.Words, word)
		}
	}
	return s
}

// object is the shape of an object with members of these names and shapes.
func object(name string, names names, shapes ...Shape) Shape {
	s := Shape{Name: name, JSON: "object"}
	for i, shape := range shapes {
		s.Members = append(s.Members, Member{Name: names.at(i), Shape: shape})
	}
	return s
}

// wholeShape is what decoder.whole reads.
var wholeShape = Shape{Name: "whole", JSON: "integer", Most: maxExactInteger,
	Says: "Plain digits: 1.0, 1e3 and -0 are malformed, because decoders differ on whether they are whole."}

var countShape = Shape{Name: "count", Either: []Shape{
	wholeShape,
	{JSON: "object", Members: []Member{
		{Name: countNames.at(0), Required: true, Shape: wholeShape},
		{Name: countNames.at(1), Shape: qualifierShape(Unknown, AtMost)},
	}},
	{JSON: "object", Members: []Member{
		{Name: countNames.at(0), Absent: true, Shape: wholeShape},
		{Name: countNames.at(1), Required: true, Shape: Shape{JSON: "string", Words: []string{Unknown.String()}}},
	}},
}, Says: "How many: a whole number, or one with its qualifier. There is no default, and blank is not 1."}

var amountShape = Shape{Name: "amount", Either: []Shape{
	{JSON: "object", Members: []Member{
		{Name: amountNames.at(0), Required: true, Shape: Shape{JSON: "string", Pattern: `^(0|[1-9][0-9]*)(\.[0-9]{1,4})?$`, Most: 20}},
		{Name: amountNames.at(1), Required: true, Shape: currencyShape},
		{Name: amountNames.at(2), Shape: qualifierShape(Unknown, AtMost)},
	}},
	{JSON: "object", Members: []Member{
		{Name: amountNames.at(0), Absent: true, Shape: Shape{JSON: "string"}},
		{Name: amountNames.at(1), Shape: currencyShape},
		{Name: amountNames.at(2), Required: true, Shape: Shape{JSON: "string", Words: []string{Unknown.String()}}},
	}},
}, Says: "Money as a decimal string, never a float, with no more decimals than its currency has; in minor units at most 9223372036854775807."}

var (
	locationShape   = object("place", locationNames, country.shape, text.shape, text.shape, text.shape)
	documentShape   = object("document", documentNames, text.shape, locator.shape, hash.shape)
	dimensionsShape = Shape{Name: "dimensions", JSON: "object", Pattern: termShape.Pattern, Element: &text.shape, Most: maxList}

	replacementShape = Shape{Name: "replacement", JSON: "object",
		Says: "The record's full new data, as data of the record's own type: the register knows which, and refuses what does not fit."}
)
