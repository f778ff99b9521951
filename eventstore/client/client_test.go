package client_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/client"
)

func TestReceiptIsThatOfAReplay(t *testing.T) {
	d := newDesk(t)
	d.serve(t)
	c, _ := d.client(t)
	// Many callers on one client, each with submissions of one to three events.
	const callers, each = 50, 20
	var mu sync.Mutex
	var got []eventstore.LineRuling
	var work sync.WaitGroup
	for caller := range callers {
		work.Go(func() {
			for i := range each {
				var lines []string
				for n := range 1 + (caller+i)%3 {
					lines = append(lines, raid(1000*caller+10*i+n))
				}
				receipt, err := c.Record(soon(t), []byte(strings.Join(lines, "\n")))
				if err != nil || receipt.Err() != nil || len(receipt.Rulings) != len(lines) {
					t.Errorf("%+v, %v", receipt, err)
					return
				}
				if receipt.Mark.Entry != receipt.Rulings[0].Position.Entry {
					t.Errorf("mark %v of %+v", receipt.Mark, receipt)
					return
				}
				for n, r := range receipt.Rulings {
					if r.ID != raidID(1000*caller+10*i+n) {
						t.Errorf("the receipt of another submission: %+v", receipt)
					}
				}
				mu.Lock()
				got = append(got, receipt.Rulings...)
				mu.Unlock()
			}
		})
	}
	work.Wait()
	rulings := map[domain.Position]eventstore.LineRuling{}
	for _, r := range replay(t, d.ledger) {
		rulings[r.Position] = r
	}
	if len(got) != len(rulings)-1 {
		t.Errorf("%d lines have a receipt, %d are in the ledger", len(got), len(rulings)-1)
	}
	for _, r := range got {
		if want := rulings[r.Position]; !r.Recorded.Equal(want.Recorded) || r.ID != want.ID || r.Ruling != want.Ruling {
			t.Errorf("the receipt says %+v, a replay %+v", r, want)
		}
	}
	if requests := d.requests.Load(); requests > callers*each/4 {
		t.Errorf("%d submissions took %d requests: they do not travel together", callers*each, requests)
	}
}

func TestEveryFormOfASubmissionIsOneSubmission(t *testing.T) {
	d := newDesk(t)
	d.serve(t)
	c, _ := d.client(t)
	spread := strings.ReplaceAll(raid(1), ",", ",\n")
	for _, s := range []struct {
		name, submission string
		want             []domain.Verdict
	}{
		{"spread over lines", "\n" + spread + "\n", []domain.Verdict{domain.Accepted}},
		{"an array", "[" + raid(2) + "," + raid(3) + "]", []domain.Verdict{domain.Accepted, domain.Accepted}},
		{"blank lines around", "\n" + raid(4) + "\r\n" + raid(1) + "\n \n\n", []domain.Verdict{domain.Accepted, domain.Duplicate}},
		{"spread over lines, some blank", strings.ReplaceAll(raid(9), ",", ",\n \n"), []domain.Verdict{domain.Accepted}},
		{"spread over lines, broken", strings.ReplaceAll(raid(10), ",", ",\n,"), []domain.Verdict{domain.Refused}},
		{"nothing", " \n", []domain.Verdict{domain.Refused}},
		{"junk", "junk", []domain.Verdict{domain.Refused}},
		{"an array in an array", "[[1]]", []domain.Verdict{domain.Refused}},
		{"half an array", "[" + raid(6), []domain.Verdict{domain.Refused}},
		{"1,001 events", strings.Repeat(raid(7)+"\n", 1001), []domain.Verdict{domain.Refused}},
		{"2 MB", strings.Repeat(" ", 2<<20) + raid(8), []domain.Verdict{domain.Refused}},
		{"what begins like the next", "{", []domain.Verdict{domain.Refused}},
	} {
		var work sync.WaitGroup
		work.Go(func() { // something to travel with
			if receipt, err := c.Record(soon(t), []byte("}")); err != nil || receipt.Err() == nil {
				t.Errorf("junk: %+v, %v", receipt, err)
			}
		})
		receipt, err := c.Record(soon(t), []byte(s.submission))
		work.Wait()
		var got []domain.Verdict
		for _, r := range receipt.Rulings {
			got = append(got, r.Verdict)
		}
		if err != nil || !reflect.DeepEqual(got, s.want) {
			t.Errorf("%s: %v %v, want %v", s.name, receipt.Err(), err, s.want)
		}
	}
}

