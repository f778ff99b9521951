package projections

import (
	"fmt"
	"strings"
	"testing"

	"roznamcha/domain"
)

func TestFates(t *testing.T) {
	fates, sample := NewFates(), &Sample{size: 100, seed: "x"}
	b := newBook(t, fates, projectionFunc(sample.Offer))
	first, other := raid(karachi, "7", "Karachi", "2025-06-03"), raid(lahore, "8", "Lahore", "2025-06-03")
	b.write(first, other)
	b.write(b.correct(first, raid(karachi, "7", "Multan", "2025-06-03").Data))
	b.write(b.retract(first))
	states := func() string {
		var list []string
		for _, r := range sample.Lines() {
			list = append(list, fmt.Sprintf("%s %s", r.Position, fates.Of(r)))
		}
		return strings.Join(list, "\n")
	}
	want := unindent(`
		1:1 stands
		2:1 corrected 3:1
		2:2 stands
		3:1 retracted 4:1
		4:1 stands`)
	if got := unindent(states()); got != want {
		t.Errorf("as known at entry 4\n%s\nwant\n%s", got, want)
	}
	b.write(b.correct(first, first.Data), match(first, other))
	b.lines(b.line(other), "junk", b.line(b.retractStale(first)))
	want = unindent(`
		1:1 stands
		2:1 corrected 3:1
		2:2 stands
		3:1 retracted 4:1
		4:1 reinstated 5:1
		5:1 stands
		5:2
		6:1
		6:2
		6:3`)
	if got := unindent(states()); got != want {
		t.Errorf("as known at entry 6\n%s\nwant\n%s", got, want)
	}
}

// retractStale is a retraction of a version that stands no more.
func (b *book) retractStale(first *domain.Event) *domain.Event {
	return &domain.Event{Source: first.Source, Data: &domain.RecordRetracted{Record: first.Record(), Amends: first.ID, Reason: domain.DataEntry}}
}
