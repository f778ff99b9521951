package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Config is what to measure. All of it must be given, but Connections, Only
// and Progress.
type Config struct {
	// Dir is an empty directory on the disk that is to be measured. Run fills it
	// and leaves removing it to its caller.
	Dir string
	// Rounds is how often everything is measured, in turns.
	Rounds int
	// For is how long each way of appending is measured in a round.
	For time.Duration
	// Events is how many are in the ledgers that are read; of those with one
	// event an entry MostSingle is the most.
	Events int
	// Publishers are the numbers of those that append single events.
	Publishers []int
	// Connections is how many TCP connections the publishers over the network
	// share; 0 for one each.
	Connections int
	// Only, unless empty, is what is measured: names of results, or the first
	// words of some, such as "append" and "append/service".
	Only []string
	// Progress, unless nil, hears how much is done, of how much.
	Progress func(done, all int)
}

// MostSingle is how many events there are at most in the ledger with one event
// an entry, which takes ten times as long to read as the other.
const MostSingle = 100_000

// seed is of the events. One that can be chosen would make no other finding.
const seed = 1

// bulks are the sizes of bulk submissions, entrySizes those of the entries that
// are read, in events.
var (
	bulks      = []int{10, 100, 1000}
	entrySizes = []int{1, 100}
)

// run is one run under way.
type run struct {
	config Config
	report *Report
	facts  facts
	// results are those of report by name.
	results map[string]*Result
	// done is how many figures there are, of all.
	done, all int
}

// Run measures. An error means that there are no figures: ctx has ended, a
// server could not be run, or what was published is not what was recorded. One
// way of appending that could not be tried is Missing in its result.
func Run(ctx context.Context, c Config) (*Report, error) {
	began := time.Now()
	if c.Progress == nil {
		c.Progress = func(done, all int) {}
	}
	r := &run{config: c, facts: newFacts(seed), results: map[string]*Result{}, report: &Report{
		Versions: versions(), Machine: machine(), Store: store(c.Dir),
		Rounds: c.Rounds, For: c.For, Connections: c.Connections, Seed: seed, Began: began.UTC(),
	}}
	r.report.EventBytes = r.facts.meanBytes()
	r.declare()
	if len(r.results) == 0 {
		return nil, fmt.Errorf("%s: %w", strings.Join(c.Only, ","), ErrNothing)
	}
	r.all = len(r.results) * c.Rounds
	for _, group := range []func(context.Context) error{r.append, r.read} {
		if err := group(ctx); ctx.Err() != nil {
			return nil, ctx.Err() // whatever it was that noticed
		} else if err != nil {
			return nil, err
		}
	}
	r.compare()
	r.report.Took = time.Since(began)
	return r.report, nil
}

// ErrNothing: Config.Only chooses nothing.
var ErrNothing = errors.New("nothing that is measured is called so")

// append measures all that appends, round by round, and then that the ledger
// has it.
func (r *run) append(ctx context.Context) (err error) {
	if !r.wants("append", "bulk") {
		return nil
	}
	dir, remove, err := r.dir("append")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	a, err := newAppending(ctx, dir, r.facts, slices.Max(append([]int{1}, r.config.Publishers...)), r.config.Connections)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	for range r.config.Rounds {
		if err := r.appendRound(ctx, a, dir); err != nil {
			return err
		}
	}
	return r.prove(ctx, "of what was appended", a.site, a.recorded)
}

func (r *run) appendRound(ctx context.Context, a *appending, dir string) error {
	if res := r.results["append/sync"]; res != nil {
		rate, err := syncs(ctx, dir, int(r.report.EventBytes), r.config.For)
		if err != nil {
			return err
		}
		r.add(res, rate)
	}
	for _, n := range r.config.Publishers {
		for _, w := range ways {
			if err := r.appendOne(ctx, a, w, fmt.Sprintf("append/%s/%d", w.name, n), n, 1); err != nil {
				return err
			}
		}
	}
	for _, each := range bulks {
		for _, w := range ways {
			if err := r.appendOne(ctx, a, w, fmt.Sprintf("bulk/%s/%d", w.name, each), 1, each); err != nil {
				return err
			}
		}
	}
	return nil
}

