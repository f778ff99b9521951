package projections

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"roznamcha/domain"
)

// What a line would change, told by checking it and folding the ruling in as if
// it stood in the next entry, is what it does change when it is recorded.
func TestWhatIsForeseenComesTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, amendments := someHistory(t)
		for range 3 {
			reg, totals, foreseen := domain.NewRegister(), NewTotals(), NewAmendments()
			for i, payload := range h.payloads {
				if err := Fold(reg, domain.Entry{Number: uint64(i + 1), Subject: domain.EntrySubject, Payload: payload}, totals, foreseen); err != nil {
					t.Fatal(err)
				}
			}
			line, last := h.anyLine(), h.reg.Last()
			var verdict domain.Verdict
			reg.Check(domain.Entry{Subject: domain.EntrySubject, Payload: []byte(line)}, func(r *domain.Ruled) {
				verdict, r.Position = r.Verdict, domain.Position{Entry: last + 1, Line: 1}
				totals.Apply(r)
				foreseen.Apply(r)
			})
			h.entry([]string{line})
			if got := h.last[0].Verdict; got != verdict {
				t.Fatalf("%s\nwas checked as %s and recorded as %s", line, verdict, got)
			}
			q := h.query()
			want, err := h.totals.Diff(q, amendments, last, last+1)
			if err != nil {
				t.Fatal(err)
			}
			got, err := totals.Diff(q, foreseen, last, last+1)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got.Cells, want.Cells) {
				t.Errorf("%+v\n%s\nwas to change %+v\nand has changed %+v", q, line, got.Cells, want.Cells)
			}
		}
	})
}
