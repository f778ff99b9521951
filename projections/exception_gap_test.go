package projections

import (
	"fmt"
	"strings"
	"testing"

	"roznamcha/domain"
)

// gaps is the numbers that were missing as known at an entry.
func gaps(x *Exceptions, asOf uint64) string {
	var list []string
	for e := range x.Standing(asOf) {
		if e.Kind == SequenceGap {
			list = append(list, e.Record.ID+" "+e.Opened.String()+": "+e.Detail)
		}
	}
	return strings.Join(list, "; ")
}

func lacks(t *testing.T, x *Exceptions, asOf uint64, want string) {
	t.Helper()
	if got := gaps(x, asOf); got != want {
		t.Errorf("as of %d there are missing %q, want %q", asOf, got, want)
	}
}

// A number that is missing is an exception from the first later one on, until
// it comes.
func TestSequenceGaps(t *testing.T) {
	x := NewAllExceptions()
	b := newBook(t, x)
	numbered := func(d domain.Diary, ids ...string) {
		var events []*domain.Event
		for _, id := range ids {
			events = append(events, raid(d, id, "", "2025"))
		}
		b.write(events...)
	}
	numbered(karachi, "0007") // 2: what came before is not known
	numbered(lahore, "0011")
	lacks(t, x, 0, "")
	numbered(karachi, "0009") // 4
	lacks(t, x, 0, "0009 4:1: no 0008")
	numbered(karachi, "0020") // 5: one hole, however large
	lacks(t, x, 0, "0009 4:1: no 0008; 0020 5:1: no 0010 to 0019 (10 numbers)")
	numbered(karachi, "0015", "0012", "15") // 6
	lacks(t, x, 0, "0009 4:1: no 0008; 0020 5:1: no 0010 to 0011, 0013 to 0014, 0016 to 0019 (8 numbers)")
	numbered(karachi, "0008") // 7
	lacks(t, x, 0, "0020 5:1: no 0010 to 0011, 0013 to 0014, 0016 to 0019 (8 numbers)")
	numbered(karachi, "0010", "0011", "0013", "0014", "0016", "0017", "0018", "0019") // 8
	lacks(t, x, 0, "")
	lacks(t, x, 5, "0009 4:1: no 0008; 0020 5:1: no 0010 to 0019 (10 numbers)")
	lacks(t, x, 7, "0020 5:1: no 0010 to 0011, 0013 to 0014, 0016 to 0019 (8 numbers)")
	var settled []string
	for e := range x.Find(ExceptionQuery{Settled: true}) {
		settled = append(settled, e.Detail+" "+e.Opened.String()+"-"+e.Settled.String())
	}
	if got, want := strings.Join(settled, "; "), "no 0008 4:1-7:1; no 0010 to 0019 (10 numbers) 5:1-8:8"; got != want {
		t.Errorf("settled %s, want %s", got, want)
	}
	numbered(karachi, "0003") // 9: an earlier one shows what is missing up to it
	lacks(t, x, 0, "0003 9:1: no 0004 to 0006 (3 numbers)")
	numbered(karachi, "0005", "0001")
	lacks(t, x, 0, "0003 9:1: no 0004, 0006 (2 numbers); 0001 10:2: no 0002")
}

// A record that is retracted keeps its number, and one entry may have its
// numbers in any order.
func TestNumbersThatAreThere(t *testing.T) {
	x := NewAllExceptions()
	b := newBook(t, x)
	two := raid(karachi, "2", "", "2025")
	b.write(raid(karachi, "3", "", "2025"), two, raid(karachi, "1", "", "2025"), raid(karachi, "5", "", "2025"), raid(karachi, "4", "", "2025"))
	b.write(b.retract(two))
	if n := len(x.List()); n != 0 {
		t.Errorf("%d exceptions: %s", n, gaps(x, 0))
	}
}

