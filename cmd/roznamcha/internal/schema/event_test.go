package schema

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"roznamcha/domain"
)

func TestExamplesAreAcceptedInTheirOrder(t *testing.T) {
	register, all := domain.NewRegister(), compileAll(t)
	for i, line := range Examples() {
		e, err := domain.Decode(line)
		if err != nil {
			t.Fatalf("%v\n%s", err, line)
		}
		if err := all.validate(t, e.Type, line); err != nil {
			t.Errorf("%v\n%s", err, line)
		}
		entry := domain.Entry{Number: uint64(i + 1), Subject: domain.EntrySubject, Payload: []byte(line)}
		err = register.Apply(entry, func(r *domain.Ruled) {
			if r.Verdict != domain.Accepted {
				t.Errorf("%s: %v\n%s", r.Verdict, r.Err(), line)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(Examples()[0], domain.TypeLedgerOpened.String()) {
		t.Error("the first example opens no ledger")
	}
}

func TestEveryTypeHasAnExampleInItsSchema(t *testing.T) {
	for _, typ := range domain.Types() {
		lines := ExamplesOf(typ)
		if len(lines) == 0 {
			t.Errorf("%s has no example", typ)
			continue
		}
		values := exampleValues(typ)
		for i, line := range lines {
			if got := values[i].(Object).Line(); got != line {
				t.Errorf("%s: in the schema the example is\n%s\nnot\n%s", typ, got, line)
			}
		}
		var doc struct{ Examples []any }
		if err := json.Unmarshal([]byte(printed(t, Event(typ))), &doc); err != nil {
			t.Fatal(err)
		}
		if len(doc.Examples) != len(lines) {
			t.Errorf("the schema of %s has %d examples of %d", typ, len(doc.Examples), len(lines))
		}
	}
}

func TestEveryGoldenLineIsValid(t *testing.T) {
	all := compileAll(t)
	for _, typ := range domain.Types() {
		for _, line := range goldenLines(t, typ) {
			if err := all.validate(t, typ, line); err != nil {
				t.Errorf("%v\n%s", err, line)
			}
		}
	}
}

// goldenLines are the lines of a type that the domain will decode for ever.
func goldenLines(t *testing.T, typ domain.Type) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "domain", "testdata", "golden", typ.String()+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// beyondSchemas is why Decode may refuse what the schemas admit: all that JSON
// Schema cannot say, each with a line of which that is so. Nothing else may be.
var beyondSchemas = []struct {
	why    string
	detail string // of the refusal, a regular expression
	typ    domain.Type
	data   string
}{
	{"a name stands twice", `stands twice, or in another letter case: "persons"`, domain.TypePersonDetained, `{"occurred":"2025","persons":1,"persons":1,"nationality":["CN"]}`},
	{"a name in another letter case", `stands twice, or in another letter case`, domain.TypePersonDetained, `{"occurred":"2025","persons":1,"Persons":1,"nationality":["CN"]}`},
	{"a count with a point", `want plain digits`, domain.TypePersonDetained, `{"occurred":"2025","persons":1.0,"nationality":["CN"]}`},
	{"a count with an exponent", `want plain digits`, domain.TypePersonDetained, `{"occurred":"2025","persons":{"value":1e3},"nationality":["CN"]}`},
	{"minus nothing", `-0 is below 0`, domain.TypePersonDetained, `{"occurred":"2025","persons":-0,"nationality":["CN"]}`},
	{"nested too deep", `nested too deep`, domain.TypeRaidConducted, `{"occurred":"2025","premises":"other","x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`},
	{"half a character", `half a surrogate pair`, domain.TypeRaidConducted, `{"occurred":"2025","premises":"other","note":"\ud800"}`},
	{"no such year", `no year 0000`, domain.TypeRaidConducted, `{"occurred":"0000-01-01","premises":"other"}`},
	{"no such day", `February 2025 has 28 days`, domain.TypeRaidConducted, `{"occurred":"2025-02-29","premises":"other"}`},
	{"an offset that is not known", `the offset -00:00`, domain.TypeRaidConducted, `{"occurred":"2025-06-03T22:10:00-00:00","premises":"other"}`},
	{"an interval backwards", `it ends before it begins`, domain.TypeRaidConducted, `{"occurred":"2025/2024","premises":"other"}`},
	{"more bytes than characters", `[^ -~…].* bytes; at most`, domain.TypeRaidConducted, `{"occurred":"2025","premises":"other","operation":"` + strings.Repeat("ک", 200) + `"}`},
	{"more decimals than the currency", `has 1 decimal`, domain.TypeLossAlleged, `{"occurred":"2025","amount":{"value":"1.5","currency":"JPY"}}`},
	{"many more decimals", `decimals, PKR has 2`, domain.TypeLossAlleged, `{"occurred":"2025","amount":{"value":"1.555","currency":"PKR"}}`},
	{"more than can be held", `more than can be held`, domain.TypeLossAlleged, `{"occurred":"2025","amount":{"value":"9223372036854775808","currency":"PKR"}}`},
	{"no such zone", `is no time zone`, domain.TypeLedgerOpened, `{"name":"x","home":"PK","zone":"Asia/Kranchi","rules":1}`},
	{"its own successor", `does not succeed itself`, domain.TypeAgencySucceeded, `{"predecessor":"nccia","successor":"nccia","effective":"2025"}`},
}

func TestWhatOnlyDecodeCanSay(t *testing.T) {
	all := compileAll(t)
	for _, c := range beyondSchemas {
		line := `{"specversion":"1.0","id":"0197326a-9d00-7a11-8c3e-5b1f0e2d4c01","source":"/ledger/office","type":"` + c.typ.String() + `","subject":"1","data":` + c.data + `}`
		_, err := domain.Decode(line)
		if err == nil || !regexp.MustCompile(c.detail).MatchString(err.Error()) {
			t.Errorf("%s: Decode says %v, want %s", c.why, err, c.detail)
		}
		if err := all.validate(t, c.typ, line); err != nil {
			t.Errorf("%s: the schema can say it: %v", c.why, err)
		}
	}
}

// Every member takes, and refuses, the same values in both. Members of one name
// and shape are tried in one type, but those of claims, which have rules of
// their own between them.
func TestSchemasAndDecodeAgreeOnEveryMember(t *testing.T) {
	all, tried := compileAll(t), map[string]bool{}
	once := func(key string) bool {
		was := tried[key]
		tried[key] = true
		return !was
	}
	events := 0
	for _, typ := range domain.Types() {
		of := ""
		if typ == domain.TypeFigurePublished {
			of = typ.String()
		}
		event, err := parseObject(longest(goldenLines(t, typ)))
		if err != nil {
			t.Fatal(err)
		}
		try := func() {
			if events++; testing.Short() && events%16 != 0 {
				return
			}
			line := textOf(event)
			_, err := domain.Decode(line)
			invalid := all.types[typ].Validate(asJSON(t, line))
			if (err == nil) != (invalid == nil) && (invalid != nil || !onlyDecodeSays(err)) {
				t.Errorf("Decode: %v, the schema: %v\n%s", err, invalid, line)
			}
		}
		for _, m := range slices.Concat(domain.DescribeAttributes(typ), []domain.Member{{Name: "data"}, {Name: "x"}}) {
			if once(m.Name) || m.Name == "type" {
				eachValue(&event, m.Name, try)
			}
		}
		at := slices.IndexFunc(event, func(f Field) bool { return f.Name == "data" })
		data := event[at].Value.(Object)
		put := func() { event[at].Value = data; try() }
		for _, m := range domain.Describe(typ) {
			key := of + " " + m.Name + " " + m.Shape.Name
			if !once(key) {
				continue
			}
			eachValue(&data, m.Name, put)
			i := slices.IndexFunc(data, func(f Field) bool { return f.Name == m.Name })
			if i < 0 || len(m.Shape.Members)+len(m.Shape.Either) == 0 && m.Shape.Element == nil {
				continue
			}
			inner, ok := data[i].Value.(Object)
			if !ok {
				continue
			}
			for _, name := range []string{"value", "currency", "qualifier", "country", "subdivision", "city", "site", "ref", "locator", "sha256", "A"} {
				eachValue(&inner, name, func() { data[i].Value = inner; put() })
			}
			data[i].Value = inner
		}
	}
	t.Logf("%d events", events)
}

func longest(lines []string) string {
	return slices.MaxFunc(lines, func(a, b string) int { return len(a) - len(b) })
}

// eachValue leaves that member of o out, then gives it every odd value; o is as
// it was in the end.
func eachValue(o *Object, name string, visit func()) {
	was := *o
	i := slices.IndexFunc(was, func(f Field) bool { return f.Name == name })
	if i < 0 {
		was = append(slices.Clip(was), Field{name, nil})
		i = len(was) - 1
	}
	*o = slices.Delete(slices.Clone(was), i, i+1)
	visit()
	for _, odd := range oddities {
		*o = slices.Clone(was)
		(*o)[i].Value = odd
		visit()
	}
	*o = slices.DeleteFunc(was, func(f Field) bool { return f.Value == nil })
}

// Whatever event is made, what Decode accepts the schemas accept, and what they
// refuse Decode refuses; what only Decode refuses is on the list above.
func TestSchemasAndDecodeAgree(t *testing.T) {
	all := compileAll(t)
	accepted, refused := 0, 0
	types := domain.Types()
	rapid.Check(t, func(rt *rapid.T) {
		if testing.Short() {
			types = []domain.Type{rapid.SampledFrom(domain.Types()).Draw(rt, "type")}
		}
		for _, typ := range types {
			m := maker{rt}
			event := m.event(typ)
			for range rapid.SampledFrom([]int{0, 0, 1, 1, 1, 2}).Draw(rt, "faults") {
				m.spoil(&event)
			}
			line := textOf(event)
			_, err := domain.Decode(line)
			invalid := all.validate(rt, typ, line)
			switch {
			case err == nil && invalid != nil:
				rt.Fatalf("Decode accepts what the schema refuses: %v\n%s", invalid, line)
			case err != nil && invalid == nil && !onlyDecodeSays(err):
				rt.Fatalf("the schema accepts what Decode refuses: %v\n%s", err, line)
			case err == nil:
				accepted++
			default:
				refused++
			}
		}
	})
	t.Logf("%d accepted, %d refused", accepted, refused)
	if accepted == 0 || refused == 0 {
		t.Error("one of the two was never made")
	}
}

func onlyDecodeSays(err error) bool {
	if _, at, ok := strings.Cut(err.Error(), `time: "`); ok { // a refused time has no reason in its refusal
		time, _, _ := strings.Cut(at, `"`)
		if _, why := domain.ParsePeriod(time); why != nil {
			err = why
		}
	}
	return slices.ContainsFunc(lastly(), func(re *regexp.Regexp) bool { return re.MatchString(err.Error()) })
}

// lastly is what the refusals on the list above say, whatever the value.
func lastly() []*regexp.Regexp {
	details := []string{`[A-Z][a-z]+ [0-9]{1,4} has [0-9]{2} days`, `[A-Z]{3} has [0-9]$`}
	for _, c := range beyondSchemas {
		details = append(details, c.detail)
	}
	var list []*regexp.Regexp
	for _, d := range details {
		list = append(list, regexp.MustCompile(d))
	}
	return list
}

// maker makes events at random, as the catalogue describes them.
type maker struct{ t *rapid.T }

// raw is JSON as it is written.
type raw string

func (m maker) event(typ domain.Type) Object {
	event := m.members(domain.DescribeAttributes(typ))
	return append(event, Field{"data", m.data(typ)})
}

func (m maker) data(typ domain.Type) Object {
	data := m.members(domain.Describe(typ))
	if typ == domain.TypeLedgerOpened {
		set(data, "rules", raw("1"))
		set(data, "zone", "Asia/Karachi")
	}
	if typ == domain.TypeFigurePublished { // either of the two
		without := rapid.SampledFrom([]string{"value", "amount"}).Draw(m.t, "without")
		data = slices.DeleteFunc(data, func(f Field) bool {
			return f.Name == "value" || f.Name == "amount" || f.Name == "qualifier" && f.Value == "unknown"
		})
		if without == "value" {
			data = append(data, Field{"amount", Object{{"value", "72000000.5"}, {"currency", "PKR"}}})
		} else {
			data = append(data, Field{"value", raw("183")})
		}
	}
	return data
}

func set(o Object, name string, v any) {
	for i := range o {
		if o[i].Name == name {
			o[i].Value = v
		}
	}
}

func (m maker) members(list []domain.Member) Object {
	o := Object{}
	for _, member := range list {
		if !member.Absent && (member.Required || rapid.Bool().Draw(m.t, member.Name)) {
			o = append(o, Field{member.Name, m.value(member.Shape)})
		}
	}
	return o
}

func (m maker) value(s domain.Shape) any {
	switch {
	case s.Either != nil:
		return m.value(rapid.SampledFrom(s.Either).Draw(m.t, "either"))
	case s.Words != nil:
		return rapid.SampledFrom(s.Words).Draw(m.t, "word")
	case s.JSON == "string" && s.Pattern == "":
		return rapid.String().Draw(m.t, "text")
	case s.JSON == "string":
		text := rapid.StringMatching(s.Pattern).Draw(m.t, "text")
		if s.Most > 0 && len(text) > int(s.Most) {
			return "a"
		}
		return text
	case s.JSON == "integer":
		return raw(strconv.FormatInt(rapid.Int64Range(0, s.Most).Draw(m.t, "number"), 10))
	case s.JSON == "boolean":
		return rapid.Bool().Draw(m.t, "flag")
	case s.JSON == "array":
		list := []any{m.value(*s.Element)}
		if second := m.value(*s.Element); second != list[0] {
			list = append(list, second)
		}
		return list
	case s.Element != nil:
		name := rapid.StringMatching(s.Pattern).Draw(m.t, "name")
		return Object{{name, m.value(*s.Element)}}
	}
	return m.members(s.Members)
}

// oddities are values that most members do not take, or not all.
var oddities = []any{
	raw("null"), raw("true"), raw("0"), raw("-1"), raw("-0"), raw("1.0"), raw("1.5"), raw("1e3"), raw("9007199254740991"), raw("9007199254740992"),
	raw("2"), raw("123456789012345678901234567890"), raw("[]"), raw(`["a","a"]`), raw(`["CN","PK","SUHH","foreign"]`), raw(listOf(100)), raw(listOf(101)),
	raw(`{"value":3}`), raw(`{"value":3,"qualifier":"exact"}`), raw(`{"value":3,"qualifier":"about"}`), raw(`{"value":3,"qualifier":"at-most"}`), raw(`{"value":3,"qualifier":"unknown"}`),
	raw(`{"qualifier":"unknown"}`), raw(`{"qualifier":"about"}`), raw(`{"value":"1.5","currency":"PKR"}`), raw(`{"value":"1.5","currency":"PKR","qualifier":"exact"}`),
	raw(`{"value":"1.5","currency":"PKR","qualifier":"at-least"}`), raw(`{"value":"1.5","currency":"PKR","qualifier":"at-most"}`), raw(`{"value":"1.5","currency":"PKR","qualifier":"unknown"}`),
	raw(`{"currency":"PKR","qualifier":"unknown"}`), raw(`{"currency":"","qualifier":"unknown"}`), raw(`{"value":"","qualifier":"unknown"}`), raw(`{"value":"1.5"}`), raw(`{"value":"1","currency":"XAU"}`),
	raw(`{"city":"x"}`), raw(`{"city":""}`), raw(`{"CITY":"x"}`), raw(`{"a b":"x"}`), raw("{}"), raw("[1]"), raw(`{"x":{"y":[1,null]}}`), raw(`"\ud800"`), raw(`"\u0000"`),
	"", " ", "a", "A", "a b", "a/b", "not-given", "unknown", "other", "exact", "at-most", "foreign", "CN", "CS", "SUHH", "pk", "PKR", "XAU", "1.0", "0", "-1", "01", "1.", ".5", "1.2345", "1.23456",
	"2025", "2025-06", "2025-13", "2025-06-31", "0000", "2025/2024", "../2025", "2025/..", "../..", "unknown/2025", "2025-06-03T22:10:00", "2025-06-03T22:10:00Z", "2025-06-03t22:10:00z",
	"2025-06-03T24:00:00Z", "2025-06-03T22:10:60Z", "2025-06-03T22:10:00.0000000001Z", "2025-06-03T22:10:00.5-00:00", "2025-06-03/2025-06-04T00:00:00Z",
	"Asia/Karachi", "Local", "/a/b", "/a/b/c", "a/b/c", "raid/a/b/1", "case/a/b/1", "case/A/b/1", "raid/a/b/c/1", "ship/a/b/1", "record/a/b/1", "/ledger/office",
	"application/json", "application/json; charset=utf-8", "application/JSON", "a+json;x\n", "text/plain",
	"0197326a-9d00-7a11-8c3e-5b1f0e2d4c01", "0197326A-9D00-7A11-8C3E-5B1F0E2D4C01", "0197326a9d007a118c3e5b1f0e2d4c01",
	"tab\there", "line\nfeed", "return\r", "\x7f", "\u0085", "é", "ک", "0000000000000000000000000000000000000000000000000000000000000001",
	strings.Repeat("a", 64), strings.Repeat("a", 65), strings.Repeat("x", 128), strings.Repeat("x", 129), strings.Repeat("x", 256), strings.Repeat("x", 257), strings.Repeat("ک", 256),
	strings.Repeat("x", 500), strings.Repeat("x", 501), strings.Repeat("x", 1000), strings.Repeat("x", 1001),
}

// listOf is a list of n words.
func listOf(n int) string {
	words := make([]string, n)
	for i := range words {
		words[i] = `"w` + strconv.Itoa(i) + `"`
	}
	return "[" + strings.Join(words, ",") + "]"
}

// spoil changes one thing somewhere in o.
func (m maker) spoil(o *Object) {
	t := m.t
	if i := rapid.IntRange(-2, len(*o)-1).Draw(t, "member"); i >= 0 {
		f := &(*o)[i]
		if inner, ok := f.Value.(Object); ok && rapid.IntRange(0, 4).Draw(t, "within") > 0 {
			m.spoil(&inner)
			f.Value = inner
			return
		}
		if list, ok := f.Value.([]any); ok && rapid.Bool().Draw(t, "in the list") {
			f.Value = m.spoilList(list)
			return
		}
		switch rapid.IntRange(0, 3).Draw(t, "how") {
		case 0:
			*o = slices.Delete(*o, i, i+1)
		case 1:
			f.Name = strings.ToUpper(f.Name[:min(1, len(f.Name))]) + f.Name[min(1, len(f.Name)):]
		default:
			f.Value = rapid.SampledFrom(oddities).Draw(t, "odd")
		}
		return
	}
	name := rapid.SampledFrom([]string{"x", "x y", "occurred", "value", "qualifier", "currency", "amount", "persons", "subject", "data_base64", "time", "place", "city"}).Draw(t, "name")
	f := Field{name, rapid.SampledFrom(oddities).Draw(t, "odd")}
	*o = slices.Insert(*o, rapid.IntRange(0, len(*o)).Draw(t, "at"), f)
}

func (m maker) spoilList(list []any) []any {
	switch rapid.IntRange(0, 3).Draw(m.t, "how") {
	case 0:
		return nil
	case 1:
		return append(list, list[0])
	case 2:
		for len(list) < 101 {
			list = append(list, "a"+strconv.Itoa(len(list)))
		}
		return list
	}
	return append(list, rapid.SampledFrom(oddities).Draw(m.t, "odd"))
}

// textOf writes what a maker made.
func textOf(v any) string {
	var b strings.Builder
	switch v := v.(type) {
	case raw:
		return string(v)
	case Object:
		b.WriteByte('{')
		for i, f := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(textOf(f.Name) + ":" + textOf(f.Value))
		}
		b.WriteByte('}')
	case int64:
		return strconv.FormatInt(v, 10)
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(textOf(e))
		}
		b.WriteByte(']')
	default:
		text, _ := json.Marshal(v) // a string or a truth value
		return string(text)
	}
	return b.String()
}

func TestSchemasFollowTheirMetaSchema(t *testing.T) {
	meta, err := jsonschema.NewCompiler().Compile(draft)
	if err != nil {
		t.Fatal(err)
	}
	documents := []Object{AnyEvent()}
	for _, typ := range domain.Types() {
		documents = append(documents, Event(typ))
	}
	for _, doc := range documents {
		if err := meta.Validate(asJSON(t, printed(t, doc))); err != nil {
			t.Error(err)
		}
	}
}
