package projections

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"roznamcha/domain"
)

// newHistorian is a ledger of random history that is open, after a line that
// was not.
func newHistorian(t *rapid.T) *historian {
	h := &historian{rt: t, book: &book{t: t, reg: domain.NewRegister(), now: time.Date(2025, 7, 1, 9, 0, 0, 0, time.UTC), totals: NewTotals()}}
	h.ps = []Projection{h.totals}
	h.entry([]string{"junk"})
	h.entry([]string{h.line(event(domain.Office, "l", &domain.LedgerOpened{Name: "l", HomeCountry: "PK", Zone: "Asia/Karachi", Rules: 1}))})
	return h
}

// save keeps s in a file of its own.
func save(t interface{ Fatal(...any) }, s *Snapshot, path string) {
	if saved, err := s.Save(path, nil); err != nil || !saved {
		t.Fatal("saved", saved, err)
	}
}

// restored is what the file at path holds.
func restored(t interface{ Fatal(...any) }, path string) (*domain.Register, *Totals, *Exceptions, *Amendments, Stats) {
	s, err := OpenSnapshot(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	totals, exceptions, amendments := NewTotals(), NewExceptions(), NewAmendments()
	start, err := s.Restore(totals, exceptions, amendments)
	if err != nil {
		t.Fatal(err)
	}
	start.Stats.Snapshot, start.Stats.Before = 0, 0
	return start.Register, totals, exceptions, amendments, start.Stats
}

// list is every amendment in order.
func (a *Amendments) list() (list []Amendment) {
	for _, one := range a.all {
		list = append(list, a.At(one.at.Position()))
	}
	return list
}

// A start from a snapshot at any entry, taken while the ledger went on, comes to
// the state hash, the rulings and the tables that a replay from entry 1 does.
func TestAStartFromASnapshotIsAReplay(t *testing.T) {
	dir := t.TempDir()
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		path := filepath.Join(dir, "snapshot")
		_ = os.Remove(path)
		h := newHistorian(t)
		var stats Stats
		exceptions, amendments := NewExceptions(), NewAmendments()
		h.ps = append(h.ps, &stats, exceptions, amendments)
		entries := rapid.IntRange(1, 25).Draw(t, "entries")
		at := rapid.IntRange(0, entries).Draw(t, "saved after")
		var taken *Snapshot
		for i := range entries {
			if i == at {
				taken = TakeSnapshot(h.reg, stats, h.totals, exceptions, amendments)
			}
			h.write()
		}
		if taken == nil {
			taken = TakeSnapshot(h.reg, stats, h.totals, exceptions, amendments)
		}
		save(t, taken, path)
		taken.Release()
		reg, totals, found, why, counted := restored(t, path)
		if reg.Last() != taken.Entry() {
			t.Fatal(reg.Last(), taken.Entry())
		}
		for i := int(reg.Last()); i < len(h.payloads); i++ {
			e := domain.Entry{Number: uint64(i + 1), Subject: domain.EntrySubject, Recorded: h.recorded[i], Payload: h.payloads[i]}
			if err := Fold(reg, e, totals, found, why, &counted); err != nil {
				t.Fatal(err)
			}
		}
		if reg.Hash() != h.reg.Hash() || counted != stats {
			t.Fatalf("state %x counted %+v, replay %x %+v", reg.Hash(), counted, h.reg.Hash(), stats)
		}
		for range 8 {
			q := h.query()
			want, err1 := h.totals.Query(q)
			got, err2 := totals.Query(q)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			want.Cite(h.reg)
			got.Cite(reg)
			if got.Citation != want.Citation || got.Title() != want.Title() {
				t.Fatalf("%+v\nfrom a snapshot %+v\nfrom entry 1    %+v", q, got.Citation, want.Citation)
			}
		}
		if got, want := found.List(), exceptions.List(); !slices.Equal(got, want) {
			t.Fatalf("exceptions\nfrom a snapshot %+v\nfrom entry 1    %+v", got, want)
		}
		if got, want := why.list(), amendments.list(); !slices.Equal(got, want) {
			t.Fatalf("amendments\nfrom a snapshot %+v\nfrom entry 1    %+v", got, want)
		}
		again := filepath.Join(dir, "again")
		_ = os.Remove(again)
		save(t, TakeSnapshot(reg, counted, totals, found, why), again) // and from there on
		if reg, _, _, _, _ := restored(t, again); reg.Hash() != h.reg.Hash() {
			t.Fatal("a snapshot of what was restored is another")
		}
	})
}

