package bench

import (
	"bytes"
	"testing"

	"github.com/google/uuid"

	"roznamcha/domain"
)

// TestEventsAreDistinctCanonicalAndAccepted: what is published is what a unit
// would publish, and the same for a seed.
func TestEventsAreDistinctCanonicalAndAccepted(t *testing.T) {
	open, err := opening()
	if err != nil {
		t.Fatal(err)
	}
	reg := domain.NewRegister()
	ids := map[uuid.UUID]bool{}
	apply := func(payload []byte) {
		err := reg.Apply(domain.Entry{Number: reg.Last() + 1, Subject: domain.EntrySubject, Payload: payload}, func(r *domain.Ruled) {
			if r.Verdict != domain.Accepted {
				t.Fatalf("%s: %v", r.Line, r.Err())
			}
			if ids[r.Event.ID] {
				t.Fatalf("an id comes twice: %s", r.Line)
			}
			ids[r.Event.ID] = true
			if again, err := domain.AppendEvent(nil, r.Event); err != nil || string(again) != r.Line {
				t.Fatalf("not canonical:\n%s\n%s\n%v", r.Line, again, err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	apply(open)
	all, again := newFacts(7), newFacts(7)
	const writers, each = 20, 300
	size := 0
	for number := range writers {
		w, same := newWriter(all, number), newWriter(again, number)
		for range each {
			line, _ := w.next(nil)
			if other, _ := same.next(nil); !bytes.Equal(line, other) {
				t.Fatalf("the same seed gives other bytes:\n%s\n%s", line, other)
			}
			size += len(line)
			apply(line)
		}
	}
	if mean := size / (writers * each); mean < 310 || mean > 350 {
		t.Errorf("an event has %d bytes in the mean, want about 320", mean)
	}
	if bytes.Equal([]byte(all[0].tail), []byte(newFacts(8)[0].tail)) && all[1].tail == newFacts(8)[1].tail {
		t.Error("another seed gives the same events")
	}
}
