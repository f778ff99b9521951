package sink

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"roznamcha/eventstore"
	"roznamcha/projections"
)

// Place is how far a database is. The zero Place is before the first entry.
type Place struct {
	// Mark is the last entry whose effects stand there.
	eventstore.Mark
	// Recorded is when that entry was recorded.
	Recorded time.Time
	// KnownUntil is up to when everything that was recorded stands there, by the
	// clock of the ledger's server; never before Recorded.
	KnownUntil time.Time
	// Rules is the version of the rules that it was read by, and State the state
	// hash after it, 64 hexadecimal digits.
	Rules int
	State string
	// Ledger, HomeCountry and Zone are how the ledger was opened, "" before.
	Ledger, HomeCountry, Zone string
	// First is the SHA-256 of entry 1: which ledger it is.
	First [32]byte
}

// Parked is a row that the database refused.
type Parked struct {
	// Table and Number are the row's table and its key there.
	Table  string `json:"table"`
	Number int64  `json:"number"`
	// Entry and Line are the position of the change that was refused.
	Entry uint64 `json:"entry"`
	Line  int    `json:"line"`
	// Reason is what the database said.
	Reason string `json:"reason"`

	content string
}

// Standing is how a database stands.
type Standing struct {
	Place
	// Parked is how many rows are parked there, and First the one of the earliest
	// position; nil for none.
	Parked int
	First  *Parked
	// Away is why the database cannot be asked now; "" where it can.
	Away string
}

func standing(at Place, parked []Parked) Standing {
	s := Standing{Place: at, Parked: len(parked)}
	for i, p := range parked {
		if s.First == nil || p.Entry < s.First.Entry || p.Entry == s.First.Entry && p.Line < s.First.Line {
			s.First = &parked[i]
		}
	}
	return s
}

// waitEvery is how often a database is asked whether it is there.
const waitEvery = 20 * time.Millisecond

// AnswerPatience is how long a database has to answer whoever waits no longer.
const AnswerPatience = time.Second

// ErrNoAnswer is the error for a database that does not say in time where it is.
var ErrNoAnswer = errors.New("does not answer")

// Wait waits until the database is at entry or further, and tells where it is.
// It asks at least once, for up to AnswerPatience, however soon the deadline of
// ctx is. *projections.NotYetError when that is over before, ErrNoAnswer where the database
// was not to be asked; an interrupted ctx ends it at once.
func (db *Database) Wait(ctx context.Context, entry uint64) (at Place, err error) {
	asking, stop := askingFor(ctx)
	defer stop()
	for {
		now, err := db.Place(asking)
		switch {
		case err == nil && now.Entry >= entry:
			return now, nil
		case err == nil:
			at = now
		case asking.Err() == nil && db.sort(err) != away:
			return at, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(waitEvery):
			continue
		}
		switch {
		case errors.Is(ctx.Err(), context.Canceled):
			return at, ctx.Err()
		case err != nil:
			return at, fmt.Errorf("%w: %w. Try: see that the database runs, or a longer time to wait", ErrNoAnswer, err)
		}
		return at, &projections.NotYetError{Want: entry, Now: at.Entry}
	}
}

// askingFor is ctx with at least AnswerPatience left; interrupted when ctx is.
func askingFor(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	if least := time.Now().Add(AnswerPatience); deadline.Before(least) {
		deadline = least
	}
	asking, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	unwatch := context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.Canceled) {
			cancel()
		}
	})
	return asking, func() { unwatch(); cancel() }
}

func hexOf(hash [32]byte) string {
	if hash == [32]byte{} {
		return ""
	}
	return hex.EncodeToString(hash[:])
}

func hashOf(text string) (hash [32]byte) {
	b, err := hex.DecodeString(text)
	if err == nil && len(b) == len(hash) {
		copy(hash[:], b)
	}
	return hash
}
