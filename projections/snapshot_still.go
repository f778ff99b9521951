package projections

import (
	"slices"
	"sync"
)

// stillPage is how many items are kept still at once.
const stillPage = 1 << 13

// still is a slice as it was at one moment, for a snapshot, while its owner goes
// on: who is about to change an item calls before, which keeps the page that it
// is in. What is appended is not in it.
type still[T any] struct {
	mu  sync.Mutex
	all []T
	// left are the pages that nobody has asked for or changed; kept are those that
	// were about to be changed, as they were.
	left []bool
	kept map[int][]T
}

func newStill[T any](all []T) *still[T] {
	s := &still[T]{all: all, left: make([]bool, (len(all)+stillPage-1)/stillPage), kept: make(map[int][]T)}
	for i := range s.left {
		s.left[i] = true
	}
	return s
}

// before tells that item i is about to change. A nil still keeps nothing.
func (s *still[T]) before(i uint32) {
	if s == nil || int(i) >= len(s.all) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if page := int(i) / stillPage; s.left[page] {
		s.left[page] = false
		s.kept[page] = slices.Clone(s.page(page))
	}
}

func (s *still[T]) page(page int) []T {
	return s.all[page*stillPage : min(len(s.all), (page+1)*stillPage)]
}

// read hands a page as it was to look, once.
func (s *still[T]) read(page int, look func([]T)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if was, ok := s.kept[page]; ok {
		delete(s.kept, page)
		look(was)
		return
	}
	s.left[page] = false
	look(s.page(page))
}
