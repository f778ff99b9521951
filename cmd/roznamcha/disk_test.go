package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go"

	"roznamcha/eventstore/embedded"
	"roznamcha/eventstore/embedded/smalldisk"
)

const mib = 1 << 20

// inDir is the built program, at work on one data directory.
type inDir struct {
	t   *testing.T
	dir string
}

// run runs a command to its end.
func (p inDir) run(args ...string) (code int, out, errs string) {
	p.t.Helper()
	return p.with("", args...)
}

// with is run with something on standard input.
func (p inDir) with(in string, args ...string) (code int, out, errs string) {
	p.t.Helper()
	c, stdout, stderr := p.command(args...)
	c.Stdin = strings.NewReader(in)
	code = exitCode(c.Run())
	return code, stdout.String(), stderr.String()
}

// must runs a command that must be done.
func (p inDir) must(args ...string) (out string) {
	p.t.Helper()
	code, out, errs := p.run(args...)
	if code != 0 {
		p.t.Fatalf("%s: exit code %d\n%s%s", strings.Join(args, " "), code, out, errs)
	}
	return out
}

// command is a command that must end in time.
func (p inDir) command(args ...string) (c *exec.Cmd, stdout, stderr *lockedBuffer) {
	ctx, cancel := context.WithTimeout(p.t.Context(), 2*patience)
	p.t.Cleanup(cancel)
	return p.commandUntil(ctx, args...)
}

// commandUntil is a command that is killed when ctx ends.
func (p inDir) commandUntil(ctx context.Context, args ...string) (c *exec.Cmd, stdout, stderr *lockedBuffer) {
	c = exec.CommandContext(ctx, "roznamcha", args...)
	c.Env = append(os.Environ(), "ROZNAMCHA_DIR="+p.dir)
	c.Dir = filepath.Dir(p.dir)
	stdout, stderr = new(lockedBuffer), new(lockedBuffer)
	c.Stdout, c.Stderr = stdout, stderr
	return c, stdout, stderr
}

// cite is what a table of raids and arrests says it was computed from; empty
// where there was none.
func (p inDir) cite() (entry int, state, total string) {
	p.t.Helper()
	var table struct {
		Citation struct {
			Entry int
			State string
		}
		Total json.RawMessage
	}
	if err := json.Unmarshal([]byte(p.must("totals", "raids", "arrests", "--json")), &table); err != nil {
		p.t.Fatal(err)
	}
	return table.Citation.Entry, table.Citation.State, string(table.Total)
}

