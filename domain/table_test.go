package domain

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// The index finds what was added and not removed, though many hashes collide.
func TestIndexAgreesWithAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var x index
		there := make(map[uint32]uint64) // row: hash
		hashes := rapid.Custom(func(t *rapid.T) uint64 {
			// Homes near the end of the table, so that probing wraps round.
			return uint64(rapid.IntRange(1018, 1026).Draw(t, "home"))<<32 | uint64(rapid.IntRange(0, 1).Draw(t, "rest"))
		})
		for row := range uint32(rapid.IntRange(1, 900).Draw(t, "rows")) {
			if len(there) > 0 && rapid.IntRange(0, 2).Draw(t, "remove") == 0 {
				for old, hash := range there {
					x.remove(hash, old)
					delete(there, old)
					break
				}
			}
			hash := hashes.Draw(t, "hash")
			x.add(hash, row)
			there[row] = hash
		}
		for row, hash := range there {
			if got, ok := x.find(hash, func(r uint32) bool { return r == row }); !ok || got != row {
				t.Fatalf("row %d of %d is lost", row, len(there))
			}
		}
		if x.used != len(there) {
			t.Fatalf("%d rows used, %d are there", x.used, len(there))
		}
	})
}

func TestArenaGivesBackWhatItTook(t *testing.T) {
	var a arena
	var at []uint32
	name := func(i int) string { return fmt.Sprintf("record-%0*d", 1+i%100, i) }
	for i := range 50_000 {
		blocks, used := a.mark()
		a.add("taken back")
		a.truncate(blocks, used)
		at = append(at, a.add(name(i)))
	}
	for i := range at {
		if got := string(a.get(at[i], uint8(len(name(i))))); got != name(i) {
			t.Fatalf("string %d is %q", i, got)
		}
	}
	kept := 0
	for _, block := range a.blocks {
		kept += len(block)
	}
	want := 0
	for i := range at {
		want += len(name(i))
	}
	if kept != want {
		t.Errorf("%d bytes are kept, of strings of %d", kept, want)
	}
	if len(a.blocks) < 2 {
		t.Error("the strings fit one block: the test shows too little")
	}
}
