package bench

import (
	"slices"
	"time"
)

// Report is what one run has measured, and on what.
type Report struct {
	Versions Versions `json:"versions"`
	Machine  Machine  `json:"machine"`
	Store    Store    `json:"store"`
	// Rounds is how often everything was measured, For how long each kind of
	// appending was each time, or until there were a few answers for each publisher.
	Rounds int           `json:"rounds"`
	For    time.Duration `json:"for_ns"`
	// Connections is how many TCP connections the publishers over the network
	// shared; 0 for one each.
	Connections int `json:"connections,omitempty"`
	// Seed is what the events were made from, EventBytes how long one is in the
	// mean.
	Seed       uint64    `json:"seed"`
	EventBytes float64   `json:"event_bytes"`
	Began      time.Time `json:"began"`
	// Took is of the whole run, with everything that is not measured.
	Took    time.Duration `json:"took_ns"`
	Results []*Result     `json:"results"`
	// Proofs are the replays that found in the ledgers what was recorded.
	Proofs []Proof `json:"proofs"`
}

// Result is one measurement in all rounds.
type Result struct {
	// Name is for programs, "group/way/number": "append/service/64".
	Name string `json:"name"`
	// What is for persons: "service, network".
	What string `json:"what"`
	// Publishers is how many published at the same time, Each how many events
	// there were in a submission or in an entry, Events how many in the ledger
	// that was read; 0 where there is no such number.
	Publishers int `json:"publishers,omitempty"`
	Each       int `json:"events_each,omitempty"`
	Events     int `json:"events,omitempty"`
	// Unit is of Spread: "events/s", "bytes/event" or "s".
	Unit string `json:"unit"`
	// Spread is nil where nothing was measured; Missing says why.
	*Spread
	Missing string `json:"missing,omitempty"`
	// CPU is how many microseconds of one core this process took for an event in
	// the mean, which others on the machine disturb less than Spread; 0 where
	// that is not known.
	CPU float64 `json:"cpu_us_per_event,omitempty"`
	// PerEntry is how many events went into an entry in the mean, with those
	// before the time was measured; 0 where that is no finding.
	PerEntry float64 `json:"events_per_entry,omitempty"`
	// Ratios hold this against baselines of the same round.
	Ratios []Ratio `json:"ratios,omitempty"`

	// against is what it is held against, the first of which is measured in any
	// case; unasked that nobody asks for it, and it may be there for others.
	against []baseline
	unasked bool
	// once tells that it is the same in all rounds, and measured in none of them.
	once bool
	// What PerEntry and CPU are made of.
	entries, events int
	spent           cost
}

// baseline is a result that another is held against, by its name.
type baseline struct {
	as Baseline
	to string
}

// cost is what so many events took of the cores.
type cost struct {
	cpu    time.Duration
	events int
}

// Spread is what the rounds gave.
type Spread struct {
	Median float64 `json:"median"`
	Least  float64 `json:"least"`
	Most   float64 `json:"most"`
	// Rounds are the figures in order: one of each, or one alone of what is the
	// same in all.
	Rounds []float64 `json:"rounds"`
}

// Baseline says what a result is held against.
type Baseline string

// The baselines. Raw is bare JetStream, with as many bytes in a message as there
// are in a submission.
const (
	OneRaw       Baseline = "one"     // with one publisher, who waits for each acknowledgement
	AsManyRaw    Baseline = "as-many" // with as many of them
	OneAsync     Baseline = "async"   // with one publisher, who has many messages on their way
	DoingNothing Baseline = "nothing" // a consumer that does nothing
)

// Ratio is a result divided by the one called To, round by round.
type Ratio struct {
	Baseline Baseline `json:"baseline"`
	To       string   `json:"to"`
	Spread
}

// Proof is that a ledger replays to what was recorded in it.
type Proof struct {
	// Ledger says which.
	Ledger  string `json:"ledger"`
	Entries uint64 `json:"entries"`
	// Events is how many were answered accepted, each of which the replay
	// accepts too and once, and nothing else; Persons what their arrests add
	// up to.
	Events  int   `json:"events"`
	Persons int64 `json:"persons"`
}

// spread sums up the figures of the rounds, of which there is one.
func spread(rounds []float64) Spread {
	sorted := slices.Sorted(slices.Values(rounds))
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + sorted[middle]) / 2
	}
	return Spread{Median: median, Least: sorted[0], Most: sorted[len(sorted)-1], Rounds: rounds}
}

// add notes the figure of one round.
func (r *Result) add(figure float64) {
	var rounds []float64
	if r.Spread != nil {
		rounds = r.Rounds
	}
	s := spread(append(rounds, figure))
	r.Spread = &s
}

// spend notes what was taken of the cores.
func (r *Result) spend(c cost) {
	r.spent.cpu += c.cpu
	r.spent.events += c.events
	r.CPU = float64(r.spent.cpu.Microseconds()) / float64(max(r.spent.events, 1))
}

// compare adds the ratio to a baseline, where both were measured in every round.
func (r *Result) compare(as Baseline, to *Result) {
	if to == nil || r.Spread == nil || to.Spread == nil || len(r.Rounds) != len(to.Rounds) {
		return
	}
	ratios := make([]float64, len(r.Rounds))
	for i := range ratios {
		ratios[i] = r.Rounds[i] / to.Rounds[i]
	}
	r.Ratios = append(r.Ratios, Ratio{as, to.Name, spread(ratios)})
}
