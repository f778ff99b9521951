package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"roznamcha/cmd/roznamcha/internal/bench"
)

// TestBenchInterrupted: ctrl-C ends it, and nothing is left of what it made.
func TestBenchInterrupted(t *testing.T) {
	disk := t.TempDir()
	var out, errs bytes.Buffer
	program := exec.Command("roznamcha", "bench", "--dir", filepath.Join(disk, "data"), "--publishers", "2", "--rounds", "1000")
	program.Stdout, program.Stderr = &out, &errs
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Process.Kill() }) // it has ended by then
	waitUntil(t, "stores", func() bool {
		stores, err := filepath.Glob(filepath.Join(disk, "roznamcha-bench-*", "*", "jetstream", "*", "streams", "RAW"))
		return err == nil && len(stores) == 1
	})
	if err := program.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if code := exitCode(program.Wait()); code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
	if out.Len() > 0 || errs.String() != "roznamcha bench: interrupted\n" {
		t.Errorf("prints %q and tells %q", out.String(), errs.String())
	}
	if left, err := os.ReadDir(disk); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestBenchSync: what a sync means is said of a disk, and as the server has it.
func TestBenchSync(t *testing.T) {
	for _, test := range []struct {
		store bench.Store
		want  string
	}{
		{bench.Store{Directory: "/d", FileSystem: "ext4", Sync: "always"}, "sync always: a write is acknowledged when it is on disk · ext4 in /d"},
		{bench.Store{Directory: "/d", FileSystem: "ext4", Sync: "not always"}, "sync not always: what is acknowledged may not be on disk · ext4 in /d"},
		{bench.Store{Directory: "/d", FileSystem: "tmpfs", Sync: "always", InMemory: true}, "sync always · tmpfs in /d"},
	} {
		head := benchHead(&bench.Report{Store: test.store})
		if !slices.Contains(head, test.want) {
			t.Errorf("%+v: want %q in\n%s", test.store, test.want, strings.Join(head, "\n"))
		}
		if no := strings.HasPrefix(head[len(head)-1], "NO DISK: "); no != test.store.InMemory {
			t.Errorf("%+v: says that there is no disk: %v", test.store, no)
		}
	}
}

// TestBenchRatiosStandUnderTheirHeading: whichever of the baselines there are, and
// whatever they are called.
func TestBenchRatiosStandUnderTheirHeading(t *testing.T) {
	spread := func(f float64) bench.Spread { return bench.Spread{Median: f, Least: f, Most: f} }
	one, many, async := bench.Ratio{Baseline: bench.OneRaw, Spread: spread(1)}, bench.Ratio{Baseline: bench.AsManyRaw, Spread: spread(2)}, bench.Ratio{Baseline: bench.OneAsync, Spread: spread(3)}
	for _, test := range []struct {
		publishers int
		ratios     []bench.Ratio
		want       string
	}{
		{16, []bench.Ratio{one, many, async}, "1.00,2.00,3.00"},
		{16, []bench.Ratio{many, async}, ",2.00,3.00"},
		{16, []bench.Ratio{one, async}, "1.00,,3.00"},
		{16, []bench.Ratio{many}, ",2.00,"},
		{1, []bench.Ratio{one, async}, "1.00,,3.00"},
		{1, []bench.Ratio{async}, ",,3.00"},
	} {
		r := &bench.Result{Publishers: test.publishers, Ratios: test.ratios}
		var got []string
		for _, c := range benchTables[0].columns {
			if strings.HasPrefix(c.head, "of ") {
				cell, _, _ := strings.Cut(c.cell(r), " ")
				got = append(got, cell)
			}
		}
		if got := strings.Join(got, ","); got != test.want {
			t.Errorf("%d publishers, %v: %q, want %q", test.publishers, test.ratios, got, test.want)
		}
	}
}
