package projections

import (
	"fmt"
	"strings"
	"testing"

	"roznamcha/domain"
)

// offers is the records that look alike as known at an entry.
func offers(x *Exceptions, asOf uint64) string {
	var list []string
	for e := range x.Standing(asOf) {
		if e.Kind == LookAlike {
			list = append(list, strings.TrimPrefix(e.Record.String(), "raid/")+"="+strings.TrimPrefix(e.Link.String(), "raid/")+"@"+e.Opened.String())
		}
	}
	return strings.Join(list, " ")
}

func looks(t *testing.T, x *Exceptions, asOf uint64, want string) {
	t.Helper()
	if got := offers(x, asOf); got != want {
		t.Errorf("as of %d look alike %q, want %q", asOf, got, want)
	}
}

// Two reports of one raid are offered as one until they are matched, or are
// alike no more.
func TestLookAlikes(t *testing.T) {
	x := NewAllExceptions()
	b := newBook(t, x)
	one, other := raid(karachi, "a", "Karachi", "2025-06-03"), raid(wing, "b", "KARACHI", "2025-06-03T23:30:00Z")
	b.write(one, raid(karachi, "x", "Karachi", "2025-06-03"), arrest(wing, "b", "Karachi", "2025-06-03", 1, "PK"))
	looks(t, x, 0, "")
	b.write(other) // 3: in Karachi it was the next day
	looks(t, x, 0, "")
	other.Data.Shared().Place.Country = ""
	moved := *other.Data.(*domain.RaidConducted)
	moved.Occurred = period("2025-06-03T10:30:00Z")
	b.write(b.correct(other, &moved)) // 4
	looks(t, x, 0, "fia/ccw/b=nccia/karachi/a@4:1")
	b.write(match(one, other)) // 5, told by the other of the two
	looks(t, x, 0, "")
	b.write(b.retract(one)) // 6: the other raid of that day is still told once
	looks(t, x, 0, "fia/ccw/b=nccia/karachi/x@6:1")
	b.write(b.correct(one, one.Data)) // 7: and so is what is brought back
	looks(t, x, 0, "")
	looks(t, x, 4, "fia/ccw/b=nccia/karachi/a@4:1")
	looks(t, x, 5, "")
	looks(t, x, 6, "fia/ccw/b=nccia/karachi/x@6:1")
	for _, e := range x.List() {
		if e.Kind == LookAlike && (e.Settled != domain.Position{Entry: e.Opened.Entry + 1, Line: 1} || e.Detail != "both on 2025-06-03 in KARACHI" && e.Detail != "both on 2025-06-03 in Karachi") {
			t.Errorf("%+v", e)
		}
	}
}

// Only a day and a place, of records that count, in two diaries, are enough.
func TestWhatIsTooVagueToLookAlike(t *testing.T) {
	x := NewAllExceptions()
	b := newBook(t, x)
	place := func(id string, in domain.Location) *domain.Event {
		return event(lahore, id, &domain.RaidConducted{Common: domain.Common{Occurred: period("2025-06-03"), Place: in}, Premises: domain.CallCentre})
	}
	twice := func(e *domain.Event) {
		second := *e
		second.Source, second.ID = karachi, [16]byte{}
		b.write(e, &second)
	}
	for i, occurred := range []string{"2025-06", "2025", "2025-06-03/2025-06-04", "unknown", "../2025-06-03"} {
		twice(raid(lahore, fmt.Sprint("p", i), "Lahore", occurred))
	}
	twice(place("none", domain.Location{Country: "PK"}))
	twice(place("site", domain.Location{Country: "PK", Site: "plaza"}))
	twice(place("city", domain.Location{City: domain.NotGiven}))
	b.write(place("abroad", domain.Location{Country: "AE", City: "Clock Tower"}), raid(karachi, "home", "Clock Tower", "2025-06-03"))
	looks(t, x, 0, "")
	twice(place("sub", domain.Location{Country: "PK", City: domain.NotGiven, Subdivision: "Sindh"}))
	twice(event(lahore, "case", &domain.CaseRegistered{Common: common("Lahore", "2025-06"), Registered: period("2025-06-03")}))
	looks(t, x, 0, "nccia/karachi/sub=nccia/lahore/sub@11:2 case/nccia/karachi/case=case/nccia/lahore/case@12:2")
}

