package eventstore

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"roznamcha/domain"
)

// batch is an entry in the making: submissions, and then the rulings on their
// lines.
type batch struct {
	// parts are the submissions that it holds until it is taken, each of them read;
	// lines and bytes are how many these make with what stands between them.
	parts []domain.Entry
	lines int
	bytes int
	// payload is what was sent; nil before, and when it is answered.
	payload []byte

	// ahead has it as the reader will want it, once. The appender has put it there
	// when made is set, and the reader has taken it when taken is.
	ahead       chan domain.Entry
	made, taken bool

	// What follows belongs to the queue's mutex until done is closed.

	// sent counts how often the payload was sent, seen how often the reader
	// came upon it, entry is its number once that is known (0 before), ruled
	// the entry that rulings are from.
	sent, seen int
	entry      uint64
	ruled      Mark

	// done is closed when err or rulings are final.
	done    chan struct{}
	err     error
	rulings []LineRuling

	// trouble is the queue's.
	trouble *atomic.Pointer[error]
}

// make makes b, which is e, ready for the reader while it is being written, so
// that its receipts need not wait for that. Its lines were read at the door.
func (b *batch) make(e domain.Entry) {
	if b.made {
		return
	}
	b.made = true
	e.Hash()
	b.ahead <- e
}

// asRead is e, which is a copy of b, as make has it. A second copy is read anew.
func (b *batch) asRead(e domain.Entry) domain.Entry {
	if b.taken {
		return e
	}
	b.taken = true
	ahead := <-b.ahead
	ahead.Number, ahead.Recorded = e.Number, e.Recorded
	return ahead
}

// why adds to err what keeps batches from being answered.
func (b *batch) why(err error) error {
	if trouble := b.trouble.Load(); trouble != nil {
		return fmt.Errorf("%w (%w)", err, *trouble)
	}
	return err
}

// queue holds the submissions between the door and their receipts. Submitters
// add, the appender takes and tells what became of it, the reader rules.
type queue struct {
	// most is how many lines may be in it, entryBytes how large an entry may be:
	// an entry of many is no larger than the server takes.
	most, entryBytes int
	// wake has a token when there may be something for the appender to take.
	wake chan struct{}
	// trouble is why nothing is written just now, for those who stop waiting; nil
	// where nothing is in the way.
	trouble atomic.Pointer[error]

	mu sync.Mutex
	// waiting are entries not yet sent; the last one is still gathering.
	waiting []*batch
	// sent are entries that are being written, or wait for the reader.
	sent []*batch
	// lines is how many there are in both, bytes their payloads.
	lines, bytes int
	// room rings when lines went down.
	room bell
	// holders is how many are handing in more and want few entries.
	holders int
	// read is the last entry that the reader is done with; moved rings when it
	// is done with another.
	read  uint64
	moved bell
	// closed is why the recorder has ended; nil while it runs.
	closed error
}

// between is how many bytes stand between two submissions.
const between = len("\n\n")

// mostBytes is how many bytes may be in a queue: sixteen full entries.
const mostBytes = 16 * domain.MaxEntryBytes

// newQueue is a queue of so many lines at most, in entries of so many bytes.
func newQueue(most, entryBytes int) *queue {
	return &queue{most: most, entryBytes: entryBytes, wake: make(chan struct{}, 1)}
}

// add puts a submission of so many lines from its desk into the entry that is
// gathering, or into a new one. Where there is no room it gives the channel that
// is closed when there may be.
func (q *queue) add(d *desk, lines int, p *Pending) (room <-chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	size := len(d.entry.Payload) + between
	if q.closed != nil {
		return nil, q.closed
	}
	if q.lines > 0 && (q.lines+lines > q.most || q.bytes+size > mostBytes) {
		signal(q.wake) // what is held makes no room
		return q.room.wait(), nil
	}
	b := q.gathering(size, lines)
	p.batch, p.first, p.lines = b, b.lines, lines
	b.parts = append(b.parts, d.take())
	b.lines += lines
	b.bytes += size
	q.lines += lines
	q.bytes += size
	signal(q.wake)
	return nil, nil
}

// signal puts a token into c, which has room for one, unless one is there.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// bell wakes everyone who waits for the next time that it rings. Its owner's
// mutex guards it.
type bell chan struct{}

// wait gives a channel that is closed when it rings.
func (b *bell) wait() <-chan struct{} {
	if *b == nil {
		*b = make(chan struct{})
	}
	return *b
}

func (b *bell) ring() {
	if *b != nil {
		close(*b)
		*b = nil
	}
}

// waited tells whether anybody waits.
func (b bell) waited() bool { return b != nil }

// gathering is the entry that takes so many more bytes and lines.
func (q *queue) gathering(size, lines int) *batch {
	if n := len(q.waiting); n > 0 {
		b := q.waiting[n-1]
		if b.lines+lines <= domain.MaxLines && b.bytes+size <= q.entryBytes+between {
			return b
		}
	}
	b := &batch{done: make(chan struct{}), ahead: make(chan domain.Entry, 1), trouble: &q.trouble}
	q.waiting = append(q.waiting, b)
	return b
}

