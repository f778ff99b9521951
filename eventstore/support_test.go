package eventstore_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/embedded"
)

// TestMain runs the tests, or is the child process that a test has started from
// this same binary.
func TestMain(m *testing.M) {
	if dir := os.Getenv("ROZNAMCHA_TEST_RECORD"); dir != "" {
		recordUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// patience is how long a test waits for what must come. It is a limit on a
// broken program, not on a slow machine.
const patience = 5 * time.Minute

// soon is a context for what must be done in patience.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// startServer starts an embedded server on a directory of its own and connects.
func startServer(t testing.TB) (*embedded.Server, *nats.Conn) {
	t.Helper()
	s, err := embedded.Start(t.TempDir(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	nc, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	return s, nc
}

// emptyLedger is a ledger without an entry, on a server of its own.
func emptyLedger(t testing.TB) (*eventstore.Ledger, *nats.Conn) {
	t.Helper()
	_, nc := startServer(t)
	l, err := eventstore.Create(soon(t), nc, 1)
	if err != nil {
		t.Fatal(err)
	}
	return l, nc
}

// openLedger is a ledger with its opening as entry 1.
func openLedger(t testing.TB) (*eventstore.Ledger, *nats.Conn) {
	t.Helper()
	l, nc := emptyLedger(t)
	if _, err := l.AppendFirst(soon(t), []byte(opening)); err != nil {
		t.Fatal(err)
	}
	return l, nc
}

func newRecorder(t testing.TB, l *eventstore.Ledger, config eventstore.RecorderConfig) *eventstore.Recorder {
	t.Helper()
	r, err := eventstore.NewRecorder(soon(t), l, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

const opening = `{"specversion":"1.0","id":"00000000-0000-4000-8000-000000000000","source":"/ledger/office","type":"ledger.opened","subject":"test","data":{"name":"test","home":"PK","zone":"Asia/Karachi","rules":1}}`

// raid is a line: the raid numbered n of a diary, always with the same id.
func raid(diary string, n int) string {
	id := uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s %d", diary, n))
	return raidWithID(id, diary, fmt.Sprintf("%06d", n), "call-centre")
}

func raidWithID(id uuid.UUID, diary, subject, premises string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":"%s","source":"%s","type":"raid.conducted","subject":"%s","data":{"occurred":"2025-06-03","place":{"country":"PK","city":"Karachi"},"premises":"%s"}}`, id, diary, subject, premises)
}

// replay reads the ledger from its first entry and gives every ruling, in
// order, and the register after them.
func replay(t testing.TB, l *eventstore.Ledger) (rulings []eventstore.LineRuling, reg *domain.Register) {
	t.Helper()
	ctx := soon(t)
	tail, err := l.Tail(ctx)
	if err != nil {
		t.Fatal(err)
	}
	reg = domain.NewRegister()
	err = l.Read(ctx, 1, tail, func(e domain.Entry) error {
		return reg.Apply(e, func(r *domain.Ruled) {
			line := eventstore.LineRuling{Position: r.Position, Recorded: r.Recorded, Ruling: r.Ruling}
			line.Field, line.Detail = strings.Clone(r.Field), strings.Clone(r.Detail)
			if r.Event != nil {
				line.ID = r.Event.ID
			}
			rulings = append(rulings, line)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return rulings, reg
}

// count counts the rulings with a verdict.
func count(rulings []eventstore.LineRuling, v domain.Verdict) (n int) {
	for _, r := range rulings {
		if r.Verdict == v {
			n++
		}
	}
	return n
}

// read collects the entries from..to.
func read(t testing.TB, l *eventstore.Ledger, from, to uint64) (entries []domain.Entry, err error) {
	err = l.Read(soon(t), from, to, func(e domain.Entry) error {
		entries = append(entries, e)
		return nil
	})
	return entries, err
}

func numbers(entries []domain.Entry) (n []uint64) {
	for _, e := range entries {
		n = append(n, e.Number)
	}
	return n
}

// sequence is from, from+1 … to.
func sequence(from, to uint64) (n []uint64) {
	for ; from <= to; from++ {
		n = append(n, from)
	}
	return n
}

func equal[T comparable](t testing.TB, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func asJSON(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}
