package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/embedded"
	"roznamcha/projections"
	"roznamcha/projections/sink"
	"roznamcha/projections/worker"
)

func (p *program) statusCommand() *cobra.Command {
	var serverOnly bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how the ledger stands, and where its server is",
		Long: `Show how the ledger stands: its name, its entries, its size on disk, and the
server that keeps it; what readers of the workers' tables find; and the workers
that run, each with its position, its lag and its rate over the last ten
seconds, then those of the last day that answer no more and did not end as they
should, with when they were last seen and where; and the databases that sinks feed,
as each told last: how far it is, and what is parked there. (One that is there no
more is forgotten by nats kv del ` + sink.Bucket + ` with its key, which --json tells.)

With --server only the address of the server that a running "roznamcha serve"
offers on the data directory is printed, with its token, as the nats
command-line client takes it.`,
		Example: `  roznamcha status
  roznamcha status --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if serverOnly {
				return p.printServer()
			}
			if err := p.checkDir(); err != nil {
				return err
			}
			return p.withSession(cmd.Context(), p.status)
		},
	}
	cmd.Flags().BoolVar(&serverOnly, "server", false, "print only the address of the running server, with its token")
	return cmd
}

// printServer prints the address of the server that a running serve offers.
func (p *program) printServer() error {
	if p.remote() {
		return wrong("--server is about the data directory; --nats and --context name a server already")
	}
	nc, err := embedded.Dial(p.dir)
	if err != nil {
		return err
	}
	defer nc.Close()
	url := servedURL(nc)
	if p.json {
		return print.JSON(p.out, map[string]string{"server": url})
	}
	_, err = fmt.Fprintln(p.out, url)
	return err
}

// servedURL is the address of the server that nc was dialled to in a data
// directory, with its token.
func servedURL(nc *nats.Conn) string {
	return strings.Replace(nc.ConnectedUrl(), "://", "://"+nc.Opts.TokenHandler()+"@", 1)
}

// standing is how the ledger stands.
type standing struct {
	// Ledger is how it was opened; nil where it is not open yet.
	Ledger *openedJSON `json:"ledger"`
	eventstore.Status
	// Directory is the data directory, "" for a server that was named; Served
	// tells that another running program keeps it.
	Directory string `json:"directory,omitempty"`
	Served    bool   `json:"served"`
	// HighWater is the last entry that was read, as the file in the data directory
	// says; nil where there is no such file.
	HighWater *eventstore.Mark `json:"high_water,omitempty"`
	// NoRoom is why nothing is recorded here now, "" where there is room.
	NoRoom string `json:"no_room,omitempty"`
	// Tables are what the workers keep, Workers those that answer, and Gone those
	// that do no more; GoneProblem is why these cannot be told.
	Tables      *tablesStanding  `json:"tables,omitempty"`
	Workers     []workerStanding `json:"workers,omitempty"`
	Gone        []worker.Gone    `json:"workers_gone,omitempty"`
	GoneProblem string           `json:"workers_gone_problem,omitempty"`
	// Sinks are the databases that are fed, or were; SinksProblem is why that
	// cannot be told.
	Sinks        []sinkTold `json:"sinks,omitempty"`
	SinksProblem string     `json:"sinks_problem,omitempty"`
	// alarm tells that the ledger has a gap or went back.
	alarm bool
}

// status prints how the ledger stands.
func (p *program) status(ctx context.Context, s *session) error {
	l, err := s.open(ctx)
	if l == nil {
		return p.noLedger(err)
	}
	alarm := err // told after everything that there is
	var is standing
	if !p.remote() {
		is.Directory, is.Served = p.dir, s.server == nil
	}
	if is.Status, err = l.Status(ctx); err != nil {
		return err
	}
	if s.server != nil {
		is.Server.URL = "" // it ends with this command
	}
	opened, err := p.opened(ctx, l, is.Entries)
	if alarm == nil {
		alarm = err
	}
	if opened != nil {
		is.Ledger = newOpenedJSON(opened)
	}
	if mark, err := eventstore.HighWater(s.highWater); err == nil && !mark.IsZero() {
		is.HighWater = &mark
	}
	if s.room != nil {
		if err := s.room(); err != nil {
			is.NoRoom = err.Error()
		}
	}
	if err := is.standingOfWorkers(ctx, s.nc, l); err != nil {
		return err
	}
	if is.Sinks, err = sinksOf(ctx, s.nc, l, is.Status); err != nil {
		is.SinksProblem = err.Error()
	}
	is.alarm = alarm != nil
	show := p.printStanding
	if p.json {
		show = func(is standing) error { return print.JSON(p.out, is) }
	}
	return errors.Join(show(is), alarm)
}

// opened is how the ledger was opened, nearly always by its first entry; nil
// where it is not open yet.
func (p *program) opened(ctx context.Context, l *eventstore.Ledger, tail uint64) (*domain.LedgerOpened, error) {
	if tail == 0 {
		return nil, nil
	}
	reg, _, err := p.replay(ctx, l, projections.AsOfEntry(1))
	if err == nil && reg.Opened() == nil {
		reg, _, err = p.replay(ctx, l, projections.AsOf{})
	}
	if err != nil {
		return nil, err
	}
	return reg.Opened(), nil
}

// printStanding prints it for a person, a line each.
func (p *program) printStanding(is standing) error {
	table := &print.Table{Columns: []print.Column{{}, {}}}
	add := func(name, format string, args ...any) {
		table.Rows = append(table.Rows, []string{name, fmt.Sprintf(format, args...)})
	}
	switch l := is.Ledger; {
	case l != nil:
		add("ledger", "%s · home country %s · zone %s · rules %d", print.Clean(l.Name), l.Country, l.Zone, l.Rules)
	case is.alarm:
		add("ledger", "cannot be read")
	default:
		add("ledger", "not open yet. Try: roznamcha open")
	}
	if is.Entries == 0 {
		add("entries", "0")
	} else {
		add("entries", "%s · %s on disk · the first %s · the last %s", print.Count(is.Entries), size(is.Bytes), stamp(is.First), stamp(is.Last))
	}
	if is.Missing > 0 {
		add("missing", "%s: the ledger has a gap", print.Count(is.Missing))
	}
	switch {
	case is.HighWater != nil:
		add("high water", "entry %s was read", print.Count(is.HighWater.Entry))
	case is.Entries > 0:
		add("high water", "no file here: a lost end of the ledger would not be noticed")
	}
	if is.Directory != "" {
		add("directory", "%s", is.Directory)
	}
	if is.NoRoom != "" {
		add("recording", "refused: %s", is.NoRoom)
	}
	switch {
	case is.Directory != "" && !is.Served:
		add("server", "NATS %s, run by this command; roznamcha serve keeps one running", is.Server.Version)
	default:
		add("server", "NATS %s at %s · %s", is.Server.Version, is.Server.URL, print.Plural(is.Readers, "reader"))
	}
	if is.Replicas > 1 {
		add("replicas", "%d, of which %d have everything · leader %s", is.Replicas, is.Current, is.Leader)
	}
	addTables(add, is.Tables)
	addWorkers(add, is.Workers)
	addGone(add, is.Gone, is.GoneProblem)
	addSinks(add, is.Sinks, is.SinksProblem)
	return table.Write(p.out)
}

// size writes bytes as a person says them.
func size(bytes uint64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"}
	n, i := float64(bytes), 0
	for n >= 1024 && i < len(units)-1 {
		n, i = n/1024, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%d %s", bytes, units[0])
	}
	return fmt.Sprintf("%.1f %s", n, units[i])
}
