package projections

import (
	"cmp"
	"slices"

	"roznamcha/domain"
)

// group is records that were matched, directly or in a chain: one action, told
// more than once. All stay in the ledger. The one recorded first that is not
// retracted counts.
type group struct {
	members []member // in the order in which they were recorded
	// counting is the member that counts, domain.NoRecord where all are
	// retracted.
	counting domain.RecordID
}

// match is two records that were told to be one action, and were not yet. All of
// them, and who is retracted, make the groups.
type matchedPair struct{ a, b domain.RecordID }

// member is one record of a group.
type member struct {
	record    domain.RecordID
	retracted bool
}

// member finds a record that is in g.
func (g *group) member(record domain.RecordID) *member {
	i, _ := slices.BinarySearchFunc(g.members, record, func(m member, id domain.RecordID) int {
		return cmp.Compare(m.record, id)
	})
	return &g.members[i]
}

// first is the member that ought to count.
func (g *group) first() domain.RecordID {
	for _, m := range g.members {
		if !m.retracted {
			return m.record
		}
	}
	return domain.NoRecord
}

// match makes one action of two records, and of all that each of them was
// matched with before.
func (t *Totals) match(a, b domain.RecordID, place domain.Place) {
	if t.latest.get(a) == noRow || t.latest.get(b) == noRow {
		return // neither adds to a total
	}
	one, other := t.groupOf(a), t.groupOf(b)
	if one == other {
		return
	}
	t.matches = append(t.matches, matchedPair{a, b})
	first, second := one.counting, other.counting
	one = t.unite(one, other)
	if first > second { // domain.NoRecord is after every record
		first, second = second, first
	}
	if second != domain.NoRecord {
		t.rows.close(t.latest.get(second), place)
	}
	one.counting = first
}

// unite makes one group of two, and of their members.
func (t *Totals) unite(one, other *group) *group {
	if len(one.members) < len(other.members) {
		one, other = other, one
	}
	for _, m := range other.members {
		t.groups[m.record] = one
	}
	one.members = append(one.members, other.members...)
	slices.SortFunc(one.members, func(a, b member) int { return cmp.Compare(a.record, b.record) })
	return one
}

// groupOf is the group of a record; of its own if it was never matched.
func (t *Totals) groupOf(record domain.RecordID) *group {
	g := t.groups[record]
	if g == nil {
		retracted := t.rows.at(t.latest.get(record)).closed != open
		g = &group{members: []member{{record, retracted}}}
		g.counting = g.first()
		t.groups[record] = g
	}
	return g
}

// recount lets the first member that is not retracted count from place on,
// after one was retracted or has come back.
func (t *Totals) recount(g *group, place domain.Place) {
	first := g.first()
	if first == g.counting {
		return
	}
	if g.counting != domain.NoRecord {
		t.rows.close(t.latest.get(g.counting), place)
	}
	if first != domain.NoRecord {
		t.takeUp(first, place)
	}
	g.counting = first
}

// Counting is the record that counts of those that a record was matched with: the
// record itself where it was never matched, domain.NoRecord where none counts.
func (t *Totals) Counting(record domain.RecordID) domain.RecordID {
	if g := t.groups[record]; g != nil {
		return g.counting
	}
	if n := t.latest.get(record); n == noRow || t.rows.at(n).closed != open {
		return domain.NoRecord
	}
	return record
}

// Matched tells whether two records were told to be one action, directly or in a
// chain.
func (t *Totals) Matched(a, b domain.RecordID) bool {
	return t.groups[a] != nil && t.groups[a] == t.groups[b]
}
