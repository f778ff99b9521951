package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/client"
)

// TestPublishersOutliveServe stops serve in the middle of load, as a person does
// and by force, and starts it again, with a port that was named and without. Who
// publishes knows what status --server printed at first, and nothing more; in
// between, questions start servers of their own. The totals are exact.
func TestPublishersOutliveServe(t *testing.T) {
	const publishers, stops = 16, 3
	p := inDir{t, t.TempDir()}
	p.opened("test")
	serve := p.serve()
	p.dial().Close() // it is there
	url := strings.TrimSpace(p.must("status", "--server"))
	_, port, _ := strings.Cut(url, "@127.0.0.1:")
	nc, err := nats.Connect(url, nats.MaxReconnects(-1))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	c := client.New(nc, domain.Diary{Agency: "nccia", Unit: "karachi"})
	defer c.Close()

	var recorded atomic.Int64
	var work sync.WaitGroup
	enough, cancel := context.WithCancel(t.Context())
	defer cancel()
	for publisher := range publishers {
		work.Go(func() {
			for n := 0; enough.Err() == nil; n++ {
				receipt, err := c.Record(t.Context(), fmt.Appendf(nil, `{"specversion":"1.0","id":"00000000-0000-4000-8000-%06d%06d","source":"/nccia/karachi","type":"raid.conducted","subject":"%d-%d","data":{"occurred":"2025","premises":"other"}}`, publisher, n, publisher, n))
				if err := errors.Join(err, receipt.Err()); err != nil {
					t.Error(err)
					return
				}
				recorded.Add(1)
			}
		})
	}
	goesOn := func() {
		since := recorded.Load()
		waitUntil(t, "recording goes on", func() bool { return recorded.Load() > since+10*publishers || t.Failed() })
	}
	for stop := range stops {
		goesOn()
		if stop == 1 {
			serve.kill()
		} else {
			serve.interrupt()
		}
		p.must("totals", "raids")
		args := []string{"serve", "raids", "--json"}
		if stop == 2 {
			args = append(args, "--port", port)
		}
		serve = p.start(args...)
	}
	goesOn()
	if got := strings.TrimSpace(p.must("status", "--server")); got != url {
		t.Errorf("the address was %s, and is %s", eventstore.WithoutSecret(url), eventstore.WithoutSecret(got))
	}
	cancel()
	work.Wait()
	serve.interrupt()
	var totals struct {
		Total struct{ Cells []struct{ Value int64 } }
	}
	if err := json.Unmarshal([]byte(p.must("totals", "raids", "--json")), &totals); err != nil {
		t.Fatal(err)
	}
	if got := totals.Total.Cells[0].Value; got != recorded.Load() {
		t.Errorf("%d raids are in the totals, %d were answered", got, recorded.Load())
	}
	t.Logf("%d raids, %d reconnects", recorded.Load(), nc.Stats().Reconnects)
}
