package csvimport

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"roznamcha/domain"
)

// value is how one value of an event, or one derived column, is made of a row:
// a template, what is done to its text, and what a blank means.
type value struct {
	key  string // where it stands in the mapping
	from template

	match     *regexp.Regexp // the first group, or all that matches, is the text
	unmatched blankPolicy    // rejectBlank or omitBlank
	change    []func(string) string

	table     map[string]string // nil: no table
	tableName string
	fold      bool // letter case and white space do not matter in table
	unlisted  unlistedPolicy
	other     string // with useOther

	dates     dates
	numbers   numbers
	currency  template
	qualifier template
	split     string // between the members of a list; "" is a list of one
	blank     blankPolicy
}

// blankPolicy is what a blank means.
type blankPolicy uint8

const (
	blankAsKind   blankPolicy = iota // reject where the catalogue requires the member, else omit
	rejectBlank                      // the row cannot be recorded
	omitBlank                        // the member is left out
	unknownBlank                     // the source does not know
	notGivenBlank                    // the source does not say, and the event says that
)

// unlistedPolicy is what happens to a text that is not in the table.
type unlistedPolicy uint8

const (
	rejectUnlisted unlistedPolicy = iota
	keepUnlisted
	omitUnlisted
	useOther
)

// option is what a kind of value understands beside the text options.
type option uint8

const (
	takesDate option = 1 << iota
	takesNumber
	takesCurrency
	takesQualifier
	takesSplit
	takesUnknown
	takesNotGiven
)

// readFrom reads the template of a value or condition: column or from.
func readFrom(t *table) template {
	column, from := t.text("column"), t.text("from")
	if (column == "") == (from == "") {
		t.fault("", `want column = "…" or from = "…{column}…"`)
		return template{}
	}
	if column != "" {
		return columnTemplate(column)
	}
	parsed, err := parseTemplate(from)
	if err != nil {
		t.fault("from", "%v", err)
	}
	return parsed
}

// readPattern reads a regular expression (RE2).
func readPattern(t *table, name string) *regexp.Regexp {
	s := t.text(name)
	if s == "" {
		return nil
	}
	pattern, err := regexp.Compile(s)
	if err != nil {
		t.fault(name, "%v", err)
	}
	return pattern
}

// readTemplate reads the text of name as a template.
func readTemplate(t *table, name string) template {
	parsed, err := parseTemplate(t.text(name))
	if err != nil {
		t.fault(name, "%v", err)
	}
	return parsed
}

// isValue tells whether a TOML value under data says how to make a value; a
// table that does not holds members of its own.
func isValue(v any) bool {
	t, ok := v.(map[string]any)
	return !ok || t["column"] != nil || t["from"] != nil
}

// readValue reads the value name of t, for a kind that takes what takes says.
func (m *Mapping) readValue(t *table, name string, takes option) *value {
	v := &value{key: join(t.key, name), numbers: m.numbers, dates: m.dates}
	switch raw := t.values[name].(type) {
	case map[string]any:
		m.readValueTable(v, t.sub(name), takes)
		return v
	case int64:
		t.has(name)
		v.from = template{parts: []part{{literal: strconv.FormatInt(raw, 10)}}}
		if takes&takesNumber == 0 {
			t.fault(name, `want a string. Try: %s = "%d"`, name, raw)
		}
		return v
	case bool:
		t.has(name)
		v.from = template{parts: []part{{literal: strconv.FormatBool(raw)}}}
		return v
	}
	v.from = readTemplate(t, name)
	return v
}

func (m *Mapping) readValueTable(v *value, t *table, takes option) {
	v.from = readFrom(t)
	v.match = readPattern(t, "match")
	v.unmatched = readWord(t, "unmatched", map[string]blankPolicy{"": rejectBlank, "reject": rejectBlank, "blank": omitBlank})
	for _, name := range t.texts("text") {
		change, err := parseChange(name)
		if err != nil {
			t.fault("text", "%v", err)
		}
		v.change = append(v.change, change)
	}
	m.readTableUse(v, t)
	if takes&takesDate != 0 {
		v.dates = readDates(t, v.dates)
	}
	if takes&takesNumber != 0 {
		v.numbers = readNumbers(t, v.numbers)
	}
	if takes&takesCurrency != 0 {
		v.currency = readTemplate(t, "currency")
	}
	if takes&takesQualifier != 0 {
		v.qualifier = readTemplate(t, "qualifier")
	}
	if takes&takesSplit != 0 {
		v.split = t.text("split")
	}
	blanks := map[string]blankPolicy{"": blankAsKind, "reject": rejectBlank, "omit": omitBlank}
	if takes&takesUnknown != 0 {
		blanks["unknown"] = unknownBlank
	}
	if takes&takesNotGiven != 0 {
		blanks["not-given"] = notGivenBlank
	}
	v.blank = readWord(t, "blank", blanks)
	t.done()
}

// isConstant tells whether v is the same in every row.
func (v *value) isConstant() bool {
	return v.from.isConstant() && v.currency.isConstant() && v.qualifier.isConstant()
}

// readWord reads the text of name, one of words.
func readWord[V any](t *table, name string, words map[string]V) V {
	s := t.text(name)
	word, ok := words[s]
	if !ok {
		var names []string
		for _, each := range slices.Sorted(maps.Keys(words)) {
			if each != "" {
				names = append(names, each)
			}
		}
		t.fault(name, "%q is not understood here. Try: %s", s, strings.Join(names, ", "))
	}
	return word
}