// Two diaries that tell of many are offered each once; a third is offered them
// too; what is left over is offered when one falls away.
func TestManyLookAlikes(t *testing.T) {
	x := NewAllExceptions()
	b := newBook(t, x)
	var ks, ls []*domain.Event
	for i := range 3 {
		ks = append(ks, raid(karachi, fmt.Sprint("k", i), "Karachi", "2025-06-03"))
	}
	for i := range 4 {
		ls = append(ls, raid(lahore, fmt.Sprint("l", i), "Karachi", "2025-06-03"))
	}
	b.write(ks...)
	b.write(ls...)
	const three = "nccia/lahore/l0=nccia/karachi/k0@3:1 nccia/lahore/l1=nccia/karachi/k1@3:2 nccia/lahore/l2=nccia/karachi/k2@3:3"
	looks(t, x, 0, three)
	b.write(raid(wing, "w", "Karachi", "2025-06-03")) // 4
	looks(t, x, 0, three+" fia/ccw/w=nccia/karachi/k0@4:1")
	b.write(b.retract(ls[1])) // 5
	looks(t, x, 0, "nccia/lahore/l0=nccia/karachi/k0@3:1 nccia/lahore/l2=nccia/karachi/k2@3:3 fia/ccw/w=nccia/karachi/k0@4:1 nccia/lahore/l3=nccia/karachi/k1@5:1")
	b.write(match(ks[1], ls[0])) // 6: across: k0 and l3 are left over, and told by the others
	looks(t, x, 0, "nccia/lahore/l2=nccia/karachi/k2@3:3 fia/ccw/w=nccia/karachi/k0@4:1 nccia/lahore/l3=nccia/karachi/k0@6:1")
	looks(t, x, 4, three+" fia/ccw/w=nccia/karachi/k0@4:1")
}

// What was told by a diary that took it back is offered to it again.
func TestLookAlikesAfterARetraction(t *testing.T) {
	x := NewAllExceptions()
	b := newBook(t, x)
	told := func(d domain.Diary, id string) *domain.Event {
		e := raid(d, id, "Karachi", "2025-06-03")
		b.write(e)
		return e
	}
	k1, _ := told(karachi, "k1"), told(karachi, "k2")
	l1, _ := told(lahore, "l1"), told(lahore, "l2")
	b.write(match(l1, k1))
	l3 := told(lahore, "l3") // 7: finds nothing free
	b.write(b.retract(l3))
	b.write(b.retract(l1))
	looks(t, x, 0, "nccia/lahore/l2=nccia/karachi/k2@5:1")
	told(lahore, "l4") // 10
	looks(t, x, 0, "nccia/lahore/l2=nccia/karachi/k2@5:1 nccia/lahore/l4=nccia/karachi/k1@10:1")
}

// Every offer can be taken as it stands, and then there are none.
func TestLookAlikesCanAllBeTaken(t *testing.T) {
	x := NewAllExceptions()
	b := newBook(t, x)
	events := make(map[string]*domain.Event)
	for i := range 30 {
		for _, d := range []domain.Diary{karachi, lahore} {
			e := raid(d, fmt.Sprint("r", i), "Karachi", "2025-06-03")
			events[e.Source.String()+e.Subject] = e
			b.write(e)
		}
	}
	taken := 0
	for {
		var list []Exception
		for e := range x.Standing(0) {
			list = append(list, e)
		}
		if len(list) == 0 {
			break
		}
		for _, e := range list {
			taken++
			b.write(match(events[e.Record.Diary.String()+e.Record.ID], events[e.Link.Diary.String()+e.Link.ID]))
		}
	}
	if n := b.ask("raids", "", "").Total.Cells[0].Text; taken != 30 || n != "30" {
		t.Errorf("%d offers were taken, and %s raids count", taken, n)
	}
}

// Half a million in each of two diaries, all alike, is as many offers and no
// more work than that.
func TestAFloodOfLookAlikes(t *testing.T) {
	const n = 30
	x := NewAllExceptions()
	b := newBook(t, x)
	for _, d := range []domain.Diary{karachi, lahore} {
		for i := range n {
			var lines []string
			for j := range domain.MaxLines {
				lines = append(lines, b.line(raid(d, fmt.Sprint("r", i*domain.MaxLines+j), "Karachi", "2025-06-03")))
			}
			b.lines(lines...)
		}
	}
	if got := x.Counts(0); len(got) != 1 || got[0].Standing != n*domain.MaxLines {
		t.Errorf("%+v", got)
	}
	for e := range x.Standing(0) {
		if e.Detail != "both on 2025-06-03 in Karachi" {
			t.Fatalf("%v has detail %q", e.Record, e.Detail)
		}
	}
}
