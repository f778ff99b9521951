package smalldisk

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// mayMount tells a test binary that Run has started it again, where it may.
const mayMount = "ROZNAMCHA_TEST_MAY_MOUNT"

// Run runs test on a disk of so many bytes: in a process of its own, with
// namespaces of its own, so that the mount goes with it however it ends. Where
// that is not allowed, the test is skipped.
func Run(t *testing.T, bytes int, test func(t *testing.T, d *Disk)) {
	t.Helper()
	if os.Getenv(mayMount) == "" {
		runAgain(t)
		return
	}
	d := &Disk{Dir: t.TempDir()}
	// First: what is mounted here is nobody else's to see.
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Fatalf("make the mounts private: %v", err)
	}
	if err := syscall.Mount("tmpfs", d.Dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", bytes)); err != nil {
		t.Skipf("no disk of its own can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(d.Dir, syscall.MNT_DETACH) })
	test(t, d)
}

// runAgain runs the one test t of this binary where it may mount.
func runAgain(t *testing.T) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run", "^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$")
	if testing.Short() {
		c.Args = append(c.Args, "-test.short")
	}
	c.Env = append(os.Environ(), mayMount+"=1")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	runtime.LockOSThread() // the child dies with the thread that made it
	defer runtime.UnlockOSThread()
	out, err := c.CombinedOutput()
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended):
		t.Fatalf("%v\n%s", err, out)
	case err != nil:
		t.Skipf("no disk of its own can be mounted here: %v", err)
	case strings.Contains(string(out), "--- SKIP: "+t.Name()):
		t.Skipf("\n%s", out)
	}
	t.Logf("\n%s", out)
}

// Disk is a file system of its own.
type Disk struct {
	// Dir is where it is mounted.
	Dir string
}

// Free is how many bytes are free on it.
func (d *Disk) Free(t testing.TB) int {
	t.Helper()
	var s syscall.Statfs_t
	if err := syscall.Statfs(d.Dir, &s); err != nil {
		t.Fatal(err)
	}
	return int(s.Bavail) * int(s.Bsize)
}

// Fill takes what is free at once, all but so many bytes, as some other program
// would.
func (d *Disk) Fill(t testing.TB, leave int) {
	t.Helper()
	f, err := os.OpenFile(d.filler(), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for { // others may be writing
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		take := d.Free(t) - leave
		if take <= 0 {
			return
		}
		err = syscall.Fallocate(int(f.Fd()), 0, info.Size(), int64(take))
		if err != nil && err != syscall.ENOSPC && err != syscall.EINTR {
			t.Fatalf("fill the disk: %v", err)
		}
	}
}

// Clear gives back what Fill has taken.
func (d *Disk) Clear(t testing.TB) {
	t.Helper()
	if err := os.Remove(d.filler()); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
}

func (d *Disk) filler() string { return filepath.Join(d.Dir, "filler") }
