package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
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
