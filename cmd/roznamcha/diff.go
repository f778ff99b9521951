package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

func (p *program) diffCommand() *cobra.Command {
	var q question
	var wait atLeast
	var csv bool
	cmd := &cobra.Command{
		Use:   "diff A..B [COLUMN…]",
		Short: "Show every number that changed between two moments, and why",
		Long: `Show every cell of a table that changed between two moments, and what changed
it: new facts, corrections, retractions, matches and successions (made,
corrected, undone, redone), with the positions of the events, and for amendments
their reason and authority. What a cell was and its changes add up to what it
is. A change counts where the fact stood when it was made: who answers today is
asked of each moment.

A and B are an entry, a day or a time, as for --as-of, or a document: the moment
as known at which it was made. B is now where it is left out. Columns, --by,
--where and the period are those of totals; each of them that is not given is
that of the document, where A or else B is one that totals --publish has made.`,
		Example: `  roznamcha diff 2..4
  roznamcha diff 2.. --by city
  roznamcha diff 2..4 arrests --by city,class --json
  roznamcha diff 'return of June 2025..'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.oneFormat(csv); err != nil {
				return err
			}
			query, err := q.parse(args[1:])
			if err != nil {
				return err
			}
			if err := wait.parse(cmd); err != nil {
				return err
			}
			from, to, err := parseMoments(args[0])
			if err != nil {
				return &wrongUse{err}
			}
			return p.withLedgerThatHas(cmd.Context(), &wait, func(ctx context.Context, l *eventstore.Ledger) error {
				ask := func(was projections.Query) projections.Query { return q.over(was, query, cmd.Flags().Changed) }
				return p.diff(ctx, l, query, ask, from, to, csv)
			})
		},
	}
	q.flags(cmd)
	wait.flags(cmd, answerAtLeast)
	cmd.Flags().BoolVar(&csv, "csv", false, "print CSV")
	return cmd
}

// diffMoment is one end of a diff: a moment, or a document that was made at one.
type diffMoment struct {
	lastKnown
	document string // "" for a moment
}

// parseMoments reads "A..B" or "A..".
func parseMoments(s string) (from, to *diffMoment, err error) {
	a, b, ok := strings.Cut(s, "..")
	if !ok || a == "" {
		return from, to, fmt.Errorf("%q: want two moments. Try: 2..4, 2.. or 2025-06-30..2025-07-31, or a document in the place of one", s)
	}
	return parseDiffMoment(a), parseDiffMoment(b), nil
}

// parseDiffMoment reads a moment; what is none is the name of a document.
func parseDiffMoment(s string) *diffMoment {
	as, err := projections.ParseAsOf(s)
	if err != nil {
		return &diffMoment{document: s, lastKnown: lastKnown{keep: true}}
	}
	return &diffMoment{lastKnown: lastKnown{as: as}}
}

// find looks a document up, and what it was asked, where it is one.
func (m *diffMoment) find(documents *projections.Documents) (*projections.Publication, error) {
	if m.document == "" {
		return nil, nil
	}
	found := documents.Find(m.document)
	if found == nil {
		return nil, fmt.Errorf("%q is no moment, and no claim of the ledger stands in a document of that name. Try: an entry, a day, a time with its offset, or the name of a document as it was published", m.document)
	}
	m.entry = found.Entry() // which comes before the claim that was read
	m.place = m.places[m.entry-1]
	if was, is := found.Publication, m.stateText(); was != nil && was.State != is {
		return nil, fmt.Errorf("%q is no moment of this ledger: as known at entry %d it had state %s, this ledger gives state %s. Try: roznamcha status, which tells whether the ledger is whole", m.document, m.entry, was.State, is)
	}
	return found.Publication, nil
}

// over is a published question with what was typed in the place of its parts.
func (q *question) over(was, typed projections.Query, changed func(flag string) bool) projections.Query {
	if len(typed.Columns) > 0 {
		was.Columns = typed.Columns
	}
	if changed("by") {
		was.By = typed.By
	}
	if changed("where") {
		was.Where = typed.Where
	}
	if changed("period") || changed("from") || changed("to") {
		was.Period = typed.Period
	}
	if changed("clock") {
		was.Clock = typed.Clock
	}
	if changed("year-starts") {
		was.YearStarts = typed.YearStarts
	}
	return was
}

// diff compares two moments; ask gives the question where one is a document that
// was published with one.
func (p *program) diff(ctx context.Context, l *eventstore.Ledger, q projections.Query, ask func(projections.Query) projections.Query, from, to *diffMoment, csv bool) error {
	totals, amendments, documents := projections.NewTotals(), projections.NewAmendments(), projections.NewDocuments()
	until := to.as
	if from.as.Entry() == 0 { // what it is, or which document, may come after that
		until = projections.AsOf{}
	}
	reg, stats, err := p.replay(ctx, l, until, totals, amendments, documents, &from.lastKnown, &to.lastKnown)
	if err != nil {
		return err
	}
	was, err := from.find(documents)
	if err != nil {
		return err
	}
	is, err := to.find(documents)
	if err != nil {
		return err
	}
	if published := cmp.Or(was, is); published != nil {
		q = ask(published.Query)
	}
	for _, m := range []*diffMoment{from, to} {
		if m.as.Entry() > stats.Entries && until.IsZero() {
			return fmt.Errorf("as of entry %d: the ledger ends at entry %d. Try: an entry up to that, or a day", m.as.Entry(), stats.Entries)
		}
	}
	if from.as.Entry() > stats.Entries {
		from.entry = from.as.Entry() // which comes after the other one
	}
	for _, m := range []*diffMoment{from, to} {
		if m.entry == 0 {
			return fmt.Errorf("at %s nothing was recorded yet. Try: an entry from 1 to %d, or a later time", m.as, stats.Entries)
		}
	}
	changed, err := totals.Diff(q, amendments, from.entry, to.entry)
	if err != nil {
		return err
	}
	from.cite(&changed.Before.Citation)
	to.cite(&changed.After.Citation)
	p.note("%s", replayLine(stats))
	d := difference{changed, totals, amendments, reg}
	switch {
	case p.json:
		return print.JSON(p.out, d.json())
	case csv:
		return print.CSV(p.out, diffHead, d.csv())
	}
	return p.printDifference(d)
}

// lastKnown is a projection that finds the last entry that was known at a moment.
type lastKnown struct {
	as    projections.AsOf
	entry uint64
	place placeKnown // of entry
	// places are those of all entries, where which it is turns out later.
	keep   bool
	places []placeKnown
}

// placeKnown is when an entry was recorded, and the state hash after it.
type placeKnown struct {
	recorded int64
	state    [sha256.Size]byte
}

// Apply does nothing: what it looks at is the register.
func (m *lastKnown) Apply(*domain.Ruled) {}

// Look looks at the register after each entry.
func (m *lastKnown) Look(reg *domain.Register) {
	now := placeKnown{reg.Recorded().UnixNano(), reg.Hash()}
	if m.keep {
		m.places = append(m.places, now)
	}
	if m.as.Knows(reg.Last(), reg.Recorded(), reg.Zone()) {
		m.entry, m.place = reg.Last(), now
	}
}

// stateText is the state hash in hexadecimal.
func (m *lastKnown) stateText() string { return hex.EncodeToString(m.place.state[:]) }

// cite adds what is known of the moment to the citation of its table.
func (m *lastKnown) cite(c *projections.Citation) {
	c.Recorded, c.State = time.Unix(0, m.place.recorded).UTC(), m.stateText()
}

// difference is what is printed of a projections.Difference.
type difference struct {
	*projections.Difference
	totals     *projections.Totals
	amendments *projections.Amendments
	reg        *domain.Register
}

// changeJSON is a cell that changed, and what changed it.
type changeJSON struct {
	changedJSON
	Parts []changePartJSON `json:"parts"`
}

// changedJSON is a cell that changes.
type changedJSON struct {
	Row      string             `json:"row"`
	Labels   []string           `json:"labels,omitempty"`
	Column   projections.Column `json:"column"`
	Currency string             `json:"currency,omitempty"`
	Was      tallyJSON          `json:"was"`
	Is       tallyJSON          `json:"is"`
}

func newChangedJSON(c *projections.CellChange) changedJSON {
	was, is := wasAndIs(c)
	return changedJSON{c.Row, c.Labels, c.Column, c.Currency, was, is}
}

// tallyJSON is what facts add up to: a count, or a decimal string of an amount,
// null where it is not given; of how many facts, and how many of those are unknown, at least or about.
type tallyJSON struct {
	Value   any   `json:"value"`
	Facts   int64 `json:"facts"`
	Unknown int64 `json:"unknown,omitempty"`
	AtLeast int64 `json:"at_least,omitempty"`
	About   int64 `json:"about,omitempty"`
}

type changePartJSON struct {
	Kind   projections.ChangeKind `json:"kind"`
	Change tallyJSON              `json:"change"`
	Events int                    `json:"events"`
	// By are the events, Truncated where they are the first of them only.
	By        []changeEventJSON `json:"by"`
	Truncated bool              `json:"truncated,omitempty"`
}

// changeEventJSON is an event that changed a cell. Reason, authority, record and
// diary are those of an amendment; predecessor and successor those that a
// succession names, or named until it was undone.
type changeEventJSON struct {
	Position    domain.Position `json:"position"`
	Record      string          `json:"record,omitempty"`
	SameAs      string          `json:"same_as,omitempty"`
	Reason      domain.Reason   `json:"reason,omitempty"`
	Authority   string          `json:"authority,omitempty"`
	Source      string          `json:"source,omitempty"`
	Predecessor string          `json:"predecessor,omitempty"`
	Successor   string          `json:"successor,omitempty"`
}

func (d *difference) json() any {
	cells := make([]changeJSON, len(d.Cells))
	for i, c := range d.Cells {
		out := changeJSON{changedJSON: newChangedJSON(&c)}
		for _, part := range c.Parts {
			p := changePartJSON{Kind: part.Kind, Change: tallyOf(part.Change, c.Currency), Events: part.Events, Truncated: part.Events > len(part.Positions)}
			for _, at := range part.Positions {
				p.By = append(p.By, d.event(part.Kind, at))
			}
			out.Parts = append(out.Parts, p)
		}
		cells[i] = out
	}
	return struct {
		Asked  *askedJSON           `json:"asked"`
		Before projections.Citation `json:"before"`
		After  projections.Citation `json:"after"`
		Cells  []changeJSON         `json:"cells"`
		Notes  []string             `json:"notes,omitempty"`
	}{askedOf(d.After), d.Before.Citation, d.After.Citation, cells, d.Notes()}
}

// askedJSON is the question to a table, as totals says it.
type askedJSON struct {
	Columns    []projections.Column    `json:"columns"`
	By         []projections.Dimension `json:"by"`
	Where      []projections.Filter    `json:"where,omitempty"`
	Period     string                  `json:"period,omitempty"`
	Clock      projections.Clock       `json:"clock"`
	Zone       string                  `json:"zone"`
	YearStarts int                     `json:"year_starts,omitempty"`
}

func askedOf(t *projections.Table) *askedJSON {
	asked := &askedJSON{By: t.By, Where: t.Where, Period: t.Period, Clock: t.Clock, Zone: t.Zone, YearStarts: t.YearStarts}
	for i, c := range t.Columns {
		if i == 0 || c.Column.String() != t.Columns[i-1].Column.String() { // of an amount there is one for each currency
			asked.Columns = append(asked.Columns, c.Column)
		}
	}
	return asked
}

// event is the event at a position that made a change of a kind.
func (d *difference) event(kind projections.ChangeKind, at domain.Position) changeEventJSON {
	made := d.amendments.At(at)
	out := changeEventJSON{Position: at, Reason: made.Reason, Authority: made.Authority, Source: made.Source}
	record := made.Record
	if kind.IsSuccession() {
		s, _ := d.totals.SuccessionAt(at)
		record, out.Predecessor, out.Successor = s.Record, s.Predecessor, s.Successor
	}
	if record != domain.NoRecord {
		out.Record = d.reg.Record(record).Name.String()
	}
	if kind == projections.Match {
		out.SameAs = d.reg.Record(made.SameAs).Name.String()
	}
	return out
}

// says is what an event did to a cell, for a person.
func (e *changeEventJSON) says(kind projections.ChangeKind) string {
	line := e.Position.String() + " " + why(kind.String(), e.Reason, e.Authority)
	if kind.IsSuccession() && kind != projections.SuccessionUndone {
		mark := "; "
		if kind == projections.Succession {
			mark = ": "
		}
		line += mark + e.Predecessor + " → " + e.Successor
	}
	switch {
	case e.SameAs != "":
		line += " (" + e.Record + " is " + e.SameAs + ")"
	case e.Record != "":
		line += " (" + e.Record + ")"
	}
	return line
}

// wasAndIs are the numbers of a cell in the two tables.
func wasAndIs(c *projections.CellChange) (was, is tallyJSON) {
	was, is = tallyOf(c.Was, c.Currency), tallyOf(c.Is, c.Currency)
	if !c.WasGiven {
		was.Value = nil
	}
	if !c.IsGiven {
		is.Value = nil
	}
	return was, is
}

func tallyOf(t projections.Tally, currency string) tallyJSON {
	out := tallyJSON{Value: t.Value, Facts: t.Facts, Unknown: t.Unknown, AtLeast: t.AtLeast, About: t.About}
	if currency != "" {
		out.Value = domain.FormatMinor(t.Value, domain.Currency(currency).Decimals())
	}
	return out
}

var diffHead = slices.Concat(
	[]string{"row", "labels", "column", "currency"}, tallyHead("was"), tallyHead("is"),
	[]string{"kind"}, tallyHead("change"),
	[]string{"events", "position", "record", "same_as", "reason", "authority", "source", "predecessor", "successor"})

// tallyHead heads the fields of a tally.
func tallyHead(of string) []string {
	return []string{of, of + "_facts", of + "_unknown", of + "_at_least", of + "_about"}
}

// fields are a tally's fields as CSV has them; the value is empty where it is not
// given.
func (t tallyJSON) fields() []string {
	value := ""
	if t.Value != nil {
		value = fmt.Sprint(t.Value)
	}
	return []string{value, fmt.Sprint(t.Facts), fmt.Sprint(t.Unknown), fmt.Sprint(t.AtLeast), fmt.Sprint(t.About)}
}

// csv has a line for every event of every cell. What the cell was and is stands on
// its first line alone, and what its events of a kind changed on the first of
// those: a column adds up to what is true.
func (d *difference) csv() (lines [][]string) {
	blank := make([]string, len(tallyHead("")))
	for _, c := range d.Cells {
		was, is := wasAndIs(&c)
		wasFields, isFields := was.fields(), is.fields()
		for _, part := range c.Parts {
			change, events := tallyOf(part.Change, c.Currency).fields(), fmt.Sprint(part.Events)
			for _, at := range part.Positions {
				e := d.event(part.Kind, at)
				lines = append(lines, slices.Concat(
					[]string{c.Row, strings.Join(c.Labels, " · "), c.Column.String(), c.Currency}, wasFields, isFields,
					[]string{part.Kind.String()}, change,
					[]string{events, at.String(), e.Record, e.SameAs, string(e.Reason), e.Authority, e.Source, e.Predecessor, e.Successor}))
				wasFields, isFields, change, events = blank, blank, blank, ""
			}
		}
	}
	return lines
}

// print prints it for a person: a row for each cell and kind of change, and one
// for each amendment.
func (p *program) printDifference(d difference) error {
	title := strings.TrimSuffix(d.Before.Title(), fmt.Sprintf("as known at entry %d", d.Before.Citation.Entry))
	if _, err := fmt.Fprintln(p.out, print.Clean(fmt.Sprintf("%sfrom entry %d to entry %d", title, d.Before.Citation.Entry, d.After.Citation.Entry))); err != nil {
		return err
	}
	if len(d.Cells) == 0 {
		_, err := fmt.Fprintf(p.out, "no cell changed\n%s\n", print.Clean(d.citation()))
		return err
	}
	grid := &print.Table{}
	for _, by := range d.After.By {
		grid.Columns = append(grid.Columns, print.Column{Head: by.String()})
	}
	if len(d.After.By) == 0 {
		grid.Columns = append(grid.Columns, print.Column{})
	}
	labels := len(grid.Columns)
	grid.Columns = append(grid.Columns, print.Column{Head: "column"}, print.Column{Head: "was", Number: true}, print.Column{Head: "is", Number: true},
		print.Column{Head: "change", Number: true}, print.Column{Head: "by"})
	for i := range d.Cells {
		grid.Rows = append(grid.Rows, d.rows(&d.Cells[i], labels)...)
	}
	if err := grid.Write(p.out); err != nil {
		return err
	}
	for _, line := range append(d.Notes(), d.citation()) {
		if _, err := fmt.Fprintln(p.out, print.Clean(line)); err != nil {
			return err
		}
	}
	return nil
}

// citation is that of the later table, and of the earlier one after it.
func (d *difference) citation() string {
	before := strings.TrimPrefix(d.Before.Citation.String(), "ledger "+d.Before.Citation.Ledger+" · ")
	return d.After.Citation.String() + " · since " + before
}

// rows are the rows of a cell: its own, with the first change, and one for each
// other change and for each amendment after the first of its kind.
func (d *difference) rows(c *projections.CellChange, labels int) (rows [][]string) {
	head, change := cellRow(c, labels)
	blank := make([]string, len(head))
	for _, part := range c.Parts {
		number := change(part.Change)
		for _, says := range d.says(&part) {
			rows = append(rows, append(head[:len(head):len(head)], number, says))
			head, number = blank, ""
		}
	}
	return rows
}

// cellRow is what stands before the changes of a cell: its labels, its column,
// what it was and is; and how its changes are written.
func cellRow(c *projections.CellChange, labels int) (head []string, change func(projections.Tally) string) {
	head = make([]string, labels)
	copy(head, projections.Row{Labels: c.Labels}.Texts())
	if c.Row != "row" {
		head[0] = c.Row
	}
	minor := domain.Currency(c.Currency).Decimals()
	shown := 0
	for _, t := range append([]projections.Tally{c.Was, c.Is}, changesOf(c)...) {
		if !t.Whole(minor) {
			shown = minor
		}
	}
	change = func(t projections.Tally) string { return t.ChangeText(minor, shown) }
	return append(head, c.Head(), c.WasText(minor, shown), c.IsText(minor, shown)), change
}

func changesOf(c *projections.CellChange) (list []projections.Tally) {
	for _, part := range c.Parts {
		list = append(list, part.Change)
	}
	return list
}

// says is what did it: new facts in one line, amendments in one each.
func (d *difference) says(part *projections.ChangePart) (lines []string) {
	if part.Kind == projections.NewFact {
		return []string{print.Plural(part.Events, "new fact") + ": " + positionsText(part)}
	}
	for i, at := range part.Positions {
		if i == mostAmendments {
			has := "them"
			if part.Events > len(part.Positions) {
				has = "the first " + print.Count(len(part.Positions))
			}
			return append(lines, fmt.Sprintf("… and %s more; --json has %s", print.Count(part.Events-i), has))
		}
		event := d.event(part.Kind, at)
		lines = append(lines, event.says(part.Kind))
	}
	return lines
}

// How much of a change a person is shown.
const (
	mostAmendments = 20
	mostPositions  = 5
)

// positionsText is the first positions of a change.
func positionsText(part *projections.ChangePart) string {
	var list []string
	for i, at := range part.Positions {
		if i == mostPositions {
			list = append(list, "…")
			break
		}
		list = append(list, at.String())
	}
	return strings.Join(list, " ")
}
