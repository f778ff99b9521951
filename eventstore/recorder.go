package eventstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"time"

	"roznamcha/domain"
)

// DefaultQueue is how many lines a recorder holds at most where its
// configuration does not say: sixteen full entries.
const DefaultQueue = 16 * domain.MaxLines

// RecorderConfig is how a recorder works. The zero value will do.
type RecorderConfig struct {
	// Register is one that has read the ledger up to an entry that Ledger.Holds;
	// the recorder goes on from there, and has it for itself. Nil for a new one.
	Register *domain.Register
	// Rulings sees every line of the ledger in order, from the first that Register
	// has not read, with its ruling, and each before any receipt for it is given out. It is called on
	// one goroutine at a time with the register held still (so it must call
	// neither View nor Close), and what it is handed is valid until it returns.
	Rulings func(*domain.Ruled)
	// Progress hears how far the catching up has come at the start: the entry
	// just read, and the last one to read.
	Progress func(entry, tail uint64)
	// Appended hears of every entry that the server has acknowledged: how many bytes
	// it has and how long that took, from the first try. The next append waits
	// while it is called.
	Appended func(bytes int, took time.Duration)
	// Trouble hears when the high-water file cannot be written, and with nil when
	// it can again; and that it was removed or spoilt, and is written again. It is
	// called on a goroutine of its own.
	Trouble func(error)
	// Queue is how many lines may wait for their receipts; DefaultQueue if 0.
	// It is a limit on memory: a line takes about a kilobyte besides its own
	// bytes, of which there may be 16 MiB, and while they are written twice that.
	Queue int
}

// Recorder takes submissions, appends them and answers with rulings. Its
// methods may be called by any number of goroutines.
//
// It has two goroutines of its own: the reader, which alone moves the register
// on, and the appender, which alone writes. Between them and the submitters
// stand the queue and mu. A third keeps the high-water file.
type Recorder struct {
	ledger *Ledger
	config RecorderConfig
	queue  *queue

	ctx  context.Context // of the goroutines; its cause is why they ended
	stop context.CancelCauseFunc
	work sync.WaitGroup
	// done is closed when all have ended.
	done chan struct{}
	// lastMark is why the high-water file could not be written at the end.
	lastMark error

	mu       sync.Mutex // guards the register
	register *domain.Register

	// caughtUp is closed by the reader when it has read entry tail.
	tail     uint64
	caughtUp chan struct{}
}

// NewRecorder starts a recorder on l and returns when it has read what was
// there: from then on its door knows the ledger. ctx bounds the start only;
// Close ends the recorder.
func NewRecorder(ctx context.Context, l *Ledger, config RecorderConfig) (*Recorder, error) {
	tail, err := l.Tail(ctx)
	if err != nil {
		return nil, err
	}
	if config.Queue == 0 {
		config.Queue = DefaultQueue
	}
	if config.Register == nil {
		config.Register = domain.NewRegister()
	}
	r := &Recorder{
		ledger:   l,
		config:   config,
		queue:    newQueue(config.Queue, int(min(domain.MaxEntryBytes, l.nc.MaxPayload()))),
		done:     make(chan struct{}),
		register: config.Register,
		tail:     tail,
		caughtUp: make(chan struct{}),
	}
	r.queue.read = r.register.Last()
	if tail == r.register.Last() {
		close(r.caughtUp)
	}
	if last := r.register.Last(); last > 0 && l.highWater != nil {
		_, payload := r.register.Payloads()
		l.highWater.reach(Mark{last, payload})
	}
	r.ctx, r.stop = context.WithCancelCause(context.Background())
	r.work.Go(r.read)
	r.work.Go(r.write)
	if h := l.highWater; h != nil {
		r.work.Go(func() { r.lastMark = h.keep(r.ctx, config.Trouble) })
	}
	go func() {
		r.work.Wait()
		close(r.done)
	}()
	select {
	case <-r.caughtUp:
		return r, nil
	case <-r.done:
		return nil, r.Err()
	case <-ctx.Done():
		r.end(ErrClosed)
		<-r.done
		return nil, fmt.Errorf("read the ledger: %w", ctx.Err())
	}
}

// Record submits one submission, lines of one event each, and waits for its
// receipt. A refusal is no error: Receipt.Err tells. Errors as in Submit and
// Pending.Receipt.
func (r *Recorder) Record(ctx context.Context, submission []byte) (Receipt, error) {
	p, err := r.Submit(ctx, submission)
	if err != nil {
		return Receipt{}, err
	}
	return p.Receipt(ctx)
}

