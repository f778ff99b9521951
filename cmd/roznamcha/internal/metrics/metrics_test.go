package metrics_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"roznamcha/cmd/roznamcha/internal/metrics"
	"roznamcha/domain"
	"roznamcha/projections"
	"roznamcha/projections/worker"
)

// scrape reads a page of metrics as Prometheus does: values by name and labels.
func scrape(t *testing.T, url string) (values map[string]float64, page string) {
	t.Helper()
	reply, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil || reply.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", url, reply.Status, err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	values = map[string]float64{}
	for name, family := range families {
		for _, m := range family.Metric {
			key := name
			for _, label := range m.Label {
				key += " " + label.GetName() + "=" + label.GetValue()
			}
			switch family.GetType() {
			case dto.MetricType_COUNTER:
				values[key] = m.Counter.GetValue()
			case dto.MetricType_GAUGE:
				values[key] = m.Gauge.GetValue()
			case dto.MetricType_HISTOGRAM:
				values[key+"_count"], values[key+"_sum"] = float64(m.Histogram.GetSampleCount()), m.Histogram.GetSampleSum()
			}
		}
	}
	return values, string(body)
}

// TestMetrics: a page says what the sample says, in names that Prometheus'
// conventions allow.
func TestMetrics(t *testing.T) {
	appends := metrics.NewAppends()
	appends.Add(700, 3*time.Millisecond)
	appends.Add(300, time.Second)
	sample := metrics.Sample{
		Appends: appends, Codes: map[domain.Code]uint64{"busy": 6}, Current: true,
		Stats:      projections.Stats{Entries: 7, Accepted: 9, Duplicates: 1, Refused: 2, Unrecognised: 3},
		Lag:        &worker.Lag{Entries: 4, Seconds: 0.5},
		Exceptions: []projections.ExceptionCount{{Kind: projections.ExceptionKinds()[0], Standing: 2}, {Kind: projections.ExceptionKinds()[0], Standing: 1}},
		Results:    map[string]uint64{"accepted": 5},
		Tables:     []worker.TableStatus{{Name: "city", Entry: 6, Bytes: 100, Published: 3, Skipped: 8}, {Name: "big", Problem: "too large"}},
		Answered:   map[string]int{"": 11, "not-yet": 1},
		Publishing: true, Snapshot: time.Now().Add(-time.Hour),
	}
	s, err := metrics.Serve("127.0.0.1:0", "1.2.3", func(context.Context) metrics.Sample { return sample })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	values, page := scrape(t, s.URL())
	for key, want := range map[string]float64{
		"roznamcha_entry": 7, "roznamcha_events_total verdict=accepted": 9, "roznamcha_events_total verdict=unrecognised": 3,
		"roznamcha_lag_entries": 4, "roznamcha_lag_seconds": 0.5, "roznamcha_ledger_up": 1, "roznamcha_publishing": 1,
		fmt.Sprintf("roznamcha_exceptions kind=%s", projections.ExceptionKinds()[0]): 3,
		"roznamcha_exceptions kind=dangling-link":                                    0,
		"roznamcha_record_results_total ruling=accepted":                             5,
		"roznamcha_table_entry table=city":                                           6, "roznamcha_tables_published_total table=city": 3, "roznamcha_tables_skipped_total table=city": 8,
		"roznamcha_table_problem table=big": 1, "roznamcha_table_problem table=city": 0,
		"roznamcha_append_seconds_count": 2, "roznamcha_append_seconds_sum": 1.003, "roznamcha_append_bytes_total": 1000,
		"roznamcha_record_failures_total code=busy": 6, "roznamcha_tables_current": 1,
		"roznamcha_questions_total code=ok": 11, "roznamcha_questions_total code=not-yet": 1,
	} {
		if got, ok := values[key]; !ok || got != want {
			t.Errorf("%s is %v (%v), want %v", key, got, ok, want)
		}
	}
	if age := values["roznamcha_snapshot_age_seconds"]; age < 3600 || age > 3700 {
		t.Errorf("the snapshot is %v s old", age)
	}
	if !strings.Contains(page, `roznamcha_build_info{goversion="go`) || !strings.Contains(page, `version="1.2.3"} 1`) {
		t.Error("no build info")
	}
	problems, err := promlint.New(strings.NewReader(page)).Lint()
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "roznamcha_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	if err != nil {
		t.Error(err)
	}

	// A server that does not answer leaves the lag out, rather than saying 0.
	sample.Lag, sample.Snapshot, sample.Tables = nil, time.Time{}, nil
	values, _ = scrape(t, s.URL())
	for _, key := range []string{"roznamcha_lag_entries", "roznamcha_lag_seconds", "roznamcha_snapshot_age_seconds", "roznamcha_publishing"} {
		if v, ok := values[key]; ok {
			t.Errorf("%s is %v though nobody knows", key, v)
		}
	}
	if values["roznamcha_ledger_up"] != 0 {
		t.Error("the ledger is up")
	}
}

// TestAddressInUse: an address that cannot be had is told, with what to try.
func TestAddressInUse(t *testing.T) {
	take := func(context.Context) metrics.Sample { return metrics.Sample{} }
	s, err := metrics.Serve("127.0.0.1:0", "1.2.3", take)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	taken := strings.TrimSuffix(strings.TrimPrefix(s.URL(), "http://"), "/metrics")
	for _, address := range []string{taken, "nonsense"} {
		if _, err := metrics.Serve(address, "1.2.3", take); err == nil || !strings.Contains(err.Error(), "Try: ") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
