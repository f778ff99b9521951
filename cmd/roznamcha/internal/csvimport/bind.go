package csvimport

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"roznamcha/domain"
)

// program is a mapping bound to the header of one file: every column is a
// number. It belongs to one Import.
type program struct {
	mapping *Mapping
	blanks  map[string]bool
	key     template
	joins   []boundJoin
	derive  []boundDerivation
	events  []boundEvent
	// width is how many columns the file has; cells is how many a row has with
	// its number, joined and derived columns.
	width, cells int
	names        []string // of the cells
	used         []bool   // which of them the mapping reads
}

type boundDerivation struct {
	cell int
	read func(cells []string) (string, bool, *Reject)
}

type boundEvent struct {
	*eventSpec
	source  template
	subject template
	once    template
	when    []condition
	setters []setter
	values  map[string]*binding // by the member's path, for refusals

	event domain.Event // reused from row to row
	reset func(domain.Data)

	diaries map[string]domain.Diary // sources seen
}

// binding is a value bound to columns.
type binding struct {
	value    *value
	blanks   map[string]bool
	required bool
}

// scope finds columns by name.
type scope struct {
	names   []string
	used    []bool
	missing []string
	twice   []string
}

// cell is the number of the column name; what is missing is noted.
func (s *scope) cell(name string) int {
	i := slices.Index(s.names, name)
	switch {
	case i < 0:
		if !slices.Contains(s.missing, name) {
			s.missing = append(s.missing, name)
		}
		return 0
	case slices.Contains(s.names[i+1:], name) && !slices.Contains(s.twice, name):
		s.twice = append(s.twice, name)
	}
	s.used[i] = true
	return i
}

// add makes a column that the file does not have.
func (s *scope) add(name string) int {
	s.names, s.used = append(s.names, name), append(s.used, false)
	return len(s.names) - 1
}

// bind finds the columns of t.
func (t template) bind(s *scope) template {
	t.parts = slices.Clone(t.parts)
	for i := range t.parts {
		if p := &t.parts[i]; p.column != "" {
			p.cell = s.cell(p.column)
		}
	}
	return t
}

// bind finds the columns of v.
func (v *value) bind(s *scope) *value {
	bound := *v
	bound.from, bound.currency, bound.qualifier = v.from.bind(s), v.currency.bind(s), v.qualifier.bind(s)
	return &bound
}

// MissingColumnsError says that a file does not have columns that the mapping
// names. It is likely another file, or a newer edition of it.
type MissingColumnsError struct {
	File    string
	Mapping string
	Missing []string
	Header  []string
}

// Error names what is missing, and what looks like it.
func (e *MissingColumnsError) Error() string {
	var missing []string
	for _, name := range e.Missing {
		says := strconv.Quote(name)
		if near := nearest(name, e.Header); len(near) > 0 {
			says += " (but it has " + strings.Join(near, ", ") + ")"
		}
		missing = append(missing, says)
	}
	has := "It has: " + clip(strings.Join(e.Header, ", ")) + ". Try: the file that the mapping is for, or the header's names in the mapping"
	if len(e.Header) == 1 {
		has = "It has one column: " + clip(e.Header[0]) + ". Try: another delimiter in the mapping, such as delimiter = \";\""
	}
	return fmt.Sprintf("%s: the header lacks what mapping %s reads: %s. %s", e.File, e.Mapping, strings.Join(missing, ", "), has)
}

// bind makes the program for a file with this header; joined files are read.
func (m *Mapping) bind(path string, header []string, files map[string]string) (*program, error) {
	s := &scope{names: slices.Clone(header), used: make([]bool, len(header))}
	p := &program{mapping: m, blanks: m.blanks, width: len(header)}
	s.add(rowNumber)
	if err := p.bindJoins(s, files); err != nil {
		return nil, err
	}
	var derived []*value
	for _, d := range m.derive {
		derived = append(derived, d.value.bind(s))
	}
	for i, d := range m.derive {
		if slices.Contains(s.names, d.name) {
			return nil, fmt.Errorf("%s: has a column %q, and mapping %s derives one of that name. Try: another name in [derive]", path, d.name, m.name)
		}
		b := &binding{value: derived[i], blanks: m.blanks}
		p.derive = append(p.derive, boundDerivation{s.add(d.name), reader(b, derivedText)})
	}
	p.key = m.key.bind(s)
	for i := range m.events {
		p.events = append(p.events, m.events[i].bind(s, m.blanks))
	}
	switch {
	case len(s.missing) > 0:
		return nil, &MissingColumnsError{path, m.name, s.missing, header}
	case len(s.twice) > 0:
		return nil, fmt.Errorf("%s: the header names %q twice, and mapping %s reads it. Try: rename one of the two", path, s.twice, m.name)
	}
	p.names, p.used, p.cells = s.names, s.used, len(s.names)
	return p, nil
}

