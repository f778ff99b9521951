package domain

// Qualifier is how a number is meant.
type Qualifier uint8

// The qualifiers. The zero Qualifier is exact, the default.
const (
	// Exact: the number itself.
	Exact Qualifier = iota
	// AtLeast: a lower bound, printed ≥.
	AtLeast
	// About: an approximation, printed ≈.
	About
	// Unknown: there is a number and nobody knows it. It has no value, and is
	// not zero.
	Unknown
	// AtMost: an upper bound. Only claims have it: a sum of facts could not say
	// what it means, so the codec refuses it in them.
	AtMost
)

var qualifierWords = [...]string{"exact", "at-least", "about", "unknown", "at-most"}

// ParseQualifier reads "exact", "at-least", "about", "unknown" or "at-most";
// false for any other word.
func ParseQualifier(s string) (Qualifier, bool) {
	for q, word := range qualifierWords {
		if s == word {
			return Qualifier(q), true
		}
	}
	return Exact, false
}

// String is the qualifier's word.
func (q Qualifier) String() string {
	if int(q) >= len(qualifierWords) {
		return ""
	}
	return qualifierWords[q]
}

// Count is a number of persons or things, 0 or more. N is 0 where the
// Qualifier is Unknown.
type Count struct {
	N         int64
	Qualifier Qualifier
}
