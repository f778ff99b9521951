package projections

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"roznamcha/domain"

	"pgregory.net/rapid"
)

// drawn is a sample of the lines at some positions.
func drawn(t tester, size int, seed string, from []domain.Position) (list []domain.Position) {
	t.Helper()
	s, err := NewSample(size, seed)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range from {
		s.Offer(&domain.Ruled{Position: at, Line: at.String()})
	}
	if s.Offered() != len(from) {
		t.Fatalf("offered %d lines, it counts %d", len(from), s.Offered())
	}
	for _, line := range s.Lines() {
		if line.Line != line.Position.String() {
			t.Fatalf("line %s has the text of %s", line.Position, line.Line)
		}
		list = append(list, line.Position)
	}
	return list
}

// lattice is the positions of so many entries of so many lines.
func lattice(entries, lines int) (list []domain.Position) {
	for entry := range entries {
		for line := range lines {
			list = append(list, domain.Position{Entry: uint64(entry + 1), Line: line + 1})
		}
	}
	return list
}

// What is drawn is the same for ever. The order was found with sha256sum: of
// the 15 positions under the seed audit-2026, 5:3 has the digest 04d9d540…, 3:3
// 31af1f45…, 1:1 333ba788…, 4:1 3893005c…, 4:2 457eac94….
func TestASampleIsTheSameForEver(t *testing.T) {
	for size, want := range []string{1: "[5:3]", 2: "[3:3 5:3]", 3: "[1:1 3:3 5:3]", 4: "[1:1 3:3 4:1 5:3]", 5: "[1:1 3:3 4:1 4:2 5:3]"} {
		if size == 0 {
			continue
		}
		if got := fmt.Sprint(drawn(t, size, "audit-2026", lattice(5, 3))); got != want {
			t.Errorf("a sample of %d is %s, want %s", size, got, want)
		}
	}
}

// A sample is what sorting everything would have drawn, in whatever order the
// lines came.
func TestASampleIsThatOfEverythingSorted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.StringMatching(`[!-~]([ -~]{0,20}[!-~])?`).Draw(t, "seed")
		size := rapid.IntRange(1, 40).Draw(t, "size")
		all := lattice(rapid.IntRange(0, 30).Draw(t, "entries"), rapid.IntRange(1, 4).Draw(t, "lines"))
		digest := func(p domain.Position) string {
			sum := sha256.Sum256(fmt.Appendf(nil, "%s %d:%d", seed, p.Entry, p.Line))
			return string(sum[:])
		}
		want := slices.Clone(all)
		slices.SortFunc(want, func(a, b domain.Position) int { return strings.Compare(digest(a), digest(b)) })
		want = want[:min(size, len(want))]
		slices.SortFunc(want, func(a, b domain.Position) int {
			if a.Before(b) {
				return -1
			}
			return 1
		})
		if got := drawn(t, size, seed, rapid.Permutation(all).Draw(t, "order")); !slices.Equal(got, want) {
			t.Fatalf("%d of %d under %q: %v, want %v", size, len(all), seed, got, want)
		}
	})
}

// Over many seeds every line, and every pair of lines, is drawn as often as any
// other: the statistics of these seeds, which never change, lie where chance has
// them in all but one of ten thousand.
func TestASampleIsUniform(t *testing.T) {
	const seeds, size = 20_000, 4
	all := lattice(5, 4)
	ones, pairs := make(map[domain.Position]int), make(map[[2]domain.Position]int)
	for seed := range seeds {
		list := drawn(t, size, fmt.Sprint("seed ", seed), all)
		for i, a := range list {
			ones[a]++
			for _, b := range list[i+1:] {
				pairs[[2]domain.Position{a, b}]++
			}
		}
	}
	if len(ones) != 20 || len(pairs) != 190 {
		t.Fatalf("%d lines and %d pairs were ever drawn", len(ones), len(pairs))
	}
	// Each line is drawn with p = 4/20, each pair with 4·3/(20·19); drawing without
	// replacement makes the sum of squares less than a chi-square's.
	statistic := func(n int, expected float64) float64 { d := float64(n) - expected; return d * d / expected }
	var one, pair float64
	for _, n := range ones {
		one += statistic(n, seeds*4.0/20)
	}
	for _, n := range pairs {
		pair += statistic(n, seeds*4.0*3/(20*19))
	}
	if one > 50.8 || pair > 270 { // of 19 and 189 degrees of freedom
		t.Errorf("chi-square of lines %.1f, of pairs %.1f", one, pair)
	}
}

func TestSamplesThatCannotBeDrawn(t *testing.T) {
	for _, c := range []struct {
		size       int
		seed, want string
	}{
		{0, "x", "from 1 to 100,000"},
		{-1, "x", "from 1 to 100,000"},
		{100_001, "x", "from 1 to 100,000"},
		{1, "", "printable ASCII"},
		{1, " x", "printable ASCII"},
		{1, "x\n", "printable ASCII"},
		{1, "روزنامچہ", "printable ASCII"},
		{1, strings.Repeat("x", 65), "printable ASCII"},
	} {
		if _, err := NewSample(c.size, c.seed); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d lines under %q: %v", c.size, c.seed, err)
		}
	}
}

// What a sample keeps outlives the entry that it was part of.
func TestASampleKeepsItsLines(t *testing.T) {
	s, err := NewSample(1, "x")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Split("as written|data.occurred|is missing", "|")
	r := &domain.Ruled{
		Position: domain.Position{Entry: 1, Line: 1}, Line: text[0], Change: domain.NoChange, Record: domain.NoRecord,
		Ruling: domain.Ruling{Verdict: domain.Refused, Code: domain.BadData, Field: text[1], Detail: text[2]},
		Event:  &domain.Event{},
	}
	s.Offer(r)
	got := s.Lines()[0]
	if got.Event != nil || got.Fact != nil {
		t.Error("it keeps the event of an entry that is gone")
	}
	for i, kept := range []string{got.Line, got.Field, got.Detail} {
		if unsafe.StringData(kept) == unsafe.StringData(text[i]) {
			t.Errorf("%q is still part of the entry", kept)
		}
	}
	r.Event = nil
	if *got != *r {
		t.Errorf("it kept %+v, of %+v", got, r)
	}
}
