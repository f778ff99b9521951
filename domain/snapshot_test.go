package domain

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// kept are the pieces of a snapshot as a file would keep them.
func kept(s *Snapshot) (pieces [][]byte) {
	for i := range s.Pieces() {
		pieces = append(pieces, s.AppendPiece(nil, i))
	}
	return pieces
}

func restore(pieces [][]byte) (*Register, error) {
	size := 0
	for _, p := range pieces {
		size += len(p)
	}
	return RestoreRegister(len(pieces), int64(size), func(n int, _ *[]byte) ([]byte, error) { return pieces[n], nil })
}

// told is everything that ruling on an entry says.
func told(t interface{ Fatal(...any) }, r *Register, e Entry) (rulings []string) {
	if err := r.Apply(e, func(l *Ruled) {
		rulings = append(rulings, fmt.Sprint(l.Position, l.Submission, l.Recorded, l.Ruling, l.Change, l.Record, l.Name, l.SameAs))
	}); err != nil {
		t.Fatal(err)
	}
	return rulings
}

// A register that was kept at any entry, and read back when the first one had
// gone on to the end, answers as that one did from there on.
func TestARestoredRegisterRulesAsTheFirstDid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		entries := h.cut()
		entry := func(i int) Entry {
			return Entry{Number: uint64(i + 1), Subject: EntrySubject, Payload: []byte(entries[i]), Recorded: time.Unix(int64(i), 7).UTC()}
		}
		at := rapid.IntRange(0, len(entries)).Draw(t, "kept at entry")
		first := NewRegister()
		var snapshot *Snapshot
		var after [][]string
		for i := range entries {
			if i == at {
				snapshot = first.Snapshot()
			}
			rulings := told(t, first, entry(i))
			if i >= at {
				after = append(after, rulings)
			}
		}
		if snapshot == nil {
			snapshot = first.Snapshot()
		}
		again, err := restore(kept(snapshot))
		if err != nil {
			t.Fatal(err)
		}
		snapshot.Release()
		if again.Last() != uint64(at) {
			t.Fatalf("kept at entry %d, restored at %d", at, again.Last())
		}
		for i := at; i < len(entries); i++ {
			if rulings := told(t, again, entry(i)); !slices.Equal(rulings, after[i-at]) {
				t.Fatalf("entry %d after a snapshot at %d\nrestored %q\nfirst    %q", i+1, at, rulings, after[i-at])
			}
		}
		if again.Hash() != first.Hash() || again.Recorded() != first.Recorded() || fmt.Sprint(again.Payloads()) != fmt.Sprint(first.Payloads()) || fmt.Sprint(again.Opened(), again.Zone()) != fmt.Sprint(first.Opened(), first.Zone()) {
			t.Fatal("the restored register stands elsewhere")
		}
		if a, b := standings(again), standings(first); !slices.Equal(a, b) {
			t.Fatalf("standings differ\n%q\n%q", a, b)
		}
		if a, b := kept(again.Snapshot()), kept(first.Snapshot()); !slices.EqualFunc(a[1:], b[1:], slices.Equal) {
			t.Fatal("snapshots of the two differ")
		}
	})
}

