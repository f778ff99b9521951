package eventstore

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"roznamcha/domain"
)

// LineRuling is what became of one line of a submission.
type LineRuling struct {
	// Position is where the line stands; zero for one that is not in the
	// ledger: what the door refused, or knew as a duplicate.
	Position domain.Position
	// Recorded is the recorded time of its entry; zero with Position.
	Recorded time.Time
	// ID is the event's id; zero where the line could not be read that far.
	ID uuid.UUID
	domain.Ruling
}

// Receipt is the answer to a submission: a ruling for each of its lines, in
// their order (blank lines are none); one ruling for the whole of a submission
// that is too large or has no line. What it says of lines with a Position,
// every later replay says too.
type Receipt struct {
	Rulings []LineRuling
	// Mark is the entry that its lines went into; zero where none did. Who keeps
	// it can see later that the ledger did not go back (Ledger.Holds).
	Mark Mark
}

// Err is the first refusal, a *domain.Refusal; nil when every line is accepted
// or a duplicate. The one that caused the others to be refused with it comes
// before those.
func (rc Receipt) Err() error {
	var with error
	for i := range rc.Rulings {
		r := &rc.Rulings[i]
		switch err := r.Err(); {
		case err == nil:
		case r.Code == domain.WithRefused:
			if with == nil {
				with = err
			}
		default:
			return err
		}
	}
	return with
}

// Stale tells whether the door refused for what it had read so far: another
// recorder may have recorded meanwhile what the submission depends on, such as
// the record that it amends.
func (rc Receipt) Stale() bool {
	return slices.ContainsFunc(rc.Rulings, func(r LineRuling) bool {
		return r.Verdict == domain.Refused && r.Position.IsZero() && slices.Contains(staleCodes, r.Code)
	})
}

// staleCodes are those of refusals that a later state of the ledger may not
// make. The others depend on the line alone, or on what is never undone.
var staleCodes = []domain.Code{domain.NotOpen, domain.RecordExists, domain.NoSuchRecord, domain.NotAmendable, domain.StaleAmendment, domain.NotAuthorised}

// Pending is a submission that was taken and is not answered yet. Its methods
// may be called by any goroutine, and more than once.
type Pending struct {
	// batch is the entry that it goes into, its lines there those from first
	// on; nil where the door has answered.
	batch        *batch
	first, lines int
	// door has the rulings of the door: all of them where batch is nil, else
	// those of the duplicates, and zero rulings in the places of the lines that
	// went on. nil where all went on.
	door []LineRuling
}

// answered is the done channel of what the door has answered.
var answered = func() chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}()

// Done is closed when the receipt is there.
func (p *Pending) Done() <-chan struct{} {
	if p.batch == nil {
		return answered
	}
	return p.batch.done
}

// Stale tells whether it is answered with a receipt that is Stale.
func (p *Pending) Stale() bool { return p.batch == nil && Receipt{Rulings: p.door}.Stale() }

// Receipt waits for the answer. ErrUnknownOutcome when ctx ends first, or when
// the recorder ends while the entry is being written: ask again with the same
// ids. ErrDiskFull, ErrClosed and the others of Append: nothing was recorded.
// *GapError and *WentBackError: the recorder has stopped, and what was sent may
// be recorded or not.
func (p *Pending) Receipt(ctx context.Context) (Receipt, error) {
	done := p.Done()
	select {
	case <-done:
	default:
		select {
		case <-done:
		case <-ctx.Done():
			return Receipt{}, fail("record", ErrUnknownOutcome, p.batch.why(ctx.Err()))
		}
	}
	return p.receipt()
}

func (p *Pending) receipt() (Receipt, error) {
	if p.batch == nil {
		return Receipt{Rulings: p.door}, nil
	}
	if p.batch.err != nil {
		return Receipt{}, p.batch.err
	}
	rulings := p.batch.rulings[p.first : p.first+p.lines : p.first+p.lines]
	if p.door == nil {
		return Receipt{rulings, p.batch.ruled}, nil
	}
	merged := make([]LineRuling, len(p.door))
	for i := range p.door {
		if merged[i] = p.door[i]; merged[i].Verdict == 0 {
			merged[i], rulings = rulings[0], rulings[1:]
		}
	}
	return Receipt{merged, p.batch.ruled}, nil
}
