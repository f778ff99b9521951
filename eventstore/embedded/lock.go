package embedded

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

const (
	lockFile = "lock"
	// fileMode is of what holds a token: the lock file, and the address.
	fileMode = 0o600
	dirMode  = 0o700
	// retry is how often a lock or a lock file is looked at again.
	retry = 10 * time.Millisecond
	// grace is how long a lock that cannot be had is tried at the least: somebody
	// may only be looking whether it is held, or have it and not have written
	// yet who he is.
	grace = 200 * time.Millisecond
)

// InUseError says that another running program has the data directory.
type InUseError struct {
	Dir string
	// PID is its process, 0 if it has not said yet.
	PID int
	// Serving tells that it lets others in, by Dial. Otherwise it is a command
	// that will be done in a moment.
	Serving bool
}

func (e *InUseError) Error() string {
	who := "another running program"
	if e.PID != 0 {
		who = fmt.Sprintf("another running program (process %d)", e.PID)
	}
	return fmt.Sprintf("data directory %s is in use by %s. Try: the same again when it has ended, or another --dir", e.Dir, who)
}

// holder is what the lock file says of the program that holds the lock. It is
// true only while the lock is held: a killed program leaves its own behind.
type holder struct {
	PID int `json:"pid"`
	// URL and Token are of its server; "" until that is ready.
	URL     string `json:"url"`
	Token   string `json:"token"`
	Serving bool   `json:"serving"`
}

// acquire takes the lock of dir, waiting for a program that does not serve to
// finish. *InUseError when it cannot be had.
func acquire(dir string, wait time.Duration) (*flock.Flock, error) {
	if err := prepare(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, lockFile)
	lock := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(fileMode))
	for began := time.Now(); ; time.Sleep(retry) {
		ok, err := lock.TryLock()
		if err != nil {
			return nil, dirError(dir, err)
		}
		if ok {
			return lock, nil
		}
		has, waited := readHolder(dir), time.Since(began)
		if waited > grace && (has.Serving || waited > wait) {
			return nil, &InUseError{dir, has.PID, has.Serving}
		}
	}
}

// held tells whether a program has the lock of dir now.
func held(dir string) (bool, error) {
	path := filepath.Join(dir, lockFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
	ok, err := lock.TryRLock()
	if err != nil {
		return false, dirError(dir, err)
	}
	return !ok, lock.Close()
}

// readHolder reads the lock file of dir; zero while it is empty or half
// written.
func readHolder(dir string) holder {
	var h holder
	b, err := os.ReadFile(filepath.Join(dir, lockFile))
	if err != nil || json.Unmarshal(b, &h) != nil {
		return holder{}
	}
	return h
}

// holderBytes is how large the lock file is, whatever it says.
const holderBytes = 512

// writeHolder says in the lock file of dir who has the lock; nobody if h is
// zero. The file is written over and never shortened: on a full disk there is
// room for what is there. A crash within leaves a file that reads as empty.
//
// Where there is no room even for that, who does not serve goes without: others
// see the lock, and not whose it is.
func writeHolder(dir string, h holder) error {
	text := bytes.Repeat([]byte{'\n'}, holderBytes)
	if h != (holder{}) {
		b, err := json.Marshal(h)
		if err != nil {
			return err
		}
		copy(text, b)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_WRONLY, fileMode)
	if err != nil {
		return dirError(dir, err)
	}
	err = f.Chmod(fileMode) // one that was there may have another mode
	if err == nil {
		_, err = f.WriteAt(text, 0)
	}
	if err == nil {
		err = f.Truncate(holderBytes)
	}
	err = errors.Join(err, f.Close())
	if !h.Serving && errors.Is(err, syscall.ENOSPC) {
		return nil
	}
	return dirError(dir, err)
}

// release empties the lock file and gives the lock back.
func release(dir string, lock *flock.Flock) error {
	return errors.Join(writeHolder(dir, holder{}), lock.Close())
}

// prepare makes dir.
func prepare(dir string) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return dirError(dir, syscall.ENOTDIR)
	}
	return dirError(dir, os.MkdirAll(dir, dirMode))
}

// dirError says what is wrong with the data directory, and what to try.
func dirError(dir string, err error) error {
	if err == nil {
		return nil
	}
	try := "another --dir"
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		try = "a --dir that you may write to"
	case errors.Is(err, syscall.ENOTDIR):
		try = "a --dir that is a directory, or a new one"
	case errors.Is(err, syscall.ENOSPC):
		try = "make room on that disk"
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err // dir says where
	}
	return fmt.Errorf("data directory %s: %w. Try: %s", dir, err, try)
}
