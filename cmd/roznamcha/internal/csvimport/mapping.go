package csvimport

import (
	"embed"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"roznamcha/domain"
)

// Mapping says how the rows of one kind of CSV file become events. It is read
// once and never changes; several imports may use it at the same time. The
// package's documentation describes the text it is made of.
type Mapping struct {
	name string
	dir  string // joined files are relative to it; "" for a preset

	dataset string
	source  template
	key     template

	delimiter  byte
	headerLine int
	blanks     map[string]bool
	dates      dates
	numbers    numbers

	values map[string]map[string]string
	joins  []joinSpec
	derive []derivation
	events []eventSpec
}

// derivation is a column that the mapping makes of others.
type derivation struct {
	name  string
	value *value
}

// eventSpec is one event that a row can give.
type eventSpec struct {
	name    string
	key     string // where it stands in the mapping
	typ     domain.Type
	source  template
	subject template
	once    template
	when    []condition
	members []memberSpec
}

// memberSpec is one member of an event and how it is made.
type memberSpec struct {
	member member
	value  *value
}

// blankToFill is what Init writes where a person must decide.
const blankToFill = "?"

//go:embed presets/*.toml
var presetFiles embed.FS

// Presets are the names of the mappings that come with the program.
func Presets() []string {
	entries, err := presetFiles.ReadDir("presets")
	if err != nil {
		panic(err) // they are compiled in
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".toml")
	}
	return names
}

// PresetText is the text of a preset, to read or to start one's own from.
func PresetText(name string) ([]byte, error) {
	text, err := presetFiles.ReadFile("presets/" + name + ".toml")
	if err != nil {
		return nil, fmt.Errorf("preset %q: there is none of that name. Try: %s", name, strings.Join(Presets(), ", "))
	}
	return text, nil
}

// Preset is a mapping that comes with the program.
func Preset(name string) (*Mapping, error) {
	text, err := PresetText(name)
	if err != nil {
		return nil, err
	}
	return ParseMapping(name, text)
}

// LoadMapping reads a mapping from a file. What is wrong in it is a
// *MappingError. Files that it joins are relative to the mapping's folder.
func LoadMapping(path string) (*Mapping, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("mapping: %w. Try: a preset (%s), or import --init to write a first mapping", err, strings.Join(Presets(), ", "))
	}
	m, err := ParseMapping(filepath.Base(path), text)
	if m != nil {
		m.dir = filepath.Dir(path)
	}
	return m, err
}

// ParseMapping reads a mapping from its text; name stands in its errors, which
// are *MappingError.
func ParseMapping(name string, text []byte) (*Mapping, error) {
	doc, t, err := readDocument(name, text)
	if err != nil {
		return nil, err
	}
	m := &Mapping{name: name}
	m.read(t)
	if err := doc.err(); err != nil {
		return nil, err
	}
	return m, nil
}

// Name is the mapping's file name, or the preset's.
func (m *Mapping) Name() string { return m.name }

// Dataset is the name of the data in event ids.
func (m *Mapping) Dataset() string { return m.dataset }

func (m *Mapping) read(t *table) {
	m.dataset = readName(t, "dataset")
	m.source = m.readSource(t)
	if t.required("key", "what tells a row from all others, such as \"{id}\"") != "" {
		m.key = readTemplate(t, "key")
		if m.key.isConstant() && t.text("key") != blankToFill {
			t.fault("key", "the same in every row. Try: a column in braces, or {%s} for the number of the row", rowNumber)
		}
	}
	m.readFormat(t)
	m.readValues(t)
	m.readJoins(t)
	m.readDerived(t)
	m.readEvents(t)
	t.done()
}

// readName reads a name that event ids are made of.
func readName(t *table, name string) string {
	s := t.required(name, "a name that never changes, since event ids are made of it")
	if strings.ContainsFunc(s, unicode.IsControl) {
		t.fault(name, "a name has no control characters")
	}
	return s
}

// readSource reads the diary that the events come from.
func (m *Mapping) readSource(t *table) template {
	if t.required("source", "the diary that the events come from, such as \"/nccia/karachi\"") == "" {
		return template{}
	}
	return readSourceTemplate(t)
}

func readSourceTemplate(t *table) template {
	source := readTemplate(t, "source")
	if s := t.text("source"); s != blankToFill && source.isConstant() {
		if _, err := domain.ParseDiary(source.eval(nil)); err != nil {
			t.fault("source", "%v", err)
		}
	}
	return source
}

// readFormat reads what the file looks like.
func (m *Mapping) readFormat(t *table) {
	m.delimiter = ','
	if t.has("delimiter") {
		if s := t.text("delimiter"); len(s) == 1 && s != "\"" && s != "\n" && s != "\r" {
			m.delimiter = s[0]
		} else {
			t.fault("delimiter", `want one sign. Try: ",", ";", "\t" or "|"`)
		}
	}
	m.headerLine = 1
	if t.has("header_line") {
		if m.headerLine = t.whole("header_line"); m.headerLine < 1 || m.headerLine > 1000 {
			t.fault("header_line", "want the number of the line with the names of the columns, from 1")
		}
	}
	m.blanks = make(map[string]bool)
	for _, s := range t.texts("blanks") {
		m.blanks[strings.TrimSpace(s)] = true
	}
	m.dates = readDates(t, dates{})
	m.numbers = readNumbers(t, numbers{decimal: "."})
}

