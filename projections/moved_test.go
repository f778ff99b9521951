package projections

import (
	"testing"

	"pgregory.net/rapid"

	"roznamcha/domain"
)

// The table that MovedAt asks for changes wherever any table does: where the facts
// that an event opened are not those that it closed.
func TestWhatAnEventMovedShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, amendments := someHistory(t)
		for range 5 {
			h.entry([]string{h.anyLine()})
			last := h.reg.Last()
			at := domain.Position{Entry: last, Line: 1}
			closed, opened := h.totals.changedAt(at.Place())
			m := h.totals.MovedAt(at)
			if (len(m.Query.Columns) > 0) != (len(closed)+len(opened) > 0) {
				t.Fatalf("%d rows closed, %d opened, and the columns are %v", len(closed), len(opened), m.Query.Columns)
			}
			if len(m.Query.Columns) == 0 {
				continue
			}
			d, err := h.totals.Diff(m.Query, amendments, last-1, last)
			if err != nil {
				t.Fatal(err)
			}
			shows := false
			for _, c := range d.Cells {
				shows = shows || c.Was != c.Is
			}
			type fact struct {
				cell, occurred, reported uint32
				quantity                 int64
				qualifier                domain.Qualifier
			}
			moved := differ(closed, opened, func(r *row) fact { return fact{r.cell, r.occurred, r.reported, r.quantity, r.qualifier} })
			if shows != moved {
				t.Errorf("closed %+v\nopened %+v\nasked %+v: it moved %t, and shows %t", closed, opened, m.Query, moved, shows)
			}
		}
	})
}