// Submit hands in one submission, all of whose lines are accepted or none, and
// does not wait for the answer. What one goroutine submits is recorded in that
// order; but an event that depends on an earlier one (an amendment) is refused
// at the door until that has its receipt.
//
// While the queue is full it waits for room until ctx is done: ErrBusy, nothing
// was recorded. Once the recorder has ended, the error says why.
func (r *Recorder) Submit(ctx context.Context, submission []byte) (*Pending, error) {
	return r.SubmitAs(ctx, domain.Diary{}, submission)
}

// SubmitAs is Submit for a submission that may hold only events of diary; a line
// of another source is refused, domain.WrongSource.
func (r *Recorder) SubmitAs(ctx context.Context, diary domain.Diary, submission []byte) (*Pending, error) {
	wait := func(room <-chan struct{}) error {
		select {
		case <-room:
			return nil
		case <-ctx.Done():
			return fail("record", ErrBusy, ctx.Err())
		}
	}
	p, err := r.submit(diary, submission, wait)
	if err != nil || !p.Stale() {
		return p, err
	}
	if err := r.Refresh(ctx); err != nil {
		return nil, err
	}
	return r.submit(diary, submission, wait)
}

// TrySubmitAs is SubmitAs that waits for nothing. ErrBusy where there is no
// room. A Pending that is Stale should be asked for again by SubmitAs.
func (r *Recorder) TrySubmitAs(diary domain.Diary, submission []byte) (*Pending, error) {
	return r.submit(diary, submission, func(<-chan struct{}) error { return fail("record", ErrBusy, nil) })
}

// Refresh waits until the recorder has read everything that was in the ledger
// at the time of the call, whoever wrote it. It asks the server where the ledger
// ends. Nothing is recorded by it, whatever the error.
func (r *Recorder) Refresh(ctx context.Context) error {
	tail, err := r.ledger.Tail(ctx)
	if err == nil {
		err = r.queue.readUpTo(ctx, tail)
	}
	if err != nil && ctx.Err() != nil {
		return fail("record", ErrUnavailable, ctx.Err())
	}
	return err
}

// Gather runs work, which hands in many submissions, and lets them go into few
// entries: one that is not full is not sent before work returns. So work must
// not wait for a receipt, and while it waits for anything else (a refusal that
// Submit looks at again asks the server) others wait too. The error is that of
// work.
func (r *Recorder) Gather(work func() error) error {
	r.queue.hold()
	defer r.queue.release()
	return work()
}

func (r *Recorder) submit(diary domain.Diary, submission []byte, wait func(room <-chan struct{}) error) (*Pending, error) {
	if err := r.queue.ended(); err != nil {
		return nil, err
	}
	d := takeDesk(diary, submission)
	defer d.free()
	p, lines := r.door(d)
	if lines == 0 {
		return p, nil
	}
	for {
		room, err := r.queue.add(d, lines, p)
		if err != nil {
			return nil, err
		}
		if room == nil {
			return p, nil
		}
		if err := wait(room); err != nil {
			return nil, err
		}
	}
}

// View shows the register, held still with everything that Rulings has made of
// it, until look returns. Recording waits meanwhile.
func (r *Recorder) View(look func(*domain.Register)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	look(r.register)
}

// Done is closed when the recorder has ended, by Close or by an alarm.
func (r *Recorder) Done() <-chan struct{} { return r.done }

// Err is why the recorder has ended: ErrClosed, *GapError, *WentBackError or
// another reason for which the ledger cannot be read; nil while it runs.
func (r *Recorder) Err() error {
	if r.ctx.Err() == nil {
		return nil
	}
	return context.Cause(r.ctx)
}

// Close ends the recorder. It does not wait for receipts (who wants them asks
// for them first): what was not sent yet is answered ErrClosed, what was
// ErrUnknownOutcome. The error is the alarm that had ended it before, if any, or
// that the high-water file could not be written.
func (r *Recorder) Close() error {
	r.end(ErrClosed)
	<-r.done
	if err := r.Err(); !errors.Is(err, ErrClosed) {
		return err
	}
	return r.lastMark
}

// end stops the goroutines, if nothing has before, and answers what waits.
func (r *Recorder) end(cause error) {
	r.stop(cause)
	cause = context.Cause(r.ctx)
	if errors.Is(cause, ErrClosed) {
		cause = fail("record", ErrClosed, nil)
	}
	r.queue.close(cause, cause, unknown(cause))
}

