package metrics_test

import (
	"context"
	"testing"

	"roznamcha/cmd/roznamcha/internal/metrics"
	"roznamcha/projections"
	"roznamcha/projections/sink"
	"roznamcha/projections/worker"
)

// TestMetricsOfASink: they are about its database, and say nothing of what a sink
// does not count.
func TestMetricsOfASink(t *testing.T) {
	fed := &sink.Sink{Database: "/data/facts.db", Parked: 2}
	s, err := metrics.Serve("127.0.0.1:0", "1.2.3", func(context.Context) metrics.Sample {
		return metrics.Sample{Stats: projections.Stats{Entries: 7}, Lag: &worker.Lag{Entries: 4, Seconds: 0.5}, Sink: fed}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	values, _ := scrape(t, s.URL())
	for key, want := range map[string]float64{
		"roznamcha_entry": 7, "roznamcha_lag_entries": 4, "roznamcha_lag_seconds": 0.5, "roznamcha_ledger_up": 1,
		"roznamcha_sink_parked_rows database=/data/facts.db": 2, "roznamcha_sink_database_up database=/data/facts.db": 1,
	} {
		if got, ok := values[key]; !ok || got != want {
			t.Errorf("%s is %v (%v), want %v", key, got, ok, want)
		}
	}
	for _, key := range []string{"roznamcha_events_total verdict=accepted", "roznamcha_exceptions kind=refused"} {
		if v, ok := values[key]; ok {
			t.Errorf("%s is %v though a sink does not count it", key, v)
		}
	}
	fed.Away = "gone"
	if values, _ = scrape(t, s.URL()); values["roznamcha_sink_database_up database=/data/facts.db"] != 0 {
		t.Error("the database is up")
	}
}
