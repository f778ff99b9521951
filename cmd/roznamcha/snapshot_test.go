package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

// recordRaids records n raids from number from on.
func (p inDir) recordRaids(unit string, from, n int) {
	p.t.Helper()
	var in strings.Builder
	for i := from; i < from+n; i++ {
		fmt.Fprintf(&in, `{"specversion":"1.0","id":"00000000-0000-4000-8000-%012x","source":"/nccia/%s","type":"raid.conducted","subject":"%d","data":{"occurred":"2025-06-03","premises":"other"}}`+"\n", i, unit, i)
		if i%500 == 0 {
			in.WriteString("\n")
		}
	}
	if code, _, errs := p.with(in.String(), "record", "-"); code != 0 {
		p.t.Fatalf("record: exit code %d\n%s", code, errs)
	}
}

// snapshotOf saves a snapshot of the ledger as it is, that holds these; but as
// they are of nothing where marked: who starts from it prints no raid.
func (p inDir) snapshotOf(marked bool, ps ...projections.Kept) {
	p.t.Helper()
	p.on(context.Background(), func(ctx context.Context, _ *program, l *eventstore.Ledger) error {
		var replayed []projections.Projection
		for _, one := range ps {
			if !marked {
				replayed = append(replayed, one)
			}
		}
		reg, stats, err := projections.Replay(ctx, l, projections.ReplayOptions{}, replayed...)
		if err != nil {
			return err
		}
		for _, one := range ps {
			if totals, ok := one.(*projections.Totals); ok && marked {
				totals.Apply(&domain.Ruled{Position: domain.Position{Entry: reg.Last(), Line: 1}, Ruling: domain.Ruling{Verdict: domain.Refused}})
			}
		}
		path := filepath.Join(p.dir, snapshotFile)
		_ = os.Remove(path)
		saved, err := projections.TakeSnapshot(reg, stats, ps...).Save(path, nil)
		if err == nil && !saved {
			err = errors.New("not saved")
		}
		return err
	})
}

// snapshotWith is snapshotOf all that a snapshot can hold.
func (p inDir) snapshotWith(marked bool) {
	p.t.Helper()
	p.snapshotOf(marked, projections.NewTotals(), projections.NewExceptions(), projections.NewAmendments())
}