// appendOne measures one way of appending, by n publishers of submissions of so
// many events.
func (r *run) appendOne(ctx context.Context, a *appending, w way, name string, n, each int) error {
	res := r.results[name]
	if res == nil || res.Missing != "" {
		return nil
	}
	writers := a.raw[:n]
	if w.recorded {
		writers = a.recorded[:n]
	}
	publishers, finish, err := w.ready(a, writers)
	if err != nil {
		res.Spread, res.Missing = nil, err.Error()
		return nil
	}
	before, err := a.ledger.Tail(ctx)
	if err != nil {
		return err
	}
	published := sumOf(writers).events
	rate, took, err := r.load(ctx, publishers, writers, each)
	if err = errors.Join(err, finish(ctx)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r.add(res, rate)
	res.spend(took)
	after, err := a.ledger.Tail(ctx)
	if err != nil || !w.recorded {
		return err
	}
	res.entries += int(after - before)
	res.events += sumOf(writers).events - published
	res.PerEntry = float64(res.events) / float64(max(res.entries, 1))
	return nil
}

// declare lists all results, in the order in which they are printed.
func (r *run) declare() {
	r.declareOne(Result{Name: "append/sync", What: "write and sync of a file", Publishers: 1, Unit: "events/s"})
	for _, n := range r.config.Publishers {
		for _, w := range ways {
			if !w.alone || n == 1 {
				r.declareOne(Result{Name: fmt.Sprintf("append/%s/%d", w.name, n), What: w.what, Publishers: n, Unit: "events/s"})
			}
		}
	}
	for _, each := range bulks {
		for _, w := range ways {
			if w.bulk {
				r.declareOne(Result{Name: fmt.Sprintf("bulk/%s/%d", w.name, each), What: w.what, Publishers: 1, Each: each, Unit: "events/s"})
			}
		}
	}
	for _, each := range entrySizes {
		n := r.eventsOf(each)
		for _, res := range []Result{
			{Name: "replay/nothing/%d", What: "ordered consumer that does nothing", Unit: "events/s"},
			{Name: "replay/totals/%d", What: "replay into totals", Unit: "events/s"},
			{Name: "size/disk/%d", What: "on disk", Unit: "bytes/event"},
			{Name: "size/memory/%d", What: "in memory: register and totals", Unit: "bytes/event"},
		} {
			res.Name, res.Each, res.Events = fmt.Sprintf(res.Name, each), each, n
			r.declareOne(res)
		}
	}
	each := entrySizes[len(entrySizes)-1]
	for _, k := range keepers {
		for _, res := range []Result{
			{Name: "start/%s/catching-up", What: "%s: catching up", Unit: "events/s"},
			{Name: "start/%s/first-answer", What: "%s: from no server to the first receipt", Unit: "s"},
			{Name: "start/%s/memory", What: "%s: in memory", Unit: "bytes/event"},
		} {
			res.Name, res.What = fmt.Sprintf(res.Name, k.name), fmt.Sprintf(res.What, k.what)
			res.Each, res.Events = each, r.eventsOf(each)
			r.declareOne(res)
		}
	}
}

// eventsOf is how many events there are in the ledger with so many an entry.
func (r *run) eventsOf(each int) int {
	if each == 1 {
		return min(r.config.Events, MostSingle)
	}
	return r.config.Events
}

func (r *run) declareOne(res Result) {
	if !r.chosen(res.Name) {
		return
	}
	r.results[res.Name] = &res
	r.report.Results = append(r.report.Results, &res)
}

func (r *run) chosen(name string) bool {
	return len(r.config.Only) == 0 || slices.ContainsFunc(r.config.Only, func(part string) bool { return partOf(name, part) })
}

// partOf tells whether name is that or has it as its first words.
func partOf(name, first string) bool { return strings.HasPrefix(name+"/", first+"/") }

// wants tells whether any of these results is asked for.
func (r *run) wants(parts ...string) bool {
	return slices.ContainsFunc(r.report.Results, func(res *Result) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return partOf(res.Name, part) })
	})
}

// add notes a figure.
func (r *run) add(res *Result, figure float64) {
	if res == nil {
		return
	}
	res.add(figure)
	r.done++
	r.config.Progress(r.done, r.all)
}

// compare holds every result that has a baseline against it.
func (r *run) compare() {
	for _, res := range r.report.Results {
		if res.Spread == nil && res.Missing == "" {
			res.Missing = "not measured"
		}
		group, rest, _ := strings.Cut(res.Name, "/")
		way, number, _ := strings.Cut(rest, "/")
		raw := map[string]string{"recorder": "raw-process", "service": "raw-network"}[way]
		switch {
		case group == "append" && raw != "":
			res.compare(r.results["append/"+raw+"/1"])
			if number != "1" {
				res.compare(r.results["append/"+raw+"/"+number])
			}
		case group == "bulk" && raw != "":
			res.compare(r.results["bulk/"+raw+"/"+number])
		case group == "replay" && way == "totals":
			res.compare(r.results["replay/nothing/"+number])
		}
	}
}

// dir makes a directory for one server; remove takes it away again.
func (r *run) dir(name string) (dir string, remove func() error, err error) {
	dir = filepath.Join(r.config.Dir, name)
	return dir, func() error { return os.RemoveAll(dir) }, os.Mkdir(dir, 0o700)
}
