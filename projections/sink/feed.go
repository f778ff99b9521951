package sink

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

// Options say how a database is fed.
type Options struct {
	// Once ends at the ledger's end as it is at the start.
	Once bool
	// Say, unless nil, is told when the database goes away and when it is back,
	// and what else a person should know meanwhile.
	Say func(message string)
	// Progress, unless nil, is told of every entry when it is read, and of the
	// last that there was at the start.
	Progress func(entry, tail uint64)
	// CaughtUp, unless nil, is told once that the database has everything that
	// the ledger had at the start; its error ends the feeding.
	CaughtUp func(Place) error
	// Start, unless nil, makes new projections what a snapshot has of them that ends
	// at entry or before; its answer is nil where there is none that is of use.
	Start func(ctx context.Context, entry uint64, kept ...projections.Kept) (*projections.Start, error)
	// Stands, unless nil, is told how the database stands: within a second of a
	// change, and every few seconds while there is none.
	Stands func(Standing)
	// BatchRows is how many rows a transaction may have, about: an entry is
	// never split. 0 is 20,000.
	BatchRows int
}

const batchRows = 20_000

// maxAhead is how many entries are read ahead.
const maxAhead = 64

// Feed brings the schema of db to this version, and then what l holds into its
// tables: up to the ledger's end and, unless o.Once, whatever comes, until ctx
// ends. While the database is away it waits, once it has been there. It returns
// the place that was reached.
//
// *eventstore.WentBackError where the ledger does not hold what the database
// was fed with, *NewerSchemaError where its schema is of a newer program.
func (db *Database) Feed(ctx context.Context, l *eventstore.Ledger, o Options) (Place, error) {
	if o.BatchRows == 0 {
		o.BatchRows = batchRows
	}
	if o.Say == nil {
		o.Say = func(string) {}
	}
	if o.Stands == nil {
		o.Stands = func(Standing) {}
	}
	if _, err := db.knownVersion(ctx, db.migrations()); err != nil {
		return Place{}, err
	}
	was, err := db.held(ctx, l) // before anything is changed
	if err != nil {
		return Place{}, err
	}
	if err := db.Migrate(ctx); err != nil {
		return Place{}, db.advise(err)
	}
	if now, err := db.Place(ctx); err == nil && now.Entry < was.Entry {
		o.Say(db.Name + ": its tables have more than they had, and are fed anew from entry 1; meanwhile the sums are too low")
	}
	for {
		f := newFeeder(db, l, o)
		err := f.run(ctx)
		var many *manyRefusedError
		switch {
		case errors.Is(err, errSetBack):
			o.Say(err.Error())
		case errors.As(err, &many):
			o.BatchRows = max(o.BatchRows/10, fewestRows)
			o.Say(fmt.Sprintf("%s: %v; writing %d rows at a time", db.Name, err, o.BatchRows))
		default:
			return f.written, db.advise(err)
		}
	}
}

// fewestRows is how many rows a transaction has, about, where many are refused.
const fewestRows = 2 * maxRefusals

// errSetBack is the end of a feeder whose database lost rows that it had.
var errSetBack = errors.New("the database was set back to an earlier place; feeding it again from there")

// feeder feeds a database from a ledger.
type feeder struct {
	Options
	db     *Database
	ledger *eventstore.Ledger
	rows   rows
	// at is how far the ledger is read, and written how far the database is, as
	// was last seen. It may be ahead, where another sink feeds it too.
	at, written Place
	pending     pending
	// retry is set until the parked rows were tried again. Of what is parked of
	// the entries, these were read since.
	retry  bool
	parked map[uint64]*entry
	// flying is what is being written, nil for nothing.
	flying *flight
	// pause is how long to wait for the database while it is away; 0 while not.
	pause time.Duration
	// end is how the ledger ended when it was last asked.
	end eventstore.Status
	// told is when Stands was last told, and untold that something is new since.
	told   time.Time
	untold bool
}

// flight is a transaction that is on its way while entries are read.
type flight struct {
	*changes
	size int // of what waits, that it has
	done chan error
}

func newFeeder(db *Database, l *eventstore.Ledger, o Options) *feeder {
	return &feeder{
		Options: o, db: db, ledger: l, retry: true, parked: make(map[uint64]*entry),
		rows: rows{
			engine: db.engine, register: domain.NewRegister(), totals: projections.NewTotals(), exceptions: projections.NewExceptions(),
			days: make(map[domain.Day]any),
		},
	}
}

