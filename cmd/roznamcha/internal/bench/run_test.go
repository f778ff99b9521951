package bench

import (
	"bytes"
	"context"
	"errors"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

// tiny is a run that measures everything and nothing well.
func tiny(t *testing.T) Config {
	return Config{Dir: t.TempDir(), Rounds: 2, For: 20 * time.Millisecond, Events: 250, Publishers: []int{1, 3}, Serve: keepLines(0)}
}

// keepLines keeps every ruling's line, so many times.
func keepLines(times int) func() func(*domain.Ruled) {
	return func() func(*domain.Ruled) {
		var kept []string
		return func(r *domain.Ruled) { kept = append(kept, strings.Repeat(r.Line, times)) }
	}
}

func isEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestEverythingIsMeasured: every result has a figure of every round, no figure
// is nothing, and what was recorded is proved.
func TestEverythingIsMeasured(t *testing.T) {
	c := tiny(t)
	told, all := 0, 0
	c.Progress = func(done, of int) { told, all = done, of }
	report, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	isEmpty(t, c.Dir)
	figures := 0
	by := map[string]*Result{}
	for _, r := range report.Results {
		by[r.Name] = r
		if r.Spread == nil || r.Missing != "" {
			t.Errorf("%s is not measured: %s", r.Name, r.Missing)
			continue
		}
		figures += len(r.Rounds)
		rounds := c.Rounds
		if strings.HasPrefix(r.Name, "size/disk/") {
			rounds = 1
		}
		if len(r.Rounds) != rounds || r.Least <= 0 || r.Least > r.Median || r.Median > r.Most {
			t.Errorf("%s: %+v", r.Name, *r.Spread)
		}
		for _, ratio := range r.Ratios {
			if by[ratio.To] == nil || len(ratio.Rounds) != c.Rounds || ratio.Least <= 0 {
				t.Errorf("%s: %+v", r.Name, ratio)
			}
		}
	}
	if told != all || all != figures {
		t.Errorf("%d of %d were told to be done, of %d figures", told, all, figures)
	}
	for name, ratios := range map[string]string{
		"append/sync": "", "append/async-process/1": "", "append/raw-network/3": "",
		"append/raw-read/1": "one:append/raw-process/1",
		"append/recorder/1": "one:append/raw-process/1 async:append/async-process/1",
		"append/recorder/3": "one:append/raw-process/1 as-many:append/raw-process/3 async:append/async-process/1",
		"append/service/1":  "one:append/raw-network/1 async:append/async-network/1",
		"append/service/3":  "one:append/raw-network/1 as-many:append/raw-network/3 async:append/async-network/1",
		"bulk/recorder/100": "one:bulk/raw-process/100", "bulk/service/1000": "one:bulk/raw-network/1000",
		"replay/totals/1": "nothing:replay/nothing/1", "replay/totals/100": "nothing:replay/nothing/100",
		"size/disk/1": "", "size/memory/100": "",
		"start/recorder/first-answer": "", "start/serve/catching-up": "", "start/recorder/memory": "",
	} {
		r := by[name]
		if r == nil {
			t.Errorf("%s is not there", name)
			continue
		}
		var to []string
		for _, ratio := range r.Ratios {
			to = append(to, string(ratio.Baseline)+":"+ratio.To)
		}
		if got := strings.Join(to, " "); got != ratios {
			t.Errorf("%s is held against %q, want %q", name, got, ratios)
		}
	}
	if by["append/async-process/3"] != nil || by["append/raw-read/3"] != nil {
		t.Error("several are measured of whom there is only one")
	}
	if per := by["append/recorder/1"].PerEntry; per != 1 {
		t.Errorf("a lone publisher's events go %v into an entry", per)
	}
	if per := by["append/service/3"].PerEntry; per < 1 || per > 3 {
		t.Errorf("the events of 3 publishers go %v into an entry", per)
	}
	if disk := by["size/disk/1"].Median; disk < report.EventBytes {
		t.Errorf("an event of %.0f bytes takes %.0f on disk", report.EventBytes, disk)
	}
	proved(t, report, map[string]int{"of 1 an entry": 250, "of 100 an entry": 250, "of what was appended": 0})
}

// proved checks the proofs, by the ledger's name; 0 for any number of events.
func proved(t *testing.T, report *Report, want map[string]int) {
	t.Helper()
	for _, p := range report.Proofs {
		events, ok := want[p.Ledger]
		if !ok || events != 0 && p.Events != events || p.Persons < int64(p.Events) || p.Events == 0 {
			t.Errorf("proof %+v, want %v", p, want)
		}
		delete(want, p.Ledger)
	}
	if len(want) > 0 {
		t.Errorf("not proved: %v", want)
	}
}

// TestOnly: what is not asked for is not measured, and its ledger not made; but
// for what a figure is held against.
func TestOnly(t *testing.T) {
	c := tiny(t)
	c.Only = []string{"append/service/1", "size/disk"}
	report, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range report.Results {
		names = append(names, r.Name)
	}
	if got := strings.Join(names, " "); got != "append/raw-network/1 append/service/1 size/disk/1 size/disk/100" {
		t.Errorf("measured: %s", got)
	}
	for _, only := range [][]string{{"append/serv"}, {"size/disk", "appendd"}, {"append/service/2"}} {
		c.Only = only
		if _, err := Run(t.Context(), c); !errors.Is(err, ErrNothing) {
			t.Errorf("%v, of which there is not all: %v", only, err)
		}
	}
}

// TestOneRawIsAlwaysThere: whatever is compared is held against one publisher
// too, whom nobody asked for; and he alone is there unasked.
func TestOneRawIsAlwaysThere(t *testing.T) {
	for only, want := range map[string]string{
		"append/recorder":      "append/raw-process/1 append/recorder/3",
		"append/service/3":     "append/raw-network/1 append/service/3",
		"append/raw-process":   "append/raw-process/3",
		"append/async-network": "append/async-network/1",
		"bulk/recorder/100":    "bulk/raw-process/100 bulk/recorder/100",
		"replay/totals/1":      "replay/nothing/1 replay/totals/1",
		"append": "append/sync append/raw-process/1 append/async-process/1 append/raw-read/1 append/raw-network/1 append/async-network/1 " +
			"append/raw-process/3 append/recorder/3 append/raw-network/3 append/service/3 append/echo/3",
	} {
		r := &run{config: Config{Publishers: []int{3}, Only: []string{only}}, results: map[string]*Result{}, report: &Report{}}
		if err := r.declare(); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, res := range r.report.Results {
			names = append(names, res.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: measured\n%s\nwant\n%s", only, got, want)
		}
	}
}

// TestNothingRecordedIsNoProof: a ledger in which nothing was recorded proves
// nothing.
func TestNothingRecordedIsNoProof(t *testing.T) {
	c := tiny(t)
	c.Only = []string{"append/raw-process/1"}
	report, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if report.Proofs == nil || len(report.Proofs) > 0 {
		t.Errorf("%#v", report.Proofs)
	}
}

// TestEveryPublisherIsAnsweredAFewTimes: however short the time is, and the
// figure is of the time that it really took.
func TestEveryPublisherIsAnsweredAFewTimes(t *testing.T) {
	const n, each, one = 8, 3, 2 * time.Millisecond
	var disk sync.Mutex
	publishers := make([]publisher, n)
	for i := range publishers {
		publishers[i] = func(context.Context, []byte) error {
			disk.Lock()
			defer disk.Unlock()
			time.Sleep(one) // what the store takes here: one after the other
			return nil
		}
	}
	for _, pending := range []int{n, 5 * n} {
		r, writers := &run{config: Config{For: time.Nanosecond}}, newWriters(newFacts(1), n)
		rate, took, err := r.load(t.Context(), publishers, writers, each, pending)
		if err != nil {
			t.Fatal(err)
		}
		if all := sumOf(writers).events; took.events < max(pending, cycles*n)*each || all-took.events < pending*each {
			t.Errorf("%d pending submissions: %d events were measured, of %d", pending, took.events, all)
		}
		// One of each publisher may have been under way when the time began.
		most := each / one.Seconds() * cycles / (cycles - 1)
		if rate > most {
			t.Errorf("%v events/s, of at most %v", rate, most)
		}
	}
}

// TestInterrupted: a run that is told to end does so, and leaves nothing.
func TestInterrupted(t *testing.T) {
	for _, only := range []string{"append/service/3", "bulk/recorder", "replay", "start/serve"} {
		c := tiny(t)
		c.Only, c.Rounds = []string{only}, 1000
		ctx, cancel := context.WithCancel(t.Context())
		c.Progress = func(done, _ int) {
			if done == 3 {
				cancel()
			}
		}
		report, err := Run(ctx, c)
		if report != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("%s, interrupted: %v, %v", only, report, err)
		}
		isEmpty(t, c.Dir)
	}
}

// TestMissing: a way that cannot be tried is told as such, and the rest is
// measured.
func TestMissing(t *testing.T) {
	tried := 0
	broken := &way{name: "service", ready: func(context.Context, *appending, []*writer) ([]publisher, func(context.Context) error, error) {
		tried++
		return nil, nil, errors.New("too many open files")
	}}
	res := &Result{Name: "append/service/1"}
	r := &run{config: tiny(t), results: map[string]*Result{res.Name: res}, report: &Report{Results: []*Result{res}}}
	for range 2 {
		if err := r.appendOne(t.Context(), &appending{recorded: newWriters(newFacts(1), 1), raw: newWriters(newFacts(1), 1)}, broken, res.Name, 1, 1); err != nil {
			t.Fatal(err)
		}
	}
	if res.Spread != nil || res.Missing != "too many open files" || tried != 1 {
		t.Errorf("tried %d times: %+v", tried, res)
	}
	res.Missing = ""
	r.compare()
	if res.Missing != "not measured" {
		t.Errorf("%+v", res)
	}
}

// TestAccountsMustAgree: figures of a ledger that is not what was published are
// an error.
func TestAccountsMustAgree(t *testing.T) {
	for name, cheat := range map[string]func(*appending){
		"one more than there is":  func(a *appending) { a.recorded[0].accept(1, 0) },
		"another number arrested": func(a *appending) { a.recorded[0].persons-- },
		"somebody else's line":    func(a *appending) { _, _ = a.ledger.Append(t.Context(), []byte("{}")) },
	} {
		a, err := newAppending(t.Context(), t.TempDir(), newFacts(1), 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		r := &run{config: tiny(t), report: &Report{}}
		publishers, _, err := recorderPublishers(t.Context(), a, a.recorded)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.load(t.Context(), publishers, a.recorded, 10, 1); err != nil {
			t.Fatal(err)
		}
		if err := r.prove(t.Context(), "of the test", a.site, a.recorded); err != nil {
			t.Errorf("before %s: %v", name, err)
		}
		cheat(a)
		if err := r.prove(t.Context(), "of the test", a.site, a.recorded); err == nil {
			t.Errorf("%s: no error", name)
		}
		if err := a.close(); err != nil {
			t.Error(err)
		}
	}
}

// TestRefusedIsNoFigure: publishers look at the ruling.
func TestRefusedIsNoFigure(t *testing.T) {
	a, err := newAppending(t.Context(), t.TempDir(), newFacts(1), 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	for _, w := range ways {
		if !w.recorded {
			continue
		}
		publishers, _, err := w.ready(t.Context(), a, a.recorded)
		if err != nil {
			t.Fatal(err)
		}
		line, _ := a.recorded[0].next(nil)
		if err := publishers[0](t.Context(), line); err != nil {
			t.Errorf("%s: %v", w.name, err)
		}
		if err := publishers[0](t.Context(), line); err == nil {
			t.Errorf("%s: a duplicate counts as recorded", w.name)
		}
		if err := publishers[0](t.Context(), []byte(strings.Replace(string(line), "arrest.made", "arrest.meant", 1))); err == nil {
			t.Errorf("%s: a refusal counts as recorded", w.name)
		}
	}
	// The raw stream is one that the ledger could be.
	raw, err := a.js.Stream(t.Context(), rawStream)
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := a.js.Stream(t.Context(), eventstore.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	is, want := raw.CachedInfo().Config, ledger.CachedInfo().Config
	is.Name, is.Subjects, is.Description, is.Metadata = want.Name, want.Subjects, want.Description, want.Metadata
	if !reflect.DeepEqual(is, want) {
		t.Errorf("the raw stream is\n%+v\nand the ledger\n%+v", is, want)
	}
}

// TestStartIsAsServeHasIt: what serve keeps is kept, of every line, and lives
// when memory is measured.
func TestStartIsAsServeHasIt(t *testing.T) {
	c := tiny(t)
	c.Only, c.Rounds = []string{"start"}, 1
	const times = 100
	rulings := 0
	c.Serve = func() func(*domain.Ruled) {
		keep := keepLines(times)()
		return func(r *domain.Ruled) { rulings++; keep(r) }
	}
	report, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	// The recorder alone has left an event, and there are the opening and its own.
	if want := 1 + c.Events + 1 + 1; rulings != want {
		t.Errorf("%d lines were ruled, want %d", rulings, want)
	}
	memory := map[string]float64{}
	for _, r := range report.Results {
		if strings.HasSuffix(r.Name, "/memory") {
			memory[r.Name] = r.Median
		}
	}
	if more := memory["start/serve/memory"] - memory["start/recorder/memory"]; more < times*report.EventBytes/2 {
		t.Errorf("%.0f bytes an event are kept, and memory is %v", times*report.EventBytes, memory)
	}
}

// TestSyncIsTheServers: how it syncs is what the servers that were measured say.
func TestSyncIsTheServers(t *testing.T) {
	s, err := openSite(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	closed, err := openSite(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.close(); err != nil {
		t.Fatal(err)
	}
	st := store(t.TempDir())
	for _, step := range []struct {
		on   *site
		want string
	}{{s, "always"}, {closed, "not always"}, {s, "not always"}} {
		if st.measuredOn(step.on); st.Sync != step.want {
			t.Errorf("sync %q, want %q", st.Sync, step.want)
		}
	}
}

// TestRawThenReadWaitsForTheReader: one that is acknowledged and not read is not
// done.
func TestRawThenReadWaitsForTheReader(t *testing.T) {
	a, err := newAppending(t.Context(), t.TempDir(), newFacts(1), 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	messages := func() uint64 {
		raw, err := a.js.Stream(t.Context(), rawStream)
		if err != nil {
			t.Fatal(err)
		}
		return raw.CachedInfo().State.Msgs
	}
	for range 2 { // the second reader begins where there are messages
		publishers, finish, err := readPublisher(t.Context(), a, a.raw)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := publishers[0](t.Context(), []byte("{}")); err != nil {
				t.Fatal(err)
			}
		}
		if err := finish(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		before, unread := messages(), make(chan error, 1)
		go func() { unread <- publishers[0](ctx, []byte("{}")) }()
		for messages() == before {
			time.Sleep(time.Millisecond)
		}
		cancel()
		if err := <-unread; !errors.Is(err, context.Canceled) {
			t.Errorf("without a reader: %v", err)
		}
	}
}

// TestEchoIsTheServicesAnswer: to one event, in all but its values.
func TestEchoIsTheServicesAnswer(t *testing.T) {
	a, err := newAppending(t.Context(), t.TempDir(), newFacts(1), 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	d := a.recorded[0].diary
	line, _ := a.recorded[0].next(nil)
	answer := func(subject string) eventstore.Reply {
		m, err := a.nc.RequestWithContext(t.Context(), subject, line)
		if err != nil {
			t.Fatal(err)
		}
		reply, err := eventstore.ParseReply(m.Data)
		if err != nil {
			t.Fatalf("%s: %v: %s", subject, err, m.Data)
		}
		if again := reply.AppendJSON(nil); !bytes.Equal(again, m.Data) {
			t.Errorf("%s answers\n%s\nwhich is\n%s", subject, m.Data, again)
		}
		return reply
	}
	recorded, echo := answer("record."+d.Agency+"."+d.Unit), answer(echoSubject)
	if len(recorded.Results) != 1 || len(recorded.Marks) != 1 || len(echo.Marks) != 1 {
		t.Fatalf("the service answers %+v, the echo %+v", recorded, echo)
	}
	was := &recorded.Results[0]
	was.ID, was.Position.Entry, was.Recorded = echo.Results[0].ID, echo.Results[0].Position.Entry, echo.Results[0].Recorded
	recorded.Marks[0] = echo.Marks[0]
	if !reflect.DeepEqual(recorded, echo) {
		t.Errorf("the service answers %+v, the echo %+v", recorded, echo)
	}
}

// TestConnections: publishers over the network have one each, or share them.
func TestConnections(t *testing.T) {
	for share, want := range map[int]int{0: 3, 2: 2, 5: 3} {
		a, err := newAppending(t.Context(), t.TempDir(), newFacts(1), 3, share)
		if err != nil {
			t.Fatal(err)
		}
		conns, err := a.conns(true, 3)
		different := map[*nats.Conn]bool{}
		for _, nc := range conns {
			different[nc] = true
		}
		if err != nil || len(conns) != 3 || len(different) != want {
			t.Errorf("3 publishers, shared %d: %d connections, %v", share, len(different), err)
		}
		if err := a.close(); err != nil {
			t.Error(err)
		}
	}
}

func TestSpread(t *testing.T) {
	r, base := &Result{}, &Result{Name: "base"}
	for _, f := range []float64{5, 1, 4, 2} {
		r.add(f)
		base.add(f * 2)
	}
	if r.Median != 3 || r.Least != 1 || r.Most != 5 || len(r.Rounds) != 4 {
		t.Errorf("%+v", r.Spread)
	}
	r.compare(OneRaw, base)
	if len(r.Ratios) != 1 || r.Ratios[0].Baseline != OneRaw || r.Ratios[0].To != "base" || r.Ratios[0].Median != 0.5 || r.Ratios[0].Most != 0.5 {
		t.Errorf("%+v", r.Ratios)
	}
	base.add(1)
	r.compare(OneRaw, base) // a round that one of them does not have
	r.compare(OneRaw, nil)
	r.compare(OneRaw, &Result{Missing: "no"})
	if len(r.Ratios) != 1 {
		t.Errorf("%+v", r.Ratios)
	}
}
