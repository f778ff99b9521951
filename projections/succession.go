package projections

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"roznamcha/domain"
)

// successions are the agencies that took over from others, each from the
// position that says so to the one that takes it back.
type successions struct {
	all []succession // in the order of opened
}

type succession struct {
	record                 domain.RecordID
	predecessor, successor string
	// effective is the first day on which the successor acts; domain.MinDay
	// where it is not known.
	effective      domain.Day
	opened, closed domain.Place
}

// apply enters a succession, or a new version of one.
func (s *successions) apply(r *domain.Ruled, data *domain.AgencySucceeded, effective domain.Day) {
	place := r.Position.Place()
	s.close(r.Record, place)
	s.all = append(s.all, succession{
		record:      r.Record,
		predecessor: strings.Clone(data.Predecessor),
		successor:   strings.Clone(data.Successor),
		effective:   effective,
		opened:      place,
		closed:      open,
	})
}

// close ends the version of a record that stands, if it is a succession.
func (s *successions) close(record domain.RecordID, place domain.Place) (closed bool) {
	for i := range s.all {
		if s.all[i].record == record && s.all[i].closed == open {
			s.all[i].closed = place
			closed = true
		}
	}
	return closed
}

// standing are the successions that hold before a place, in the order of their
// predecessors. Of several successors of one agency the one recorded last holds,
// and successions that go round hold for nobody: these are circles.
func (s *successions) standing(before domain.Place) (list []succession, circles [][]string) {
	last := make(map[string]succession)
	next := make(domain.Successors)
	for _, one := range s.all {
		other, ok := last[one.predecessor]
		if one.opened < before && one.closed >= before && (!ok || one.record > other.record) {
			last[one.predecessor], next[one.predecessor] = one, one.successor
		}
	}
	circles = next.Straighten()
	for _, predecessor := range slices.Sorted(maps.Keys(next)) {
		list = append(list, last[predecessor])
	}
	return list, circles
}

// at is who follows whom before a place.
func (s *successions) at(before domain.Place) domain.Successors {
	next := make(domain.Successors)
	list, _ := s.standing(before)
	for _, one := range list {
		next[one.predecessor] = one.successor
	}
	return next
}

// goRound are notes on the successions that hold for nobody, where p asks who
// answers.
func (p *plan) goRound() (notes []string) {
	if !p.follows() {
		return nil
	}
	_, circles := p.totals.successions.standing(p.before)
	for _, circle := range circles {
		notes = append(notes, "successions go round: "+strings.Join(append(circle, circle[0]), " → ")+"; each answers for itself")
	}
	return notes
}

// parties are, by agency, the first days on which it took over from another, or
// another from it, as the successions say that hold now.
func (s *successions) parties() map[string][]domain.Day {
	days := make(map[string][]domain.Day)
	list, _ := s.standing(open)
	for _, one := range list {
		for _, agency := range []string{one.predecessor, one.successor} {
			days[agency] = append(days[agency], one.effective)
		}
	}
	return days
}

// across tells whether s begins before one of days and ends on it or later. What
// is open or undated is not known to: a fact straddles only what its dates say.
func (s span) across(days []domain.Day) bool {
	return s.from != domain.MinDay && s.to != domain.MaxDay && slices.ContainsFunc(days, func(day domain.Day) bool {
		return s.from < day && day <= s.to
	})
}

// straddles tells whether a fact of the diary's own agency straddles a
// succession to which that is a party: who acted is not known then.
func (t *Totals) straddles(own string, happened span) bool {
	return len(t.parties) > 0 && happened.across(t.parties[own])
}

// resettle moves the facts that from place on straddle a succession, or no longer
// do, to the cells that say so. It looks at every record.
func (t *Totals) resettle(place domain.Place) {
	was := t.parties
	t.parties = t.successions.parties()
	var changed []bool // by agency
	for _, agency := range t.cells.values[Agency].texts {
		changed = append(changed, !slices.Equal(was[agency], t.parties[agency]))
	}
	if !slices.Contains(changed, true) {
		return
	}
	for block, latest := range t.latest.blocks {
		for i, n := range latest {
			if n == noRow {
				continue
			}
			b, at := t.rows.blocks[n>>blockBits], n&(blockRows-1)
			own := t.cells.all[b.cell[at]].own[0]
			if own == 0 || !changed[own] {
				continue
			}
			so := t.straddles(t.cells.values[Agency].texts[own], t.spans.all[b.occurred[at]])
			if cell := t.cells.straddling(b.cell[at], so); cell != b.cell[at] {
				t.restate(domain.RecordID(block<<blockBits|i), cell, place)
			}
		}
	}
}

// restate has a record say what it says in another cell from place on. One that
// does not count is kept so for its group; what was retracted alone comes back
// with a version of its own.
func (t *Totals) restate(record domain.RecordID, cell uint32, place domain.Place) {
	n := t.latest.get(record)
	r := t.rows.at(n)
	counts := r.closed == open
	if !counts && t.groups[record] == nil {
		return
	}
	r.cell, r.opened, r.closed = cell, place, place
	if counts {
		t.rows.close(n, place)
		r.closed = open
	}
	version := t.versionOf(n)
	n = t.rows.add(r)
	t.copied = append(t.copied, copiedRow{n, version})
	t.latest.set(record, n)
}

// between are the positions at which successions came to stand, or no longer
// stood, from one place up to before another.
func (s *successions) between(from, before domain.Place) (places []domain.Place) {
	for _, one := range s.all {
		for _, p := range []domain.Place{one.opened, one.closed} {
			if p >= from && p < before {
				places = append(places, p)
			}
		}
	}
	slices.Sort(places)
	return slices.Compact(places)
}

// find is the version of a succession that came to stand at a place, or else
// the one that no longer stood from there on.
func (s *successions) find(place domain.Place) (n int, ok bool) {
	n, ok = slices.BinarySearchFunc(s.all, place, func(one succession, place domain.Place) int { return cmp.Compare(one.opened, place) })
	if !ok {
		n = slices.IndexFunc(s.all, func(one succession) bool { return one.closed == place })
	}
	return n, n >= 0 && n < len(s.all)
}
