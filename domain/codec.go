package domain

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// codec reads and writes one kind of value. Every member of every event names
// the codec of its value once (catalogue.go); decoding, encoding and what is
// built on the catalogue follow from that.
type codec[V any] struct {
	// read reads exactly one JSON value into v; what is wrong with it goes to
	// decoder.bad.
	read func(d *decoder, v *V)
	// write appends the canonical form.
	write func(dst []byte, v *V) []byte
	// given tells whether v is written at all.
	given func(v *V) bool
	// shape is what read takes, for those who do not decode (shape.go).
	shape Shape
}

// maxExactInteger is the largest whole number that every JSON decoder keeps
// (RFC 7493, section 2.2).
const maxExactInteger = 1<<53 - 1

// Limits of text members, in bytes.
const (
	maxText    = 256
	maxNote    = 500
	maxLocator = 1000
	maxList    = 100
)

// texts is the codec of the source's own words: 1 to most bytes without control
// characters but those in except.
func texts[V ~string](name string, most int, except string) codec[V] {
	return words[V](textShape(name, most, except), func(s string) string {
		switch {
		case s == "":
			return "is empty: leave it out where it is not given"
		case len(s) > most:
			return "is " + strconv.Itoa(len(s)) + " bytes; at most " + strconv.Itoa(most)
		case hasControl(s, except):
			return "holds a control character"
		}
		return ""
	})
}

// words is the codec of a string that wrong finds nothing wrong with.
func words[V ~string](shape Shape, wrong func(string) string) codec[V] {
	return codec[V]{
		shape: shape,
		read: func(d *decoder, v *V) {
			s, ok := d.string()
			if !ok {
				return
			}
			if detail := wrong(s); detail != "" {
				d.fault(quote(s) + " " + detail)
				return
			}
			*v = V(s)
		},
		write: func(dst []byte, v *V) []byte { return appendText(dst, string(*v)) },
		given: func(v *V) bool { return *v != "" },
	}
}

// oneOf is the codec of an enumerated string.
func oneOf[V ~string](values ...V) codec[V] {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	return words[V](Shape{JSON: "string", Words: list}, func(s string) string {
		if slices.Contains(list, s) {
			return ""
		}
		return "is none of " + strings.Join(list, ", ")
	})
}

// parsed is the codec of a string with a grammar.
func parsed[V comparable](shape Shape, parse func(string) (V, error), format func(V) string) codec[V] {
	var zero V
	return codec[V]{
		shape: shape,
		read: func(d *decoder, v *V) {
			s, ok := d.string()
			if !ok {
				return
			}
			p, err := parse(s)
			if err != nil {
				d.fault(err.Error())
				return
			}
			*v = p
		},
		write: func(dst []byte, v *V) []byte { return appendText(dst, format(*v)) },
		given: func(v *V) bool { return *v != zero },
	}
}

// listOf is the codec of a list of at least one value; the same twice is a
// fault.
func listOf[V ~string](element codec[V], in func(*lists) *[]V) codec[[]V] {
	return codec[[]V]{
		shape: Shape{JSON: "array", Element: &element.shape, Most: maxList},
		read: func(d *decoder, v *[]V) {
			if d.peek() != '[' {
				d.other("a list")
				return
			}
			chunk := in(d.lists)
			list := *chunk
			if cap(list)-len(list) < 8 {
				list = make([]V, 0, 256)
			}
			start := len(list)
			for more := d.open('[', ']'); more; more = d.more(']') {
				last := len(list)
				if last-start == maxList {
					d.skip()
					d.fault("more than " + strconv.Itoa(maxList) + " values")
					continue
				}
				list = append(list, "")
				element.read(d, &list[last])
				if last > start && slices.Contains(list[start:last], list[last]) {
					d.fault("the same value twice")
				}
			}
			if len(list) == start {
				d.fault("is empty: leave it out where it is not given")
			}
			*chunk, *v = list, slices.Clip(list[start:])
		},
		write: func(dst []byte, v *[]V) []byte {
			dst = append(dst, '[')
			for i := range *v {
				if i > 0 {
					dst = append(dst, ',')
				}
				dst = element.write(dst, &(*v)[i])
			}
			return append(dst, ']')
		},
		given: func(v *[]V) bool { return len(*v) > 0 },
	}
}

