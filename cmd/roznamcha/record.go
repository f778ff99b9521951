package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

func (p *program) recordCommand() *cobra.Command {
	var c composition
	cmd := &cobra.Command{
		Use:   "record TYPE --source DIARY --subject ID [--occurred PERIOD] [--set MEMBER=VALUE…]\n  roznamcha record FILE\n  roznamcha record -",
		Short: "Record events, and print what is ruled on each",
		Long: `Record one event, put together from flags, or the lines of a file (- for
standard input), each a CloudEvent. A blank line separates submissions; each
submission is recorded whole or not at all. Recording the same event again is
safe: it is ruled a duplicate.

For each event its position, its recorded time, the ruling and its id are
printed, with tabs between. The exit code is 3 where some were refused (the
others are recorded), 1 where all were.

With --set, lists are written with commas, amounts as '250000.00 PKR', members
of members with a dot, and whatever begins with { or [ is JSON.

A mistake is corrected by record.corrected, which names the record and its
current version (roznamcha history prints its id) and replaces all its data.

Types: ` + typeList() + ".",
		Example: `  roznamcha record raid.conducted --source /nccia/karachi --subject 0007 --occurred 2025-06-03 --set place.city=Karachi --set premises=call-centre
  roznamcha record arrest.made --source /nccia/karachi --subject 0007-A1 --occurred 2025-06-03 --set raid=0007 --set persons=3 --set nationality=CN
  roznamcha record recovery.made --source /nccia/karachi --subject 0007-R1 --occurred 2025-06-04 --set raid=0007 --set amount='250000.00 PKR' --set form=cash
  roznamcha record record.corrected --source /nccia/karachi --set record=raid/nccia/karachi/0007 --set amends=$(roznamcha history raid/nccia/karachi/0007 | sed -n 's/.* an amendment names //p') --set reason=data-entry --set replacement.occurred=2025-06-03 --set replacement.place.city=Karachi --set replacement.premises=software-house
  roznamcha record events.jsonl
  roznamcha record - < events.jsonl`,
		Args:                  cobra.ExactArgs(1),
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := p.submissions(cmd, args[0], c)
			if err != nil {
				return err
			}
			defer in.Close()
			return p.withLedger(cmd.Context(), func(ctx context.Context, l *eventstore.Ledger) error {
				return p.withRecorder(ctx, l, func(r *eventstore.Recorder) error {
					return p.record(ctx, r, in)
				})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&c.source, "source", "", "`DIARY` that writes, such as /nccia/karachi")
	flags.StringVar(&c.subject, "subject", "", "the record's `ID` in its diary")
	flags.StringVar(&c.occurred, "occurred", "", "when it happened: a `PERIOD` such as 2025-06-03, 2025-06, 2024-01/2025-06, unknown, or a time")
	flags.StringVar(&c.id, "id", "", "the event's `UUID`; a new one is minted without")
	flags.StringArrayVar(&c.sets, "set", nil, "`MEMBER=VALUE` of the event's data; may be given often")
	return cmd
}

// typeList is the catalogue's types in lines of a help text.
func typeList() string {
	var list strings.Builder
	column := len("Types: ")
	for i, t := range domain.Types() {
		if i > 0 {
			list.WriteString(",")
			if column++; column+len(t.String()) > 78 {
				list.WriteString("\n")
				column = 0
			} else {
				list.WriteString(" ")
				column++
			}
		}
		list.WriteString(t.String())
		column += len(t.String())
	}
	return list.String()
}

// submissions is where record reads from: one event made of flags, a file, or
// standard input.
func (p *program) submissions(cmd *cobra.Command, arg string, c composition) (io.ReadCloser, error) {
	flagged := false
	for _, name := range []string{"source", "subject", "occurred", "id", "set"} {
		flagged = flagged || cmd.Flags().Changed(name)
	}
	switch {
	case flagged:
		if c.source == "" {
			return nil, wrong("--source is missing: the diary that writes. Try: --source /nccia/karachi")
		}
		c.typ = arg
		line, err := c.line(time.Now())
		return io.NopCloser(bytes.NewReader(line)), err
	case arg == "-":
		return io.NopCloser(p.in), nil
	}
	file, err := os.Open(arg)
	if _, known := domain.ParseType(arg); known && errors.Is(err, os.ErrNotExist) {
		return nil, wrong("an event of type %s needs --source, --subject and what the catalogue asks for. Try: roznamcha record --help", arg)
	}
	if err != nil {
		return nil, fmt.Errorf("%w. Try: a file of events, one JSON object a line, or - for standard input", err)
	}
	return file, nil
}

// withRecorder runs a recorder on l for as long as work takes.
func (p *program) withRecorder(ctx context.Context, l *eventstore.Ledger, work func(*eventstore.Recorder) error) error {
	return p.withRulings(ctx, l, nil, work)
}

// withRulings is withRecorder for work that also asks what the ledger holds:
// rulings sees every line of it first, as RecorderConfig says.
func (p *program) withRulings(ctx context.Context, l *eventstore.Ledger, rulings func(*domain.Ruled), work func(*eventstore.Recorder) error) error {
	var reg *domain.Register
	if rulings == nil {
		start, err := p.start(ctx, l, projections.AsOf{})
		if err != nil {
			return err
		}
		if start != nil {
			reg = start.Register
		}
	}
	progress := p.progress("entries read")
	recorder, err := eventstore.NewRecorder(ctx, l, eventstore.RecorderConfig{
		Register: reg,
		Rulings:  rulings,
		Progress: func(entry, tail uint64) { progress.Update(int64(entry), float64(entry)/float64(tail)) },
	})
	progress.Done()
	if err != nil {
		return err
	}
	err = work(recorder)
	return joinOther(err, recorder.Close())
}

// record submits what in holds, one submission after the other: what a later
// one amends may be in an earlier one.
func (p *program) record(ctx context.Context, r *eventstore.Recorder, in io.Reader) error {
	read := submissionReader{in: bufio.NewReaderSize(in, 1<<16)}
	report := recordReport{program: p}
	for {
		submission, err := read.next()
		if err == io.EOF {
			return report.err()
		}
		if err != nil {
			return err
		}
		receipt := tooLarge()
		if submission != nil {
			if receipt, err = r.Record(ctx, submission); err != nil {
				return fmt.Errorf("line %d: %w", read.first, err)
			}
		}
		if err := report.add(receipt, read.first); err != nil {
			return err
		}
	}
}

// mostSubmissionBytes is how much of a submission is held, as it is written:
// white space and all, an entry's worth is far less.
const mostSubmissionBytes = 16 * domain.MaxEntryBytes

// submissionReader cuts its input at blank lines.
type submissionReader struct {
	in    *bufio.Reader
	line  int // lines read
	first int // the number of the first line of the submission at hand
}

// next is the next submission, io.EOF at the end; nil for one that is larger
// than mostSubmissionBytes, of which only the end was looked for.
func (r *submissionReader) next() ([]byte, error) {
	var submission []byte
	began, fits := false, true
	for {
		r.line++
		line, whole, err := r.readLine(mostSubmissionBytes - len(submission))
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("line %d: %w", r.line, err)
		}
		blank := whole && len(bytes.TrimSpace(line)) == 0
		switch {
		case blank || !fits:
		case !whole:
			submission, fits = nil, false
		default:
			submission = append(append(submission, line...), '\n')
		}
		if !blank && !began {
			began, r.first = true, r.line
		}
		switch {
		case began && (blank || err == io.EOF):
			return submission, nil
		case err == io.EOF:
			return nil, io.EOF
		}
	}
}

// readLine is the next line without its line feed; whole is false where it has
// more than most bytes, which are read and forgotten.
func (r *submissionReader) readLine(most int) (line []byte, whole bool, err error) {
	whole = true
	for {
		part, err := r.in.ReadSlice('\n')
		if whole = whole && len(line)+len(part) <= most; whole {
			line = append(line, part...)
		}
		if err != bufio.ErrBufferFull {
			return bytes.TrimSuffix(line, []byte("\n")), whole, err
		}
	}
}

// tooLarge is the receipt for a submission that was not held.
func tooLarge() eventstore.Receipt {
	return eventstore.Receipt{Rulings: []eventstore.LineRuling{{Ruling: domain.Ruling{
		Verdict: domain.Refused, Code: domain.TooLarge, Detail: fmt.Sprintf("a submission has at most %s bytes and %s lines", print.Count(domain.MaxEntryBytes), print.Count(domain.MaxLines)),
	}}}}
}

// recordReport prints receipts and counts what was refused.
type recordReport struct {
	program *program
	events  int
	refused int
}

// add prints one receipt; first is the number of its first line in the input.
func (rr *recordReport) add(receipt eventstore.Receipt, first int) error {
	p := rr.program
	for i, r := range receipt.Rulings {
		rr.events++
		id := ""
		if r.ID != uuid.Nil {
			id = r.ID.String()
		}
		if r.Err() != nil {
			rr.refused++
		}
		if p.json {
			line := lineOf(r.Position, r.Recorded, r.Ruling, "")
			line.ID = id
			if err := print.JSONLine(p.out, line); err != nil {
				return err
			}
			continue
		}
		position, recorded := "-", "-"
		if !r.Position.IsZero() {
			position, recorded = r.Position.String(), stamp(r.Recorded)
		}
		if _, err := fmt.Fprintf(p.out, "%s\t%s\t%s\t%s\n", position, recorded, rulingText(r.Ruling), id); err != nil {
			return err
		}
		if err := r.Err(); err != nil {
			fmt.Fprintf(p.errs, "line %d: %s\n", first+i, print.Clean(cured(err, r.Code)))
		}
	}
	return nil
}

// cured is err with what to try, where it does not say that itself.
func cured(err error, code domain.Code) string {
	message := err.Error()
	switch {
	case strings.Contains(message, "Try: "):
		return message
	case code == domain.UnknownType:
		return message + ". Try: roznamcha record --help, which lists the types"
	}
	return message + ". Try: " + code.Info().Cure
}

// err says how many were refused; each has been told of.
func (rr *recordReport) err() error {
	switch {
	case rr.events == 0:
		return errors.New("there was no event to record. Try: one JSON object a line")
	case rr.refused == 0:
		return nil
	}
	refused := fmt.Errorf("%d of %s refused", rr.refused, print.Plural(rr.events, "event"))
	if rr.refused == rr.events {
		return refused
	}
	fmt.Fprintf(rr.program.errs, "roznamcha record: %v\n", refused)
	return &foundError{}
}