// raids is what totals prints of them, and on standard error.
func (p inDir) raids() (raids string, errs string) {
	p.t.Helper()
	code, out, errs := p.run("totals", "raids", "--csv")
	if code != 0 {
		p.t.Fatalf("totals: exit code %d\n%s%s", code, out, errs)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return lines[len(lines)-1], errs
}

func (p inDir) opened(name string) {
	p.t.Helper()
	p.must("open", "--name", name, "--country", "PK", "--zone", "Asia/Karachi")
}

// A command starts from the snapshot and reads what came after it; one that is
// torn, of another ledger or of another version is ignored, with one line that
// says so.
func TestCommandsStartFromTheSnapshot(t *testing.T) {
	dir := t.TempDir()
	p, other := inDir{t, filepath.Join(dir, "data")}, inDir{t, filepath.Join(dir, "other")}
	p.opened("karachi")
	p.recordRaids("karachi", 1, 1)
	p.recordRaids("karachi", 2, 2)
	p.snapshotWith(true)
	p.recordRaids("karachi", 4, 2)
	if raids, errs := p.raids(); raids != "total,2" || errs != "" {
		t.Fatalf("from the snapshot: %q\n%s", raids, errs)
	}
	if out := p.must("explain", "raids", "--csv"); strings.Count(out, "\n") != 3 || strings.Contains(out, "2:1,") {
		t.Errorf("explain from the snapshot: %s", out)
	}
	p.recordRaids("karachi", 1, 5) // all of them are known to the register in it
	if out := p.must("totals", "raids", "--csv", "--as-of", "2"); !strings.HasSuffix(strings.TrimSpace(out), "total,1") {
		t.Errorf("as of before the snapshot: %s", out)
	}
	if out := p.must("exceptions", "--json"); !strings.Contains(out, "[]") {
		t.Errorf("exceptions: %s", out)
	}

	path := filepath.Join(p.dir, snapshotFile)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other.opened("lahore")
	other.recordRaids("lahore", 1, 9)
	other.snapshotWith(true)
	foreign, err := os.ReadFile(filepath.Join(other.dir, snapshotFile))
	if err != nil {
		t.Fatal(err)
	}
	version := strings.Replace(string(content), `"rules":1`, `"rules":2`, 1)
	for name, spoilt := range map[string][]byte{
		"torn": content[:len(content)/2], "empty": nil, "damaged": append([]byte("ROZSNAP1junk"), content[12:]...),
		"another ledger": foreign, "another version, and so damaged": []byte(version),
	} {
		if err := os.WriteFile(path, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		raids, errs := p.raids()
		if raids != "total,5" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "is not used") {
			t.Errorf("%s: %q\n%s", name, raids, errs)
		}
		if code, out, errs := p.with(`{"specversion":"1.0","id":"00000000-0000-4000-8000-000000000001","source":"/nccia/karachi","type":"raid.conducted","subject":"1","data":{"occurred":"2025-06-03","premises":"other"}}`, "record", "-"); code != 0 || !strings.Contains(out, "duplicate") {
			t.Errorf("%s: record: exit code %d\n%s%s", name, code, out, errs)
		}
	}
}

// The exceptions of a kind that a snapshot holds start from it, the others do not.
func TestExceptionsOfAKindStartFromTheSnapshot(t *testing.T) {
	p := inDir{t, filepath.Join(t.TempDir(), "data")}
	p.opened("karachi")
	p.on(t.Context(), func(ctx context.Context, _ *program, l *eventstore.Ledger) error {
		_, err := l.Append(ctx, []byte("junk"))
		return err
	})
	p.snapshotWith(true)
	for question, found := range map[string]bool{"--kind=refused": false, "--kind=dangling-link": false, "--kind=sequence-gap": false, "": true, "--period=2025 --unplaced": true} {
		code, out, errs := p.run(append([]string{"exceptions"}, strings.Fields(question)...)...)
		if (code == exitFound) != found || (code == exitDone) == found {
			t.Errorf("%s: exit code %d\n%s%s", question, code, out, errs)
		}
	}
}

// on works on the ledger as a command does.
func (p inDir) on(ctx context.Context, work func(context.Context, *program, *eventstore.Ledger) error) {
	p.t.Helper()
	q := &program{dir: p.dir, in: strings.NewReader(""), out: io.Discard, errs: io.Discard}
	err := q.withLedger(ctx, func(ctx context.Context, l *eventstore.Ledger) error { return work(ctx, q, l) })
	if err != nil {
		p.t.Fatal(err)
	}
}

// What took long to read is saved when the answer is out, and not where the
// person has had enough: then the old file stays.
func TestWhatWasReadIsSavedAfterTheAnswer(t *testing.T) {
	p := inDir{t, filepath.Join(t.TempDir(), "data")}
	p.opened("karachi")
	p.recordRaids("karachi", 1, 20_000) // more than a megabyte of snapshot
	path := p.path(snapshotFile)
	read := func(ctx context.Context, took time.Duration, answered func()) {
		p.on(ctx, func(ctx context.Context, q *program, l *eventstore.Ledger) error {
			totals := projections.NewTotals()
			reg, stats, err := projections.Replay(ctx, l, projections.ReplayOptions{}, totals)
			if err == nil {
				stats.Took = took
				q.keep(reg, stats, []projections.Kept{totals})
				answered()
			}
			return err
		})
	}
	read(t.Context(), slowReplay-1, func() {})
	ctx, interrupt := context.WithCancel(t.Context())
	read(ctx, slowReplay, interrupt)
	for _, name := range []string{path, path + ".new"} {
		if _, err := os.Stat(name); err == nil {
			t.Fatal("saved what was quick, or after an interruption:", name)
		}
	}
	read(t.Context(), slowReplay, func() {
		if _, err := os.Stat(path); err == nil {
			t.Error("saved before the answer is out")
		}
	})
	old, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}

	p.recordRaids("karachi", 20_001, 1)
	p.on(t.Context(), func(ctx context.Context, q *program, l *eventstore.Ledger) error {
		var errs strings.Builder
		q.errs = &errs
		totals := projections.NewTotals()
		reg, stats, err := projections.Replay(ctx, l, projections.ReplayOptions{}, totals)
		asked := false
		saved := q.save(projections.TakeSnapshot(reg, stats, totals), path, func() error { asked = true; return context.Canceled })
		if saved || !asked || errs.String() != "" {
			t.Errorf("interrupted while it saves: saved %v, asked %v: %s", saved, asked, errs.String())
		}
		return err
	})
	is, err := os.Stat(path)
	if err != nil || !os.SameFile(old, is) {
		t.Error("the old file is gone:", err)
	}
	if _, err := os.Stat(path + ".new"); err == nil {
		t.Error("what was being written is left")
	}
}

