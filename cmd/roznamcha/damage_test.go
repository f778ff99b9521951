package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/minio/highwayhash"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/embedded"
	"roznamcha/projections"
)

// store is where the server of a data directory keeps the ledger's stream.
func store(dir string, path ...string) string {
	return filepath.Join(append([]string{dir, "jetstream", "$G", "streams", eventstore.StreamName}, path...)...)
}

// stored is one message in the file of a block: where it stands, with
// everything that the server writes about it, and its payload.
type stored struct {
	entry            uint64
	at, payload, sum int // where it, its payload and its checksum begin
}

// hasHeaders is in the length of a message that has some: those of the opening
// expect an empty stream.
const hasHeaders = 1 << 31

// block is the file of the server's n-th block of messages, from 1: it has
// 8 MiB at most.
type block struct {
	n       int
	path    string
	bytes   []byte
	entries []stored
}

// readBlock reads a block as nats-server 2.15 writes it, one message after the
// other, little-endian: length 4, entry number 8, time 8, length of the subject
// 2, subject, headers (their length 4) where the length says so, payload,
// checksum 8.
func readBlock(t testing.TB, dir string, n int) *block {
	t.Helper()
	b := &block{n: n, path: store(dir, "msgs", fmt.Sprintf("%d.blk", n))}
	var err error
	if b.bytes, err = os.ReadFile(b.path); err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(b.bytes); {
		r := b.bytes[at:]
		length, payload := binary.LittleEndian.Uint32(r), 22+int(binary.LittleEndian.Uint16(r[20:]))
		size := int(length &^ hasHeaders)
		if length&hasHeaders != 0 {
			payload += 4 + int(binary.LittleEndian.Uint32(r[payload:]))
		}
		b.entries = append(b.entries, stored{binary.LittleEndian.Uint64(r[4:]), at, at + payload, at + size - 8})
		at += size
	}
	return b
}

func (b *block) write(t testing.TB) {
	t.Helper()
	if err := os.WriteFile(b.path, b.bytes, 0o600); err != nil {
		t.Fatal(err)
	}
}

// flip turns one bit in the payload of an entry.
func (b *block) flip(t testing.TB, e stored) {
	t.Helper()
	b.bytes[(e.payload+e.sum)/2] ^= 1
	b.write(t)
}

// forge changes a byte of an entry and mends the checksum, whose key everybody
// knows.
func (b *block) forge(t testing.TB, e stored) {
	t.Helper()
	i := bytes.LastIndexByte(b.bytes[:e.sum], '9')
	if i < e.payload {
		t.Fatalf("entry %d has no 9", e.entry)
	}
	b.bytes[i] = '8'
	key := sha256.Sum256(fmt.Appendf(nil, "%s-%d", eventstore.StreamName, b.n))
	sum, err := highwayhash.New64(key[:])
	if err != nil {
		t.Fatal(err)
	}
	sum.Write(b.bytes[e.at+4 : e.at+20])
	sum.Write(b.bytes[e.at+22 : e.sum])
	copy(b.bytes[e.sum:], sum.Sum(nil))
	b.write(t)
}

// whole is a ledger of three blocks, as a program left it that ended cleanly.
type whole struct {
	dir string
	// first, middle and last are its blocks; end is the last entry.
	first, middle, last *block
	end                 uint64
	// hash is the state hash after the last entry.
	hash [sha256.Size]byte
}

// scan is an event of 20 KiB: what its data has that the catalogue does not know
// is kept.
func scan(unit string, n int) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":"00000000-0000-4000-8000-%012d","source":"/nccia/%s","type":"raid.conducted","subject":"%06d","data":{"occurred":"2025-06-03","premises":"other","scan":"%s9"}}`,
		n, unit, n, strings.Repeat(fmt.Sprintf("%08d", n), 2560))
}

// newWhole records a ledger with the program.
func newWhole(t *testing.T, unit string) *whole {
	t.Helper()
	w := &whole{dir: filepath.Join(t.TempDir(), "data")}
	p := inDir{t, w.dir}
	p.must("open", "--name", unit, "--country", "PK", "--zone", "Asia/Karachi")
	var in strings.Builder
	for n := range 1000 {
		in.WriteString(scan(unit, n) + "\n\n")
	}
	if code, _, errs := p.with(in.String(), "record", "-"); code != 0 {
		t.Fatalf("record: exit code %d, %s", code, errs)
	}
	w.first, w.middle, w.last = readBlock(t, w.dir, 1), readBlock(t, w.dir, 2), readBlock(t, w.dir, 3)
	w.end = w.last.entries[len(w.last.entries)-1].entry
	state, err := look(t, w.dir)
	if err != nil || w.end != 1001 {
		t.Fatalf("the ledger ends at entry %d, %v", w.end, err)
	}
	w.hash = state.Hash()
	return w
}

