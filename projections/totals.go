package projections

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"roznamcha/domain"
)

// Totals is what the ledger's records add up to, at every entry and for every
// period. It takes about 40 bytes a fact, and as much again for one that was
// amended.
type Totals struct {
	rows  rows
	cells *cells
	spans *spans

	// latest is the row that holds the latest version of each record. It is
	// open while the record counts.
	latest column
	// copied are the rows that a record took up again without a new version, in
	// their order.
	copied []copiedRow
	// groups are the records that were matched, by each of them, and matches
	// how they came to be.
	groups      map[domain.RecordID]*group
	matches     []matchedPair
	successions successions
	parties     map[string][]domain.Day // of the successions that hold now

	// opened says how the ledger was opened; its strings are copies.
	opened domain.LedgerOpened
	// last is the entry of the last ruling, recorded when.
	last     uint64
	recorded time.Time

	fact fact // the one at hand
}

// copiedRow is a row that says again what the row of a version says.
type copiedRow struct{ row, version uint32 }

// NewTotals is the totals of no entry.
func NewTotals() *Totals {
	return &Totals{
		cells:  newCells(),
		spans:  newSpans(),
		groups: make(map[domain.RecordID]*group),
	}
}

// Apply folds one ruling in. Only what was accepted changes a total.
func (t *Totals) Apply(r *domain.Ruled) {
	t.last, t.recorded = r.Position.Entry, r.Recorded
	if r.Verdict != domain.Accepted {
		return
	}
	place := r.Position.Place()
	switch fact := r.Fact.(type) {
	case *domain.LedgerOpened:
		t.open(fact)
		return
	case *domain.AgencySucceeded:
		effective, _ := fact.Effective.Days(t.spans.zone)
		t.successions.apply(r, fact, effective)
		t.resettle(place)
		return
	}
	switch r.Change {
	case domain.Created, domain.Corrected, domain.Reinstated:
		if t.fact.read(r.Fact, r.Name.Diary) {
			t.stand(r.Record, place, r.Change)
		}
	case domain.Retracted:
		if t.successions.close(r.Record, place) {
			t.resettle(place)
		}
		t.retract(r.Record, place)
	case domain.Matched:
		t.match(r.Record, r.SameAs, place)
	}
}

// open takes down whose nationals are national, and whose days count.
func (t *Totals) open(o *domain.LedgerOpened) {
	t.opened = domain.LedgerOpened{
		Name:        strings.Clone(o.Name),
		HomeCountry: domain.Country(strings.Clone(string(o.HomeCountry))),
		Zone:        strings.Clone(o.Zone),
		Rules:       o.Rules,
	}
	t.cells.home = t.opened.HomeCountry
	t.spans.zone = t.opened.Location()
}

// stand makes the fact at hand what a record says from place on.
func (t *Totals) stand(record domain.RecordID, place domain.Place, change domain.Change) {
	occurred := t.spans.number(t.fact.happened)
	if t.straddles(t.fact.own, t.spans.all[occurred]) {
		t.fact.texts[Agency] = ""
	}
	r := row{
		cell:      t.cells.number(&t.fact),
		occurred:  occurred,
		reported:  t.spans.number(t.fact.reported),
		record:    record,
		quantity:  t.fact.quantity,
		qualifier: t.fact.qualifier,
		opened:    place,
		closed:    open,
	}
	if change == domain.Created {
		t.latest.set(record, t.rows.add(r))
		return
	}
	g := t.groups[record]
	if g != nil && g.counting != record {
		r.closed = place // kept, and never seen
	} else if change == domain.Corrected {
		t.rows.close(t.latest.get(record), place)
	}
	t.latest.set(record, t.rows.add(r))
	if g != nil && change == domain.Reinstated {
		g.member(record).retracted = false
		t.recount(g, place)
	}
}

// retract takes a record out from place on.
func (t *Totals) retract(record domain.RecordID, place domain.Place) {
	n := t.latest.get(record)
	if n == noRow {
		return // it never added to a total
	}
	g := t.groups[record]
	if g == nil {
		t.rows.close(n, place)
		return
	}
	g.member(record).retracted = true
	t.recount(g, place)
}

// takeUp lets a record count again from place on, with the version that it has.
func (t *Totals) takeUp(record domain.RecordID, place domain.Place) {
	n := t.latest.get(record)
	r := t.rows.at(n)
	if r.opened == place { // it came to stand at this very place
		t.rows.close(n, open)
		return
	}
	version := t.versionOf(n)
	r.opened, r.closed = place, open
	n = t.rows.add(r)
	t.copied = append(t.copied, copiedRow{n, version})
	t.latest.set(record, n)
}

// versionOf is the row that holds the version which row n says: n itself, unless
// it is copied.
func (t *Totals) versionOf(n uint32) uint32 {
	i, ok := slices.BinarySearchFunc(t.copied, n, func(c copiedRow, n uint32) int { return cmp.Compare(c.row, n) })
	if ok {
		return t.copied[i].version
	}
	return n
}

// Opened says how the ledger was opened; the zero value before that.
func (t *Totals) Opened() domain.LedgerOpened { return t.opened }

// Zone is the ledger's zone, UTC before the opening.
func (t *Totals) Zone() *time.Location { return t.spans.zone }

// occurring are the measures that there are or were facts of, and the classes
// of the arrests among them.
func (t *Totals) occurring() (measures []Measure, classes []string) {
	for i := range t.cells.all {
		c := &t.cells.all[i]
		if !slices.Contains(measures, c.measure) {
			measures = append(measures, c.measure)
		}
		if c.measure != Arrests {
			continue
		}
		class := domain.NotGiven
		for _, n := range t.cells.of(uint32(i), Class) {
			class = t.cells.values[Class].texts[n]
		}
		if !slices.Contains(classes, class) {
			classes = append(classes, class)
		}
	}
	return measures, classes
}
