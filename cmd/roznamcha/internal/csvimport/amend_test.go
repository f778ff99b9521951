package csvimport

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

// amender is the ledger with another recorder, which an import amends by.
func (l *ledger) amender(t testing.TB) (*ledger, *Amend) {
	t.Helper()
	amend := &Amend{Reason: domain.LateInformation}
	recorder, err := eventstore.NewRecorder(t.Context(), l.store, eventstore.RecorderConfig{Rulings: amend.Rulings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { recorder.Close() })
	return &ledger{recorder, l.store}, amend
}

// amend imports a file with corrections, by a recorder of its own.
func (l *ledger) amend(t testing.TB, m *Mapping, text string) Counts {
	t.Helper()
	by, amend := l.amender(t)
	return by.must(t, m, write(t, "f.csv", text), Options{Amend: amend})
}

// correct is a correction that somebody makes by hand.
func (l *ledger) correct(t testing.TB, record, replacement string) {
	t.Helper()
	l.byHand(t, "record.corrected", record, `,"replacement":`+replacement)
}

func (l *ledger) byHand(t testing.TB, typ, record, rest string) {
	t.Helper()
	name, err := domain.ParseRecordName(record)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	var stands domain.Standing
	l.View(func(reg *domain.Register) { stands, _ = reg.Lookup(name) })
	receipt, err := l.Record(t.Context(), fmt.Appendf(nil,
		`{"specversion":"1.0","id":"%s","source":"%s","type":"%s","data":{"record":"%s","amends":"%s","reason":"data-entry"%s}}`,
		uuid.New(), name.Diary, typ, record, stands.Event, rest))
	if err := errors.Join(err, receipt.Err()); err != nil {
		t.Fatal(err)
	}
}

// standing is what every record of the ledger says: its data, and whether it is
// retracted.
func (l *ledger) standing(t testing.TB) map[string]string {
	t.Helper()
	says := map[string]string{}
	tail, err := l.store.Tail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	register := domain.NewRegister()
	err = l.store.Read(t.Context(), 1, tail, func(e domain.Entry) error {
		return register.Apply(e, func(r *domain.Ruled) {
			switch name := r.Name.String(); {
			case r.Verdict != domain.Accepted:
				t.Errorf("%s: %s %s", r.Position, r.Verdict, r.Line)
			case r.Fact != nil:
				says[name] = string(domain.AppendData(nil, r.Fact))
			case r.Change == domain.Retracted:
				says[name] = "retracted " + says[name]
			}
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return says
}

const amendArrests = "id,date\n"

func TestARowThatChangedBecomesACorrection(t *testing.T) {
	l, m := newLedger(t, true), parse(t, arrests)
	same(t, l.amend(t, m, amendArrests+"1,2017\n2,2017\n3,2017\n"), Counts{Rows: 3, Recorded: 3, Events: 3})
	changed := amendArrests + "1,2018\n2,2017\n4,2018\n"
	same(t, l.amend(t, m, changed), Counts{Rows: 3, Recorded: 1, Amended: 1, Duplicates: 1, Events: 2, Corrections: 1})
	before := l.settled(t)
	same(t, l.amend(t, m, changed), Counts{Rows: 3, Duplicates: 3})
	if after := l.settled(t); after != before {
		t.Errorf("again, it went from %v to %v", before, after)
	}
	// Back to what it said first, and forth.
	same(t, l.amend(t, m, amendArrests+"1,2017\n"), Counts{Rows: 1, Amended: 1, Events: 1, Corrections: 1})
	same(t, l.amend(t, m, amendArrests+"1,2017\n"), Counts{Rows: 1, Duplicates: 1})
	same(t, l.amend(t, m, amendArrests+"1,2018\n"), Counts{Rows: 1, Amended: 1, Events: 1, Corrections: 1})
	same(t, l.amend(t, m, amendArrests+"1,2018\n"), Counts{Rows: 1, Duplicates: 1})
	if got := l.events(t); got[domain.TypeArrestMade] != 4 || got[domain.TypeRecordCorrected] != 3 {
		t.Errorf("%v", got)
	}
}

// settled is the state when everything that is there was read.
func (l *ledger) settled(t testing.TB) state {
	t.Helper()
	if err := l.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l.state()
}

func TestCorrectionsByHandStayUntilTheRowChanges(t *testing.T) {
	l, m := newLedger(t, true), parse(t, arrests)
	l.amend(t, m, amendArrests+"1,2017\n2,2017\n")
	record := func(id string) string { return "arrest/police/city/" + id }
	data := func(year string) string {
		return strings.Replace(l.standing(t)[record("2")], "2017", year, 1)
	}
	byHand := data("2020")
	l.correct(t, record("1"), byHand)
	same(t, l.amend(t, m, amendArrests+"1,2017\n"), Counts{Rows: 1, Duplicates: 1})
	// Somebody has corrected it to what the row says now.
	same(t, l.amend(t, m, amendArrests+"1,2020\n"), Counts{Rows: 1, Duplicates: 1})
	if got := l.standing(t)[record("1")]; got != byHand {
		t.Errorf("%s, want %s", got, byHand)
	}
	same(t, l.amend(t, m, amendArrests+"1,2019\n"), Counts{Rows: 1, Amended: 1, AmendedOver: 1, Events: 1, Corrections: 1})
	if got := l.standing(t)[record("1")]; got != data("2019") {
		t.Errorf("%s, want %s", got, data("2019"))
	}
	// A retraction is not taken back by a row.
	l.byHand(t, "record.retracted", record("1"), "")
	same(t, l.amend(t, m, amendArrests+"1,2019\n"), Counts{Rows: 1, Duplicates: 1})
	same(t, l.amend(t, m, amendArrests+"1,2018\n"), Counts{Rows: 1, Rejected: 1, ChangedSinceImport: 1,
		ByReason: map[string]int{"id: changed since import: its record is retracted": 1}})
}

// TestARecordOfAnotherRowIsNotAmended: the row's event has another record by now,
// or the record another event.
func TestARecordOfAnotherRowIsNotAmended(t *testing.T) {
	mapping := parse(t, strings.Replace(arrests, `key = "{id}"`, `key = "{date}"`, 1))
	l := newLedger(t, true)
	l.amend(t, mapping, amendArrests+"1,2017\n2,2018\n")
	before := l.settled(t)
	c := l.amend(t, mapping, amendArrests+"2,2017\n1,2016\n")
	if c.Rejected != 2 || c.ChangedSinceImport != 1 || c.ByReason["date: changed since import: its record has another name"] != 1 {
		t.Errorf("%+v", c)
	}
	if after := l.settled(t); after != before {
		t.Errorf("it went from %v to %v", before, after)
	}
}

// TestAnEventThatARowNoLongerGives: a record that stands and that the row is
// silent about now is not passed over as recorded before.
func TestAnEventThatARowNoLongerGives(t *testing.T) {
	l, m := newLedger(t, true), parse(t, seizures)
	l.amend(t, m, seizuresHeader+"1,,,02/02/2017,car,5,05/06/2017\n2,,,02/02/2017,ring,7,\n")
	before := l.settled(t)
	// Rejected whole, also where the rest of it changed; the rest of the file is not.
	edition := seizuresHeader + "1,,,02/02/2017,car,6,\n2,,,02/02/2017,ring,8,\n"
	rejects := filepath.Join(t.TempDir(), "rejects.csv")
	by, amend := l.amender(t)
	c := by.must(t, m, write(t, "f.csv", edition), Options{Amend: amend, Rejects: rejects})
	same(t, c, Counts{Rows: 2, Amended: 1, Rejected: 1, ChangedSinceImport: 1, Events: 1, Corrections: 1,
		ByReason: map[string]int{"id: changed since import: earlier it also gave event forfeited": 1}})
	wantRejects(t, rejects, []string{"2", "id", "1", "changed since import: earlier it also gave event forfeited. Try: roznamcha amend retract property/police/city/1-F, then import again"})
	if l.settled(t) == before {
		t.Error("the other row is not amended")
	}
	// What is retracted is not in the row's way.
	l.byHand(t, "record.retracted", "property/police/city/1-F", "")
	same(t, l.amend(t, m, edition), Counts{Rows: 2, Amended: 1, Duplicates: 1, Events: 1, Corrections: 1})
	// A row that gives no event any more at all.
	gone := parse(t, when(`{ column = "c", is = "x" }`))
	l.amend(t, gone, "id,date,c\n1,2017,x\n")
	c = l.amend(t, gone, "id,date,c\n1,2017,y\n2,2017,y\n")
	if c.Rejected != 1 || c.NoEvent != 1 {
		t.Errorf("%+v", c)
	}
}

// TestARowWhoseDiaryChanged: its event would make a second record of one thing.
func TestARowWhoseDiaryChanged(t *testing.T) {
	m := parse(t, strings.Replace(arrests, `source = "/police/city"`, `source = "/police/{unit}"`, 1))
	header := "id,date,unit\n"
	l := newLedger(t, true)
	l.amend(t, m, header+"1,2017,east\n")
	before := l.settled(t)
	moved := header + "1,2017,west\n"
	same(t, l.amend(t, m, moved), Counts{Rows: 1, Rejected: 1, ChangedSinceImport: 1,
		ByReason: map[string]int{"id: changed since import: its record has another name": 1}})
	if l.settled(t) != before {
		t.Error("it was recorded")
	}
	l.byHand(t, "record.retracted", "arrest/police/east/1", "")
	same(t, l.amend(t, m, moved), Counts{Rows: 1, Recorded: 1, Events: 1})
	same(t, l.amend(t, m, moved), Counts{Rows: 1, Duplicates: 1})
	same(t, l.amend(t, m, header+"1,2018,west\n"), Counts{Rows: 1, Amended: 1, Events: 1, Corrections: 1})
}

// TestARecordTakenOnceThatCannotBeCorrected rejects the row that tells of it, in
// the dry run and in the real one.
func TestARecordTakenOnceThatCannotBeCorrected(t *testing.T) {
	l, m := newLedger(t, true), parse(t, seizures)
	l.amend(t, m, seizuresHeader+"1,FIR-7,01/02/2017,02/02/2017,car,5,\n")
	l.byHand(t, "record.retracted", "case/police/city/FIR-7", "")
	before := l.settled(t)
	edition := seizuresHeader + "1,FIR-7,09/02/2017,02/02/2017,car,6,\n"
	by, amend := l.amender(t)
	im := open(t, m, write(t, "f.csv", edition))
	row, err := im.Next()
	if err != nil {
		t.Fatal(err)
	}
	_, _, reject := amend.Foresee(by, &row)
	same(t, l.amend(t, m, edition), Counts{Rows: 1, Rejected: 1, ChangedSinceImport: 1,
		ByReason: map[string]int{"id: changed since import: its record is retracted": 1}})
	if reject == nil || !strings.Contains(reject.Reason, "its record is retracted. Try: roznamcha amend reinstate case/police/city/FIR-7") {
		t.Errorf("foreseen: %v", reject)
	}
	if l.settled(t) != before {
		t.Error("something was recorded")
	}
}

// TestEditionsOfAFile imports random editions of a file, some of them stopped in
// the middle, with corrections and retractions by hand between, and holds what
// the ledger says after each against a model: what an import told last counts.
func TestEditionsOfAFile(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	for round := range rounds {
		r := rand.New(rand.NewPCG(7, uint64(round)))
		e := &editions{ledger: newLedger(t, true), rand: r, mapping: parse(t, seizures), told: map[string]string{}, says: map[string]string{}}
		for range 6 {
			e.edition(t)
			e.byHandSome(t)
		}
	}
}

// editions is a model of a ledger that editions of a file are imported into.
type editions struct {
	*ledger
	rand    *rand.Rand
	mapping *Mapping
	told    map[string]string // by record, what an import said last
	says    map[string]string // what stands; with "retracted " before it where it does not
}

// edition imports one edition until it is in, and holds the ledger against it.
func (e *editions) edition(t *testing.T) {
	text := seizuresHeader
	cases := map[string]string{} // as the first row tells of them
	for id := range 40 {
		if e.rand.IntN(8) == 0 {
			continue // gone, for now
		}
		value, number, registered, forfeited := e.rand.IntN(3), e.rand.IntN(12), e.rand.IntN(2)+1, ""
		if e.rand.IntN(2) == 0 {
			forfeited = "05/06/2017"
		}
		no := ""
		if number < 4 {
			no = fmt.Sprint("FIR-", number)
			if _, ok := cases[no]; !ok {
				cases[no] = fmt.Sprintf(`{"registered":"2017-02-%02d","number":"%s"}`, registered, no)
				e.tell(map[string]string{"case/police/city/" + no: cases[no]})
			}
		}
		text += fmt.Sprintf("%d,%s,%02d/02/2017,02/02/2017,item,%d,%s\n", id, no, registered, value, forfeited)
		if !e.silent(id, forfeited != "") {
			e.tell(e.row(id, no, value, forfeited != ""))
		}
	}
	path := write(t, "f.csv", text)
	by, amend := e.amender(t)
	if e.rand.IntN(2) == 0 {
		stopImport(t, by, e.mapping, path, Options{Amend: amend, InFlight: 4}, e.rand.IntN(40))
		by, amend = e.amender(t)
	}
	c := by.must(t, e.mapping, path, Options{Amend: amend, Rejects: filepath.Join(t.TempDir(), "rejects.csv")})
	got := e.standing(t)
	delete(got, "ledger/ledger/office/test")
	for record := range e.says {
		if got[record] != e.says[record] {
			t.Errorf("%s is %s, want %s", record, got[record], e.says[record])
		}
	}
	if len(got) != len(e.says) || t.Failed() {
		t.Fatalf("%d records, want %d, after %+v\n%s", len(got), len(e.says), c, text)
	}
	before := e.settled(t)
	by, amend = e.amender(t)
	again := by.must(t, e.mapping, path, Options{Amend: amend})
	if after := e.settled(t); after != before || again.Events > 0 || again.Amended > 0 {
		t.Fatalf("the same again: %+v", again)
	}
}

// silent tells whether a row no longer tells of a forfeiture that stands.
func (e *editions) silent(id int, forfeited bool) bool {
	says, ok := e.says[fmt.Sprintf("property/police/city/%d-F", id)]
	return !forfeited && ok && !strings.HasPrefix(says, "retracted ")
}

// row is what a row says of its own records.
func (e *editions) row(id int, no string, value int, forfeited bool) map[string]string {
	link := ""
	if no != "" {
		link = fmt.Sprintf(`"case":"%s",`, no)
	}
	rest := fmt.Sprintf(`"item":"item","amount":{"value":"%d.00","currency":"PKR"}}`, value)
	says := map[string]string{fmt.Sprint("property/police/city/", id): `{"occurred":"2017-02-02",` + link + rest}
	if forfeited {
		says[fmt.Sprintf("property/police/city/%d-F", id)] = fmt.Sprintf(`{"occurred":"2017-06-05","seizure":"%d",`, id) + rest
	}
	return says
}

// tell is what the ledger should do when it is told all of says, or none of it.
func (e *editions) tell(says map[string]string) {
	for record, data := range says {
		if e.told[record] != data && strings.HasPrefix(e.says[record], "retracted ") {
			return
		}
	}
	for record, data := range says {
		if e.told[record] != data && e.says[record] != data {
			e.told[record], e.says[record] = data, data
		}
	}
}

// byHandSome corrects and retracts some records.
func (e *editions) byHandSome(t *testing.T) {
	for _, record := range slices.Sorted(maps.Keys(e.says)) {
		data := e.says[record]
		if strings.HasPrefix(data, "retracted ") || !strings.Contains(data, "amount") {
			continue
		}
		switch e.rand.IntN(12) {
		case 0:
			e.byHand(t, "record.retracted", record, "")
			e.says[record] = "retracted " + data
		case 1, 2:
			i := strings.Index(data, `"value":"`) + len(`"value":"`)
			data = data[:i] + fmt.Sprint(e.rand.IntN(4)) + data[i+1:]
			e.correct(t, record, data)
			e.says[record] = data
		}
	}
}

// stopImport imports, and is stopped after some rows.
func stopImport(t *testing.T, l *ledger, m *Mapping, path string, opts Options, after int) {
	t.Helper()
	im, err := Open(m, path, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer im.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	_, _ = Run(ctx, im, &stopper{l, after, stop}, opts)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// stopper stops an import at its nth submission.
type stopper struct {
	*ledger
	left int
	stop func()
}

func (s *stopper) Submit(ctx context.Context, submission []byte) (*eventstore.Pending, error) {
	if s.left--; s.left < 0 {
		s.stop()
	}
	return s.ledger.Submit(ctx, submission)
}