// copied is a copy of w for somebody to spoil, with its blocks.
func (w *whole) copied(t *testing.T) *whole {
	t.Helper()
	c := &whole{dir: filepath.Join(t.TempDir(), "data"), end: w.end, hash: w.hash}
	if err := os.CopyFS(c.dir, os.DirFS(w.dir)); err != nil {
		t.Fatal(err)
	}
	c.first, c.middle, c.last = readBlock(t, c.dir, 1), readBlock(t, c.dir, 2), readBlock(t, c.dir, 3)
	return c
}

// look opens the ledger in dir as the program does and replays it, then starts a
// recorder on it. The error is the first alarm; state is of the replay.
func look(t *testing.T, dir string) (state *domain.Register, err error) {
	t.Helper()
	s, err := embedded.Start(dir, embedded.Options{})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	nc, err := s.Connect()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	l, err := eventstore.Open(ctx, nc)
	if errors.Is(err, eventstore.ErrNoLedger) {
		return nil, eventstore.CheckLost(filepath.Join(dir, highWaterFile))
	}
	if err != nil {
		return nil, err
	}
	if err := l.CheckHighWater(ctx, filepath.Join(dir, highWaterFile)); err != nil {
		return nil, err
	}
	state, _, replayed := projections.Replay(ctx, l, projections.ReplayOptions{})
	r, recording := eventstore.NewRecorder(ctx, l, eventstore.RecorderConfig{})
	if recording == nil {
		recording = r.Close()
	}
	if (replayed == nil) != (recording == nil) {
		t.Errorf("a replay says %v, a recorder %v", replayed, recording)
	}
	return state, replayed
}

// damage is one way to spoil a store.
type damage struct {
	what string
	do   func(t *testing.T, w *whole)
	// missing is where the entries begin that it spoils, 0 where it is no harm.
	missing func(w *whole) uint64
	// says is what the alarm says where that names no entries.
	says string
}

// inTheMiddle is the entry in the middle of b, at its end the last one.
func inTheMiddle(b *block) stored { return b.entries[len(b.entries)/2] }
func atTheEnd(b *block) stored    { return b.entries[len(b.entries)-1] }

func truncated(t *testing.T, b *block, at int) {
	t.Helper()
	if err := os.Truncate(b.path, int64(at)); err != nil {
		t.Fatal(err)
	}
}

func removed(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
}

