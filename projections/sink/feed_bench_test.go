package sink

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"roznamcha/domain"
	"roznamcha/projections/sink/postgrestest"
)

// BenchmarkFeed is how fast a new database catches up with 100,000 arrests, five
// hundred an entry, of which every twentieth is corrected later.
func BenchmarkFeed(b *testing.B) {
	const facts, perEntry = 100_000, 500
	l := newLedger(b, "bench")
	lines := make([]string, 0, perEntry)
	for n := range facts {
		diary := domain.Diary{Agency: "nccia", Unit: fmt.Sprint("unit-", n%20)}
		id := uuid.NewSHA1(uuid.Nil, fmt.Append(nil, n))
		arrest := &domain.ArrestMade{
			Common:  domain.Common{Occurred: period(fmt.Sprintf("2025-%02d-%02d", n%12+1, n%28+1)), Place: domain.Location{Country: "PK", City: fmt.Sprint("City ", n%50)}},
			Persons: domain.Count{N: int64(n%7 + 1)}, Nationality: []domain.Nationality{"CN"}, Sex: domain.Male,
		}
		lines = append(lines, lineOf(b, diary, fmt.Sprint("2025-", n), id, arrest))
		if n%20 == 19 {
			other := *arrest
			other.Persons.N++
			name := domain.RecordName{Kind: "arrest", Diary: diary, ID: fmt.Sprint("2025-", n)}
			lines = append(lines, lineOf(b, diary, "", uuid.NewSHA1(uuid.Nil, fmt.Append(nil, "c", n)), &domain.RecordCorrected{Record: name, Amends: id, Replacement: &other, Reason: domain.UnitError}))
		}
		if len(lines) >= perEntry {
			write(b, l, strings.Join(lines, "\n\n"))
			lines = lines[:0]
		}
	}
	run := func(b *testing.B, empty func() string) {
		for b.Loop() {
			b.StopTimer()
			where := empty()
			b.StartTimer()
			feed(b, l, where, Options{})
		}
		b.ReportMetric(float64(b.N*facts)/b.Elapsed().Seconds(), "facts/s")
	}
	b.Run("sqlite", func(b *testing.B) {
		dir, n := b.TempDir(), 0
		run(b, func() string {
			n++
			return filepath.Join(dir, fmt.Sprint(n, ".db"))
		})
	})
	b.Run("postgres", func(b *testing.B) { run(b, postgrestest.Start(b).Database) })
}
