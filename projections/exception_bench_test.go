package projections

import (
	"fmt"
	"runtime"
	"testing"

	"roznamcha/domain"
)

// BenchmarkExceptionsApply folds arrests that each link to one of many raids,
// every hundredth event.
func BenchmarkExceptionsApply(b *testing.B) {
	names := make([]string, b.N)
	links := make([]domain.Link, b.N)
	for i := range names {
		names[i], links[i] = fmt.Sprintf("2016-%06d", i), domain.Link(fmt.Sprintf("2016-%06d", i-i%100))
	}
	next := rulings(b.N)
	before := liveHeap()
	x := NewExceptions()
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		r := next()
		r.Event = &domain.Event{Type: r.Fact.Type(), Source: r.Name.Diary, Subject: names[i], Data: r.Fact}
		r.Name.ID = names[i]
		r.Fact.(*domain.ArrestMade).Raid = links[i]
		x.Apply(r)
	}
	b.StopTimer()
	b.ReportMetric(float64(liveHeap()-before)/float64(b.N), "B/event")
	runtime.KeepAlive(x)
	runtime.KeepAlive(names)
	runtime.KeepAlive(links)
}
