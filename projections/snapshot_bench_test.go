package projections

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/uuid"

	"roznamcha/domain"
)

// benchSnapshotEvents is the ledger that the figures are of.
const benchSnapshotEvents = 5_000_000

// appendBenchLine appends one event of a ledger of 64 diaries: in ten a raid, a
// recovery and eight arrests at it.
func appendBenchLine(b []byte, i int) []byte {
	id := benchID(i)
	diary, city := i/10%64, i/10%40
	day := fmt.Sprintf("20%02d-%02d-%02d", 20+i%5, i/7%12+1, i/3%28+1)
	switch i % 10 {
	case 0:
		return fmt.Appendf(b, `{"specversion":"1.0","id":"%s","source":"/nccia/d%02d","type":"raid.conducted","subject":"R%07d","data":{"occurred":"%s","place":{"country":"PK","city":"City%d"},"premises":"call-centre"}}`, id, diary, i/10, day, city)
	case 1:
		return fmt.Appendf(b, `{"specversion":"1.0","id":"%s","source":"/nccia/d%02d","type":"recovery.made","subject":"V%07d","data":{"occurred":"%s","place":{"country":"PK","city":"City%d"},"raid":"R%07d","amount":{"value":"%d.00","currency":"PKR"},"form":"cash"}}`, id, diary, i/10, day, city, i/10, i%100000)
	}
	return fmt.Appendf(b, `{"specversion":"1.0","id":"%s","source":"/nccia/d%02d","type":"arrest.made","subject":"A%08d","data":{"occurred":"%s","place":{"country":"PK","city":"City%d"},"raid":"R%07d","persons":%d,"nationality":["%s"],"sex":"male"}}`, id, diary, i, day, city, i/10, i%3+1, []string{"PK", "CN", "IN"}[i%3])
}

func benchID(i int) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:], uint64(i)*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(id[8:], uint64(i)*0xd1342543de82ef95)
	id[6], id[8] = id[6]&15|64, id[8]&63|128
	return id
}

// benchLedger is the state after so many events, and a writer of entries of 1,000
// retractions of records all over it.
type benchLedger struct {
	reg        *domain.Register
	totals     *Totals
	exceptions *Exceptions
	stats      Stats
	retracted  int
}

func newBenchLedger(b *testing.B) *benchLedger {
	l := &benchLedger{reg: domain.NewRegister(), totals: NewTotals(), exceptions: NewExceptions()}
	l.apply(b, []byte(`{"specversion":"1.0","id":"00000000-0000-4000-8000-000000000000","source":"/ledger/office","type":"ledger.opened","subject":"ledger","data":{"name":"five","home":"PK","zone":"Asia/Karachi","rules":1}}`))
	for i := 0; i < benchSnapshotEvents; {
		var payload []byte
		for end := i + 1000; i < end; i++ {
			payload = append(appendBenchLine(payload, i), "\n\n"...)
		}
		l.apply(b, payload)
	}
	runtime.GC()
	return l
}

func (l *benchLedger) apply(b *testing.B, payload []byte) (took time.Duration) {
	e := domain.Entry{Number: l.reg.Last() + 1, Subject: domain.EntrySubject, Recorded: time.Unix(1_770_000_000, 0).UTC(), Payload: payload}
	e.Hash()
	e.Read() // as a recorder does before it holds the register
	began := time.Now()
	accepted := l.stats.Accepted
	if err := Fold(l.reg, e, l.totals, l.exceptions, &l.stats); err != nil || l.stats.Accepted == accepted {
		b.Fatal(err)
	}
	return time.Since(began)
}

// retract retracts 1,000 records in one entry.
func (l *benchLedger) retract(b *testing.B) time.Duration {
	var payload []byte
	for range 1000 {
		l.retracted++
		i := l.retracted * 3_090_169 % benchSnapshotEvents // the golden section: all over it
		kind, subject := "arrest", fmt.Sprintf("A%08d", i)
		switch i % 10 {
		case 0:
			kind, subject = "raid", fmt.Sprintf("R%07d", i/10)
		case 1:
			kind, subject = "recovery", fmt.Sprintf("V%07d", i/10)
		}
		diary := fmt.Sprintf("/nccia/d%02d", i/10%64)
		payload = fmt.Appendf(payload, `{"specversion":"1.0","id":"%s","source":"%s","type":"record.retracted","data":{"record":"%s%s/%s","amends":"%s","reason":"data-entry"}}`+"\n\n",
			benchID(benchSnapshotEvents+l.retracted), diary, kind, diary, subject, benchID(i))
	}
	return l.apply(b, payload)
}

// BenchmarkSnapshot takes a snapshot of five million events, saves it and starts
// from it. It tells how long the register is held still to take it; how long one
// entry of 1,000 retractions took at the most while nothing was saved (held
// against) and while it was being saved; and how much memory saving took.
func BenchmarkSnapshot(b *testing.B) {
	l := newBenchLedger(b)
	path := filepath.Join(b.TempDir(), "snapshot")
	var held, saving, starting, slowest, slowestSaving time.Duration
	var most uint64
	for b.Loop() {
		for range 50 {
			slowest = max(slowest, l.retract(b))
		}
		var memory runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&memory)
		was := memory.HeapAlloc
		began := time.Now()
		snapshot := TakeSnapshot(l.reg, l.stats, l.totals, l.exceptions)
		held = max(held, time.Since(began))
		done := make(chan error)
		go func() {
			_, err := snapshot.Save(path, nil)
			done <- err
		}()
		for going := true; going; {
			select {
			case err := <-done:
				if err != nil {
					b.Fatal(err)
				}
				going = false
			default:
				slowestSaving = max(slowestSaving, l.retract(b))
			}
		}
		saving += time.Since(began)
		runtime.GC()
		runtime.ReadMemStats(&memory)
		most = max(most, memory.HeapAlloc-was)
		snapshot.Release()
		began = time.Now()
		s, err := OpenSnapshot(path)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Restore(NewTotals(), NewExceptions()); err != nil {
			b.Fatal(err)
		}
		s.Close()
		starting += time.Since(began)
		info, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(info.Size())/benchSnapshotEvents, "B/event")
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(held), "ms-held")
	b.ReportMetric(ms(slowest), "ms-slowest")
	b.ReportMetric(ms(slowestSaving), "ms-slowest-saving")
	b.ReportMetric(ms(saving)/float64(b.N), "ms-saving")
	b.ReportMetric(ms(starting)/float64(b.N), "ms-start")
	b.ReportMetric(float64(most)/1e6, "MB-saving")
}
