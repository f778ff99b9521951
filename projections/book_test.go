package projections

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"roznamcha/domain"

	"github.com/google/uuid"
)

var (
	karachi = domain.Diary{Agency: "nccia", Unit: "karachi"}
	lahore  = domain.Diary{Agency: "nccia", Unit: "lahore"}
	wing    = domain.Diary{Agency: "fia", Unit: "ccw"}
)

// book is a ledger in memory: what is written into it goes through the real
// register into the projections.
type book struct {
	t      tester
	reg    *domain.Register
	ps     []Projection
	now    time.Time
	ids    uint64
	totals *Totals
	last   []domain.Ruling

	payloads [][]byte // of the entries
	recorded []time.Time
}

// tester is a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// newBook is an open ledger of Pakistan, in entry 1 of 2025-07-01.
func newBook(t testing.TB, ps ...Projection) *book {
	b := &book{t: t, reg: domain.NewRegister(), now: time.Date(2025, 7, 1, 9, 0, 0, 0, time.UTC), totals: NewTotals()}
	b.ps = append(ps, b.totals)
	b.write(&domain.Event{Source: domain.Office, Subject: "test", Data: &domain.LedgerOpened{
		Name: "test", HomeCountry: "PK", Zone: "Asia/Karachi", Rules: 1,
	}})
	return b
}

// lines is what the register made of lines in one entry of their own.
func (b *book) lines(lines ...string) []domain.Ruling {
	b.t.Helper()
	b.now = b.now.Add(time.Minute)
	b.last = nil
	note := projectionFunc(func(r *domain.Ruled) { b.last = append(b.last, r.Ruling) })
	e := domain.Entry{Number: b.reg.Last() + 1, Subject: domain.EntrySubject, Recorded: b.now, Payload: []byte(strings.Join(lines, "\n"))}
	b.payloads, b.recorded = append(b.payloads, e.Payload), append(b.recorded, b.now)
	if err := Fold(b.reg, e, append([]Projection{note}, b.ps...)...); err != nil {
		b.t.Fatal(err)
	}
	return b.last
}

type projectionFunc func(*domain.Ruled)

func (f projectionFunc) Apply(r *domain.Ruled) { f(r) }

// write records events as one submission in an entry of its own; all must be
// accepted. It returns the entry's number.
func (b *book) write(events ...*domain.Event) uint64 {
	b.t.Helper()
	var lines []string
	for _, e := range events {
		lines = append(lines, b.line(e))
	}
	for i, r := range b.lines(lines...) {
		if r.Verdict != domain.Accepted {
			b.t.Fatalf("entry %d line %d: %v\n%s", b.reg.Last(), i+1, r.Err(), lines[i])
		}
	}
	return b.reg.Last()
}

// line is e as it is written, with the next id if it has none.
func (b *book) line(e *domain.Event) string {
	b.t.Helper()
	if e.ID == (uuid.UUID{}) {
		b.ids++
		e.ID = uuid.MustParse(fmt.Sprintf("00000000-0000-4000-8000-%012x", b.ids))
	}
	e.Type = e.Data.Type()
	line, err := domain.AppendEvent(nil, e)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(line)
}

// event is a fact of a diary; mend may change its data.
func event[D domain.Data](source domain.Diary, subject string, data D, mend ...func(D)) *domain.Event {
	for _, m := range mend {
		m(data)
	}
	return &domain.Event{Source: source, Subject: subject, Data: data}
}

func raid(source domain.Diary, subject, city, occurred string) *domain.Event {
	return event(source, subject, &domain.RaidConducted{Common: common(city, occurred), Premises: domain.CallCentre})
}

func arrest(source domain.Diary, subject, city, occurred string, persons int64, nationalities ...domain.Nationality) *domain.Event {
	return event(source, subject, &domain.ArrestMade{
		Common: common(city, occurred), Persons: domain.Count{N: persons}, Nationality: nationalities,
	})
}

func recovery(source domain.Diary, subject, city, occurred string, amount domain.Amount) *domain.Event {
	return event(source, subject, &domain.RecoveryMade{Common: common(city, occurred), Amount: amount})
}

