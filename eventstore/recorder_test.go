package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

func record(t testing.TB, r *eventstore.Recorder, lines ...string) eventstore.Receipt {
	t.Helper()
	receipt, err := r.Record(soon(t), []byte(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func submit(t testing.TB, r *eventstore.Recorder, lines ...string) *eventstore.Pending {
	t.Helper()
	p, err := r.Submit(soon(t), []byte(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func receiptOf(t testing.TB, p *eventstore.Pending) eventstore.Receipt {
	t.Helper()
	receipt, err := p.Receipt(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

// brief writes rulings as "accepted 2:1, duplicate of 1:1, refused bad-data".
func brief(receipt eventstore.Receipt) string {
	var s []string
	for _, r := range receipt.Rulings {
		word := r.Verdict.String()
		if !r.Position.IsZero() {
			word += " " + r.Position.String()
		}
		if r.Verdict == domain.Duplicate {
			word += " of " + r.First.String()
		}
		if r.Code != "" {
			word += " " + string(r.Code)
		}
		s = append(s, word)
	}
	return strings.Join(s, ", ")
}

// dam holds a ledger's appends back until it is opened.
type dam struct {
	reached chan struct{} // has a token for every append that came to it
	open    chan struct{}
}

func newDam(l *eventstore.Ledger) dam {
	d := dam{make(chan struct{}, 1000), make(chan struct{})}
	l.Guard(func() error {
		d.reached <- struct{}{}
		<-d.open
		return nil
	})
	return d
}

func TestRecord(t *testing.T) {
	l, _ := openLedger(t)
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	receipt := record(t, r, raid("/nccia/karachi", 1), raid("/nccia/lahore", 1))
	if got, want := brief(receipt), "accepted 2:1, accepted 2:2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if err := receipt.Err(); err != nil {
		t.Error(err)
	}
	entries, err := read(t, l, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(entries[0].Payload), raid("/nccia/karachi", 1)+"\n"+raid("/nccia/lahore", 1); got != want {
		t.Errorf("stored %s\nwant %s", got, want)
	}
	for i, line := range receipt.Rulings {
		if !line.Recorded.Equal(entries[0].Recorded) {
			t.Errorf("line %d: recorded %v, entry %v", i+1, line.Recorded, entries[0].Recorded)
		}
		if want := strings.Split(raid([]string{"/nccia/karachi", "/nccia/lahore"}[i], 1), `"`)[7]; line.ID.String() != want {
			t.Errorf("line %d: id %s, want %s", i+1, line.ID, want)
		}
	}
}

func TestNotOpen(t *testing.T) {
	l, _ := emptyLedger(t)
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	if got := brief(record(t, r, raid("/nccia/karachi", 1))); got != "refused not-open" {
		t.Errorf("got %s", got)
	}
	if got := brief(record(t, r, opening)); got != "accepted 1:1" {
		t.Errorf("opening: got %s", got)
	}
	if got := brief(record(t, r, raid("/nccia/karachi", 1))); got != "accepted 2:1" {
		t.Errorf("then: got %s", got)
	}
}

// TestDoor: what the state read so far decides is answered without an entry.
func TestDoor(t *testing.T) {
	l, _ := openLedger(t)
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	known, other := raid("/nccia/karachi", 1), raid("/nccia/karachi", 2)
	record(t, r, known, other)
	id := uuid.MustParse("0198a7c2-6f1e-7c3a-9d51-0c8f5a2b7e10")
	fresh := raidWithID(id, "/nccia/karachi", "000009", "call-centre")
	unknown := strings.Replace(fresh, "raid.conducted", "raid.imagined", 1)
	many := make([]string, domain.MaxLines+1)
	for i := range many {
		many[i] = raid("/nccia/lahore", i)
	}
	for _, test := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"a duplicate", []string{known}, "duplicate of 2:1"},
		{"duplicates", []string{other, known}, "duplicate of 2:2, duplicate of 2:1"},
		{"a duplicate written otherwise", []string{strings.ReplaceAll(known, `":`, "\" :\t")}, "duplicate of 2:1"},
		{"another event of a known id", []string{strings.Replace(known, "call-centre", "other", 1)}, "refused conflicting-id"},
		{"another event for a record", []string{raidWithID(id, "/nccia/karachi", "000001", "other")}, "refused record-exists"},
		{"no JSON", []string{"{"}, "refused malformed"},
		{"NUL", []string{"\x00"}, "refused malformed"},
		{"no UTF-8", []string{strings.Replace(fresh, "Karachi", "\xff", 1)}, "refused malformed"},
		{"nothing", nil, "refused malformed"},
		{"blank lines", []string{"", " \t", "\r"}, "refused malformed"},
		{"an unknown type", []string{unknown}, "refused unknown-type"},
		{"an unknown type among others", []string{fresh, known, unknown}, "refused with-refused, duplicate of 2:1, refused unknown-type"},
		{"a refused line among others", []string{fresh, fresh, "{"}, "refused with-refused, refused with-refused, refused malformed"},
		{"too many lines", many, "refused too-large"},
		{"too many bytes", []string{strings.Repeat(" ", domain.MaxEntryBytes) + "{" + strings.Repeat("x", domain.MaxEntryBytes)}, "refused too-large"},
	} {
		receipt := record(t, r, test.lines...)
		if got := brief(receipt); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
		var refusal *domain.Refusal
		if err := receipt.Err(); strings.Contains(test.want, "refused") != errors.As(err, &refusal) || refusal != nil && refusal.Code == domain.WithRefused {
			t.Errorf("%s: error %v", test.name, err)
		}
	}
	if tail, _ := l.Tail(soon(t)); tail != 2 {
		t.Errorf("%d entries, want 2: the door let something through", tail)
	}
	if got := brief(record(t, r, many[:domain.MaxLines]...)); !strings.HasPrefix(got, "accepted 3:1, ") || !strings.HasSuffix(got, ", accepted 3:1000") {
		t.Errorf("as many lines as may be: %.100s", got)
	}
}

// TestPartlyDuplicate: only the new lines are recorded.
func TestPartlyDuplicate(t *testing.T) {
	l, _ := openLedger(t)
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	line := func(n int) string { return raid("/nccia/karachi", n) }
	record(t, r, line(1), line(2))
	if got, want := brief(record(t, r, line(3), line(2), "", line(4), line(1), line(5))), "accepted 3:1, duplicate of 2:2, accepted 3:2, duplicate of 2:1, accepted 3:3"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := brief(record(t, r, line(6), line(6), line(1))), "accepted 4:1, duplicate 4:2 of 4:1, duplicate of 2:1"; got != want {
		t.Errorf("twice in one submission: got %s, want %s", got, want)
	}
	entries, err := read(t, l, 3, 3)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(entries[0].Payload), strings.Join([]string{line(3), line(4), line(5)}, "\n"); got != want {
		t.Errorf("stored %s\nwant %s", got, want)
	}
}

// TestSubmissionStaysWhole: blank lines and other white space in a submission
// do not cut it in two, and what is stored is compact.
func TestSubmissionStaysWhole(t *testing.T) {
	l, _ := openLedger(t)
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	one, two := raid("/nccia/karachi", 1), raid("/nccia/karachi", 2)
	wide := strings.ReplaceAll(two, `":`, "\" : ")
	if got, want := brief(record(t, r, "", one+"\r", " \t", "  "+wide+" ", "", "")), "accepted 2:1, accepted 2:2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	entries, err := read(t, l, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(entries[0].Payload), one+"\n"+two; got != want {
		t.Errorf("stored %s\nwant %s", got, want)
	}
}

// TestGathering: what comes while an entry is being written goes together into
// the next ones, in order, as many lines as an entry may have.
func TestGathering(t *testing.T) {
	l, _ := openLedger(t)
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	dam := newDam(l)
	pending := []*eventstore.Pending{submit(t, r, raid("/nccia/karachi", 0))}
	<-dam.reached
	const more = 2*domain.MaxLines + 500
	for i := 1; i <= more; i++ {
		pending = append(pending, submit(t, r, raid("/nccia/karachi", i)))
	}
	close(dam.open)
	for i, p := range pending {
		want := domain.Position{Entry: 2, Line: 1}
		if i > 0 {
			want = domain.Position{Entry: 3 + uint64(i-1)/domain.MaxLines, Line: 1 + (i-1)%domain.MaxLines}
		}
		if got := brief(receiptOf(t, p)); got != "accepted "+want.String() {
			t.Fatalf("submission %d: %s, want accepted %s", i, got, want)
		}
	}
	if tail, _ := l.Tail(soon(t)); tail != 5 {
		t.Errorf("%d entries for %d submissions, want 5", tail, len(pending))
	}
}

// TestEntriesAreNotTooLarge: large submissions, gathered, stay within an
// entry's bytes, to the byte.
func TestGatherMakesFewEntries(t *testing.T) {
	for name, config := range map[string]eventstore.RecorderConfig{"room for all": {}, "room for ten": {Queue: 10}} {
		t.Run(name, func(t *testing.T) {
			l, _ := openLedger(t)
			r := newRecorder(t, l, config)
			var pending []*eventstore.Pending
			if err := r.Gather(func() error {
				for i := range 1500 {
					pending = append(pending, submit(t, r, raid("/nccia/karachi", i)))
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			for _, p := range pending {
				receiptOf(t, p)
			}
			tail, err := l.Tail(soon(t))
			if err != nil {
				t.Fatal(err)
			}
			if config.Queue == 0 && tail != 3 { // the opening, a full entry, and the rest
				t.Errorf("%d entries, want 3", tail)
			}
		})
	}
}

func TestEntriesAreNotTooLarge(t *testing.T) {
	l, _ := openLedger(t)
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	dam := newDam(l)
	first := submit(t, r, raid("/nccia/karachi", 0))
	<-dam.reached
	// Two of these and the two line feeds between make exactly an entry.
	note := func(n, size int) string {
		line := strings.Replace(raid("/nccia/karachi", n), `"premises"`, `"extra":"","premises"`, 1)
		return strings.Replace(line, `"extra":"`, `"extra":"`+strings.Repeat("x", size-len(line)), 1)
	}
	const half = domain.MaxEntryBytes/2 - 1
	var pending []*eventstore.Pending
	for i, size := range []int{half, half, half, half + 1, half, domain.MaxEntryBytes} {
		pending = append(pending, submit(t, r, note(i+1, size)))
	}
	close(dam.open)
	receiptOf(t, first)
	want := []string{"3:1", "3:2", "4:1", "5:1", "6:1", "7:1"}
	for i, p := range pending {
		if got := brief(receiptOf(t, p)); got != "accepted "+want[i] {
			t.Errorf("submission %d: %s, want accepted %s", i, got, want[i])
		}
	}
}

// TestInFlightTwice: the same event handed in twice, and a conflicting one,
// before any of them is read: one accepted, one duplicate, one refused.
func TestInFlightTwice(t *testing.T) {
	l, _ := openLedger(t)
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	dam := newDam(l)
	line := raid("/nccia/karachi", 1)
	a := submit(t, r, line)
	<-dam.reached
	b := submit(t, r, line)
	c := submit(t, r, strings.Replace(line, "call-centre", "other", 1))
	close(dam.open)
	for i, test := range []struct {
		p    *eventstore.Pending
		want string
	}{{a, "accepted 2:1"}, {b, "duplicate 3:1 of 2:1"}, {c, "refused 3:2 conflicting-id"}} {
		if got := brief(receiptOf(t, test.p)); got != test.want {
			t.Errorf("%d: got %s, want %s", i, got, test.want)
		}
	}
}

// TestContextEnds: who stops waiting does not know; asking again with the same
// ids tells.
func TestContextEnds(t *testing.T) {
	l, _ := openLedger(t)
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	dam := newDam(l)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-dam.reached
		cancel()
	}()
	_, err := r.Record(ctx, []byte(raid("/nccia/karachi", 1)))
	if !errors.Is(err, eventstore.ErrUnknownOutcome) || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "same ids") {
		t.Errorf("got %v, want ErrUnknownOutcome and what to do", err)
	}
	close(dam.open)
	if got := brief(record(t, r, raid("/nccia/karachi", 1))); got != "duplicate 3:1 of 2:1" && got != "duplicate of 2:1" {
		t.Errorf("asked again: %s", got)
	}
}

// TestBusy: a full queue refuses, or waits until there is room.
func TestBusy(t *testing.T) {
	l, _ := openLedger(t)
	r := newRecorder(t, l, eventstore.RecorderConfig{Queue: 10})
	dam := newDam(l)
	var pending []*eventstore.Pending
	for i := range 10 {
		pending = append(pending, submit(t, r, raid("/nccia/karachi", i)))
	}
	more := []byte(raid("/nccia/karachi", 10))
	if _, err := r.TrySubmitAs(domain.Diary{}, more); !errors.Is(err, eventstore.ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := r.Submit(ended, more); !errors.Is(err, eventstore.ErrBusy) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	waited := make(chan string)
	go func() {
		receipt, err := r.Record(soon(t), more)
		waited <- fmt.Sprint(receipt.Err(), err)
	}()
	close(dam.open)
	if got := <-waited; got != "<nil> <nil>" {
		t.Error(got)
	}
	for _, p := range pending {
		receiptOf(t, p)
	}
	rulings, _ := replay(t, l)
	if n := count(rulings, domain.Accepted); n != 12 || len(rulings) != 12 {
		t.Errorf("%d of %d lines accepted, want 12 of 12", n, len(rulings))
	}
}

// TestBusyWithBytes: a queue is as full with a few large submissions as with
// many lines.
func TestBusyWithBytes(t *testing.T) {
	l, _ := openLedger(t)
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	dam := newDam(l)
	large := func(i int) []byte {
		return []byte(strings.Replace(raid("/nccia/karachi", i), `"data":{`, `"data":{"unknown":"`+strings.Repeat("x", domain.MaxEntryBytes-1000)+`",`, 1))
	}
	var pending []*eventstore.Pending
	for i := range 16 {
		p, err := r.TrySubmitAs(domain.Diary{}, large(i))
		if err != nil {
			t.Fatalf("submission %d: %v", i+1, err)
		}
		pending = append(pending, p)
	}
	if _, err := r.TrySubmitAs(domain.Diary{}, large(17)); !errors.Is(err, eventstore.ErrBusy) {
		t.Errorf("17 MiB in the queue: %v, want ErrBusy", err)
	}
	close(dam.open)
	for _, p := range pending {
		receiptOf(t, p)
	}
	if got := brief(record(t, r, string(large(17)))); got != "accepted 18:1" {
		t.Errorf("when there is room: %s", got)
	}
}

// TestRefusedAppend: where nothing could be recorded the receipt says so, and
// the recorder goes on when it can.
func TestRefusedAppend(t *testing.T) {
	l, _ := openLedger(t)
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	l.Guard(func() error { return &eventstore.Error{Op: "disk", Kind: eventstore.ErrDiskFull} })
	if _, err := r.Record(soon(t), []byte(raid("/nccia/karachi", 1))); !errors.Is(err, eventstore.ErrDiskFull) {
		t.Errorf("got %v, want ErrDiskFull", err)
	}
	l.Guard(nil)
	if got := brief(record(t, r, raid("/nccia/karachi", 1))); got != "accepted 2:1" {
		t.Errorf("then: %s", got)
	}
}

func TestClose(t *testing.T) {
	l, _ := openLedger(t)
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	dam := newDam(l)
	writing := submit(t, r, raid("/nccia/karachi", 1))
	<-dam.reached
	waiting := submit(t, r, raid("/nccia/karachi", 2))
	closed := make(chan error)
	go func() { closed <- r.Close() }()
	if _, err := waiting.Receipt(soon(t)); !errors.Is(err, eventstore.ErrClosed) || errors.Is(err, eventstore.ErrUnknownOutcome) {
		t.Errorf("not sent: %v, want ErrClosed", err)
	}
	if _, err := writing.Receipt(soon(t)); !errors.Is(err, eventstore.ErrUnknownOutcome) {
		t.Errorf("being sent: %v, want ErrUnknownOutcome", err)
	}
	if _, err := r.Submit(soon(t), []byte(raid("/nccia/karachi", 3))); !errors.Is(err, eventstore.ErrClosed) {
		t.Errorf("after: %v, want ErrClosed", err)
	}
	close(dam.open)
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// TestCatchingUp: a recorder that starts on a ledger with entries knows them,
// says how far it is, and shows every line to Rulings.
func TestCatchingUp(t *testing.T) {
	l, _ := openLedger(t)
	first := newRecorder(t, l, eventstore.RecorderConfig{})
	for i := range 20 {
		record(t, first, raid("/nccia/karachi", i))
	}
	var progress, ruled []uint64
	second := newRecorder(t, l, eventstore.RecorderConfig{
		Progress: func(entry, tail uint64) {
			if tail != 21 {
				t.Errorf("tail %d", tail)
			}
			progress = append(progress, entry)
		},
		Rulings: func(r *domain.Ruled) { ruled = append(ruled, r.Position.Entry) },
	})
	equal(t, "progress", progress, sequence(1, 21))
	record(t, second, raid("/nccia/karachi", 20))
	second.View(func(reg *domain.Register) {
		if reg.Last() != 22 {
			t.Errorf("register at %d, want 22", reg.Last())
		}
		equal(t, "ruled", ruled, sequence(1, 22))
	})
	if got := brief(record(t, second, raid("/nccia/karachi", 7))); got != "duplicate of 9:1" {
		t.Error(got)
	}
}

func TestCatchingUpEndsWithItsContext(t *testing.T) {
	l, _ := openLedger(t)
	for range 3 {
		if _, err := l.Append(soon(t), []byte(strings.Repeat("junk\n", domain.MaxLines))); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err := eventstore.NewRecorder(ctx, l, eventstore.RecorderConfig{Rulings: func(*domain.Ruled) {
		cancel()
		runtime.Gosched() // 3,000 times: who waits for ctx comes first
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestReceiptsAreWhatReplaySays: several recorders and a foreign writer on one
// ledger, many submitters, with duplicates, conflicts and refusals among what
// they hand in. Every receipt equals the ruling of a later replay, and every
// event is accepted exactly once.
func TestReceiptsAreWhatReplaySays(t *testing.T) {
	l, nc := openLedger(t)
	const submitters, each, events = 8, 150, 400
	recorders := []*eventstore.Recorder{
		newRecorder(t, l, eventstore.RecorderConfig{}),
		newRecorder(t, l, eventstore.RecorderConfig{Queue: 100}),
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	var (
		mu       sync.Mutex
		receipts []eventstore.Receipt
		submits  sync.WaitGroup
	)
	for s := range submitters {
		random := rand.New(rand.NewPCG(1, uint64(s)))
		submits.Go(func() {
			for range each {
				var lines []string
				for range 1 + random.IntN(3) {
					line := raid("/nccia/karachi", random.IntN(events))
					switch random.IntN(20) {
					case 0:
						line = strings.Replace(line, "call-centre", "other", 1) // conflicts, or is first
					case 1:
						line = "{"
					}
					lines = append(lines, line)
				}
				if random.IntN(10) == 0 {
					if _, err := js.Publish(soon(t), "ledger.diary.nccia.karachi", []byte(lines[0])); err != nil {
						t.Error(err)
					}
					continue
				}
				receipt, err := recorders[random.IntN(2)].Record(soon(t), []byte(strings.Join(lines, "\n")))
				if err != nil {
					t.Error(err)
					continue
				}
				if len(receipt.Rulings) != len(lines) {
					t.Errorf("%d rulings for %d lines", len(receipt.Rulings), len(lines))
				}
				mu.Lock()
				receipts = append(receipts, receipt)
				mu.Unlock()
			}
		})
	}
	submits.Wait()

	said := map[domain.Position]eventstore.LineRuling{}
	accepted := map[uuid.UUID]domain.Position{}
	rulings, reg := replay(t, l)
	for _, r := range rulings {
		said[r.Position] = r
		if r.Verdict == domain.Accepted {
			if first, twice := accepted[r.ID]; twice {
				t.Errorf("%s accepted at %s and %s", r.ID, first, r.Position)
			}
			accepted[r.ID] = r.Position
		}
	}
	stream := 0
	for _, receipt := range receipts {
		for _, r := range receipt.Rulings {
			switch {
			case !r.Position.IsZero():
				stream++
				if r != said[r.Position] {
					t.Errorf("receipt %s, replay %s", asJSON(r), asJSON(said[r.Position]))
				}
			case r.Verdict == domain.Duplicate:
				if r.First != accepted[r.ID] {
					t.Errorf("duplicate of %s, but that was accepted at %s", r.First, accepted[r.ID])
				}
			case r.Verdict != domain.Refused:
				t.Errorf("%s at the door", r.Verdict)
			}
		}
	}
	for _, r := range recorders {
		r.View(func(own *domain.Register) {
			if own.Last() == reg.Last() && own.Hash() != reg.Hash() {
				t.Error("a recorder's state differs from a replay's")
			}
		})
	}
	t.Logf("%d lines in the stream, %d ruled for receipts, %d accepted, %d entries", len(rulings), stream, len(accepted), reg.Last())
}

// TestLoad: pipelined submissions end up in far fewer entries, all accepted, in
// order.
func TestLoad(t *testing.T) {
	l, _ := openLedger(t)
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	const n = 20_000
	var pending []*eventstore.Pending
	for i := range n {
		pending = append(pending, submit(t, r, raid("/nccia/karachi", i)))
	}
	var last domain.Position
	for i, p := range pending {
		receipt := receiptOf(t, p)
		if err := receipt.Err(); err != nil {
			t.Fatalf("submission %d: %v", i, err)
		}
		if at := receipt.Rulings[0].Position; !last.Before(at) {
			t.Fatalf("submission %d at %s, the one before at %s", i, at, last)
		} else {
			last = at
		}
	}
	if last.Entry > n/2 {
		t.Errorf("%d entries for %d submissions: they were not gathered", last.Entry, n)
	}
	t.Logf("%d submissions in %d entries", n, last.Entry-1)
	rulings, _ := replay(t, l)
	if got := count(rulings, domain.Accepted); got != n+1 || len(rulings) != n+1 {
		t.Errorf("%d of %d lines accepted, want %d", got, len(rulings), n+1)
	}
	if !slices.IsSortedFunc(rulings, func(a, b eventstore.LineRuling) int { return a.Recorded.Compare(b.Recorded) }) {
		t.Error("recorded times run back")
	}
}
