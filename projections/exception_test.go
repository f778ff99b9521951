package projections

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"roznamcha/domain"
)

// stands holds the exceptions that stand as known at an entry against lines of
// kind, record, link and position.
func stands(t *testing.T, x *Exceptions, asOf uint64, want ...string) {
	t.Helper()
	var got []string
	for e := range x.Standing(asOf) {
		got = append(got, tell(e))
	}
	if !slices.Equal(got, want) {
		t.Errorf("as of %d there stand\n%s\nwant\n%s", asOf, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func tell(e Exception) string {
	parts := []string{e.Kind.String()}
	if e.Code != "" {
		parts = append(parts, string(e.Code))
	}
	for _, name := range []domain.RecordName{e.Record, e.Link} {
		if !name.IsZero() {
			parts = append(parts, name.String())
		}
	}
	parts = append(parts, e.Opened.String())
	if e.Lines > 1 {
		parts = append(parts, fmt.Sprint(e.Lines, " lines"))
	}
	if e.Detail != "" && e.Kind == DatedAhead {
		parts = append(parts, e.Detail)
	}
	return strings.Join(parts, " ")
}

func TestRefusedLines(t *testing.T) {
	x := NewExceptions()
	b := newBook(t, x)
	good := b.line(raid(karachi, "7", "Karachi", "2025"))
	b.lines("junk")
	b.lines(good, strings.Replace(b.line(raid(karachi, "8", "", "2025")), "call-centre", "tent", 1), b.line(raid(karachi, "9", "", "2025")))
	b.lines(good, "", strings.Replace(b.line(raid(karachi, "10", "", "2025")), "raid.conducted", "raid.dreamt", 1))
	b.lines(good) // a duplicate is none
	stands(t, x, 0,
		"refused malformed 2:1",
		"refused bad-data raid/nccia/karachi/8 3:2 3 lines",
		"unrecognised 4:2",
	)
	stands(t, x, 2, "refused malformed 2:1")
	for i, want := range []string{"want", "data.premises: ", "raid.dreamt"} {
		if got := x.List()[i].Detail; !strings.Contains(got, want) {
			t.Errorf("the detail of exception %d is %q, want one with %q", i, got, want)
		}
	}
	got := x.Counts(0)
	for i := range got {
		got[i].First = domain.Position{}
	}
	want := []ExceptionCount{
		{Kind: RefusedLine, Code: domain.Malformed, Standing: 1, Lines: 1},
		{Kind: RefusedLine, Code: domain.BadData, Standing: 1, Lines: 3},
		{Kind: UnrecognisedLine, Standing: 1},
	}
	if !slices.Equal(got, want) {
		t.Errorf("counts %+v, want %+v", got, want)
	}
}

// A line is counted with its own submission, whatever else is in the entry.
func TestLinesRefusedWithTheirSubmission(t *testing.T) {
	x := NewExceptions()
	b := newBook(t, x)
	n := 0
	good := func() string { n++; return b.line(raid(karachi, fmt.Sprint(n), "", "2025")) }
	bad := func() string { return strings.Replace(good(), "call-centre", "tent", 1) }
	b.lines(bad(), good(), "", good(), good(), bad(), "", bad(), good(), bad(), good(), good())
	stands(t, x, 0,
		"refused bad-data raid/nccia/karachi/1 2:1 2 lines",
		"refused bad-data raid/nccia/karachi/5 2:5 3 lines",
		"refused bad-data raid/nccia/karachi/6 2:6 2 lines",
		"refused bad-data raid/nccia/karachi/8 2:8 3 lines",
	)
}

// Of a flood of refused lines the positions are kept, and the details of the
// first alone.
func TestAFloodOfRefusedLines(t *testing.T) {
	x := NewExceptions()
	b := newBook(t, x)
	junk := make([]string, 2*domain.MaxLines-1)
	for i := range junk {
		if i%2 == 0 {
			junk[i] = strings.Repeat("j", 1000)
		}
	}
	for range 3 {
		b.lines(junk...)
	}
	list := x.List()
	if len(list) != 3*domain.MaxLines || list[999].Detail == "" || list[1000].Detail != "" || list[2999].Opened != (domain.Position{Entry: 4, Line: 1000}) {
		t.Errorf("%d exceptions, the last %+v", len(list), list[len(list)-1])
	}
	if len(list[0].Detail) > maxDetail+len("…") {
		t.Errorf("a detail of %d bytes", len(list[0].Detail))
	}
}

// A link that leads nowhere is an exception from the event that makes it until
// the record arrives, or the link goes away.
func TestDanglingLinks(t *testing.T) {
	x := NewExceptions()
	b := newBook(t, x)
	one := arrest(karachi, "A1", "", "2025", 1, "PK")
	one.Data.(*domain.ArrestMade).Raid = "7"
	one.Data.(*domain.ArrestMade).Cases = []domain.Link{"case/nccia/lahore/c"}
	two := arrest(lahore, "A2", "", "2025", 1, "PK")
	two.Data.(*domain.ArrestMade).Raid = "raid/nccia/karachi/7"
	b.write(one)
	b.write(two)
	const (
		oneRaid = "dangling-link arrest/nccia/karachi/A1 raid/nccia/karachi/7 2:1"
		oneCase = "dangling-link arrest/nccia/karachi/A1 case/nccia/lahore/c 2:1"
		twoRaid = "dangling-link arrest/nccia/lahore/A2 raid/nccia/karachi/7 3:1"
	)
	stands(t, x, 0, oneRaid, oneCase, twoRaid)
	moved := *one.Data.(*domain.ArrestMade)
	moved.Cases = nil
	b.write(b.correct(one, &moved)) // 4: the link to the case goes away
	stands(t, x, 0, oneRaid, twoRaid)
	b.write(b.retract(two)) // 5: what is retracted links nowhere
	stands(t, x, 0, oneRaid)
	b.write(b.correct(two, two.Data)) // 6: and does again
	stands(t, x, 0, oneRaid, "dangling-link arrest/nccia/lahore/A2 raid/nccia/karachi/7 6:1")
	b.write(raid(karachi, "7", "", "2025")) // 7
	stands(t, x, 0)
	stands(t, x, 3, oneRaid, oneCase, twoRaid)
	stands(t, x, 4, oneRaid, twoRaid)
	stands(t, x, 5, oneRaid)
	var settled []string
	for _, e := range x.List() {
		settled = append(settled, e.Opened.String()+"-"+e.Settled.String())
	}
	if got, want := strings.Join(settled, " "), "2:1-7:1 2:1-4:1 3:1-5:1 6:1-7:1"; got != want {
		t.Errorf("settled %s, want %s", got, want)
	}
}

// A record that arrives in the same entry leaves nothing to see.
func TestLinksWithinAnEntry(t *testing.T) {
	x := NewExceptions()
	b := newBook(t, x)
	one := arrest(karachi, "A1", "", "2025", 1, "PK")
	one.Data.(*domain.ArrestMade).Raid = "7"
	b.write(one, raid(karachi, "7", "", "2025"))
	stands(t, x, 0)
	if len(x.List()) != 0 || len(x.Counts(0)) != 0 {
		t.Errorf("%v", x.List())
	}
}

func TestLinksToRetractedRecords(t *testing.T) {
	x := NewExceptions()
	b := newBook(t, x)
	target := raid(karachi, "7", "", "2025")
	var arrests []*domain.Event
	for i := range 3 {
		a := arrest(karachi, fmt.Sprint("A", i), "", "2025", 1, "PK")
		a.Data.(*domain.ArrestMade).Raid = "7"
		arrests = append(arrests, a)
	}
	b.write(target, arrests[0], arrests[1])
	stands(t, x, 0)
	b.write(b.retract(target)) // 3
	const (
		first  = "link-to-retracted arrest/nccia/karachi/A0 raid/nccia/karachi/7 3:1"
		second = "link-to-retracted arrest/nccia/karachi/A1 raid/nccia/karachi/7 3:1"
		third  = "link-to-retracted arrest/nccia/karachi/A2 raid/nccia/karachi/7 4:1"
	)
	stands(t, x, 0, first, second)
	b.write(arrests[2]) // 4
	stands(t, x, 0, first, second, third)
	corrected := *arrests[0].Data.(*domain.ArrestMade)
	corrected.Raid = "8"
	b.write(b.correct(arrests[0], &corrected)) // 5: away from the one, and nowhere
	stands(t, x, 0, second, third, "dangling-link arrest/nccia/karachi/A0 raid/nccia/karachi/8 5:1")
	b.write(b.correct(target, target.Data)) // 6
	stands(t, x, 0, "dangling-link arrest/nccia/karachi/A0 raid/nccia/karachi/8 5:1")
	stands(t, x, 4, first, second, third)
}

// Links recorded by themselves, either end of which may be missing.
func TestRecordedLinks(t *testing.T) {
	x := NewExceptions()
	b := newBook(t, x)
	from, to := arrest(karachi, "A1", "", "2025", 1, "PK"), event(lahore, "c", &domain.CaseRegistered{Registered: period("2025")})
	tie := &domain.Event{Source: karachi, Data: &domain.RecordLinked{From: from.Record(), To: to.Record()}}
	from.Type, to.Type = domain.TypeArrestMade, domain.TypeCaseRegistered
	tie.Data = &domain.RecordLinked{From: from.Record(), To: to.Record()}
	b.write(tie) // 2
	stands(t, x, 0, "dangling-link case/nccia/lahore/c arrest/nccia/karachi/A1 2:1")
	b.write(from) // 3
	stands(t, x, 0, "dangling-link arrest/nccia/karachi/A1 case/nccia/lahore/c 3:1")
	b.write(b.correct(from, from.Data)) // 4: a correction does not touch it
	stands(t, x, 0, "dangling-link arrest/nccia/karachi/A1 case/nccia/lahore/c 3:1")
	untie := &domain.Event{Source: karachi, Data: &domain.RecordUnlinked{From: from.Record(), To: to.Record()}}
	b.write(untie) // 5
	stands(t, x, 0)
	b.write(&domain.Event{Source: karachi, Data: tie.Data}) // 6
	stands(t, x, 0, "dangling-link arrest/nccia/karachi/A1 case/nccia/lahore/c 6:1")
	b.write(to) // 7
	stands(t, x, 0)
	b.write(b.retract(from)) // 8: the case is still tied to it
	stands(t, x, 0, "link-to-retracted case/nccia/lahore/c arrest/nccia/karachi/A1 8:1")
	b.write(b.retract(to)) // 9: nothing that stands is
	stands(t, x, 0)
	b.write(b.correct(from, from.Data)) // 10
	stands(t, x, 0, "link-to-retracted arrest/nccia/karachi/A1 case/nccia/lahore/c 10:1")
}

// What occurred after the day on which it was recorded, that day being the
// ledger's own.
func TestDatedAhead(t *testing.T) {
	x := NewExceptions()
	b := newBook(t, x)
	b.now = time.Date(2025, 7, 1, 20, 0, 0, 0, time.UTC) // 2 July in Karachi
	today := raid(karachi, "1", "", "2025-07-02")
	year := raid(karachi, "2", "", "2025") // not over, and begun
	ahead := raid(karachi, "3", "", "2029-07-03/2029-08-01")
	filed := event(karachi, "4", &domain.CaseRegistered{Registered: period("2025-07-03")})
	b.write(today, year, ahead, filed)
	const (
		raidAhead = "dated-ahead raid/nccia/karachi/3 2:3 occurred 2029-07-03/2029-08-01, recorded on 2025-07-02"
		caseAhead = "dated-ahead case/nccia/karachi/4 2:4 registered 2025-07-03, recorded on 2025-07-02"
	)
	stands(t, x, 0, raidAhead, caseAhead)
	b.write(b.retract(filed))
	stands(t, x, 0, raidAhead)
	b.write(b.correct(ahead, raid(karachi, "3", "", "2030").Data))
	stands(t, x, 0, "dated-ahead raid/nccia/karachi/3 4:1 occurred 2030, recorded on 2025-07-02")
	b.write(b.correct(ahead, raid(karachi, "3", "", "2025-07-01").Data))
	stands(t, x, 0)
	b.write(b.correct(filed, filed.Data))
	stands(t, x, 0, "dated-ahead case/nccia/karachi/4 6:1 registered 2025-07-03, recorded on 2025-07-02")
	if got, want := fmt.Sprint(x.Counts(0)), "[{dated-ahead  1 3 0 0 6:1}]"; got != want {
		t.Errorf("counts %s, want %s", got, want)
	}
}

// An interval that ends after the day of recording is ahead, and so is a report;
// what has an open end, or names a month that is not over, is not.
func TestDatedPartlyAhead(t *testing.T) {
	x := NewExceptions()
	b := newBook(t, x) // 2025-07-01
	reported := func(id, occurred, reported string) *domain.Event {
		e := raid(karachi, id, "", occurred)
		e.Data.Shared().Reported = period(reported)
		return e
	}
	filed := event(karachi, "8", &domain.CaseRegistered{Common: common("", "2025-08"), Registered: period("2025-09")})
	b.write(
		raid(karachi, "1", "", "../2030"), raid(karachi, "2", "", "2025-06-01/2025-07-02"), raid(karachi, "3", "", "2025-06-01/2025-07-01"),
		raid(karachi, "4", "", "2025-06-01/.."), raid(karachi, "5", "", "2025-07"),
		reported("6", "2025-06", "2025-07-02"), reported("7", "2025-06", "2025-07"), filed,
	)
	stands(t, x, 0,
		"dated-ahead raid/nccia/karachi/1 2:1 occurred ../2030, recorded on 2025-07-01",
		"dated-ahead raid/nccia/karachi/2 2:2 occurred 2025-06-01/2025-07-02, recorded on 2025-07-01",
		"dated-ahead raid/nccia/karachi/6 2:6 reported 2025-07-02, recorded on 2025-07-01",
		"dated-ahead case/nccia/karachi/8 2:8 registered 2025-09, recorded on 2025-07-01",
	)
	b.write(b.correct(filed, &domain.CaseRegistered{Registered: period("2025-06")}))
	if n := x.Counts(0)[0]; n.Standing != 3 || n.Settled != 1 {
		t.Errorf("%+v", n)
	}
}

func TestExceptionForPrograms(t *testing.T) {
	e := Exception{
		Kind: DanglingLink, Opened: domain.Position{Entry: 2, Line: 1},
		Record: domain.RecordName{Kind: "arrest", Diary: karachi, ID: "A1"}, Link: domain.RecordName{Kind: "raid", Diary: karachi, ID: "7"},
	}
	got, err := json.Marshal(e)
	want := `{"kind":"dangling-link","opened":{"entry":2,"line":1},"record":"arrest/nccia/karachi/A1","link":"raid/nccia/karachi/7"}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}

// Names keep their numbers, whatever the table of numbers grows to.
func TestNames(t *testing.T) {
	s := newNames()
	name := func(i int) domain.RecordName {
		return domain.RecordName{Kind: []domain.Kind{"raid", "case"}[i%2], Diary: []domain.Diary{karachi, lahore, wing}[i%3], ID: fmt.Sprint(i / 6)}
	}
	for i := range 20_000 {
		if n := s.number(name(i)); n != uint32(i+1) {
			t.Fatalf("name %d has number %d", i, n)
		}
	}
	for i := range 20_000 {
		if s.number(name(i)) != uint32(i+1) || s.name(uint32(i+1)) != name(i) {
			t.Fatalf("name %d is %v", i, s.name(uint32(i+1)))
		}
	}
}
