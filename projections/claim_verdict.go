package projections

import (
	"crypto/sha256"
	"strconv"
	"strings"
	"time"

	"roznamcha/domain"
)

// Verdict is what the ledger says to a claim. See Claims.
type Verdict uint8

// The verdicts.
const (
	NotComparable Verdict = iota
	Matches
	BoundHolds
	Short
	Over
	endOfVerdicts
)

var verdictWords = [endOfVerdicts]string{"not comparable", "matches", "bound holds", "short", "over"}

// String is the verdict's word.
func (v Verdict) String() string { return verdictWords[v] }

// MarshalText writes the verdict's word.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// Holding is a claim held against the ledger as known at an entry.
type Holding struct {
	Entry uint64
	// Ledger is what the ledger says; it means nothing unless Asked, which is
	// false where the ledger has no such sum.
	Ledger Interval
	Asked  bool
	// Approximate tells that some of the ledger's parts are about a number.
	Approximate bool
	Verdict     Verdict
	// By is how much the ledger has less (Short) or more (Over), at least:
	// exactly where both intervals are points, which Exactly tells.
	By      int64
	Exactly bool
	// Why says why it is NotComparable.
	Why string
}

// Text is the verdict for people, in units of that many decimals: "matches",
// "short by 18", "over by ≥ 5".
func (h *Holding) Text(decimals int) string {
	if h.Verdict != Short && h.Verdict != Over {
		return h.Verdict.String()
	}
	by := formatWhole(h.By, decimals)
	if !h.Exactly {
		by = "≥ " + by
	}
	return h.Verdict.String() + " by " + by
}

// LedgerText is what the ledger says for people: "450", "0 to 195", "≈ 44 to
// 46", "≳ 54"; "—" where it says nothing.
func (h *Holding) LedgerText(decimals int) string {
	text := h.Ledger.Text(decimals)
	switch {
	case !h.Asked:
		return noFactsText
	case h.Approximate && h.Ledger.Open:
		return "≳" + strings.TrimPrefix(text, "≥")
	case h.Approximate:
		return "≈ " + text
	}
	return text
}

// Held is a claim with what the ledger and other claims say to it.
type Held struct {
	*Claim
	// Then is as known at the claim's own entry, or that of the ledger's table
	// that it is a cell of; Now is at the last.
	Then, Now Holding
	// Made says that some of the facts of the measure that the ledger now has, or
	// where it lacks the measure, of one that stands for it, are synthetic and were
	// made from the claim's document: that the ledger agrees is no confirmation.
	Made bool
	// Unheard says what the claim narrows to that no fact has, or had, where that
	// may as well be misspelt: "no fact has city karachi".
	Unheard []string
	// Others is what other claims have to do with it.
	Others []Relation
}

// Contradicted tells whether the ledger, as known now, or another claim
// contradicts h.
func (h *Held) Contradicted() bool {
	if h.Now.Verdict == Short || h.Now.Verdict == Over {
		return true
	}
	for _, o := range h.Others {
		if o.Kind == Contradicts || o.Kind == Slip {
			return true
		}
	}
	return false
}

// Select says which claims are asked for; the zero Select all. Those that are
// not still count as other claims.
type Select struct {
	Publisher, Measure string
	// Where are filters on the claims' own dimensions.
	Where []Filter
	// Period selects by the period that the claim speaks of, or with Reported by
	// when it was published: wholly inside.
	Period domain.Period
	Clock  Clock
}

// Hold holds the claims that by selects against t, in the order in which they
// were recorded. c must have been applied as far as t.
func (t *Totals) Hold(c *Claims, by Select) []Held {
	held := []Held{}
	related, made := newRelations(c, t.Zone()), c.makers()
	var wants []want
	for i := range c.all {
		claim := &c.all[i]
		if !by.selects(claim, t) {
			continue
		}
		h := Held{Claim: claim, Made: made.of(claim), Others: related.of(i)}
		h.Then.Entry, h.Now.Entry = claim.entry(), t.last
		q, why := claim.question(t.Zone())
		if h.Then.Why, h.Now.Why = why, why; why == "" {
			p := plan{Query: Query{Where: q.filters}, totals: t, next: t.successions.at(open)}
			h.Unheard = p.unheard()
			wants = append(wants, want{q, h.Then.Entry}, want{q, h.Now.Entry})
		}
		held = append(held, h)
	}
	answers := t.ask(wants)
	for i := range held {
		if h := &held[i]; h.Now.Why == "" {
			h.Then.judge(h.Claim, &answers[0])
			h.Now.judge(h.Claim, &answers[1])
			answers = answers[2:]
		}
	}
	return held
}

// selects tells whether c is asked for.
func (s *Select) selects(c *Claim, t *Totals) bool {
	if s.Publisher != "" && s.Publisher != c.Publisher || s.Measure != "" && s.Measure != c.Measure {
		return false
	}
	for _, f := range s.Where {
		var values []string
		for _, d := range c.Dimensions {
			if d.Name == f.Dimension.String() {
				values = []string{d.Value}
			}
		}
		if f.Dimension == Currency && c.Currency != "" {
			values = []string{string(c.Currency)}
		}
		if !f.normalised().allows(values) {
			return false
		}
	}
	if s.Period.IsZero() {
		return true
	}
	of := c.Period
	if s.Clock == Reported {
		of = c.Published
	}
	from, to := s.Period.Days(t.Zone())
	first, last := of.Days(t.Zone())
	return first >= from && last <= to
}

