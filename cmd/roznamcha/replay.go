package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

func (p *program) replayCommand() *cobra.Command {
	var q replayQuestion
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Print every line of the ledger with its ruling",
		Long: `Print every line of the ledger, in order: its position, when it was recorded,
what the register rules about it (accepted; duplicate and where it first stood;
refused and why; unrecognised) and the event as it was written, with tabs
between.

--from and --to take an entry number, a day in the ledger's zone, or a time.
Where nothing was recorded from --from on, standard error says so; the exit code
is 0. A --to beyond the last entry is an error.
--follow goes on with what is recorded from now on, until interrupted.

With --as-of only what was known then is printed, and after the ruling what had
become of the version that the line made: stands, or corrected, retracted or
reinstated and by which line. Lines that made no version have nothing there.

With --period only lines that lie wholly inside it are printed, by when what
they tell of occurred or, with --clock reported, by when its source told of it.
A case lies where it was registered, a figure where it was published and a
succession where it took effect; a correction also where the version before it
lay, a retraction where the version did that it takes away, a match where its
two records do. What lies partly inside, or has no date, such as links, is
unplaced: it is counted on standard error, and --unplaced prints it instead.

--sample N draws N of the lines that would be printed, by chance: those whose
SHA-256 of the seed, a space and the position is the least. Anybody draws the
same again, and can check each:
printf '%s' 'audit-2026 12:3' | sha256sum. Settle the entry to sample up to
before the seed is told: who knows the seed could choose positions. Standard
error says how many lines it was drawn from, and how to draw it again.`,
		Example: `  roznamcha replay
  roznamcha replay --from 2 --to 4
  roznamcha replay --from 2025-06-01 --json
  roznamcha replay --period 2025-06 --as-of 4
  roznamcha replay --sample 3 --seed audit-2026 --as-of 4
  roznamcha replay --follow`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			lines, err := q.parse(cmd)
			if err != nil {
				return err
			}
			lines.out, lines.json, lines.shown = bufio.NewWriterSize(p.out, 1<<16), p.json, isTerminal(p.out)
			return p.withLedgerThatHas(cmd.Context(), &q.known.atLeast, func(ctx context.Context, l *eventstore.Ledger) error {
				if q.follow {
					err := lines.follow(ctx, l)
					p.tellPlaced(lines)
					return err
				}
				return p.printReplay(ctx, l, &q, lines)
			})
		},
	}
	q.flags(cmd)
	return cmd
}

// replayQuestion is the flags of replay.
type replayQuestion struct {
	when             during
	from, to         string
	known            asKnown
	follow, unplaced bool
	size             int
	seed             string

	// last is to, read.
	last projections.AsOf
}

func (q *replayQuestion) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&q.from, "from", "", "begin with this `ENTRY`, day or time")
	flags.StringVar(&q.to, "to", "", "end with this `ENTRY`, day or time")
	q.known.flags(cmd)
	q.when.periodFlags(cmd, "print only lines that lie in `PERIOD`, such as 2025-06 or 2024-01/2025-06")
	flags.BoolVar(&q.unplaced, "unplaced", false, "print what lies only partly in the period, or has no date, instead")
	flags.IntVar(&q.size, "sample", 0, "print `N` lines drawn by chance from those that would be printed")
	flags.StringVar(&q.seed, "seed", "", "`TEXT` that decides what --sample draws")
	flags.BoolVar(&q.follow, "follow", false, "go on with what is recorded from now on")
	cmd.MarkFlagsMutuallyExclusive("to", "follow")
}

