package projections

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"roznamcha/domain"

	"pgregory.net/rapid"
)

// placings is how the lines lie to a period, in words.
func placings(during, clock string) (*[]string, Projection) {
	d, err := ParseDuring(during, clock)
	if err != nil {
		panic(err)
	}
	placer, list := NewPlacer(d), new([]string)
	return list, projectionFunc(func(r *domain.Ruled) {
		*list = append(*list, fmt.Sprintf("%s %s", r.Position, placer.Place(r)))
	})
}

func TestPlacer(t *testing.T) {
	june, juneLines := placings("2025-06", "occurred")
	reported, reportedLines := placings("2025-06", "reported")
	b := newBook(t, juneLines, reportedLines)
	told := func(e *domain.Event, reported string) *domain.Event {
		e.Data.Shared().Reported = period(reported)
		return e
	}
	a := told(raid(karachi, "a", "", "2025-06-03"), "2025-07-01")
	z := told(raid(lahore, "z", "", "2025-07-01"), "2025-06-30")
	b.write(a, z, // 2: in June, and told in July; the other way round
		raid(karachi, "b", "", "2025-05/2025-06"), raid(karachi, "c", "", "unknown"),
		raid(karachi, "d", "", "2025-06-30T23:30:00Z"), // in Karachi it is July
		event(karachi, "e", &domain.CaseRegistered{Registered: period("2025-06-05"), Common: domain.Common{Occurred: period("2025-01")}}))
	b.write(b.correct(a, told(raid(karachi, "a", "", "2025-08-03"), "2025-08-04").Data)) // 3: out of June
	b.write(b.correct(a, told(raid(karachi, "a", "", "2025-09"), "2025-09").Data))       // 4: and never again
	b.write(b.retract(z))                                                                // 5
	b.write(match(a, z), &domain.Event{Source: karachi, Data: &domain.RecordLinked{From: a.Record(), To: z.Record()}})
	b.lines(b.line(z), "junk", strings.Replace(b.line(raid(karachi, "b", "", "2025-06-07")), "raid.c", "raid.d", 1),
		b.line(raid(karachi, "b", "", "2025-06-07"))) // 7: duplicate, junk, unknown type, record-exists

	for got, want := range map[*[]string]string{
		june: `
			1:1 unplaced
			2:1 inside
			2:2 outside
			2:3 unplaced
			2:4 unplaced
			2:5 outside
			2:6 inside
			3:1 inside
			4:1 outside
			5:1 outside
			6:1 outside
			6:2 unplaced
			7:1 outside
			7:2 unplaced
			7:3 unplaced
			7:4 inside`,
		reported: `
			1:1 unplaced
			2:1 outside
			2:2 inside
			2:3 unplaced
			2:4 unplaced
			2:5 unplaced
			2:6 unplaced
			3:1 outside
			4:1 outside
			5:1 inside
			6:1 inside
			6:2 unplaced
			7:1 inside
			7:2 unplaced
			7:3 unplaced
			7:4 unplaced`,
	} {
		if text := unindent(strings.Join(*got, "\n")); text != unindent(want) {
			t.Errorf("the lines lie\n%s\nwant\n%s", text, unindent(want))
		}
	}
}

// Lines, histories and totals agree on what lies in a period: explain lists
// every version that stands and lies inside, or is unplaced, and no other, but
// for records that were matched with others.
func TestPlacingsAgreeWithTheTotals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		during := During{
			Period: rapid.SampledFrom([]domain.Period{period("2025-06"), period("2025"), period("2024-12/2025-06"), period("../2025-05-31"), period("2025-06-03/..")}).Draw(t, "period"),
			Clock:  rapid.SampledFrom([]Clock{Occurred, Reported}).Draw(t, "clock"),
		}
		placer, fates := NewPlacer(during), NewFates()
		lines, matched := make(map[domain.Position]placedLine), make(map[domain.RecordID]bool)
		note := projectionFunc(func(r *domain.Ruled) {
			lines[r.Position] = placedLine{keepLine(r), r.Name, r.Fact != nil && r.Fact.Type().Counts(), placer.Place(r)}
			if r.Change == domain.Matched {
				matched[r.Record], matched[r.SameAs] = true, true
			}
		})
		h := &historian{rt: t, book: &book{t: t, reg: domain.NewRegister(), now: time.Date(2025, 7, 1, 9, 0, 0, 0, time.UTC), totals: NewTotals()}}
		h.ps = []Projection{h.totals, fates, note}
		h.entry([]string{h.line(event(domain.Office, "l", &domain.LedgerOpened{Name: "l", HomeCountry: "PK", Zone: "Asia/Karachi", Rules: 1}))})
		for range rapid.IntRange(1, 15).Draw(t, "entries") {
			h.write()
		}
		for _, placing := range []Placing{Inside, Unplaced} {
			var explained []domain.Position
			for m := Raids; m < endOfMeasures; m++ {
				got, err := h.totals.Explain(Query{Columns: []Column{{Measure: m}}, Period: during.Period, Clock: during.Clock}, placing == Unplaced)
				if err != nil {
					t.Fatal(err)
				}
				for _, part := range got.Parts {
					explained = append(explained, part.Position)
				}
			}
			for at, line := range lines {
				if !line.counts || matched[line.Record] {
					continue
				}
				stands := fates.Of(line.Ruled).State == "stands"
				lies := h.historyOf(line.name, during).Placing == placing
				if got := slices.Contains(explained, at); got != (stands && lies) {
					t.Fatalf("%v: line %s %s, stands %v, lies there %v; totals explain it: %v", during, at, line.Line, stands, lies, got)
				}
				if stands && lies && line.placing > placing {
					t.Fatalf("%v: line %s %s is %s, its version %s", during, at, line.Line, line.placing, placing)
				}
			}
		}
	})
}

type placedLine struct {
	*domain.Ruled
	name    domain.RecordName
	counts  bool
	placing Placing
}

// historyOf reads the book again for one record.
func (b *book) historyOf(name domain.RecordName, during During) HistoryLog {
	h := NewHistoryDuring(name, during)
	reg := domain.NewRegister()
	for i, payload := range b.payloads {
		e := domain.Entry{Number: uint64(i + 1), Subject: domain.EntrySubject, Recorded: b.now, Payload: payload}
		if err := Fold(reg, e, h); err != nil {
			b.t.Fatal(err)
		}
	}
	return h.Log()
}

func TestParseDuring(t *testing.T) {
	for _, c := range []struct{ period, clock, want string }{
		{"2024-01/2025-06", "reported", "reported 2024-01/2025-06"},
		{"2025-06", "occurred", "occurred 2025-06"},
	} {
		if d, err := ParseDuring(c.period, c.clock); err != nil || d.String() != c.want || d.IsZero() {
			t.Errorf("%s by %s: %v, %v", c.period, c.clock, d, err)
		}
	}
	if d, err := ParseDuring("", "reported"); err != nil || !d.IsZero() {
		t.Errorf("a clock alone: %v, %v", d, err)
	}
	for _, c := range []struct{ period, clock, want string }{
		{"soon", "occurred", "soon"}, {"2025", "local", "no such clock"}, {"unknown", "occurred", "holds no fact"},
	} {
		if _, err := ParseDuring(c.period, c.clock); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s by %s: %v", c.period, c.clock, err)
		}
	}
}