// linkTo is the codec of a link to a record of one kind.
func linkTo(kind Kind) codec[Link] {
	return words[Link](linkShape(kind), func(s string) string {
		if isRecordID(s) {
			return ""
		}
		if name, err := ParseRecordName(s); err != nil || name.Kind != kind {
			return "links to no " + string(kind) + ": want its id in the own diary, or " + string(kind) + "/agency/unit/id"
		}
		return ""
	})
}

// lists is where the lists of the events being read stand: many share one
// chunk. A chunk is never written twice, so a list may be kept.
type lists struct {
	texts         []string
	links         []Link
	nationalities []Nationality
}

// The values of the catalogue.
var (
	text    = texts[string]("text", maxText, "")
	note    = texts[string]("note", maxNote, "\n\t")
	locator = texts[string]("locator", maxLocator, "")

	agencyOrNot = words[string](agencyOrNotShape, func(s string) string {
		if s == NotGiven || IsToken(s) {
			return ""
		}
		return "is no name of an agency or unit: want small letters, digits and hyphens, or not-given"
	})
	token = words[string](tokenShape, func(s string) string {
		if IsToken(s) {
			return ""
		}
		return "is no name of an agency: want small letters, digits and hyphens"
	})
	opaque = words[string](opaqueShape, func(s string) string {
		if isRecordID(s) && len(s) <= maxToken {
			return ""
		}
		return "want 1 to 64 bytes of printable ASCII without space and slash; an opaque reference, never a name"
	})
	hash = words[string](hashShape, func(s string) string {
		if len(s) == 64 && strings.Trim(s, "0123456789abcdef") == "" {
			return ""
		}
		return "is no SHA-256: want 64 small hexadecimal digits"
	})
	caseLink, raidLink, propertyLink = linkTo("case"), linkTo("raid"), linkTo("property")
	// A measure or dimension of a claim is the ledger's word, or would be.
	term = words[string](termShape, func(s string) string {
		if IsToken(strings.ReplaceAll(s, "_", "-")) {
			return ""
		}
		return "want small letters, digits, hyphens and underscores"
	})
	// A state that is no more is nobody's home.
	homeCountry = parsed(homeCountryShape, func(s string) (Country, error) {
		c, err := ParseCountry(s)
		if err == nil && len(s) != 2 {
			err = errors.New(quote(s) + " is a state that is no more: want a code of two letters")
		}
		return c, err
	}, func(c Country) string { return string(c) })
	timeZone = words[string](zoneShape, func(s string) string {
		if _, err := LoadZone(s); err != nil {
			return "is no time zone: " + err.Error()
		}
		return ""
	})

	period = codec[Period]{
		shape: periodShape,
		read: func(d *decoder, v *Period) {
			s, ok := d.string()
			if !ok {
				return
			}
			p, err := d.readPeriod(s)
			if err != nil {
				d.fault(err.Error())
				return
			}
			*v = p
		},
		write: func(dst []byte, v *Period) []byte { return append(v.appendTo(append(dst, '"')), '"') },
		given: func(v *Period) bool { return !v.IsZero() },
	}
	country     = parsed(countryShape, ParseCountry, func(c Country) string { return string(c) })
	nationality = parsed(nationalityShape, ParseNationality, func(n Nationality) string { return string(n) })
	recordName  = parsed(recordShape, ParseRecordName, RecordName.String)
	eventID     = parsed(idShape, ParseEventID, uuid.UUID.String)
	qualifier   = parsed(qualifierShape(), func(s string) (Qualifier, error) {
		q, ok := ParseQualifier(s)
		if !ok {
			return q, &Refusal{Code: BadData, Detail: quote(s) + " is none of exact, at-least, about, unknown, at-most"}
		}
		return q, nil
	}, Qualifier.String)
)

// The lists of the catalogue.
var (
	textList        = listOf(text, func(l *lists) *[]string { return &l.texts })
	caseList        = listOf(caseLink, func(l *lists) *[]Link { return &l.links })
	raidList        = listOf(raidLink, func(l *lists) *[]Link { return &l.links })
	nationalityList = listOf(nationality, func(l *lists) *[]Nationality { return &l.nationalities })
)

