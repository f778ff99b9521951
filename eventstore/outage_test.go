package eventstore_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/embedded"
)

// serve starts a server that others can Dial, and dialled connects to it so
// that the connection finds the next one on the same directory too.
func serve(t testing.TB, dir string) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(dir, embedded.Options{Serving: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func dialled(t testing.TB, dir string) *nats.Conn {
	t.Helper()
	nc, err := embedded.Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// opened makes a ledger with its opening, or opens the one that is there.
func opened(t testing.TB, nc *nats.Conn) *eventstore.Ledger {
	t.Helper()
	l, err := eventstore.Create(soon(t), nc, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.AppendFirst(soon(t), []byte(opening)); err != nil && !errors.Is(err, eventstore.ErrNotEmpty) {
		t.Fatal(err)
	}
	return l
}

// checkOnce replays the ledger: events 0 to n-1 of the diary are accepted, each
// once, and nothing else is.
func checkOnce(t testing.TB, l *eventstore.Ledger, n int) (duplicates int) {
	t.Helper()
	rulings, reg := replay(t, l)
	if got := count(rulings, domain.Accepted); got != n+1 {
		t.Errorf("%d events accepted, want %d and the opening", got, n)
	}
	if got := count(rulings, domain.Refused); got != 0 {
		t.Errorf("%d refused", got)
	}
	for i := range n {
		name := domain.RecordName{Kind: "raid", Diary: domain.Diary{Agency: "nccia", Unit: "karachi"}, ID: fmt.Sprintf("%06d", i)}
		if _, ok := reg.Lookup(name); !ok {
			t.Errorf("%s is not in the ledger", name)
		}
	}
	return count(rulings, domain.Duplicate)
}

// TestServerStopsUnderLoad stops the server in the middle of load, several
// times, and starts another on the same directory: every submission is answered
// and recorded exactly once.
func TestServerStopsUnderLoad(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir)
	l := opened(t, dialled(t, dir))
	r := newRecorder(t, l, eventstore.RecorderConfig{Queue: 2 * domain.MaxLines})
	const n, stops = 12_000, 4
	pending := make(chan *eventstore.Pending, 1000)
	submitted := make(chan error, 1)
	go func() {
		defer close(pending)
		for i := range n {
			p, err := r.Submit(context.Background(), []byte(raid("/nccia/karachi", i)))
			if err != nil {
				submitted <- err
				return
			}
			pending <- p
		}
		submitted <- nil
	}()
	answered := 0
	for p := range pending {
		receipt, err := p.Receipt(soon(t))
		if err == nil {
			err = receipt.Err()
		}
		if err != nil {
			t.Fatalf("submission %d: %v", answered, err)
		}
		if answered++; answered%(n/(stops+1)) == 0 && answered < n {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = serve(t, dir)
		}
	}
	if err := <-submitted; err != nil {
		t.Fatal(err)
	}
	if answered != n {
		t.Errorf("%d answered, want %d", answered, n)
	}
	look := opened(t, dialled(t, dir))
	t.Logf("%d lines were written twice", checkOnce(t, look, n))
	r.View(func(own *domain.Register) {
		if _, reg := replay(t, look); own.Last() != reg.Last() || own.Hash() != reg.Hash() {
			t.Errorf("the recorder's state at %d differs from a replay's at %d", own.Last(), reg.Last())
		}
	})
}

// TestLostAcknowledgement: the server writes the entry and its answer is lost
// with the connection. The recorder finds out by itself.
func TestLostAcknowledgement(t *testing.T) {
	s, direct := startServer(t)
	look := opened(t, direct)
	cable, address := newCable(t, s)
	nc, err := eventstore.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	l, err := eventstore.Open(soon(t), nc)
	if err != nil {
		t.Fatal(err)
	}
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	const rounds = 5
	for i := range rounds {
		tail, err := look.Tail(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		cable.silence()
		p := submit(t, r, raid("/nccia/karachi", i))
		err = look.Follow(soon(t), tail+1, func(domain.Entry) error { return errors.New("it is there") })
		if err == nil || err.Error() != "it is there" {
			t.Fatal(err)
		}
		cable.cut()
		ruling := receiptOf(t, p).Rulings[0]
		first := domain.Position{Entry: tail + 1, Line: 1}
		if ruling.Position != first && ruling.First != first || ruling.Err() != nil {
			t.Errorf("round %d: %s, want accepted at %s or a duplicate of it", i, asJSON(ruling), first)
		}
	}
	t.Logf("%d of %d were written twice", checkOnce(t, look, rounds), rounds)
}

// TestRefusedAfterAnUnknownOutcome: an append may have been lost or not, and now
// the ledger may not be written to. The one has an unknown outcome, and what
// comes after it is refused at once, with the reason.
func TestRefusedAfterAnUnknownOutcome(t *testing.T) {
	s, direct := startServer(t)
	opened(t, direct)
	cable, address := newCable(t, s)
	nc, err := eventstore.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	l, err := eventstore.Open(soon(t), nc)
	if err != nil {
		t.Fatal(err)
	}
	refuse := atomic.Bool{}
	l.Guard(func() error {
		if refuse.Load() {
			return &eventstore.Error{Op: "append", Kind: eventstore.ErrRejected, Err: errors.New("the disk does not sync")}
		}
		return nil
	})
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	var lost []byte
	sent := make(chan struct{})
	wasSent := sync.OnceFunc(func() { close(sent) })
	cable.told = func(b []byte) {
		if lost = append(lost, b...); bytes.Contains(lost, []byte("PUB "+domain.EntrySubject)) {
			wasSent()
		}
	}
	cable.lose(false, true)
	first := submit(t, r, raid("/nccia/karachi", 1))
	<-sent
	refuse.Store(true)
	second := submit(t, r, raid("/nccia/karachi", 2))
	cable.cut()
	if _, err := first.Receipt(soon(t)); !errors.Is(err, eventstore.ErrUnknownOutcome) || !strings.Contains(err.Error(), "does not sync") {
		t.Errorf("the first: %v", err)
	}
	if _, err := second.Receipt(soon(t)); !errors.Is(err, eventstore.ErrRejected) {
		t.Errorf("the second: %v", err)
	}
}

// TestAConnectionClosedForGood ends the recorder: nothing brings it back.
func TestAConnectionClosedForGood(t *testing.T) {
	s, direct := startServer(t)
	opened(t, direct)
	nc, err := eventstore.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	l, err := eventstore.Open(soon(t), nc)
	if err != nil {
		t.Fatal(err)
	}
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	nc.Close()
	select {
	case <-r.Done():
	case <-soon(t).Done():
		t.Fatal("the recorder goes on")
	}
	if err := r.Err(); !errors.Is(err, eventstore.ErrRejected) {
		t.Errorf("it ended with %v", err)
	}
}

// TestAwayWhileSubmitting: the server is away when a submission comes; the
// recorder writes it when it is back.
func TestAwayWhileSubmitting(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir)
	nc := dialled(t, dir)
	l := opened(t, nc)
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	cut := nc.StatusChanged(nats.RECONNECTING)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	<-cut
	if _, err := l.Append(soon(t), []byte("x")); !errors.Is(err, eventstore.ErrUnavailable) || !strings.Contains(err.Error(), "Try: ") {
		t.Errorf("append while it is away: %v, want ErrUnavailable", err)
	}
	if _, err := l.Tail(soon(t)); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("tail while it is away: %v, want ErrUnavailable", err)
	}
	p := submit(t, r, raid("/nccia/karachi", 0))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Receipt(ctx); !errors.Is(err, eventstore.ErrUnknownOutcome) {
		t.Errorf("receipt while it is away: %v, want ErrUnknownOutcome", err)
	}
	serve(t, dir)
	if got := brief(receiptOf(t, p)); got != "accepted 2:1" {
		t.Errorf("when it is back: %s", got)
	}
	checkOnce(t, l, 1)
}

// whileAway stops s, lets damage work on the store's server in private, and
// serves it again to those who were connected.
func whileAway(t *testing.T, dir string, s *embedded.Server, damage func(*eventstore.Ledger, jetstream.JetStream)) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	private, err := embedded.Start(dir, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	nc, err := private.Connect()
	if err != nil {
		t.Fatal(err)
	}
	l, err1 := eventstore.OpenUnchecked(nc)
	js, err2 := jetstream.New(nc)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	damage(l, js)
	if err := private.Close(); err != nil {
		t.Fatal(err)
	}
	serve(t, dir)
}

// TestGapStopsTheRecorder: when the recorder's reader comes to a gap nothing is
// recorded any more.
func TestGapStopsTheRecorder(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir)
	nc := dialled(t, dir)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	c := safeConfig()
	c.DenyDelete = false
	if _, err := js.CreateStream(soon(t), c); err != nil {
		t.Fatal(err)
	}
	l, err := eventstore.OpenUnchecked(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.AppendFirst(soon(t), []byte(opening)); err != nil {
		t.Fatal(err)
	}
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	record(t, r, raid("/nccia/karachi", 1))
	whileAway(t, dir, s, func(l *eventstore.Ledger, js jetstream.JetStream) {
		appendN(t, l, 3)
		stream, err := js.Stream(soon(t), "LEDGER")
		if err == nil {
			err = stream.DeleteMsg(soon(t), 4)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	want := eventstore.GapError{Want: 4, Got: 5}
	checkAlarm(t, r, func(err error) bool {
		var gap *eventstore.GapError
		return errors.As(err, &gap) && *gap == want
	})
	var gap *eventstore.GapError
	if _, err := eventstore.NewRecorder(soon(t), l, eventstore.RecorderConfig{}); !errors.As(err, &gap) || *gap != want {
		t.Errorf("a new recorder: %v, want %v", err, &want)
	}
}

// TestWentBackStopsTheRecorder: the server comes back with a shorter ledger.
func TestWentBackStopsTheRecorder(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir)
	l := opened(t, dialled(t, dir))
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	record(t, r, raid("/nccia/karachi", 1))
	record(t, r, raid("/nccia/karachi", 2))
	whileAway(t, dir, s, func(_ *eventstore.Ledger, js jetstream.JetStream) {
		err := js.DeleteStream(soon(t), "LEDGER")
		if err == nil {
			_, err = js.CreateStream(soon(t), safeConfig())
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	checkAlarm(t, r, func(err error) bool {
		var back *eventstore.WentBackError
		return errors.As(err, &back) && *back == eventstore.WentBackError{Had: 3, Tail: 0}
	})
}

// TestAnotherLedgerStopsTheRecorder: the server comes back with a longer ledger
// that has another entry where the recorder stood.
func TestAnotherLedgerStopsTheRecorder(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir)
	l := opened(t, dialled(t, dir))
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	record(t, r, raid("/nccia/karachi", 1))
	whileAway(t, dir, s, func(l *eventstore.Ledger, js jetstream.JetStream) {
		err := js.DeleteStream(soon(t), "LEDGER")
		if err == nil {
			_, err = js.CreateStream(soon(t), safeConfig())
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{opening, raid("/nccia/karachi", 2), raid("/nccia/karachi", 3)} {
			if _, err := l.Append(soon(t), []byte(line)); err != nil {
				t.Fatal(err)
			}
		}
	})
	checkAlarm(t, r, func(err error) bool {
		var back *eventstore.WentBackError
		return errors.As(err, &back) && *back == eventstore.WentBackError{Had: 2, Tail: 2} && strings.Contains(err.Error(), "not the one that it was")
	})
}

// checkAlarm waits until the recorder has stopped: it says why, to everyone.
func checkAlarm(t *testing.T, r *eventstore.Recorder, isAlarm func(error) bool) {
	t.Helper()
	select {
	case <-r.Done():
	case <-soon(t).Done():
		t.Fatal("the recorder goes on")
	}
	_, submitting := r.Submit(soon(t), []byte(raid("/nccia/karachi", 99)))
	_, again := r.Submit(soon(t), []byte(opening)) // what it had read is no more to be relied on
	_, checking := r.Check(domain.Diary{}, []byte(opening))
	for what, err := range map[string]error{"Err": r.Err(), "Submit": submitting, "Submit again": again, "Check": checking, "Close": r.Close()} {
		if !isAlarm(err) {
			t.Errorf("%s: %v, want the alarm", what, err)
		}
	}
}

// TestKilledWhileRecording kills a process in the middle of recording, over and
// over: everything it had acknowledged is there exactly once, at the position
// that it said.
func TestKilledWhileRecording(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	said := map[string]string{} // record id to position
	for round := range 5 {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), "ROZNAMCHA_TEST_RECORD="+dir)
		c.Stderr = os.Stderr
		out, err := c.StdoutPipe()
		if err == nil {
			err = c.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if n == 300+100*round {
				_ = c.Process.Kill() // what it has printed by now still counts
			}
			id, position, ok := strings.Cut(lines.Text(), " ")
			if !ok || strings.HasPrefix(id, "error") {
				t.Fatal(lines.Text())
			}
			if was, again := said[id]; again && was != position {
				t.Fatalf("%s acknowledged at %s and at %s", id, was, position)
			}
			said[id] = position
		}
		_ = c.Wait()
	}
	s, err := embedded.Start(dir, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	nc, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	l, err := eventstore.Open(soon(t), nc)
	if err != nil {
		t.Fatal(err)
	}
	rulings, reg := replay(t, l)
	accepted := 0
	for _, r := range rulings {
		if r.Verdict == domain.Refused {
			t.Errorf("refused at %s: %v", r.Position, r.Err())
		}
		if r.Verdict == domain.Accepted {
			accepted++
		}
	}
	for id, position := range said {
		standing, ok := reg.Lookup(domain.RecordName{Kind: "raid", Diary: domain.Diary{Agency: "nccia", Unit: "karachi"}, ID: id})
		if !ok || standing.Position.String() != position {
			t.Errorf("%s was acknowledged at %s: found %v at %s", id, position, ok, standing.Position)
		}
	}
	t.Logf("%d acknowledged, %d accepted, %d duplicates, %d entries", len(said), accepted-1, count(rulings, domain.Duplicate), reg.Last())
}

// recordUntilKilled is the child: it records the raids from 0 on, those of an
// earlier life again, and prints what is acknowledged.
func recordUntilKilled(dir string) {
	end := func(err error) {
		fmt.Println("error", err)
		os.Exit(1)
	}
	ctx := context.Background()
	s, err := embedded.Start(dir, embedded.Options{})
	if err != nil {
		end(err)
	}
	nc, err := s.Connect()
	if err != nil {
		end(err)
	}
	l, err := eventstore.Create(ctx, nc, 1)
	if err != nil {
		end(err)
	}
	if _, err := l.AppendFirst(ctx, []byte(opening)); err != nil && !errors.Is(err, eventstore.ErrNotEmpty) {
		end(err)
	}
	r, err := eventstore.NewRecorder(ctx, l, eventstore.RecorderConfig{})
	if err != nil {
		end(err)
	}
	pending := make(chan *eventstore.Pending, 64)
	go func() {
		for i := 0; ; i++ {
			p, err := r.Submit(ctx, []byte(raid("/nccia/karachi", i)))
			if err != nil {
				end(err)
			}
			pending <- p
		}
	}()
	for i := 0; ; i++ {
		receipt, err := (<-pending).Receipt(ctx)
		if err == nil {
			err = receipt.Err()
		}
		if err != nil {
			end(err)
		}
		at := receipt.Rulings[0].Position
		if receipt.Rulings[0].Verdict == domain.Duplicate {
			at = receipt.Rulings[0].First
		}
		fmt.Printf("%06d %s\n", i, at)
	}
}
