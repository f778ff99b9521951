package projections

import (
	"slices"
	"strings"

	"roznamcha/domain"
)

// Claims are the figures that were published: every accepted figure.published,
// to be held against the totals (Totals.Hold) and against one another. What
// follows is decided here and in the claim_*.go files.
//
// # A claim's interval
//
// A claim is an interval of whole numbers, minor units where it is money: exact
// is [v, v], at-least [v, ∞), at-most [0, v], and about is v rounded to its
// significant digits, half a unit of the last of them to both sides, but never
// less than 1: about 72,000,000 is 71,500,000 to 72,500,000, about 45 is 44 to
// 46. More than v has no word of its own: it is recorded as at-least v, which says
// less but nothing wrong, and its words are kept beside it.
//
// # The ledger's interval
//
// It begins with the sum of the facts of the claim's measure that have its
// dimensions (and currency) and lie wholly in its period. An at-least or unknown
// part opens it upwards, and an about part widens it to both sides as it does a
// claim. What may belong there widens it upwards: facts that are undated or only
// partly in the period, and those that lack a dimension of the claim or leave it
// open: who is said to be of unknown sex or class may be a woman, or national, and
// who is foreign a citizen of any country but the home country. (The tables go by
// the word.) Where the claim's period has an open end, nobody knows how much of
// the sum it speaks of, and the interval begins at 0.
//
// A claim of the ledger's own office is a cell of a table that was printed, so
// it is held against that cell: the plain sum, with nothing that may belong
// there besides; a period with an open end is as long as it says, and that of a
// table of all time holds what is undated; a cell that prints ≈ n is about n.
// Then is as known at the table's own entry, where its locator says which (see
// Publication). A dimension called clock, which a table by another clock has,
// says by which time facts are placed.
//
// # The verdict
//
//	short by, over by  the ledger has less, or more, whatever is the case: the
//	                   intervals have no number in common; by is what lies between
//	matches            the ledger's interval lies in that of an exact or about claim
//	bound holds        it lies in that of an at-least or at-most claim
//	not comparable     anything else, and why; also where all there is to the claim
//	                   is in another currency
//
// # Other claims
//
// Two claims of the same measure, dimensions and unit contradict each other
// where they speak of the same period and their intervals have no number in
// common. Periods of the same days are the same, but where an end is open only if
// publisher and document are. Where one value is exactly 10, 100 or 1,000 times
// the other, and the periods have days in common, it is told as a slip instead; of
// two different periods only where chance would not do it: two significant digits
// or more, and not the larger figure for the longer period. The same number for
// another period (other for certain, in an end that neither leaves open), or under
// another measure, contradicts nothing and is told: from 10 on, as small numbers
// meet by chance, and the periods must have days in common, or be the same.
// Between two claims of the ledger's office only contradictions are told: its
// tables overlap on purpose.
type Claims struct {
	all []Claim
	// made is how many synthetic facts of a measure that stand were made from a
	// document, and madeOf from what each record was, if it was; it ends with the
	// last that was.
	made   map[madeFrom]int
	madeOf []*madeFrom
	// tables are those that the office published, by their locators; nil for a
	// locator that is none.
	tables map[string]*Publication
}

// madeFrom is a document and a measure.
type madeFrom struct {
	ref     string
	measure Measure
}

// Claim is one figure as published.
type Claim struct {
	// Position is where it was recorded, Record what it is there.
	Position domain.Position
	Record   domain.RecordName
	// Publisher published it, Published then, in Document, as Worded where its
	// words are known.
	Publisher string
	Published domain.Period
	Document  domain.Document
	Worded    string
	// Note is what whoever recorded it has to say.
	Note string
	// Period is what the figure speaks of.
	Period domain.Period
	// Measure and Dimensions are the publisher's; the ledger need not have them.
	Measure    string
	Dimensions []domain.Dimension
	// Value is a number, or minor units of Currency.
	Value     int64
	Currency  domain.Currency
	Qualifier domain.Qualifier

	// table is the one of the ledger's that it is a cell of; nil for others.
	table *Publication
}

// NewClaims is the claims of no entry.
func NewClaims() *Claims {
	return &Claims{made: make(map[madeFrom]int), tables: make(map[string]*Publication)}
}

// Apply keeps an accepted claim, and where synthetic facts come from.
func (c *Claims) Apply(r *domain.Ruled) {
	if makesVersion(r) {
		c.remake(r)
	}
	if r.Verdict != domain.Accepted || r.Fact == nil {
		return
	}
	if data, ok := r.Fact.(*domain.FigurePublished); ok {
		claim := claimOf(r, data)
		if claim.isOwn() {
			claim.table = c.table(&claim)
		}
		c.all = append(c.all, claim)
	}
}

// remake takes down what the current version of a record was made from, and
// forgets what the one before was.
func (c *Claims) remake(r *domain.Ruled) {
	n := int(r.Record)
	if n < len(c.madeOf) && c.madeOf[n] != nil {
		c.made[*c.madeOf[n]]--
		c.madeOf[n] = nil
	}
	if r.Fact == nil || r.Change == domain.Retracted {
		return
	}
	common, measure := r.Fact.Shared(), measureOf(r.Fact.Type())
	if !common.Synthetic || common.Document.Ref == "" || measure == 0 {
		return
	}
	if n >= len(c.madeOf) {
		c.madeOf = append(c.madeOf, make([]*madeFrom, n+1-len(c.madeOf))...)
	}
	from := &madeFrom{kept(common.Document.Ref), measure}
	c.made[*from]++
	c.madeOf[n] = from
}