// listen hears of what is closed from here on.
func (f *feeder) listen() {
	f.rows.totals.OnClose(func(n uint32, at domain.Position) {
		if at.Entry > f.written.Entry {
			f.pending.facts = append(f.pending.facts, closing{int64(n), at})
		}
	})
	f.rows.exceptions.OnSettle(func(n int, at domain.Position) {
		if at.Entry > f.written.Entry {
			f.pending.exceptions = append(f.pending.exceptions, closing{int64(n), at})
		}
	})
}

// pulseEvery is how often a sink that has nothing to write looks until when
// everything is known, and tells that it is there.
const pulseEvery = 5 * time.Second

// run feeds until it is done. Start, catch-up and live are the same: entries
// are read, and written when there are many or when no other waits.
func (f *feeder) run(ctx context.Context) error {
	if err := f.begin(ctx); err != nil {
		return err
	}
	if err := f.look(ctx); err != nil {
		return err
	}
	tail := f.end.Entries
	pulse := time.NewTicker(tellEvery)
	defer pulse.Stop()
	ctx, stop := context.WithCancel(ctx)
	read, ended := f.readAhead(ctx)
	defer func() {
		stop()
		<-ended
		if f.flying != nil {
			<-f.flying.done
		}
	}()
	for {
		if f.at.Entry >= tail && len(read) == 0 {
			if err := f.caughtUp(ctx); err != nil || f.Once && !f.retry {
				return err
			}
		}
		select {
		case e, ok := <-read:
			if !ok {
				err := <-ended
				return err
			}
			if err := f.fold(e); err != nil {
				return err
			}
			if f.Progress != nil {
				f.Progress(e.Number, max(tail, e.Number))
			}
		case <-pulse.C:
			f.pulse(ctx)
		case <-ctx.Done():
			return ctx.Err()
		}
		if f.pending.size(&f.rows)-f.flying.rows() >= f.BatchRows {
			if err := f.flush(ctx, false); err != nil {
				return err
			}
		}
	}
}

// pulse tells what is new and, now and then, that the sink is there; and looks
// until when everything is known.
func (f *feeder) pulse(ctx context.Context) {
	idle := time.Since(f.told) >= pulseEvery
	if idle && f.at.Entry >= f.end.Entries {
		_ = f.look(ctx) // while the server is away nobody knows more
	}
	if idle || f.untold {
		f.tell(ctx, true)
	}
}

// look asks how the ledger ends.
func (f *feeder) look(ctx context.Context) (err error) {
	end, err := f.ledger.Status(ctx)
	if err == nil {
		f.end = end
	}
	return err
}

// settles is how long an entry may have its time, about, before the server tells
// that it is there: a cluster gives it before its servers agree.
const settles = time.Second

// knownUntil is up to when everything that was recorded was read.
func (f *feeder) knownUntil() time.Time {
	if until := f.end.Asked.Add(-settles); f.at.Entry >= f.end.Entries && until.After(f.at.Recorded) {
		return until
	}
	return f.at.Recorded
}

// caughtUp writes what waits when no more is to be had.
func (f *feeder) caughtUp(ctx context.Context) error {
	if err := f.flush(ctx, true); err != nil || f.CaughtUp == nil {
		return err
	}
	f.tell(ctx, true)
	tell := f.CaughtUp
	f.CaughtUp = nil
	return tell(f.written)
}

