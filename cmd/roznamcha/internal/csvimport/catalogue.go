package csvimport

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"roznamcha/domain"
)

// eventType is an event type that can be imported: what makes and empties its
// data, and the members a mapping can give. The strict rules are the domain's
// (every event goes through its codec); this table says how to get from text
// to typed members, and which of them a mapping must not forget.
type eventType struct {
	make    func() domain.Data
	reset   func(domain.Data)
	members []member
}

// member is a value of an event that a mapping can give, by its dotted path.
type member struct {
	path     string
	required bool
	takes    option
	// bind makes the function that reads the member from a row and puts it
	// into the event's data.
	bind func(*binding) setter
}

// setter puts one member of a row's event into data; what a row cannot give
// is a reject without its line.
type setter func(data domain.Data, cells []string) *Reject

// kind is a kind of value: how its text is read, and what is written for a
// blank where that can be said.
type kind[V any] struct {
	takes    option
	read     func(b *binding, cells []string, s string) (V, error)
	unknown  func(b *binding, cells []string) (V, error) // with takesUnknown
	notGiven V                                           // with takesNotGiven
}

// in declares a member of T.
func in[T, V any](path string, k kind[V], at func(*T) *V) member {
	return memberOf(path, k, func(data domain.Data) *V { return at(any(data).(*T)) })
}

// common declares a member that every type may have.
func common[V any](path string, k kind[V], at func(*domain.Common) *V) member {
	return memberOf(path, k, func(data domain.Data) *V { return at(data.Shared()) })
}

func memberOf[V any](path string, k kind[V], at func(domain.Data) *V) member {
	return member{path: path, takes: k.takes, bind: func(b *binding) setter {
		read := reader(b, k)
		return func(data domain.Data, cells []string) *Reject {
			v, given, reject := read(cells)
			if given {
				*at(data) = v
			}
			return reject
		}
	}}
}

func required(m member) member {
	m.required = true
	return m
}

// typeOf puts the shared members before T's own.
func typeOf[T any, P interface {
	*T
	domain.Data
}](own ...member) eventType {
	must := map[string]bool{}
	for _, m := range own {
		must[m.path] = true
	}
	t := eventType{
		make:    func() domain.Data { return P(new(T)) },
		reset:   func(data domain.Data) { *data.(P) = *new(T) },
		members: own,
	}
	for _, m := range commonMembers {
		if !must[m.path] {
			t.members = append(t.members, m)
		}
	}
	return t
}

var occurred = common("occurred", period, func(c *domain.Common) *domain.Period { return &c.Occurred })

var commonMembers = []member{
	occurred,
	common("reported", period, func(c *domain.Common) *domain.Period { return &c.Reported }),
	common("place.country", parsedBy(domain.ParseCountry), func(c *domain.Common) *domain.Country { return &c.Place.Country }),
	common("place.subdivision", text[string](), func(c *domain.Common) *string { return &c.Place.Subdivision }),
	common("place.city", text[string](), func(c *domain.Common) *string { return &c.Place.City }),
	common("place.site", text[string](), func(c *domain.Common) *string { return &c.Place.Site }),
	common("agency", textOrNot[string](), func(c *domain.Common) *string { return &c.Agency }),
	common("unit", textOrNot[string](), func(c *domain.Common) *string { return &c.Unit }),
	common("operation", text[string](), func(c *domain.Common) *string { return &c.Operation }),
	common("document.ref", text[string](), func(c *domain.Common) *string { return &c.Document.Ref }),
	common("document.locator", text[string](), func(c *domain.Common) *string { return &c.Document.Locator }),
	common("document.sha256", text[string](), func(c *domain.Common) *string { return &c.Document.SHA256 }),
	common("by", text[string](), func(c *domain.Common) *string { return &c.By }),
	common("synthetic", flag, func(c *domain.Common) *bool { return &c.Synthetic }),
	common("note", text[string](), func(c *domain.Common) *string { return &c.Note }),
}

