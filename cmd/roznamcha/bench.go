package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/bench"
	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/projections"
)

func (p *program) benchCommand() *cobra.Command {
	c := bench.Config{Version: version(), Serve: servesRulings}
	var csv bool
	var profile string
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure recording and replay on this machine, beside bare JetStream",
		Long: `Measure, on servers of its own that sync every write, with the same events and
in turns: recording single events by many publishers, each with a diary of its
own, in process and over the network; bulk submissions; replay into totals; bytes
on disk and in memory; the start of a recorder. Beside recording stands what the
server alone does with the same bytes in the same round, beside replay a consumer
that does nothing, and the ratio: on a busy machine the figures move, their ratios
less. Size and start stand alone.

Single events are held against raw, which is bare JetStream: with one publisher
and with as many, who wait for each acknowledgement, and asynchronous with one
publisher, who has 500 messages on their way. One raw is measured even where
nobody asks for it. Raw, then read, is one publisher who after each acknowledgement
waits until a live reader has the message too: a receipt is the ruling of the
recorder's own reader, and so much that costs by itself.

A recorder is started without a snapshot and reads the whole ledger, where serve
begins with its last one. What is in memory is the live heap after a collection.

The stores are in a new directory beside --dir, so on the disk that a ledger there
would be on, and are removed at the end. In the end the ledgers are replayed and
must hold what was answered accepted, each event once.

Names, as in --json and --csv, say what is measured: append, bulk, replay, size,
start, and under these append/service/64, for example.`,
		Example: `  roznamcha bench
  roznamcha bench --only append/raw-network/1,append/service --rounds 20 --json
  roznamcha bench --only start --events 5000000`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.oneFormat(csv); err != nil {
				return err
			}
			if p.remote() {
				return wrong("bench fills ledgers of its own on servers of its own, never one that is somebody's. Try: roznamcha bench, without --nats and --context")
			}
			if err := checkBench(c); err != nil {
				return err
			}
			return profiled(profile, func() error { return p.bench(cmd.Context(), c, csv) })
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&c.Rounds, "rounds", 3, "measure everything `N` times, in turns")
	flags.DurationVar(&c.For, "for", 200*time.Millisecond, "measure each way of appending for a `TIME` in each round, and until there are four answers for each publisher")
	flags.IntVar(&c.Events, "events", 200_000, "have `N` events in the ledgers that are read (at most "+print.Count(bench.MostSingle)+" where each is an entry)")
	flags.IntSliceVar(&c.Publishers, "publishers", []int{1, 16, 64, 256}, "`NUMBERS` of publishers of single events, each once")
	flags.IntVar(&c.Connections, "connections", 0, "have publishers over the network share `N` TCP connections (default one each)")
	flags.StringSliceVar(&c.Only, "only", nil, "measure only what is called so, and what it is held against; `NAMES` with commas between")
	flags.BoolVar(&csv, "csv", false, "print CSV")
	flags.StringVar(&profile, "cpuprofile", "", "write where the time goes to `FILE`, for go tool pprof")
	if err := flags.MarkHidden("cpuprofile"); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}

// servesRulings is where a serve that begins would hand its rulings.
func servesRulings() func(*domain.Ruled) { return newLive(projections.Query{}).apply }

// The limits of what can be asked for: more is a mistake.
const (
	mostRounds     = 1000
	mostFor        = time.Hour
	mostEvents     = 100_000_000
	mostPublishers = 10_000
)

func checkBench(c bench.Config) error {
	switch {
	case c.Rounds < 1 || c.Rounds > mostRounds:
		return wrong("--rounds %d: want 1 to %d", c.Rounds, mostRounds)
	case c.For <= 0 || c.For > mostFor:
		return wrong("--for %v: want more than nothing and at most %v", c.For, mostFor)
	case c.Events < 1 || c.Events > mostEvents:
		return wrong("--events %d: want 1 to %d", c.Events, mostEvents)
	}
	if c.Connections < 0 {
		return wrong("--connections %d: want a number of connections, or 0 for one each", c.Connections)
	}
	for i, n := range c.Publishers {
		if n < 1 || n > mostPublishers {
			return wrong("--publishers %d: want 1 to %d", n, mostPublishers)
		}
		if slices.Contains(c.Publishers[:i], n) {
			return wrong("--publishers: %d is there twice, want each number once", n)
		}
	}
	return nil
}