// flag is true or left out.
var flag = codec[bool]{
	shape: Shape{JSON: "boolean"},
	read: func(d *decoder, v *bool) {
		if c := d.peek(); c != 't' && c != 'f' {
			d.other("true or false")
			return
		}
		*v = d.literal() == "true"
	},
	write: func(dst []byte, v *bool) []byte { return strconv.AppendBool(dst, *v) },
	given: func(v *bool) bool { return *v },
}

// small is a whole number that fits an int; it is always written.
var small = codec[int]{
	shape: wholeShape,
	read:  func(d *decoder, v *int) { *v = int(d.whole()) },
	write: func(dst []byte, v *int) []byte { return strconv.AppendInt(dst, int64(*v), 10) },
	given: func(*int) bool { return true },
}

// count is a number of persons: n, or {"value":n,"qualifier":…}.
var count = codec[Count]{
	shape: countShape,
	read: func(d *decoder, v *Count) {
		if d.peek() != '{' {
			v.N = d.whole()
			return
		}
		given := false
		for c := d.object(countNames); d.next(&c); {
			switch c.i {
			case 0:
				v.N, given = d.whole(), true
			case 1:
				qualifier.read(d, &v.Qualifier)
			}
		}
		switch {
		case v.Qualifier == AtMost:
			d.fault("at-most is for claims")
		case v.Qualifier == Unknown && given:
			d.fault("an unknown count has no value")
		case v.Qualifier != Unknown && !given:
			d.fault("has no value; write {\"qualifier\":\"unknown\"} where it is not known")
		}
	},
	write: func(dst []byte, v *Count) []byte {
		if v.Qualifier == Exact {
			return strconv.AppendInt(dst, v.N, 10)
		}
		dst = append(dst, '{')
		if v.Qualifier != Unknown {
			dst = append(dst, `"value":`...)
			dst = strconv.AppendInt(dst, v.N, 10)
			dst = append(dst, ',')
		}
		dst = append(dst, `"qualifier":`...)
		return append(qualifier.write(dst, &v.Qualifier), '}')
	},
	given: func(*Count) bool { return true },
}

var countNames = namesOf("value", "qualifier")

// amount is {"value":"250000.00","currency":"PKR","qualifier"?}.
var amount = codec[Amount]{
	shape: amountShape,
	read: func(d *decoder, v *Amount) {
		var value, currency string
		q := Exact
		c := d.object(amountNames)
		for d.next(&c) {
			switch c.i {
			case 0:
				value, _ = d.string()
			case 1:
				currency, _ = d.string()
			case 2:
				qualifier.read(d, &q)
			}
		}
		if q == AtMost {
			d.fault("at-most is for claims")
			return
		}
		if c.seen&2 != 0 && currency == "" {
			d.fault("an empty currency: leave it out where it is not known")
			return
		}
		if q == Unknown && c.seen&1 != 0 {
			d.fault("an unknown amount has no value")
			return
		}
		a, err := ParseAmount(value, currency, q)
		if err != nil {
			d.fault(err.Error())
			return
		}
		*v = a
	},
	write: func(dst []byte, v *Amount) []byte {
		dst = append(dst, '{')
		if v.Qualifier != Unknown {
			dst = append(dst, `"value":"`...)
			dst = append(dst, v.Value()...)
			dst = append(dst, `",`...)
		}
		if v.Currency != "" {
			dst = append(dst, `"currency":"`...)
			dst = append(dst, v.Currency...)
			dst = append(dst, `",`...)
		}
		if v.Qualifier != Exact {
			dst = append(dst, `"qualifier":`...)
			dst = append(qualifier.write(dst, &v.Qualifier), ',')
		}
		return append(dst[:len(dst)-1], '}')
	},
	given: func(v *Amount) bool { return *v != Amount{} },
}

var amountNames = namesOf("value", "currency", "qualifier")