// readTableUse reads which table of values v goes through.
func (m *Mapping) readTableUse(v *value, t *table) {
	name := t.text("values")
	v.fold = t.flag("fold")
	v.unlisted = readWord(t, "unlisted", map[string]unlistedPolicy{"": rejectUnlisted, "reject": rejectUnlisted, "keep": keepUnlisted, "omit": omitUnlisted})
	if t.has("default") {
		if t.has("unlisted") {
			t.fault("default", "default is for what is not listed; so is unlisted. Leave one of them out")
		}
		v.other, v.unlisted = t.text("default"), useOther
	}
	if name == "" {
		if v.fold || v.unlisted != rejectUnlisted {
			t.fault("", "fold, unlisted and default go with values")
		}
		return
	}
	table, ok := m.values[name]
	if !ok {
		t.fault("values", "there is no table [values.%s]%s", name, tryNear(name, slices.Collect(maps.Keys(m.values))))
		return
	}
	v.table, v.tableName = table, name
	if !v.fold {
		return
	}
	v.table = make(map[string]string, len(table))
	for _, from := range slices.Sorted(maps.Keys(table)) {
		folded := fold(from)
		if before, ok := v.table[folded]; ok && before != table[from] {
			t.fault("fold", "%q stands for %q and for %q when letter case and spaces do not matter", from, before, table[from])
		}
		v.table[folded] = table[from]
	}
}

// fold makes one text of those that differ in letter case and white space.
func fold(s string) string { return strings.ToLower(squeeze(s)) }

// ownGrammar, given as a date's pattern, means that the text is a period as the
// ledger writes it, such as 2024-01/2025-06.
const ownGrammar = "period"

// readDates reads date, pivot and zone; what is not given is as in base.
func readDates(t *table, base dates) dates {
	d := base
	if texts := t.texts("date"); texts != nil {
		d.patterns = nil
		for _, s := range texts {
			if s == ownGrammar && len(texts) == 1 {
				break
			}
			if s == blankToFill {
				t.fault("date", "still to be filled in")
				break
			}
			p, err := parseDatePattern(s)
			if err != nil {
				t.fault("date", "%q: %v", s, err)
			}
			d.patterns = append(d.patterns, p)
		}
	}
	if t.has("pivot") {
		d.pivot = t.whole("pivot")
	}
	zone := t.text("zone")
	if zone != "" && zone != blankToFill {
		var err error
		if d.zone, err = domain.LoadZone(zone); err != nil {
			t.fault("zone", "%v", err)
		}
	}
	for _, p := range d.patterns {
		if p.has('Y', 2) && (d.pivot < 1 || d.pivot > 9900) {
			t.fault("date", "YY needs a pivot, the first of the hundred years that it can mean. Try: pivot = 1950, for 1950 to 2049")
		}
		if p.has('h', 0) && !p.has('Z', 0) && d.zone == nil && zone == "" {
			t.fault("date", "a time needs the zone whose clock it is of. Try: zone = \"Asia/Karachi\"")
		}
	}
	return d
}

// text is what the options that all kinds share make of a text; "" is blank.
// The members of a list are joined by joint.
func (v *value) text(s string, blanks map[string]bool) (string, error) {
	if v.split == "" {
		return v.piece(s, blanks)
	}
	var pieces []string
	for each := range strings.SplitSeq(s, v.split) {
		if strings.TrimSpace(each) == "" {
			continue
		}
		piece, err := v.piece(each, blanks)
		if err != nil {
			return "", fmt.Errorf("%q: %w", strings.TrimSpace(each), err)
		}
		if piece != "" {
			pieces = append(pieces, piece)
		}
	}
	return strings.Join(pieces, v.joint()), nil
}

// joint stands between the members of a list once their texts are made: a sign
// that no text in an event can hold.
func (v *value) joint() string { return "\x00" }

// piece is text for one member of a list, or for what is no list.
func (v *value) piece(s string, blanks map[string]bool) (string, error) {
	s = strings.TrimSpace(s)
	if blanks[s] {
		s = ""
	}
	if v.match != nil && s != "" {
		found := v.match.FindStringSubmatch(s)
		switch {
		case found == nil && v.unmatched == rejectBlank:
			return "", fmt.Errorf("does not match %s", v.match)
		case found == nil:
			s = ""
		default:
			s = strings.TrimSpace(found[min(1, len(found)-1)])
		}
	}
	for _, change := range v.change {
		s = change(s)
	}
	if v.table == nil {
		return s, nil
	}
	return v.lookUp(s)
}

// lookUp is what the table of values has for s.
func (v *value) lookUp(s string) (string, error) {
	key := s
	if v.fold {
		key = fold(s)
	}
	to, ok := v.table[key]
	switch {
	case ok:
		return to, nil
	case s == "" || v.unlisted == omitUnlisted:
		return "", nil
	case v.unlisted == keepUnlisted:
		return s, nil
	case v.unlisted == useOther:
		return v.other, nil
	}
	has := ""
	if near := nearest(key, slices.Collect(maps.Keys(v.table))); len(near) > 0 {
		has = ", which has " + strings.Join(near, ", ")
	}
	return "", fmt.Errorf("not in the table of values. Try: a line for it in [values.%s] of the mapping%s", v.tableName, has)
}