// A series ends with a number that stands: what a slip of the pen left open is
// settled with it, and opens again with it.
func TestASeriesEndsWithWhatStands(t *testing.T) {
	x := NewAllExceptions()
	b := newBook(t, x)
	record := func(id string) *domain.Event {
		e := raid(karachi, id, "", "2025")
		b.write(e)
		return e
	}
	one := record("0001") // 2
	record("0003")
	slip := record("99999999") // 4
	const three = "0003 3:1: no 0002"
	lacks(t, x, 0, three+"; 99999999 4:1: no 0004 to 99999998 (99,999,995 numbers)")
	b.write(b.retract(slip)) // 5
	lacks(t, x, 0, three)
	lacks(t, x, 4, three+"; 99999999 4:1: no 0004 to 99999998 (99,999,995 numbers)")
	again := *slip.Data.(*domain.RaidConducted)
	b.write(b.correct(slip, &again)) // 6
	lacks(t, x, 0, three+"; 99999999 6:1: no 0004 to 99999998 (99,999,995 numbers)")
	record("0006")           // 7: within the hole
	b.write(b.retract(slip)) // 8: of the hole is left what is below 0006
	lacks(t, x, 0, three+"; 0006 8:1: no 0004 to 0005 (2 numbers)")
	b.write(b.retract(one)) // 9: so it is with the least
	lacks(t, x, 0, "0006 8:1: no 0004 to 0005 (2 numbers)")
	record("0000") // 10: who is retracted keeps its number
	lacks(t, x, 0, "0006 8:1: no 0004 to 0005 (2 numbers); 0000 10:1: no 0002")
}

// A diary that holds a part of what others number has no running numbers. One
// that has many gaps among more numbers has.
func TestNumbersThatDoNotRun(t *testing.T) {
	for _, test := range []struct{ gap, standing, dropped int }{{2, 0, 1}, {0, 0, 0}, {1, 99, 0}} {
		x := NewAllExceptions()
		b := newBook(t, x)
		var lines []string
		n := 1
		for i := range 300 {
			lines = append(lines, b.line(raid(karachi, fmt.Sprintf("2016-%06d", n), "", "2016")))
			switch {
			case test.gap == 2:
				n += 3
			case test.gap == 1 && i%3 == 0 && i < 296:
				n += 2
			default:
				n++
			}
		}
		b.lines(lines...)
		if got := strings.Count(gaps(x, 0), "no "); got != test.standing || len(x.Dropped(0)) != test.dropped || len(x.Dropped(1)) != 0 {
			t.Errorf("with gaps of %d, %d stand and %v is dropped, want %d and %d", test.gap, got, x.Dropped(0), test.standing, test.dropped)
		}
		for _, d := range x.Dropped(0) {
			if want := (DroppedSeries{"raid", "/nccia/karachi", "2016-", domain.Position{Entry: 2, Line: 101}}); d != want {
				t.Errorf("dropped is %v, want %v", d, want)
			}
		}
	}
}

// Each kind, diary and text before the number is a series of its own.
func TestSeries(t *testing.T) {
	x := NewAllExceptions()
	b := newBook(t, x)
	for _, ids := range [][]string{
		{"A1", "B3", "9"}, {"2024-1", "2025-7"}, {"0007-A1", "0007-A9"}, {"97-2023", "98-2025", "97-2025"},
		{"0198a7c2-6f1e-7c3a-9d51-0c8f5a2b7e10", "0198a7c2-6f1e-7c3a-9d51-0c8f5a2b7e18"}, {"KHI", "LHE"}, {"x1", "x99999999999999999999"},
	} {
		for _, id := range ids {
			b.write(raid(karachi, id, "", "2025"))
		}
	}
	b.write(arrest(karachi, "A9", "", "2025", 1, "PK"), raid(lahore, "A9", "", "2025"))
	lacks(t, x, 0, "")
	b.write(raid(karachi, "2025-11", "", "2025"), raid(karachi, "KHI-1", "", "2025"), raid(karachi, "KHI-4", "", "2025"))
	last := b.reg.Last()
	lacks(t, x, 0, fmt.Sprintf("2025-11 %d:1: no 2025-8 to 2025-10 (3 numbers); KHI-4 %d:3: no KHI-2 to KHI-3 (2 numbers)", last, last))
}

// Numbers in no order leave few holes.
func TestNumbersInNoOrder(t *testing.T) {
	x := NewAllExceptions()
	b := newBook(t, x)
	const n = 4999 // a prime
	for i := range n - 1 {
		b.lines(b.line(raid(karachi, fmt.Sprint((i+1)*1877%n), "", "2025")))
	}
	if list := x.List(); len(list) > 40 || gaps(x, 0) != "" {
		t.Errorf("%d holes in all, left %s", len(list), gaps(x, 0))
	}
}