// serving runs serve and waits until it serves; shows is what it has printed,
// stop interrupts it.
func (p inDir) serving() (shows func() string, stop func() (code int, out, errs string)) {
	p.t.Helper()
	c, stdout, stderr := p.command("serve", "raids")
	if err := c.Start(); err != nil {
		p.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	waitUntil(p.t, "serve", func() bool { return strings.Contains(stderr.String(), "serving ") || len(ended) > 0 })
	return stdout.String, func() (int, string, string) {
		_ = c.Process.Signal(syscall.SIGINT)
		return exitCode(<-ended), stdout.String(), stderr.String()
	}
}

// fullDisk is what the program says on a full disk.
var fullDisk = regexp.MustCompile(`data directory .*: the disk is full: \d+ (MiB|KiB|bytes) are free, 64 MiB are kept in reserve\. Try: make room on that disk`)

// TestFullDisk: recording stops before the reserve is used up, and says so; what
// was recorded is there; reading works to the last byte; and when there is room
// the same again goes on.
func TestFullDisk(t *testing.T) {
	smalldisk.Run(t, 128*mib, func(t *testing.T, disk *smalldisk.Disk) {
		p := inDir{t, filepath.Join(disk.Dir, "data")}
		csv := filepath.Join(t.TempDir(), "arrests.csv")
		const rows = 30_000
		if err := os.WriteFile(csv, arrestRows(rows), 0o600); err != nil {
			t.Fatal(err)
		}
		importIt := []string{"import", "--map", "us-ice-arrests", "--rejects", csv + ".rejects", csv}

		// What is full before there is anything.
		disk.Fill(t, 0)
		code, _, errs := p.run("open", "--name", "test", "--country", "PK", "--zone", "Asia/Karachi")
		if code != 1 || !strings.Contains(errs, "no space left on device. Try: make room on that disk") && !fullDisk.MatchString(errs) {
			t.Errorf("open on a full disk: exit code %d, %s", code, errs)
		}
		disk.Clear(t)
		p.must("open", "--name", "test", "--country", "PK", "--zone", "Asia/Karachi")

		// What is full in the middle of an import.
		disk.Fill(t, 64*mib+3*mib)
		code, _, errs = p.run(importIt...)
		if code != 1 || !fullDisk.MatchString(errs) || !strings.Contains(errs, "import the file again") {
			t.Errorf("import: exit code %d, %s", code, errs)
		}
		if free := disk.Free(t); free < 62*mib {
			t.Errorf("%d MiB are left of the reserve of 64", free>>20)
		}
		entry, state, total := p.cite()
		t.Logf("the import stopped at entry %d, %d KiB free: %s", entry, disk.Free(t)>>10, errs)
		raid := []string{"record", "raid.conducted", "--source", "/nccia/karachi", "--subject", "0007", "--occurred", "2025-06-03", "--set", "premises=other"}

		// What is full to the last byte.
		disk.Fill(t, 0)
		for _, args := range [][]string{raid, importIt} {
			if code, out, errs := p.run(args...); code != 1 || !fullDisk.MatchString(errs) || strings.Contains(out, "accepted") {
				t.Errorf("%s: exit code %d, %s%s", args[0], code, out, errs)
			}
		}
		for _, args := range [][]string{{"status"}, {"totals", "arrests"}, {"replay"}, {"exceptions"}} {
			if code, out, errs := p.run(args...); code != 0 || out == "" {
				t.Errorf("%s: exit code %d, %s%s", args[0], code, out, errs)
			}
		}
		if out := p.must("status"); !fullDisk.MatchString(out) {
			t.Errorf("status says nothing of the disk: %s", out)
		}
		_, stop := p.serving()
		if code, _, errs := p.run(raid...); code != 1 || !fullDisk.MatchString(errs) {
			t.Errorf("record where one serves: exit code %d, %s", code, errs)
		}
		p.must("totals", "arrests")
		if code, out, errs := stop(); code != 0 || !strings.Contains(errs, "nothing can be recorded: ") || !fullDisk.MatchString(errs) {
			t.Errorf("serve: exit code %d, %s%s", code, out, errs)
		}
		if e, s, tot := p.cite(); e != entry || s != state || tot != total {
			t.Errorf("the ledger was at entry %d with state %s (%s), and is at entry %d with state %s (%s)", entry, state, total, e, s, tot)
		}

		// And there is room.
		disk.Clear(t)
		p.must(raid...)
		p.must(importIt...)
		if _, _, total := p.cite(); !strings.Contains(total, fmt.Sprint(rows)) {
			t.Errorf("totals with room: %s, want %d arrests", total, rows)
		}
		if out := p.must(importIt...); !regexp.MustCompile(`duplicates +30,000 `).MatchString(out) {
			t.Errorf("import again: %s", out)
		}
	})
}

// arrestRows is a CSV file that the preset us-ice-arrests reads.
func arrestRows(n int) []byte {
	var b bytes.Buffer
	b.WriteString("row_id,fiscal_year,aor,apprehension_date,apprehension_method,landmark,operation,processing_disposition,citizenship,gender\n")
	for i := range n {
		fmt.Fprintf(&b, "2016-%06d,2016,Dallas Area of Responsibility,2016-%02d-%02d,Other,,,Other,MEXICO,Male\n", i, i%9+1, i%28+1)
	}
	return b.Bytes()
}

// TestFullDiskWhileServing: trusted writers, whom nothing holds back, run the
// disk of a serve to its end. The server of serve is restarted when there is
// room, and everybody goes on.
func TestFullDiskWhileServing(t *testing.T) {
	smalldisk.Run(t, 128*mib, func(t *testing.T, disk *smalldisk.Disk) {
		p := inDir{t, filepath.Join(disk.Dir, "data")}
		p.must("open", "--name", "test", "--country", "PK", "--zone", "Asia/Karachi")
		shows, stop := p.serving()
		url := p.must("status", "--server")
		nc, err := embedded.Dial(p.dir)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		publish := func(n int) error {
			line := fmt.Sprintf(`{"specversion":"1.0","id":"00000000-0000-4000-8000-%012d","source":"/nccia/lahore","type":"raid.conducted","subject":"%d","data":{"occurred":"2025-06-03","premises":"other","note":"%s"}}`, n, n, strings.Repeat("x", 450))
			_, err := nc.Request("ledger.diary.nccia.lahore", []byte(line), patienceOfWriter)
			return err
		}
		const rounds = 2
		published := 0
		for range rounds {
			if err := publish(published); err != nil {
				t.Fatal(err)
			}
			published++
			disk.Fill(t, 0)
			for err == nil {
				if err = publish(published); err == nil {
					published++
				}
			}
			if err != nats.ErrTimeout {
				t.Fatalf("a trusted writer at the wall: %v", err)
			}
			err = nil
			if code, out, errs := p.run("totals", "raids"); code != 0 || !regexp.MustCompile(fmt.Sprintf(`(?m)^total +%d$`, published)).MatchString(out) {
				t.Errorf("totals at the wall: exit code %d, want %d raids: %s%s", code, published, out, errs)
			}
			disk.Clear(t)
			waitUntil(t, "a trusted writer goes on", func() bool { return publish(published) == nil })
			published++
		}
		p.must("record", "raid.conducted", "--source", "/nccia/karachi", "--subject", "0007", "--occurred", "2025-06-03", "--set", "premises=other")
		if again := p.must("status", "--server"); again != url {
			t.Errorf("the server was at %s and is at %s", url, again)
		}
		if _, err := nc.Request("ledger.diary.nccia.lahore", []byte("junk"), patience); err != nil {
			t.Error(err)
		}
		waitUntil(t, "its totals", func() bool { return strings.Contains(shows(), fmt.Sprintf("raids %d · 1 exception", published+1)) })
		code, _, errs := stop()
		if code != 0 {
			t.Errorf("serve: exit code %d, %s", code, errs)
		}
		t.Logf("%d rounds, %d published by the trusted writer; serve said:\n%s", rounds, published, errs)
	})
}

// patienceOfWriter is after how long a writer that gets no answer knows that
// none comes.
const patienceOfWriter = 1e9