// location is {"country","subdivision","city","site"}, each where given.
var location = codec[Location]{
	shape: locationShape,
	read: func(d *decoder, v *Location) {
		d.peek()
		if d.readPlace(v) {
			return
		}
		var parts [3]part
		start, c := d.at, d.object(locationNames)
		for d.next(&c) {
			if c.i == 0 {
				country.read(d, &v.Country)
				continue
			}
			words := v.texts()[c.i-1]
			text.read(d, words)
			end := d.at - start - 1 // where its closing quote is
			parts[c.i-1] = part{end - len(*words), end}
		}
		d.keepPlace(v, start, parts, &c)
	},
	write: func(dst []byte, v *Location) []byte {
		return appendTexts(dst, locationNames, string(v.Country), v.Subdivision, v.City, v.Site)
	},
	given: func(v *Location) bool { return *v != Location{} },
}

var locationNames = namesOf("country", "subdivision", "city", "site")

// document is {"ref","locator","sha256"}, each where given.
var document = codec[Document]{
	shape: documentShape,
	read: func(d *decoder, v *Document) {
		for c := d.object(documentNames); d.next(&c); {
			switch c.i {
			case 0:
				text.read(d, &v.Ref)
			case 1:
				locator.read(d, &v.Locator)
			case 2:
				hash.read(d, &v.SHA256)
			}
		}
	},
	write: func(dst []byte, v *Document) []byte {
		return appendTexts(dst, documentNames, v.Ref, v.Locator, v.SHA256)
	},
	given: func(v *Document) bool { return *v != Document{} },
}

var documentNames = namesOf("ref", "locator", "sha256")

// appendTexts appends an object of texts, the empty ones left out.
func appendTexts(dst []byte, names names, values ...string) []byte {
	dst = append(dst, '{')
	for i, v := range values {
		if v == "" {
			continue
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(dst, names[i].key...)
		dst = appendText(dst, v)
	}
	return append(dst, '}')
}

// dimensions is an object of names and values, written in the order of names.
var dimensions = codec[[]Dimension]{
	shape: dimensionsShape,
	read: func(d *decoder, v *[]Dimension) {
		if d.peek() != '{' {
			d.other("an object")
			return
		}
		var list []Dimension
		d.members(func(name string) {
			var value string
			fine := d.bad == nil
			text.read(d, &value)
			if !IsToken(strings.ReplaceAll(name, "_", "-")) {
				d.fault("is no name of a dimension: want small letters, digits, hyphens and underscores")
			}
			if fine {
				d.faultIn(name)
			}
			if len(list) == maxList {
				d.fault("more than " + strconv.Itoa(maxList) + " dimensions")
				return
			}
			list = append(list, Dimension{name, value})
		})
		*v = list
	},
	write: func(dst []byte, v *[]Dimension) []byte {
		sorted := slices.SortedFunc(slices.Values(*v), func(a, b Dimension) int { return strings.Compare(a.Name, b.Name) })
		dst = append(dst, '{')
		for i, dim := range sorted {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendText(dst, dim.Name), ':')
			dst = appendText(dst, dim.Value)
		}
		return append(dst, '}')
	},
	given: func(v *[]Dimension) bool { return len(*v) > 0 },
}

// replacement is the full new data of a record, kept as written until the
// register knows what type of record it replaces.
var replacement = codec[RecordCorrected]{
	shape: replacementShape,
	read: func(d *decoder, v *RecordCorrected) {
		if d.peek() != '{' {
			d.other("the record's full new data, an object")
			return
		}
		start := d.at
		d.skip()
		v.raw = d.s[start:d.at]
	},
	write: func(dst []byte, v *RecordCorrected) []byte {
		if v.Replacement != nil {
			return AppendData(dst, v.Replacement)
		}
		return append(dst, v.raw...)
	},
	given: func(v *RecordCorrected) bool { return v.raw != "" || v.Replacement != nil },
}

// claimed is the whole number of a claim that is not about money.
var claimed = codec[FigurePublished]{
	shape: wholeShape,
	read:  func(d *decoder, v *FigurePublished) { v.Value = d.whole() },
	write: func(dst []byte, v *FigurePublished) []byte {
		return strconv.AppendInt(dst, v.Value, 10)
	},
	given: func(v *FigurePublished) bool { return v.Amount == Amount{} },
}