func common(city, occurred string) domain.Common {
	c := domain.Common{Place: domain.Location{Country: "PK", City: city}}
	if occurred != "" {
		c.Occurred = period(occurred)
	}
	return c
}

func period(s string) domain.Period {
	p, err := domain.ParsePeriod(s)
	if err != nil {
		panic(err)
	}
	return p
}

func pkr(rupees int64) domain.Amount { return domain.Amount{Minor: 100 * rupees, Currency: "PKR"} }

// correct replaces the data of the record that first made, by its own diary.
func (b *book) correct(first *domain.Event, replacement domain.Data) *domain.Event {
	return b.amend(first, &domain.RecordCorrected{Replacement: replacement, Reason: domain.DataEntry})
}

func (b *book) retract(first *domain.Event) *domain.Event {
	return b.amend(first, &domain.RecordRetracted{Reason: domain.SourceWithdrew})
}

// amend makes an amendment of the record that first made.
func (b *book) amend(first *domain.Event, data domain.Data) *domain.Event {
	b.t.Helper()
	standing, ok := b.reg.Lookup(first.Record())
	if !ok {
		b.t.Fatalf("%v is not in the ledger", first.Record())
	}
	switch d := data.(type) {
	case *domain.RecordCorrected:
		d.Record, d.Amends = standing.Name, standing.Event
	case *domain.RecordRetracted:
		d.Record, d.Amends = standing.Name, standing.Event
	}
	return &domain.Event{Source: first.Source, Data: data}
}

func match(a, b *domain.Event) *domain.Event {
	return &domain.Event{Source: a.Source, Data: &domain.RecordMatched{Record: a.Record(), SameAs: b.Record()}}
}

// ask queries the totals with columns, dimensions and filters as a user writes
// them; mend may change the query.
func (b *book) ask(columns, by, where string, mend ...func(*Query)) *Table {
	b.t.Helper()
	table, err := b.tryAsk(columns, by, where, mend...)
	if err != nil {
		b.t.Fatal(err)
	}
	return table
}

func (b *book) tryAsk(columns, by, where string, mend ...func(*Query)) (*Table, error) {
	b.t.Helper()
	var q Query
	var err error
	if q.Columns, err = ParseColumns(columns); err != nil {
		b.t.Fatal(err)
	}
	if q.By, err = ParseDimensions(by); err != nil {
		b.t.Fatal(err)
	}
	if q.Where, err = ParseFilters(where); err != nil {
		b.t.Fatal(err)
	}
	for _, m := range mend {
		m(&q)
	}
	return b.totals.Query(q)
}

func during(s string) func(*Query)   { return func(q *Query) { q.Period = period(s) } }
func asOf(entry uint64) func(*Query) { return func(q *Query) { q.AsOf = entry } }

// shows holds a table against its printed cells: a line a row, fields between
// bars, the head first.
func shows(t testing.TB, table *Table, want string) {
	t.Helper()
	if got, want := draw(table), unindent(want); got != want {
		t.Errorf("the table is\n%s\nwant\n%s", got, want)
	}
}

// draw is a table with bars between its fields.
func draw(table *Table) string {
	var head []string
	for _, d := range table.By {
		head = append(head, d.String())
	}
	for _, c := range table.Columns {
		head = append(head, strings.TrimSpace(c.Group+" "+c.Head()))
	}
	lines := []string{strings.Join(head, " | ")}
	add := func(labels []string, row Row) {
		for _, c := range row.Cells {
			labels = append(labels, c.Text)
		}
		lines = append(lines, strings.Join(labels, " | "))
	}
	for _, row := range table.Rows {
		add(row.Texts(), row)
	}
	add([]string{"total"}, table.Total)
	if table.Unplaced != nil {
		add([]string{"unplaced"}, *table.Unplaced)
	}
	return strings.Join(append(lines, table.Notes...), "\n")
}

// unindent is s without the white space around its lines.
func unindent(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}

func hexHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
