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

	"roznamcha/domain"
)

// Config is what to measure. All of it must be given, but Version, Connections,
// Only and Progress.
type Config struct {
	// Version is the program's, for the report.
	Version string
	// Serve makes what serve keeps current beside its register, new, and gives
	// what hands it a ruling; while that lives, it does.
	Serve func() func(*domain.Ruled)
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
	// Publishers are the numbers of those that append single events, each once.
	Publishers []int
	// Connections is how many TCP connections the publishers over the network
	// share; 0 for one each.
	Connections int
	// Only, unless empty, is what is measured: names of results, or the first
	// words of some, such as "append" and "append/service"; and what each of them
	// is held against first of all.
	Only []string
	// Progress, unless nil, hears how much is done, of how much.
	Progress func(done, all int)
}

// MostSingle is how many events there are at most in the ledger with one event
// an entry: enough to tell what an entry of its own costs.
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
		Versions: versions(c.Version), Machine: machine(), Store: store(c.Dir),
		Rounds: c.Rounds, For: c.For, Connections: c.Connections, Seed: seed, Began: began.UTC(), Proofs: []Proof{},
	}}
	r.report.EventBytes = r.facts.meanBytes()
	if err := r.declare(); err != nil {
		return nil, err
	}
	for _, res := range r.report.Results {
		if res.once {
			r.all++
		} else {
			r.all += c.Rounds
		}
	}
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

// ErrNothing: a name in Config.Only is of nothing.
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
	r.report.Store.measuredOn(a.site)
	for range r.config.Rounds {
		if err := r.appendRound(ctx, a, dir); err != nil {
			return err
		}
	}
	if sumOf(a.recorded).events == 0 {
		return nil // there is nothing in the ledger that could be wrong
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
	for _, n := range r.publishers() {
		for _, w := range ways {
			if err := r.appendOne(ctx, a, w, w.single(n), n, 1); err != nil {
				return err
			}
		}
	}
	for _, each := range bulks {
		for _, w := range ways {
			if err := r.appendOne(ctx, a, w, w.inBulk(each), 1, each); err != nil {
				return err
			}
		}
	}
	return nil
}

// appendOne measures one way of appending, by n publishers of submissions of so
// many events.
func (r *run) appendOne(ctx context.Context, a *appending, w *way, name string, n, each int) error {
	res := r.results[name]
	if res == nil || res.Missing != "" {
		return nil
	}
	writers := a.raw[:n]
	if w.recorded {
		writers = a.recorded[:n]
	}
	publishers, finish, err := w.ready(ctx, a, writers)
	if err != nil {
		res.Spread, res.Missing = nil, err.Error()
		return nil
	}
	before, err := a.ledger.Tail(ctx)
	if err != nil {
		return err
	}
	published := sumOf(writers).events
	rate, took, err := r.load(ctx, publishers, writers, each, w.pending(n))
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

// declare lists what is measured, in the order in which it is printed: what is
// asked for, and what that is held against first of all.
func (r *run) declare() error {
	all, only, wanted := r.candidates(), r.config.Only, map[string]bool{}
	for _, part := range only {
		if !slices.ContainsFunc(all, func(res *Result) bool { return !res.unasked && partOf(res.Name, part) }) {
			return fmt.Errorf("%s: %w", part, ErrNothing)
		}
	}
	for _, res := range all {
		asked := len(only) == 0 || slices.ContainsFunc(only, func(part string) bool { return partOf(res.Name, part) })
		if res.unasked || !asked {
			continue
		}
		wanted[res.Name] = true
		if len(res.against) > 0 {
			wanted[res.against[0].to] = true
		}
	}
	for _, res := range all {
		if wanted[res.Name] {
			r.results[res.Name] = res
			r.report.Results = append(r.report.Results, res)
		}
	}
	return nil
}

// publishers are the numbers of them: those asked for, and one in any case,
// whom the others are held against.
func (r *run) publishers() []int {
	if slices.Contains(r.config.Publishers, 1) {
		return r.config.Publishers
	}
	return append([]int{1}, r.config.Publishers...)
}

// candidates are all results that there could be.
func (r *run) candidates() (all []*Result) {
	add := func(res Result) { all = append(all, &res) }
	add(Result{Name: "append/sync", What: "no server: write and sync of a file", Publishers: 1, Unit: "events/s"})
	for _, n := range r.publishers() {
		for _, w := range ways {
			if !w.alone || n == 1 {
				add(Result{Name: w.single(n), What: w.what, Publishers: n, Unit: "events/s",
					against: w.against(n), unasked: !w.alone && !slices.Contains(r.config.Publishers, n)})
			}
		}
	}
	for _, each := range bulks {
		for _, w := range ways {
			if w.bulk {
				res := Result{Name: w.inBulk(each), What: w.what, Publishers: 1, Each: each, Unit: "events/s"}
				if w.ofRaw != nil {
					res.against = []baseline{{OneRaw, w.ofRaw.inBulk(each)}}
				}
				add(res)
			}
		}
	}
	for _, each := range entrySizes {
		number := fmt.Sprint("/", each)
		nothing := "replay/nothing" + number
		for _, res := range []Result{
			{Name: nothing, What: "ordered consumer that does nothing", Unit: "events/s"},
			{Name: "replay/totals" + number, What: "replay into totals", Unit: "events/s", against: []baseline{{DoingNothing, nothing}}},
			{Name: "size/disk" + number, What: "files on disk, measured once", Unit: "bytes/event", once: true},
			{Name: "size/memory" + number, What: "live heap after collection: register and totals", Unit: "bytes/event"},
		} {
			res.Each, res.Events = each, r.eventsOf(each)
			add(res)
		}
	}
	each := entrySizes[len(entrySizes)-1]
	for _, k := range r.keepers() {
		for _, res := range []Result{
			{Name: "start/%s/catching-up", What: "%s: catching up", Unit: "events/s"},
			{Name: "start/%s/first-answer", What: "%s: from no server to the first receipt", Unit: "s"},
			{Name: "start/%s/memory", What: "%s: live heap after collection", Unit: "bytes/event"},
		} {
			res.Name, res.What = fmt.Sprintf(res.Name, k.name), fmt.Sprintf(res.What, k.what)
			res.Each, res.Events = each, r.eventsOf(each)
			add(res)
		}
	}
	return all
}

// eventsOf is how many events there are in the ledger with so many an entry.
func (r *run) eventsOf(each int) int {
	if each == 1 {
		return min(r.config.Events, MostSingle)
	}
	return r.config.Events
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

// compare holds every result against its baselines that were measured.
func (r *run) compare() {
	for _, res := range r.report.Results {
		if res.Spread == nil && res.Missing == "" {
			res.Missing = "not measured"
		}
		for _, b := range res.against {
			res.compare(b.as, r.results[b.to])
		}
	}
}

// dir makes a directory for one server; remove takes it away again.
func (r *run) dir(name string) (dir string, remove func() error, err error) {
	dir = filepath.Join(r.config.Dir, name)
	return dir, func() error { return os.RemoveAll(dir) }, os.Mkdir(dir, 0o700)
}