var damages = []damage{
	{what: "nothing", do: func(t *testing.T, w *whole) {}},
	{what: "a bit in the middle of the first block", do: func(t *testing.T, w *whole) { w.first.flip(t, inTheMiddle(w.first)) },
		missing: func(w *whole) uint64 { return inTheMiddle(w.first).entry }},
	{what: "a bit in the first entry", do: func(t *testing.T, w *whole) { w.first.flip(t, w.first.entries[0]) },
		missing: func(*whole) uint64 { return 1 }},
	{what: "a bit in the middle of the middle block", do: func(t *testing.T, w *whole) { w.middle.flip(t, inTheMiddle(w.middle)) },
		missing: func(w *whole) uint64 { return inTheMiddle(w.middle).entry }},
	{what: "a bit at the end of the middle block", do: func(t *testing.T, w *whole) { w.middle.flip(t, atTheEnd(w.middle)) },
		missing: func(w *whole) uint64 { return atTheEnd(w.middle).entry }},
	{what: "a bit in the middle of the last block", do: func(t *testing.T, w *whole) { w.last.flip(t, inTheMiddle(w.last)) },
		missing: func(w *whole) uint64 { return inTheMiddle(w.last).entry }},
	{what: "a bit in the last entry", do: func(t *testing.T, w *whole) { w.last.flip(t, atTheEnd(w.last)) },
		missing: func(w *whole) uint64 { return w.end }},
	{what: "a bit in a number of an entry", do: func(t *testing.T, w *whole) {
		w.middle.bytes[inTheMiddle(w.middle).at+4] ^= 1
		w.middle.write(t)
	}, missing: func(w *whole) uint64 { return inTheMiddle(w.middle).entry }},
	{what: "the middle block truncated", do: func(t *testing.T, w *whole) { truncated(t, w.middle, inTheMiddle(w.middle).sum) },
		missing: func(w *whole) uint64 { return inTheMiddle(w.middle).entry }},
	{what: "the last block truncated within an entry", do: func(t *testing.T, w *whole) { truncated(t, w.last, inTheMiddle(w.last).sum) },
		missing: func(w *whole) uint64 { return inTheMiddle(w.last).entry }},
	{what: "the last block truncated between entries", do: func(t *testing.T, w *whole) { truncated(t, w.last, inTheMiddle(w.last).at) },
		missing: func(w *whole) uint64 { return inTheMiddle(w.last).entry }},
	{what: "the last entry cut off", do: func(t *testing.T, w *whole) { truncated(t, w.last, atTheEnd(w.last).at) },
		missing: func(w *whole) uint64 { return w.end }},
	{what: "the first block removed", do: func(t *testing.T, w *whole) { removed(t, w.first.path) },
		missing: func(*whole) uint64 { return 1 }},
	{what: "the middle block removed", do: func(t *testing.T, w *whole) { removed(t, w.middle.path) },
		missing: func(w *whole) uint64 { return w.middle.entries[0].entry }},
	{what: "the last block removed", do: func(t *testing.T, w *whole) { removed(t, w.last.path) },
		missing: func(w *whole) uint64 { return w.last.entries[0].entry }},
	{what: "all blocks removed", do: func(t *testing.T, w *whole) { removed(t, w.first.path, w.middle.path, w.last.path) },
		missing: func(*whole) uint64 { return 1 }},
	{what: "the stream removed", do: func(t *testing.T, w *whole) { removed(t, store(w.dir)) },
		missing: func(*whole) uint64 { return 1 }},
	{what: "the store removed", do: func(t *testing.T, w *whole) { removed(t, filepath.Join(w.dir, "jetstream")) },
		missing: func(*whole) uint64 { return 1 }},
	{what: "the stream's description removed", do: func(t *testing.T, w *whole) { removed(t, store(w.dir, "meta.inf")) },
		says: `the store is damaged: .*LEDGER.* could not be recovered\. Try: keep the store as it is, and restore it \(jetstream/ alone\) from a copy`},
}

// alarm is what the program says, with the entries that are missing.
var alarm = regexp.MustCompile(`the ledger (?:has a gap:|went back: it ends at entry \d+, and) (?:entry (\d+) is|entries (\d+) to (\d+) are) missing\. Try: stop recording`)

// isAlarm checks that said is the alarm for d, and names what is missing: what
// was hit alone, or with what the server lost for it, up to the end of its block
// or of the ledger.
func (d damage) isAlarm(t *testing.T, w *whole, who, said string) {
	t.Helper()
	if d.says != "" {
		if !regexp.MustCompile(d.says).MatchString(said) {
			t.Errorf("%s: %s says %q, want %s", d.what, who, said, d.says)
		}
		return
	}
	var from, to uint64
	if m := alarm.FindStringSubmatch(said); m == nil {
		t.Errorf("%s: %s says %q, want an alarm", d.what, who, said)
		return
	} else if _, err := fmt.Sscan(m[1]+m[2], &from); err != nil {
		t.Fatal(err)
	} else if _, err := fmt.Sscan(m[1]+m[3], &to); err != nil {
		t.Fatal(err)
	}
	hit := d.missing(w)
	ends := []uint64{hit, hit + 1, atTheEnd(w.first).entry, atTheEnd(w.middle).entry, w.end}
	if from != hit || !slices.Contains(ends, to) {
		t.Errorf("%s: %s names entries %d to %d, want from %d on to one of %d", d.what, who, from, to, hit, ends)
	}
}

// TestDamagedStore spoils a store in every way: who opens, replays or records
// gets the alarm that names what is missing, or, where the server could mend it,
// exactly the state that was.
func TestDamagedStore(t *testing.T) {
	w := newWhole(t, "karachi")
	t.Run("packages", func(t *testing.T) { tellPackages(t, w) })
	t.Run("program", func(t *testing.T) { tellProgram(t, w) })
	t.Run("forged", func(t *testing.T) { testForged(t, w) })
}

