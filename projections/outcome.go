package projections

import (
	"fmt"

	"roznamcha/domain"
)

// Outcome is what a raid may lead to: a bit for each.
type Outcome uint8

// The outcomes that an auditor asks about.
const (
	ACase Outcome = 1 << iota
	AnArrest
)

// ParseOutcome reads "case" or "arrest".
func ParseOutcome(s string) (Outcome, error) {
	switch s {
	case "case":
		return ACase, nil
	case "arrest":
		return AnArrest, nil
	}
	return 0, fmt.Errorf("outcome %q: there is no such outcome. Try: case, arrest or case,arrest", clip(s))
}

// Outcomes are the raids that were asked about, by what they led to.
type Outcomes struct {
	Asked
	// Of the raids asked about: how many have a case and an arrest, one of them
	// only, or neither.
	Both        int `json:"case_and_arrest"`
	CaseAlone   int `json:"case_alone"`
	ArrestAlone int `json:"arrest_alone"`
	Neither     int `json:"neither"`
	// Raids are those without any of what they were asked to lack, in the order
	// in which they came to count.
	Raids []RaidOutcome `json:"raids"`
}

// RaidOutcome is a raid with the cases and arrests that it led to.
type RaidOutcome struct {
	Finding
	// Cases and Arrests are those that it is linked with itself; Through are
	// other cases that one of those arrests, or another report of it, is linked
	// with.
	Cases   int `json:"cases"`
	Arrests int `json:"arrests"`
	Through int `json:"cases_through_arrests"`
}

// RaidsWithout finds the raids that have none of the outcomes in lack. A raid
// has a case, or an arrest, that it is linked with: by a member of either's own
// data or by record.linked, in either direction, if both records stand. It has
// the cases of its arrests too: an arrest is tied to its raid at once, and to
// its FIR when there is one. Of matched reports of one raid, or of one arrest, a
// link of any that stands counts. x and reg must have read the same entries.
// Errors as in Query.
func (t *Totals) RaidsWithout(q Query, lack Outcome, x *Exceptions, reg *domain.Register) (*Outcomes, error) {
	a, err := t.asked(q, []Column{{Measure: Raids}})
	if err != nil {
		return nil, err
	}
	out := &Outcomes{Raids: []RaidOutcome{}}
	a.each(func(n uint32, r *row) {
		cases, arrests, through := make(map[uint32]bool), make(map[uint32]bool), make(map[uint32]bool)
		around := func(record domain.RecordID, visit func(other uint32)) {
			for _, report := range t.reports(record) {
				x.around(x.names.number(reg.Record(report).Name), visit)
			}
		}
		around(r.record, func(other uint32) {
			switch x.names.kind(other) {
			case caseKind:
				cases[other] = true
			case arrestKind:
				arrests[other] = true
			}
		})
		for arrest := range arrests {
			stands, _ := reg.Lookup(x.names.name(arrest)) // as all that around tells of
			around(stands.ID, func(other uint32) {
				if x.names.kind(other) == caseKind && !cases[other] {
					through[other] = true
				}
			})
		}
		if out.count(len(cases)+len(through) > 0, len(arrests) > 0)&lack == 0 {
			out.Raids = append(out.Raids, RaidOutcome{a.finding(n, r, reg), len(cases), len(arrests), len(through)})
		}
	})
	out.Asked = a
	return out, nil
}

var (
	caseKind   = domain.TypeCaseRegistered.Kind()
	arrestKind = domain.TypeArrestMade.Kind()
)

// count counts one raid by its outcomes.
func (o *Outcomes) count(hasCase, hasArrest bool) (has Outcome) {
	switch {
	case hasCase && hasArrest:
		o.Both++
		return ACase | AnArrest
	case hasCase:
		o.CaseAlone++
		return ACase
	case hasArrest:
		o.ArrestAlone++
		return AnArrest
	}
	o.Neither++
	return 0
}

// around hands over the records that a record is linked with, in either
// direction, as long as both stand; one more than once where there are several
// links.
func (x *Exceptions) around(n uint32, visit func(other uint32)) {
	l := &x.links
	if l.node(n).state != standing {
		return
	}
	meet := func(i, other uint32) {
		if !l.all[i].dead && l.node(other).state == standing {
			visit(other)
		}
	}
	for i := l.node(n).out; i != 0; i = l.all[i].nextOut {
		meet(i, l.all[i].to)
	}
	for i := l.node(n).in; i != 0; i = l.all[i].nextIn {
		meet(i, l.all[i].from)
	}
}

// kind is the kind of the record of that number.
func (s *names) kind(number uint32) domain.Kind { return s.families[s.rows[number].family].kind }