// parse reads the flags; any error is wrong use.
func (q *replayQuestion) parse(cmd *cobra.Command) (lines *linePrinter, err error) {
	lines = &linePrinter{want: projections.Inside}
	if lines.from, err = parseFrom(q.from); err != nil {
		return nil, err
	}
	if q.last, err = projections.ParseAsOf(q.to); err != nil {
		return nil, wrong("--to: %w", err)
	}
	if err := q.known.parse(cmd); err != nil {
		return nil, err
	}
	if err := lines.from.checkBefore(q.to); err != nil {
		return nil, err
	}
	if lines.during, err = q.when.meant(cmd); err != nil {
		return nil, &wrongUse{err}
	}
	lines.placer = projections.NewPlacer(lines.during)
	if q.unplaced {
		lines.want = projections.Unplaced
	}
	sampled := cmd.Flags().Changed("sample")
	switch {
	case q.follow && !q.known.asOf.IsZero():
		return nil, wrong("--follow goes on with what is not known yet, and --as-of ends with what was known then. Try: one of them")
	case q.follow && sampled:
		return nil, wrong("--sample draws from lines that are all there, and --follow has no end. Try: one of them")
	case q.unplaced && lines.during.IsZero():
		return nil, wrong("--unplaced is about a period. Try: --period 2025-06 --unplaced")
	case sampled && q.seed == "":
		return nil, wrong("--sample wants a --seed, so that anybody can draw the same again. Try: --seed audit-2026")
	case !sampled && q.seed != "":
		return nil, wrong("--seed decides what a sample draws. Try: --sample 25 --seed %s", shellWord(q.seed))
	case sampled:
		if lines.sample, err = projections.NewSample(q.size, q.seed); err != nil {
			return nil, &wrongUse{err}
		}
	}
	return lines, nil
}

// printReplay prints the lines that were asked for, and says so where there are
// none to print.
func (p *program) printReplay(ctx context.Context, l *eventstore.Ledger, q *replayQuestion, lines *linePrinter) error {
	end, citation, err := p.known(ctx, l, q, lines)
	if err != nil {
		return err
	}
	if entry := q.last.Entry(); entry > end {
		if !q.known.asOf.IsZero() {
			return fmt.Errorf("--to %d: as known then the ledger ends at entry %d. Try: an entry up to that, or leave --to out", entry, end)
		}
		return fmt.Errorf("--to %d: the ledger ends at entry %d. Try: an entry up to that, or leave --to out", entry, end)
	}
	reg, stats, err := p.replay(ctx, l, q.last.AtMost(end), lines)
	if err == nil && lines.sample != nil {
		lines.printSample()
	}
	if err := errors.Join(err, lines.err, lines.out.Flush()); err != nil {
		return err
	}
	if citation == nil {
		now := cite(reg, stats)
		citation = &now
	}
	switch {
	case stats.Entries == 0:
		fmt.Fprintln(p.errs, "nothing to print: the ledger has no entry")
	case lines.printed == 0 && lines.during.IsZero():
		fmt.Fprintf(p.errs, "nothing to print: the last entry read is %d, recorded %s\n", stats.Entries, stamp(stats.Recorded))
	}
	p.tellPlaced(lines)
	if lines.sample != nil {
		p.citeSample(q, lines, stats.Entries, *citation)
	}
	return nil
}

// known is the last entry that was known, as of then or now. As of then it
// reads the ledger once to find out what had become of each version.
func (p *program) known(ctx context.Context, l *eventstore.Ledger, q *replayQuestion, lines *linePrinter) (end uint64, citation *projections.Citation, err error) {
	if q.known.asOf.IsZero() {
		end, err = l.Tail(ctx)
		return end, nil, err
	}
	lines.fates = projections.NewFates()
	reg, stats, err := p.replay(ctx, l, q.known.asOf, lines.fates)
	if err != nil {
		return 0, nil, err
	}
	then := cite(reg, stats)
	return stats.Entries, &then, nil
}

// tellPlaced says on standard error how many lines the period has, and how many
// it may have.
func (p *program) tellPlaced(lines *linePrinter) {
	if lines.during.IsZero() {
		return
	}
	fmt.Fprintf(p.errs, "%s inside %s · %s unplaced: partly inside, or without a date", print.Plural(lines.placed[projections.Inside], "line"), lines.during, print.Count(lines.placed[projections.Unplaced]))
	if lines.placed[projections.Unplaced] > 0 && lines.want == projections.Inside {
		fmt.Fprint(p.errs, "; --unplaced prints them")
	}
	fmt.Fprintln(p.errs)
}

