package csvimport

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
)

// Recorder takes submissions; eventstore.Recorder is one.
type Recorder interface {
	// Submit hands in one submission and does not wait for its receipt.
	Submit(ctx context.Context, submission []byte) (*eventstore.Pending, error)
	// Gather lets what work hands in go into few entries.
	Gather(work func() error) error
	Foresight
}

// Counts is what became of the rows of an import. Every row is in exactly one
// of Recorded, Amended, Duplicates, NoEvent and Rejected.
type Counts struct {
	// Rows of the file, the header not counted.
	Rows int
	// Recorded: at least one event of the row is new in the ledger.
	Recorded int
	// Amended: something that the row said before was corrected.
	Amended int
	// AmendedOver are those of Amended whose correction took the place of a version
	// that was not an import's.
	AmendedOver int
	// Duplicates: the ledger had all events of the row.
	Duplicates int
	// NoEvent: by its conditions the mapping takes nothing from the row, or only
	// records that an earlier row has told of.
	NoEvent int
	// Rejected: the row could not become events, or the ledger refused them.
	Rejected int
	// ChangedSinceImport are those of Rejected whose event the ledger has
	// otherwise: the row was recorded once, and changed.
	ChangedSinceImport int
	// Differs: rows that say something else of a record which is taken once than
	// its first row did. The first counts.
	Differs int
	// Events are the events that are new in the ledger, Corrections those of them
	// that correct a record.
	Events      int
	Corrections int
	// ByReason is how many rows were rejected for which reason, the column before
	// it. What comes after the first hundred reasons is under OtherReasons.
	ByReason map[string]int
}

// Add counts a row that Next gave and that is not handed in: what a dry run
// does.
func (c *Counts) Add(row *Row) {
	c.Rows++
	if row.Differs {
		c.Differs++
	}
	switch {
	case row.Reject != nil:
		c.reject(row.Reject)
	case row.Events == 0:
		c.NoEvent++
	}
}

// OtherReasons stands in Counts.ByReason for the rare ones.
const OtherReasons = "other reasons"

func (c *Counts) reject(r *Reject) {
	c.Rejected++
	reason, _, _ := strings.Cut(r.Reason, ". Try: ")
	if r.Column != "" {
		reason = r.Column + ": " + reason
	}
	if c.ByReason == nil {
		c.ByReason = make(map[string]int)
	}
	if _, ok := c.ByReason[reason]; !ok && len(c.ByReason) >= 100 {
		reason = OtherReasons
	}
	c.ByReason[reason]++
}

// ChangedSinceImport begins the reason of a reject whose row was imported before
// and says something else now.
const ChangedSinceImport = "changed since import"

// inFlight is how many rows wait for their receipts unless Options say.
const inFlight = 8192

// progressRows is after how many rows Progress is told.
const progressRows = 1000

// Run imports the rest of im: every row is handed to the recorder as one
// submission, and its receipt counted. When it returns, no submission of it is
// without an answer, unless the context or the recorder ended.
//
// An error says why the import stopped; the counts are true up to there. Rows
// are recorded whole or not at all, so importing the same file again is always
// safe and goes on where this left off.
func Run(ctx context.Context, im *Import, recorder Recorder, opts Options) (Counts, error) {
	rejects, err := createRejects(opts.Rejects, im.Path())
	if err != nil {
		return Counts{}, err
	}
	if opts.InFlight <= 0 {
		opts.InFlight = inFlight
	}
	r := &run{im: im, recorder: recorder, opts: opts, rejects: rejects}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	together := max(1, min(handIn, opts.InFlight/2))
	handed := make(chan handedRow, max(0, opts.InFlight-together))
	collected := make(chan error, 1)
	go func() {
		err := r.collect(ctx, handed)
		stop(err)
		collected <- err
	}()
	fed := r.feed(ctx, together, handed)
	close(handed)
	err = <-collected // the cause, where feeding stopped because of it
	if err == nil {
		err = fed
	}
	if closed := rejects.close(); err == nil {
		err = closed
	}
	if err != nil {
		err = r.stopped(err)
	}
	return r.counts, err
}

// run is one import on its way. The counts and the rejects belong to collect.
type run struct {
	im       *Import
	recorder Recorder
	opts     Options
	rejects  *rejectsFile
	counts   Counts
}

