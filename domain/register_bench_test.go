package domain

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/google/uuid"
)

// benchLine is an arrest of about 320 bytes, as an import writes it.
func benchLine(i int) string {
	var key [8]byte
	binary.BigEndian.PutUint64(key[:], uint64(i))
	return fmt.Sprintf(`{"specversion":"1.0","id":"%s","source":"/us-ice/st-paul","type":"arrest.made","subject":"2016-%07d","data":{"occurred":"2015-10-%02d","place":{"country":"US","site":"OMAHA NE NON-FUGITIVE ARREST"},"persons":1,"nationality":["MX"],"sex":"male","offences":["immigration"]}}`,
		uuid.NewSHA1(uuid.NameSpaceOID, key[:]), i, i%28+1)
}

const benchOpening = `{"specversion":"1.0","id":"00000000-0000-4000-8000-000000000000","source":"/ledger/office","type":"ledger.opened","subject":"bench","data":{"name":"bench","home":"US","zone":"America/Chicago","rules":1}}`

func BenchmarkDecode(b *testing.B) {
	line := benchLine(1)
	var rd reader
	var r reading
	b.ReportAllocs()
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		rd.read(&r, line)
		if r.refusal != nil || r.bad != nil {
			b.Fatal(r.refusal, r.bad)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	e, err := Decode(benchLine(1))
	if err != nil {
		b.Fatal(err)
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		if buf, err = AppendEvent(buf[:0], e); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRegister rules on entries of many single-event submissions, as an
// import makes them, and reports the live heap an event afterwards.
func BenchmarkRegister(b *testing.B) {
	for _, per := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("%d-an-entry", per), func(b *testing.B) {
			const events = 500_000
			var entries []Entry
			entries = append(entries, Entry{Number: 1, Subject: EntrySubject, Payload: []byte(benchOpening)})
			for i := 0; i < events; i += per {
				var payload []byte
				for j := i; j < i+per; j++ {
					payload = append(append(payload, benchLine(j)...), "\n\n"...)
				}
				entries = append(entries, Entry{Number: uint64(len(entries) + 1), Subject: EntrySubject, Payload: payload})
			}
			var before, after runtime.MemStats
			for b.Loop() {
				runtime.GC()
				runtime.ReadMemStats(&before)
				r := NewRegister()
				accepted := 0
				start := time.Now()
				for _, e := range entries {
					if err := r.Apply(e, func(l *Ruled) {
						if l.Verdict == Accepted {
							accepted++
						}
					}); err != nil {
						b.Fatal(err)
					}
				}
				took := time.Since(start)
				if accepted != events+1 {
					b.Fatal(accepted)
				}
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(took.Nanoseconds())/events, "ns/event")
				b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/events, "B/event")
				runtime.KeepAlive(r)
			}
		})
	}
}

// BenchmarkDecodeStandard decodes the same line with encoding/json into a
// struct of the same members, for the ratio.
func BenchmarkDecodeStandard(b *testing.B) {
	line := []byte(benchLine(1))
	b.ReportAllocs()
	for b.Loop() {
		var e struct {
			SpecVersion, ID, Source, Type, Subject string
			Data                                   struct {
				Occurred    string
				Place       struct{ Country, Site string }
				Persons     int
				Nationality []string
				Sex         string
				Offences    []string
			}
		}
		if err := json.Unmarshal(line, &e); err != nil {
			b.Fatal(err)
		}
	}
}
