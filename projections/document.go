package projections

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"roznamcha/domain"
)

// Publication is a table of totals that was published: what was asked, as known
// at which entry, and what came of it.
type Publication struct {
	// Query is the question. Its columns are given, and AsOf is Entry.
	Query Query
	Entry uint64
	// State is the state hash after Entry and Table the hash of the printed cells,
	// in hexadecimal.
	State, Table string
}

// PublicationOf is what publishing t, which q asked for, says of it.
func PublicationOf(q Query, t *Table) Publication {
	q.AsOf = t.Citation.Entry
	return Publication{q, t.Citation.Entry, t.Citation.State, t.Citation.Table}
}

// SameAs tells whether two publications are of the same question and the same
// printed cells, if not of the same entry.
func (p Publication) SameAs(other Publication) bool {
	p.Entry, p.State = other.Entry, other.State
	return p.Locator() == other.Locator()
}

// Locator writes p on one line, as the locator of the document that its figures
// stand in: "totals?columns=raids,arrests&by=city&entry=7&state=…&table=…". It is
// a relative reference (RFC 3986) whose query says columns, by, where, period,
// clock and year-starts as the command totals takes them, each where it is
// given.
func (p Publication) Locator() string {
	columns := make([]string, len(p.Query.Columns))
	for i, c := range p.Query.Columns {
		columns[i] = c.String()
	}
	by := make([]string, len(p.Query.By))
	for i, d := range p.Query.By {
		by[i] = d.String()
	}
	locator := "totals?columns=" + escape(strings.Join(columns, ","))
	add := func(name, value string) {
		if value != "" {
			locator += "&" + name + "=" + escape(value)
		}
	}
	add("by", strings.Join(by, ","))
	add("where", formatFilters(p.Query.Where))
	add("period", p.Query.Period.String())
	if p.Query.Clock != Occurred {
		add("clock", p.Query.Clock.String())
	}
	if p.Query.YearStarts > time.January {
		add("year-starts", strconv.Itoa(int(p.Query.YearStarts)))
	}
	add("entry", strconv.FormatUint(p.Entry, 10))
	add("state", p.State)
	add("table", p.Table)
	return locator
}

// escape leaves what a person can read, and what url.ParseQuery reads back.
var escape = strings.NewReplacer("%", "%25", "&", "%26", "+", "%2B", ";", "%3B", "#", "%23", " ", "%20").Replace

var errNoPublication = errors.New("the locator is that of no published table")

// ParsePublication reads what Locator has written.
func ParsePublication(locator string) (p Publication, err error) {
	text, ok := strings.CutPrefix(locator, "totals?")
	values, err := url.ParseQuery(text)
	if !ok || err != nil {
		return p, errNoPublication
	}
	steps := []func(string) error{
		func(s string) (err error) { p.Query.Columns, err = ParseColumns(s); return err },
		func(s string) (err error) { p.Query.By, err = ParseDimensions(s); return err },
		func(s string) (err error) { p.Query.Where, err = ParseFilters(s); return err },
		func(s string) (err error) { p.Query.Period, err = domain.ParsePeriod(s); return err },
		func(s string) (err error) { p.Query.Clock, err = ParseClock(s); return err },
		func(s string) (err error) { p.Query.YearStarts, err = parseMonth(s); return err },
		func(s string) (err error) { p.Entry, err = strconv.ParseUint(s, 10, 54); return err },
	}
	for i, name := range []string{"columns", "by", "where", "period", "clock", "year-starts", "entry"} {
		if value := values.Get(name); value != "" {
			if err := steps[i](value); err != nil {
				return p, fmt.Errorf("%w: %w", errNoPublication, err)
			}
		}
	}
	p.State, p.Table = values.Get("state"), values.Get("table")
	p.Query.AsOf = p.Entry
	if hash, err := hex.DecodeString(p.Table); err != nil || len(hash) != 32 || p.Entry == 0 || len(p.Query.Columns) == 0 {
		return p, errNoPublication
	}
	return p, nil
}

func parseMonth(s string) (time.Month, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 12 {
		return 0, fmt.Errorf("%q is no month", clip(s))
	}
	return time.Month(n), nil
}

// Documents are the documents that the ledger's claims stand in, by name.
type Documents struct{ all map[string]*Document }

// Document is one of them.
type Document struct {
	Ref string
	// Position is that of its first claim.
	Position domain.Position
	// Figures is how many claims of it there are.
	Figures int
	// Published says when, as the claims do.
	Published domain.Period
	// Publication is the table that the ledger's office published as Ref; nil
	// for what somebody else published.
	Publication *Publication
}

// Entry is the entry as known at which the document was made: that of its table,
// or else that of its first claim.
func (d *Document) Entry() uint64 {
	if d.Publication != nil {
		return d.Publication.Entry
	}
	return d.Position.Entry
}

// NewDocuments is the documents of no entry.
func NewDocuments() *Documents { return &Documents{all: make(map[string]*Document)} }

// Apply folds one ruling in. What the office publishes as a table goes before
// what anybody else says to be in a document of that name.
func (d *Documents) Apply(r *domain.Ruled) {
	claim, ok := r.Fact.(*domain.FigurePublished)
	if !ok || r.Verdict != domain.Accepted || claim.Document.Ref == "" {
		return
	}
	var publication *Publication
	if r.Event.Source == domain.Office {
		p, err := ParsePublication(strings.Clone(claim.Document.Locator)) // the entry's memory is not ours
		if err == nil && p.Entry < r.Position.Entry {
			publication = &p
		}
	}
	found := d.all[claim.Document.Ref]
	if found == nil || found.Publication == nil && publication != nil {
		found = &Document{Ref: strings.Clone(claim.Document.Ref), Position: r.Position, Published: claim.Published, Publication: publication}
		d.all[found.Ref] = found
	}
	if (publication == nil) == (found.Publication == nil) {
		found.Figures++
	}
}

// Find is the document called ref; nil where no claim names it.
func (d *Documents) Find(ref string) *Document { return d.all[ref] }