// bench measures in a directory of its own, which it removes, and prints.
func (p *program) bench(ctx context.Context, c bench.Config, csv bool) (err error) {
	parent, err := filepath.Abs(filepath.Dir(filepath.Clean(p.dir)))
	if err != nil {
		return err
	}
	if c.Dir, err = os.MkdirTemp(parent, "roznamcha-bench-"); err != nil {
		return fmt.Errorf("%w. Try: --dir DIRECTORY/data, where DIRECTORY is on the disk to be measured and can be written to", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.Dir)) }()
	p.note("measuring in %s", c.Dir)
	progress := p.progress("measurements")
	c.Progress = func(done, all int) { progress.Update(int64(done), float64(done)/float64(all)) }
	report, err := bench.Run(ctx, c)
	progress.Done()
	switch {
	case errors.Is(err, bench.ErrNothing):
		return wrong("--only %w. Try: append, bulk, replay, size or start; --publishers has the numbers of publishers", err)
	case err != nil:
		return err
	case p.json:
		return print.JSON(p.out, report)
	case csv:
		return benchCSV(p.out, report)
	}
	return printBench(p.out, report)
}

// profiled works, and writes the CPU profile of it where path is given.
func profiled(path string, work func() error) error {
	if path == "" {
		return work()
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return errors.Join(err, f.Close())
	}
	err = work()
	pprof.StopCPUProfile()
	return errors.Join(err, f.Close())
}

// benchTable is one of the tables that the results are printed in: those whose
// names begin so, and the columns that are different from table to table.
type benchTable struct {
	group, title string
	columns      []benchColumn
}

// benchColumn is a column of a benchTable.
type benchColumn struct {
	head   string
	number bool
	cell   func(*bench.Result) string
}

var (
	whatColumn       = benchColumn{"", false, func(r *bench.Result) string { return r.What }}
	publishersColumn = benchColumn{"publishers", true, func(r *bench.Result) string { return print.Count(r.Publishers) }}
	eachColumn       = benchColumn{"events each", true, func(r *bench.Result) string { return print.Count(r.Each) }}
	unitColumn       = benchColumn{"", false, func(r *bench.Result) string { return r.Unit }}
	eventsColumn     = benchColumn{"events", true, func(r *bench.Result) string { return print.Count(r.Events) }}
	cpuColumn        = benchColumn{"CPU µs", true, func(r *bench.Result) string {
		if r.CPU == 0 {
			return ""
		}
		return threeDigits(r.CPU)
	}}
	perEntryColumn = benchColumn{"events/entry", true, func(r *bench.Result) string {
		if r.PerEntry == 0 {
			return ""
		}
		return strconv.FormatFloat(r.PerEntry, 'f', 1, 64)
	}}
)

// figureColumns are the figure, and its least and most of all rounds.
func figureColumns(head string) []benchColumn {
	return []benchColumn{
		{head, true, func(r *bench.Result) string {
			if r.Spread == nil {
				return "not measured: " + r.Missing
			}
			return figure(r.Unit, r.Median)
		}},
		{"least", true, func(r *bench.Result) string {
			if r.Spread == nil {
				return ""
			}
			return figure(r.Unit, r.Least)
		}},
		{"most", true, func(r *bench.Result) string {
			if r.Spread == nil {
				return ""
			}
			return figure(r.Unit, r.Most)
		}},
	}
}

