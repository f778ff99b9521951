package piece

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// What is kept still reads as it was, whatever its owner changes meanwhile, and
// appends; each change has the rows around it copied, once.
func TestStillReadsAsItWas(t *testing.T) {
	for seed := range uint64(20) {
		chance := rand.New(rand.NewPCG(seed, 1))
		rows := 10*StillRows + chance.IntN(StillRows)
		all := make([]int, rows, rows+int(seed%2)*3000) // which grows where it is, or elsewhere
		for i := range all {
			all[i] = i
		}
		was := slices.Clone(all)
		s := NewStill(len(all), func(from, to int) []int { return all[from:to] })
		now := all
		change := func(n int) {
			for range n {
				i := chance.IntN(len(now))
				s.Before(uint32(i))
				now[i] = -1
				if i%7 == 0 {
					now = append(now, -2)
				}
			}
		}
		change(5)
		if len(s.kept) > 5 {
			t.Fatal("5 changes keep", len(s.kept), "pages")
		}
		var owner sync.WaitGroup
		owner.Go(func() { change(3000) })
		var is []int
		for from := 0; from < s.Len(); from += 2 * StillRows {
			s.Read(from, min(s.Len(), from+2*StillRows), func(page []int) { is = append(is, page...) })
		}
		owner.Wait()
		if !slices.Equal(is, was) {
			t.Fatal("not as it was, with seed", seed)
		}
		if len(s.kept) > 0 {
			t.Error("what was read is kept")
		}
	}
	var none *Still[int]
	none.Before(1)
	if none.Len() != 0 {
		t.Error("nothing has rows")
	}
}
