package eventstore_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

// markOf is a kept place: the last entry of l.
func markOf(t *testing.T, l *eventstore.Ledger) eventstore.Mark {
	t.Helper()
	tail, err := l.Tail(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	last, err := read(t, l, tail, tail)
	if err != nil {
		t.Fatal(err)
	}
	return eventstore.Mark{Entry: tail, Hash: sha256.Sum256(last[0].Payload)}
}

func TestHolds(t *testing.T) {
	l, _ := openLedger(t)
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	receipt := record(t, r, raid("/nccia/karachi", 1))
	there := markOf(t, l)
	if receipt.Mark != there {
		t.Errorf("the receipt's mark is %v, the entry %v", receipt.Mark, there)
	}
	record(t, r, raid("/nccia/karachi", 2))
	for _, m := range []eventstore.Mark{{}, there, markOf(t, l)} {
		if err := l.Holds(soon(t), m); err != nil {
			t.Errorf("%v: %v", m, err)
		}
	}
	other := there
	other.Hash[0]++
	for _, m := range []eventstore.Mark{other, {Entry: 9, Hash: there.Hash}} {
		var back *eventstore.WentBackError
		if err := l.Holds(soon(t), m); !errors.As(err, &back) || back.Had != m.Entry {
			t.Errorf("%v: %v", m, err)
		}
	}
	again := record(t, r, raid("/nccia/karachi", 1))
	if !again.Mark.IsZero() {
		t.Errorf("a duplicate has the mark %v", again.Mark)
	}
}

func TestMarkJSON(t *testing.T) {
	m := eventstore.Mark{Entry: 12, Hash: sha256.Sum256([]byte("x"))}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(b), `{"entry":12,"sha256":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}`; got != want {
		t.Errorf("got %s", got)
	}
	var back eventstore.Mark
	if err := json.Unmarshal(b, &back); err != nil || back != m {
		t.Errorf("%v, %v", back, err)
	}
	for _, bad := range []string{`{}`, `{"entry":12,"sha256":"2d"}`, `{"entry":12,"sha256":"x"}`, `{"sha256":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}`, `[`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

// The file follows what recorders read, and a ledger that is shorter, or another
// one, is told of before anything is recorded or read.
func TestHighWater(t *testing.T) {
	path := filepath.Join(t.TempDir(), "high-water.json")
	l, _ := openLedger(t)
	if err := l.KeepHighWater(soon(t), path); err != nil {
		t.Fatal(err)
	}
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	record(t, r, raid("/nccia/karachi", 1))
	want := markOf(t, l)
	eventually(t, "the file is written while the recorder runs", func() bool { return markIn(t, path) == want })
	record(t, r, raid("/nccia/karachi", 2))
	want = markOf(t, l)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got := markIn(t, path); got != want {
		t.Errorf("after Close the file says %v, want %v", got, want)
	}
	if err := l.CheckHighWater(soon(t), path); err != nil {
		t.Error(err)
	}

	other, _ := openLedger(t)
	err := other.CheckHighWater(soon(t), path)
	var back *eventstore.WentBackError
	if !errors.As(err, &back) || back.Had != 3 || back.Tail != 1 || !strings.Contains(err.Error(), "entries 2 to 3 are missing") || !strings.Contains(err.Error(), path) {
		t.Errorf("a shorter ledger: %v", err)
	}
	r = newRecorder(t, other, eventstore.RecorderConfig{})
	record(t, r, raid("/nccia/lahore", 1))
	record(t, r, raid("/nccia/lahore", 2))
	if err := other.KeepHighWater(soon(t), path); !errors.As(err, &back) || back.Had != 3 || !strings.Contains(err.Error(), "entry 3 is not the one") {
		t.Errorf("another ledger: %v", err)
	}
	if got := markIn(t, path); got != want {
		t.Errorf("the alarm has moved the file to %v", got)
	}
}

// What the file says never goes back, though an older program writes to it.
func TestHighWaterOnlyRises(t *testing.T) {
	path := filepath.Join(t.TempDir(), "high-water.json")
	l, _ := openLedger(t)
	if err := l.KeepHighWater(soon(t), path); err != nil {
		t.Fatal(err)
	}
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	later := `{"entry":99,"sha256":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}` + "\n"
	if err := os.WriteFile(path, []byte(later), 0o644); err != nil {
		t.Fatal(err)
	}
	record(t, r, raid("/nccia/karachi", 1))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != later {
		t.Errorf("the file says %s", got)
	}
}

func TestHighWaterThatCannotBeReadOrWritten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "high-water.json")
	l, _ := openLedger(t)
	for _, bad := range []string{"", "{", `{"entry":2}`} {
		if err := os.WriteFile(path, []byte(bad), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := l.KeepHighWater(soon(t), path); err == nil || !strings.Contains(err.Error(), "Try: ") || !strings.Contains(err.Error(), "roznamcha status") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	path = filepath.Join(dir, "gone", "high-water.json")
	if err := l.KeepHighWater(soon(t), path); err != nil {
		t.Fatal(err)
	}
	r, err := eventstore.NewRecorder(soon(t), l, eventstore.RecorderConfig{})
	if err != nil {
		t.Fatal(err)
	}
	record(t, r, raid("/nccia/karachi", 1))
	if err := r.Close(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("closed with %v", err)
	}
}

func markIn(t *testing.T, path string) (m eventstore.Mark) {
	t.Helper()
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return m
	}
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A submission as a diary may hold that diary's events and no others.
func TestSubmitAs(t *testing.T) {
	l, _ := openLedger(t)
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	karachi := domain.Diary{Agency: "nccia", Unit: "karachi"}
	for _, test := range []struct{ submission, want string }{
		{raid("/nccia/lahore", 1), "refused wrong-source"},
		{raid("/nccia/karachi", 1) + "\n" + raid("/nccia/lahore", 1), "refused with-refused, refused wrong-source"},
		{raid("/nccia/karachi", 1), "accepted 2:1"},
	} {
		p, err := r.SubmitAs(soon(t), karachi, []byte(test.submission))
		if err != nil {
			t.Fatal(err)
		}
		if got := brief(receiptOf(t, p)); got != test.want {
			t.Errorf("%s\ngot  %s\nwant %s", test.submission, got, test.want)
		}
	}
}

// Check answers as recording would, and records nothing.
func TestCheck(t *testing.T) {
	l, _ := openLedger(t)
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	record(t, r, raid("/nccia/karachi", 1))
	karachi := domain.Diary{Agency: "nccia", Unit: "karachi"}
	for _, test := range []struct{ submission, want string }{
		{raid("/nccia/karachi", 2), "accepted"},
		{raid("/nccia/karachi", 1) + "\n" + raid("/nccia/karachi", 2), "duplicate of 2:1, accepted"},
		{raid("/nccia/lahore", 2), "refused wrong-source"},
		{"{}", "refused bad-attribute"},
		{raid("/nccia/karachi", 2) + "\n{}", "refused with-refused, refused bad-attribute"},
	} {
		receipt, err := r.Check(karachi, []byte(test.submission))
		if got := brief(receipt); err != nil || got != test.want {
			t.Errorf("%s\ngot  %s\nwant %s", test.submission, got, test.want)
		}
	}
	if tail, err := l.Tail(soon(t)); err != nil || tail != 2 {
		t.Errorf("the ledger has %d entries: %v", tail, err)
	}
}

// What another recorder has recorded is no reason to refuse: the door looks
// again before it says that a record is not there.
func TestARefusalIsUpToDate(t *testing.T) {
	l, nc := openLedger(t)
	there := newRecorder(t, l, eventstore.RecorderConfig{})
	other, err := eventstore.Open(soon(t), nc)
	if err != nil {
		t.Fatal(err)
	}
	here := newRecorder(t, other, eventstore.RecorderConfig{})
	for i := range 200 {
		raid := raid("/nccia/karachi", i)
		record(t, there, raid)
		if got := brief(record(t, here, retraction(raid))); !strings.HasPrefix(got, "accepted") {
			t.Fatalf("raid %d was recorded, and its retraction by another recorder %s", i, got)
		}
	}
}

// retraction retracts the raid of a line.
func retraction(line string) string {
	parts := strings.Split(line, `"`)
	id, source, subject := parts[7], parts[11], parts[19]
	return fmt.Sprintf(`{"specversion":"1.0","id":"%s","source":"%s","type":"record.retracted","data":{"record":"raid%s/%s","amends":"%s","reason":"data-entry"}}`, uuid.New(), source, source, subject, id)
}

// eventually waits until there is what must come.
func eventually(t *testing.T, what string, there func() bool) {
	t.Helper()
	for ctx := soon(t); !there(); time.Sleep(10 * time.Millisecond) {
		if ctx.Err() != nil {
			t.Fatal("never: " + what)
		}
	}
}

// Two programs on one file, and two recorders on one ledger, never let a reader
// see half of it.
func TestHighWaterIsAlwaysWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "high-water.json")
	var recorders []*eventstore.Recorder
	for range 2 {
		l, _ := openLedger(t)
		if err := l.KeepHighWater(soon(t), path); err != nil {
			t.Fatal(err)
		}
		recorders = append(recorders, newRecorder(t, l, eventstore.RecorderConfig{}), newRecorder(t, l, eventstore.RecorderConfig{}))
	}
	stop := make(chan struct{})
	var work sync.WaitGroup
	for i, r := range recorders {
		work.Go(func() {
			for n := 0; ; n++ {
				record(t, r, raid(fmt.Sprintf("/nccia/unit-%d", i), n))
				if err := eventstore.WriteHighWater(r); err != nil {
					t.Errorf("write: %v", err)
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for range 2000 {
		markIn(t, path)
	}
	close(stop)
	work.Wait()
}

// Somebody hears that the file cannot be written, and that it can again.
func TestHighWaterTroubleIsTold(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	l, _ := openLedger(t)
	if err := l.KeepHighWater(soon(t), filepath.Join(dir, "high-water.json")); err != nil {
		t.Fatal(err)
	}
	told := make(chan error, 10)
	r := newRecorder(t, l, eventstore.RecorderConfig{Trouble: func(err error) { told <- err }})
	record(t, r, raid("/nccia/karachi", 1))
	if err := <-told; err == nil || !strings.Contains(err.Error(), "Try: ") {
		t.Errorf("told %v", err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := <-told; err != nil {
		t.Errorf("and then %v", err)
	}
}

// A file that is removed or spoilt while a recorder runs, or just before it ends,
// is written again with all that it has read, and somebody hears of it.
func TestHighWaterIsWrittenAgain(t *testing.T) {
	spoil := func(path, text string) error {
		err := os.WriteFile(path+".other", []byte(text), 0o644)
		return errors.Join(err, os.Rename(path+".other", path))
	}
	for what, damage := range map[string]func(path string) error{
		"it was removed":               os.Remove,
		"invalid character 'j'":        func(path string) error { return spoil(path, "junk\n") },
		"unexpected end of JSON input": func(path string) error { return spoil(path, "") },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel() // it waits for the next second
			path := filepath.Join(t.TempDir(), "high-water.json")
			l, _ := openLedger(t)
			if err := l.KeepHighWater(soon(t), path); err != nil {
				t.Fatal(err)
			}
			told := make(chan error, 10)
			r := newRecorder(t, l, eventstore.RecorderConfig{Trouble: func(err error) { told <- err }})
			record(t, r, raid("/nccia/karachi", 1))
			want := markOf(t, l)
			eventually(t, "the file is written", func() bool { return markIn(t, path) == want })
			for _, last := range []bool{false, true} { // nothing is recorded meanwhile
				if err := damage(path); err != nil {
					t.Fatal(err)
				}
				if last {
					if err := r.Close(); err != nil {
						t.Error(err)
					}
				}
				if err := <-told; err == nil || !strings.Contains(err.Error(), path+": "+what) || !strings.Contains(err.Error(), "Try: ") {
					t.Errorf("told %v", err)
				}
				if got := markIn(t, path); got != want {
					t.Errorf("the file says %v, want %v", got, want)
				}
			}
			if len(told) > 0 {
				t.Errorf("and then %v", <-told)
			}
		})
	}
}

// The alarms say to restore the store and not the file that raised them.
func TestAlarmsAreNotSilenced(t *testing.T) {
	for _, test := range []struct {
		alarm   error
		reaches string
	}{
		{&eventstore.GapError{Want: 4, Got: 7}, "entry 6,"},
		{&eventstore.WentBackError{Had: 8, Tail: 7}, "entry 8,"},
		{&eventstore.WentBackError{Had: 8, Tail: 9}, "entry 8,"},
	} {
		if says := test.alarm.Error(); !strings.Contains(says, "(jetstream/ alone) from a copy that reaches "+test.reaches) || !strings.HasSuffix(says, "leave high-water.json where it is") {
			t.Error(says)
		}
	}
}
