package eventstore

import (
	"cmp"
	"context"
	"math"
	"time"

	"roznamcha/domain"
)

// Entries on their way to a slow visitor go in handfuls, since handing over one
// takes longer than ruling on a short one. A handful is full at so many entries
// or bytes, whichever is first; so many may wait for their lines to be read, and
// one for the visitor: what was read long ago is in no cache any more, and the
// garbage collector has to look through it.
const (
	handfulEntries = 64
	handfulBytes   = 64 << 10
	handfulsAhead  = 4
)

// ReadAhead is Read of the entries after last, which was recorded at recorded (0 at
// no time), for visitors that rule on what they see: while visit has one entry, the
// next ones are fetched, hashed and read (domain.Entry.Read), which is the larger
// part of the work. visit is called on one goroutine, though not on the caller's.
// Nothing reads on after ReadAhead has returned.
func (l *Ledger) ReadAhead(ctx context.Context, last uint64, recorded time.Time, to uint64, visit func(domain.Entry) error) error {
	tail, err := l.Tail(ctx)
	if err != nil {
		return err
	}
	to = min(to, tail)
	return l.readAheadFrom(ctx, place{next: last + 1, recorded: recorded}, to, to, visit)
}

// FollowAhead is Follow of the entries after last that reads ahead, as ReadAhead
// does, up to the tail at the time of the call.
func (l *Ledger) FollowAhead(ctx context.Context, last uint64, recorded time.Time, visit func(domain.Entry) error) error {
	tail, err := l.Tail(ctx)
	if err != nil {
		return err
	}
	return l.readAheadFrom(ctx, place{next: last + 1, recorded: recorded}, tail, math.MaxUint64, visit)
}

// readAheadFrom is readFrom that reads ahead up to entry tail. After that, where
// every moment counts, it calls visit on its own goroutine.
func (l *Ledger) readAheadFrom(ctx context.Context, from place, tail, to uint64, visit func(domain.Entry) error) error {
	if from.next > tail {
		return l.readFrom(ctx, from, to, visit)
	}
	a := startAhead(ctx, visit)
	err := l.readFrom(a.ctx, from, to, func(e domain.Entry) error {
		if e.Number > tail {
			return visit(e)
		}
		if err := a.add(e); err != nil || e.Number < tail {
			return err
		}
		return a.finish()
	})
	return a.end(err)
}

// ahead is what stands between a reader and its visitor. Three goroutines work
// side by side: the reader's own, which hashes, one that reads lines, and one
// that visits.
type ahead struct {
	ctx   context.Context
	stop  context.CancelCauseFunc
	visit func(domain.Entry) error

	// handful is the one being filled, of so many bytes. Full ones go to read,
	// and from there to visited.
	handful       []domain.Entry
	bytes         int
	read, visited chan []domain.Entry
	finished      bool
	// done is closed when everything was visited, or err is why not.
	done chan struct{}
	err  error
}

func startAhead(ctx context.Context, visit func(domain.Entry) error) *ahead {
	a := &ahead{
		visit:   visit,
		read:    make(chan []domain.Entry, handfulsAhead),
		visited: make(chan []domain.Entry, 1),
		done:    make(chan struct{}),
	}
	a.ctx, a.stop = context.WithCancelCause(ctx)
	go a.readLines()
	go a.visitAll()
	return a
}

// add hands e over to be visited in its turn.
func (a *ahead) add(e domain.Entry) error {
	e.Hash()
	if a.handful == nil {
		a.handful = make([]domain.Entry, 0, handfulEntries)
	}
	a.handful = append(a.handful, e)
	a.bytes += len(e.Payload)
	if len(a.handful) < handfulEntries && a.bytes < handfulBytes {
		return nil
	}
	return a.hand()
}

// hand sends the handful on its way.
func (a *ahead) hand() error {
	full := a.handful
	a.handful, a.bytes = nil, 0
	if full == nil {
		return nil
	}
	return a.send(a.read, full)
}

func (a *ahead) send(to chan<- []domain.Entry, handful []domain.Entry) error {
	select {
	case to <- handful:
		return nil
	case <-a.ctx.Done():
		return a.ctx.Err()
	}
}

func (a *ahead) readLines() {
	defer close(a.visited)
	for handful := range a.read {
		if a.ctx.Err() != nil {
			continue // until the reader stops too
		}
		for i := range handful {
			handful[i].Read()
		}
		_ = a.send(a.visited, handful)
	}
}

func (a *ahead) visitAll() {
	defer close(a.done)
	for handful := range a.visited {
		for _, e := range handful {
			if a.err = a.ctx.Err(); a.err == nil {
				a.err = a.visit(e)
			}
			if a.err != nil {
				break
			}
		}
		if a.err != nil {
			a.stop(a.err)
			for range a.visited { // until nothing reads any more
			}
		}
	}
}

// finish waits until everything that was added is visited, and nothing works
// any more.
func (a *ahead) finish() error {
	if a.finished {
		return a.err
	}
	a.finished = true
	err := a.hand()
	close(a.read)
	<-a.done
	return cmp.Or(a.err, err, a.ctx.Err()) // what is not read any more is not visited
}

// end is finish when the reading has ended with err. What stood before the
// entry that could not be read is visited; what kept it from being visited came
// first, and is the answer.
func (a *ahead) end(err error) error {
	defer a.stop(nil)
	if visitErr := a.finish(); visitErr != nil {
		return visitErr
	}
	return err
}
