package domain

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// An entry joined of parts that were read, and checked by whomever, is ruled on as
// the same payload read anew.
func TestJoin(t *testing.T) {
	submissions := []string{
		opening,
		raid(1, "7"),
		raid(1, "7") + "\n" + raid(2, "8"),
		raid(3, "8"),
		raid(4, "9") + "\n" + raid(5, "9"),
		raid(6, "10") + "\n" + raid(7, "11") + "\n" + raid(8, "12"),
	}
	joined, anew := NewRegister(), NewRegister()
	for n, texts := range [][]string{submissions[:1], submissions[1:], submissions[:2], submissions[3:]} {
		var parts []Entry
		for _, text := range texts {
			e := Entry{Subject: EntrySubject, Payload: []byte(text)}
			e.Read()
			if n%2 == 1 {
				anew.Check(e, func(*Ruled) {})
			}
			joined.Check(e, func(*Ruled) {})
			parts = append(parts, e)
		}
		one := Join(parts)
		one.Number, one.Recorded = uint64(n+1), time.Unix(int64(n), 0)
		two := Entry{Number: one.Number, Subject: EntrySubject, Recorded: one.Recorded, Payload: slices.Clone(one.Payload)}
		got, want := rulingsOf(t, joined, one), rulingsOf(t, anew, two)
		if !slices.Equal(got, want) {
			t.Errorf("entry %d, joined:\n%q\nread anew:\n%q", n+1, got, want)
		}
		if joined.Hash() != anew.Hash() {
			t.Fatalf("entry %d: the state hash differs", n+1)
		}
	}
	if accepted := anew.events.len; accepted != 6 {
		t.Errorf("%d events are accepted, want 6: the test tests little", accepted)
	}
}

// rulingsOf is what r rules on e, a text for each line.
func rulingsOf(t *testing.T, r *Register, e Entry) (all []string) {
	t.Helper()
	err := r.Apply(e, func(line *Ruled) {
		id := ""
		if line.Event != nil {
			id = line.Event.ID.String()
		}
		all = append(all, fmt.Sprint(line.Position, line.Submission, line.Recorded, line.Ruling, line.Line, id, line.Record))
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
