//go:build linux || darwin || freebsd

package bench

import (
	"syscall"
	"time"
)

// cpuTime is what this process has had of the cores so far.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
