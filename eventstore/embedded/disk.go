package embedded

import (
	"fmt"

	"roznamcha/eventstore"
)

// DefaultReserve is how many bytes of its disk the ledger leaves free: a
// server that runs into the wall needs a restart, and what else is on the disk
// needs some too.
const DefaultReserve = 64 << 20

// Room tells whether the disk of the data directory dir has more than the
// default reserve left; eventstore.ErrDiskFull where it has not, and
// eventstore.ErrRejected where nobody can tell, as without dir. It is what
// eventstore's Ledger.Guard wants where another program of this machine serves
// dir.
func Room(dir string) error { return room(dir, DefaultReserve) }

func room(dir string, reserve uint64) error {
	free, _, err := disk(dir)
	if err != nil {
		return &eventstore.Error{
			Op:   "data directory " + dir,
			Kind: eventstore.ErrRejected,
			Err:  err,
			Try:  "stop this program, and see what became of the data directory",
		}
	}
	if free >= reserve {
		return nil
	}
	return &eventstore.Error{
		Op:   "data directory " + dir,
		Kind: eventstore.ErrDiskFull,
		Err:  fmt.Errorf("%s are free, %s are kept in reserve", size(free), size(reserve)),
		Try:  "make room on that disk, then the same again",
	}
}

// size is so many bytes as a person says them.
func size(bytes uint64) string {
	switch {
	case bytes >= 1<<20:
		return fmt.Sprintf("%d MiB", bytes>>20)
	case bytes >= 1<<10:
		return fmt.Sprintf("%d KiB", bytes>>10)
	}
	return fmt.Sprintf("%d bytes", bytes)
}
