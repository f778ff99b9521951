package domain

import (
	"errors"
	"math"
	"testing"
)

func TestSums(t *testing.T) {
	type part struct {
		value     int64
		qualifier Qualifier
	}
	for _, c := range []struct {
		name     string
		given    []part
		decimals int
		want     Sum
		text     string
	}{
		{"nothing", nil, 0, Sum{}, "0"},
		{"exact parts", []part{{12000, Exact}, {345, Exact}}, 0, Sum{Value: 12345}, "12,345"},
		{"exact money", []part{{10502454824, Exact}}, 2, Sum{Value: 10502454824}, "105,024,548.24"},
		{"an exact zero", []part{{0, Exact}}, 0, Sum{}, "0"},
		{"a lower bound", []part{{72000000, AtLeast}}, 0, Sum{Value: 72000000, Lower: true}, "≥ 72,000,000"},
		{"a lower bound among exact parts", []part{{2, Exact}, {3, AtLeast}, {4, Exact}}, 0, Sum{Value: 9, Lower: true}, "≥ 9"},
		{"an approximation", []part{{5, About}}, 0, Sum{Value: 5, Approximate: true}, "≈ 5"},
		{"both", []part{{2, About}, {3, AtLeast}}, 0, Sum{Value: 5, Lower: true, Approximate: true}, "≳ 5"},
		{"unknown parts", []part{{5619, Exact}, {0, Unknown}, {0, Unknown}}, 0, Sum{Value: 5619, Unknown: 2, Lower: true}, "≥ 5,619 · 2 unknown"},
		{"an approximation and unknown parts", []part{{5, About}, {0, Unknown}}, 0, Sum{Value: 5, Unknown: 1, Lower: true, Approximate: true}, "≳ 5 · 1 unknown"},
		{"unknown parts alone", []part{{0, Unknown}, {0, Unknown}, {0, Unknown}}, 2, Sum{Unknown: 3, Lower: true}, "3 unknown"},
		{"an unknown part beside about zero", []part{{0, About}, {0, Unknown}}, 0, Sum{Unknown: 1, Lower: true, Approximate: true}, "≳ 0 · 1 unknown"},
		{"what stands in an unknown part", []part{{7, Unknown}}, 0, Sum{Unknown: 1, Lower: true}, "1 unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sum, left, right Sum
			for i, p := range c.given {
				half := &left
				if i%2 == 1 {
					half = &right
				}
				if err := errors.Join(sum.Add(p.value, p.qualifier), half.Add(p.value, p.qualifier)); err != nil {
					t.Fatal(err)
				}
			}
			if sum != c.want {
				t.Errorf("%+v, want %+v", sum, c.want)
			}
			if err := left.Merge(right); err != nil || left != sum {
				t.Errorf("in two halves it is %+v, %v, want %+v", left, err, sum)
			}
			if got := sum.Format(c.decimals); got != c.text {
				t.Errorf("written %q, want %q", got, c.text)
			}
		})
	}
	if got := (Sum{Value: 5619, Unknown: 3783, Lower: true}).Format(0); got != "≥ 5,619 · 3,783 unknown" {
		t.Error(got)
	}
}

func TestSumsThatOverflow(t *testing.T) {
	for _, c := range []struct {
		sum  Sum
		part int64
		want error
	}{
		{Sum{Value: math.MaxInt64}, 0, nil},
		{Sum{Value: math.MaxInt64 - 1}, 1, nil},
		{Sum{Value: math.MaxInt64}, 1, ErrOverflow},
		{Sum{Value: 1}, math.MaxInt64, ErrOverflow},
		{Sum{Value: math.MaxInt64}, math.MaxInt64, ErrOverflow},
		{Sum{Value: math.MinInt64 + 1}, -1, nil},
		{Sum{Value: math.MinInt64}, -1, ErrOverflow},
		{Sum{Value: math.MinInt64}, math.MaxInt64, nil},
	} {
		for _, q := range []Qualifier{Exact, AtLeast, About} {
			sum := c.sum
			if err := sum.Add(c.part, q); !errors.Is(err, c.want) {
				t.Errorf("%+v and %d %s: %v, want %v", c.sum, c.part, q, err, c.want)
			} else if err != nil && sum != c.sum {
				t.Errorf("%+v and %d %s: an error and %+v", c.sum, c.part, q, sum)
			}
		}
	}
	sum := Sum{Unknown: math.MaxInt64, Lower: true}
	if err := sum.Add(0, Unknown); !errors.Is(err, ErrOverflow) {
		t.Errorf("one unknown part too many: %v", err)
	}
	if err := sum.Merge(Sum{Value: 1, Unknown: 1, Approximate: true}); !errors.Is(err, ErrOverflow) || sum != (Sum{Unknown: math.MaxInt64, Lower: true}) {
		t.Errorf("merging one too many: %v, %+v", err, sum)
	}
}

func TestAtMostIsNotAdded(t *testing.T) {
	sum := Sum{Value: 5}
	if err := sum.Add(1, AtMost); err == nil || sum != (Sum{Value: 5}) {
		t.Errorf("%v, %+v", err, sum)
	}
}
