package projections

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"roznamcha/domain"
)

// benchFacts is how many facts the benchmarks ask: enough that no cache of this
// size exists. The figures per fact hold for more.
const benchFacts = 5_000_000

// rulings makes rulings on facts as a large ledger has them: 60 units, 25
// cities, 40 nationalities, ten years of days, reported some days later.
func rulings(n int) func() *domain.Ruled {
	random := rand.New(rand.NewPCG(1, 2))
	start := time.Date(2015, 10, 1, 0, 0, 0, 0, time.UTC)
	var days []domain.Period
	for i := range 3660 {
		days = append(days, period(start.AddDate(0, 0, i).Format(time.DateOnly)))
	}
	pick := func(n int) int { return min(random.IntN(n), random.IntN(n)) } // the first are the most frequent
	var diaries []domain.Diary
	for i := range 60 {
		diaries = append(diaries, domain.Diary{Agency: fmt.Sprintf("agency%d", i/10), Unit: fmt.Sprintf("unit%d", i)})
	}
	var cities, subdivisions []string
	for i := range 25 {
		cities = append(cities, fmt.Sprintf("City of number %d", i))
		subdivisions = append(subdivisions, fmt.Sprintf("Province %d", i/5))
	}
	var nationalities [][]domain.Nationality
	for _, c := range []domain.Nationality{"PK", "CN", "NG", "PH", "BD", "LK", "MM", "ZW", "IN", "AF", "IR", "RU", "US", "GB", "DE", "FR", "TR", "TH", "VN", "ID"} {
		nationalities = append(nationalities, []domain.Nationality{c})
	}
	data := &domain.ArrestMade{Persons: domain.Count{N: 1}}
	r := &domain.Ruled{Ruling: domain.Ruling{Verdict: domain.Accepted}, Change: domain.Created, SameAs: domain.NoRecord, Recorded: start.AddDate(20, 0, 0)}
	i := 0
	return func() *domain.Ruled {
		if i == n {
			return nil
		}
		r.Position = domain.Position{Entry: uint64(i/100 + 2), Line: i%100 + 1}
		r.Record = domain.RecordID(i + 1)
		unit, city, day := pick(60), pick(25), random.IntN(3600)
		r.Name = domain.RecordName{Kind: "arrest", Diary: diaries[unit], ID: "x"}
		data.Occurred, data.Reported = days[day], days[day+random.IntN(60)]
		data.Place = domain.Location{Country: "PK", Subdivision: subdivisions[city], City: cities[city]}
		data.Nationality = nationalities[pick(20)]
		data.Sex = []domain.Sex{domain.Male, domain.Female}[random.IntN(2)]
		r.Fact = data
		i++
		return r
	}
}

func ruledOpening() *domain.Ruled {
	return &domain.Ruled{
		Ruling: domain.Ruling{Verdict: domain.Accepted}, Change: domain.Created, Position: domain.Position{Entry: 1, Line: 1},
		Fact: &domain.LedgerOpened{Name: "bench", HomeCountry: "PK", Zone: "Asia/Karachi", Rules: 1},
	}
}

func BenchmarkTotalsApply(b *testing.B) {
	next := rulings(b.N)
	t := NewTotals()
	t.Apply(ruledOpening())
	b.ReportAllocs()
	for r := next(); r != nil; r = next() {
		t.Apply(r)
	}
}

// BenchmarkRulings is what BenchmarkTotalsApply spends on making its facts.
func BenchmarkRulings(b *testing.B) {
	next := rulings(b.N)
	for r := next(); r != nil; r = next() {
		_ = r
	}
}

func BenchmarkTotalsQuery(b *testing.B) {
	before := liveHeap()
	t := NewTotals()
	t.Apply(ruledOpening())
	next := rulings(benchFacts)
	for r := next(); r != nil; r = next() {
		t.Apply(r)
	}
	perFact := float64(liveHeap()-before) / benchFacts
	period := period("2017-01/2022-06")
	for _, q := range []struct {
		name string
		Query
	}{
		{"total", Query{}},
		{"city", Query{By: []Dimension{City}}},
		{"city,nationality", Query{By: []Dimension{City, Nationality}}},
		{"city,month", Query{By: []Dimension{City, Month}}},
		{"city,month,period,asof", Query{By: []Dimension{City, Month}, Period: period, AsOf: benchFacts / 100 / 2}},
		{"city,unit,quarter", Query{By: []Dimension{City, Unit, Quarter}}},
		{"unit,nationality,month,reported", Query{By: []Dimension{Unit, Nationality, Month}, Clock: Reported, Period: period}},
	} {
		b.Run(q.name, func(b *testing.B) {
			for b.Loop() {
				table, err := t.Query(q.Query)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(table.Rows)), "rows")
			}
			b.ReportMetric(float64(benchFacts)*float64(b.N)/1e6/b.Elapsed().Seconds(), "Mfacts/s")
			b.ReportMetric(perFact, "B/fact")
		})
	}
	b.Logf("%d cells, %d spans", len(t.cells.all), len(t.spans.all))
	runtime.KeepAlive(t)
}

func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkChanges explains a cell of some thousand facts and holds two moments
// of a table against each other, half the facts between them.
func BenchmarkChanges(b *testing.B) {
	t, amendments := NewTotals(), NewAmendments()
	t.Apply(ruledOpening())
	next := rulings(benchFacts)
	for r := next(); r != nil; r = next() {
		t.Apply(r)
	}
	middle, end := uint64(benchFacts/100/2), uint64(benchFacts/100)
	for i := range 3 {
		agency := func(n int) string { return fmt.Sprintf("agency%d", n) }
		start := time.Now()
		t.Apply(&domain.Ruled{
			Ruling: domain.Ruling{Verdict: domain.Accepted}, Change: domain.Created, Position: domain.Position{Entry: end + uint64(i) + 2, Line: 1},
			Record: domain.RecordID(benchFacts + 1 + i),
			Fact:   &domain.AgencySucceeded{Predecessor: agency(2 * i), Successor: agency(2*i + 1), Effective: period("2020-04")},
		})
		b.Logf("a succession applied in %v", time.Since(start))
	}
	b.Run("explain", func(b *testing.B) {
		arrests, err := ParseColumn("arrests")
		if err != nil {
			b.Fatal(err)
		}
		q := Query{Columns: []Column{arrests}, Where: []Filter{{City, []string{"City of number 3"}}, {Month, []string{"2017-03"}}}}
		for b.Loop() {
			e, err := t.Explain(q, false)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(len(e.Parts)), "parts")
		}
	})
	for _, d := range []struct {
		name string
		from uint64
		by   []Dimension
	}{
		{"diff/successions/successor", end + 1, []Dimension{Successor}},
		{"diff/half/successor,city", middle, []Dimension{Successor, City}},
		{"diff/half/total", middle, nil},
		{"diff/half/city,month", middle, []Dimension{City, Month}},
		{"diff/last/city,unit", end - 10, []Dimension{City, Unit}},
	} {
		b.Run(d.name, func(b *testing.B) {
			for b.Loop() {
				changed, err := t.Diff(Query{By: d.by}, amendments, d.from, end+4)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(changed.Cells)), "cells")
			}
		})
	}
}