// read is the reader: it rules on every entry and gives out the receipts.
func (r *Recorder) read() {
	from := place{next: r.register.Last() + 1, recorded: r.register.Recorded()}
	r.end(r.ledger.readAheadFrom(r.ctx, from, r.tail, math.MaxUint64, r.rule))
}

func (r *Recorder) rule(e domain.Entry) error {
	ours, err := r.queue.match(e)
	if err != nil {
		return err
	}
	var rulings []LineRuling
	if ours != nil {
		e = ours.asRead(e)
		rulings = make([]LineRuling, 0, ours.lines)
	}
	// The larger part of the work, before the register is held still.
	mark := Mark{e.Number, e.Hash()}
	e.Read()
	r.mu.Lock()
	err = r.register.Apply(e, func(line *domain.Ruled) {
		if ours != nil {
			rulings = append(rulings, keep(line))
		}
		if r.config.Rulings != nil {
			r.config.Rulings(line)
		}
	})
	r.mu.Unlock()
	if err != nil {
		return err
	}
	if ours != nil && len(rulings) != ours.lines {
		return fmt.Errorf("entry %d has %d lines, %d were submitted", e.Number, len(rulings), ours.lines)
	}
	if h := r.ledger.highWater; h != nil {
		h.reach(mark)
	}
	r.queue.passed(mark, ours, rulings)
	if e.Number <= r.tail {
		if r.config.Progress != nil {
			r.config.Progress(e.Number, r.tail)
		}
		if e.Number == r.tail {
			close(r.caughtUp)
		}
	}
	return nil
}

// write is the appender: one entry at a time, and while that is being written
// the next one gathers.
func (r *Recorder) write() {
	for {
		r.queue.letGather()
		if b, parts := r.queue.take(); b != nil {
			r.append(b, domain.Join(parts))
			continue
		}
		select {
		case <-r.queue.wake:
		case <-r.ctx.Done():
			return
		}
	}
}

// mostSilent is how many appends in a row a server may leave unanswered that
// answers everything else: such a one does not write any more.
const mostSilent = 3

// append writes b, which is e, until its outcome is known, or the server is there
// and cannot write it. A crash here leaves a copy in the ledger or none; who
// submits the events again gets them ruled duplicates.
func (r *Recorder) append(b *batch, e domain.Entry) {
	defer r.queue.trouble.Store(nil)
	silent, began := 0, time.Now()
	for wait := (backoff{}); r.queue.sending(b, e.Payload); {
		sent, err := r.ledger.send(r.ctx, "append", e.Payload)
		runtime.Gosched() // to the connection: it is on its way before it is hashed
		b.make(e)
		var entry uint64
		if err == nil {
			entry, err = sent.acknowledged(r.ctx)
		}
		if err == nil {
			if r.config.Appended != nil {
				r.config.Appended(len(e.Payload), time.Since(began))
			}
			if err := r.queue.acknowledged(b, entry); err != nil {
				r.end(err)
			}
			return
		}
		if r.ctx.Err() != nil {
			return // the queue answers why
		}
		stop := false
		if silent++; !errors.Is(err, errSilentAppend) {
			silent = 0
		}
		switch {
		case errors.Is(err, ErrUnknownOutcome):
			stop = silent == mostSilent
		default:
			earlier := r.queue.notSent(b)
			switch {
			case errors.Is(err, ErrUnavailable): // it comes back
			case !earlier:
				r.queue.refuse(b, err)
				return
			default:
				stop, err = true, fail("record", ErrUnknownOutcome, err)
			}
		}
		r.queue.trouble.Store(&err)
		if r.lookAgain(&wait) != nil {
			return
		}
		if stop {
			r.queue.giveUp(b, err)
			return
		}
	}
}

// lookAgain waits until the server is back and the reader has read what is
// there, so that an entry whose acknowledgement was lost is mostly found rather
// than written twice. Why it is not, whoever waits can hear meanwhile.
func (r *Recorder) lookAgain(wait *backoff) error {
	for {
		if err := wait.next(r.ctx); err != nil {
			return err
		}
		tail, err := r.ledger.Tail(r.ctx)
		if err == nil {
			return r.queue.readUpTo(r.ctx, tail)
		}
		r.queue.trouble.Store(&err)
	}
}
