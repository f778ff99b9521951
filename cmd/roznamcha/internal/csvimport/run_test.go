package csvimport

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/embedded"
)

// ledger is a real ledger on a server of its own, with a recorder.
type ledger struct {
	*eventstore.Recorder
	store *eventstore.Ledger
}

const opening = `{"specversion":"1.0","id":"00000000-0000-4000-8000-000000000000","source":"/ledger/office","type":"ledger.opened","subject":"test","data":{"name":"test","home":"US","zone":"America/New_York","rules":1}}`

// newLedger starts a ledger; one that is not opened has no first entry.
func newLedger(t testing.TB, opened bool) *ledger {
	t.Helper()
	server, err := embedded.Start(t.TempDir(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	store, err := eventstore.Create(t.Context(), nc, 1)
	if err != nil {
		t.Fatal(err)
	}
	if opened {
		if _, err := store.AppendFirst(t.Context(), []byte(opening)); err != nil {
			t.Fatal(err)
		}
	}
	recorder, err := eventstore.NewRecorder(t.Context(), store, eventstore.RecorderConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { recorder.Close() })
	return &ledger{recorder, store}
}

// state is where the ledger stands.
type state struct {
	entry uint64
	hash  [32]byte
}

func (l *ledger) state() (s state) {
	l.View(func(r *domain.Register) { s = state{r.Last(), r.Hash()} })
	return s
}

// events counts what the ledger's entries have, by type, and sees that nothing
// in it is anything but accepted.
func (l *ledger) events(t testing.TB) map[domain.Type]int {
	t.Helper()
	types := map[domain.Type]int{}
	tail, err := l.store.Tail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	register := domain.NewRegister()
	err = l.store.Read(t.Context(), 1, tail, func(e domain.Entry) error {
		return register.Apply(e, func(r *domain.Ruled) {
			if r.Verdict != domain.Accepted {
				t.Errorf("%s: %s %s", r.Position, r.Verdict, r.Line)
			}
			types[r.Event.Type]++
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	delete(types, domain.TypeLedgerOpened)
	return types
}

// run imports a file.
func (l *ledger) run(t testing.TB, m *Mapping, path string, opts Options) (Counts, error) {
	t.Helper()
	im, err := Open(m, path, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer im.Close()
	return Run(t.Context(), im, l, opts)
}

// must is run without an error, and with counts that add up.
func (l *ledger) must(t testing.TB, m *Mapping, path string, opts Options) Counts {
	t.Helper()
	c, err := l.run(t, m, path, opts)
	if err != nil {
		t.Fatal(err)
	}
	if c.Rows != c.Recorded+c.Amended+c.Duplicates+c.NoEvent+c.Rejected {
		t.Errorf("the counts do not add up: %+v", c)
	}
	return c
}

// same compares counts.
func same(t testing.TB, got, want Counts) {
	t.Helper()
	if reasons := got.ByReason; !maps.Equal(reasons, want.ByReason) {
		t.Errorf("reasons %v, want %v", reasons, want.ByReason)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("counts %+v\nwant   %+v", got, want)
	}
}

var sample = filepath.Join("testdata", "us-ice-arrests-sample.csv")

func TestImportAgainAddsNothing(t *testing.T) {
	l, m := newLedger(t, true), presetOf(t, "us-ice-arrests")
	same(t, l.must(t, m, sample, Options{}), Counts{Rows: 196, Recorded: 196, Events: 196})
	before := l.state()
	same(t, l.must(t, m, sample, Options{}), Counts{Rows: 196, Duplicates: 196})
	if after := l.state(); after != before {
		t.Errorf("the state went from %v to %v", before, after)
	}
	if got := l.events(t); got[domain.TypeArrestMade] != 196 || len(got) != 1 {
		t.Errorf("%v", got)
	}
}

func TestSeveralEventsAreCounted(t *testing.T) {
	const text = seizuresHeader +
		"1,FIR-7,01/02/2017,02/02/2017,car,5,05/06/2017\n" +
		"2,FIR-7,01/02/2017,02/02/2017,ring,7,\n" +
		"3,,,02/02/2017,ring,1.2.3,\n" +
		"4,FIR-7,09/02/2017,02/02/2017,ring,7,\n"
	l, m, path := newLedger(t, true), parse(t, seizures), write(t, "f.csv", text)
	reasons := map[string]int{"value: not a number": 1}
	same(t, l.must(t, m, path, Options{}), Counts{Rows: 4, Recorded: 3, Rejected: 1, Differs: 1, Events: 5, ByReason: reasons})
	same(t, l.must(t, m, path, Options{}), Counts{Rows: 4, Duplicates: 3, Rejected: 1, Differs: 1, ByReason: reasons})
	want := map[domain.Type]int{domain.TypeCaseRegistered: 1, domain.TypePropertySeized: 3, domain.TypePropertyForfeited: 1}
	if got := l.events(t); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestRowsWithoutEvent(t *testing.T) {
	l := newLedger(t, true)
	c := l.must(t, parse(t, when(`{ column = "c", is = "x" }`)), write(t, "f.csv", "id,date,c\n1,2017,x\n2,2017,y\n"), Options{})
	same(t, c, Counts{Rows: 2, Recorded: 1, NoEvent: 1, Events: 1})
}

func TestARowThatChanged(t *testing.T) {
	l, m := newLedger(t, true), parse(t, seizures)
	l.must(t, m, write(t, "f.csv", seizuresHeader+"1,FIR-7,01/02/2017,02/02/2017,car,5,\n2,,,02/02/2017,ring,7,\n"), Options{})
	before := l.state()
	rejects := filepath.Join(t.TempDir(), "rejects.csv")
	// The first row has another value, the second is forfeited by now, the third
	// is new and says something else of the case.
	path := write(t, "f.csv", seizuresHeader+
		"1,FIR-7,01/02/2017,02/02/2017,car,6,\n"+
		"2,,,02/02/2017,ring,7,03/03/2018\n"+
		"3,FIR-7,03/02/2017,02/02/2017,cash,8,\n")
	c := l.must(t, m, path, Options{Rejects: rejects})
	same(t, c, Counts{Rows: 3, Recorded: 2, Rejected: 1, ChangedSinceImport: 1, Differs: 1, Events: 2,
		ByReason: map[string]int{"id: changed since import: the ledger has this row otherwise": 1}})
	wantRejects(t, rejects, []string{"2", "id", "1", "changed since import: the ledger has this row otherwise. Try: import with --amend, if the new row is right"})
	if got := l.events(t); got[domain.TypePropertySeized] != 3 || got[domain.TypePropertyForfeited] != 1 || got[domain.TypeCaseRegistered] != 1 {
		t.Errorf("%v after %v", got, before)
	}
}

// TestAChangedCaseIsNotTheRowsFault imports a new edition whose first row about a
// case tells otherwise of it: the row's own event is recorded.
func TestAChangedCaseIsNotTheRowsFault(t *testing.T) {
	l, m := newLedger(t, true), parse(t, seizures)
	l.must(t, m, write(t, "f.csv", seizuresHeader+"1,FIR-7,01/02/2017,02/02/2017,car,5,\n"), Options{})
	c := l.must(t, m, write(t, "f.csv", seizuresHeader+"0,FIR-7,09/02/2017,02/02/2017,cash,8,\n1,FIR-7,01/02/2017,02/02/2017,car,5,\n"), Options{})
	same(t, c, Counts{Rows: 2, Recorded: 1, Duplicates: 1, Differs: 2, Events: 1})
}

func TestWhatTheLedgerRefuses(t *testing.T) {
	// Two rows with keys of their own and one record.
	mapping := strings.Replace(arrests, `key = "{id}"`, `key = "{#row}"`, 1)
	l, rejects := newLedger(t, true), filepath.Join(t.TempDir(), "rejects.csv")
	c := l.must(t, parse(t, mapping), write(t, "f.csv", "id,date\n1,2017\n1,2018\n2,2018\n"), Options{Rejects: rejects})
	if c.Recorded != 2 || c.Rejected != 1 || c.ChangedSinceImport != 0 {
		t.Errorf("%+v", c)
	}
	rows := readRejects(t, rejects)
	if len(rows) != 1 || rows[0][0] != "3" || !strings.HasPrefix(rows[0][3], "record-exists: ") {
		t.Errorf("%q", rows)
	}
}

func readRejects(t testing.TB, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) == 0 || strings.Join(rows[0], ",") != "line,column,value,reason" {
		t.Fatalf("the rejects file begins with %q", rows)
	}
	return rows[1:]
}

func wantRejects(t testing.TB, path string, want ...[]string) {
	t.Helper()
	got := readRejects(t, path)
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("rejects\n%q\nwant\n%q", got, want)
	}
}

func TestTheRejectsFile(t *testing.T) {
	l, m := newLedger(t, true), parse(t, arrests)
	dir := t.TempDir()
	rejects := filepath.Join(dir, "rejects.csv")
	bad := write(t, "f.csv", "id,date\n1,2017\n\n2,2017-02-30\n3,"+strings.Repeat("é", 500)+"\n\"4\"x,2017\n5\n6,2018\n")
	c := l.must(t, m, bad, Options{Rejects: rejects})
	if c.Recorded != 2 || c.Rejected != 4 {
		t.Errorf("%+v", c)
	}
	rows := readRejects(t, rejects)
	for i, want := range []string{"4,date,2017-02-30,", "5,date,éé", "6,id,,text behind", "7,,,has 1 fields"} {
		if i >= len(rows) || !strings.HasPrefix(strings.Join(rows[i], ","), want) || len(rows[i][2]) > 200 {
			t.Errorf("reject %d is %q, want %s", i, rows, want)
		}
	}
	// A file without rejects leaves the old one alone, another one replaces it.
	l.must(t, m, write(t, "f.csv", "id,date\n1,2017\n"), Options{Rejects: rejects})
	if again := readRejects(t, rejects); len(again) != len(rows) {
		t.Errorf("after an import without rejects: %q", again)
	}
	l.must(t, m, write(t, "f.csv", "id,date\n9,nonsense\n"), Options{Rejects: rejects})
	if again := readRejects(t, rejects); len(again) != 1 || again[0][0] != "2" {
		t.Errorf("after another import with rejects: %q", again)
	}
	onlyFile(t, rejects)
	before := l.state()
	for path, want := range map[string]string{
		bad:                               "that is the file to import. Try: another name",
		filepath.Join(dir, "no", "r.csv"): "Try: a path that can be written",
	} {
		if _, err := l.run(t, m, bad, Options{Rejects: path}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if l.state() != before {
		t.Error("something was recorded")
	}
	if text, err := os.ReadFile(bad); err != nil || !strings.HasPrefix(string(text), "id,date") {
		t.Errorf("the file is gone: %q, %v", text, err)
	}
	onlyFile(t, bad)
}

// onlyFile sees that nothing else is left where the file is.
func onlyFile(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Errorf("beside %s there is %v, %v", path, entries, err)
	}
}

// TestSomebodysFileIsNoRejectsFile imports with a rejects file in whose place
// something else is: that stays as it is, and nothing is recorded.
func TestSomebodysFileIsNoRejectsFile(t *testing.T) {
	l, m := newLedger(t, true), parse(t, arrests)
	before := l.state()
	for _, mine := range []string{"", "mine\n", "line,column,value,reason,mine\n", "line,column,value,reaso", "line;column;value;reason\n"} {
		path := write(t, "f.rejects.csv", mine)
		for _, text := range []string{"id,date\n1,2017\n", "id,date\n1,x\n"} {
			_, err := l.run(t, m, write(t, "f.csv", text), Options{Rejects: path})
			if err == nil || !strings.Contains(err.Error(), "is there already, and no import wrote it. Try: another file with --rejects") {
				t.Errorf("%q: %v", mine, err)
			}
		}
		if now, err := os.ReadFile(path); err != nil || string(now) != mine {
			t.Errorf("%q became %q, %v", mine, now, err)
		}
		onlyFile(t, path)
	}
	if _, err := l.run(t, m, write(t, "f.csv", "id,date\n1,2017\n"), Options{Rejects: t.TempDir()}); err == nil {
		t.Error("a directory is taken for a rejects file")
	}
	if l.state() != before {
		t.Error("something was recorded")
	}
}

// full is a recorder whose disk is full after some submissions.
type full struct {
	*eventstore.Recorder
	room int
}

func (f *full) Submit(ctx context.Context, submission []byte) (*eventstore.Pending, error) {
	if f.room--; f.room < 0 {
		return nil, &eventstore.Error{Op: "data directory d", Kind: eventstore.ErrDiskFull, Try: "make room on that disk, then the same again: nothing was recorded"}
	}
	return f.Recorder.Submit(ctx, submission)
}

func TestAFullDiskSaysWhatStands(t *testing.T) {
	l, m := newLedger(t, true), parse(t, arrests)
	var text strings.Builder
	text.WriteString("id,date\nx,x\n")
	for i := range 1500 {
		fmt.Fprintf(&text, "%d,2017\n", i)
	}
	rejects := filepath.Join(t.TempDir(), "r.csv")
	im := open(t, m, write(t, "f.csv", text.String()))
	_, err := Run(t.Context(), im, &full{l.Recorder, 1200}, Options{Rejects: rejects})
	want := " stopped: line 1203: data directory d: the disk is full. Try: make room on that disk, then import the file again\nThe 1,201 rows before that stand: 1,200 recorded, 0 already there, 1 rejected, 0 without an event. Importing the file again is safe: what is recorded is ruled a duplicate"
	if !errors.Is(err, eventstore.ErrDiskFull) || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v\nwant %s", err, want)
	}
	wantRejects(t, rejects, readRejects(t, rejects)[0])
	onlyFile(t, rejects)
}

func TestALedgerThatIsNotOpen(t *testing.T) {
	l := newLedger(t, false)
	c, err := l.run(t, presetOf(t, "us-ice-arrests"), sample, Options{})
	var refusal *domain.Refusal
	if !errors.As(err, &refusal) || refusal.Code != domain.NotOpen || !strings.Contains(err.Error(), "Try: roznamcha open") || c.Recorded != 0 {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestImportsThatStop stops an import half way in several ways and imports
// again: the totals are exact, with no duplicate and no gap.
func TestImportsThatStop(t *testing.T) {
	var text strings.Builder
	text.WriteString("id,date\n")
	const rows = 3000
	for i := range rows {
		fmt.Fprintf(&text, "%d,2017-02-03\n", i)
	}
	m, whole := parse(t, arrests), packed(t, text.String())
	path := write(t, "f.csv.gz", whole)
	stops := map[string]func(t *testing.T, l *ledger) (Counts, error){
		"the file ends in the middle": func(t *testing.T, l *ledger) (Counts, error) {
			return l.run(t, m, write(t, "f.csv.gz", whole[:len(whole)/2]), Options{})
		},
		"the context ends": func(t *testing.T, l *ledger) (Counts, error) {
			ctx, cancel := context.WithCancel(t.Context())
			im := open(t, m, path)
			return Run(ctx, im, l, Options{Progress: func(p Progress) {
				if p.Rows > 0 {
					cancel()
				}
			}, InFlight: 10})
		},
		"the recorder ends": func(t *testing.T, l *ledger) (Counts, error) {
			other, err := eventstore.NewRecorder(t.Context(), l.store, eventstore.RecorderConfig{})
			if err != nil {
				t.Fatal(err)
			}
			return Run(t.Context(), open(t, m, path), other, Options{Progress: func(Progress) { other.Close() }, InFlight: 10})
		},
	}
	for name, stop := range stops {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t, true)
			c, err := stop(t, l)
			if err == nil || !strings.Contains(err.Error(), "Importing the file again is safe") {
				t.Fatalf("%+v, %v", c, err)
			}
			if c.Recorded == 0 || c.Recorded >= rows || c.Rejected != 0 || c.Duplicates != 0 {
				t.Errorf("%+v", c)
			}
			again := l.must(t, m, path, Options{})
			if again.Recorded+again.Duplicates != rows || again.Duplicates < c.Recorded || again.Recorded == 0 {
				t.Errorf("%+v, after %+v", again, c)
			}
			arrests := map[string]int{}
			tail, err := l.store.Tail(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			register := domain.NewRegister()
			err = l.store.Read(t.Context(), 1, tail, func(e domain.Entry) error {
				return register.Apply(e, func(r *domain.Ruled) {
					if r.Verdict == domain.Accepted {
						arrests[strings.Clone(r.Event.Subject)]++
					}
				})
			})
			if err != nil || len(arrests) != rows+1 {
				t.Fatalf("%d records, %v", len(arrests), err)
			}
			for subject, n := range arrests {
				if n != 1 {
					t.Errorf("%s counts %d times", subject, n)
				}
			}
		})
	}
}

// bounded is a recorder that sees that no more than most submissions wait for
// their receipts.
type bounded struct {
	*eventstore.Recorder
	t       *testing.T
	most    int
	pending []*eventstore.Pending
}

func (b *bounded) Submit(ctx context.Context, submission []byte) (*eventstore.Pending, error) {
	if n := len(b.pending) - b.most; n >= 0 {
		select {
		case <-b.pending[n].Done():
		default:
			b.t.Errorf("submission %d is handed in while %d has no receipt", len(b.pending), n)
		}
	}
	p, err := b.Recorder.Submit(ctx, submission)
	b.pending = append(b.pending, p)
	return p, err
}

func TestRowsInFlightAreBounded(t *testing.T) {
	l := newLedger(t, true)
	im := open(t, presetOf(t, "us-ice-arrests"), sample)
	// Of the rows that are handed in, one is being settled and one waits to be
	// handed on.
	recorder := &bounded{Recorder: l.Recorder, t: t, most: 5 + 2}
	if c, err := Run(t.Context(), im, recorder, Options{InFlight: 5}); err != nil || c.Recorded != 196 {
		t.Errorf("%+v, %v", c, err)
	}
}

// busy is a recorder that has no room at first.
type busy struct {
	*eventstore.Recorder
	refuse int
}

func (b *busy) Submit(ctx context.Context, submission []byte) (*eventstore.Pending, error) {
	if b.refuse > 0 {
		b.refuse--
		return nil, eventstore.ErrBusy
	}
	return b.Recorder.Submit(ctx, submission)
}

func TestABusyRecorderIsAskedAgain(t *testing.T) {
	l := newLedger(t, true)
	c, err := Run(t.Context(), open(t, presetOf(t, "us-ice-arrests"), sample), &busy{l.Recorder, 2}, Options{})
	if err != nil || c.Recorded != 196 {
		t.Errorf("%+v, %v", c, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err = Run(ctx, open(t, presetOf(t, "us-ice-arrests"), sample), &busy{l.Recorder, 1 << 30}, Options{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestProgressIsTold(t *testing.T) {
	l := newLedger(t, true)
	var last Progress
	path := sample
	l.must(t, presetOf(t, "us-ice-arrests"), path, Options{Progress: func(p Progress) {
		if p.Rows < last.Rows || p.BytesRead < last.BytesRead {
			t.Errorf("%+v after %+v", p, last)
		}
		last = p
	}})
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Progress{196, info.Size(), info.Size()}); last != want {
		t.Errorf("at the end %+v, want %+v", last, want)
	}
}

func TestReasonsAreBounded(t *testing.T) {
	var c Counts
	for i := range 250 {
		c.Add(&Row{Reject: &Reject{Column: "c", Reason: fmt.Sprintf("reason %d. Try: %d", i%150, i)}})
	}
	if len(c.ByReason) != 101 || c.ByReason[OtherReasons] != 50 || c.ByReason["c: reason 99"] != 2 || c.Rejected != 250 {
		t.Errorf("%d reasons, %d others, %d rejected", len(c.ByReason), c.ByReason[OtherReasons], c.Rejected)
	}
}
