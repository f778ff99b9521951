package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestBenchInterrupted: ctrl-C ends it, and nothing is left of what it made.
func TestBenchInterrupted(t *testing.T) {
	disk := t.TempDir()
	var out, errs bytes.Buffer
	bench := exec.Command("roznamcha", "bench", "--dir", filepath.Join(disk, "data"), "--publishers", "2", "--rounds", "1000")
	bench.Stdout, bench.Stderr = &out, &errs
	if err := bench.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bench.Process.Kill() }) // it has ended by then
	waitUntil(t, "stores", func() bool {
		stores, err := filepath.Glob(filepath.Join(disk, "roznamcha-bench-*", "*", "jetstream", "*", "streams", "RAW"))
		return err == nil && len(stores) == 1
	})
	if err := bench.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if code := exitCode(bench.Wait()); code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
	if out.Len() > 0 || errs.String() != "roznamcha bench: interrupted\n" {
		t.Errorf("prints %q and tells %q", out.String(), errs.String())
	}
	if left, err := os.ReadDir(disk); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
