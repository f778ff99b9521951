package projections

import (
	"math"

	"roznamcha/domain"
)

// Interval is the whole numbers from Low to High, both included, or from Low on
// where Open; none is negative. High means nothing where Open.
type Interval struct {
	Low, High int64
	Open      bool
}

// IsPoint tells whether i is one number.
func (i Interval) IsPoint() bool { return !i.Open && i.Low == i.High }

// in tells whether every number of i is in j.
func (i Interval) in(j Interval) bool {
	return i.Low >= j.Low && (j.Open || !i.Open && i.High <= j.High)
}

// below tells whether every number of i is less than every number of j, and by
// how much at least.
func (i Interval) below(j Interval) (by int64, ok bool) {
	if i.Open || i.High >= j.Low {
		return 0, false
	}
	return j.Low - i.High, true
}

// disjoint tells whether i and j have no number in common.
func (i Interval) disjoint(j Interval) bool {
	_, below := i.below(j)
	_, above := j.below(i)
	return below || above
}

// Text is i for people, in units of that many decimals: "450", "≥ 450",
// "0 to 195".
func (i Interval) Text(decimals int) string {
	low := formatWhole(i.Low, decimals)
	switch {
	case i.Open:
		return "≥ " + low
	case i.IsPoint():
		return low
	}
	return low + " to " + formatWhole(i.High, decimals)
}

// about is v rounded to its significant digits.
func about(v int64) Interval {
	half := halfUnit(v)
	i := Interval{Low: max(v-half, 0), High: v + half}
	if i.High < 0 {
		i.High, i.Open = 0, true
	}
	return i
}

// halfUnit is half of the unit that v, which is not negative, is rounded to: of
// 72,000,000 it is 500,000. It is never less than 1: about 45 is not exactly 45.
func halfUnit(v int64) int64 {
	unit := int64(1)
	for v != 0 && v%10 == 0 {
		v, unit = v/10, unit*10
	}
	return max(unit/2, 1)
}

// gauge is what facts add up to, as an interval. Sums end at math.MaxInt64: a
// larger one begins there, and is open.
type gauge struct {
	// value is the plain sum; low and high have the about parts widened.
	value, low, high int64
	facts, unknown   int64
	lower            bool
	approximate      bool
}

// add adds one fact.
func (g *gauge) add(quantity int64, q domain.Qualifier) {
	g.facts++
	if q == domain.Unknown {
		g.unknown++
		return
	}
	half := int64(0)
	if q == domain.About {
		half, g.approximate = halfUnit(quantity), true
	}
	g.lower = g.lower || q == domain.AtLeast
	g.value = g.plus(g.value, quantity)
	g.low = g.plus(g.low, max(quantity-half, 0))
	g.high = g.plus(g.high, g.plus(quantity, half))
}

// merge adds all the facts of h.
func (g *gauge) merge(h *gauge) {
	g.facts += h.facts
	g.unknown += h.unknown
	g.lower = g.lower || h.lower
	g.approximate = g.approximate || h.approximate
	g.value = g.plus(g.value, h.value)
	g.low = g.plus(g.low, h.low)
	g.high = g.plus(g.high, h.high)
}

// plus adds two numbers that are not negative.
func (g *gauge) plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		g.lower = true
		return math.MaxInt64
	}
	return a + b
}

// open tells whether there may be more than high.
func (g *gauge) open() bool { return g.lower || g.unknown > 0 }

// adds tells whether g's facts can add anything.
func (g *gauge) adds() bool { return g.high > 0 || g.open() }
