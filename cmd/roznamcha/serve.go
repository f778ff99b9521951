package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/metrics"
	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/cmd/roznamcha/internal/service"
	"roznamcha/eventstore"
	"roznamcha/eventstore/embedded"
	"roznamcha/projections"
)

func (p *program) serveCommand() *cobra.Command {
	var q question
	var port int
	var metricsAt string
	cmd := &cobra.Command{
		Use:   "serve [COLUMN…]",
		Short: "Record for whoever asks, and keep totals current",
		Long: `Run the ledger's server on the data directory until interrupted, record what is
asked for over NATS, and keep totals current; with --nats or --context, do so for
the ledger on a server that runs already, where several serves share the work.
Columns, --by, --where and the period are those of totals.

Whoever may publish on record.AGENCY.UNIT can record for that diary, with any
NATS client, such as
  nats --server "$(roznamcha status --server)" request record.nccia.karachi EVENT
The answer says for every event what became of it; check.AGENCY.UNIT answers, for
each submission alone, as the ledger stands now, and records nothing. nats
service info roznamcha tells more. Other commands on the same directory find this
server and connect.

The address that status --server prints is the directory's: a serve that starts
again has the same, so that clients that reconnect for ever find it, unless
another program has taken the port meanwhile. Where --port names one, serve does
not start then. To change the token, delete the file address in the data
directory and start serve again. A directory that was copied or moved has an
address of its own.

Standard error says, in a line a second at most, how much was refused or left
unanswered, and why.

Now and then, and when it ends, it saves a snapshot of its state in the data
directory, so that the next start reads only what came after that. A snapshot may
be deleted at any time.

At a terminal the table is drawn anew when something changes; otherwise a line
is printed for a change, at most once a second.`,
		Example: `  roznamcha serve
  roznamcha serve --by city
  roznamcha serve --metrics 127.0.0.1:0`,
		RunE: func(cmd *cobra.Command, args []string) error {
			query, err := q.parse(args)
			if err != nil {
				return err
			}
			if port < 0 || port > 65535 {
				return wrong("--port %d: there is no such port", port)
			}
			return p.serve(cmd.Context(), query, port, metricsAt)
		},
	}
	q.flags(cmd)
	cmd.Flags().IntVar(&port, "port", 0, "`PORT` on 127.0.0.1 to listen on; that of the last time without, or any that is free")
	cmd.Flags().StringVar(&metricsAt, "metrics", "", "`ADDRESS` to offer metrics for Prometheus at, such as 127.0.0.1:9464")
	return cmd
}

// serve runs until ctx ends, which is how it should.
func (p *program) serve(ctx context.Context, q projections.Query, port int, metricsAt string) error {
	s, err := p.connectServing(port)
	if err != nil {
		return err
	}
	err = p.serveSession(ctx, s, q, metricsAt)
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
	server, err := embedded.Start(p.dir, embedded.Options{Port: port, Serving: true, Wait: busyPatience})
	if err != nil {
		return nil, err
	}
	nc, err := server.Connect()
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	return p.ownSession(nc, server), nil
}

func (p *program) serveSession(ctx context.Context, s *session, q projections.Query, metricsAt string) error {
	l, err := s.open(ctx)
	if err != nil {
		return p.noLedger(err)
	}
	live := newLive(q)
	keeper := &snapshots{p: p, path: p.snapshotPath(), live: live}
	reg, err := keeper.start(ctx, l)
	if err != nil {
		return err
	}
	if err := p.announceReading(ctx, l, live.stats.Entries); err != nil {
		return err
	}
	progress, appends := p.progress("entries"), metrics.NewAppends()
	live.recorder, err = eventstore.NewRecorder(ctx, l, eventstore.RecorderConfig{
		Register: reg,
		Trouble:  p.tellOfTrouble,
		Rulings:  live.apply,
		Appended: appends.Add,
		Progress: func(entry, tail uint64) { progress.Update(int64(entry), float64(entry)/float64(tail)) },
	})
	progress.Done()
	if err != nil {
		return err
	}
	aside := &asides{errs: p.errs}
	err = offer(s.nc, live.recorder, aside, func(recording *service.Service) error {
		offered, err := p.offerMetrics(metricsAt, func(ctx context.Context) metrics.Sample {
			return p.sampleServe(ctx, l, live, recording, appends)
		})
		if err != nil {
			return err
		}
		defer offered()
		p.announce(s, live)
		tellOfServer(s.nc, aside)
		defer keeper.run()()
		return p.showLive(ctx, live, aside)
	})
	if err == nil {
		keeper.end()
	}
	return wentAway(joinOther(err, live.recorder.Close()))
}

