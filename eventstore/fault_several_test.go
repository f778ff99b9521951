package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

// race hands the same events to several recorders at once, and keeps every
// receipt.
type race struct {
	t         testing.TB
	recorders []*eventstore.Recorder
	foreign   jetstream.JetStream

	mu       sync.Mutex
	receipts map[uuid.UUID][]eventstore.LineRuling
	retries  int
}

// submit hands lines to different recorders at once, from the one numbered
// first on, and waits for every receipt.
func (r *race) submit(first int, lines ...string) {
	var all sync.WaitGroup
	for i, line := range lines {
		recorder := r.recorders[(first+i)%len(r.recorders)]
		all.Go(func() { r.record(recorder, line) })
	}
	all.Wait()
}

// record asks until there is a receipt.
func (r *race) record(recorder *eventstore.Recorder, line string) {
	for began := time.Now(); time.Since(began) < patience; {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		receipt, err := recorder.Record(ctx, []byte(line))
		cancel()
		r.mu.Lock()
		if err == nil {
			ruling := receipt.Rulings[0]
			r.receipts[ruling.ID] = append(r.receipts[ruling.ID], ruling)
		} else {
			r.retries++
		}
		r.mu.Unlock()
		switch {
		case err == nil:
			return
		case !errors.Is(err, eventstore.ErrUnknownOutcome) && !errors.Is(err, eventstore.ErrUnavailable) && !errors.Is(err, eventstore.ErrBusy):
			r.t.Errorf("%.100s: %v", line, err)
			return
		}
		time.Sleep(20 * time.Millisecond) // it may be cut off just now
	}
	r.t.Errorf("no receipt within %v: %.100s", patience, line)
}

// publish writes a line straight to its diary, as a trusted writer does, and
// again where it does not know whether it did.
func (r *race) publish(diary domain.Diary, line string) {
	for began := time.Now(); time.Since(began) < patience; {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_, err := r.foreign.Publish(ctx, "ledger.diary."+diary.Agency+"."+diary.Unit, []byte(line))
		cancel()
		if err == nil {
			return
		}
	}
	r.t.Errorf("not published within %v: %.100s", patience, line)
}

// correction is a line that corrects a raid; which makes it another event.
func correction(raid string, which int) string {
	parts := strings.Split(raid, `"`)
	amends, source, subject := parts[7], parts[11], parts[19]
	id := uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "correction %d of %s", which, amends))
	return fmt.Sprintf(`{"specversion":"1.0","id":"%s","source":"%s","type":"record.corrected","data":{"record":"raid%s/%s","amends":"%s","reason":"data-entry","replacement":{"occurred":"2025-06-0%d","premises":"other"}}}`,
		id, source, source, subject, amends, 1+which)
}

func idOf(line string) uuid.UUID { return uuid.MustParse(strings.Split(line, `"`)[7]) }

// TestSeveralRecorders: three recorders with connections of their own, one of
// which is cut over and over, and a foreign writer, on one ledger. They are
// handed the same raids at the same time, and then corrections that exclude each
// other. Every raid is recorded once, of each pair of corrections one, and every
// receipt is what a later replay rules.
func TestSeveralRecorders(t *testing.T) {
	t.Parallel()
	s, nc := startServer(t)
	look := opened(t, nc)
	cable, address := newCable(t, s)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	r := &race{t: t, foreign: js, receipts: map[uuid.UUID][]eventstore.LineRuling{}}
	for _, url := range []string{s.URL(), s.URL(), address} {
		own := connectTo(t, url)
		r.recorders = append(r.recorders, newRecorder(t, ledgerOf(t, own), eventstore.RecorderConfig{}))
	}
	const workers = 6
	each := rounds(300)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var works sync.WaitGroup
	for w := range workers {
		chance := rand.New(rand.NewPCG(seed, uint64(w)))
		diary := domain.Diary{Agency: "nccia", Unit: fmt.Sprintf("unit-%d", w)}
		works.Go(func() {
			for n := range each {
				line := raid(diary.String(), n)
				if chance.IntN(4) == 0 {
					works.Go(func() { r.publish(diary, line) })
				}
				r.submit(chance.IntN(3), line, line)
				one, other := correction(line, 1), correction(line, 2)
				if chance.IntN(4) == 0 {
					works.Go(func() { r.publish(diary, other) })
				}
				r.submit(chance.IntN(3), one, other, one)
			}
		})
	}
	done := make(chan struct{})
	go func() { works.Wait(); close(done) }()
	cuts := 0
	for going := true; going; {
		select {
		case <-done:
			going = false
		case <-time.After(300 * time.Millisecond):
			cable.cut()
			cuts++
		}
	}

	rulings, _ := replay(t, look)
	said, accepted := map[domain.Position]eventstore.LineRuling{}, map[uuid.UUID]domain.Position{}
	for _, ruling := range rulings {
		said[ruling.Position] = ruling
		if ruling.Verdict == domain.Accepted {
			if first, twice := accepted[ruling.ID]; twice {
				t.Errorf("%s is accepted at %s and at %s", ruling.ID, first, ruling.Position)
			}
			accepted[ruling.ID] = ruling.Position
		}
	}
	for w := range workers {
		for n := range each {
			line := raid(fmt.Sprintf("/nccia/unit-%d", w), n)
			_, was := accepted[idOf(line)]
			_, one := accepted[idOf(correction(line, 1))]
			_, other := accepted[idOf(correction(line, 2))]
			if !was || one == other {
				t.Errorf("raid %d of unit %d: recorded %v; one correction %v, the other %v", n, w, was, one, other)
			}
		}
	}
	atTheDoor := 0
	for id, receipts := range r.receipts {
		for _, ruling := range receipts {
			at, is := accepted[id]
			switch {
			case !ruling.Position.IsZero():
				if ruling != said[ruling.Position] {
					t.Errorf("receipt %s, replay %s", asJSON(ruling), asJSON(said[ruling.Position]))
				}
				continue
			case ruling.Verdict == domain.Duplicate && ruling.First != at:
				t.Errorf("%s: a duplicate of %s, it stands at %s", id, ruling.First, at)
			case ruling.Verdict == domain.Refused && (is || ruling.Code != domain.StaleAmendment):
				t.Errorf("%s: refused at the door, %s; accepted at %s", id, asJSON(ruling), at)
			}
			atTheDoor++
		}
	}
	sameState(t, look, r.recorders...)
	t.Logf("%d events, %d receipts, of which %d at the door; %d lines in the ledger: %d accepted, %d duplicates, %d refused; %d asked again, the connection cut %d times",
		len(r.receipts), 5*workers*each, atTheDoor, len(rulings), len(accepted), count(rulings, domain.Duplicate), count(rulings, domain.Refused), r.retries, cuts)
}
