package csvimport

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"roznamcha/domain"
)

// arrests is the head of a mapping of arrests; what follows is in [event.data].
const arrests = `dataset = "d"
source = "/police/city"
key = "{id}"
[[event]]
name = "arrest"
type = "arrest.made"
subject = "{id}"
[event.data]
occurred = "{date}"
persons = 1
nationality = "unknown"
`

// parse is a mapping that has nothing wrong in it.
func parse(t testing.TB, text string) *Mapping {
	t.Helper()
	m, err := ParseMapping("m.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestFaultsInMappings gives what is wrong and the line that must say so.
func TestFaultsInMappings(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"no TOML", "dataset = \n", "m.toml:1: "},
		{"an unknown key", "datasett = \"x\"\n" + arrests, "m.toml:1: datasett: no such key here. Try: dataset"},
		{"an unknown key of an event", strings.Replace(arrests, "subject", "subjct = \"x\"\nsubject", 1), "m.toml:7: event[0].subjct: no such key here. Try: subject"},
		{"an unknown key of a value", arrests + `place.city = { column = "c", vales = "x" }`, "m.toml:12: event[0].data.place.city.vales: no such key here. Try: values"},
		{"a key twice", "dataset = \"x\"\n" + arrests, "m.toml:2: "},
		{"empty", "", "m.toml: dataset: is missing"},
		{"no event", "dataset = \"d\"\nsource = \"/a/b\"\nkey = \"{k}\"\n", "m.toml: event: is missing"},
		{"no key", strings.Replace(arrests, `key = "{id}"`, "", 1), "key: is missing: what tells a row"},
		{"a constant key", strings.Replace(arrests, `"{id}"`, `"id"`, 1), "m.toml:3: key: the same in every row. Try: a column in braces, or {#row}"},
		{"a wrong source", strings.Replace(arrests, "/police/city", "police", 1), `m.toml:2: source: diary "police": want /agency/unit`},
		{"a control character in a name", strings.Replace(arrests, `"d"`, `"d\u0000"`, 1), "m.toml:1: dataset: a name has no control characters"},
		{"an unknown type", strings.Replace(arrests, "arrest.made", "arest.made", 1), `m.toml:6: event[0].type: "arest.made" is no event type. Try: arrest.made`},
		{"a type that is not imported", strings.Replace(arrests, "arrest.made", "record.corrected", 1), "m.toml:6: event[0].type: record.corrected is not imported"},
		{"an unknown member", arrests + `place.town = "x"`, "m.toml:12: event[0].data.place.town: arrest.made has no member place.town"},
		{"a member by its last name", arrests + `city = "{c}"`, "m.toml:12: event[0].data.city: arrest.made has no member city. Try: place.city"},
		{"a member of another type", arrests + `amount = "{c}"`, "m.toml:12: event[0].data.amount: arrest.made has no member amount"},
		{"a required member", strings.Replace(arrests, "persons = 1", "", 1), "m.toml:8: event[0].data.persons: is missing: every arrest.made has one"},
		{"no data", arrests[:strings.Index(arrests, "[event.data]")], "event[0].data: is missing: what the event says"},
		{"two events of a name", arrests + "[[event]]\nname = \"arrest\"\ntype = \"arrest.made\"\nsubject = \"{id}\"\ndata = { occurred = \"{d}\", persons = 1, nationality = \"PK\" }", `m.toml:13: event[1].name: a second event named "arrest"`},
		{"a brace that is not closed", arrests + `place.city = "{c"`, "m.toml:12: event[0].data.place.city: a { without its }"},
		{"a brace that was not opened", arrests + `place.city = "c}"`, "m.toml:12: event[0].data.place.city: a } without its {"},
		{"no column in braces", arrests + `place.city = "{|upper}"`, "m.toml:12: event[0].data.place.city: {|upper} names no column"},
		{"an unknown change", arrests + `place.city = "{c|uper}"`, `m.toml:12: event[0].data.place.city: "uper" does nothing to a text. Try: upper`},
		{"a missing table", arrests + `sex = { column = "s", values = "gendr" }` + "\n[values.gender]\nm = \"male\"", "m.toml:12: event[0].data.sex.values: there is no table [values.gendr]. Try: gender"},
		{"a number that is no count", arrests + `place.city = 7`, `m.toml:12: event[0].data.place.city: want a string. Try: city = "7"`},
		{"a list for a text", arrests + `place.city = ["x"]`, "m.toml:12: event[0].data.place.city: want a string in quotes, not a list"},
		{"a date for a text", arrests + `place.city = 2017-01-01`, "m.toml:12: event[0].data.place.city: want a string in quotes, not a date"},
		{"a country that is none", arrests + `place.country = "Pakistan"`, `m.toml:12: event[0].data.place.country: country "Pakistan"`},
		{"a constant the catalogue refuses", arrests + `unit = "Not A Token"`, `m.toml:12: event[0].data.unit: "Not A Token" is no name`},
		{"a constant of a word list", arrests + `sex = "M"`, `m.toml:12: event[0].data.sex: "M" is none of female, male, other, unknown`},
		{"a date pattern", arrests + `reported = { column = "r", date = "DD/MM" }`, `m.toml:12: event[0].data.reported.date: "DD/MM": a date has a year`},
		{"two-digit years", arrests + `reported = { column = "r", date = "DD/MM/YY" }`, "m.toml:12: event[0].data.reported.date: YY needs a pivot"},
		{"times without zone", arrests + `reported = { column = "r", date = "YYYY-MM-DD hh:mm" }`, "m.toml:12: event[0].data.reported.date: a time needs the zone"},
		{"a zone that is none", "zone = \"Karachi\"\n" + arrests, `m.toml:1: zone: zone "Karachi": not an IANA time zone. Try: Asia/Karachi`},
		{"a date where none can be", arrests + `place.city = { column = "c", date = "YYYY" }`, "m.toml:12: event[0].data.place.city.date: no such key here"},
		{"a blank without meaning", arrests + `place.city = { column = "c", blank = "unknown" }`, `m.toml:12: event[0].data.place.city.blank: "unknown" is not understood here. Try: omit, reject`},
		{"a wrong pattern", arrests + `place.city = { column = "c", match = "(" }`, "m.toml:12: event[0].data.place.city.match: error parsing regexp"},
		{"column and from", arrests + `place.city = { column = "c", from = "{c}" }`, `m.toml:12: event[0].data.place.city: want column = "…" or from`},
		{"unlisted and default", arrests + `sex = { column = "s", values = "s", unlisted = "keep", default = "other" }` + "\n[values.s]\n", "m.toml:12: event[0].data.sex.default: default is for what is not listed"},
		{"default without a table", arrests + `sex = { column = "s", default = "other" }`, "m.toml:12: event[0].data.sex: fold, unlisted and default go with values"},
		{"keys that fold together", arrests + `sex = { column = "s", values = "s", fold = true }` + "\n[values.s]\nM = \"male\"\nm = \"other\"", `event[0].data.sex.fold: "m" stands for "male" and for "other"`},
		{"a condition that asks nothing", strings.Replace(arrests, "[event.data]", `when = { column = "c" }`+"\n[event.data]", 1), "m.toml:8: event[0].when: asks nothing"},
		{"any with other keys", strings.Replace(arrests, "[event.data]", `when = { any = [{ column = "c", is = "x" }], column = "c" }`+"\n[event.data]", 1), "m.toml:8: event[0].when.column: no such key here. Try: all, any"},
		{"a condition with an unknown key", strings.Replace(arrests, "[event.data]", `when = [{ column = "c", equals = "x" }]`+"\n[event.data]", 1), "m.toml:8: event[0].when[0].equals: no such key here"},
		{"a constant once", strings.Replace(arrests, "[event.data]", `once = "x"`+"\n[event.data]", 1), "m.toml:8: event[0].once: the same in every row"},
		{"a delimiter of two signs", "delimiter = \";;\"\n" + arrests, "m.toml:1: delimiter: want one sign"},
		{"a decimal that is the thousands", "decimal = \",\"\nthousands = \",\"\n" + arrests, "m.toml:1: decimal: want one sign that is not"},
		{"a header line", "header_line = 0\n" + arrests, "m.toml:1: header_line: want the number"},
		{"a join without a file", arrests + "[join.office]\nkey = \"{k}\"\non = \"{o}\"", "m.toml:12: join.office.file: is missing"},
		{"a join with an unknown word", arrests + "[join.office]\nfile = \"f\"\nkey = \"{k}\"\non = \"{o}\"\nmissing = \"ignore\"", `m.toml:16: join.office.missing: "ignore" is not understood here. Try: blank, reject`},
		{"what Init left open", strings.Replace(arrests, `"arrest.made"`, `"?"`, 1) + `place.country = "?"`, "m.toml:6: event[0].type: still to be filled in\nm.toml:12: event[0].data.place.country: still to be filled in"},
		{"an amount without currency", amounts(`amount = { column = "v" }`), "m.toml:11: event[0].data.amount: an amount needs its currency"},
		{"a currency that is none", amounts(`amount = { from = "5", currency = "Rs" }`), `m.toml:11: event[0].data.amount: currency "Rs"`},
		{"a way to round", amounts(`amount = { column = "v", currency = "USD", round = "up" }`), `m.toml:11: event[0].data.amount.round: "up" is no way to round. Try: half-even`},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, err := ParseMapping("m.toml", []byte(test.text))
			var faults *MappingError
			if !errors.As(err, &faults) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, %v\nwant %s", m, err, test.want)
			}
		})
	}
}