// eventTypes is what can be imported: the facts and the claims. Openings,
// successions and amendments are a person's decisions, one at a time.
var eventTypes = map[domain.Type]eventType{
	domain.TypeRaidConducted: typeOf[domain.RaidConducted](
		required(occurred),
		required(in("premises", textOrNot[domain.Premises](), func(e *domain.RaidConducted) *domain.Premises { return &e.Premises })),
		in("participants", listOf(text[string]()), func(e *domain.RaidConducted) *[]string { return &e.Participants }),
		in("cases", listOf(text[domain.Link]()), func(e *domain.RaidConducted) *[]domain.Link { return &e.Cases }),
	),
	domain.TypePersonDetained: typeOf[domain.PersonDetained](
		required(occurred),
		required(in("persons", count, func(e *domain.PersonDetained) *domain.Count { return &e.Persons })),
		required(in("nationality", listOf(nationality), func(e *domain.PersonDetained) *[]domain.Nationality { return &e.Nationality })),
		in("raid", text[domain.Link](), func(e *domain.PersonDetained) *domain.Link { return &e.Raid }),
	),
	domain.TypeArrestMade: typeOf[domain.ArrestMade](
		required(occurred),
		required(in("persons", count, func(e *domain.ArrestMade) *domain.Count { return &e.Persons })),
		required(in("nationality", listOf(nationality), func(e *domain.ArrestMade) *[]domain.Nationality { return &e.Nationality })),
		in("raid", text[domain.Link](), func(e *domain.ArrestMade) *domain.Link { return &e.Raid }),
		in("cases", listOf(text[domain.Link]()), func(e *domain.ArrestMade) *[]domain.Link { return &e.Cases }),
		in("sex", sex, func(e *domain.ArrestMade) *domain.Sex { return &e.Sex }),
		in("offences", listOf(text[string]()), func(e *domain.ArrestMade) *[]string { return &e.Offences }),
		in("person", text[string](), func(e *domain.ArrestMade) *string { return &e.Person }),
	),
	domain.TypeCaseRegistered: typeOf[domain.CaseRegistered](
		required(in("registered", period, func(e *domain.CaseRegistered) *domain.Period { return &e.Registered })),
		in("number", text[string](), func(e *domain.CaseRegistered) *string { return &e.Number }),
		in("station", text[string](), func(e *domain.CaseRegistered) *string { return &e.Station }),
		in("offences", listOf(text[string]()), func(e *domain.CaseRegistered) *[]string { return &e.Offences }),
		in("raids", listOf(text[domain.Link]()), func(e *domain.CaseRegistered) *[]domain.Link { return &e.Raids }),
	),
	domain.TypeLossAlleged: typeOf[domain.LossAlleged](
		required(occurred),
		required(in("amount", amount, func(e *domain.LossAlleged) *domain.Amount { return &e.Amount })),
		in("case", text[domain.Link](), func(e *domain.LossAlleged) *domain.Link { return &e.Case }),
		in("raid", text[domain.Link](), func(e *domain.LossAlleged) *domain.Link { return &e.Raid }),
		in("basis", text[string](), func(e *domain.LossAlleged) *string { return &e.Basis }),
	),
	domain.TypeRecoveryMade: typeOf[domain.RecoveryMade](
		required(occurred),
		required(in("amount", amount, func(e *domain.RecoveryMade) *domain.Amount { return &e.Amount })),
		in("case", text[domain.Link](), func(e *domain.RecoveryMade) *domain.Link { return &e.Case }),
		in("raid", text[domain.Link](), func(e *domain.RecoveryMade) *domain.Link { return &e.Raid }),
		in("form", text[domain.Form](), func(e *domain.RecoveryMade) *domain.Form { return &e.Form }),
		in("memo", text[string](), func(e *domain.RecoveryMade) *string { return &e.Memo }),
	),
	domain.TypePropertySeized: typeOf[domain.PropertySeized](
		required(occurred),
		required(in("item", text[string](), func(e *domain.PropertySeized) *string { return &e.Item })),
		in("amount", amount, func(e *domain.PropertySeized) *domain.Amount { return &e.Amount }),
		in("case", text[domain.Link](), func(e *domain.PropertySeized) *domain.Link { return &e.Case }),
		in("raid", text[domain.Link](), func(e *domain.PropertySeized) *domain.Link { return &e.Raid }),
		in("memo", text[string](), func(e *domain.PropertySeized) *string { return &e.Memo }),
	),
	domain.TypePropertyForfeited: typeOf[domain.PropertyForfeited](
		required(occurred),
		required(in("item", text[string](), func(e *domain.PropertyForfeited) *string { return &e.Item })),
		in("amount", amount, func(e *domain.PropertyForfeited) *domain.Amount { return &e.Amount }),
		in("case", text[domain.Link](), func(e *domain.PropertyForfeited) *domain.Link { return &e.Case }),
		in("raid", text[domain.Link](), func(e *domain.PropertyForfeited) *domain.Link { return &e.Raid }),
		in("seizure", text[domain.Link](), func(e *domain.PropertyForfeited) *domain.Link { return &e.Seizure }),
		in("memo", text[string](), func(e *domain.PropertyForfeited) *string { return &e.Memo }),
	),
	domain.TypeFigurePublished: typeOf[domain.FigurePublished](
		required(in("publisher", text[string](), func(e *domain.FigurePublished) *string { return &e.Publisher })),
		required(in("published", period, func(e *domain.FigurePublished) *domain.Period { return &e.Published })),
		required(in("period", period, func(e *domain.FigurePublished) *domain.Period { return &e.Period })),
		required(in("measure", text[string](), func(e *domain.FigurePublished) *string { return &e.Measure })),
		in("worded", text[string](), func(e *domain.FigurePublished) *string { return &e.Worded }),
		in("value", whole, func(e *domain.FigurePublished) *int64 { return &e.Value }),
		in("amount", amount, func(e *domain.FigurePublished) *domain.Amount { return &e.Amount }),
		in("qualifier", parsedBy(parseQualifier), func(e *domain.FigurePublished) *domain.Qualifier { return &e.Qualifier }),
	),
}

