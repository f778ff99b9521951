package projections

import (
	"cmp"
	"iter"
	"slices"

	"roznamcha/domain"
)

// ExceptionQuery is a question to the exceptions.
type ExceptionQuery struct {
	// AsOf is the entry as known at which they are; 0 is the last.
	AsOf uint64
	// During selects those about a fact that lies wholly inside it; the zero
	// During selects all. The fact is that of Exception.Record, as known then.
	During During
	// Unplaced selects instead those about a fact without a date or partly
	// inside, and those about no fact: refused and unrecognised lines, gaps.
	Unplaced bool
	// Settled selects those that stood and do no more, instead of those that
	// stand.
	Settled bool
}

// Standing are the exceptions that stood as known at an entry, 0 for now, in
// the order in which they were raised.
func (x *Exceptions) Standing(asOf uint64) iter.Seq[Exception] {
	return x.Find(ExceptionQuery{AsOf: asOf})
}

// Find is the exceptions that q selects, in the order in which they were
// raised.
func (x *Exceptions) Find(q ExceptionQuery) iter.Seq[Exception] {
	want := Inside
	if q.Unplaced {
		want = Unplaced
	}
	return func(yield func(Exception) bool) {
		for i := range x.rows {
			row := &x.rows[i]
			if row.seen(q.AsOf) && row.stands(q.AsOf) != q.Settled && x.placing(row, q) == want && !yield(x.exception(row, q.AsOf)) {
				return
			}
		}
	}
}

// seen tells whether r was ever to be seen up to an entry, 0 for the last. One
// that was settled within its own entry was not.
func (r *exceptionRow) seen(asOf uint64) bool {
	return (r.settled == 0 || r.settled.Entry() > r.opened.Entry()) && (asOf == 0 || r.opened.Entry() <= asOf)
}

// stands tells whether r stood as known at an entry, at which it was seen.
func (r *exceptionRow) stands(asOf uint64) bool {
	return r.settled == 0 || asOf != 0 && r.settled.Entry() > asOf
}

// placing is where the fact that an exception is about lies to q's period.
func (x *Exceptions) placing(row *exceptionRow, q ExceptionQuery) Placing {
	if q.During.IsZero() {
		return Inside
	}
	switch row.kind {
	case RefusedLine, UnrecognisedLine, SequenceGap:
		return Unplaced
	}
	date := x.dates.at(row.record, q.AsOf)
	return q.During.place(x.dates.spans.all[date[q.During.Clock]], x.zone)
}

// exception is row in full, as known at an entry.
func (x *Exceptions) exception(row *exceptionRow, asOf uint64) Exception {
	e := Exception{
		Kind:   row.kind,
		Opened: row.opened.Position(),
		Record: x.names.name(row.record),
		Lines:  int(row.lines),
		Detail: x.details[row.detail],
	}
	if !row.stands(asOf) {
		e.Settled = row.settled.Position()
	}
	switch row.kind {
	case RefusedLine:
		e.Code = domain.CodeInfos[row.code].Code
	case SequenceGap:
		e.Detail = x.missing(row.link, asOf)
		return e
	}
	e.Link = x.names.name(row.link)
	return e
}

// ExceptionCount is how many exceptions there are of a kind and, for refused
// lines, a code.
type ExceptionCount struct {
	Kind ExceptionKind `json:"kind"`
	Code domain.Code   `json:"code,omitempty"`
	// Standing are those that stand, Settled those that did and do no more.
	Standing int `json:"standing"`
	Settled  int `json:"settled"`
	// Unplaced are those that stand and may be of the period that was asked
	// about: they are in none of the other numbers.
	Unplaced int `json:"unplaced,omitempty"`
	// Lines is how many lines were refused, those of the same submissions too.
	Lines int `json:"lines,omitempty"`
	// First is the position of the first that stands, or else that stood; zero
	// where all are unplaced.
	First domain.Position `json:"first,omitzero"`
}

// Counts are the exceptions as known at an entry, 0 for now, by kind and code.
func (x *Exceptions) Counts(asOf uint64) []ExceptionCount {
	return x.Count(ExceptionQuery{AsOf: asOf})
}

// Count is the exceptions of q's period as known then, by kind and code,
// whether they stand or not.
func (x *Exceptions) Count(q ExceptionQuery) []ExceptionCount {
	counts := make(map[exceptionSort]*ExceptionCount)
	for i := range x.rows {
		row := &x.rows[i]
		placing := x.placing(row, q)
		stands := row.stands(q.AsOf)
		if !row.seen(q.AsOf) || placing == Outside || placing == Unplaced && !stands {
			continue
		}
		c := counts[row.exceptionSort]
		if c == nil {
			c = &ExceptionCount{Kind: row.kind}
			if row.kind == RefusedLine {
				c.Code = domain.CodeInfos[row.code].Code
			}
			counts[row.exceptionSort] = c
		}
		c.add(row, placing, stands)
	}
	list := make([]ExceptionCount, 0, len(counts))
	for _, c := range counts {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b ExceptionCount) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(x.codes[a.Code], x.codes[b.Code]))
	})
	return list
}

// add counts one.
func (c *ExceptionCount) add(row *exceptionRow, placing Placing, stands bool) {
	switch {
	case placing == Unplaced:
		c.Unplaced++
	case stands:
		if c.Standing++; c.Standing == 1 {
			c.First = row.opened.Position()
		}
		c.Lines += int(row.lines)
	default:
		if c.Settled++; c.Settled == 1 && c.Standing == 0 {
			c.First = row.opened.Position()
		}
	}
}
