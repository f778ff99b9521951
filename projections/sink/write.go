package sink

import (
	"context"
	"errors"
	"fmt"
)

// errMoved is the end of a transaction that lost: the place is not where this
// sink believes it to be.
var errMoved = errors.New("another sink has moved the place")

// write brings c to the database, whole or not at all. errMoved where the place
// is not at c.from.
func (db *Database) write(ctx context.Context, c *changes) error {
	tx, err := db.begin(ctx)
	if err != nil {
		return err
	}
	defer tx.rollback()
	moved, err := tx.move(ctx, c.from, c.to)
	if err != nil {
		return err
	}
	if !moved {
		return errMoved
	}
	w := &writer{ctx: ctx, db: db, tx: tx, changes: c}
	if c.retry {
		if err := w.retry(); err != nil {
			return err
		}
	}
	for i := range c.tables {
		if err := w.table(&c.tables[i]); err != nil {
			return err
		}
	}
	return tx.commit(ctx)
}

// writer writes in one transaction.
type writer struct {
	ctx context.Context
	db  *Database
	tx  transaction
	*changes
	refusals int // rows that were refused, but for those that were parked before
}

// maxRefusals is how many rows of a transaction may be refused, unless there
// are few: each costs milliseconds, and meanwhile nothing moves.
const maxRefusals = 100

// manyRefusedError ends a transaction of which too much is refused.
type manyRefusedError struct{ last error }

func (e *manyRefusedError) Error() string { return "it refuses many rows, the last: " + e.last.Error() }
func (e *manyRefusedError) Unwrap() error { return e.last }

func (w *writer) table(t *tableChanges) error {
	err := each(w, t.rows, func(rows [][]any) error { return w.tx.insert(w.ctx, t.table, rows) },
		func(row []any, why error) error {
			return w.park(t.table, closing{row[0].(int64), t.position(row)}, t.json(row), why)
		})
	if err != nil {
		return err
	}
	return each(w, t.closings, func(some []closing) error {
		missing, err := w.tx.close(w.ctx, t.table, some)
		for _, c := range missing {
			err = errors.Join(err, w.park(t.table, c, c.json(), errMissing))
		}
		return err
	}, func(c closing, why error) error { return w.parkClosing(t.table, c, why) })
}

// parkClosing parks a row whose closing is refused, and takes it out: it would
// count beside the row that took its place. Only where that is refused too does
// it stay.
func (w *writer) parkClosing(t *table, c closing, why error) error {
	err := w.tx.attempt(w.ctx, func() error { return w.tx.remove(w.ctx, t, []int64{c.number}) })
	switch {
	case err == nil:
	case w.isRefusal(err):
		why = fmt.Errorf("%w; and it cannot be taken out, so it stands as it was: %w", why, err)
	default:
		return err
	}
	return w.park(t, c, c.json(), why)
}

// isRefusal tells whether a statement about one row was refused for that row.
func (w *writer) isRefusal(err error) bool {
	trouble := w.db.sort(err)
	return trouble == refused || trouble == unclear
}

// errMissing is why a row that is to be closed is parked that is not there, nor
// parked before.
var errMissing = errors.New("the row is not there: it was deleted, and not by a sink")

// rowError is an error of which the database has said which row it is about.
type rowError struct {
	row int // its index
	err error
}

func (e *rowError) Error() string { return e.err.Error() }
func (e *rowError) Unwrap() error { return e.err }

// fewRows is how many rows are put in at once where the last ones were refused.
const fewRows = 16

// each puts rows in, and hands those that the database refuses to park. Where it
// does not say which row that is, it is given a half of them at a time. After a
// refusal it is given fewer, and more again as they pass: what it is given beyond
// a refused row is for nothing.
func each[R any](w *writer, rows []R, put func([]R) error, park func(R, error) error) error {
	for n := len(rows); len(rows) > 0; {
		some := rows[:min(n, len(rows))]
		err := w.tx.attempt(w.ctx, func() error { return put(some) })
		if err == nil {
			rows, n = rows[len(some):], 4*n
			continue
		}
		var about *rowError
		known := errors.As(err, &about) && about.row < len(some)
		switch {
		case !w.isRefusal(err) || w.db.sort(err) == unclear && w.tx.attempt(w.ctx, func() error { return put(nil) }) != nil:
			return err // no row is to blame: without any it is the same
		case known && about.row > 0:
			n = about.row // they pass, and the next is the refused one
		case known || len(some) == 1:
			if err := park(some[0], err); err != nil {
				return err
			}
			rows, n = rows[1:], max(n, fewRows)
		default:
			n = len(some) / 2
		}
	}
	return nil
}

// park keeps a row for later: that of the number and position of c.
func (w *writer) park(t *table, c closing, content string, why error) error {
	if w.refusals++; w.refusals > maxRefusals && !w.few {
		return &manyRefusedError{why}
	}
	p := Parked{Table: t.name, Number: c.number, Entry: c.at.Entry, Line: c.at.Line, Reason: why.Error(), content: content}
	if err := w.tx.park(w.ctx, p, w.to.Entry); err != nil && w.db.sort(err) == away {
		return err
	} else if err != nil {
		return fmt.Errorf("row %d of %s (position %s) is refused: %w; and it cannot be parked: %w. Try: let the sink's user write to the table parked", c.number, t.name, c.at, why, err)
	}
	return nil
}

// retry puts the parked rows in, as they stand by now.
func (w *writer) retry() error {
	parked, err := w.tx.parked(w.ctx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		var again [][]any
		for _, p := range parked {
			if p.Table != t.name {
				continue
			}
			if row := w.row(t, p.Number); row != nil {
				again = append(again, row)
			}
		}
		if err := w.again(t, again); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) again(t *table, again [][]any) error {
	return each(w, again, func(rows [][]any) error {
		numbers := make([]int64, len(rows))
		for i, row := range rows {
			numbers[i] = row[0].(int64)
		}
		// One whose taking out was refused stands there as it was.
		if err := w.tx.remove(w.ctx, t, numbers); err != nil {
			return err
		}
		if err := w.tx.insert(w.ctx, t, rows); err != nil {
			return err
		}
		return w.tx.unpark(w.ctx, t.name, numbers)
	}, func([]any, error) error { return nil }) // it stays parked
}
