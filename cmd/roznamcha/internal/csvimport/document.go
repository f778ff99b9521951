package csvimport

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Fault is one thing that is wrong in a mapping.
type Fault struct {
	// Line is the line of the mapping, from 1; 0 where the fault is that
	// something is missing altogether.
	Line int
	// Key is the dotted key that it is about, such as "event[1].data.persons".
	Key string
	// Detail says what is wrong, and what to try where there is something.
	Detail string
}

// MappingError is everything that is wrong in a mapping, in the order of its
// lines, so that a person mends it in one go.
type MappingError struct {
	Mapping string
	Faults  []Fault
}

// Error is a line a fault: "arrests.toml:12: event[0].data.city: …".
func (e *MappingError) Error() string {
	const most = 20
	var b strings.Builder
	for i, f := range e.Faults {
		if i == most {
			fmt.Fprintf(&b, "\n%s: and %d more", e.Mapping, len(e.Faults)-most)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.Mapping)
		if f.Line > 0 {
			b.WriteString(":" + strconv.Itoa(f.Line))
		}
		if f.Key != "" {
			b.WriteString(": " + f.Key)
		}
		b.WriteString(": " + f.Detail)
	}
	return b.String()
}

// document is a TOML file as plain values, with the line of every key and
// what was found wrong.
type document struct {
	name   string
	lines  map[string]int
	faults []Fault
}

// readDocument parses text. The error is a *MappingError for text that is not
// TOML.
func readDocument(name string, text []byte) (*document, *table, error) {
	var root map[string]any
	if err := toml.Unmarshal(text, &root); err != nil {
		fault := Fault{Detail: strings.TrimPrefix(err.Error(), "toml: ")}
		var at *toml.DecodeError
		if errors.As(err, &at) {
			fault.Line, _ = at.Position()
		}
		return nil, nil, &MappingError{name, []Fault{fault}}
	}
	doc := &document{name: name, lines: linesOf(text)}
	return doc, doc.table("", root), nil
}

// fault notes that something is wrong at key; once, however often it is read.
func (doc *document) fault(key, format string, args ...any) {
	f := Fault{doc.line(key), key, fmt.Sprintf(format, args...)}
	if !slices.Contains(doc.faults, f) {
		doc.faults = append(doc.faults, f)
	}
}

// line is where key stands, or where the nearest table around it does.
func (doc *document) line(key string) int {
	for key != "" {
		if n, ok := doc.lines[key]; ok {
			return n
		}
		key = key[:max(strings.LastIndexAny(key, ".["), 0)]
	}
	return 0
}