// someSnapshot is a small history in a file, and the file.
func someSnapshot(t testing.TB, path string) []byte {
	exceptions, amendments := NewExceptions(), NewAmendments()
	b := newBook(t, exceptions, amendments)
	one, two := raid(karachi, "1", "Karachi", "2025"), raid(lahore, "2", "Lahore", "2025-05-01")
	b.write(one, two)
	b.write(match(one, two))
	b.write(arrest(karachi, "3", "Karachi", "2025-06", 4, "PK", "CN"))
	b.write(b.retract(one))
	b.write(&domain.Event{Source: karachi, Data: &domain.RecordLinked{From: one.Record(), To: domain.RecordName{Kind: "case", Diary: karachi, ID: "1"}}})
	b.lines("junk")
	save(t, TakeSnapshot(b.reg, Stats{Entries: b.reg.Last()}, b.totals, exceptions, amendments), path)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// try opens and restores what content holds.
func try(t testing.TB, path string, content []byte) error {
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := OpenSnapshot(path)
	if err != nil {
		return err
	}
	defer s.Close()
	ps := []Kept{NewTotals(), NewExceptions(), NewAmendments()}
	if has, err := s.Has(ps...); !has || err != nil {
		return &UnusableError{path, "version"}
	}
	_, err = s.Restore(ps...)
	return err
}

// A file that ends anywhere before its end, or with a bit flipped anywhere, is
// unusable and says so.
func TestATornOrDamagedSnapshotIsUnusable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "snapshot")
	content := someSnapshot(t, path)
	var unusable *UnusableError
	for n := range len(content) {
		if n >= 64 && n <= len(content)-200 && n%23 != 0 {
			continue
		}
		if err := try(t, path, content[:n]); !errors.As(err, &unusable) {
			t.Fatalf("torn at %d of %d: %v", n, len(content), err)
		}
		damaged := slices.Clone(content)
		damaged[n] ^= 1 << (n % 8)
		if err := try(t, path, damaged); !errors.As(err, &unusable) {
			t.Fatalf("a bit flipped at %d of %d: %v", n, len(content), err)
		}
	}
	if err := try(t, path, append(slices.Clone(content), 0)); !errors.As(err, &unusable) {
		t.Fatal("a byte more:", err)
	}
	if err := try(t, path, content); err != nil {
		t.Fatal(err)
	}
}

// What another program may have saved is told apart.
func TestASnapshotOfAnotherVersionIsUnusable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "snapshot")
	for name, mend := range map[string]func(*Snapshot){
		"format": func(s *Snapshot) { s.header.Format++ },
		"rules":  func(s *Snapshot) { s.header.Rules++ },
		"entry":  func(s *Snapshot) { s.header.State = strings.Repeat("0", 64) },
	} {
		b := newBook(t)
		s := TakeSnapshot(b.reg, Stats{}, b.totals, NewExceptions(), NewAmendments())
		mend(s)
		_ = os.Remove(path)
		save(t, s, path)
		content, _ := os.ReadFile(path)
		var unusable *UnusableError
		if err := try(t, path, content); !errors.As(err, &unusable) || !strings.Contains(err.Error(), name) {
			t.Errorf("another %s: %v", name, err)
		}
	}
	b := newBook(t)
	s := TakeSnapshot(b.reg, Stats{}, b.totals)
	s.parts[0].version++
	_ = os.Remove(path)
	save(t, s, path)
	saved, err := OpenSnapshot(path)
	if err != nil {
		t.Fatal(err)
	}
	defer saved.Close()
	var unusable *UnusableError
	if has, err := saved.Has(b.totals); has || !errors.As(err, &unusable) {
		t.Error("totals of another version are taken for these")
	}
	if has, err := saved.Has(); !has || err != nil {
		t.Error("its register is of this version")
	}
}