// amounts is a mapping whose 11th line is line.
func amounts(line string) string {
	return `dataset = "d"
source = "/police/city"
key = "{id}"
[[event]]
name = "seized"
type = "property.seized"
subject = "{id}"
[event.data]
occurred = "unknown"
item = "car"
` + line
}

func TestAllFaultsAtOnce(t *testing.T) {
	_, err := ParseMapping("m.toml", []byte(strings.Replace(arrests, `"/police/city"`, `"police"`, 1)+"city = \"x\"\nfoo = \"y\""))
	var faults *MappingError
	if !errors.As(err, &faults) || len(faults.Faults) != 3 {
		t.Fatalf("%v", err)
	}
	for i, line := range []int{2, 12, 13} {
		if faults.Faults[i].Line != line {
			t.Errorf("fault %d is on line %d, want %d", i, faults.Faults[i].Line, line)
		}
	}
}

func TestPresetsAreMappings(t *testing.T) {
	if len(Presets()) < 2 {
		t.Fatalf("presets: %q", Presets())
	}
	for _, name := range Presets() {
		if m := presetOf(t, name); m.Dataset() != name || m.Name() != name {
			t.Errorf("preset %s has the dataset %s and the name %s", name, m.Dataset(), m.Name())
		}
	}
	if _, err := Preset("us-ice"); err == nil || !strings.Contains(err.Error(), "Try: us-cook-county-forfeiture, us-ice-arrests") {
		t.Errorf("%v", err)
	}
}

