package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/embedded"
	"roznamcha/projections"
)

func (p *program) serveCommand() *cobra.Command {
	var q question
	var port int
	cmd := &cobra.Command{
		Use:   "serve [COLUMN…]",
		Short: "Keep the ledger's server running, with live totals",
		Long: `Run the ledger's server on the data directory until interrupted, and keep totals
of it current; with --nats or --context, keep totals of the ledger on a server
that runs already. Columns, --by, --where and the period are those of totals.

Other commands on the same directory find this server and connect. A trusted
writer can publish straight to a diary with any NATS client, such as
  nats --server "$(roznamcha status --server)" pub ledger.diary.nccia.karachi EVENT

At a terminal the table is drawn anew when something changes; otherwise a line
is printed for a change, at most once a second.`,
		Example: `  roznamcha serve
  roznamcha serve --by city`,
		RunE: func(cmd *cobra.Command, args []string) error {
			query, err := q.parse(args)
			if err != nil {
				return err
			}
			if port < 0 || port > 65535 {
				return wrong("--port %d: there is no such port", port)
			}
			return p.serve(cmd.Context(), query, port)
		},
	}
	q.flags(cmd)
	cmd.Flags().IntVar(&port, "port", 0, "`PORT` on 127.0.0.1 to listen on; any that is free without")
	return cmd
}

// serve runs until ctx ends, which is how it should.
func (p *program) serve(ctx context.Context, q projections.Query, port int) error {
	s, err := p.connectServing(port)
	if err != nil {
		return err
	}
	err = p.serveSession(ctx, s, q)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, s.close())
}

// connectServing starts a server that lets others in, or connects to one that
// was named.
func (p *program) connectServing(port int) (*session, error) {
	if p.remote() {
		return p.connectNamed()
	}
	if err := p.checkDir(); err != nil {
		return nil, err
	}
	server, err := embedded.Start(p.dir, embedded.Options{Port: port, Serving: true, Wait: busyPatience, Reserve: readReserve})
	if err != nil {
		return nil, err
	}
	nc, err := server.Connect()
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	return p.ownSession(nc, server), nil
}

func (p *program) serveSession(ctx context.Context, s *session, q projections.Query) error {
	l, err := s.open(ctx)
	if err != nil {
		return p.noLedger(err)
	}
	live := &liveTotals{totals: projections.NewTotals(), exceptions: projections.NewExceptions(), query: q}
	progress := p.progress("entries")
	live.recorder, err = eventstore.NewRecorder(ctx, l, eventstore.RecorderConfig{
		Rulings:  live.apply,
		Progress: func(entry, tail uint64) { progress.Update(int64(entry), float64(entry)/float64(tail)) },
	})
	progress.Done()
	if err != nil {
		return err
	}
	p.announce(s, live)
	p.tellOfServer(s.nc)
	return wentAway(joinOther(p.showLive(ctx, live), live.recorder.Close()))
}

// announce says where the server is and how to publish to it; also to who does
// not sit at a terminal, because nobody can do without.
func (p *program) announce(s *session, live *liveTotals) {
	upTo := "up to entry " + print.Count(live.last())
	if s.server == nil {
		fmt.Fprintf(p.errs, "live totals of the ledger at %s, %s\n", s.nc.ConnectedUrlRedacted(), upTo)
		return
	}
	fmt.Fprintf(p.errs, "serving %s at %s, %s\n", p.dir, redacted(s.server.URL()), upTo)
	fmt.Fprintf(p.errs, "publish: nats --server \"$(%s status --server --dir %s)\" pub ledger.diary.AGENCY.UNIT EVENT\n", ownName(), shellWord(p.dir))
}

// tellOfServer says from now on when the server goes away and when it is back:
// the totals stand still meanwhile, and nothing else would show it.
func (p *program) tellOfServer(nc *nats.Conn) {
	nc.SetDisconnectErrHandler(func(nc *nats.Conn, _ error) {
		if !nc.IsClosed() {
			fmt.Fprintln(p.errs, "the server cannot be reached; the totals are as of before, and go on when it is back")
		}
	})
	nc.SetReconnectHandler(func(nc *nats.Conn) {
		fmt.Fprintf(p.errs, "the server is back, at %s\n", nc.ConnectedUrlRedacted())
	})
}

// redacted is url without its token.
func redacted(url string) string {
	scheme, rest, _ := strings.Cut(url, "://")
	if _, host, ok := strings.Cut(rest, "@"); ok {
		rest = host
	}
	return scheme + "://" + rest
}

