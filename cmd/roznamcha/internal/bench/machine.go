package bench

import (
	"runtime"
	"runtime/debug"
	"slices"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Versions are of what was measured.
type Versions struct {
	Roznamcha  string `json:"roznamcha"`
	Go         string `json:"go"`
	NATSServer string `json:"nats_server"`
	NATSGo     string `json:"nats_go"`
}

// Machine is where it was measured.
type Machine struct {
	// Cores is how many of the machine's this process may use at once.
	Cores int `json:"cores"`
	// CPU is the model as the system calls it; "" where it does not say.
	CPU  string `json:"cpu,omitempty"`
	OS   string `json:"os"`
	Arch string `json:"arch"`
	// GC is how much garbage there may be in percent of what lives, as GOGC.
	GC int `json:"gogc"`
}

// Store is what it was measured on.
type Store struct {
	// Directory is where the stores were. It is there no longer.
	Directory string `json:"directory"`
	// FileSystem is the type of the file system, such as "ext4"; "" where the
	// system does not say.
	FileSystem string `json:"file_system,omitempty"`
	// InMemory tells that the file system is known to have no disk under it: a
	// sync costs nothing there and means nothing.
	InMemory bool `json:"in_memory"`
	// Sync is when the servers that were measured write to disk, as they say
	// themselves: "always" before they acknowledge, or "not always".
	Sync string `json:"sync"`
}

// memoryFileSystems have no disk under them.
var memoryFileSystems = []string{"tmpfs", "ramfs", "devtmpfs"}

func versions(own string) Versions {
	return Versions{own, runtime.Version(), server.VERSION, nats.Version}
}

func machine() Machine {
	gc := debug.SetGCPercent(100) // there is no way only to ask
	debug.SetGCPercent(gc)
	return Machine{min(runtime.NumCPU(), runtime.GOMAXPROCS(0)), cpuModel(), runtime.GOOS, runtime.GOARCH, gc}
}

// measuredOn notes what the server of a site does: "always" is said where all do.
func (st *Store) measuredOn(s *site) {
	switch {
	case !s.server.SyncsAlways():
		st.Sync = "not always"
	case st.Sync == "":
		st.Sync = "always"
	}
}

func store(dir string) Store {
	kind := fileSystem(dir)
	return Store{Directory: dir, FileSystem: kind, InMemory: slices.Contains(memoryFileSystems, kind)}
}
