//go:build !linux

package bench

// cpuModel and fileSystem are not known here.
func cpuModel() string { return "" }

func fileSystem(string) string { return "" }