// table is the published table that a claim of the office is a cell of.
func (c *Claims) table(claim *Claim) *Publication {
	locator := claim.Document.Locator
	p, known := c.tables[locator]
	if !known {
		if read, err := ParsePublication(locator); err == nil {
			p = &read
		}
		c.tables[locator] = p
	}
	if p != nil && p.Entry >= claim.Position.Entry {
		return nil // as known later than it was published: a forgery
	}
	return p
}

// claimOf copies a claim: strings of a ruling share the entry's memory.
func claimOf(r *domain.Ruled, data *domain.FigurePublished) Claim {
	c := Claim{
		Position:  r.Position,
		Record:    nameOf(r.Name),
		Publisher: kept(data.Publisher), Published: data.Published,
		Document: domain.Document{Ref: kept(data.Document.Ref), Locator: kept(data.Document.Locator), SHA256: kept(data.Document.SHA256)},
		Worded:   strings.Clone(data.Worded), Note: strings.Clone(data.Note), Period: data.Period,
		Measure: kept(normalise(data.Measure)),
		Value:   data.Value, Qualifier: data.Qualifier,
	}
	if data.Amount.Currency != "" {
		c.Value, c.Currency = data.Amount.Minor, data.Amount.Currency
	}
	for _, d := range data.Dimensions {
		c.Dimensions = append(c.Dimensions, named(d))
	}
	slices.SortFunc(c.Dimensions, func(a, b domain.Dimension) int { return strings.Compare(a.Name, b.Name) })
	return c
}

// nameOf is n without the entry that it is part of.
func nameOf(n domain.RecordName) domain.RecordName {
	return domain.RecordName{
		Kind:  domain.Kind(kept(string(n.Kind))),
		Diary: domain.Diary{Agency: kept(n.Diary.Agency), Unit: kept(n.Diary.Unit)},
		ID:    strings.Clone(n.ID),
	}
}

// named is d as it is compared, and without the entry that it is part of.
func named(d domain.Dimension) domain.Dimension {
	return domain.Dimension{Name: kept(normalise(d.Name)), Value: kept(normalise(d.Value))}
}

// makers are the documents that facts were made from, and of which measures no
// claim of theirs is: such facts stand for what it calls otherwise.
type makers struct {
	*Claims
	renamed map[string]bool
}

func (c *Claims) makers() makers {
	m := makers{c, make(map[string]bool)}
	told := make(map[madeFrom]bool)
	for i := range c.all {
		if measure, err := ParseMeasure(c.all[i].Measure); err == nil {
			told[madeFrom{c.all[i].Document.Ref, measure}] = true
		}
	}
	for from, facts := range c.made {
		if facts > 0 && !told[from] {
			m.renamed[from.ref] = true
		}
	}
	return m
}

// of tells whether facts that stand were made from the document of a claim: of
// its measure, or where the ledger lacks that, of one that the document's claims
// do not have.
func (m makers) of(claim *Claim) bool {
	measure, err := ParseMeasure(claim.Measure)
	if err != nil {
		return m.renamed[claim.Document.Ref]
	}
	return m.made[madeFrom{claim.Document.Ref, measure}] > 0
}

// Table is the ledger's own table that c is a cell of; nil for any other claim.
func (c *Claim) Table() *Publication { return c.table }

// isOwn tells whether the ledger's office published c.
func (c *Claim) isOwn() bool { return c.Record.Diary == domain.Office }

// entry is the entry as known at which the figure was made: its own, or that of
// its table.
func (c *Claim) entry() uint64 {
	if c.table != nil {
		return c.table.Entry
	}
	return c.Position.Entry
}

// Interval is what the figure allows.
func (c *Claim) Interval() Interval {
	switch c.Qualifier {
	case domain.AtLeast:
		return Interval{Low: c.Value, Open: true}
	case domain.AtMost:
		return Interval{High: c.Value}
	case domain.About:
		return about(c.Value)
	}
	return Interval{Low: c.Value, High: c.Value}
}

// Figure is the figure for people: "63", "≥ 72,000,000 PKR".
func (c *Claim) Figure() string {
	text := formatWhole(c.Value, c.Currency.Decimals())
	switch c.Qualifier {
	case domain.AtLeast:
		text = "≥ " + text
	case domain.AtMost:
		text = "≤ " + text
	case domain.About:
		text = "≈ " + text
	}
	if c.Currency != "" {
		text += " " + string(c.Currency)
	}
	return text
}

// What is the measure and the dimensions for people: "arrests · Karachi",
// "raids · premises=call-centre".
func (c *Claim) What() string {
	text := c.Measure
	for _, d := range c.Dimensions {
		if (d.Name == City.String() || d.Name == Class.String()) && d.Value != domain.NotGiven {
			text += " · " + d.Value
		} else {
			text += " · " + d.Name + "=" + d.Value
		}
	}
	return text
}

// formatWhole writes minor units for people, without decimals where they are 0.
func formatWhole(minor int64, decimals int) string {
	if minor%scale(decimals) == 0 {
		return domain.FormatGrouped(minor/scale(decimals), 0)
	}
	return domain.FormatGrouped(minor, decimals)
}
