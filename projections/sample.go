package projections

import (
	"bytes"
	"cmp"
	"container/heap"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"roznamcha/domain"
)

const (
	// maxSample is how many lines a sample may have, which are kept in memory.
	maxSample = 100_000
	// maxSeed is how many bytes a seed may have.
	maxSeed = 64
)

// Sample draws lines by chance that anybody can check: of the lines that it is
// offered it keeps those whose SHA-256 of the seed, a space and the position is
// the least, byte by byte. The digest of line 12:3 under the seed audit-2026 is
//
//	printf '%s' 'audit-2026 12:3' | sha256sum
//
// So every choice of that many lines is as likely as any other to who does not
// know the seed when the positions are given; the same seed draws the same lines
// everywhere, in whatever order they come; a larger sample holds every smaller
// one. A sample takes the memory of the lines that it keeps.
type Sample struct {
	size    int
	seed    string
	kept    sampleHeap
	offered int
	text    []byte
}

// NewSample is a sample of at most size lines, from 1 to 100,000. The seed is 1
// to 64 bytes of printable ASCII, without a space at either end.
func NewSample(size int, seed string) (*Sample, error) {
	steers := func(r rune) bool { return r < ' ' || r > '~' }
	switch {
	case size < 1 || size > maxSample:
		return nil, fmt.Errorf("a sample of %d lines: it has from 1 to 100,000", size)
	case seed == "" || len(seed) > maxSeed || strings.ContainsFunc(seed, steers) || strings.TrimSpace(seed) != seed:
		return nil, fmt.Errorf("seed %q: want 1 to %d printable ASCII characters, without a space at either end. Try: audit-2026-11", clip(seed), maxSeed)
	}
	return &Sample{size: size, seed: seed}, nil
}

// Offer tells the sample of a line. It keeps a copy if it draws it.
func (s *Sample) Offer(r *domain.Ruled) {
	s.offered++
	s.text = append(append(append(s.text[:0], s.seed...), ' '), r.Position.String()...)
	digest := sha256.Sum256(s.text)
	switch {
	case len(s.kept) < s.size:
		heap.Push(&s.kept, sampled{digest, keepLine(r)})
	case bytes.Compare(digest[:], s.kept[0].digest[:]) < 0:
		s.kept[0] = sampled{digest, keepLine(r)}
		heap.Fix(&s.kept, 0)
	}
}

// Offered is how many lines it was drawn from.
func (s *Sample) Offered() int { return s.offered }

// Lines are the lines drawn, in the order of the ledger. They have no Event and
// no Fact.
func (s *Sample) Lines() []*domain.Ruled {
	lines := make([]*domain.Ruled, len(s.kept))
	for i := range s.kept {
		lines[i] = s.kept[i].line
	}
	slices.SortFunc(lines, func(a, b *domain.Ruled) int { return cmp.Compare(a.Position.Place(), b.Position.Place()) })
	return lines
}

// keepLine copies what does not depend on an entry's memory.
func keepLine(r *domain.Ruled) *domain.Ruled {
	line := &domain.Ruled{
		Position: r.Position, Submission: r.Submission, Recorded: r.Recorded, Line: strings.Clone(r.Line), Ruling: r.Ruling,
		Change: r.Change, Record: r.Record, SameAs: r.SameAs,
	}
	line.Code, line.Field, line.Detail = domain.Code(strings.Clone(string(r.Code))), strings.Clone(r.Field), strings.Clone(r.Detail)
	return line
}

// sampled is a line that is drawn, so far.
type sampled struct {
	digest [sha256.Size]byte
	line   *domain.Ruled
}

// sampleHeap has the greatest digest first.
type sampleHeap []sampled

func (h sampleHeap) Len() int           { return len(h) }
func (h sampleHeap) Less(i, j int) bool { return bytes.Compare(h[i].digest[:], h[j].digest[:]) > 0 }
func (h sampleHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *sampleHeap) Push(x any)        { *h = append(*h, x.(sampled)) }
func (h *sampleHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