// Who saves a snapshot where there was one reads on what that held, and who has not
// far to read saves none.
func TestWhatASnapshotHeldIsReadOn(t *testing.T) {
	p := inDir{t, filepath.Join(t.TempDir(), "data")}
	p.opened("karachi")
	readOn := func(asked ...projections.Kept) (is string) {
		p.on(t.Context(), func(ctx context.Context, q *program, l *eventstore.Ledger) error {
			more, worth, err := q.readOn(ctx, l, asked)
			is = fmt.Sprint(worth)
			for _, one := range more {
				is += fmt.Sprintf(" %T", one)
			}
			return err
		})
		return is
	}
	if is := readOn(projections.NewTotals()); is != "true" {
		t.Error("without a snapshot:", is)
	}
	p.recordRaids("karachi", 1, domain.MaxLines)
	p.snapshotWith(false)
	if is := readOn(projections.NewTotals()); is != "false" {
		t.Error("near its snapshot:", is)
	}
	p.on(t.Context(), func(ctx context.Context, _ *program, l *eventstore.Ledger) error {
		for range farLines / 100 { // of more than a hundred lines, by what is in the snapshot
			if _, err := l.Append(ctx, []byte("junk")); err != nil {
				return err
			}
		}
		return nil
	})
	if is := readOn(projections.NewTotals()); is != "true *projections.Exceptions *projections.Amendments" {
		t.Error("far from its snapshot:", is)
	}
	p.snapshotOf(false, projections.NewTotals())
	if is := readOn(projections.NewAmendments()); is != "true *projections.Totals" {
		t.Error("near a snapshot that does not hold it:", is)
	}
}

// slow is somebody who reads slowly.
type slow struct{}

func (slow) Write(b []byte) (int, error) {
	time.Sleep(slowReplay)
	return len(b), nil
}

