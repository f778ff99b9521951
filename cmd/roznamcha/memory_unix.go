//go:build linux || darwin || freebsd

package main

import (
	"runtime"
	"syscall"
)

// peakMemory is the most memory that this process has had resident so far, the
// server inside it included, in bytes; 0 where the platform does not tell.
func peakMemory() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	most := int64(usage.Maxrss)
	if runtime.GOOS == "darwin" {
		return most // the others count in KiB
	}
	return most << 10
}