func TestLoadMapping(t *testing.T) {
	path := filepath.Join(t.TempDir(), "arrests.toml")
	if err := os.WriteFile(path, []byte("x = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadMapping(path); err == nil || !strings.Contains(err.Error(), "arrests.toml:1: x: no such key here") {
		t.Errorf("%v", err)
	}
	if _, err := LoadMapping(path + "x"); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "Try: ") {
		t.Errorf("%v", err)
	}
}

// TestCatalogue holds the members that a mapping can give against the domain's
// catalogue: every one of them is read back from the line, and the required
// ones are exactly those that a line must have.
func TestCatalogue(t *testing.T) {
	texts := map[string]string{
		"occurred": "2017", "reported": "2018", "registered": "2017", "published": "2018", "period": "2017",
		"place.country": "PK", "document.sha256": strings.Repeat("0", 64), "synthetic": "true", "persons": "1", "value": "7",
		"nationality": "PK", "sex": "male", "premises": "other", "form": "cash", "qualifier": "about", "amount": "5",
	}
	for kind, of := range eventTypes {
		bind := func(path string, m member) setter {
			v := &value{numbers: numbers{decimal: "."}, currency: template{parts: []part{{literal: "PKR"}}}}
			text, ok := texts[path]
			if !ok {
				text = "word"
			}
			v.from = template{parts: []part{{literal: text}}}
			return m.bind(&binding{value: v, required: m.required})
		}
		// build is the line of an event with all members but one.
		build := func(without string) (string, error) {
			e := domain.Event{Source: domain.Diary{Agency: "a", Unit: "b"}, Type: kind, Subject: "c", Data: of.make()}
			for _, m := range of.members {
				if m.path == without || kind == domain.TypeFigurePublished && m.path == "amount" {
					continue
				}
				if reject := bind(m.path, m)(e.Data, nil); reject != nil {
					t.Fatalf("%s %s: %s", kind, m.path, reject.Reason)
				}
			}
			line, err := domain.AppendEvent(nil, &e)
			return string(line), err
		}
		all, err := build("")
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		for _, m := range of.members {
			name := m.path[strings.LastIndexByte(m.path, '.')+1:]
			if m.path == "amount" && kind == domain.TypeFigurePublished {
				continue // instead of value
			}
			if !strings.Contains(all, `"`+name+`":`) {
				t.Errorf("%s: %s is not in %s", kind, m.path, all)
			}
			_, err := build(m.path)
			if missing := err != nil; missing != m.required && m.path != "persons" && m.path != "value" {
				t.Errorf("%s: required %v is %s, and without it: %v", kind, m.required, m.path, err)
			}
		}
	}
}