// err is what is wrong so far as one error, or nil.
func (doc *document) err() error {
	if len(doc.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(doc.faults, func(a, b Fault) int { return a.Line - b.Line })
	return &MappingError{doc.name, doc.faults}
}

// linesOf finds the line of every key of a TOML text that parses.
func linesOf(text []byte) map[string]int {
	lines := make(map[string]int)
	arrays := make(map[string]int) // how many tables an array of tables has
	var p unstable.Parser
	p.Reset(text)
	note := func(prefix string, key unstable.Iterator) string {
		path := prefix
		for key.Next() {
			path = join(path, string(key.Node().Data))
			if n := arrays[path]; n > 0 && !key.IsLast() {
				path += "[" + strconv.Itoa(n-1) + "]"
			}
			if _, ok := lines[path]; !ok {
				lines[path] = 1 + bytes.Count(text[:key.Node().Raw.Offset], []byte{'\n'})
			}
		}
		return path
	}
	var values func(path string, v *unstable.Node)
	values = func(path string, v *unstable.Node) {
		children := v.Children()
		for i := 0; children.Next(); i++ {
			switch child := children.Node(); {
			case child.Kind == unstable.KeyValue:
				values(note(path, child.Key()), child.Value())
			case v.Kind == unstable.Array:
				values(path+"["+strconv.Itoa(i)+"]", child)
			}
		}
	}
	within := ""
	for p.NextExpression() {
		switch e := p.Expression(); e.Kind {
		case unstable.Table:
			within = note("", e.Key())
			if n := arrays[within]; n > 0 {
				within += "[" + strconv.Itoa(n-1) + "]"
			}
		case unstable.ArrayTable:
			path := note("", e.Key())
			within = path + "[" + strconv.Itoa(arrays[path]) + "]"
			arrays[path]++
			key := e.Key()
			key.Next()
			lines[within] = 1 + bytes.Count(text[:key.Node().Raw.Offset], []byte{'\n'})
		case unstable.KeyValue:
			values(note(within, e.Key()), e.Value())
		}
	}
	return lines
}

// join is the dotted key of name within the table key.
func join(key, name string) string {
	if key == "" || name == "" {
		return key + name
	}
	return key + "." + name
}

// table is one table of a mapping being read. Whatever is asked for becomes
// known; done complains of the rest.
type table struct {
	doc    *document
	key    string
	values map[string]any
	known  []string
}

func (doc *document) table(key string, values map[string]any) *table {
	return &table{doc: doc, key: key, values: values}
}

// fault notes that the value of name is wrong.
func (t *table) fault(name, format string, args ...any) {
	t.doc.fault(join(t.key, name), format, args...)
}

// names are the keys that the table has, in alphabetical order.
func (t *table) names() []string { return slices.Sorted(maps.Keys(t.values)) }

// done complains of keys that nobody asked for.
func (t *table) done() {
	for _, name := range t.names() {
		if !slices.Contains(t.known, name) {
			t.fault(name, "no such key here%s", tryNear(name, t.known))
		}
	}
}

// has tells whether name is there, and makes it known.
func (t *table) has(name string) bool {
	t.known = append(t.known, name)
	_, ok := t.values[name]
	return ok
}

// get is the value of name as a V; other values are a fault.
func get[V any](t *table, name, want string) (v V, ok bool) {
	if !t.has(name) {
		return v, false
	}
	if v, ok = t.values[name].(V); !ok {
		t.fault(name, "want %s, not %s", want, describe(t.values[name]))
	}
	return v, ok
}

// text is a string; one that Init left to be filled in is a fault.
func (t *table) text(name string) string {
	s, ok := get[string](t, name, "a string in quotes")
	if ok && s == blankToFill {
		t.fault(name, "still to be filled in")
	}
	return s
}

// required is a text that must be given.
func (t *table) required(name, what string) string {
	s := t.text(name)
	if s == "" {
		t.fault(name, "is missing: %s", what)
	}
	return s
}

func (t *table) flag(name string) bool {
	v, _ := get[bool](t, name, "true or false")
	return v
}

func (t *table) whole(name string) int {
	v, _ := get[int64](t, name, "a whole number without quotes")
	return int(v)
}

// texts is a string or a list of strings.
func (t *table) texts(name string) []string {
	if !t.has(name) {
		return nil
	}
	switch v := t.values[name].(type) {
	case string:
		return []string{v}
	case []any:
		list := make([]string, 0, len(v))
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				t.fault(name, "want strings in quotes, not %s", describe(e))
				return nil
			}
			list = append(list, s)
		}
		return list
	}
	t.fault(name, "want a string in quotes, or a list of them, not %s", describe(t.values[name]))
	return nil
}

// tables is an array of tables; a single table counts as one.
func (t *table) tables(name string) []*table {
	if !t.has(name) {
		return nil
	}
	var list []any
	switch v := t.values[name].(type) {
	case map[string]any:
		return []*table{t.doc.table(join(t.key, name), v)}
	case []any:
		list = v
	default:
		t.fault(name, "want tables, not %s", describe(v))
	}
	var tables []*table
	for i, e := range list {
		values, ok := e.(map[string]any)
		if !ok {
			t.fault(name, "want tables, not %s", describe(e))
			return nil
		}
		tables = append(tables, t.doc.table(join(t.key, name)+"["+strconv.Itoa(i)+"]", values))
	}
	return tables
}

// sub is the table name, or nil.
func (t *table) sub(name string) *table {
	values, ok := get[map[string]any](t, name, "a table")
	if !ok {
		return nil
	}
	return t.doc.table(join(t.key, name), values)
}

// subs are the tables in the table name, by their names.
func (t *table) subs(name string) map[string]*table {
	all := t.sub(name)
	if all == nil {
		return nil
	}
	tables := make(map[string]*table)
	for _, each := range all.names() {
		if sub := all.sub(each); sub != nil {
			tables[each] = sub
		}
	}
	return tables
}

// unfilled complains of everything in t that Init left to be filled in, where
// more cannot be said of it.
func (t *table) unfilled() {
	for _, name := range t.names() {
		switch t.values[name].(type) {
		case string:
			t.text(name)
		case map[string]any:
			t.sub(name).unfilled()
		}
	}
}

// describe names the kind of a TOML value.
func describe(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case int64, float64:
		return "a number"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "a date"
}