// Who had to read all since the snapshot is of no use leaves one that is, though
// the other is as late and held more.
func TestASnapshotOfNoUseIsReplaced(t *testing.T) {
	p, other := inDir{t, filepath.Join(t.TempDir(), "data")}, inDir{t, filepath.Join(t.TempDir(), "data")}
	p.opened("karachi")
	p.recordRaids("karachi", 1, 2)
	p.snapshotWith(false)
	path := p.path(snapshotFile)
	damaged, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged[len("ROZSNAP1")+4] ^= 1 // in the first piece: what is there is told all the same
	other.opened("lahore")
	other.recordRaids("lahore", 1, 9)
	other.snapshotWith(false)
	foreign, err := os.ReadFile(other.path(snapshotFile))
	if err != nil {
		t.Fatal(err)
	}
	for name, spoilt := range map[string][]byte{"damaged": damaged, "another ledger": foreign} {
		if err := os.WriteFile(path, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		p.on(t.Context(), func(ctx context.Context, q *program, l *eventstore.Ledger) error {
			q.errs = slow{} // so that the reading takes long
			_, _, err := q.replay(ctx, l, projections.AsOf{}, projections.NewTotals())
			return err
		})
		if raids, errs := p.raids(); raids != "total,2" || errs != "" {
			t.Errorf("%s: %q\n%s", name, raids, errs)
		}
	}
}

// A snapshot that another takes the place of while it is being read is tried once
// more; one that stays as it is, is not.
func TestASnapshotThatIsReplacedIsTriedAgain(t *testing.T) {
	p := inDir{t, filepath.Join(t.TempDir(), "data")}
	p.opened("karachi")
	p.recordRaids("karachi", 1, 1)
	p.snapshotWith(true)
	path := p.path(snapshotFile)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, good[:len(good)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	p.on(t.Context(), func(ctx context.Context, q *program, l *eventstore.Ledger) error {
		var errs strings.Builder
		q.errs = &errs
		replaced := false
		start, err := q.orReplaced(path, func() (*projections.Start, error) {
			start, err := startFrom(ctx, l, path, projections.AsOf{}, nil)
			if !replaced { // while it was being read
				replaced = true
				if err := os.WriteFile(path+".new", good, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Rename(path+".new", path); err != nil {
					t.Fatal(err)
				}
			}
			return start, err
		})
		if start == nil || errs.String() != "" {
			t.Error("not tried again:", errs.String())
		}
		return err
	})
}

// A ledger that has another entry where the snapshot was taken, or none, went
// back.
func TestASnapshotSeesThatTheLedgerWentBack(t *testing.T) {
	p := inDir{t, filepath.Join(t.TempDir(), "data")}
	p.opened("karachi")
	p.recordRaids("karachi", 1, 1)
	earlier := filepath.Join(t.TempDir(), "earlier")
	if err := os.CopyFS(earlier, os.DirFS(filepath.Join(p.dir, "jetstream"))); err != nil {
		t.Fatal(err)
	}
	p.recordRaids("karachi", 2, 1)
	p.snapshotWith(false)
	if err := os.RemoveAll(filepath.Join(p.dir, "jetstream")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(p.dir, "jetstream"), os.DirFS(earlier)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(p.path(highWaterFile)); err != nil { // which tells the same
		t.Fatal(err)
	}
	alarm := func(what string, command ...string) {
		t.Helper()
		code, out, errs := p.run(command...)
		if code != exitFailed || out != "" || !strings.Contains(errs, "the ledger went back") || !strings.Contains(errs, "snapshot away") {
			t.Errorf("%s: %v: exit code %d\n%s%s", what, command, code, out, errs)
		}
		if err := os.Remove(p.path(highWaterFile)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	alarm("shorter", "totals")
	alarm("shorter", "record", "raid.conducted", "--source", "/nccia/karachi", "--subject", "7", "--occurred", "2025-06-03", "--set", "premises=other")
	alarm("shorter", "serve")
	if err := os.Rename(p.path(snapshotFile), p.path("kept")); err != nil {
		t.Fatal(err)
	}
	p.recordRaids("karachi", 3, 1)
	if err := os.Rename(p.path("kept"), p.path(snapshotFile)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(p.path(highWaterFile)); err != nil {
		t.Fatal(err)
	}
	alarm("another entry", "totals")
}

func (p inDir) path(name string) string { return filepath.Join(p.dir, name) }

// TestServeKilledWhileItSaves kills a serve while it writes a snapshot, over and
// over, and at last lets it end. Whatever is left behind, a start comes to the
// same state.
func TestServeKilledWhileItSaves(t *testing.T) {
	kills := 12
	if testing.Short() {
		kills = 3
	}
	p := inDir{t, filepath.Join(t.TempDir(), "data")}
	p.opened("karachi")
	p.recordRaids("karachi", 0, snapshotLines+1000)
	state := func() (state string) {
		var cited struct{ Citation struct{ State, Table string } }
		if err := json.Unmarshal([]byte(p.must("totals", "raids", "--json")), &cited); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(cited)
	}
	want := state()
	_ = os.Remove(p.path(snapshotFile)) // if that was slow
	torn := 0
	for round := range kills {
		serve := p.serve()
		waitUntil(t, "a snapshot", func() bool {
			_, err1 := os.Stat(p.path(snapshotFile + ".new"))
			_, err2 := os.Stat(p.path(snapshotFile))
			return err1 == nil || err2 == nil
		})
		time.Sleep(time.Duration(round*7) * time.Millisecond) // somewhere in it
		serve.kill()
		if _, err := os.Stat(p.path(snapshotFile)); err != nil {
			torn++
		}
		if got := state(); got != want {
			t.Fatalf("round %d: %s, want %s", round, got, want)
		}
		_ = os.Remove(p.path(snapshotFile))
	}
	t.Logf("%d of %d were killed before the snapshot was whole", torn, kills)
	serve := p.serve()
	waitUntil(t, "a snapshot", func() bool {
		_, err := os.Stat(p.path(snapshotFile))
		return err == nil
	})
	serve.interrupt()
	serve = p.serve()
	waitUntil(t, "the totals", func() bool { return serve.last().Table.Citation.Entry > 0 })
	if live := serve.last(); !strings.Contains(want, live.Table.Citation.State) {
		t.Errorf("from the snapshot %s, from entry 1 %s", live.Table.Citation.State, want)
	}
	serve.interrupt()
	if _, err := os.Stat(p.path(snapshotFile + ".new")); err == nil {
		t.Error("what was being written is left")
	}
}
