// Package metrics owns what the program tells Prometheus: the names of its
// metrics, and a page that a scrape reads. But for how long appends took it counts
// nothing itself: a scrape asks for a Sample, so that a metric and what it is
// about cannot differ. It leaves to its caller where a sample comes from.
package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"roznamcha/domain"
	"roznamcha/projections"
	"roznamcha/projections/sink"
	"roznamcha/projections/worker"
)

// Sample is what a program that reads the ledger says at one moment.
type Sample struct {
	// Stats are of the ledger up to the last entry that was read, and Lag how far
	// that is behind; nil where the ledger cannot be asked now.
	Stats projections.Stats
	Lag   *worker.Lag
	// Exceptions are those that stand, by kind.
	Exceptions []projections.ExceptionCount
	// Results are what became of the events that were asked to be recorded here,
	// by ruling; nil where nothing is recorded.
	Results map[string]uint64
	// Codes are those of the events that were refused or left unanswered, and
	// Appends the entries written; nil where nothing is recorded.
	Codes   map[domain.Code]uint64
	Appends *Appends
	// Tables are those that are kept here, Answered the questions, by code ("" for
	// a table); nil where there are none.
	Tables   []worker.TableStatus
	Answered map[string]int
	// Publishing tells that nothing stands in the way of it, and Current that
	// readers are led there.
	Publishing, Current bool
	// Sink is the database that is fed here, of which are Stats.Entries and Lag; nil
	// where none is.
	Sink *sink.Sink
	// Snapshot is when the last snapshot was saved; zero where none was.
	Snapshot time.Time
}

// Appends measures the entries that a recorder writes.
type Appends struct {
	seconds prometheus.Histogram
	bytes   prometheus.Counter
}

// NewAppends has measured none.
func NewAppends() *Appends {
	return &Appends{
		prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "roznamcha_append_seconds", Help: "How long the server took to acknowledge an entry, from the first try.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15), // to 8 s; the server is asked again after some
		}),
		prometheus.NewCounter(prometheus.CounterOpts{Name: "roznamcha_append_bytes_total", Help: "Bytes of the entries that this process appended."}),
	}
}

// Add measures one: eventstore.RecorderConfig.Appended.
func (a *Appends) Add(bytes int, took time.Duration) {
	a.seconds.Observe(took.Seconds())
	a.bytes.Add(float64(bytes))
}

// Take gives a sample.
type Take func(context.Context) Sample

// The metrics.
var (
	buildInfo  = describe("build_info", "The program; always 1.", "version", "goversion", "rules")
	entry      = describe("entry", "Number of the last ledger entry that this process has read.")
	events     = describe("events_total", "Lines of the ledger up to roznamcha_entry, by what the register rules.", "verdict")
	exceptions = describe("exceptions", "Exceptions that stand, by kind.", "kind")
	lagEntries = describe("lag_entries", "Ledger entries that this process has not read yet.")
	lagSeconds = describe("lag_seconds", "How long ago the first entry was recorded that this process has not read yet; 0 without a lag.")
	up         = describe("ledger_up", "1 if the ledger's server answers, else 0.")
	results    = describe("record_results_total", "Events that this process was asked to record, by what became of them.", "ruling")
	codes      = describe("record_failures_total", "Events that this process was asked to record and did not, by the code of why (roznamcha schema --codes).", "code")
	published  = describe("tables_published_total", "Tables that this worker wrote into the bucket.", "table")
	skipped    = describe("tables_skipped_total", "Writes of a table that were refused since another worker had been first.", "table")
	tableEntry = describe("table_entry", "Ledger entry that the bucket's table is of, whoever wrote it.", "table")
	tableBytes = describe("table_size_bytes", "Size of the table that this worker wrote last.", "table")
	problem    = describe("table_problem", "1 if the table cannot be published, such as one that is too large, else 0.", "table")
	publishing = describe("publishing", "1 if nothing stands in the way of publishing, else 0.")
	current    = describe("tables_current", "1 if readers are led to the tables of this worker's version, else 0.")
	parked     = describe("sink_parked_rows", "Rows that this sink's database refused, and that are missing there; roznamcha_entry and roznamcha_lag_* are the database's.", "database")
	sinkUp     = describe("sink_database_up", "1 if this sink's database answers, else 0.", "database")
	questions  = describe("questions_total", "Questions that this worker answered, by code; code \"ok\" is a table.", "code")
	snapshot   = describe("snapshot_age_seconds", "How long ago the last snapshot was saved.")
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("roznamcha_"+name, help, labels, nil)
}

