package piece

import (
	"slices"
	"sync"
)

// StillRows is how many rows are kept still together: what is copied before one
// of them changes. An entry changes rows all over, and whoever records waits for
// their copies: with blocks of 8,192 the first entries after a snapshot took a
// tenth of a second.
const StillRows = 256

// Still is the first rows of a table as they were at one moment, for a snapshot,
// while the table's owner goes on: who is about to change a row calls Before.
// Rows that are appended are not in it.
type Still[T any] struct {
	mu   sync.Mutex
	len  int
	rows func(from, to int) []T
	// done are the pages that were read, or are kept; kept are those that were
	// about to be changed, as they were.
	done []bool
	kept map[int][]T
}

// NewStill keeps so many rows still. rows hands out those from..to, to excluded,
// of a multiple of StillRows and the next, as the owner changes them.
func NewStill[T any](len int, rows func(from, to int) []T) *Still[T] {
	return &Still[T]{len: len, rows: rows, done: make([]bool, (len+StillRows-1)/StillRows), kept: make(map[int][]T)}
}

// Len is how many rows there are; a nil Still has none.
func (s *Still[T]) Len() int {
	if s == nil {
		return 0
	}
	return s.len
}

// Before tells that row i is about to change. A nil Still keeps nothing.
func (s *Still[T]) Before(i uint32) {
	if s == nil || int(i) >= s.len {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if page := int(i) / StillRows; !s.done[page] {
		s.done[page], s.kept[page] = true, slices.Clone(s.page(page))
	}
}

func (s *Still[T]) page(page int) []T {
	return s.rows(page*StillRows, min(s.len, (page+1)*StillRows))
}

// Read hands the rows from..to, as they were, to look, page by page; from is a
// multiple of StillRows. Each row can be read once: then it is let go.
func (s *Still[T]) Read(from, to int, look func([]T)) {
	for page := from / StillRows; page*StillRows < to; page++ {
		s.readPage(page, look)
	}
}

func (s *Still[T]) readPage(page int, look func([]T)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if was, ok := s.kept[page]; ok {
		delete(s.kept, page)
		look(was)
		return
	}
	s.done[page] = true
	look(s.page(page))
}
