package main

import (
	"encoding/json"
	"slices"

	"roznamcha/domain"
	"roznamcha/projections"
)

// foreseen is what the ledger holds, and what it would hold with one line more.
type foreseen struct {
	record     domain.RecordName
	totals     *projections.Totals
	amendments *projections.Amendments
	history    *projections.History
	// data are those of the record's latest version, as they were written.
	data []byte
	last uint64 // the last entry
	// tie is the link that is amended.
	tie projections.Tie
	// says is what is to be told of the records that are tied.
	says []string
	done bool // the line more is in; what comes after is not looked at
}

func newForeseen(a *amending) *foreseen {
	return &foreseen{
		record: a.record, totals: projections.NewTotals(), amendments: projections.NewAmendments(), history: projections.NewHistory(a.record),
		tie: projections.Tie{From: a.record, To: a.other},
	}
}

// stands says that a link, its end or a match is there already, so that recording
// it would add nothing; "" where it is not.
func (f *foreseen) stands(reg *domain.Register, a *amending) string {
	switch one, other := a.record.String(), a.other.String(); a.action {
	case "link":
		if f.tie.Recorded {
			return one + " is linked to " + other + " already"
		}
	case "unlink":
		if !f.tie.Recorded && !f.tie.Own {
			return one + " is not linked to " + other
		}
	case "match":
		first, ok := reg.Lookup(a.record)
		second, there := reg.Lookup(a.other)
		if ok && there && f.totals.Matched(first.ID, second.ID) {
			return one + " and " + other + " are matched already"
		}
	}
	return ""
}

// counting says which of two records counts from now on, as foreseen.
func (f *foreseen) counting(reg *domain.Register, a *amending) []string {
	record, _ := reg.Lookup(a.record)
	counts := "no record of this action counts: all are retracted"
	if one := f.totals.Counting(record.ID); one != domain.NoRecord {
		counts = reg.Record(one).Name.String() + " counts from now on, the other does not"
		if name := reg.Record(one).Name; name != a.record && name != a.other {
			counts = name.String() + ", which one of them is matched with, counts on; neither of them does"
		}
	}
	return []string{counts, "a match cannot be taken back"}
}

// apply folds one ruling of the ledger in.
func (f *foreseen) apply(r *domain.Ruled) {
	if f.done {
		return
	}
	f.last = r.Position.Entry
	f.fold(r)
	f.tie.Apply(r)
	if r.Verdict == domain.Accepted && r.Fact != nil && r.Name == f.record {
		f.data = dataAsWritten(r)
	}
}

func (f *foreseen) fold(r *domain.Ruled) {
	f.totals.Apply(r)
	f.amendments.Apply(r)
	f.history.Apply(r)
}

// dataAsWritten is what a line gives a record as its data, with the members
// that the rules do not know.
func dataAsWritten(r *domain.Ruled) []byte {
	var line struct {
		Data json.RawMessage `json:"data"`
	}
	var correction struct {
		Replacement json.RawMessage `json:"replacement"`
	}
	err := json.Unmarshal([]byte(r.Line), &line)
	if err == nil && r.Change != domain.Created {
		err = json.Unmarshal(line.Data, &correction)
		line.Data = correction.Replacement
	}
	if err != nil {
		return domain.AppendData(nil, r.Fact)
	}
	return line.Data
}

// foresee folds line in as if it stood in the next entry; the error is its
// refusal. What is recorded after is not seen any more.
func (f *foreseen) foresee(reg *domain.Register, line []byte) (err error) {
	f.done = true
	reg.Check(domain.Entry{Subject: domain.EntrySubject, Payload: line}, func(r *domain.Ruled) {
		if err = r.Err(); err == nil {
			r.Position = domain.Position{Entry: f.last + 1, Line: 1}
			f.fold(r)
		}
	})
	return refusal(err)
}

// changed are the cells of the totals that the line changes, of the measures that
// it is about, and what they do not say. Nil where they cannot be added up: that
// is no reason not to put it right.
func (f *foreseen) changed(a *amending) (d *projections.Difference, unsaid string) {
	moved := f.totals.MovedAt(domain.Position{Entry: f.last + 1, Line: 1})
	switch {
	case a.record.Kind == domain.TypeAgencySucceeded.Kind() && !a.ties(): // it moves whatever its agencies did
		moved = projections.Moved{Query: projections.Query{By: []projections.Dimension{projections.Agency, projections.Successor}}}
	case len(moved.Query.Columns) == 0:
		nothing := &projections.Table{By: []projections.Dimension{}}
		return &projections.Difference{Before: nothing, After: nothing}, ""
	}
	q := moved.Query
	if a.by != "" {
		q.By, q.Period = a.dimensions, domain.Period{}
	}
	d, err := f.totals.Diff(q, f.amendments, f.last, f.last+1)
	if err != nil {
		return nil, "what changes in the totals cannot be told: " + err.Error()
	}
	d.Cells = slices.DeleteFunc(d.Cells, func(c projections.CellChange) bool { return c.Was == c.Is })
	switch {
	case len(d.Cells) == 0 && a.by != "" && !moved.Query.Period.IsZero():
		unsaid = "by " + a.by + " nothing changes, by day it does. Try: without --by"
	case len(d.Cells) == 0 && a.by != "" && len(moved.Query.By) > 0:
		unsaid = "by " + a.by + " nothing changes. Try: without --by"
	case moved.Reported:
		unsaid = "when it was reported changes too, and is not shown"
	}
	return d, unsaid
}