// ratioColumn is the ratio to one of a result's baselines, with its least and most.
func ratioColumn(head string, to bench.Baseline) benchColumn {
	return benchColumn{head, true, func(r *bench.Result) string {
		for _, held := range r.Ratios {
			if held.Baseline == to {
				return fmt.Sprintf("%s (%s–%s)", threeDigits(held.Median), threeDigits(held.Least), threeDigits(held.Most))
			}
		}
		return ""
	}}
}

var benchTables = []benchTable{
	{"append/", "single events, each publisher with a diary of its own, durable when answered; raw is bare JetStream", slices.Concat(
		[]benchColumn{whatColumn, publishersColumn}, figureColumns("events/s"), []benchColumn{cpuColumn, perEntryColumn,
			ratioColumn("of one raw", bench.OneRaw), ratioColumn("of as many", bench.AsManyRaw), ratioColumn("of one async", bench.OneAsync)})},
	{"bulk/", "bulk submissions by one publisher, durable when answered; raw is bare JetStream, as many bytes in one message", slices.Concat(
		[]benchColumn{whatColumn, eachColumn}, figureColumns("events/s"), []benchColumn{cpuColumn, ratioColumn("of raw", bench.OneRaw)})},
	{"replay/", "replay of the whole ledger, by how many events there are in an entry", slices.Concat(
		[]benchColumn{whatColumn, eachColumn, eventsColumn}, figureColumns("events/s"), []benchColumn{cpuColumn, ratioColumn("of doing nothing", bench.DoingNothing)})},
	{"size/", "bytes an event, by how many there are in an entry", slices.Concat(
		[]benchColumn{whatColumn, eachColumn, eventsColumn}, figureColumns("bytes"))},
	{"start/", "start of a recorder without a snapshot, file cache warm: it reads the whole ledger, where serve begins with its last snapshot", slices.Concat(
		[]benchColumn{whatColumn, eachColumn, eventsColumn}, figureColumns("figure"), []benchColumn{unitColumn, cpuColumn})},
}

// printBench prints a report for a person.
func printBench(w io.Writer, report *bench.Report) error {
	for _, line := range benchHead(report) {
		if _, err := fmt.Fprintln(w, print.Clean(line)); err != nil {
			return err
		}
	}
	for _, t := range benchTables {
		if err := t.write(w, report); err != nil {
			return err
		}
	}
	for _, proof := range report.Proofs {
		if _, err := fmt.Fprintf(w, "the ledger %s replays to %s in %s, %s: what was answered accepted, each once\n",
			proof.Ledger, print.Plural(proof.Events, "event"), print.Plural(proof.Entries, "entry"), print.Plural(proof.Persons, "person")); err != nil {
			return err
		}
	}
	return nil
}

func (t benchTable) write(w io.Writer, report *bench.Report) error {
	table := &print.Table{}
	for _, c := range t.columns {
		table.Columns = append(table.Columns, print.Column{Head: c.head, Number: c.number})
	}
	for _, r := range report.Results {
		if !strings.HasPrefix(r.Name, t.group) {
			continue
		}
		var row []string
		for _, c := range t.columns {
			row = append(row, c.cell(r))
		}
		table.Rows = append(table.Rows, row)
	}
	if len(table.Rows) == 0 {
		return nil
	}
	if _, err := fmt.Fprintf(w, "\n%s\n", t.title); err != nil {
		return err
	}
	return table.Write(w)
}

