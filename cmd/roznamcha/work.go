package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/metrics"
	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/eventstore/embedded"
	"roznamcha/projections"
	"roznamcha/projections/worker"
)

func (p *program) workCommand() *cobra.Command {
	var tables []string
	var metricsAt string
	var asVersion int
	cmd := &cobra.Command{
		Use:   "work",
		Short: "Keep tables of totals current for other programs",
		Long: `Keep tables of totals current in the key-value bucket ` + worker.Bucket + `, and
answer questions over NATS, until interrupted. The ledger must be served:
roznamcha serve, or --nats or --context. Any number of workers may run, be
killed and be started again: they share nothing but the bucket, and none ever
puts an older table over a newer one.

A key is ` + worker.Prefix(projections.TotalsVersion) + `.NAME: the projection, the version of the rules, that of the
projection, and the table. Its value is the table as totals --json prints it,
with a stamp: the last entry that went in, its SHA-256 and the state hash.
  nats --server "$(roznamcha status --server)" kv watch ` + worker.Bucket + `
A table is published at most every 200 ms when a cell has changed, and each
second when only the entry has moved. One that is larger than the server carries
(1 MiB) is not published: its key says so.

Without --table there are the tables all, agency, city, year and month.
--table NAME is one of them, --table NAME='QUERY' any other: columns and flags as
totals takes them. Workers with the same name must have the same query.

Questions go to the subject ` + worker.QuerySubject + `, as JSON; any worker answers:
  nats --server "$(roznamcha status --server)" request ` + worker.QuerySubject + ` \
    '{"by":"city","at_least":"1234:2","within":"5s"}'
at_least is an entry or a receipt's position that must be in the table; what has
not come within that time is answered not-yet, with the entry that the totals
stand at.

A new version of the totals is built while the old one is read: start the new
program's work beside the old one's, wait until roznamcha status shows it without
a lag, then roznamcha promote. Stop the old program's work when it has moved.`,
		Example: `  roznamcha work
  roznamcha work --table city --table karachi='recovered --by month --where city=Karachi'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config := worker.Config{Version: asVersion, Program: version(), Log: p.errs}
			for _, text := range tables {
				t, err := parseTable(text)
				if err != nil {
					return err
				}
				config.Tables = append(config.Tables, t)
			}
			return p.work(cmd.Context(), config, metricsAt)
		},
	}
	cmd.Flags().StringArrayVar(&tables, "table", nil, "keep the table `NAME[=QUERY]`; may be given again and again")
	cmd.Flags().StringVar(&metricsAt, "metrics", "", "`ADDRESS` to offer metrics for Prometheus at, such as 127.0.0.1:9464")
	cmd.Flags().IntVar(&asVersion, "as-version", 0, "publish as another version of the totals, to rehearse a rebuild")
	_ = cmd.Flags().MarkHidden("as-version") // it is there
	return cmd
}

// parseTable reads NAME, one of the default tables, or NAME=QUERY.
func parseTable(text string) (t worker.Table, err error) {
	name, query, given := strings.Cut(text, "=")
	if err := worker.CheckName(name); err != nil {
		return t, &wrongUse{err}
	}
	if !given {
		var names []string
		for _, t := range worker.DefaultTables() {
			if t.Name == name {
				return t, nil
			}
			names = append(names, t.Name)
		}
		return t, wrong("table %s: no such table is known. Try: one of %s, or --table %s='--by %s'", name, strings.Join(names, ", "), name, projections.City)
	}
	words, err := splitWords(query)
	if err != nil {
		return t, wrong("table %s: %w", name, err)
	}
	var q question
	cmd := &cobra.Command{}
	q.flags(cmd)
	if err := cmd.ParseFlags(words); err != nil {
		return t, wrong("table %s: %w. Try: columns and flags as roznamcha totals takes them", name, err)
	}
	t.Name = name
	t.Query, err = q.parse(cmd.Flags().Args())
	return t, err
}

// splitWords splits a query as a shell would: at spaces, but for those in quotes.
func splitWords(s string) (words []string, err error) {
	var word strings.Builder
	inside, quote := false, rune(0)
	for _, r := range s {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			inside, quote = true, r
		case quote == 0 && r == ' ':
			if inside {
				words = append(words, word.String())
			}
			inside = false
			word.Reset()
		default:
			inside = true
			word.WriteRune(r)
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quotation mark %c is not closed", quote)
	}
	if inside {
		words = append(words, word.String())
	}
	return words, nil
}

// work runs until ctx ends, which is how it should.
func (p *program) work(ctx context.Context, config worker.Config, metricsAt string) error {
	s, err := p.connectServed()
	if err != nil {
		return err
	}
	err = p.workSession(ctx, s, config, metricsAt)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, s.close())
}

// connectServed connects to the server that was named, or that a running serve
// offers: what is published to a server of one command's own, nobody sees.
func (p *program) connectServed() (*session, error) {
	if p.remote() {
		return p.connectNamed()
	}
	if err := p.checkDir(); err != nil {
		return nil, err
	}
	nc, err := embedded.Dial(p.dir)
	if err != nil {
		return nil, err
	}
	return &session{nc: nc, room: p.room, highWater: p.highWater()}, nil
}

func (p *program) workSession(ctx context.Context, s *session, config worker.Config, metricsAt string) error {
	l, err := s.open(ctx)
	if err != nil {
		return p.noLedger(err)
	}
	progress := p.progress("entries")
	config.Progress = func(entry, tail uint64) { progress.Update(int64(entry), float64(entry)/float64(tail)) }
	config.Start = func(ctx context.Context, kept ...projections.Kept) (*projections.Start, error) {
		return p.start(ctx, l, projections.AsOf{}, kept...)
	}
	var w *worker.Worker
	config.Ready = func() {
		progress.Done()
		p.announceWork(s, w.Status())
	}
	if w, err = worker.New(s.nc, l, config); err != nil {
		return &wrongUse{err}
	}
	offered, err := p.offerMetrics(metricsAt, func(ctx context.Context) metrics.Sample {
		return p.sampleWork(ctx, l, w)
	})
	if err != nil {
		return err
	}
	defer offered()
	tellOfServer(s.nc, p.errs)
	return wentAway(w.Run(ctx))
}

// announceWork says what is kept where.
func (p *program) announceWork(s *session, is worker.Status) {
	names := make([]string, len(is.Tables))
	for i, t := range is.Tables {
		names[i] = t.Name
	}
	fmt.Fprintf(p.errs, "working on %s, up to entry %s\n", p.served(s), print.Count(is.Stats.Entries))
	fmt.Fprintf(p.errs, "tables: %s.* in bucket %s: %s\n", is.Prefix, worker.Bucket, strings.Join(names, ", "))
}
