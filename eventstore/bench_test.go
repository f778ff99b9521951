package eventstore_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

// BenchmarkSubmit is an import's path: one-line submissions, pipelined, on an
// embedded server that syncs every write. It reports submissions a second and
// lines an entry.
func BenchmarkSubmit(b *testing.B) {
	l, _ := openLedger(b)
	r := newRecorder(b, l, eventstore.RecorderConfig{})
	lines := make([][]byte, b.N)
	for i := range lines {
		lines[i] = []byte(raid("/nccia/karachi", i))
	}
	pending := make(chan *eventstore.Pending, 8*domain.MaxLines)
	done := make(chan struct{})
	b.ReportAllocs()
	b.ResetTimer()
	go func() {
		defer close(done)
		for p := range pending {
			receipt, err := p.Receipt(b.Context())
			if err != nil || receipt.Err() != nil {
				b.Error(err, receipt.Err())
			}
		}
	}()
	for _, line := range lines {
		p, err := r.Submit(b.Context(), line)
		if err != nil {
			b.Fatal(err)
		}
		pending <- p
	}
	close(pending)
	<-done
	b.StopTimer()
	tail, err := l.Tail(soon(b))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "submissions/s")
	b.ReportMetric(float64(b.N)/float64(tail-1), "lines/entry")
}

// BenchmarkRecord is a lone publisher that waits for every receipt.
func BenchmarkRecord(b *testing.B) {
	l, _ := openLedger(b)
	r := newRecorder(b, l, eventstore.RecorderConfig{})
	lines := make([][]byte, b.N)
	for i := range lines {
		lines[i] = []byte(raid("/nccia/karachi", i))
	}
	b.ResetTimer()
	for _, line := range lines {
		receipt, err := r.Record(b.Context(), line)
		if err != nil || receipt.Err() != nil {
			b.Fatal(err, receipt.Err())
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "receipts/s")
}

// BenchmarkRead reads entries and does nothing with them.
func BenchmarkRead(b *testing.B) {
	for _, test := range []struct {
		name         string
		entries, per int
	}{{"1-an-entry", 30_000, 1}, {"100-an-entry", 3_000, 100}, {"1000-an-entry", 1_000, 1000}} {
		b.Run(test.name, func(b *testing.B) {
			l, _ := openLedger(b)
			payload := []byte(strings.TrimSuffix(strings.Repeat(raid("/nccia/karachi", 1)+"\n\n", test.per), "\n\n"))
			for range test.entries {
				if _, err := l.Append(soon(b), payload); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(test.entries * len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				if err := l.Read(b.Context(), 1, uint64(test.entries)+1, func(domain.Entry) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*test.entries*test.per)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkCatchUp is a recorder's start on a ledger of full entries, and of
// entries of one event. In between the entries are read and nothing is done:
// of-reading is the start's speed in proportion to that, each at its best.
func BenchmarkCatchUp(b *testing.B) {
	for _, test := range []struct{ events, per int }{{30_000, 1}, {200_000, 100}, {200_000, 1000}} {
		b.Run(fmt.Sprint(test.per, "-an-entry"), func(b *testing.B) {
			l, _ := openLedger(b)
			var lines []string
			for i := range test.events {
				if lines = append(lines, raid("/nccia/karachi", i)); len(lines) < test.per {
					continue
				}
				if _, err := l.Append(soon(b), []byte(strings.Join(lines, "\n\n"))); err != nil {
					b.Fatal(err)
				}
				lines = lines[:0]
			}
			starting, reading := time.Hour, time.Hour
			for b.Loop() {
				began := time.Now()
				r := newRecorder(b, l, eventstore.RecorderConfig{})
				starting = min(starting, time.Since(began))
				_ = r.Close()
				began = time.Now()
				if err := l.Read(b.Context(), 1, uint64(test.events/test.per)+1, func(domain.Entry) error { return nil }); err != nil {
					b.Fatal(err)
				}
				reading = min(reading, time.Since(began))
			}
			b.ReportMetric(float64(test.events)/starting.Seconds(), "events/s")
			b.ReportMetric(reading.Seconds()/starting.Seconds(), "of-reading")
		})
	}
}