// TestSeveralSubmissionsAreNotOne: what the service separates, the client neither
// joins nor sends.
func TestSeveralSubmissionsAreNotOne(t *testing.T) {
	d := newDesk(t)
	d.serve(t)
	c, _ := d.client(t)
	for _, submissions := range []string{
		raid(1) + "\n\n" + raid(2),
		"\n" + raid(1) + "\r\n\n\n" + raid(2) + "\n \n",
		raid(1) + "\n\n{}",
		strings.ReplaceAll(raid(1), ",", ",\n\n") + "\n\n" + raid(2),
	} {
		for what, ask := range map[string]func(context.Context, []byte) (eventstore.Receipt, error){"record": c.Record, "check": c.Check} {
			receipt, err := ask(soon(t), []byte(submissions))
			if err != nil || len(receipt.Rulings) != 1 || receipt.Rulings[0].Code != domain.Malformed || !strings.Contains(receipt.Rulings[0].Detail, "a blank line stands between submissions") {
				t.Errorf("%s %q: %+v, %v", what, submissions, receipt, err)
			}
		}
	}
	if n := d.requests.Load(); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// TestJunkHarmsNobodyInTheSameRequest mixes junk that looks like the beginning of
// another body with what is to be recorded.
func TestJunkHarmsNobodyInTheSameRequest(t *testing.T) {
	d := newDesk(t)
	d.serve(t)
	c, _ := d.client(t)
	junk := []string{"[[1]]", "{", "}", "null", `{"a":`, "[[1],\n[2]]", "[", "]"}
	var work sync.WaitGroup
	for n := range 200 {
		work.Go(func() {
			bad := junk[n%len(junk)]
			if receipt, err := c.Record(soon(t), []byte(bad)); err != nil || receipt.Err() == nil {
				t.Errorf("%s: %+v, %v", bad, receipt, err)
			}
		})
		work.Go(func() {
			if receipt, err := c.Record(soon(t), []byte(raid(n))); err != nil || receipt.Err() != nil {
				t.Errorf("raid %d: %v, %v", n, receipt.Err(), err)
			}
		})
	}
	work.Wait()
}

func TestCheckRecordsNothing(t *testing.T) {
	d := newDesk(t)
	d.serve(t)
	c, _ := d.client(t)
	receipt, err := c.Check(soon(t), []byte(raid(1)))
	if err != nil || receipt.Err() != nil || len(receipt.Rulings) != 1 || !receipt.Rulings[0].Position.IsZero() {
		t.Errorf("%+v, %v", receipt, err)
	}
	if tail, err := d.ledger.Tail(soon(t)); err != nil || tail != 1 {
		t.Errorf("the ledger ends at entry %d (%v)", tail, err)
	}
}

// TestALostAnswerIsAskedForAgain: what was recorded and not answered comes back as
// a duplicate with its first position, once.
func TestALostAnswerIsAskedForAgain(t *testing.T) {
	d := newDesk(t)
	d.answer = func(m *nats.Msg, n int64, reply []byte) {
		if n > 2 {
			_ = m.Respond(reply)
		}
	}
	d.serve(t)
	c, _ := d.client(t)
	client.SetPatience(c, time.Millisecond)
	receipt, err := c.Record(soon(t), []byte(raid(1)))
	if err != nil || receipt.Err() != nil || receipt.Rulings[0].Verdict != domain.Duplicate || receipt.Rulings[0].First != (domain.Position{Entry: 2, Line: 1}) {
		t.Errorf("%+v, %v", receipt, err)
	}
	if rulings := replay(t, d.ledger); len(rulings) != 2 {
		t.Errorf("the ledger has %d lines", len(rulings))
	}
}

func TestWhatARetryHelpsIsAskedAgain(t *testing.T) {
	for _, kind := range []error{eventstore.ErrBusy, eventstore.ErrUnavailable, eventstore.ErrUnknownOutcome, eventstore.ErrClosed} {
		d := newDesk(t)
		d.answer = func(m *nats.Msg, n int64, reply []byte) {
			if n < 4 {
				reply = unanswered(&eventstore.Error{Op: "record", Kind: kind})
			}
			_ = m.Respond(reply)
		}
		d.serve(t)
		c, _ := d.client(t)
		receipt, err := c.Record(soon(t), []byte(raid(1)))
		if err != nil || receipt.Err() != nil {
			t.Errorf("%v: %+v, %v", kind, receipt, err)
		}
		if n := d.requests.Load(); n != 4 {
			t.Errorf("%v: %d requests", kind, n)
		}
	}
}

func TestWhatARetryDoesNotHelpIsAnsweredAtOnce(t *testing.T) {
	for _, c := range []struct {
		answer []byte
		want   error
		tells  string
	}{
		{unanswered(&eventstore.Error{Op: "append", Kind: eventstore.ErrDiskFull}), eventstore.ErrDiskFull, "make room"},
		{unanswered(&eventstore.Error{Op: "append", Kind: eventstore.ErrDenied}), eventstore.ErrDenied, "credentials"},
		{unanswered(&eventstore.GapError{Want: 3, Got: 7}), eventstore.ErrUnknownOutcome, "entries 3 to 6 are missing. Try: stop recording"},
		{unanswered(&eventstore.WentBackError{Had: 3, Tail: 1}), eventstore.ErrUnknownOutcome, "entries 2 to 3 are missing. Try: stop recording"},
		{[]byte(`{"results":[{"line":1,"ruling":"unanswered","code":"gap","retry":false}]}`), eventstore.ErrUnknownOutcome, "Try: stop recording"},
		{unanswered(&eventstore.UnsafeError{Setting: "max_age", Is: "1h", Want: "0"}), eventstore.ErrClosed, "max_age is 1h, must be 0. Try: let the operator mend"},
		{[]byte(`{"results":[]}`), eventstore.ErrUnknownOutcome, "same ids"},
		{[]byte(`{"results":[{"line":1,"ruling":"perhaps"}]}`), eventstore.ErrUnknownOutcome, "perhaps"},
		{[]byte(`welcome`), eventstore.ErrUnknownOutcome, "same ids"},
	} {
		d := newDesk(t)
		d.answer = func(m *nats.Msg, _ int64, _ []byte) { _ = m.Respond(c.answer) }
		d.serve(t)
		cl, _ := d.client(t)
		_, err := cl.Record(soon(t), []byte(raid(1)))
		if !errors.Is(err, c.want) || !strings.Contains(fmt.Sprint(err), c.tells) {
			t.Errorf("%s: %v", c.answer, err)
		}
		if n := d.requests.Load(); n != 1 {
			t.Errorf("%s: %d requests", c.answer, n)
		}
	}
}

// TestTheEndOfTheContextSaysWhatIsKnown: only what may be recorded has an unknown
// outcome.
func TestTheEndOfTheContextSaysWhatIsKnown(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(m *nats.Msg, n int64, reply []byte)
		want   error
	}{
		{"nobody is there", nil, eventstore.ErrUnavailable},
		{"it is busy", func(m *nats.Msg, _ int64, _ []byte) {
			_ = m.Respond(unanswered(&eventstore.Error{Kind: eventstore.ErrBusy}))
		}, eventstore.ErrBusy},
		{"no answer", func(*nats.Msg, int64, []byte) {}, eventstore.ErrUnknownOutcome},
		{"no answer, then busy", func(m *nats.Msg, n int64, _ []byte) {
			if n > 1 {
				_ = m.Respond(unanswered(&eventstore.Error{Kind: eventstore.ErrBusy}))
			}
		}, eventstore.ErrUnknownOutcome},
	} {
		d := newDesk(t)
		if c.answer != nil {
			d.answer = c.answer
			d.serve(t)
		}
		cl, nc := d.client(t)
		client.SetPatience(cl, time.Millisecond)
		enough := soon(t)
		record := func() error {
			ctx, cancel := context.WithCancel(enough)
			asked := nc.Stats().OutMsgs
			go func() { // when it has been asked more than once
				for nc.Stats().OutMsgs < asked+3 && enough.Err() == nil {
					time.Sleep(time.Millisecond)
				}
				cancel()
			}()
			_, err := cl.Record(ctx, []byte(raid(1)))
			return err
		}
		err := record()
		for errors.Is(err, eventstore.ErrUnknownOutcome) && c.want != eventstore.ErrUnknownOutcome && enough.Err() == nil {
			err = record() // it ended just while a request was on its way
		}
		var e *eventstore.Error
		if !errors.As(err, &e) || e.Kind != c.want || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAContextThatHadEndedIsToldOf(t *testing.T) {
	d := newDesk(t)
	d.serve(t)
	c, _ := d.client(t)
	ctx, cancel := context.WithCancel(soon(t))
	cancel()
	_, err := c.Record(ctx, []byte(raid(1)))
	if !errors.Is(err, eventstore.ErrUnavailable) || !errors.Is(err, context.Canceled) || errors.Is(err, eventstore.ErrBusy) {
		t.Error(err)
	}
	if n := d.requests.Load(); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// busyDesk is a desk and a client of it with as many requests on their way as it
// has at once. answer is that of the desk to the further ones; goOn answers those.
func busyDesk(t *testing.T, answer func(m *nats.Msg, n int64, reply []byte)) (d *desk, c *client.Client, goOn func()) {
	d = newDesk(t)
	first := make(chan func(), client.MostFlights)
	d.answer = func(m *nats.Msg, n int64, reply []byte) {
		if n <= client.MostFlights {
			first <- func() { _ = m.Respond(reply) }
			return
		}
		answer(m, n, reply)
	}
	d.serve(t)
	c, _ = d.client(t)
	client.SetPatience(c, time.Hour)
	for n := range int64(client.MostFlights) {
		go func() { _, _ = c.Record(soon(t), []byte(raid(int(-1-n)))) }()
		for d.requests.Load() <= n {
			time.Sleep(time.Millisecond)
		}
	}
	t.Cleanup(c.Close)
	return d, c, func() {
		for range client.MostFlights {
			(<-first)()
		}
	}
}

// TestNothingIsKeptOfWhoDoesNotWait: a client that gets no answer does not fill up.
func TestNothingIsKeptOfWhoDoesNotWait(t *testing.T) {
	_, c, _ := busyDesk(t, nil)
	ctx, cancel := context.WithCancel(soon(t))
	var work sync.WaitGroup
	const callers = 10
	for n := range callers {
		work.Go(func() {
			if _, err := c.Record(ctx, []byte(raid(n))); !errors.Is(err, eventstore.ErrBusy) || !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	for client.Waiting(c) < callers {
		time.Sleep(time.Millisecond)
	}
	cancel()
	work.Wait()
	if n := client.Waiting(c); n != 0 {
		t.Errorf("%d submissions of nobody", n)
	}
}

// TestAnAnswerToAWholeRequestIsEveryCallers: one result for a request in which
// several submissions travelled.
func TestAnAnswerToAWholeRequestIsEveryCallers(t *testing.T) {
	wrong := eventstore.ResultOf(1, &eventstore.LineRuling{Ruling: domain.Ruling{Verdict: domain.Refused, Code: domain.WrongSource}})
	refusal := eventstore.Reply{Results: []eventstore.Result{wrong}}
	for _, s := range []struct {
		name   string
		answer []byte
		want   func(eventstore.Receipt, error) bool
	}{
		{"refused", refusal.AppendJSON(nil), func(r eventstore.Receipt, err error) bool {
			return err == nil && len(r.Rulings) == 1 && r.Rulings[0].Code == domain.WrongSource
		}},
		{"unanswered", unanswered(&eventstore.Error{Kind: eventstore.ErrDiskFull}), func(_ eventstore.Receipt, err error) bool {
			return errors.Is(err, eventstore.ErrDiskFull)
		}},
		{"unanswered, asked again", unanswered(&eventstore.Error{Kind: eventstore.ErrUnknownOutcome}), func(r eventstore.Receipt, err error) bool {
			return err == nil && r.Err() == nil && r.Rulings[0].Verdict == domain.Duplicate
		}},
	} {
		d, c, goOn := busyDesk(t, func(m *nats.Msg, n int64, reply []byte) {
			if n == client.MostFlights+1 {
				reply = s.answer
			}
			_ = m.Respond(reply)
		})
		var work sync.WaitGroup
		const callers = 3
		for n := range callers {
			work.Go(func() {
				if receipt, err := c.Record(soon(t), []byte(raid(2*n)+"\n"+raid(2*n+1))); !s.want(receipt, err) {
					t.Errorf("%s: %+v, %v", s.name, receipt, err)
				}
			})
		}
		for client.Waiting(c) < callers {
			time.Sleep(time.Millisecond)
		}
		goOn()
		work.Wait()
		if n := d.requests.Load(); n > client.MostFlights+2 {
			t.Errorf("%s: %d requests: they did not travel together", s.name, n)
		}
	}
}

func TestRecordWaitsUntilARecorderIsServed(t *testing.T) {
	d := newDesk(t)
	c, nc := d.client(t)
	done := make(chan error)
	go func() {
		_, err := c.Record(soon(t), []byte(raid(1)))
		done <- err
	}()
	for nc.Stats().OutMsgs < 2 { // it was asked in vain more than once
		time.Sleep(time.Millisecond)
	}
	d.serve(t)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestACutConnectionIsNoError cuts the connection of a client again and again.
func TestACutConnectionIsNoError(t *testing.T) {
	d := newDesk(t)
	d.serve(t)
	c, nc := d.client(t)
	client.SetPatience(c, time.Hour) // what is lost with the connection is not waited for
	stop := make(chan struct{})
	var cutter sync.WaitGroup
	cutter.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
				_ = nc.ForceReconnect()
			}
		}
	})
	const callers, each = 10, 200
	var work sync.WaitGroup
	var recorded atomic.Int64
	ctx := soon(t)
	for caller := range callers {
		work.Go(func() {
			for i := 0; i < each || nc.Stats().Reconnects == 0; i++ {
				receipt, err := c.Record(ctx, []byte(raid(100_000*caller+i)))
				if err != nil || receipt.Err() != nil {
					t.Errorf("%+v, %v", receipt, err)
					return
				}
				recorded.Add(1)
			}
		})
	}
	work.Wait()
	close(stop)
	cutter.Wait()
	var accepted int64
	for _, r := range replay(t, d.ledger) {
		if r.Verdict == domain.Accepted {
			accepted++
		}
	}
	if want := 1 + recorded.Load(); accepted != want {
		t.Errorf("%d events are recorded, want %d", accepted, want)
	}
	t.Logf("%d reconnects", nc.Stats().Reconnects)
}

func TestRecordEventsMintsAnIDAndKeepsIt(t *testing.T) {
	d := newDesk(t)
	d.serve(t)
	c, _ := d.client(t)
	occurred, err := domain.ParsePeriod("2025-06-03")
	if err != nil {
		t.Fatal(err)
	}
	raid := &domain.Event{Subject: "0007", Data: &domain.RaidConducted{Common: domain.Common{Occurred: occurred}, Premises: domain.CallCentre}}
	arrest := &domain.Event{Subject: "0007-A1", Data: &domain.ArrestMade{Common: domain.Common{Occurred: occurred}, Persons: domain.Count{N: 3}, Nationality: []domain.Nationality{"CN"}, Raid: "0007"}}
	receipt, err := c.RecordEvents(soon(t), raid, arrest)
	if err != nil || receipt.Err() != nil || len(receipt.Rulings) != 2 {
		t.Fatalf("%+v, %v", receipt, err)
	}
	if raid.ID.Version() != 7 || raid.ID == arrest.ID || raid.Source != karachi || receipt.Rulings[0].ID != raid.ID {
		t.Errorf("%+v, %+v", raid, receipt)
	}
	again, err := c.RecordEvents(soon(t), raid, arrest)
	if err != nil || again.Rulings[0].First != receipt.Rulings[0].Position || again.Rulings[1].First != receipt.Rulings[1].Position {
		t.Errorf("again: %+v, %v", again, err)
	}
	asked := d.requests.Load()
	for _, bad := range []struct {
		event *domain.Event
		want  domain.Refusal
	}{
		{&domain.Event{Subject: "0008", Data: &domain.RaidConducted{}}, domain.Refusal{Code: domain.BadData, Field: "data.occurred", Detail: "is missing"}},
		{&domain.Event{Subject: "0008"}, domain.Refusal{Code: domain.BadData, Field: "data", Detail: "is missing"}},
		{&domain.Event{Subject: "0008", Type: domain.TypeArrestMade, Data: raid.Data}, domain.Refusal{Code: domain.BadData, Field: "data", Detail: "are those of raid.conducted"}},
		{nil, domain.Refusal{Code: domain.BadData, Field: "data", Detail: "is missing"}},
	} {
		var refusal *domain.Refusal
		if _, err := c.RecordEvents(soon(t), arrest, bad.event); !errors.As(err, &refusal) || *refusal != bad.want || !strings.Contains(err.Error(), "event 2") {
			t.Errorf("%+v: %v, want %v", bad.event, err, &bad.want)
		}
	}
	if n := d.requests.Load(); n != asked {
		t.Errorf("%d requests for what breaks the rules", n-asked)
	}
	if raid.ID == uuid.Nil {
		t.Error("no id")
	}
}

func TestCloseAnswersWhoWaits(t *testing.T) {
	d := newDesk(t)
	d.answer = func(*nats.Msg, int64, []byte) {}
	d.serve(t)
	c, _ := d.client(t)
	done := make(chan error)
	go func() {
		_, err := c.Record(soon(t), []byte(raid(1)))
		done <- err
	}()
	for d.requests.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	c.Close()
	if err := <-done; !errors.Is(err, eventstore.ErrUnknownOutcome) {
		t.Errorf("who waited: %v", err)
	}
	wantEnded(t, c, "the client was closed. Try: make a new client")
	other, nc := d.client(t)
	nc.Close()
	wantEnded(t, other, nats.ErrConnectionClosed.Error()+". Try: make a new client")
	other.Close() // which changes nothing
	wantEnded(t, other, nats.ErrConnectionClosed.Error()+". Try: make a new client")
}

// wantEnded tells whether c has ended, for whoever asks: it says why, with tells.
func wantEnded(t *testing.T, c *client.Client, tells string) {
	t.Helper()
	for n := range 3 {
		_, err := c.Record(soon(t), []byte(raid(n)))
		_, checked := c.Check(soon(t), []byte(raid(n)))
		for _, err := range []error{err, checked} {
			if !errors.Is(err, eventstore.ErrClosed) || errors.Is(err, eventstore.ErrUnavailable) || !strings.Contains(err.Error(), tells) {
				t.Errorf("asked for the time %d: %v; want ErrClosed and %q", n+1, err, tells)
			}
		}
	}
}
