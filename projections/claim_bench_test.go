package projections

import (
	"fmt"
	"testing"

	"roznamcha/domain"
)

// BenchmarkClaims holds 63 claims of five periods, recorded in seven entries,
// against benchFacts facts, and for comparison asks one table by city.
func BenchmarkClaims(b *testing.B) {
	t, claims := NewTotals(), NewClaims()
	t.Apply(ruledOpening())
	next := rulings(benchFacts)
	for r := next(); r != nil; r = next() {
		t.Apply(r)
	}
	periods := []string{"2017-01/2018-06", "2018-01-01/2018-09-02", "2017-09/2018-09", "2016/2020", "../2022-02-02"}
	narrow := [][]domain.Dimension{nil, {{Name: "class", Value: "foreign"}}, {{Name: "class", Value: "national"}}, {{Name: "city", Value: "City of number 3"}}, {{Name: "city", Value: "City of number 4"}, {Name: "nationality", Value: "CN"}}}
	for i := range 63 {
		claims.all = append(claims.all, Claim{
			Position: domain.Position{Entry: uint64((i/9 + 1) * (benchFacts / 100 / 8)), Line: i%9 + 1},
			Record:   domain.RecordName{Kind: "figure", Diary: press, ID: fmt.Sprint(i)},
			Period:   period(periods[i%len(periods)]), Measure: "arrests", Dimensions: narrow[i/len(periods)%len(narrow)], Value: int64(1000 * i),
		})
	}
	b.Run("held", func(b *testing.B) {
		for b.Loop() {
			if held := t.Hold(claims, Select{}); len(held) != 63 {
				b.Fatal(len(held))
			}
		}
		b.ReportMetric(float64(benchFacts)*float64(b.N)/1e6/b.Elapsed().Seconds(), "Mfacts/s")
	})
	b.Run("table", func(b *testing.B) {
		for b.Loop() {
			if _, err := t.Query(Query{By: []Dimension{City}}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(benchFacts)*float64(b.N)/1e6/b.Elapsed().Seconds(), "Mfacts/s")
	})
}