// tellPackages opens what was spoilt, with and without its index.
func tellPackages(t *testing.T, w *whole) {
	var alarms, same atomic.Int32
	t.Run("each", func(t *testing.T) {
		for i, d := range damages {
			for j, index := range []string{"", ", and the index removed", ", and a bit in the index"} {
				if testing.Short() && j != i%3 {
					continue
				}
				t.Run(d.what+index, func(t *testing.T) {
					t.Parallel()
					c := w.copied(t)
					spoilIndex(t, c.dir, j)
					d.do(t, c)
					state, err := look(t, c.dir)
					switch {
					case d.missing != nil || d.says != "":
						d.isAlarm(t, c, "the package", fmt.Sprint(err))
						alarms.Add(1)
					case err != nil || state.Hash() != w.hash:
						t.Errorf("%s: %v, or another state", d.what+index, err)
					default:
						same.Add(1)
					}
				})
			}
		}
	})
	t.Logf("a ledger of %d entries in three blocks, spoilt in %d ways: %d alarms, %d times exactly the same state", w.end, alarms.Load()+same.Load(), alarms.Load(), same.Load())
}

// spoilIndex removes the index of the stream's blocks, or turns a bit of it.
func spoilIndex(t *testing.T, dir string, how int) {
	t.Helper()
	path := store(dir, "msgs", "index.db")
	switch b, err := os.ReadFile(path); {
	case err != nil:
		t.Fatal(err)
	case how == 1:
		removed(t, path)
	case how == 2:
		b[len(b)/2] ^= 1
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// tellProgram has the program open what was spoilt: every command says so,
// whichever comes first, prints no totals, and records nothing.
func tellProgram(t *testing.T, w *whole) {
	commands := [][]string{
		{"totals", "raids"}, {"record", "raid.conducted", "--source", "/nccia/lahore", "--subject", "1", "--occurred", "2025-06-03", "--set", "premises=other"},
		{"replay"}, {"serve", "raids"}, {"exceptions"}, {"status"}, {"open", "--name", "karachi", "--country", "PK", "--zone", "Asia/Karachi"},
	}
	const each = 3 // commands a damage, others for the next
	var told atomic.Int32
	t.Run("each", func(t *testing.T) {
		for i, d := range damages {
			if d.missing == nil && d.says == "" || testing.Short() && i%4 != 1 {
				continue
			}
			t.Run(d.what, func(t *testing.T) {
				t.Parallel()
				c := w.copied(t)
				d.do(t, c)
				for k := range each {
					args := commands[(i*each+k)%len(commands)]
					code, out, errs := inDir{t, c.dir}.run(args...)
					if code == 0 && (args[0] == "status" || args[0] == "open") && !strings.Contains(out, "missing") {
						continue // it reads the ends, where nothing may be wrong
					}
					if code != 1 {
						t.Errorf("%s: %s: exit code %d\n%.1000s%s", d.what, args[0], code, out, errs)
						continue
					}
					d.isAlarm(t, c, args[0], errs)
					if out != "" && args[0] != "replay" && args[0] != "status" {
						t.Errorf("%s: %s prints %.1000s", d.what, args[0], out)
					}
					told.Add(1)
				}
			})
		}
	})
	t.Logf("%d commands told of it", told.Load())
}

// testForged: somebody who knows the checksum's key, which everybody does,
// changes what was recorded. The high-water entry shows it, and so does another
// ledger in the place of this one. Of an entry before it only the state hash
// does, to who has kept the one that was.
func testForged(t *testing.T, w *whole) {
	other := newWhole(t, "lahore")
	anotherEntry := func(err error) bool {
		var back *eventstore.WentBackError
		return errors.As(err, &back) && back.Had == w.end && back.Tail == w.end
	}

	end := w.copied(t)
	end.last.forge(t, atTheEnd(end.last))
	if _, err := look(t, end.dir); !anotherEntry(err) {
		t.Errorf("the last entry forged: %v, want that it is not the one that it was", err)
	}

	replaced := other.copied(t)
	mark, err := os.ReadFile(filepath.Join(w.dir, highWaterFile))
	if err == nil {
		err = os.WriteFile(filepath.Join(replaced.dir, highWaterFile), mark, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := look(t, replaced.dir); !anotherEntry(err) {
		t.Errorf("another ledger in its place: %v, want that the last entry is not the one that it was", err)
	}

	for _, index := range []int{0, 1} {
		middle := w.copied(t)
		spoilIndex(t, middle.dir, index)
		middle.middle.forge(t, inTheMiddle(middle.middle))
		state, err := look(t, middle.dir)
		if err != nil {
			t.Errorf("an entry in the middle forged: %v: then the test forges badly, or somebody notices by now", err)
		} else if t.Logf("an entry in the middle forged: nobody notices; the state hash is %.4x and was %.4x", state.Hash(), w.hash); state.Last() != w.end || state.Hash() == w.hash {
			t.Errorf("an entry in the middle forged: at entry %d, the state hash is the same: %v", state.Last(), state.Hash() == w.hash)
		}
	}
}
