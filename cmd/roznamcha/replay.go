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
	var from, to string
	var follow bool
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
--follow goes on with what is recorded from now on, until interrupted.`,
		Example: `  roznamcha replay
  roznamcha replay --from 2 --to 4
  roznamcha replay --from 2025-06-01 --json
  roznamcha replay --follow`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			first, err := parseFrom(from)
			if err != nil {
				return err
			}
			last, err := projections.ParseAsOf(to)
			if err != nil {
				return wrong("--to: %w", err)
			}
			if err := first.checkBefore(to); err != nil {
				return err
			}
			return p.withLedger(cmd.Context(), func(ctx context.Context, l *eventstore.Ledger) error {
				lines := &linePrinter{out: bufio.NewWriterSize(p.out, 1<<16), from: first, json: p.json, shown: isTerminal(p.out)}
				if follow {
					return lines.follow(ctx, l)
				}
				return p.printLines(ctx, l, last, lines)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&from, "from", "", "begin with this `ENTRY`, day or time")
	flags.StringVar(&to, "to", "", "end with this `ENTRY`, day or time")
	flags.BoolVar(&follow, "follow", false, "go on with what is recorded from now on")
	cmd.MarkFlagsMutuallyExclusive("to", "follow")
	return cmd
}

// printLines prints the lines that were known at last, and says so where there
// are none to print.
func (p *program) printLines(ctx context.Context, l *eventstore.Ledger, last projections.AsOf, lines *linePrinter) error {
	tail, err := l.Tail(ctx)
	if err != nil {
		return err
	}
	if last.Entry() > tail {
		return fmt.Errorf("--to %d: the ledger ends at entry %d. Try: an entry up to that, or leave --to out", last.Entry(), tail)
	}
	_, stats, err := p.replay(ctx, l, last, lines)
	if err := errors.Join(err, lines.err, lines.out.Flush()); err != nil {
		return err
	}
	switch {
	case lines.printed:
	case stats.Entries == 0:
		fmt.Fprintln(p.errs, "nothing to print: the ledger has no entry")
	default:
		fmt.Fprintf(p.errs, "nothing to print: the last entry read is %d, recorded %s\n", stats.Entries, stamp(stats.Recorded))
	}
	return nil
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

// linePrinter is a projection that prints every line from a moment on.
type linePrinter struct {
	out   *bufio.Writer
	from  moment
	json  bool
	shown bool // to a person, at a terminal
	zone  *time.Location
	err   error // the first
	// printed is set when a line was.
	printed bool
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

// Apply prints one line.
func (lp *linePrinter) Apply(r *domain.Ruled) {
	if opened, ok := r.Fact.(*domain.LedgerOpened); ok && lp.zone == nil {
		lp.zone, _ = domain.LoadZone(opened.Zone) // the codec has tried it
	}
	if lp.err != nil || !lp.from.reached(r.Position.Entry, r.Recorded, lp.zone) {
		return
	}
	lp.printed = true
	if lp.json {
		lp.err = print.JSONLine(lp.out, lineOf(r.Position, r.Recorded, r.Ruling, r.Line))
		return
	}
	line := r.Line
	if lp.shown {
		line = print.Clean(line)
	}
	_, lp.err = fmt.Fprintf(lp.out, "%s\t%s\t%s\t%s\n", r.Position, stamp(r.Recorded), rulingText(r.Ruling), line)
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