// citeSample says what a sample was drawn from and how to draw it again.
func (p *program) citeSample(q *replayQuestion, lines *linePrinter, last uint64, citation projections.Citation) {
	fmt.Fprintf(p.errs, "sample: %s of %s, those of the least SHA-256 of '%s ENTRY:LINE'\n",
		print.Count(lines.printed), print.Plural(lines.sample.Offered(), "line"), q.seed)
	fmt.Fprintln(p.errs, print.Clean(citationLine(citation)))
	if last > 0 {
		fmt.Fprintf(p.errs, "again: roznamcha replay %s%s\n", q.again(last, citation.Entry, p.json), p.ledgerFlags())
	}
}

// again is the flags that draw the same sample from the same ledger whatever
// is recorded later: an entry stands where a day or a time ended it.
func (q *replayQuestion) again(last, known uint64, json bool) string {
	words := []string{"--sample", strconv.Itoa(q.size), "--seed", shellWord(q.seed)}
	if q.from != "" {
		words = append(words, "--from", q.from)
	}
	if q.to != "" || q.known.asOf.IsZero() {
		words = append(words, "--to", strconv.FormatUint(last, 10))
	}
	if !q.known.asOf.IsZero() {
		words = append(words, "--as-of", strconv.FormatUint(known, 10))
	}
	if q.when.period != "" {
		words = append(words, "--period", q.when.period, "--clock", q.when.clock)
	}
	if q.unplaced {
		words = append(words, "--unplaced")
	}
	if json {
		words = append(words, "--json")
	}
	return strings.Join(words, " ")
}

// moment is where a replay begins to print.
type moment struct {
	entry uint64
	day   domain.Period
	at    time.Time
}

// parseFrom reads an entry number, a day, a time, or "" for the beginning.
func parseFrom(s string) (moment, error) {
	if entry, err := strconv.ParseUint(s, 10, 54); err == nil {
		return moment{entry: entry}, nil
	}
	if day, err := domain.ParsePeriod(s); err == nil && len(s) == len(time.DateOnly) {
		return moment{day: day}, nil
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return moment{at: at}, nil
	}
	if s == "" {
		return moment{}, nil
	}
	return moment{}, wrong("--from %q: want an entry number, a day or a time with its offset. Try: 1234, 2025-06-03 or 2025-06-03T22:10:00+05:00", s)
}

// checkBefore sees that to, where it is of the same sort, is not before m.
func (m moment) checkBefore(to string) error {
	end, err := parseFrom(to)
	if err != nil {
		return err
	}
	day, _ := m.day.Days(time.UTC)
	endDay, _ := end.day.Days(time.UTC)
	switch {
	case end.entry > 0 && m.entry > end.entry,
		!m.day.IsZero() && !end.day.IsZero() && day > endDay,
		!end.at.IsZero() && m.at.After(end.at):
		return wrong("--from is after --to %s: there is nothing between them. Try: the other way round", to)
	}
	return nil
}

// reached tells whether what was recorded in entry at recorded is to be
// printed; zone may be nil before the ledger is open.
func (m moment) reached(entry uint64, recorded time.Time, zone *time.Location) bool {
	if zone == nil {
		zone = time.UTC
	}
	if !m.day.IsZero() {
		day, _ := m.day.Days(zone)
		return domain.DayOf(recorded, zone) >= day
	}
	return entry >= m.entry && !recorded.Before(m.at)
}

// linePrinter is a projection that prints every line from a moment on, or
// offers it to a sample.
type linePrinter struct {
	out    *bufio.Writer
	from   moment
	during projections.During
	placer *projections.Placer
	want   projections.Placing // that is printed
	fates  *projections.Fates  // nil where nobody asked as of when
	sample *projections.Sample // nil for every line
	json   bool
	shown  bool // to a person, at a terminal
	zone   *time.Location
	err    error // the first
	// placed counts the lines from the moment on, by where they lie, and printed
	// those that were printed.
	placed  [projections.Outside + 1]int
	printed int
}

