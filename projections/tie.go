package projections

import (
	"slices"

	"roznamcha/domain"
)

// Tie follows whether one record links to another.
type Tie struct {
	From, To domain.RecordName
	// Recorded tells that record.linked says so, Own that From's own data do.
	Recorded, Own bool
}

// Apply folds one ruling in.
func (t *Tie) Apply(r *domain.Ruled) {
	if r.Verdict != domain.Accepted {
		return
	}
	switch data := r.Event.Data.(type) {
	case *domain.RecordLinked:
		if data.From == t.From && data.To == t.To {
			t.Recorded = true
		}
	case *domain.RecordUnlinked:
		if data.From == t.From && data.To == t.To {
			t.Recorded, t.Own = false, false
		}
	default:
		if r.Fact != nil && r.Name == t.From {
			t.Own = slices.Contains(linksOf(r.Fact, t.From.Diary), t.To)
		}
	}
}