// An older snapshot, or one of fewer parts, does not take the place of another;
// one of another ledger or of no use does not stay.
func TestWhichSnapshotStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "snapshot")
	b := newBook(t)
	older := TakeSnapshot(b.reg, Stats{}, b.totals)
	b.write(raid(karachi, "1", "Karachi", "2025"))
	newer := TakeSnapshot(b.reg, Stats{}, b.totals)
	b.write(raid(karachi, "2", "Karachi", "2025"))
	fewer := TakeSnapshot(b.reg, Stats{})
	other := newBook(t)
	other.write(raid(karachi, "1", "Lahore", "2025"))
	foreign := TakeSnapshot(other.reg, Stats{}, other.totals)
	for _, step := range []struct {
		what  string
		s     *Snapshot
		saves bool
	}{
		{"the first", older, true}, {"a newer one", newer, true}, {"the same", newer, false}, {"an older one", older, false},
		{"a later one of fewer parts", fewer, false},
	} {
		if saved, err := step.s.Save(path, nil); saved != step.saves || err != nil {
			t.Errorf("%s: saved %v %v", step.what, saved, err)
		}
	}
	if h := headerAt(t, path); h.Mark.Entry != newer.Entry() {
		t.Errorf("entry %d stays", h.Mark.Entry)
	}
	foreign.header.First.Hash[0]++ // these books open alike
	if saved, err := foreign.Save(path, nil); !saved || err != nil {
		t.Error("of another ledger:", saved, err)
	}
	if err := os.WriteFile(path, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	if saved, err := older.Save(path, nil); !saved || err != nil {
		t.Error("in the place of junk:", saved, err)
	}
	full := errors.New("full")
	if _, err := newer.Save(path, func() error { return full }); err != nil {
		t.Error("a small file is not asked about:", err)
	}
	if _, err := os.Stat(path + ".new"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("what was being written is left:", err)
	}
}

func headerAt(t testing.TB, path string) snapshotHeader {
	s, err := OpenSnapshot(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	return s.header
}

// Whatever a file says, restoring it ends, in a projection or an error.
func FuzzRestore(f *testing.F) {
	exceptions, amendments := NewExceptions(), NewAmendments()
	b := newBook(f, exceptions, amendments)
	one, two := raid(karachi, "1", "Karachi", "2025"), raid(lahore, "2", "Lahore", "2025-05-01")
	b.write(one, two)
	b.write(match(one, two))
	b.write(arrest(karachi, "3", "Karachi", "2025-06", 4, "PK", "CN"))
	b.write(b.retract(one))
	b.write(&domain.Event{Source: karachi, Data: &domain.RecordLinked{From: two.Record(), To: domain.RecordName{Kind: "case", Diary: karachi, ID: "1"}}})
	b.lines("junk")
	var whole [][][]byte
	for _, k := range []Kept{b.totals, exceptions, amendments} {
		var pieces [][]byte
		taken := k.snapshot()
		for i := range taken.pieces() {
			pieces = append(pieces, taken.appendPiece(nil, i))
		}
		whole = append(whole, pieces)
	}
	for part := range whole {
		for n := range whole[part] {
			for i := range whole[part][n] {
				f.Add(part, n, i, byte(1))
				f.Add(part, n, i, byte(0x81))
			}
		}
	}
	f.Fuzz(func(t *testing.T, part, number, at int, change byte) {
		part = int(uint(part) % uint(len(whole)))
		damaged := slices.Clone(whole[part])
		number = int(uint(number) % uint(len(damaged)))
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
		totals, exceptions, amendments := NewTotals(), NewExceptions(), NewAmendments()
		k := []Kept{totals, exceptions, amendments}[part]
		err := k.restore(source{pieces: len(damaged), bytes: 1 << 20, piece: func(n int, _ *[]byte) ([]byte, error) { return damaged[n], nil }}, b.reg.Records())
		if err == nil {
			err = k.join(b.reg)
		}
		if err == nil {
			_, _ = totals.Query(Query{By: []Dimension{City, Month}})
			exceptions.List()
			amendments.list()
		}
	})
}