// FuzzMapping sees that any text is a mapping or an error that names it, and
// that a mapping makes nothing but valid events, or rejects, of any row.
func FuzzMapping(f *testing.F) {
	f.Add(arrests, "2017-01-01")
	f.Add(seizures, "FIR-7")
	f.Add(amounts(`amount = { column = "v", currency = "{c}", thousands = ",", round = "half-even", qualifier = "{q}" }`), "1,234.565")
	f.Add(arrests+"place.city = { from = \"{a|upper|slug} {{b}}\", match = '^(.)', values = \"t\", fold = true, unlisted = \"keep\", split = \";\" }\n[values.t]\na = \"b\"", "x")
	f.Add(string(Init("n", []string{"a", "b"}, [][]string{{"1", "2017-01-01"}})), "")
	f.Fuzz(func(t *testing.T, text, cell string) {
		m, err := ParseMapping("m.toml", []byte(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "m.toml") {
				t.Fatalf("%v", err)
			}
			return
		}
		if len(m.joins) > 0 {
			return // other files
		}
		s := &scope{}
		_, err = m.bind("f.csv", nil, nil)
		var missing *MissingColumnsError
		if errors.As(err, &missing) {
			s.names = missing.Missing
		} else if err != nil {
			t.Fatalf("%v", err)
		}
		p, err := m.bind("f.csv", s.names, nil)
		if err != nil {
			return // a derived column of that name
		}
		im := &Import{program: p, ids: newIDMaker(m.dataset), keys: map[digest]uint64{}, taken: map[uuid.UUID]uint64{}, seed: fuzzSeed}
		fields := make([]string, len(s.names))
		for i := range fields {
			fields[i] = cell
		}
		var row Row
		start := im.lines.begin()
		if reject := im.build(&row, fields); reject != nil {
			if reject.Reason == "" {
				t.Fatalf("%+v", reject)
			}
			return
		}
		row.Submission = im.lines.cut(start)
		if lines := row.lines(); len(lines) != row.Events {
			t.Fatalf("%d events, %d lines", row.Events, len(lines))
		}
		for _, line := range row.lines() {
			if _, err := domain.Decode(line); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		}
	})
}