// judge compares c with what the ledger says.
func (h *Holding) judge(c *Claim, e *evidence) {
	if why := e.otherUnit(c); why != "" {
		h.Why = why
		return
	}
	h.Asked = true
	h.Ledger, h.Approximate = e.interval(c)
	claimed := c.Interval()
	h.Exactly = h.Ledger.IsPoint() && claimed.IsPoint()
	var short, over bool
	if h.By, short = h.Ledger.below(claimed); short {
		h.Verdict = Short
		return
	}
	if h.By, over = claimed.below(h.Ledger); over {
		h.Verdict = Over
		return
	}
	switch {
	case !h.Ledger.in(claimed):
		h.Why = e.doubts(c)
	case c.Qualifier == domain.AtLeast || c.Qualifier == domain.AtMost:
		h.Verdict = BoundHolds
	default:
		h.Verdict = Matches
	}
}

// otherUnit says that there are facts to c, but none in its currency; "" where
// that is not so. What a table of the ledger's own has left there is 0.
func (e *evidence) otherUnit(c *Claim) string {
	if c.isOwn() || e.inUnit || len(e.otherUnits) == 0 {
		return ""
	}
	why := "another unit: the ledger has it in " + strings.Join(e.otherUnits, ", ")
	if e.lacking.adds() {
		why += "; " + e.lackingText()
	}
	return why
}

// interval is what the ledger's side to c is, and whether parts of it are about a
// number.
func (e *evidence) interval(c *Claim) (i Interval, approximate bool) {
	if c.isOwn() {
		i = Interval{Low: e.stand.value, High: e.stand.value}
		if e.stand.approximate {
			i = about(e.stand.value)
		}
		i.Open = i.Open || e.stand.open()
		return i, e.stand.approximate
	}
	all := e.stand
	all.merge(&e.unplaced)
	all.merge(&e.lacking)
	i = Interval{Low: e.stand.low, High: all.high, Open: all.open()}
	if begins, ends := c.isOpen(); begins || ends {
		i.Low = 0
	}
	return i, all.approximate
}

// isOpen tells whether it is open where the claim's period begins and ends.
func (c *Claim) isOpen() (begins, ends bool) {
	from, to := c.Period.Days(time.UTC) // an instant is open in no zone
	return from == domain.MinDay, to == domain.MaxDay
}

// doubts are the reasons why e is no sure number for c.
func (e *evidence) doubts(c *Claim) string {
	var why []string
	if !c.isOwn() {
		switch begins, ends := c.isOpen(); {
		case begins && ends:
			why = append(why, "its period is not known")
		case begins:
			why = append(why, "open period: it does not say since when")
		case ends:
			why = append(why, "open period: it does not say until when")
		}
		if e.unplaced.adds() {
			why = append(why, facts(e.unplaced.facts, "unplaced: only partly in the period, or undated"))
		}
		if e.lacking.adds() {
			why = append(why, e.lackingText())
		}
	}
	if e.stand.unknown > 0 {
		why = append(why, facts(e.stand.unknown, "of unknown number"))
	}
	if e.stand.lower {
		why = append(why, "the ledger has only a lower bound")
	}
	if e.stand.approximate {
		why = append(why, "the ledger has only an approximation")
	}
	return strings.Join(why, "; ")
}

// lackingText says that facts may belong there, and what they do not say.
func (e *evidence) lackingText() string {
	var parts []string
	if text := (e.lacks &^ unsureOf(allDimensions)).without(); text != "" {
		parts = append(parts, text)
	}
	var unsure []string
	for d := Agency; d < endOfDimensions; d++ {
		if e.lacks&unsureOf(1<<d) != 0 {
			unsure = append(unsure, d.String())
		}
	}
	if unsure != nil {
		parts = append(parts, "leave "+strings.Join(unsure, " or ")+" open")
	}
	return facts(e.lacking.facts, "may belong there: they "+strings.Join(parts, " or "))
}

// facts is a number of facts and what is said of them: "1 fact unplaced".
func facts(n int64, said string) string {
	if n == 1 {
		return "1 fact " + oneFact.Replace(said)
	}
	return domain.FormatGrouped(n, 0) + " facts " + said
}

// oneFact is what is said of several facts, of one.
var oneFact = strings.NewReplacer("they name", "it names", "they lie", "it lies", "or lie", "or lies", "they leave", "it leaves", "or leave", "or leaves")

// HashHeld is the SHA-256 of claims as held, in the lines of fields of
// Table.Hash: "claims", "2"; then for each claim "claim", its record, what it
// says, its period and figure, and for then and now the ledger's interval and
// the verdict as printed, with the reason; then "unheard" and what no fact has, and
// "other" and its text, for each.
func HashHeld(held []Held) [sha256.Size]byte {
	h := sha256.New()
	line := func(fields ...string) {
		var b []byte
		for _, s := range fields {
			b = append(strconv.AppendInt(b, int64(len(s)), 10), ':')
			b = append(append(b, s...), ',')
		}
		h.Write(append(b, '\n'))
	}
	line("claims", "2")
	for i := range held {
		c := &held[i]
		decimals := c.Currency.Decimals()
		line("claim", c.Record.String(), c.What(), c.Period.String(), c.Figure(),
			c.Then.LedgerText(decimals), c.Then.Text(decimals), c.Then.Why,
			c.Now.LedgerText(decimals), c.Now.Text(decimals), c.Now.Why)
		for _, note := range c.Unheard {
			line("unheard", note)
		}
		for _, o := range c.Others {
			line("other", o.String())
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}