// liveTotals are projections that a recorder keeps current. They belong to the
// recorder's reader; who else looks at them does so within recorder.View.
type liveTotals struct {
	recorder   *eventstore.Recorder
	totals     *projections.Totals
	exceptions *projections.Exceptions
	query      projections.Query
	// changed is set when a ruling came and taken back when it was shown.
	changed atomic.Bool
}

func (live *liveTotals) apply(r *domain.Ruled) {
	live.totals.Apply(r)
	live.exceptions.Apply(r)
	live.changed.Store(true)
}

// last is the number of the last entry.
func (live *liveTotals) last() (entry uint64) {
	live.recorder.View(func(reg *domain.Register) { entry = reg.Last() })
	return entry
}

// liveView is what is shown of it at one moment.
type liveView struct {
	Table      *projections.Table           `json:"table"`
	Exceptions []projections.ExceptionCount `json:"exceptions"`
}

func (live *liveTotals) view() (v liveView, err error) {
	live.recorder.View(func(reg *domain.Register) {
		if v.Table, err = live.totals.Query(live.query); err == nil {
			v.Table.Cite(reg)
			v.Exceptions = live.exceptions.Counts(0)
		}
	})
	return v, err
}

// standing is how many exceptions stand.
func (v liveView) standing() (n int) {
	for _, c := range v.Exceptions {
		n += c.Standing
	}
	return n
}

// How often a change is shown at most: to a person, and as a line.
const (
	drawEvery = 200 * time.Millisecond
	lineEvery = time.Second
)

// showLive shows the totals as they are and whenever they have changed, until
// ctx or the recorder ends.
func (p *program) showLive(ctx context.Context, live *liveTotals) error {
	show, every := p.logLive, lineEvery
	if isTerminal(p.out) && !p.json {
		screen := &screen{program: p}
		show, every = screen.draw, drawEvery
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for first := true; ; first = false {
		if live.changed.Swap(false) || first {
			v, err := live.view()
			if err != nil {
				return err
			}
			if err := show(v); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-live.recorder.Done():
			return live.recorder.Err()
		case <-ticker.C:
		}
	}
}

// logLive prints one line: the entry, the totals, how many exceptions.
func (p *program) logLive(v liveView) error {
	if p.json {
		return print.JSONLine(p.out, v)
	}
	parts := []string{fmt.Sprintf("entry %d", v.Table.Citation.Entry)}
	if recorded := v.Table.Citation.Recorded; !recorded.IsZero() {
		parts = append(parts, recorded.UTC().Format(time.RFC3339))
	}
	for i, c := range v.Table.Columns {
		name := c.Label
		if c.Group != "" {
			name = strings.TrimPrefix(c.Label+" "+c.Group, "all ")
		}
		parts = append(parts, name+" "+v.Table.Total.Cells[i].Text)
	}
	parts = append(parts, print.Plural(v.standing(), "exception"))
	_, err := fmt.Fprintln(p.out, print.Clean(strings.Join(parts, " · ")))
	return err
}

// screen draws the totals over what it has drawn before.
type screen struct {
	program *program
	lines   int // that stand on the screen
}

func (s *screen) draw(v liveView) error {
	var b strings.Builder
	if err := printTotals(&b, v.Table); err != nil {
		return err
	}
	b.WriteString(print.Plural(v.standing(), "exception"))
	if v.standing() > 0 {
		b.WriteString(": roznamcha exceptions tells which")
	}
	b.WriteString("\n")
	up := ""
	if s.lines > 0 {
		up = fmt.Sprintf("\x1b[%dA\x1b[J", s.lines)
	}
	s.lines = rowsOf(b.String(), s.width())
	_, err := fmt.Fprint(s.program.out, up+b.String())
	return err
}

// width is how many columns the terminal has; 0 where it does not say.
func (s *screen) width() int {
	if f, ok := s.program.out.(interface{ Fd() uintptr }); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return width
		}
	}
	return 0
}

// rowsOf is how many rows of a terminal shown takes, with lines that are too
// long for it wrapped.
func rowsOf(shown string, width int) (rows int) {
	for line := range strings.Lines(shown) {
		rows++
		if columns := text.StringWidthWithoutEscSequences(strings.TrimSuffix(line, "\n")); width > 0 && columns > width {
			rows += (columns - 1) / width
		}
	}
	return rows
}