// benchHead says what was measured on what: a figure without that says nothing.
func benchHead(r *bench.Report) []string {
	disk := r.Store.FileSystem
	if disk == "" {
		disk = "file system unknown"
	}
	lines := []string{
		fmt.Sprintf("roznamcha %s · %s · NATS server %s · nats.go %s", r.Versions.Roznamcha, r.Versions.Go, r.Versions.NATSServer, r.Versions.NATSGo),
		fmt.Sprintf("%s · %s · %s/%s · GOGC %d", print.Plural(r.Machine.Cores, "core"), orUnknown(r.Machine.CPU, "CPU"), r.Machine.OS, r.Machine.Arch, r.Machine.GC),
		fmt.Sprintf("sync %s · %s in %s", syncMeans(r.Store), disk, r.Store.Directory),
		fmt.Sprintf("medians of %s (least–most), appending measured for at least %s each · events of %.0f bytes, from seed %d · took %s",
			print.Plural(r.Rounds, "round"), r.For, r.EventBytes, r.Seed, print.Duration(r.Took)),
		"server, recorder, service and publishers are in one process and share its cores",
		"CPU µs, what an event took of one core, and events/entry, which counts the warm-up too, are means of all rounds",
	}
	if r.Connections > 0 {
		lines = append(lines, "publishers over the network share "+print.Plural(r.Connections, "connection"))
	}
	if r.Store.InMemory {
		lines = append(lines, "NO DISK: "+disk+" is in memory, where a sync costs nothing and means nothing; appending says nothing here. Try: --dir on a disk")
	}
	return lines
}

// syncMeans says when the servers sync and, where that means anything, what it
// means.
func syncMeans(s bench.Store) string {
	switch {
	case s.InMemory:
		return s.Sync
	case s.Sync == "always":
		return s.Sync + ": a write is acknowledged when it is on disk"
	}
	return s.Sync + ": what is acknowledged may not be on disk"
}

func orUnknown(s, what string) string {
	if s == "" {
		return what + " unknown"
	}
	return s
}

// figure writes a figure with three digits that count, or all before the point.
func figure(unit string, f float64) string {
	if unit != "s" || f >= 100 {
		return print.Count(int64(f + 0.5))
	}
	return threeDigits(f)
}

// threeDigits writes three digits that count.
func threeDigits(f float64) string {
	switch {
	case f < 1:
		return strconv.FormatFloat(f, 'f', 3, 64)
	case f < 10:
		return strconv.FormatFloat(f, 'f', 2, 64)
	case f < 100:
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	return strconv.FormatFloat(f, 'f', 0, 64)
}

// benchCSV prints a row for each result and one for each ratio, and in all of
// them on what it was measured and how. Without connections each publisher over
// the network had one.
func benchCSV(w io.Writer, report *bench.Report) error {
	head := []string{"name", "what", "publishers", "events_each", "events", "unit", "baseline", "to", "median", "least", "most", "rounds", "cpu_us_per_event", "events_per_entry", "missing",
		"for_ns", "connections", "event_bytes", "sync", "file_system", "in_memory",
		"roznamcha", "nats_server", "nats_go", "go", "cpu", "cores", "gogc"}
	on := []string{strconv.FormatInt(report.For.Nanoseconds(), 10), positive(report.Connections), plain(report.EventBytes),
		report.Store.Sync, report.Store.FileSystem, strconv.FormatBool(report.Store.InMemory),
		report.Versions.Roznamcha, report.Versions.NATSServer, report.Versions.NATSGo, report.Versions.Go,
		report.Machine.CPU, strconv.Itoa(report.Machine.Cores), strconv.Itoa(report.Machine.GC)}
	var rows [][]string
	for _, r := range report.Results {
		row := func(unit string, as bench.Baseline, to string, s *bench.Spread, cpu, perEntry float64) {
			if s == nil {
				s = &bench.Spread{}
			}
			rows = append(rows, append([]string{r.Name, r.What, positive(r.Publishers), positive(r.Each), positive(r.Events), unit, string(as), to,
				plain(s.Median), plain(s.Least), plain(s.Most), positive(len(s.Rounds)), plain(cpu), plain(perEntry), r.Missing}, on...))
		}
		row(r.Unit, "", "", r.Spread, r.CPU, r.PerEntry)
		for _, held := range r.Ratios {
			row("ratio", held.Baseline, held.To, &held.Spread, 0, 0)
		}
	}
	return print.CSV(w, head, rows)
}

// positive is n, "" for 0.
func positive(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// plain is f, "" for 0, which is no figure of anything here.
func plain(f float64) string {
	if f == 0 {
		return ""
	}
	return strconv.FormatFloat(f, 'g', 6, 64)
}
