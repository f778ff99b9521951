//go:build !linux

package smalldisk

import "testing"

// Disk is a file system of its own.
type Disk struct{ Dir string }

// Run skips: no disk of its own can be mounted here.
func Run(t *testing.T, bytes int, test func(t *testing.T, d *Disk)) {
	t.Skip("no disk of its own can be mounted on this system")
}

// Free is for Linux.
func (*Disk) Free(testing.TB) int { return 0 }

// Fill is for Linux.
func (*Disk) Fill(testing.TB, int) {}

// Clear is for Linux.
func (*Disk) Clear(testing.TB) {}
