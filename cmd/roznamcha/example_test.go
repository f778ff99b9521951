package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestExamples types every example of every command's help into a shell, in
// the order in which a person would. Those of audit are typed by
// TestAuditExamples; work and promote need a serve beside them: work.txtar.
func TestExamples(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("ROZNAMCHA_DIR", filepath.Join(dir, "data"))
	t.Setenv("TMPDIR", dir)
	for name, text := range map[string]string{
		"events.jsonl": `{"specversion":"1.0","id":"0198a7c2-6f1e-7c3a-9d51-0c8f5a2b7e31","source":"/nccia/lahore","type":"raid.conducted","subject":"0031","data":{"occurred":"2025-06-04","premises":"other"}}` + "\n",
		"arrests.csv": "row_id,fiscal_year,aor,apprehension_date,apprehension_method,landmark,operation,processing_disposition,citizenship,gender\n" +
			"2016-000001,2016,St. Paul Area of Responsibility,2015-10-01,Probation and Parole,OMAHA NE,,OTHER,MEXICO,Male\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	root := (&program{}).root()
	elsewhere := []string{"audit", "work", "promote", "help", "completion"}
	order := []string{"open", "record", "amend", "schema", "import", "totals", "history", "explain", "diff", "claims", "exceptions", "replay", "sink", "status", "demo", "bench", "serve"}
	for _, cmd := range root.Commands() {
		if !slices.Contains(order, cmd.Name()) && !slices.Contains(elsewhere, cmd.Name()) {
			t.Errorf("%s: its examples are typed nowhere", cmd.Name())
		}
	}
	for _, name := range order {
		cmd, _, err := root.Find([]string{name})
		if err != nil || !cmd.HasExample() {
			t.Errorf("%s: no example: %v", name, err)
			continue
		}
		for line := range strings.Lines(cmd.Example) {
			if line = strings.TrimSpace(line); line != "" {
				typeExample(t, dir, line)
			}
		}
	}
}

// typeExample runs one line. What runs until interrupted is, as soon as it is
// at work.
func typeExample(t *testing.T, dir, line string) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	endless := strings.Contains(line, "--follow") || strings.HasPrefix(line, "roznamcha serve")
	if endless {
		line = "exec " + line
	}
	if strings.HasPrefix(line, "roznamcha bench") {
		line += " --rounds 1 --for 10ms --events 100" // the same, and no figure that means anything
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir = dir
	var out, errs lockedBuffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if endless {
		waitUntil(t, line, func() bool { return out.Len() > 0 || cmd.ProcessState != nil })
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	// The examples leave numbers out between two raids of one diary, which is an exception.
	found := func() bool {
		return strings.HasPrefix(line, "roznamcha exceptions") && cmd.ProcessState.ExitCode() == 3
	}
	if err := cmd.Wait(); err != nil && !found() {
		t.Errorf("%s: %v\n%s%s", line, err, out.String(), errs.String())
	}
	if out.Len() == 0 && !strings.Contains(line, ">") {
		t.Errorf("%s: says nothing", line)
	}
}

// waitUntil waits for a condition.
func waitUntil(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: still waiting after %v", what, patience)
		}
	}
}