// follow prints what is there and what comes, until ctx ends.
func (lp *linePrinter) follow(ctx context.Context, l *eventstore.Ledger) error {
	reg := domain.NewRegister()
	tail, err := l.Tail(ctx)
	if err != nil {
		return err
	}
	err = l.Follow(ctx, 1, func(e domain.Entry) error {
		if err := projections.Fold(reg, e, lp); err != nil {
			return err
		}
		if e.Number >= tail {
			return errors.Join(lp.err, lp.out.Flush())
		}
		return lp.err
	})
	if errors.Is(err, context.Canceled) {
		return lp.out.Flush() // interrupted is how it ends
	}
	return err
}

// Apply prints one line, if it was asked for.
func (lp *linePrinter) Apply(r *domain.Ruled) {
	if opened, ok := r.Fact.(*domain.LedgerOpened); ok && lp.zone == nil {
		lp.zone = opened.Location()
	}
	placing := lp.placer.Place(r)
	if lp.err != nil || !lp.from.reached(r.Position.Entry, r.Recorded, lp.zone) {
		return
	}
	lp.placed[placing]++
	switch {
	case placing != lp.want:
	case lp.sample != nil:
		lp.sample.Offer(r)
	default:
		lp.print(r)
	}
}

// printSample prints the lines that were drawn.
func (lp *linePrinter) printSample() {
	for _, r := range lp.sample.Lines() {
		if lp.err == nil {
			lp.print(r)
		}
	}
}

func (lp *linePrinter) print(r *domain.Ruled) {
	lp.printed++
	if lp.json {
		line := lineOf(r.Position, r.Recorded, r.Ruling, r.Line)
		if lp.fates != nil {
			line.Version = lp.fates.Of(r)
		}
		lp.err = print.JSONLine(lp.out, line)
		return
	}
	says := rulingText(r.Ruling)
	if lp.fates != nil {
		says += "\t" + lp.fates.Of(r).String()
	}
	line := r.Line
	if lp.shown {
		line = print.Clean(line)
	}
	_, lp.err = fmt.Fprintf(lp.out, "%s\t%s\t%s\t%s\n", r.Position, stamp(r.Recorded), says, line)
}

// stamp writes a recorded time in full, so that it can be given to --as-of, and
// always as wide.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z07:00") }

// rulingText is a ruling in a few words: "accepted", "duplicate 3:1",
// "refused wrong-source".
func rulingText(r domain.Ruling) string {
	switch {
	case r.Verdict == domain.Duplicate:
		return r.Verdict.String() + " " + r.First.String()
	case r.Code != "" && r.Verdict == domain.Refused:
		return r.Verdict.String() + " " + string(r.Code)
	}
	return r.Verdict.String()
}

// lineJSON is one line with its ruling, for programs.
type lineJSON struct {
	Position *domain.Position `json:"position,omitempty"`
	Recorded time.Time        `json:"recorded,omitzero"`
	ID       string           `json:"id,omitempty"`
	Ruling   string           `json:"ruling"`
	First    *domain.Position `json:"first,omitempty"`
	Code     domain.Code      `json:"code,omitempty"`
	Field    string           `json:"field,omitempty"`
	Detail   string           `json:"detail,omitempty"`
	Cure     string           `json:"cure,omitempty"`
	// Version is what had become of the version that the line made.
	Version projections.Fate `json:"version,omitzero"`
	// Event is the line where it is JSON; else Text is what it is.
	Event json.RawMessage `json:"event,omitempty"`
	Text  string          `json:"text,omitempty"`
}

func lineOf(at domain.Position, recorded time.Time, r domain.Ruling, line string) lineJSON {
	j := lineJSON{Recorded: recorded.UTC(), Ruling: r.Verdict.String(), Code: r.Code, Field: r.Field, Detail: r.Detail, Cure: r.Code.Info().Cure}
	if !at.IsZero() {
		j.Position = &at
	}
	if !r.First.IsZero() {
		j.First = &r.First
	}
	switch {
	case line == "":
	case utf8.ValidString(line) && json.Valid([]byte(line)):
		j.Event = json.RawMessage(line)
	default:
		j.Text = strings.ToValidUTF8(line, "\uFFFD")
	}
	return j
}
