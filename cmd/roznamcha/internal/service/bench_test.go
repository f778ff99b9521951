package service_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/cmd/roznamcha/internal/service"
	"roznamcha/domain"
	"roznamcha/eventstore/client"
	"roznamcha/eventstore/embedded"
)

// BenchmarkRecord is publishers over TCP, each with a connection and a diary of
// its own, that wait for every receipt. On the same server, in turns with them,
//   - raw: one of them publishes the same bytes to a plain stream and waits for
//     every acknowledgement;
//   - echo: all of them ask a service that does nothing, which is what NATS
//     itself leaves to reach on this machine.
//
// It reports requests a second, and how many times raw and how much of echo that
// is; run it with -benchtime 50000x and more.
func BenchmarkRecord(b *testing.B) {
	for _, publishers := range []int{1, 64, 256} {
		b.Run(fmt.Sprint(publishers), func(b *testing.B) { benchmarkRecord(b, publishers) })
	}
}

func benchmarkRecord(b *testing.B, publishers int) {
	o := openOffice(b, b.TempDir(), embedded.Options{}, service.Options{})
	if _, err := o.nc.QueueSubscribe("echo", "q", func(m *nats.Msg) { _ = m.Respond(make([]byte, 300)) }); err != nil {
		b.Fatal(err)
	}
	conns, clients, diaries := make([]*nats.Conn, publishers), make([]*client.Client, publishers), make([]domain.Diary, publishers)
	for i := range conns {
		conns[i], diaries[i] = connect(b, o.server), unit(i)
		clients[i] = client.New(conns[i], diaries[i])
	}
	js := newRaw(b, conns[0])

	const rounds = 5
	each := max(1, b.N/publishers/rounds)
	var raw, echo, record pace
	for round := range rounds {
		lines := linesOf(diaries, round*each, each)
		raw.run(b, 1, min(each*publishers, 1000), func(_, n int) error {
			_, err := js.Publish(b.Context(), "raw", lines[n%publishers][n/publishers])
			return err
		})
		echo.run(b, publishers, each, func(p, n int) error {
			_, err := conns[p].RequestWithContext(b.Context(), "echo", lines[p][n])
			return err
		})
		record.run(b, publishers, each, func(p, n int) error {
			receipt, err := clients[p].Record(b.Context(), lines[p][n])
			if err == nil {
				err = receipt.Err()
			}
			return err
		})
	}
	tail, err := o.ledger.Tail(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(record.rate(), "requests/s")
	b.ReportMetric(record.rate()/raw.rate(), "x-raw")
	b.ReportMetric(record.rate()/echo.rate(), "of-echo")
	b.ReportMetric(raw.rate(), "raw/s")
	b.ReportMetric(float64(record.done)/float64(tail-1), "lines/entry")
	b.ReportMetric(0, "ns/op") // of everything: it says nothing
}

// pace is how fast something goes, over rounds.
type pace struct {
	done int
	took time.Duration
}

// run lets publishers work beside each other, each of them n times.
func (r *pace) run(b *testing.B, publishers, n int, work func(publisher, n int) error) {
	began := time.Now()
	var all sync.WaitGroup
	for p := range publishers {
		all.Go(func() {
			for i := range n {
				if err := work(p, i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	r.took += time.Since(began)
	r.done += publishers * n
}

func (r *pace) rate() float64 { return float64(r.done) / r.took.Seconds() }

func newRaw(b *testing.B, nc *nats.Conn) jetstream.JetStream {
	b.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := js.CreateStream(b.Context(), jetstream.StreamConfig{Name: "RAW", Subjects: []string{"raw"}, Storage: jetstream.FileStorage}); err != nil {
		b.Fatal(err)
	}
	return js
}

// linesOf are n events of about 320 bytes of each diary.
func linesOf(diaries []domain.Diary, from, n int) [][][]byte {
	lines := make([][][]byte, len(diaries))
	for i, diary := range diaries {
		for j := range n {
			line := raid(diary, from+j)
			note := `"note":"at the corner of the old market, behind the bank, on the second floor"`
			lines[i] = append(lines[i], []byte(line[:len(line)-2]+","+note+"}}"))
		}
	}
	return lines
}
