package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"roznamcha/domain"
	"roznamcha/eventstore/client"
)

// TestServeThatNobodyReads: serve records, and ends when it is interrupted, while
// its standard output takes nothing.
func TestServeThatNobodyReads(t *testing.T) {
	p := inDir{t, filepath.Join(t.TempDir(), "data")}
	p.must("open", "--name", "test", "--country", "PK", "--zone", "Asia/Karachi")
	unread, full, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer unread.Close()
	defer full.Close()
	for err == nil {
		_ = full.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
		_, err = full.Write(make([]byte, 1<<10))
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	serve, _, errs := p.command("serve")
	serve.Stdout = full
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- serve.Wait() }()
	waitUntil(t, "serve", func() bool { return strings.Contains(errs.String(), "record: nats ") || len(ended) > 0 })
	if told := errs.String(); !strings.HasPrefix(told, "reading 1 entry; recording begins after that\nserving ") {
		t.Errorf("standard error says %q", told)
	}
	p.must("record", "raid.conducted", "--source", "/nccia/karachi", "--subject", "7", "--occurred", "2025", "--set", "premises=other")
	_ = serve.Process.Signal(syscall.SIGINT)
	if code := exitCode(<-ended); code != 0 {
		t.Errorf("interrupted: exit code %d\n%s", code, errs.String())
	}
}

// TestServeTellsOfItsAppends: every entry that serve writes is in its metrics, and
// what it refuses, by code.
func TestServeTellsOfItsAppends(t *testing.T) {
	p := inDir{t, filepath.Join(t.TempDir(), "data")}
	p.opened("test")
	serve := p.start("serve", "--metrics", "127.0.0.1:0")
	waitUntil(t, "serve", func() bool { return strings.Contains(serve.stderr.String(), "record: nats ") })
	nc := p.dial()
	defer nc.Close()
	c := client.New(nc, domain.Diary{Agency: "nccia", Unit: "karachi"})
	defer c.Close()
	for id, want := range []bool{true, false} { // the second one is of the same record
		receipt, err := c.Record(t.Context(), fmt.Appendf(nil, `{"specversion":"1.0","id":"00000000-0000-4000-8000-%012d","source":"/nccia/karachi","type":"raid.conducted","subject":"7","data":{"occurred":"2025","premises":"other"}}`, id))
		if err != nil || (receipt.Err() == nil) != want {
			t.Fatal(receipt, err)
		}
	}
	url := regexp.MustCompile(`http://\S+`).FindString(serve.stderr.String())
	reply, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	page, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"roznamcha_append_seconds_count 1", `roznamcha_record_failures_total{code="record-exists"} 1`, `roznamcha_record_failures_total{code="busy"} 0`} {
		if !strings.Contains(string(page), line+"\n") {
			t.Errorf("no %s in\n%s", line, page)
		}
	}
	serve.interrupt()
}
