package projections

import (
	"slices"

	"roznamcha/domain"
)

// links follow which record links to which, and raise an exception for each
// that leads nowhere. Records and links are numbers; a record's links, and the
// links to it, are chains.
type links struct {
	nodes []node // by the number of the record's name
	all   []link // by number; 0 is none
}

// node is a record, or the name of one that is not there.
type node struct {
	out, in uint32 // the latest link from it, and to it
	state   recordState
}

type recordState uint8

// The states of a record.
const (
	absent recordState = iota
	standing
	retracted
)

// link is one link. One that was taken back is dead and stays in its chains.
type link struct {
	from, to        uint32
	nextOut, nextIn uint32 // the next of from's links, and of the links to to
	exception       int32  // the open exception, -1 for none
	// recorded is for a link made by record.linked; the others are a member of
	// from's own data.
	recorded bool
	dead     bool
}

// linksOf are the records that data of a record in diary own link to.
func linksOf(data domain.Data, own domain.Diary) (targets []domain.RecordName) {
	add := func(kind domain.Kind, links ...domain.Link) {
		for _, l := range links {
			if l != "" {
				targets = append(targets, l.Name(kind, own))
			}
		}
	}
	raid, case_, property := domain.TypeRaidConducted.Kind(), domain.TypeCaseRegistered.Kind(), domain.TypePropertySeized.Kind()
	switch d := data.(type) {
	case *domain.RaidConducted:
		add(case_, d.Cases...)
	case *domain.PersonDetained:
		add(raid, d.Raid)
	case *domain.ArrestMade:
		add(raid, d.Raid)
		add(case_, d.Cases...)
	case *domain.CaseRegistered:
		add(raid, d.Raids...)
	case *domain.LossAlleged:
		add(case_, d.Case)
		add(raid, d.Raid)
	case *domain.RecoveryMade:
		add(case_, d.Case)
		add(raid, d.Raid)
	case *domain.PropertySeized:
		add(case_, d.Case)
		add(raid, d.Raid)
	case *domain.PropertyForfeited:
		add(case_, d.Case)
		add(raid, d.Raid)
		add(property, d.Seizure)
	}
	return targets
}

// node is the node of a name's number.
func (l *links) node(n uint32) *node {
	for int(n) >= len(l.nodes) {
		l.nodes = append(l.nodes, node{})
	}
	return &l.nodes[n]
}

// from are the living links from a record.
func (l *links) from(n uint32) (list []uint32) {
	for i := l.node(n).out; i != 0; i = l.all[i].nextOut {
		if !l.all[i].dead {
			list = append(list, i)
		}
	}
	return list
}

// link enters a link.
func (x *Exceptions) link(from, to uint32, recorded bool, place domain.Place) {
	l := &x.links
	if len(l.all) == 0 {
		l.all = make([]link, 1)
	}
	i := uint32(len(l.all))
	l.all = append(l.all, link{
		from: from, to: to, nextOut: l.node(from).out, nextIn: l.node(to).in,
		exception: -1, recorded: recorded,
	})
	x.held.nodes.Before(from)
	x.held.nodes.Before(to)
	l.node(from).out, l.node(to).in = i, i
	x.review(i, place)
}

// unlink takes every link from one record to another back.
func (x *Exceptions) unlink(from, to uint32, place domain.Place) {
	for _, i := range x.links.from(from) {
		if x.links.all[i].to == to {
			x.held.links.Before(i)
			x.links.all[i].dead = true
			x.review(i, place)
		}
	}
}

// relink lets the links of a record's own data be those to targets.
func (x *Exceptions) relink(from uint32, targets []domain.RecordName, place domain.Place) {
	numbers := make([]uint32, len(targets))
	for i, t := range targets {
		numbers[i] = x.names.number(t)
	}
	for _, i := range x.links.from(from) {
		one := &x.links.all[i]
		if one.recorded {
			continue
		}
		if at := slices.Index(numbers, one.to); at >= 0 {
			numbers = slices.Delete(numbers, at, at+1)
			continue
		}
		x.held.links.Before(i)
		one.dead = true
		x.review(i, place)
	}
	for _, to := range numbers {
		x.link(from, to, false, place)
	}
}

// setState changes the state of a record, and looks again at every link from
// it and to it.
func (x *Exceptions) setState(n uint32, state recordState, place domain.Place) {
	node := x.links.node(n)
	if node.state == state {
		return
	}
	x.held.nodes.Before(n)
	node.state = state
	var around []uint32
	for i := node.in; i != 0; i = x.links.all[i].nextIn {
		around = append(around, i)
	}
	for i := node.out; i != 0; i = x.links.all[i].nextOut {
		around = append(around, i)
	}
	for _, i := range slices.Backward(around) { // the oldest first
		x.review(i, place)
	}
}

// review raises the exception that a link deserves and settles any other.
func (x *Exceptions) review(i uint32, place domain.Place) {
	one := &x.links.all[i]
	row, deserved := x.deserves(one)
	if one.exception >= 0 {
		stands := &x.rows[one.exception]
		if deserved && stands.kind == row.kind && stands.link == row.link {
			return
		}
		x.settle(int(one.exception), place)
		x.held.links.Before(i)
		one.exception = -1
	}
	if deserved {
		row.opened = place
		x.held.links.Before(i)
		one.exception = int32(x.raise(row, nil))
	}
}

// deserves is the exception that a link deserves as things stand, if any.
func (x *Exceptions) deserves(one *link) (row exceptionRow, deserved bool) {
	from, to := x.links.node(one.from).state, x.links.node(one.to).state
	row = exceptionRow{record: one.from, link: one.to}
	switch {
	case one.dead || from == retracted && (!one.recorded || to != standing):
		return row, false
	case from == retracted: // what was recorded of it is not taken back with it
		row.kind, row.record, row.link = RetractedLink, one.to, one.from
	case from == absent: // only a recorded link can be there first
		row.kind, row.record, row.link = DanglingLink, one.to, one.from
	case to == absent:
		row.kind = DanglingLink
	case to == retracted:
		row.kind = RetractedLink
	default:
		return row, false
	}
	return row, true
}
