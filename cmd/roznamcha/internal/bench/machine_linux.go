package bench

import (
	"os"
	"path/filepath"
	"strings"
)

// cpuModel is the first core's; see proc_cpuinfo(5).
func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// fileSystem is the type of the mount that dir is in: of those that hold it
// the longest, and of several at the same place the last; see
// proc_pid_mountinfo(5).
func fileSystem(dir string) (kind string) {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return ""
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	longest := -1
	for line := range strings.Lines(string(mounts)) {
		mount, rest, ok := strings.Cut(line, " - ")
		at, is := strings.Fields(mount), strings.Fields(rest)
		if !ok || len(at) < 5 || len(is) < 1 {
			continue
		}
		point := unescape.Replace(at[4])
		if within(dir, point) && len(point) >= longest {
			longest, kind = len(point), is[0]
		}
	}
	return kind
}

// unescape reads what the kernel writes for white space and backslashes.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// within tells whether dir is the directory point or below it.
func within(dir, point string) bool {
	return dir == point || strings.HasPrefix(dir, strings.TrimSuffix(point, "/")+"/")
}
