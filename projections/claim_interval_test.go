package projections

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"roznamcha/domain"
)

// someInterval is an interval of small numbers.
func someInterval(t *rapid.T) Interval {
	low := rapid.Int64Range(0, 12).Draw(t, "low")
	if rapid.Bool().Draw(t, "open") {
		return Interval{Low: low, Open: true}
	}
	return Interval{Low: low, High: rapid.Int64Range(low, 14).Draw(t, "high")}
}

// has tells whether n is in i.
func (i Interval) has(n int64) bool { return n >= i.Low && (i.Open || n <= i.High) }

// Disjointness, the least difference and containment are those of the sets of
// numbers: up to a number above every end, which stands for all above.
func TestIntervalsCompareAsSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i, j := someInterval(t), someInterval(t)
		const beyond = 20
		meet, inside, least := false, true, int64(math.MaxInt64)
		for a := range int64(beyond) {
			meet = meet || i.has(a) && j.has(a)
			inside = inside && (!i.has(a) || j.has(a))
			for b := range int64(beyond) {
				if i.has(a) && j.has(b) && a < b {
					least = min(least, b-a)
				}
			}
		}
		if i.disjoint(j) == meet {
			t.Errorf("%+v and %+v: disjoint %v", i, j, !meet)
		}
		if i.in(j) != inside {
			t.Errorf("%+v in %+v: %v", i, j, !inside)
		}
		if by, below := i.below(j); below && (meet || by != least) || !below && !meet && i.Low < j.Low {
			t.Errorf("%+v below %+v: %v by %d, want by %d", i, j, below, by, least)
		}
	})
}

func TestAboutIsRoundedToItsSignificantDigits(t *testing.T) {
	for _, c := range []struct {
		v    int64
		want Interval
	}{
		{72_000_000, Interval{Low: 71_500_000, High: 72_500_000}},
		{500, Interval{Low: 450, High: 550}},
		{10, Interval{Low: 5, High: 15}},
		{63, Interval{Low: 62, High: 64}},
		{0, Interval{Low: 0, High: 1}},
		{9_000_000_000_000_000_000, Interval{Low: 8_500_000_000_000_000_000, Open: true}},
	} {
		if got := about(c.v); got != c.want {
			t.Errorf("about %d is %+v, want %+v", c.v, got, c.want)
		}
	}
}

// A gauge has every sum of what its parts may be, and ends where 64 bits do.
func TestGaugesAddUpAsSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var g gauge
		want := Interval{}
		for range rapid.IntRange(0, 6).Draw(t, "parts") {
			n := rapid.OneOf(rapid.Int64Range(0, 200), rapid.Just(int64(math.MaxInt64))).Draw(t, "n")
			q := rapid.SampledFrom([]domain.Qualifier{domain.Exact, domain.AtLeast, domain.About, domain.Unknown}).Draw(t, "q")
			g.add(n, q)
			part := Interval{Low: n, High: n}
			switch q {
			case domain.AtLeast:
				part.Open = true
			case domain.About:
				part = about(n)
			case domain.Unknown:
				part = Interval{Open: true}
			}
			if want.Open = want.Open || part.Open; math.MaxInt64-part.Low < want.Low {
				want.Low, want.Open = math.MaxInt64, true
			} else {
				want.Low += part.Low
			}
			if want.Open || math.MaxInt64-part.High < want.High {
				want.High, want.Open = 0, true
			} else {
				want.High += part.High
			}
		}
		if g.low != want.Low || g.open() != want.Open || !want.Open && g.high != want.High {
			t.Errorf("the gauge is %+v, want %+v", g, want)
		}
	})
}

func TestIntervalsAsTheyArePrinted(t *testing.T) {
	for want, i := range map[string]Interval{
		"450": {Low: 450, High: 450}, "0 to 195": {High: 195}, "≥ 1,000": {Low: 1000, Open: true},
	} {
		if got := i.Text(0); got != want {
			t.Errorf("%+v prints %q, want %q", i, got, want)
		}
	}
	if got := (Interval{Low: 7200000050, High: 7200000100}).Text(2); got != "72,000,000.50 to 72,000,001" {
		t.Errorf("an amount prints %q", got)
	}
}
