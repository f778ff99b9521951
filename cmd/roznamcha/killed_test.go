package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/client"
)

// TestServeKilled kills a running serve at random moments, under load and while
// it starts, over and over. Publishers over TCP outlive it and submit again what
// is not answered, with the same ids. In the end every acknowledged event is in
// the ledger exactly once, where its receipt says and with that ruling; so is
// everything else that was ever submitted; and the state of the program that
// runs is that of a fresh replay in another process.
func TestServeKilled(t *testing.T) {
	kills := 50
	if testing.Short() {
		kills = 5
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	p := inDir{t, filepath.Join(t.TempDir(), "data")}
	p.must("open", "--name", "killed", "--country", "PK", "--zone", "Asia/Karachi")

	serve := p.serve()
	office := newOffice(t, p.dir, 8)
	starting := 0
	for range kills {
		if chance.IntN(4) == 0 { // while it starts, or has just started
			starting++
			time.Sleep(time.Duration(chance.IntN(150)) * time.Millisecond)
		} else {
			office.more(1 + chance.IntN(400))
		}
		serve.kill()
		serve = p.serve()
	}
	office.more(100)
	office.close()

	entry, state, _ := p.cite() // a fresh replay, in another process
	var live liveJSON
	waitUntil(t, "the live state", func() bool {
		live = serve.last()
		return live.Table.Citation.Entry >= entry
	})
	if live.Table.Citation.Entry != entry || live.Table.Citation.State != state {
		t.Errorf("live: entry %d, state %s; replayed: entry %d, state %s", live.Table.Citation.Entry, live.Table.Citation.State, entry, state)
	}
	for _, kind := range []string{"refused", "unrecognised", "dangling-link", "link-to-retracted"} {
		if code, out, errs := p.run("exceptions", "--kind", kind); code != 0 {
			t.Errorf("exceptions: exit code %d\n%s%s", code, out, errs)
		}
	}
	serve.interrupt()
	t.Logf("killed %d times, of which %d at the start", kills, starting)
	office.check(p.must("replay", "--json"))
}

// office is publishers that record in diaries of their own and keep what they
// were told.
type office struct {
	t      *testing.T
	stop   chan struct{}
	works  sync.WaitGroup
	closed []func()
	// answers counts receipts, retries what was submitted again.
	answers, retries atomic.Int64

	mu sync.Mutex
	// told is the receipt of every submission; its lines are the ids.
	told map[uuid.UUID]eventstore.LineRuling
}

// newOffice starts n publishers, each with a connection to the server that is
// served in dir, whichever that is.
func newOffice(t *testing.T, dir string, n int) *office {
	o := &office{t: t, stop: make(chan struct{}), told: map[uuid.UUID]eventstore.LineRuling{}}
	for i := range n {
		diary := domain.Diary{Agency: "nccia", Unit: fmt.Sprintf("unit-%d", i)}
		nc := inDir{t, dir}.dial()
		c := client.New(nc, diary)
		o.closed = append(o.closed, c.Close, nc.Close)
		o.works.Go(func() { o.publish(c, diary) })
	}
	return o
}

// publish records one submission after the other: raids with arrests at them,
// and corrections of the raid before.
func (o *office) publish(c *client.Client, diary domain.Diary) {
	for n := 0; ; n++ {
		select {
		case <-o.stop:
			return
		default:
		}
		if !o.record(c, submissionOf(diary, n)) {
			return
		}
	}
}

// record submits until there is a receipt.
func (o *office) record(c *client.Client, submission []byte) bool {
	for began := time.Now(); time.Since(began) < patience; o.retries.Add(1) {
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		receipt, err := c.Record(ctx, submission)
		cancel()
		switch {
		case errors.Is(err, eventstore.ErrUnknownOutcome), errors.Is(err, eventstore.ErrUnavailable), errors.Is(err, eventstore.ErrBusy):
			continue
		case err == nil:
			err = receipt.Err()
		}
		if err != nil {
			o.t.Errorf("%.200s: %v", submission, err)
			return false
		}
		o.mu.Lock()
		for _, r := range receipt.Rulings {
			o.told[r.ID] = r
		}
		o.mu.Unlock()
		o.answers.Add(1)
		return true
	}
	o.t.Errorf("no receipt within %v: %.200s", patience, submission)
	return false
}

// more waits for n receipts more.
func (o *office) more(n int) {
	o.t.Helper()
	want := o.answers.Load() + int64(n)
	waitUntil(o.t, "receipts", func() bool { return o.answers.Load() >= want || o.t.Failed() })
}

// close lets every publisher finish its last submission.
func (o *office) close() {
	close(o.stop)
	o.works.Wait()
	for _, f := range o.closed {
		f()
	}
}

// submissionOf is the submission numbered n of a diary, always the same bytes:
// a raid with two arrests, or a correction of the raid before.
func submissionOf(diary domain.Diary, n int) []byte {
	id := func(k int) uuid.UUID {
		return uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s %d %d", diary, n, k))
	}
	var b bytes.Buffer
	line := func(k int, typ, subject, data string) {
		if subject != "" {
			subject = `"subject":"` + subject + `",`
		}
		fmt.Fprintf(&b, `{"specversion":"1.0","id":"%s","source":"%s","type":"%s",%s"data":{%s}}`+"\n", id(k), diary, typ, subject, data)
	}
	if n%4 == 3 {
		before := uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s %d %d", diary, n-1, 0))
		line(0, "record.corrected", "", fmt.Sprintf(`"record":"raid%s/%d","amends":"%s","reason":"data-entry","replacement":{"occurred":"2025-06-04","premises":"other"}`, diary, n-1, before))
		return b.Bytes()
	}
	line(0, "raid.conducted", fmt.Sprint(n), `"occurred":"2025-06-03","premises":"call-centre"`)
	for k := 1; k <= 2; k++ {
		line(k, "arrest.made", fmt.Sprintf("%d-A%d", n, k), fmt.Sprintf(`"occurred":"2025-06-03","raid":"%d","persons":1,"nationality":["PK"]`, n))
	}
	return b.Bytes()
}

// check holds what was told against what a replay prints.
func (o *office) check(replayed string) {
	o.t.Helper()
	accepted, duplicates := map[uuid.UUID]lineJSON{}, 0
	said := map[domain.Position]lineJSON{}
	for line := range strings.Lines(replayed) {
		var r struct {
			lineJSON
			Event struct{ ID uuid.UUID } `json:"event"`
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			o.t.Fatal(err)
		}
		said[*r.Position] = r.lineJSON
		switch first, again := accepted[r.Event.ID], r.Ruling == "duplicate"; {
		case again:
			duplicates++
		case r.Ruling != "accepted":
			o.t.Errorf("%s: %s", r.Position, r.Ruling)
		case first.Position != nil:
			o.t.Errorf("%s is accepted at %s and at %s", r.Event.ID, first.Position, r.Position)
		default:
			accepted[r.Event.ID] = r.lineJSON
		}
	}
	answeredAgain := 0
	for id, told := range o.told {
		at, first := told.Position, told.Position
		if told.Verdict == domain.Duplicate {
			answeredAgain++
			first = told.First
		}
		stands := accepted[id].Position
		if stands == nil || *stands != first {
			o.t.Errorf("%s was acknowledged at %s: it stands at %v", id, first, stands)
		}
		if is := said[at]; !at.IsZero() && (is.Ruling != told.Verdict.String() || !is.Recorded.Equal(told.Recorded)) {
			o.t.Errorf("%s: told %s, recorded %v; a replay says %s, %v", at, told.Verdict, told.Recorded, is.Ruling, is.Recorded)
		}
	}
	if len(accepted) != len(o.told)+1 {
		o.t.Errorf("%d events accepted, %d acknowledged and the opening", len(accepted), len(o.told))
	}
	o.t.Logf("%d submissions acknowledged, %d events; %d submitted again, %d events answered as duplicates; %d lines are twice in the ledger",
		o.answers.Load(), len(o.told), o.retries.Load(), answeredAgain, duplicates)
}