// handedRow is a row whose submissions have been handed in.
type handedRow struct {
	Row
	once []handedPart
	own  handedPart // the zero one where the row has no event of its own
}

// handedPart is one submission of a row. Pending is nil where nothing was handed
// in: the ledger has it all, or it cannot be amended.
type handedPart struct {
	pending *eventstore.Pending
	amendment
}

// stopped says how far an import came that failed.
func (r *run) stopped(err error) error {
	c := r.counts
	if c.Rows == 0 {
		return fmt.Errorf("import of %s: %w", r.im.Path(), err)
	}
	return fmt.Errorf("import of %s stopped: %w\nThe %s before that stand: %s recorded, %s already there, %s rejected, %s without an event. Importing the file again is safe: what is recorded is ruled a duplicate",
		r.im.Path(), ofOneRow(err), print.Plural(c.Rows, "row"), print.Count(c.Recorded+c.Amended), print.Count(c.Duplicates), print.Count(c.Rejected), print.Count(c.NoEvent))
}

// ofOneRow is err where rows before stand: on a full disk the ledger says that
// nothing was recorded, and means what was handed in last.
func ofOneRow(err error) error {
	var failed *eventstore.Error
	if !errors.As(err, &failed) || !errors.Is(failed.Kind, eventstore.ErrDiskFull) {
		return err
	}
	said := *failed
	said.Try = "make room on that disk, then import the file again"
	return &reworded{strings.Replace(err.Error(), failed.Error(), said.Error(), 1), err}
}

// reworded is an error that says the same in other words.
type reworded struct {
	says string
	err  error
}

func (r *reworded) Error() string { return r.says }
func (r *reworded) Unwrap() error { return r.err }

// handIn is how many rows at most are made before they are handed in: a
// thousand in one entry cost the ledger hardly more than one.
const handIn = 1024

