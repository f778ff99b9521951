package projections

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"roznamcha/domain"
)

// BenchmarkReplay reads arrests from an embedded server through the register
// into totals, in entries of many events and of one. In between it reads them
// and does nothing: of-reading is the replay's speed in proportion to that, each
// at its best.
func BenchmarkReplay(b *testing.B) {
	for _, size := range []int{1000, 100, 1} {
		b.Run(fmt.Sprint("of", size), func(b *testing.B) {
			events := 300_000
			if size == 1 {
				events = 50_000 // each is written to disk
			}
			l, ctx := ledger(b, benchPayloads(b, events, size))
			var before, after uint64
			replaying, reading := time.Hour, time.Hour
			for b.Loop() {
				before = liveHeap()
				totals := NewTotals()
				reg, stats, err := Replay(ctx, l, ReplayOptions{}, totals)
				if err != nil || stats.Accepted != events+1 {
					b.Fatalf("%+v, %v", stats, err)
				}
				replaying = min(replaying, stats.Took)
				after = liveHeap()
				_, _ = totals.Query(Query{})
				start := time.Now()
				if err := l.Read(ctx, 1, reg.Last(), func(domain.Entry) error { return nil }); err != nil {
					b.Fatal(err)
				}
				reading = min(reading, time.Since(start))
			}
			b.ReportMetric(float64(events)/replaying.Seconds(), "events/s")
			b.ReportMetric(reading.Seconds()/replaying.Seconds(), "of-reading")
			b.ReportMetric(float64(after-before)/float64(events), "B/event")
		})
	}
}

// benchPayloads are entries of so many arrests each.
func benchPayloads(b *testing.B, events, size int) (payloads [][]byte) {
	book := newBook(b)
	payloads = book.payloads
	next := rulings(events)
	var entry bytes.Buffer
	n := 0
	for r := next(); r != nil; r = next() {
		n++
		line, err := domain.AppendEvent(nil, &domain.Event{
			ID:     uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, n)),
			Source: r.Name.Diary, Type: domain.TypeArrestMade, Subject: fmt.Sprintf("2016-%06d", n), Data: r.Fact,
		})
		if err != nil {
			b.Fatal(err)
		}
		entry.Write(append(line, '\n'))
		if n%size == 0 {
			payloads = append(payloads, bytes.Clone(bytes.TrimSpace(entry.Bytes())))
			entry.Reset()
		}
	}
	return payloads
}