func (e *eventSpec) bind(s *scope, blanks map[string]bool) boundEvent {
	of := eventTypes[e.typ]
	bound := boundEvent{
		eventSpec: e,
		source:    e.source.bind(s),
		subject:   e.subject.bind(s),
		once:      e.once.bind(s),
		when:      bindAll(e.when, s),
		values:    make(map[string]*binding),
		event:     domain.Event{Type: e.typ, Data: of.make()},
		reset:     of.reset,
		diaries:   make(map[string]domain.Diary),
	}
	for _, m := range e.members {
		b := &binding{value: m.value.bind(s), blanks: blanks, required: m.member.required}
		bound.setters = append(bound.setters, m.member.bind(b))
		bound.values[m.member.path] = b
	}
	return bound
}

// column is the column that a value comes from; where it is a constant, its
// key in the mapping.
func (b *binding) column() string {
	if column := b.value.from.column(); column != "" {
		return column
	}
	return b.value.key
}

// derivedText is the kind of a derived column: text, or a date.
var derivedText = kind[string]{
	takes: takesDate,
	read: func(b *binding, _ []string, s string) (string, error) {
		if len(b.value.dates.patterns) > 0 {
			return b.value.dates.period(s)
		}
		return s, nil
	},
}

// qualify is the qualifier that the row gives, exact where it gives none.
func (b *binding) qualify(cells []string) (domain.Qualifier, error) {
	s := strings.TrimSpace(b.value.qualifier.eval(cells))
	if s == "" {
		return domain.Exact, nil
	}
	return parseQualifier(s)
}

// outcome is what a text came to.
type outcome[V any] struct {
	v      V
	given  bool
	reject *Reject
}

// mostOutcomes is how many texts a reader remembers. What repeats in a file
// (dates, countries, cities) is few; of the rest a bounded part is kept.
const mostOutcomes = 4096

// reader makes the function that reads a value of kind k from a row. It
// remembers what texts came to, so one reader belongs to one goroutine.
func reader[V any](b *binding, k kind[V]) func(cells []string) (V, bool, *Reject) {
	if b.value.isConstant() {
		once := resolve(b, k, nil, b.value.from.eval(nil))
		return func([]string) (V, bool, *Reject) { return once.v, once.given, once.reject }
	}
	remembers := len(b.value.from.parts) == 1 && b.value.currency.isConstant() && b.value.qualifier.isConstant()
	known := make(map[string]outcome[V])
	return func(cells []string) (V, bool, *Reject) {
		raw := b.value.from.eval(cells)
		o, ok := known[raw]
		switch {
		case ok:
		case remembers && len(known) < mostOutcomes:
			raw = strings.Clone(raw) // not the whole row
			o = resolve(b, k, cells, raw)
			known[raw] = o
		default:
			o = resolve(b, k, cells, raw)
		}
		return o.v, o.given, o.reject
	}
}

// resolve reads the text raw as a value of kind k.
func resolve[V any](b *binding, k kind[V], cells []string, raw string) (o outcome[V]) {
	s, err := b.value.text(raw, b.blanks)
	if err == nil && s != "" {
		o.v, err = k.read(b, cells, s)
		o.given = err == nil
	}
	if err == nil && s == "" {
		o, err = blank(b, k, cells)
	}
	if err != nil {
		o.reject = &Reject{Column: b.column(), Value: raw, Reason: err.Error()}
	}
	return o
}

var errBlank = errors.New("blank")

// blank is what a blank comes to.
func blank[V any](b *binding, k kind[V], cells []string) (o outcome[V], err error) {
	switch {
	case b.value.blank == unknownBlank:
		o.v, err = k.unknown(b, cells)
		o.given = err == nil
	case b.value.blank == notGivenBlank:
		o.v, o.given = k.notGiven, true
	case b.value.blank == rejectBlank || b.value.blank == blankAsKind && b.required:
		err = errBlank
	}
	return o, err
}
