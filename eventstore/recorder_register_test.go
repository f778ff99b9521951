package eventstore_test

import (
	"errors"
	"testing"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

// upTo is a register that has read the ledger up to an entry.
func upTo(t testing.TB, l *eventstore.Ledger, last uint64) *domain.Register {
	t.Helper()
	reg := domain.NewRegister()
	if err := l.Read(soon(t), 1, last, func(e domain.Entry) error { return reg.Apply(e, nil) }); err != nil {
		t.Fatal(err)
	}
	return reg
}

// A recorder that is given a register reads on from its entry, wherever that is,
// and answers as one that read everything.
func TestARecorderGoesOnFromARegister(t *testing.T) {
	l, _ := openLedger(t)
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	for n := range 5 {
		record(t, r, raid("/nccia/karachi", n))
	}
	tail, err := l.Tail(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	for last := range tail + 1 {
		var first, seen uint64
		given := upTo(t, l, last)
		wasRecorded := given.Recorded()
		again := newRecorder(t, l, eventstore.RecorderConfig{Register: given, Rulings: func(r *domain.Ruled) {
			if first == 0 {
				first = r.Position.Entry
			}
			seen = r.Position.Entry
			if r.Recorded.Before(wasRecorded) {
				t.Errorf("entry %d was recorded before entry %d", r.Position.Entry, last)
			}
		}})
		if last < tail && (first != last+1 || seen != tail) || last == tail && seen != 0 {
			t.Errorf("given entry %d, saw entries %d to %d of %d", last, first, seen, tail)
		}
		if got := brief(record(t, again, raid("/nccia/karachi", 2))); got != "duplicate of 4:1" {
			t.Errorf("given entry %d: %s", last, got)
		}
		want := upTo(t, l, tail).Hash()
		again.View(func(reg *domain.Register) {
			if reg.Hash() != want {
				t.Errorf("given entry %d: another state hash", last)
			}
		})
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := brief(record(t, r, raid("/nccia/karachi", 9))); got != "accepted 7:1" {
		t.Error(got)
	}
}

// One whose entry the ledger does not reach is the alarm.
func TestARecorderGivenMoreThanTheLedger(t *testing.T) {
	l, _ := openLedger(t)
	reg := upTo(t, l, 1)
	if err := reg.Apply(domain.Entry{Number: 2, Subject: domain.EntrySubject, Payload: []byte(raid("/nccia/karachi", 1))}, nil); err != nil {
		t.Fatal(err)
	}
	_, err := eventstore.NewRecorder(soon(t), l, eventstore.RecorderConfig{Register: reg})
	var back *eventstore.WentBackError
	if !errors.As(err, &back) || back.Had != 2 {
		t.Errorf("%v", err)
	}
}