// feed makes the rows and hands them in, so many together.
func (r *run) feed(ctx context.Context, together int, handed chan<- handedRow) error {
	rows := make([]Row, 0, together)
	for {
		row, err := r.im.Next()
		if err == nil {
			rows = append(rows, row)
			if len(rows) < together {
				continue
			}
		}
		if err := r.handAll(ctx, rows, handed); err != nil {
			return err
		}
		rows = rows[:0]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// handAll hands rows in together, and then to who collects the receipts: those
// come when all are in.
func (r *run) handAll(ctx context.Context, rows []Row, handed chan<- handedRow) error {
	in := make([]handedRow, 0, len(rows))
	err := r.recorder.Gather(func() error {
		for i := range rows {
			h, err := r.hand(ctx, &rows[i])
			if err != nil {
				return atLine(rows[i].Line, err)
			}
			in = append(in, h)
		}
		return nil
	})
	for _, h := range in {
		select {
		case handed <- h:
		case <-ctx.Done():
			return atLine(h.Line, context.Cause(ctx))
		}
	}
	return err
}

// hand hands one row in.
func (r *run) hand(ctx context.Context, row *Row) (h handedRow, err error) {
	h.Row = *row
	reject := ""
	for _, line := range row.Once {
		part, err := r.handPart(ctx, line)
		if err != nil {
			return h, err
		}
		h.once = append(h.once, part)
		reject = cmp.Or(reject, part.reject)
	}
	if r.opts.Amend != nil {
		reject = cmp.Or(reject, r.opts.Amend.silent(r.recorder, row.Unmet))
	}
	switch {
	case reject != "":
		h.own.reject = reject
	case row.Submission != nil:
		if h.own, err = r.handPart(ctx, row.Submission); err != nil {
			return h, err
		}
	}
	h.Once, h.Submission, h.Unmet = nil, nil, nil
	return h, nil
}

// handPart hands one submission of a row in, with corrections in the place of
// what changed.
func (r *run) handPart(ctx context.Context, submission []byte) (part handedPart, err error) {
	if r.opts.Amend != nil {
		if part.amendment = r.opts.Amend.foresee(r.recorder, submission); part.needed {
			if len(part.lines) == 0 {
				return part, nil
			}
			submission = bytes.Join(part.lines, []byte("\n"))
			part.lines = nil
		}
	}
	part.pending, err = r.submit(ctx, submission)
	return part, err
}

func atLine(line int, err error) error { return fmt.Errorf("line %d: %w", line, err) }

// submit hands in one submission; a busy recorder is asked again.
func (r *run) submit(ctx context.Context, submission []byte) (*eventstore.Pending, error) {
	for {
		p, err := r.recorder.Submit(ctx, submission)
		if !errors.Is(err, eventstore.ErrBusy) {
			return p, err
		}
		select {
		case <-time.After(busyWait):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// busyWait is after how long a busy recorder is asked again.
const busyWait = 20 * time.Millisecond

// collect waits for the receipts of the rows, in their order.
func (r *run) collect(ctx context.Context, handed <-chan handedRow) error {
	for h := range handed {
		if err := r.settle(ctx, &h); err != nil {
			return atLine(h.Line, err)
		}
		if r.counts.Rows%progressRows == 0 {
			r.progress()
		}
	}
	r.progress()
	return nil
}

func (r *run) progress() {
	if r.opts.Progress != nil {
		read, size := r.im.BytesRead()
		r.opts.Progress(Progress{r.counts.Rows, read, size})
	}
}

// settle counts what became of one row.
func (r *run) settle(ctx context.Context, h *handedRow) error {
	var tally tally
	for i := range h.once {
		part := &h.once[i]
		receipt, err := part.receipt(ctx)
		if err != nil {
			return err
		}
		if refusal := asRefusal(receipt.Err()); refusal != nil && refusal.Code == domain.ConflictingID {
			h.Differs = true // an earlier import was told otherwise, and that counts
			h.Events--
			continue
		}
		if err := tally.add(part, receipt); err != nil {
			return err
		}
	}
	receipt, err := h.own.receipt(ctx)
	if err == nil {
		err = tally.add(&h.own, receipt)
	}
	if err != nil {
		return err
	}
	switch {
	case h.own.reject != "":
		h.Reject = &Reject{Line: h.Line, Column: r.im.program.key.column(), Value: h.Key, Reason: h.own.reject}
		r.counts.ChangedSinceImport++
	case tally.refusal != nil:
		h.Reject = r.refused(h, tally.refusal)
	}
	r.counts.Add(&h.Row)
	r.counts.Events += tally.accepted
	r.counts.Corrections += tally.corrections
	switch {
	case h.Reject != nil:
		return r.rejects.add(h.Reject)
	case tally.corrections > 0:
		r.counts.Amended++
		if tally.over {
			r.counts.AmendedOver++
		}
	case tally.accepted > 0:
		r.counts.Recorded++
	case h.Events > 0:
		r.counts.Duplicates++
	}
	return nil
}

// receipt waits for the receipt of p; one without rulings where nothing was
// handed in.
func (p *handedPart) receipt(ctx context.Context) (eventstore.Receipt, error) {
	if p.pending == nil {
		return eventstore.Receipt{}, nil
	}
	return p.pending.Receipt(ctx)
}

// refused is the reject of a row that the ledger refuses.
func (r *run) refused(h *handedRow, refusal *domain.Refusal) *Reject {
	reject := &Reject{Line: h.Line, Column: r.im.program.key.column(), Value: h.Key}
	reject.Reason = refusal.Error()
	if refusal.Code == domain.ConflictingID {
		r.counts.ChangedSinceImport++
		reject.Reason = ChangedSinceImport + ": the ledger has this row otherwise. Try: import with --amend, if the new row is right"
		if r.opts.Amend != nil {
			reject.Reason = ChangedSinceImport + ": the ledger has its event otherwise, and made no record of it that could be corrected. Try: record the row by hand"
		}
	}
	return reject
}

// tally is what the receipts of one row say together.
type tally struct {
	accepted    int
	corrections int
	over        bool            // one of them took the place of what others had corrected
	refusal     *domain.Refusal // the first
}

// add counts the receipt of a part. The error says that going on is of no use.
func (t *tally) add(part *handedPart, receipt eventstore.Receipt) error {
	before := t.accepted
	for i := range receipt.Rulings {
		if receipt.Rulings[i].Verdict == domain.Accepted {
			t.accepted++
		}
	}
	if t.accepted > before {
		t.corrections += min(part.corrections, t.accepted-before)
		t.over = t.over || part.over
	}
	refusal := asRefusal(receipt.Err())
	if refusal == nil {
		return nil
	}
	if refusal.Code == domain.NotOpen {
		return fmt.Errorf("%w. Try: roznamcha open", refusal)
	}
	if t.refusal == nil {
		t.refusal = refusal
	}
	return nil
}
