package worker

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/eventstore"
)

const (
	// changeEvery is how often a table is published at most, and share how many
	// times as long as the last publishing took the next one is away at least.
	changeEvery = 200 * time.Millisecond
	share       = 4
	// grace is how much longer than changeEvery waits who did not publish last.
	grace = 100 * time.Millisecond
	// stampEvery is how often a table is published of which only the stamp has
	// moved.
	stampEvery = time.Second
	// askTimeout is how long one write to the bucket may take, and watchTimeout
	// how long a write that was refused may go unexplained by the watch.
	askTimeout   = 5 * time.Second
	watchTimeout = 5 * time.Second
	// sessionFor is how long a session lasts: a watch tells nothing of a stream that
	// was emptied, or has other settings now.
	sessionFor = time.Minute
	// mostHeader is more than the headers of a message take, in bytes.
	mostHeader = 2 << 10
)

// publish publishes, in one session with the bucket after the other, until ctx
// ends or there is an alarm.
func (w *Worker) publish(ctx context.Context) error {
	if err := w.ready(ctx); err != nil {
		return err
	}
	for {
		err := w.session(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case isAlarm(err):
			return err
		case errors.Is(err, errAgain):
			continue
		}
		w.tell("publishing: " + err.Error() + "; trying again")
		select {
		case <-time.After(changeEvery):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tell keeps what the trouble is, "" for none, and logs it when it is another.
func (w *Worker) tell(trouble string) {
	w.mu.Lock()
	was := w.trouble
	w.trouble = trouble
	w.mu.Unlock()
	switch {
	case trouble == was:
	case trouble == "":
		fmt.Fprintln(w.config.Log, "publishing goes on")
	default:
		fmt.Fprintln(w.config.Log, trouble)
	}
}

// keeper is one session with the bucket. One goroutine has it.
type keeper struct {
	*Worker
	kv    jetstream.KeyValue
	slots []*slot // as config.Tables
	most  int     // bytes of a value
	took  time.Duration

	pointer pointer
}

// slot is one key of the bucket: what is there, and what this worker did last.
type slot struct {
	Table
	key string
	// there is the stamp at revision, which was seen at seen; zero where there
	// is none. mine tells that this worker published it, and checked that it was
	// held against what this worker knows.
	there    Stamp
	problem  string
	value    []byte // nil once checked
	revision uint64
	seen     time.Time
	mine     bool
	checked  bool
	held     bool // the ledger holds its mark
	// looked is when the table was last made, up to entry.
	looked time.Time
	entry  uint64
	// refused is when a write was, that the watch has not explained yet.
	refused time.Time
}

// session publishes until something goes wrong.
func (w *Worker) session(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ask, done := context.WithTimeout(ctx, askTimeout)
	defer done()
	// A watch that was cut may be silent for many seconds.
	back := w.nc.StatusChanged(nats.CONNECTED)
	defer w.nc.RemoveStatusListener(back)
	if err := w.stands(ask); err != nil {
		return err
	}
	kv, err := makeBucket(ask, w.nc, w.ledger)
	if err != nil {
		return err
	}
	k := &keeper{Worker: w, kv: kv, most: int(w.nc.MaxPayload()) - mostHeader}
	for _, t := range w.config.Tables {
		k.slots = append(k.slots, &slot{Table: t, key: w.key(t.Name)})
	}
	watch, err := kv.WatchFiltered(ctx, []string{w.prefix + ".*", CurrentKey})
	if err != nil {
		return fmt.Errorf("watch bucket %s: %w", Bucket, err)
	}
	defer func() { _ = watch.Stop() }()
	if err := k.seeAll(ask, watch.Updates()); err != nil {
		return err
	}
	if err := k.point(ask); err != nil {
		return err
	}
	k.report()
	return k.keep(ctx, watch.Updates(), back)
}

// stands tells whether the ledger still has what was folded in: the server that
// is back may have an older one, and no bucket that would tell.
func (w *Worker) stands(ctx context.Context) error {
	w.fold.mu.RLock()
	mark := w.fold.now().mark
	w.fold.mu.RUnlock()
	return wentBack(w.ledger.Holds(ctx, mark))
}

// seeAll takes in what is there already.
func (k *keeper) seeAll(ctx context.Context, updates <-chan jetstream.KeyValueEntry) error {
	for {
		select {
		case e, open := <-updates:
			switch {
			case !open:
				return errWatchEnded
			case e == nil:
				return nil
			}
			k.see(e)
		case <-ctx.Done():
			return fmt.Errorf("watch bucket %s: %w", Bucket, ctx.Err())
		}
	}
}

// errAgain ends a session, for another with a watch of its own.
var errAgain = errors.New("the bucket is looked at anew")

var errWatchEnded = errors.New("watch bucket " + Bucket + ": it ended")

// keep publishes what is due whenever it is.
func (k *keeper) keep(ctx context.Context, updates <-chan jetstream.KeyValueEntry, back <-chan nats.Status) error {
	timer, renew := time.NewTimer(0), time.After(k.config.renew)
	for {
		if err := k.point(ctx); err != nil {
			return err
		}
		next, err := k.round(ctx)
		if err != nil {
			return err
		}
		timer.Reset(next)
		select {
		case e, open := <-updates:
			if !open {
				return errWatchEnded
			}
			if e != nil {
				k.see(e)
			}
		case <-back:
			return errAgain
		case <-renew:
			return errAgain
		case <-k.fold.moved:
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// see takes in what the watch tells.
func (k *keeper) see(e jetstream.KeyValueEntry) {
	if e.Key() == CurrentKey {
		k.seePointer(e)
		return
	}
	for _, s := range k.slots {
		if s.key == e.Key() && e.Revision() > s.revision {
			s.revision, s.seen, s.mine, s.checked, s.held, s.refused = e.Revision(), time.Now(), false, false, false, time.Time{}
			s.there, s.problem, s.value = Stamp{}, "", nil
			if e.Operation() == jetstream.KeyValuePut {
				s.there, s.problem = readStamp(e.Value())
				s.value = e.Value()
			}
			k.count(s, nil)
		}
	}
}

// round checks what is there and publishes what is due, and tells when to look
// again where nothing happens.
func (k *keeper) round(ctx context.Context) (next time.Duration, err error) {
	next = math.MaxInt64
	var due []*slot
	position := k.fold.entry()
	for _, s := range k.slots {
		if err := k.check(ctx, s, position); err != nil {
			return 0, fmt.Errorf("key %s: %w", s.key, err)
		}
		if !s.refused.IsZero() {
			if time.Since(s.refused) > watchTimeout {
				return 0, errWatchEnded
			}
			next = min(next, watchTimeout)
			continue
		}
		switch wait, isDue := k.due(s, position); {
		case isDue && wait <= 0:
			due = append(due, s)
		case isDue:
			next = min(next, wait)
		case s.there.Mark.Entry > position && !s.held:
			next = min(next, stampEvery)
		}
	}
	if len(due) == 0 {
		return next, nil
	}
	began := time.Now()
	values, err := k.make(due)
	if err != nil {
		return 0, err
	}
	var wrong []error
	for i, s := range due { // one that cannot be written holds up no other
		err := k.put(ctx, s, values[i])
		if err != nil {
			k.count(s, func(t *TableStatus) { t.unwritten = err })
		}
		if err != nil && !isRefused(err) {
			wrong = append(wrong, fmt.Errorf("key %s: %w", s.key, err))
		}
	}
	k.took = time.Since(began)
	k.report()
	return 0, errors.Join(wrong...)
}

// isRefused tells whether the server answered that it does not take a value, such
// as for want of room: the session goes on.
func isRefused(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) || errors.Is(err, nats.ErrMaxPayload)
}

// report tells what stands in the way of publishing: a pointer that leads nowhere,
// and tables that could not be written and are still older than the fold.
func (k *keeper) report() {
	position := k.fold.entry()
	var troubles []string
	if k.pointer.lost != "" {
		troubles = append(troubles, k.pointer.lost)
	}
	k.mu.Lock()
	for _, s := range k.slots {
		if t := k.tables[s.Name]; t.unwritten != nil && t.Entry < position {
			troubles = append(troubles, fmt.Sprintf("key %s: %v; trying again", s.key, t.unwritten))
		}
	}
	k.mu.Unlock()
	k.tell(strings.Join(troubles, "; "))
}

// due tells in how long a table is to be made and perhaps published; false for
// not before the fold moves.
func (k *keeper) due(s *slot, position uint64) (wait time.Duration, isDue bool) {
	if position == 0 || position <= s.there.Mark.Entry {
		return 0, false
	}
	pause := max(changeEvery, share*k.took)
	last := s.seen
	if !s.mine {
		last = last.Add(grace)
	}
	if s.looked.After(last) {
		if last = s.looked; s.entry == position { // only the stamp is left to publish
			pause = max(pause, time.Until(s.seen.Add(stampEvery))+time.Since(last))
		}
	}
	return time.Until(last.Add(pause)), true
}

// make makes the values of some slots, all at one entry.
func (k *keeper) make(slots []*slot) (values []stamped, err error) {
	k.fold.mu.RLock()
	defer k.fold.mu.RUnlock()
	now := time.Now()
	for _, s := range slots {
		v, err := k.valueOf(s)
		if err != nil {
			return nil, err
		}
		s.looked, s.entry = now, v.Mark.Entry
		values = append(values, v)
	}
	return values, nil
}

// valueOf is what s should hold; the caller has the fold's lock.
func (k *keeper) valueOf(s *slot) (stamped, error) {
	return k.fold.value(Stamp{Version: k.config.Version, Name: s.Name, Question: QuestionOf(s.Query)}, s.Query, k.most)
}

// put writes v over what is there, if that is older, unless only the stamp would
// move and it is too early for that. A crash within leaves one or the other.
func (k *keeper) put(ctx context.Context, s *slot, v stamped) error {
	if v.Cells == s.there.Cells && time.Since(s.seen) < stampEvery {
		return nil
	}
	ask, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	revision, err := k.kv.Update(ask, s.key, v.bytes, s.revision)
	switch {
	case errors.Is(err, jetstream.ErrKeyRevisionMismatch):
		s.refused = time.Now()
		k.count(s, func(t *TableStatus) { t.Skipped++ })
		return nil
	case err != nil: // written or not: the next session sees which
		return err
	}
	s.revision, s.there, s.problem, s.value, s.seen = revision, v.Stamp, v.problem, nil, time.Now()
	s.mine, s.checked, s.held = true, true, true
	k.count(s, func(t *TableStatus) {
		t.Published, t.Bytes, t.unwritten = t.Published+1, len(v.bytes), nil
	})
	return nil
}

// count keeps what is at a slot, and what else add says, in the worker's status.
func (k *keeper) count(s *slot, add func(*TableStatus)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	t := k.tables[s.Name]
	if s.there.Mark.Entry > t.Entry {
		t.unwritten = nil
	}
	t.Entry, t.Problem = s.there.Mark.Entry, s.problem
	if add != nil {
		add(t)
	}
}

// check holds what is at a slot against what this worker knows: the ledger, when
// the stamp stays ahead of the fold, and the fold, when it has come there.
func (k *keeper) check(ctx context.Context, s *slot, position uint64) error {
	there := s.there
	switch {
	case s.checked || there.Mark.IsZero():
		return nil
	case there.Question != QuestionOf(s.Query):
		return &OtherQuestionError{s.key}
	case there.Mark.Entry > position:
		if s.held || time.Since(s.seen) < stampEvery && !s.looked.IsZero() {
			return nil // it will come there in a moment
		}
		if err := k.ledger.Holds(ctx, there.Mark); err != nil {
			return wentBack(err)
		}
		s.held = true
		return nil
	}
	s.checked = true
	value := s.value
	s.value = nil
	here, known := k.fold.at(there.Mark.Entry)
	switch state := hex.EncodeToString(here.state[:]); {
	case !known: // too long ago to know; the ledger is asked
		return wentBack(k.ledger.Holds(ctx, there.Mark))
	case here.mark != there.Mark:
		return wentBack(&eventstore.WentBackError{Had: there.Mark.Entry, Tail: position})
	case state != there.State:
		return &ContradictionError{s.key, there.Mark.Entry, "state", there.State, state}
	}
	return k.checkCells(s, there, value)
}

// checkCells compares the bytes that are there with this worker's, if the fold
// still stands at the same entry.
func (k *keeper) checkCells(s *slot, there Stamp, value []byte) error {
	k.fold.mu.RLock()
	defer k.fold.mu.RUnlock()
	if k.fold.register.Last() != there.Mark.Entry {
		return nil
	}
	v, err := k.valueOf(s)
	if err == nil && !bytes.Equal(v.bytes, value) {
		theirs, ours := sha256.Sum256(value), sha256.Sum256(v.bytes)
		err = &ContradictionError{s.key, there.Mark.Entry, "value", hex.EncodeToString(theirs[:]), hex.EncodeToString(ours[:])}
	}
	return err
}

// wentBack says of an alarm of the ledger where it was seen.
func wentBack(err error) error {
	if !isAlarm(err) {
		return err
	}
	return fmt.Errorf("what workers have published is of another ledger, or of a longer one: %w; where the loss is known and accepted, delete the bucket (nats kv rm %s)", err, Bucket)
}