// announceReading says that there is something to read first: requests find
// nobody until then. What is up to last is known already.
func (p *program) announceReading(ctx context.Context, l *eventstore.Ledger, last uint64) error {
	tail, err := l.Tail(ctx)
	if err == nil && tail > last {
		fmt.Fprintf(p.errs, "reading %s; recording begins after that\n", print.Plural(tail-last, "entry"))
	}
	return err
}

// tellOfTrouble says that the high-water file cannot be written, and that it can
// again: recording goes on meanwhile, with nothing that would notice a loss.
func (p *program) tellOfTrouble(err error) {
	if err == nil {
		fmt.Fprintln(p.errs, "the high-water file can be written again")
		return
	}
	fmt.Fprintln(p.errs, print.Clean(err.Error()))
}

// stopPatience is how long those who have asked may wait for their answers when
// serve is interrupted.
const stopPatience = 5 * time.Second

// offer lets others record over nc for as long as work takes, and answers what
// was asked until then. log is told what is refused.
func offer(nc *nats.Conn, recorder *eventstore.Recorder, log io.Writer, work func(*service.Service) error) error {
	offered, err := service.Start(nc, recorder, service.Options{Version: version(), Log: log})
	if err != nil {
		return err
	}
	err = work(offered)
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	return errors.Join(err, offered.Stop(ctx))
}

// announce says where the server is, how to record there, and what is not as it
// should be; also to who does not sit at a terminal, because nobody can do without.
func (p *program) announce(s *session, live *liveTotals) {
	fmt.Fprintf(p.errs, "serving %s, up to entry %s\n", p.served(s), print.Count(live.last()))
	fmt.Fprintf(p.errs, "record: nats %s request record.AGENCY.UNIT EVENT\n", p.natsFlag(s))
	if s.server == nil {
		fmt.Fprintln(p.errs, "what is acknowledged is on disk only where that server has sync_interval: always")
	}
	if !s.keeps {
		fmt.Fprintln(p.errs, "no high-water file is kept: nobody notices when the ledger loses its end. Try: --dir DIRECTORY, which keeps one")
	}
	if s.room == nil {
		return
	}
	if err := s.room(); err != nil {
		fmt.Fprintf(p.errs, "nothing can be recorded: %s\n", print.Clean(err.Error()))
	}
}

// served is what s serves: a data directory and its address, or a ledger
// elsewhere.
func (p *program) served(s *session) string {
	if s.server == nil {
		return "the ledger at " + eventstore.WithoutSecret(s.nc.ConnectedUrl())
	}
	return p.dir + " at " + eventstore.WithoutSecret(s.server.URL())
}

// natsFlag is how the nats command-line client finds the server of s.
func (p *program) natsFlag(s *session) string {
	switch {
	case p.context != "":
		return "--context " + shellWord(p.context)
	case s.server == nil:
		return "--server " + shellWord(eventstore.WithoutSecret(s.nc.ConnectedUrl()))
	}
	return fmt.Sprintf(`--server "$(%s status --server --dir %s)"`, ownName(), shellWord(p.dir))
}

// tellOfServer says from now on when the server goes away and when it is back:
// the totals stand still meanwhile, and nothing else would show it.
func tellOfServer(nc *nats.Conn, to io.Writer) {
	nc.SetDisconnectErrHandler(func(nc *nats.Conn, _ error) {
		if !nc.IsClosed() {
			fmt.Fprintln(to, "the server cannot be reached; the totals are as of before, and go on when it is back")
		}
	})
	nc.SetReconnectHandler(func(nc *nats.Conn) {
		fmt.Fprintf(to, "the server is back, at %s\n", eventstore.WithoutSecret(nc.ConnectedUrl()))
	})
}