// collector asks for a sample when it is scraped.
type collector struct {
	version string
	take    Take
}

// Describe tells nothing: which metrics there are depends on who is asked.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect sends what a sample says.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	s := c.take(ctx)
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	gauge(buildInfo, 1, c.version, runtime.Version(), strconv.Itoa(domain.RulesVersion))
	gauge(entry, float64(s.Stats.Entries))
	gauge(up, yes(s.Lag != nil))
	if s.Lag != nil {
		gauge(lagEntries, float64(s.Lag.Entries))
		gauge(lagSeconds, s.Lag.Seconds)
	}
	if s.Sink != nil {
		gauge(parked, float64(s.Sink.Parked), s.Sink.Database)
		gauge(sinkUp, yes(s.Sink.Away == ""), s.Sink.Database)
		return
	}
	for verdict, n := range map[domain.Verdict]int{
		domain.Accepted: s.Stats.Accepted, domain.Duplicate: s.Stats.Duplicates,
		domain.Refused: s.Stats.Refused, domain.Unrecognised: s.Stats.Unrecognised,
	} {
		count(events, float64(n), verdict.String())
	}
	standing := map[projections.ExceptionKind]int{}
	for _, kind := range projections.ExceptionKinds() {
		standing[kind] = 0
	}
	for _, e := range s.Exceptions {
		standing[e.Kind] += e.Standing
	}
	for kind, n := range standing {
		gauge(exceptions, float64(n), kind.String())
	}
	for ruling, n := range s.Results {
		count(results, float64(n), ruling)
	}
	for code, n := range s.Codes {
		count(codes, float64(n), string(code))
	}
	if s.Appends != nil {
		s.Appends.seconds.Collect(to)
		s.Appends.bytes.Collect(to)
	}
	if s.Tables != nil {
		gauge(current, yes(s.Current))
		gauge(publishing, yes(s.Publishing))
	}
	for _, t := range s.Tables {
		count(published, float64(t.Published), t.Name)
		count(skipped, float64(t.Skipped), t.Name)
		gauge(tableEntry, float64(t.Entry), t.Name)
		gauge(tableBytes, float64(t.Bytes), t.Name)
		gauge(problem, yes(t.Problem != ""), t.Name)
	}
	for code, n := range s.Answered {
		if code == "" {
			code = "ok"
		}
		count(questions, float64(n), code)
	}
	if !s.Snapshot.IsZero() {
		gauge(snapshot, time.Since(s.Snapshot).Seconds())
	}
}

func yes(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// scrapeTimeout is how long a scrape waits for the ledger's server.
const scrapeTimeout = 2 * time.Second

// Handler is the page that Prometheus scrapes.
func Handler(version string, take Take) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(&collector{version, take}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

// Server offers the page until Close.
type Server struct {
	server *http.Server
	addr   net.Addr
}

// Serve offers the metrics at http://address/metrics, to whoever can connect
// there: put no more than 127.0.0.1 in it unless the network may know them.
func Serve(address, version string, take Take) (*Server, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("offer metrics: %w. Try: an address such as 127.0.0.1:9464, with a port that is free", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", Handler(version, take))
	s := &Server{&http.Server{Handler: mux, ReadHeaderTimeout: scrapeTimeout}, listener.Addr()}
	go func() { _ = s.server.Serve(listener) }() // ends by Close
	return s, nil
}

// URL is where the metrics are.
func (s *Server) URL() string { return "http://" + s.addr.String() + "/metrics" }

// Close ends it; who is being answered is cut off.
func (s *Server) Close() error {
	err := s.server.Close()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