// hold keeps the entry that is gathering until it is full or release.
func (q *queue) hold() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.holders++
}

func (q *queue) release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.holders--
	signal(q.wake)
}

// letGather lets submitters run who can, for as long as more comes of it and an
// entry is not full: what they hand in now travels in the next entry, and not in
// one of its own after that. Where nobody else can run it costs nothing.
func (q *queue) letGather() {
	for lines, more := -1, true; more; {
		runtime.Gosched()
		q.mu.Lock()
		more = q.lines != lines && len(q.waiting) < 2
		lines = q.lines
		q.mu.Unlock()
	}
}

// take moves the oldest entry on to be sent, and gives its parts; nil when there
// is none, or only one that is held until it is full.
func (q *queue) take() (b *batch, parts []domain.Entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 || len(q.waiting) == 1 && q.holders > 0 && !q.room.waited() {
		return nil, nil
	}
	b = q.waiting[0]
	q.waiting = q.waiting[1:]
	q.sent = append(q.sent, b)
	parts, b.parts = b.parts, nil
	return b, parts
}

// sending notes that b is about to be sent, once more, as payload. It is not
// needed when the queue is closed, or every copy that was sent has been seen in
// the ledger by now, and so the outcome is known.
func (q *queue) sending(b *batch, payload []byte) (needed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed != nil {
		return false
	}
	if b.sent > 0 && b.seen >= b.sent {
		b.entry = b.ruled.Entry
		q.settle(b)
		return false
	}
	b.payload = payload
	b.sent++
	return true
}

// ended is why the recorder has ended; nil while it runs.
func (q *queue) ended() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

// acknowledged notes that the last copy of b became the entry so numbered.
// *WentBackError where the reader has passed that number and it was not b.
func (q *queue) acknowledged(b *batch, entry uint64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	b.entry = entry
	if entry <= q.read && b.ruled.Entry < entry {
		return &WentBackError{entry, entry}
	}
	q.settle(b)
	return nil
}

// notSent takes back that the last copy was sent. It tells whether an earlier
// one may be in the ledger.
func (q *queue) notSent(b *batch) (maybe bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	b.sent--
	return b.sent > 0
}

// match finds the batch that an entry is a copy of. *WentBackError where the
// number was acknowledged for something else.
func (q *queue) match(e domain.Entry) (*batch, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, b := range q.sent {
		copied := e.Subject == domain.EntrySubject && bytes.Equal(b.payload, e.Payload)
		switch {
		case b.entry == e.Number && !copied:
			return nil, &WentBackError{e.Number, e.Number}
		case copied && (b.entry == 0 || b.entry == e.Number):
			return b, nil
		}
	}
	return nil, nil
}

// passed notes that the reader is done with an entry, which was a copy of ours,
// if that is not nil, and its rulings.
func (q *queue) passed(entry Mark, ours *batch, rulings []LineRuling) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.read = entry.Entry
	q.moved.ring()
	if ours != nil && ours.payload != nil { // or it was answered meanwhile
		ours.seen++
		ours.ruled, ours.rulings = entry, rulings
		q.settle(ours)
	}
}

// readUpTo waits until the reader is done with an entry. The error is ctx's, or
// why the queue is closed.
func (q *queue) readUpTo(ctx context.Context, entry uint64) error {
	for {
		q.mu.Lock()
		there, closed, moved := q.read >= entry, q.closed, q.moved.wait()
		q.mu.Unlock()
		if there {
			return nil
		}
		if closed != nil {
			return closed
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// settle answers b once its number is known and that entry is ruled on, or a
// copy that came even later.
func (q *queue) settle(b *batch) {
	if b.entry != 0 && b.ruled.Entry >= b.entry {
		q.finish(b, nil)
	}
}

// refuse answers b with an error.
func (q *queue) refuse(b *batch, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.finish(b, err)
}

// giveUp answers b, which is not sent any more: with a copy that the reader has
// seen, or else with err.
func (q *queue) giveUp(b *batch, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if b.seen > 0 {
		b.entry = b.ruled.Entry
		q.settle(b)
		return
	}
	q.finish(b, err)
}

// finish answers b, if that was not done, and makes room.
func (q *queue) finish(b *batch, err error) {
	for i, other := range q.sent {
		if other != b {
			continue
		}
		q.sent = append(q.sent[:i], q.sent[i+1:]...)
		q.lines -= b.lines
		q.bytes -= b.bytes
		b.err, b.payload, b.parts = err, nil, nil
		close(b.done)
		q.room.ring()
		return
	}
}

// close ends the queue: what was not sent is answered with notSent, what was
// with sent, and what comes with closed.
func (q *queue) close(closed, notSent, sent error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed != nil {
		return
	}
	q.closed = closed
	for len(q.sent) > 0 {
		q.finish(q.sent[0], sent)
	}
	q.sent, q.waiting = q.waiting, nil
	for len(q.sent) > 0 {
		q.finish(q.sent[0], notSent)
	}
	q.room.ring()
	q.moved.ring()
}