// manyRecords is a register with so many records, some entries to come and what
// amends every stride-th of them.
func manyRecords(t testing.TB, n, stride int) (r *Register, amendments []Entry) {
	r = NewRegister()
	apply := func(payload []byte) {
		if err := r.Apply(Entry{Number: r.Last() + 1, Subject: EntrySubject, Payload: payload}, func(l *Ruled) {
			if l.Verdict != Accepted {
				t.Fatal(l.Line, l.Ruling)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	apply([]byte(benchOpening))
	for i := 0; i < n; {
		var payload []byte
		for end := min(n, i+1000); i < end; i++ {
			payload = append(append(payload, benchLine(i)...), "\n\n"...)
		}
		apply(payload)
	}
	next := r.Last()
	var payload []byte
	lines := 0
	cut := func() {
		next++
		amendments = append(amendments, Entry{Number: next, Subject: EntrySubject, Payload: payload})
		payload, lines = nil, 0
	}
	for i := 0; i < n; i += stride {
		name := fmt.Sprintf("arrest/us-ice/st-paul/2016-%07d", i)
		parsed, _ := ParseRecordName(name)
		standing, ok := r.Lookup(parsed)
		if !ok {
			t.Fatal("no", name)
		}
		payload = fmt.Appendf(payload, `{"specversion":"1.0","id":"00000000-0000-4000-8001-%012x","source":"/us-ice/st-paul","type":"record.retracted","data":{"record":"%s","amends":"%s","reason":"data-entry"}}`+"\n\n", i, name, standing.Event)
		if lines++; lines == 1000 {
			cut()
		}
	}
	if lines > 0 {
		cut()
	}
	return r, amendments
}

// A snapshot of several blocks stays as it was while the register amends what is
// in them.
func TestASnapshotStaysAsItWas(t *testing.T) {
	r, amendments := manyRecords(t, 3*blockRows+100, 7)
	before := r.Hash()
	snapshot := r.Snapshot()
	was := kept(snapshot)
	snapshot.Release()
	snapshot = r.Snapshot()
	var rulings []string
	for _, e := range amendments {
		rulings = append(rulings, told(t, r, e)...)
	}
	is := kept(snapshot)
	if !slices.EqualFunc(was, is, slices.Equal) {
		t.Fatal("the snapshot changed with the register")
	}
	again, err := restore(is)
	if err != nil {
		t.Fatal(err)
	}
	if again.Hash() != before {
		t.Fatal("restored with another state hash")
	}
	var told2 []string
	for _, e := range amendments {
		e.lines = nil
		told2 = append(told2, told(t, again, e)...)
	}
	if !slices.Equal(rulings, told2) || again.Hash() != r.Hash() || !slices.Equal(standings(again), standings(r)) {
		t.Fatal("the restored register ruled otherwise")
	}
	if strings.Contains(strings.Join(rulings, "\n"), "Refused") {
		t.Fatal("refused")
	}
	snapshot.Release()
	if r.records.still != nil {
		t.Fatal("held after release")
	}
}

// Whatever the pieces say, restoring them ends, in a register or an error.
func FuzzRestoreRegister(f *testing.F) {
	h := NewRegister()
	for i, payload := range []string{
		opening,
		line(1, karachi, "raid.conducted", "1", aRaid) + "\n" + line(2, karachi, "loss.alleged", "1", `{"occurred":"2025","case":"1","amount":{"value":"10","currency":"PKR"}}`),
		succeed(3, "1", "nccia", "bureau"),
		retract(4, karachi, "raid/nccia/karachi/1", 1),
	} {
		if err := h.Apply(Entry{Number: uint64(i + 1), Subject: EntrySubject, Payload: []byte(payload)}, nil); err != nil {
			f.Fatal(err)
		}
	}
	pieces := kept(h.Snapshot())
	f.Add(0, 0, byte(1))
	f.Fuzz(func(t *testing.T, number, at int, change byte) {
		damaged := slices.Clone(pieces)
		number = int(uint(number) % uint(len(pieces)))
		p := slices.Clone(damaged[number])
		if len(p) == 0 {
			return
		}
		if at < 0 { // cut off
			p = p[:int(uint(at)%uint(len(p)))]
		} else {
			p[at%len(p)] ^= change
		}
		damaged[number] = p
		r, err := restore(damaged)
		if err != nil {
			return
		}
		standings(r)
		for i, payload := range []string{line(1, karachi, "raid.conducted", "1", aRaid), line(9, karachi, "raid.conducted", "2", aRaid)} {
			_ = i
			if err := r.Apply(Entry{Number: r.Last() + 1, Subject: EntrySubject, Payload: []byte(payload)}, nil); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// An error of the source is the answer.
func TestRestoreTellsTheSourcesError(t *testing.T) {
	r, _ := manyRecords(t, 10, 20)
	s := r.Snapshot()
	for n := range s.Pieces() {
		_, err := RestoreRegister(s.Pieces(), 1<<20, func(i int, _ *[]byte) ([]byte, error) {
			if i == n {
				return nil, errors.ErrUnsupported
			}
			return s.AppendPiece(nil, i), nil
		})
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("piece %d cannot be read: %v", n, err)
		}
	}
}

// BenchmarkRestoreRegister restores a million events from memory, and tells what
// taking the snapshot costs.
func BenchmarkRestoreRegister(b *testing.B) {
	const events = 1_000_000
	r, _ := manyRecords(b, events, events)
	began := time.Now()
	snapshot := r.Snapshot()
	b.Logf("taken in %s", time.Since(began))
	pieces := kept(snapshot)
	snapshot.Release()
	runtime.GC()
	for b.Loop() {
		if _, err := restore(pieces); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/events, "ns/event")
}
