package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

func (p *program) claimsCommand() *cobra.Command {
	q := question{yearStarts: 1}
	var by projections.Select
	var known asKnown
	var csv, own bool
	cmd := &cobra.Command{
		Use:   "claims",
		Short: "Hold published figures against the ledger, and against one another",
		Long: `Hold every published figure (figure.published) against the ledger: as known at
the claim's own entry, and as known now, or at --as-of; in the period it states;
and against the other claims.

A figure is an interval (at least 500, about 72 million), and so is what the
ledger says: facts that may belong there, because they are undated, only partly
in the period or do not name what the claim narrows to, widen it. Where the two
have no number in common, the ledger is short or over by the least difference;
where the ledger's is inside, it matches, or the bound holds; anything else is
not comparable, and the reason stands below.

Below a claim stand other claims that contradict it; a slip, a figure that is
exactly 10, 100 or 1,000 times another; the same number told of another period, or of
another measure. A mark tells claims of a document that the ledger's synthetic
facts of the same measure were made from: that the ledger agrees with them
confirms nothing. A figure that this ledger published itself (totals --publish)
is held against the same cell, then as known when its table was made; such
figures are one line a table, unless --own or --publisher asks for them (--json
and --csv have them always).

--publisher, --measure, --where and the period choose which claims are held: the
period is that which the figure speaks of, or with --clock reported when it was
published. The exit code is 3 where the ledger as known now is short or over, or
another claim contradicts one that is held; 0 where nothing does.`,
		Example: `  roznamcha claims
  roznamcha claims --measure arrests --where class=foreign
  roznamcha claims --publisher Nukta --as-of 7 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.oneFormat(csv); err != nil {
				return err
			}
			query, err := q.parse(nil)
			if err != nil {
				return err
			}
			by.Where, by.Period, by.Clock = query.Where, query.Period, query.Clock
			if err := known.parse(cmd); err != nil {
				return err
			}
			return p.withLedgerThatHas(cmd.Context(), &known.atLeast, func(ctx context.Context, l *eventstore.Ledger) error {
				return p.claims(ctx, l, by, known.asOf, csv, own || by.Publisher != "")
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&by.Publisher, "publisher", "", "hold only what this `PUBLISHER` published")
	flags.StringVar(&by.Measure, "measure", "", "hold only figures of this `MEASURE`")
	flags.StringVar(&q.where, "where", "", "hold only figures narrowed by all of `FILTERS`, such as city=Karachi|Lahore,class=foreign")
	flags.StringVar(&q.period, "period", "", "hold only figures that speak of what lies in `PERIOD`")
	flags.StringVar(&q.from, "from", "", "first `DAY`, month or year of the period")
	flags.StringVar(&q.to, "to", "", "last `DAY`, month or year of the period")
	flags.StringVar(&q.clock, "clock", "occurred", "`CLOCK` of the period: occurred, when the figure speaks of, or reported, when it was published")
	known.flags(cmd)
	flags.BoolVar(&own, "own", false, "print each figure of the tables that this ledger published, too")
	flags.BoolVar(&csv, "csv", false, "print CSV")
	cmd.MarkFlagsMutuallyExclusive("period", "from")
	cmd.MarkFlagsMutuallyExclusive("period", "to")
	return cmd
}

// claims holds the claims that by selects against the ledger.
func (p *program) claims(ctx context.Context, l *eventstore.Ledger, by projections.Select, asOf projections.AsOf, csv, own bool) error {
	totals, claims := projections.NewTotals(), projections.NewClaims()
	reg, stats, err := p.replay(ctx, l, asOf, totals, claims)
	if err != nil {
		return err
	}
	report := newClaimReport(totals.Hold(claims, by), cite(reg, stats), totals.Zone().String())
	report.own = own
	p.note("%s", replayLine(stats))
	if err := report.write(p.out, p.json, csv); err != nil {
		return err
	}
	return report.err()
}

// claimReport is claims held against the ledger.
type claimReport struct {
	held     []projections.Held
	citation projections.Citation
	zone     string
	// own tells that figures of the ledger's own tables are printed one by one.
	own bool
}

func newClaimReport(held []projections.Held, citation projections.Citation, zone string) *claimReport {
	hash := projections.HashHeld(held)
	citation.Table = hex.EncodeToString(hash[:])
	return &claimReport{held: held, citation: citation, zone: zone}
}

// err makes the exit code 3 where a claim is contradicted.
func (r *claimReport) err() error {
	if r.contradicted() > 0 {
		return &foundError{}
	}
	return nil
}

func (r *claimReport) contradicted() (n int) {
	for i := range r.held {
		if r.held[i].Contradicted() {
			n++
		}
	}
	return n
}

func (r *claimReport) write(w io.Writer, asJSON, csv bool) error {
	switch {
	case asJSON:
		return print.JSON(w, r.json())
	case csv:
		return print.CSV(w, claimHead, r.csv())
	}
	var b bytes.Buffer
	if err := r.print(&b); err != nil {
		return err
	}
	fmt.Fprintln(&b, print.Clean(r.citation.String()))
	_, err := w.Write(b.Bytes())
	return err
}

// print prints the claims for a person: what is said of all, then each document
// with its claims, one line a claim with what there is to say of it below, and
// at the end where the documents are. findings go below the first.
func (r *claimReport) print(b *bytes.Buffer, findings ...string) error {
	fmt.Fprintf(b, "claims held against the ledger as known at each one's entry (then) and at entry %d (now) · days of %s\n", r.citation.Entry, r.zone)
	if len(r.held) == 0 {
		fmt.Fprintln(b, "no claims")
		return nil
	}
	for _, line := range append([]string{r.summary(), r.amongOthers()}, findings...) {
		wrap(b, "", line)
	}
	shown, tables := r.split()
	head, rows, err := shown.lines()
	if err != nil {
		return err
	}
	if len(rows) > 0 {
		fmt.Fprintf(b, "\n%s\n", head)
	}
	documents := shown.documents()
	for i := range shown.held {
		c := &shown.held[i]
		if i == 0 || !sameHeading(c, &shown.held[i-1]) {
			number := slices.Index(documents, documentOf(c)) + 1
			fmt.Fprintf(b, "\n%s\n", print.Clean(fmt.Sprintf("%s, published %s, on %s [%d]", c.Publisher, c.Published, c.Period, number)))
		}
		fmt.Fprintln(b, rows[i])
		for _, says := range saysOf(c) {
			wrap(b, "       ", says)
		}
	}
	fmt.Fprintln(b)
	if slices.ContainsFunc(shown.held, func(c projections.Held) bool { return c.Made }) {
		fmt.Fprintln(b, madeMark[1:]+" facts of this measure, or of one that stands for it, were made from this document: agreement confirms nothing")
	}
	for _, table := range tables {
		wrap(b, "", fmt.Sprintf("%s: %s · %s; claims --own has each", documentOf(&table.held[0]), table.summary(), table.amongOthers()))
	}
	for i, document := range documents {
		fmt.Fprintf(b, "[%d] %s\n", i+1, print.Clean(document))
	}
	return nil
}

// split parts the figures of the ledger's own tables from the others, a report a
// table, unless they are to be printed one by one.
func (r *claimReport) split() (shown *claimReport, tables []*claimReport) {
	shown = &claimReport{citation: r.citation, zone: r.zone}
	for _, c := range r.held {
		if r.own || c.Table() == nil {
			shown.held = append(shown.held, c)
			continue
		}
		at := slices.IndexFunc(tables, func(t *claimReport) bool { return t.held[0].Document == c.Document })
		if at < 0 {
			at = len(tables)
			tables = append(tables, &claimReport{})
		}
		tables[at].held = append(tables[at].held, c)
	}
	return shown, tables
}

// wrap prints a line of text, in as many lines of claimWidth as it takes: the
// first after an indent, the others two further in.
func wrap(b *bytes.Buffer, indent, says string) {
	line := indent
	for i, word := range strings.Fields(print.Clean(says)) {
		switch {
		case i == 0:
			line += word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > claimWidth:
			fmt.Fprintln(b, line)
			line = indent + "  " + word
		default:
			line += " " + word
		}
	}
	fmt.Fprintln(b, line)
}

// claimWidth is how wide a line of text is at most: as a table of claims mostly
// is.
const claimWidth = 120

// madeMark marks a claim that the ledger's synthetic facts were made from.
const madeMark = " *"

// lines are the aligned lines of the claims, below a header.
func (r *claimReport) lines() (head string, rows []string, err error) {
	grid := &print.Table{Columns: []print.Column{
		{Head: "claim"}, {Head: "what"}, {Head: "figure", Number: true}, {Head: "ledger then", Number: true}, {Head: "ledger now", Number: true}, {Head: "verdict"},
	}}
	for i := range r.held {
		c := &r.held[i]
		decimals := c.Currency.Decimals()
		verdict := c.Now.Text(decimals)
		if c.Made {
			verdict += madeMark
		}
		grid.Rows = append(grid.Rows, []string{
			c.Record.ID, c.What(), c.Figure(), c.Then.LedgerText(decimals), c.Now.LedgerText(decimals), verdict,
		})
	}
	var b strings.Builder
	if err := grid.Write(&b); err != nil {
		return "", nil, err
	}
	all := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	return all[0], all[1:], nil
}

// sameHeading tells whether two claims stand under one heading.
func sameHeading(a, b *projections.Held) bool {
	return a.Publisher == b.Publisher && a.Published == b.Published && a.Period == b.Period && a.Document == b.Document && a.Record.Diary == b.Record.Diary
}

// documentOf is where a claim was published.
func documentOf(c *projections.Held) string {
	if table := c.Table(); table != nil {
		return fmt.Sprintf("%s, this ledger's table as known at entry %d", c.Document.Ref, table.Entry)
	}
	if c.Document.Locator == "" {
		return c.Document.Ref
	}
	return c.Document.Ref + ", " + c.Document.Locator
}

// documents are those of the claims, each once.
func (r *claimReport) documents() (list []string) {
	for i := range r.held {
		if d := documentOf(&r.held[i]); !slices.Contains(list, d) {
			list = append(list, d)
		}
	}
	return list
}

// saysOf is what there is to say of a claim besides its line.
func saysOf(c *projections.Held) (says []string) {
	if c.Worded != "" {
		says = append(says, "“"+c.Worded+"”")
	}
	if c.Note != "" {
		says = append(says, c.Note)
	}
	decimals := c.Currency.Decimals()
	if was := c.Then.Text(decimals); was != c.Now.Text(decimals) {
		if c.Then.Why != "" {
			was += ": " + c.Then.Why
		}
		says = append(says, fmt.Sprintf("then, at entry %d, %s", c.Then.Entry, was))
	}
	if c.Now.Why != "" {
		says = append(says, c.Now.Why)
	}
	says = append(says, c.Unheard...)
	for i := range c.Others {
		says = append(says, c.Others[i].String())
	}
	return says
}

// summary counts the verdicts.
func (r *claimReport) summary() string {
	verdicts := make(map[projections.Verdict]int)
	for i := range r.held {
		verdicts[r.held[i].Now.Verdict]++
	}
	return fmt.Sprintf("%s of %s · matches %d · bound holds %d · short %d · over %d · not comparable %d",
		print.Plural(len(r.held), "claim"), print.Plural(len(r.documents()), "document"),
		verdicts[projections.Matches], verdicts[projections.BoundHolds], verdicts[projections.Short], verdicts[projections.Over],
		verdicts[projections.NotComparable])
}

// amongOthers counts the claims that others contradict, and those that are a slip
// of others.
func (r *claimReport) amongOthers() string {
	count := func(kind projections.RelationKind) (n int) {
		for i := range r.held {
			if slices.ContainsFunc(r.held[i].Others, func(o projections.Relation) bool { return o.Kind == kind }) {
				n++
			}
		}
		return n
	}
	return fmt.Sprintf("others contradict %d · slips %d", count(projections.Contradicts), count(projections.Slip))
}

// claimJSON is a claim as held, for programs. Values are counts, or decimal
// strings of an amount.
type claimJSON struct {
	Position   domain.Position   `json:"position"`
	Record     string            `json:"record"`
	Publisher  string            `json:"publisher"`
	Published  string            `json:"published"`
	Document   string            `json:"document"`
	Locator    string            `json:"locator,omitempty"`
	Period     string            `json:"period"`
	Measure    string            `json:"measure"`
	Dimensions map[string]string `json:"dimensions,omitempty"`
	Value      any               `json:"value"`
	Currency   domain.Currency   `json:"currency,omitempty"`
	Qualifier  string            `json:"qualifier"`
	Worded     string            `json:"worded,omitempty"`
	Note       string            `json:"note,omitempty"`
	// Text is the figure as printed.
	Text string `json:"text"`
	// Then is as known at the claim's own entry, Now at the last.
	Then holdingJSON `json:"then"`
	Now  holdingJSON `json:"now"`
	// Made tells that the ledger's facts were made from the document.
	Made bool `json:"made"`
	// Unheard is what it narrows to that no fact has.
	Unheard      []string       `json:"unheard,omitempty"`
	Contradicted bool           `json:"contradicted"`
	Others       []relationJSON `json:"others,omitempty"`
}

// holdingJSON is what the ledger says; Low is missing where it says nothing, and
// High where it is open upwards.
type holdingJSON struct {
	Entry   uint64              `json:"entry"`
	Low     any                 `json:"low,omitempty"`
	High    any                 `json:"high,omitempty"`
	Verdict projections.Verdict `json:"verdict"`
	// By is the least difference where short or over; Exactly tells whether it
	// is the difference.
	By      any  `json:"by,omitempty"`
	Exactly bool `json:"exactly,omitempty"`
	// Approximate tells that parts of the ledger's are about a number.
	Approximate bool   `json:"approximate,omitempty"`
	Why         string `json:"why,omitempty"`
}

type relationJSON struct {
	Kind   projections.RelationKind `json:"kind"`
	Factor int64                    `json:"factor,omitempty"`
	Claims []string                 `json:"claims"`
}

func (r *claimReport) json() any {
	claims := make([]claimJSON, len(r.held))
	for i := range r.held {
		claims[i] = claimOf(&r.held[i])
	}
	return struct {
		Claims       []claimJSON          `json:"claims"`
		Contradicted int                  `json:"contradicted"`
		Citation     projections.Citation `json:"citation"`
	}{claims, r.contradicted(), r.citation}
}

func claimOf(c *projections.Held) claimJSON {
	out := claimJSON{
		Position: c.Position, Record: c.Record.String(), Publisher: c.Publisher, Published: c.Published.String(),
		Document: c.Document.Ref, Locator: c.Document.Locator, Period: c.Period.String(), Measure: c.Measure,
		Value: claimValue(c, c.Value), Currency: c.Currency, Qualifier: c.Qualifier.String(), Worded: c.Worded, Note: c.Note,
		Text: c.Figure(), Then: holdingOf(c, &c.Then), Now: holdingOf(c, &c.Now), Made: c.Made, Unheard: c.Unheard, Contradicted: c.Contradicted(),
	}
	for _, d := range c.Dimensions {
		if out.Dimensions == nil {
			out.Dimensions = make(map[string]string)
		}
		out.Dimensions[d.Name] = d.Value
	}
	for _, o := range c.Others {
		related := relationJSON{Kind: o.Kind, Factor: o.Factor}
		for _, other := range o.Claims {
			related.Claims = append(related.Claims, other.Record.String())
		}
		out.Others = append(out.Others, related)
	}
	return out
}

// claimValue is a number of the claim's unit.
func claimValue(c *projections.Held, value int64) any {
	if c.Currency == "" {
		return value
	}
	return domain.FormatMinor(value, c.Currency.Decimals())
}

func holdingOf(c *projections.Held, h *projections.Holding) holdingJSON {
	out := holdingJSON{Entry: h.Entry, Verdict: h.Verdict, Why: h.Why, Approximate: h.Approximate}
	if h.Asked {
		out.Low = claimValue(c, h.Ledger.Low)
		if !h.Ledger.Open {
			out.High = claimValue(c, h.Ledger.High)
		}
	}
	if h.Verdict == projections.Short || h.Verdict == projections.Over {
		out.By, out.Exactly = claimValue(c, h.By), h.Exactly
	}
	return out
}

var claimHead = []string{
	"record", "position", "publisher", "published", "document", "period", "measure", "dimensions", "qualifier", "value", "currency", "worded", "note",
	"then entry", "then low", "then high", "then approximate", "then verdict", "then by", "then exactly", "then why",
	"now entry", "now low", "now high", "now approximate", "now verdict", "now by", "now exactly", "now why",
	"made", "unheard", "contradicted", "others",
}

func (r *claimReport) csv() (rows [][]string) {
	for i := range r.held {
		c := &r.held[i]
		var dimensions, others []string
		for _, d := range c.Dimensions {
			dimensions = append(dimensions, d.Name+"="+d.Value)
		}
		for _, o := range c.Others {
			text := o.Kind.String()
			if o.Factor != 0 {
				text += fmt.Sprintf(" %d", o.Factor)
			}
			for _, other := range o.Claims {
				text += " " + other.Record.String()
			}
			others = append(others, text)
		}
		row := []string{
			c.Record.String(), c.Position.String(), c.Publisher, c.Published.String(), documentOf(c), c.Period.String(), c.Measure,
			strings.Join(dimensions, ","), c.Qualifier.String(), fmt.Sprint(claimValue(c, c.Value)), string(c.Currency), c.Worded, c.Note,
		}
		for _, h := range []holdingJSON{holdingOf(c, &c.Then), holdingOf(c, &c.Now)} {
			row = append(row, strconv.FormatUint(h.Entry, 10), plainOf(h.Low), plainOf(h.High),
				strconv.FormatBool(h.Approximate), h.Verdict.String(), plainOf(h.By), strconv.FormatBool(h.Exactly), h.Why)
		}
		rows = append(rows, append(row, strconv.FormatBool(c.Made), strings.Join(c.Unheard, "; "), strconv.FormatBool(c.Contradicted()), strings.Join(others, "; ")))
	}
	return rows
}

// plainOf is a number as CSV has it, "" for none.
func plainOf(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}
