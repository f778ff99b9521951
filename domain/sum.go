package domain

import (
	"errors"
	"math"
)

// ErrOverflow is returned where a sum does not fit into 64 bits. Nothing was
// added then.
var ErrOverflow = errors.New("the sum is larger than 9,223,372,036,854,775,807, the most that is counted to")

// errAtMost is a mistake of the caller: the codec keeps at-most out of facts.
var errAtMost = errors.New("at-most cannot be added: a sum with it would have no meaning")

// Sum adds up counts, or amounts of one currency in minor units, and keeps how
// sure its parts are: its flags are the union of theirs. The zero Sum is an
// exact 0.
type Sum struct {
	// Value is the total of the parts whose value is known.
	Value int64
	// Unknown is how many parts are not in Value because nobody knows them.
	Unknown int64
	// Lower says that the true total may be higher: a part was at-least or
	// unknown.
	Lower bool
	// Approximate says that a part was about.
	Approximate bool
}

// Add adds one part. An Unknown one only counts as unknown, whatever its
// value. The error is ErrOverflow, or that of a q that is AtMost; s is then as
// it was.
func (s *Sum) Add(value int64, q Qualifier) error {
	part := Sum{Value: value}
	switch q {
	case Exact:
	case AtLeast:
		part.Lower = true
	case About:
		part.Approximate = true
	case Unknown:
		part = Sum{Unknown: 1, Lower: true}
	default:
		return errAtMost
	}
	return s.Merge(part)
}

// Merge adds all the parts of t. The error is ErrOverflow; s is then as it was.
func (s *Sum) Merge(t Sum) error {
	value, ok1 := addInt64(s.Value, t.Value)
	unknown, ok2 := addInt64(s.Unknown, t.Unknown)
	if !ok1 || !ok2 {
		return ErrOverflow
	}
	*s = Sum{value, unknown, s.Lower || t.Lower, s.Approximate || t.Approximate}
	return nil
}

// addInt64 adds; false on overflow.
func addInt64(a, b int64) (int64, bool) {
	if b > 0 && a > math.MaxInt64-b || b < 0 && a < math.MinInt64-b {
		return 0, false
	}
	return a + b, true
}

// Format writes s for people, Value being in units of that many decimals:
//
//	12,345                     exact
//	≥ 72,000,000               a lower bound
//	≈ 5                        approximate
//	≳ 5                        both
//	≥ 5,619 · 3,783 unknown    and how many parts are not in it
//	3 unknown                  nothing else to tell: 0 would look like a result
func (s Sum) Format(decimals int) string {
	text := FormatGrouped(s.Value, decimals)
	switch {
	case s.Lower && s.Approximate:
		text = "≳ " + text
	case s.Lower:
		text = "≥ " + text
	case s.Approximate:
		text = "≈ " + text
	}
	if s.Unknown == 0 {
		return text
	}
	unknown := FormatGrouped(s.Unknown, 0) + " unknown"
	if s.Value == 0 && !s.Approximate {
		return unknown
	}
	return text + " · " + unknown
}