// readAhead reads the ledger, hashes entries and reads their lines, which is the
// larger part of the work, while others are ruled on and written. When read is
// closed, ended tells why; ended is closed when nothing reads any more.
func (f *feeder) readAhead(ctx context.Context) (read chan domain.Entry, ended chan error) {
	read, ended = make(chan domain.Entry, maxAhead), make(chan error, 1)
	go func() {
		err := f.ledger.Follow(ctx, f.at.Entry+1, func(e domain.Entry) error {
			e.Hash()
			e.Read()
			select {
			case read <- e:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		ended <- err
		close(ended)
		close(read)
	}()
	return read, ended
}

// OtherLedgerError says that a database was fed from another ledger.
type OtherLedgerError struct {
	// Database is its name, and Ledger that of the ledger it was fed from.
	Database, Ledger string
}

func (e *OtherLedgerError) Error() string {
	return fmt.Sprintf("%s holds the ledger %s, and this is another. Try: another database, or the ledger that feeds it", e.Database, e.Ledger)
}

// held looks where the database is, and whether l holds that.
func (db *Database) held(ctx context.Context, l *eventstore.Ledger) (Place, error) {
	place, err := db.Place(ctx)
	if err != nil || place.Entry == 0 {
		return place, err
	}
	if place.Rules != domain.RulesVersion {
		return place, fmt.Errorf("%s was fed by version %d of the rules, and this program has version %d. Try: the program that fed it, or another database", db.Name, place.Rules, domain.RulesVersion)
	}
	var back *eventstore.WentBackError
	if err := l.Holds(ctx, eventstore.Mark{Entry: 1, Hash: place.First}); errors.As(err, &back) {
		return place, &OtherLedgerError{db.Name, place.Ledger}
	} else if err != nil {
		return place, err
	}
	if err := l.Holds(ctx, place.Mark); err != nil {
		return place, fmt.Errorf("%s is at entry %d: %w", db.Name, place.Entry, err)
	}
	return place, nil
}

// begin looks where the database is and what is parked there, and begins before
// entry 1 or at the snapshot.
func (f *feeder) begin(ctx context.Context) error {
	if _, err := f.db.knownVersion(ctx, f.db.migrations()); err != nil {
		return err
	}
	place, err := f.db.held(ctx, f.ledger)
	if err != nil {
		return err
	}
	f.written = place
	parked, err := f.db.Parked(ctx)
	if err != nil {
		return err
	}
	if len(parked) > maxRefusals {
		f.Say(fmt.Sprintf("%s: trying %d parked rows again, which takes a while if they are refused", f.db.Name, len(parked)))
	}
	for _, p := range parked {
		if p.Table == entries.name {
			f.parked[uint64(p.Number)] = nil
		}
	}
	if err := f.start(ctx); err != nil {
		return err
	}
	f.listen()
	f.tell(ctx, true)
	return nil
}

// start goes on from a snapshot, if that is of use: what a row of entries says,
// only reading its entry tells.
func (f *feeder) start(ctx context.Context) error {
	if f.Start == nil || f.written.Entry == 0 || len(f.parked) > 0 {
		return nil
	}
	start, err := f.Start(ctx, f.written.Entry, f.rows.totals, f.rows.exceptions)
	if err != nil || start == nil {
		return err
	}
	f.rows.register = start.Register
	f.reached(f.rows.register.Last(), f.rows.register.Recorded())
	f.pending.skip(&f.rows)
	if f.at.Entry == f.written.Entry {
		return f.same(f.written)
	}
	return nil
}

// reached moves at to the last entry that was read.
func (f *feeder) reached(entry uint64, recorded time.Time) {
	first, last := f.rows.register.Payloads()
	opened := f.rows.totals.Opened()
	f.at = Place{
		Mark: eventstore.Mark{Entry: entry, Hash: last}, First: first, Recorded: recorded, Rules: domain.RulesVersion,
		Ledger: opened.Name, HomeCountry: string(opened.HomeCountry), Zone: opened.Zone,
	}
}

// fold reads one entry into the projections.
func (f *feeder) fold(e domain.Entry) error {
	of := entry{hash: e.Hash()}
	if err := projections.Fold(f.rows.register, e, f.rows.totals, f.rows.exceptions, &of.Stats); err != nil {
		return err
	}
	of.Entries, of.Recorded = e.Number, e.Recorded
	f.reached(e.Number, e.Recorded)
	if _, ok := f.parked[e.Number]; ok {
		f.parked[e.Number] = &of
	}
	if e.Number > f.written.Entry {
		f.pending.entries = append(f.pending.entries, of)
		return nil
	}
	f.pending.skip(&f.rows)
	if e.Number == f.written.Entry {
		return f.same(f.written)
	}
	return nil
}

// state is the state hash up to here, made when it is asked for.
func (f *feeder) state() string {
	if f.at.State == "" && f.at.Entry > 0 {
		state := f.rows.register.Hash()
		f.at.State = hex.EncodeToString(state[:])
	}
	return f.at.State
}

// same holds what was read up to here against the database's place.
func (f *feeder) same(is Place) error {
	if is.Hash != f.at.Hash {
		return fmt.Errorf("%s: %w", f.db.Name, &eventstore.WentBackError{Had: is.Entry, Tail: is.Entry})
	}
	if is.State != f.state() {
		return fmt.Errorf("%s was fed with other entries before entry %d: %w", f.db.Name, is.Entry, &eventstore.WentBackError{Had: is.Entry, Tail: is.Entry})
	}
	return nil
}

// flush writes what waits, after what is being written. Unless wait, that is
// still on its way when flush returns.
func (f *feeder) flush(ctx context.Context, wait bool) error {
	wait = wait || f.retry // which asks for rows as they stand meanwhile
	for {
		if err := f.land(ctx); err != nil {
			return err
		}
		f.at.KnownUntil = f.knownUntil()
		if f.at.Entry < f.written.Entry || f.pending.size(&f.rows) == 0 && !f.retry && !f.at.KnownUntil.After(f.written.KnownUntil) {
			f.back(ctx)
			return nil
		}
		f.state()
		c := &changes{from: f.written, to: f.at, tables: f.pending.changes(f.written, &f.rows), retry: f.retry, row: f.row, few: f.BatchRows <= fewestRows}
		f.flying = &flight{c, f.pending.size(&f.rows), make(chan error, 1)}
		go func(done chan<- error) { done <- f.db.write(ctx, c) }(f.flying.done)
		if !wait {
			return nil
		}
	}
}

// rows is how many rows are on their way.
func (f *flight) rows() int {
	if f == nil {
		return 0
	}
	return f.size
}

// land waits for what is being written, and for the database if it is away.
func (f *feeder) land(ctx context.Context) error {
	if f.flying == nil {
		return nil
	}
	c, err := f.flying.changes, <-f.flying.done
	f.flying = nil
	switch {
	case err == nil:
		f.written, f.retry = c.to, f.retry && !c.retry
		f.pending.writtenTo(c.to.Entry, &f.rows)
		f.back(ctx)
		f.tell(ctx, false)
		return nil
	case errors.Is(err, errMoved):
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, new(*manyRefusedError)):
		return err
	case f.db.sort(err) != away:
		return fmt.Errorf("%s: %w", f.db.Name, err)
	default:
		if err := f.waitFor(ctx, err); err != nil {
			return err
		}
	}
	return f.meet(ctx)
}

// row is a row as it stands by now, for a retry.
func (f *feeder) row(t *table, number int64) []any {
	switch {
	case t == facts && number < int64(f.rows.totals.Versions()):
		return f.rows.fact(number)
	case t == exceptions && number < int64(f.rows.exceptions.Raised()):
		return f.rows.exception(number)
	case t == successions && number < int64(f.rows.totals.Successions()):
		return f.rows.succession(number)
	case t == entries:
		if e := f.parked[uint64(number)]; e != nil {
			return f.rows.entry(e)
		}
		for i := range f.pending.entries {
			if f.pending.entries[i].Entries == uint64(number) {
				return f.rows.entry(&f.pending.entries[i])
			}
		}
	}
	return nil
}

// meet reads where the database is, and leaves out what it has.
func (f *feeder) meet(ctx context.Context) error {
	_, err := f.db.knownVersion(ctx, f.db.migrations()) // a newer program may have come
	var now Place
	if err == nil {
		now, err = f.db.Place(ctx)
	}
	switch {
	case err != nil && f.db.sort(err) == away:
		return nil // the next transaction tells
	case err != nil:
		return fmt.Errorf("%s: %w", f.db.Name, err)
	case now.Entry < f.written.Entry || now.Entry > 0 && now.First != f.at.First:
		return errSetBack
	case now.Entry == f.at.Entry && f.at.Entry > 0:
		if err := f.same(now); err != nil {
			return err
		}
	}
	for i := range f.pending.entries {
		if e := &f.pending.entries[i]; e.Entries == now.Entry && e.hash != now.Hash {
			return fmt.Errorf("%s: %w", f.db.Name, &eventstore.WentBackError{Had: now.Entry, Tail: now.Entry})
		}
	}
	f.written = now
	if now.Entry >= f.at.Entry {
		f.pending.skip(&f.rows)
	} else {
		f.pending.writtenTo(now.Entry, &f.rows)
	}
	return nil
}

// The pauses between attempts at a database that is away.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = time.Second
)

// waitFor waits until the database is asked again, longer each time.
func (f *feeder) waitFor(ctx context.Context, why error) error {
	if f.pause == 0 {
		f.Say(fmt.Sprintf("%s is away, waiting for it: %v", f.db.Name, why))
	}
	if f.pause == 0 || time.Since(f.told) >= pulseEvery {
		f.stands(Standing{Place: f.written, Away: why.Error()})
	}
	f.pause = min(max(2*f.pause, firstPause), lastPause)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(f.pause):
		return nil
	}
}

// back ends the waiting: the database has what was to be written.
func (f *feeder) back(ctx context.Context) {
	if f.pause > 0 {
		f.pause = 0
		f.Say(f.db.Name + " is back")
		f.tell(ctx, true)
	}
}

// tellEvery is how often a database that moves is told of.
const tellEvery = time.Second

// tell tells how the database stands: now, or soon where that was done lately.
func (f *feeder) tell(ctx context.Context, now bool) {
	f.untold = true
	if f.flying != nil || !now && time.Since(f.told) < tellEvery {
		return
	}
	place, err := f.db.Place(ctx) // other sinks move it too
	if err != nil {
		return // the next transaction tells
	}
	if parked, err := f.db.Parked(ctx); err == nil {
		f.stands(standing(place, parked))
	}
}

func (f *feeder) stands(s Standing) {
	f.told, f.untold = time.Now(), false
	f.Stands(s)
}
