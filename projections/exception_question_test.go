package projections

import (
	"fmt"
	"strings"
	"testing"

	"roznamcha/domain"
)

// An exception lies in a period where the fact does that it is about, as known
// then and by the clock that was asked for.
func TestExceptionsOfAPeriod(t *testing.T) {
	x := NewAllExceptions()
	b := newBook(t, x)
	one := arrest(karachi, "one", "", "2025-05-31", 1, "PK")
	one.Data.Shared().Reported = period("2025-06-02")
	one.Data.(*domain.ArrestMade).Raid = "none"
	b.write(one)
	b.lines("junk")
	moved := *one.Data.(*domain.ArrestMade)
	moved.Occurred = period("2025-06-15")
	b.write(b.correct(one, &moved)) // 4
	tie := arrest(lahore, "two", "", "2025-07", 1, "PK")
	late := event(lahore, "c", &domain.CaseRegistered{Registered: period("2025-03")})
	tie.Type, late.Type = domain.TypeArrestMade, domain.TypeCaseRegistered
	b.write(&domain.Event{Source: lahore, Data: &domain.RecordLinked{From: tie.Record(), To: late.Record()}}) // 5: neither is there
	b.write(late)                                                                                             // 6
	for _, test := range []struct {
		asOf         uint64
		during       During
		in, unplaced string
	}{
		{3, During{period("2025-05"), Occurred}, "2:1", "3:1"},
		{3, During{period("2025-06"), Occurred}, "", "3:1"},
		{3, During{period("2025-06"), Reported}, "2:1", "3:1"},
		{0, During{period("2025-05"), Occurred}, "", "3:1"},
		{0, During{period("2025-06"), Occurred}, "2:1", "3:1"},
		{0, During{period("2025-06-01/2025-06-15"), Occurred}, "2:1", "3:1"},
		{5, During{period("2025"), Occurred}, "2:1", "3:1 5:1"},
		{6, During{period("2025"), Occurred}, "2:1 5:1", "3:1"},
		{6, During{period("2025-03-15/2025-06"), Occurred}, "2:1", "3:1 5:1"},
		{6, During{period("2025-03"), Reported}, "", "3:1 5:1"},
		{0, During{}, "2:1 3:1 5:1", ""},
	} {
		find := func(unplaced bool) string {
			var list []string
			for e := range x.Find(ExceptionQuery{AsOf: test.asOf, During: test.during, Unplaced: unplaced}) {
				list = append(list, e.Opened.String())
			}
			return strings.Join(list, " ")
		}
		if in, unplaced := find(false), find(true); in != test.in || unplaced != test.unplaced {
			t.Errorf("as of %d, %v: %q and unplaced %q, want %q and %q", test.asOf, test.during, in, unplaced, test.in, test.unplaced)
		}
	}
	b.write(raid(karachi, "none", "", "2025")) // 7
	q := ExceptionQuery{During: During{Period: period("2025-06")}}
	if got, want := fmt.Sprint(x.Count(q)), "[{refused malformed 0 0 1 0 0:0} {dangling-link  0 1 0 0 2:1}]"; got != want {
		t.Errorf("counts %s, want %s", got, want)
	}
	q.AsOf = 6
	if got, want := fmt.Sprint(x.Count(q)), "[{refused malformed 0 0 1 0 0:0} {dangling-link  1 0 0 0 2:1}]"; got != want {
		t.Errorf("counts %s, want %s", got, want)
	}
}
