package projections

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"roznamcha/domain"
)

// What a snapshot takes the place of goes away, and a save that is stopped leaves
// the file that was there.
func TestASaveLeavesOneFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "snapshot")
	b := newBook(t)
	save(t, TakeSnapshot(b.reg, Stats{}, b.totals), path)
	if err := os.Truncate(path, 3*retireStep); err != nil { // a large file, of no use
		t.Fatal(err)
	}
	asked := 0
	if saved, err := TakeSnapshot(b.reg, Stats{}, b.totals).Save(path, func() error { asked++; return nil }); err != nil || !saved {
		t.Fatal(saved, err)
	}
	if asked < 2 {
		t.Errorf("asked %d times while a large file was given back", asked)
	}
	b.write(raid(karachi, "1", "Karachi", "2025"))
	for i := range 100 { // names enough for more than a megabyte
		var raids []*domain.Event
		for k := range 150 {
			raids = append(raids, raid(karachi, fmt.Sprintf("%0120d", i*150+k), "Karachi", "2025"))
		}
		b.write(raids...)
	}
	stop := errors.New("stop")
	if _, err := TakeSnapshot(b.reg, Stats{}, b.totals).Save(path, func() error { return stop }); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 { // and its lock
		t.Error(left, err)
	}
	if h := headerAt(t, path); h.Mark.Entry != 1 {
		t.Errorf("the file is of entry %d", h.Mark.Entry)
	}
}