// find is the member of that path. Of a claim's dimensions every name is one.
func (t *eventType) find(path string) (member, bool) {
	for _, m := range t.members {
		if m.path == path {
			return m, true
		}
	}
	_, isClaim := t.make().(*domain.FigurePublished)
	if name, ok := strings.CutPrefix(path, "dimensions."); ok && isClaim {
		return dimension(name), true
	}
	return member{}, false
}

func (t *eventType) paths() []string {
	paths := make([]string, len(t.members))
	for i, m := range t.members {
		paths[i] = m.path
	}
	return paths
}

// dimension is the member for one dimension of a claim.
func dimension(name string) member {
	return member{path: "dimensions." + name, bind: func(b *binding) setter {
		read := reader(b, text[string]())
		return func(data domain.Data, cells []string) *Reject {
			v, given, reject := read(cells)
			if given {
				claim := data.(*domain.FigurePublished)
				claim.Dimensions = append(claim.Dimensions, domain.Dimension{Name: name, Value: v})
			}
			return reject
		}
	}}
}

// text is the source's words, in Unicode's composed form (NFC).
func text[V ~string]() kind[V] {
	return kind[V]{read: func(_ *binding, _ []string, s string) (V, error) { return V(norm.NFC.String(s)), nil }}
}

// textOrNot is a text that may say that it is not given.
func textOrNot[V ~string]() kind[V] {
	k := text[V]()
	k.takes, k.notGiven = takesNotGiven, domain.NotGiven
	return k
}

// parsedBy is a text with a grammar of the domain.
func parsedBy[V any](parse func(string) (V, error)) kind[V] {
	return kind[V]{read: func(_ *binding, _ []string, s string) (V, error) { return parse(s) }}
}

// constantly is the unknown of a kind that has one word for it.
func constantly[V any](v V) func(*binding, []string) (V, error) {
	return func(*binding, []string) (V, error) { return v, nil }
}

