package projections

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"

	"roznamcha/domain"
)

// RelationKind is what two claims have to do with each other. See Claims.
type RelationKind uint8

// The kinds of relations.
const (
	// Contradicts: of one thing and one period both cannot be true.
	Contradicts RelationKind = iota
	// Slip: one figure is exactly 10, 100 or 1,000 times the other.
	Slip
	// OtherPeriod: the same number is told of another period.
	OtherPeriod
	// OtherMeasure: the same number is told of another measure.
	OtherMeasure
	endOfRelationKinds
)

var relationWords = [endOfRelationKinds]string{"contradicts", "slip", "other-period", "other-measure"}

// String is the kind's word.
func (k RelationKind) String() string { return relationWords[k] }

// MarshalText writes the kind's word.
func (k RelationKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Relation is what some other claims have to do with a claim in one way.
type Relation struct {
	Kind RelationKind
	// Factor is, in a slip, how many times the others' figure the claim's is:
	// 10, 100 or 1,000, or negative the other way round.
	Factor int64
	// Claims are the others, in the order in which they were recorded.
	Claims []*Claim
	// unclear tells that a record's id alone does not name it.
	unclear bool
}

// maxNamed is how many other claims a text names.
const maxNamed = 3

// String is r for people: "contradicted by C017 (PhoneWorld) 54, … and 2 more".
func (r *Relation) String() string {
	text := map[RelationKind]string{
		Contradicts:  "contradicted by",
		OtherPeriod:  "the same number for another period:",
		OtherMeasure: "the same number for another measure:",
	}[r.Kind]
	if r.Kind == Slip {
		text = map[int64]string{
			10: "exactly 10 times", 100: "exactly 100 times", 1000: "exactly 1,000 times",
			-10: "exactly a tenth of", -100: "exactly a hundredth of", -1000: "exactly a thousandth of",
		}[r.Factor]
	}
	for i, c := range r.Claims[:min(len(r.Claims), maxNamed)] {
		if i > 0 {
			text += ","
		}
		text += " " + r.name(c)
	}
	if more := len(r.Claims) - maxNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// name is one of the others, and what it says that matters here.
func (r *Relation) name(c *Claim) string {
	id := c.Record.ID
	if r.unclear {
		id = c.Record.Diary.String()[1:] + "/" + id
	}
	says := c.Figure()
	switch r.Kind {
	case OtherPeriod:
		says = c.Period.String()
	case OtherMeasure:
		says = c.Measure
	}
	return id + " (" + c.Publisher + ") " + says
}

// relations finds what claims have to do with one another.
type relations struct {
	claims []Claim
	zone   *time.Location
	// alike are the claims of one measure, dimensions and unit; equal those of
	// one number, dimensions, unit and period.
	alike, equal map[string][]int
	// ids is how many claims have an id.
	ids map[string]int
}

func newRelations(c *Claims, zone *time.Location) *relations {
	r := &relations{claims: c.all, zone: zone, alike: make(map[string][]int), equal: make(map[string][]int), ids: make(map[string]int)}
	for i := range c.all {
		claim := &c.all[i]
		r.ids[claim.Record.ID]++
		r.alike[claim.subject()] = append(r.alike[claim.subject()], i)
		if claim.Value >= telling {
			key := r.sameKey(claim)
			r.equal[key] = append(r.equal[key], i)
		}
	}
	return r
}

// telling is the number from which on two figures are seldom the same by
// chance.
const telling = 10

// subject tells what a claim is a number of.
func (c *Claim) subject() string {
	return fmt.Sprintf("%q %s %q", c.Measure, c.Currency, c.Dimensions)
}

func (r *relations) sameKey(c *Claim) string {
	from, to := c.Period.Days(r.zone)
	return fmt.Sprintf("%d %s %q %d %d", c.Value, c.Currency, c.Dimensions, from, to)
}

// of is what the others have to do with claim i, one Relation of a kind (and
// factor), in the order of the kinds.
func (r *relations) of(i int) (list []Relation) {
	c := &r.claims[i]
	note := func(kind RelationKind, factor int64, other *Claim) {
		at := slices.IndexFunc(list, func(r Relation) bool { return r.Kind == kind && r.Factor == factor })
		if at < 0 {
			at = len(list)
			list = append(list, Relation{Kind: kind, Factor: factor})
		}
		list[at].Claims = append(list[at].Claims, other)
		list[at].unclear = list[at].unclear || r.ids[other.Record.ID] > 1
	}
	for _, j := range r.alike[c.subject()] {
		if other := &r.claims[j]; i != j {
			if kind, factor, ok := r.compare(c, other); ok {
				note(kind, factor, other)
			}
		}
	}
	if c.Value >= telling {
		for _, j := range r.equal[r.sameKey(c)] {
			if other := &r.claims[j]; other.Measure != c.Measure && !bothOwn(c, other) && r.samePeriod(c, other) {
				note(OtherMeasure, 0, other)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Relation) int { return int(a.Kind) - int(b.Kind) })
	return list
}

// compare is what two claims of the same subject have to do with each other.
func (r *relations) compare(c, other *Claim) (kind RelationKind, factor int64, ok bool) {
	one, two := r.days(c), r.days(other)
	same := r.samePeriod(c, other)
	common := one.from <= two.to && two.from <= one.to
	factor = slip(c.Value, other.Value)
	switch {
	case factor != 0 && !bothOwn(c, other) && (same || common && tellingSlip(c, other, one, two)):
		return Slip, factor, true
	case same && c.Interval().disjoint(other.Interval()):
		return Contradicts, 0, true
	case common && otherPeriod(one, two) && c.Value == other.Value && c.Value >= telling && !bothOwn(c, other):
		return OtherPeriod, 0, true
	}
	return 0, 0, false
}

// samePeriod tells whether two claims speak of one period for certain: where an
// end is open, nobody knows which two publishers, or two documents, mean. A
// table of the ledger's own has the days that it says.
func (r *relations) samePeriod(a, b *Claim) bool {
	days := r.days(a)
	closed := days.from != domain.MinDay && days.to != domain.MaxDay
	return days == r.days(b) &&
		(closed || bothOwn(a, b) || a.Publisher == b.Publisher && a.Document.Ref == b.Document.Ref)
}

// otherPeriod tells whether two periods are different ones for certain: in an end
// that neither leaves open.
func otherPeriod(one, two span) bool {
	return one.from != two.from && one.from != domain.MinDay && two.from != domain.MinDay ||
		one.to != two.to && one.to != domain.MaxDay && two.to != domain.MaxDay
}

func (r *relations) days(c *Claim) span {
	from, to := c.Period.Days(r.zone)
	return span{from, to}
}

// bothOwn tells whether both are of the ledger's office.
func bothOwn(a, b *Claim) bool { return a.isOwn() && b.isOwn() }

// slip is how many times b is a, if that is 10, 100 or 1,000, negative where it
// is the other way round; else 0.
func slip(a, b int64) int64 {
	for _, factor := range []int64{10, 100, 1000} {
		switch {
		case isTimes(a, b, factor):
			return factor
		case isTimes(b, a, factor):
			return -factor
		}
	}
	return 0
}

// isTimes tells whether a is b times factor, and not 0.
func isTimes(a, b, factor int64) bool {
	high, low := bits.Mul64(uint64(b), uint64(factor))
	return a != 0 && high == 0 && low == uint64(a)
}

// tellingSlip tells whether a slip between figures of two periods is more than
// chance: see Claims.
func tellingSlip(a, b *Claim, one, two span) bool {
	if b.Value > a.Value {
		a, b, one, two = b, a, two, one
	}
	longer := one != two && one.from <= two.from && one.to >= two.to
	return !longer && len(strings.TrimRight(domain.FormatMinor(b.Value, 0), "0")) >= 2
}
