package csvimport

import (
	"regexp"
	"slices"
)

// condition says whether a row gives an event. Of its tests all must hold.
type condition struct {
	from template
	is   []string // any of these; nil asks nothing
	not  []string // none of these
	// blank asks for a blank text (true) or one that is not (false).
	blank   *bool
	match   *regexp.Regexp
	unmatch *regexp.Regexp

	// any and all are conditions in conditions; one of them and nothing else
	// is given then.
	any []condition
	all []condition
}

// readConditions reads the tables under name; all of them must hold.
func (m *Mapping) readConditions(t *table, name string) []condition {
	var list []condition
	for _, each := range t.tables(name) {
		list = append(list, m.readCondition(each))
	}
	return list
}

func (m *Mapping) readCondition(t *table) condition {
	c := condition{any: m.readConditions(t, "any"), all: m.readConditions(t, "all")}
	if c.any != nil || c.all != nil {
		t.done()
		return c
	}
	c.from = readFrom(t)
	c.is, c.not = t.texts("is"), t.texts("not")
	if t.has("blank") {
		blank := t.flag("blank")
		c.blank = &blank
	}
	c.match, c.unmatch = readPattern(t, "match"), readPattern(t, "unmatch")
	if c.is == nil && c.not == nil && c.blank == nil && c.match == nil && c.unmatch == nil {
		t.fault("", "asks nothing. Try: is, not, blank, match or unmatch")
	}
	t.done()
	return c
}

// bind finds the columns of c.
func (c condition) bind(s *scope) condition {
	c.from = c.from.bind(s)
	c.any, c.all = bindAll(c.any, s), bindAll(c.all, s)
	return c
}

func bindAll(list []condition, s *scope) []condition {
	bound := make([]condition, len(list))
	for i, c := range list {
		bound[i] = c.bind(s)
	}
	return bound
}

// holds tells whether the row with these cells is meant.
func (p *program) holds(c *condition, cells []string) bool {
	switch {
	case len(c.any) > 0:
		return slices.ContainsFunc(c.any, func(c condition) bool { return p.holds(&c, cells) })
	case len(c.all) > 0:
		return p.holdAll(c.all, cells)
	}
	s := c.from.eval(cells)
	if p.blanks[s] {
		s = ""
	}
	return (c.blank == nil || *c.blank == (s == "")) &&
		(c.is == nil || slices.Contains(c.is, s)) &&
		!slices.Contains(c.not, s) &&
		(c.match == nil || c.match.MatchString(s)) &&
		(c.unmatch == nil || !c.unmatch.MatchString(s))
}

func (p *program) holdAll(list []condition, cells []string) bool {
	for i := range list {
		if !p.holds(&list[i], cells) {
			return false
		}
	}
	return true
}