var nationality = kind[domain.Nationality]{
	takes:   takesUnknown,
	read:    func(_ *binding, _ []string, s string) (domain.Nationality, error) { return domain.ParseNationality(s) },
	unknown: constantly(domain.UnknownNationality),
}

var sex = kind[domain.Sex]{
	takes:   takesUnknown,
	read:    func(_ *binding, _ []string, s string) (domain.Sex, error) { return domain.Sex(s), nil },
	unknown: constantly(domain.UnknownSex),
}

var flag = kind[bool]{read: func(_ *binding, _ []string, s string) (bool, error) {
	if s != "true" && s != "false" {
		return false, errors.New("want true or false")
	}
	return s == "true", nil
}}

// period is a date as the file writes it, or the ledger's own grammar.
var period = kind[domain.Period]{
	takes: takesDate | takesUnknown,
	read: func(b *binding, _ []string, s string) (domain.Period, error) {
		if len(b.value.dates.patterns) > 0 && s != "unknown" {
			var err error
			if s, err = b.value.dates.period(s); err != nil {
				return domain.Period{}, err
			}
		}
		return domain.ParsePeriod(s)
	},
	unknown: func(*binding, []string) (domain.Period, error) { return domain.ParsePeriod("unknown") },
}

// whole is a whole number.
var whole = kind[int64]{
	takes: takesNumber,
	read: func(b *binding, _ []string, s string) (int64, error) {
		plain, err := b.value.numbers.plain(s, 0)
		if err != nil {
			return 0, err
		}
		n, err := strconv.ParseInt(plain, 10, 64)
		if err != nil {
			return 0, errors.New("too large")
		}
		return n, nil
	},
}

var count = kind[domain.Count]{
	takes: takesNumber | takesQualifier | takesUnknown,
	read: func(b *binding, cells []string, s string) (domain.Count, error) {
		n, err := whole.read(b, cells, s)
		if err != nil {
			return domain.Count{}, err
		}
		q, err := b.qualify(cells)
		if q == domain.Unknown {
			err = errors.New("what is unknown has no value")
		}
		return domain.Count{N: n, Qualifier: q}, err
	},
	unknown: constantly(domain.Count{Qualifier: domain.Unknown}),
}

var amount = kind[domain.Amount]{
	takes: takesNumber | takesCurrency | takesQualifier | takesUnknown,
	read: func(b *binding, cells []string, s string) (domain.Amount, error) {
		currency, err := domain.ParseCurrency(strings.TrimSpace(b.value.currency.eval(cells)))
		if err != nil {
			return domain.Amount{}, err
		}
		plain, err := b.value.numbers.plain(s, currency.Decimals())
		if err != nil {
			return domain.Amount{}, err
		}
		q, err := b.qualify(cells)
		if err != nil {
			return domain.Amount{}, err
		}
		return domain.ParseAmount(plain, string(currency), q)
	},
	unknown: func(b *binding, cells []string) (domain.Amount, error) {
		return domain.ParseAmount("", strings.TrimSpace(b.value.currency.eval(cells)), domain.Unknown)
	},
}

func parseQualifier(s string) (domain.Qualifier, error) {
	q, ok := domain.ParseQualifier(s)
	if !ok {
		return q, fmt.Errorf("%q is no qualifier. Try: exact, at-least, about, unknown", s)
	}
	return q, nil
}

// listOf is a list whose members stand in one text, split by the value's split.
func listOf[V any](element kind[V]) kind[[]V] {
	list := kind[[]V]{takes: element.takes | takesSplit}
	list.read = func(b *binding, cells []string, s string) ([]V, error) {
		var values []V
		for each := range strings.SplitSeq(s, b.value.joint()) {
			v, err := element.read(b, cells, each)
			if err != nil {
				return nil, err
			}
			values = append(values, v)
		}
		return values, nil
	}
	if element.unknown != nil {
		list.unknown = func(b *binding, cells []string) ([]V, error) {
			v, err := element.unknown(b, cells)
			return []V{v}, err
		}
	}
	return list
}