// readValues reads the tables from a file's words to the ledger's.
func (m *Mapping) readValues(t *table) {
	m.values = make(map[string]map[string]string)
	for name, sub := range t.subs("values") {
		words := make(map[string]string)
		for _, from := range sub.names() {
			words[strings.TrimSpace(from)] = sub.text(from)
		}
		m.values[name] = words
	}
}

// readDerived reads the columns that are made of others.
func (m *Mapping) readDerived(t *table) {
	sub := t.sub("derive")
	if sub == nil {
		return
	}
	plain := *m
	plain.dates.patterns = nil // a derived column is a date only where it says so
	for _, name := range sub.names() {
		if !isValue(sub.values[name]) {
			sub.fault(name, `want column = "…" or from = "…{column}…"`)
			continue
		}
		m.derive = append(m.derive, derivation{name, plain.readValue(sub, name, takesDate)})
	}
}

func (m *Mapping) readEvents(t *table) {
	names := make(map[string]bool)
	for _, each := range t.tables("event") {
		e := m.readEvent(each)
		if names[e.name] {
			each.fault("name", "a second event named %q: ids are made of the name", e.name)
		}
		names[e.name] = true
		m.events = append(m.events, e)
	}
	if len(m.events) == 0 {
		t.fault("event", "is missing: a row gives nothing. Try: an [[event]] with name, type, subject and [event.data]")
	}
}

func (m *Mapping) readEvent(t *table) eventSpec {
	e := eventSpec{
		name: readName(t, "name"),
		key:  t.key,
		when: m.readConditions(t, "when"),
	}
	if e.source = m.source; t.has("source") {
		e.source = readSourceTemplate(t)
	}
	if t.required("subject", "the record's id in its diary, such as \"{id}\"") != "" {
		e.subject = readTemplate(t, "subject")
	}
	if t.has("once") {
		if e.once = readTemplate(t, "once"); e.once.isConstant() {
			t.fault("once", "the same in every row. Try: the column that names the record")
		}
	}
	name := t.required("type", "an event type such as \"arrest.made\"")
	data := t.sub("data")
	typ, known := domain.ParseType(name)
	of, importable := eventTypes[typ]
	if !importable && data != nil {
		data.unfilled()
	}
	switch {
	case name == "" || name == blankToFill:
	case !known:
		t.fault("type", "%q is no event type%s", name, tryNear(name, importableTypes()))
	case !importable:
		t.fault("type", "%s is not imported: it is a decision on its own. Try: roznamcha record", name)
	case data == nil:
		t.fault("data", "is missing: what the event says. Try: [event.data] below it")
	default:
		e.typ = typ
		e.members = m.readData(data, "", typ, &of)
		e.check(data, &of)
	}
	t.done()
	return e
}

// importableTypes are the names of the types that a row can give.
func importableTypes() []string {
	var names []string
	for _, typ := range slices.Sorted(maps.Keys(eventTypes)) {
		names = append(names, typ.String())
	}
	return names
}

// readData reads the members of an event under the path prefix.
func (m *Mapping) readData(t *table, prefix string, typ domain.Type, of *eventType) []memberSpec {
	var specs []memberSpec
	for _, name := range t.names() {
		path := join(prefix, name)
		if !isValue(t.values[name]) {
			if sub := t.sub(name); sub != nil {
				specs = append(specs, m.readData(sub, path, typ, of)...)
			}
			continue
		}
		found, ok := of.find(path)
		if !ok {
			t.has(name)
			t.fault(name, "%s has no member %s%s", typ, path, tryNear(path, of.paths()))
			continue
		}
		v := m.readValue(t, name, found.takes)
		if found.takes&takesCurrency != 0 && len(v.currency.parts) == 0 {
			t.fault(name, `an amount needs its currency. Try: { column = "…", currency = "USD" }`)
		}
		specs = append(specs, memberSpec{found, v})
	}
	t.done()
	return specs
}

// check finds what is missing from an event, and constants that its type does
// not allow.
func (e *eventSpec) check(t *table, of *eventType) {
	given := make(map[string]bool)
	data := of.make()
	constants := make(map[string]*value)
	for _, m := range e.members {
		given[m.member.path] = true
		if !m.value.isConstant() || m.value.from.eval(nil) == blankToFill {
			continue
		}
		constants[m.member.path] = m.value
		set := m.member.bind(&binding{value: m.value, required: m.member.required})
		if reject := set(data, nil); reject != nil {
			t.doc.fault(m.value.key, "%s", reject.Reason)
			return
		}
	}
	for _, m := range of.members {
		if m.required && !given[m.path] {
			t.fault(m.path, "is missing: every %s has one", e.typ)
		}
	}
	// The codec finds wrong values before missing ones.
	probe := domain.Event{Source: domain.Diary{Agency: "a", Unit: "b"}, Type: e.typ, Subject: "c", Data: data}
	if refusal := refusalOf(&probe); refusal != nil {
		if v := owner(constants, refusal.Field); v != nil {
			t.doc.fault(v.key, "%s", refusal.Detail)
		}
	}
}

// refusalOf is what the domain's strict rules have against e, or nil.
func refusalOf(e *domain.Event) *domain.Refusal {
	_, err := domain.AppendEvent(nil, e)
	return asRefusal(err)
}

// owner is the value behind the member that a refusal names, or nil: the
// longest path that field begins with.
func owner[V any](members map[string]V, field string) (v V) {
	path, ok := strings.CutPrefix(field, "data.")
	for ok && path != "" {
		if found, ok := members[path]; ok {
			return found
		}
		path = path[:max(strings.LastIndexByte(path, '.'), 0)]
	}
	return v
}
