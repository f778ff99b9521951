package eventstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// highWaterEvery is how often a high-water file is written while entries come.
const highWaterEvery = time.Second

// KeepHighWater has the file at path say how far the ledger was read: it checks
// it, as CheckHighWater does, and from then on every recorder on l moves it on,
// at least every second. Use it before the first recorder. One program at a time
// should keep a file: of several, the last second may be lost. The file stands beside the store; without it, a server
// that lost its last entries does not know, and gives their numbers a second
// time.
func (l *Ledger) KeepHighWater(ctx context.Context, path string) error {
	h, err := l.checkHighWater(ctx, path)
	if err != nil {
		return err
	}
	l.highWater = h
	left, _ := filepath.Glob(path + newSuffix + "*") // by who was killed
	for _, file := range left {
		_ = os.Remove(file)
	}
	return nil
}

// CheckHighWater tells whether the ledger reaches what the high-water file at
// path says, and is the same there: *GapError or *WentBackError where not. A
// file that is not there says nothing.
func (l *Ledger) CheckHighWater(ctx context.Context, path string) error {
	_, err := l.checkHighWater(ctx, path)
	return err
}

// CheckLost is CheckHighWater where there is no ledger: *WentBackError if the
// high-water file at path says that there was one.
func CheckLost(path string) error {
	m, err := HighWater(path)
	if err != nil || m.IsZero() {
		return err
	}
	return accepted(&WentBackError{Had: m.Entry}, path)
}

func (l *Ledger) checkHighWater(ctx context.Context, path string) (*highWater, error) {
	m, err := HighWater(path)
	if err != nil {
		return nil, err
	}
	err = l.Holds(ctx, m)
	var back *WentBackError
	if errors.As(err, &back) {
		err = accepted(back, path)
	}
	return &highWater{path: path, mark: m, stood: !m.IsZero()}, err
}

// accepted is the alarm with what to do about it after a thorough look.
func accepted(back *WentBackError, path string) error {
	return fmt.Errorf("%w; where the loss is known and accepted, move %s away", back, path)
}

// highWater is a high-water file: the last entry that was read, as a Mark.
type highWater struct {
	path string

	mu   sync.Mutex
	mark Mark

	writing sync.Mutex
	stood   bool // that there was a file
}

// HighWater is what the high-water file at path says; zero where there is none.
func HighWater(path string) (Mark, error) {
	m, err := readMark(path)
	if err != nil {
		return m, fmt.Errorf("high-water file %s: %w. Try: restore it from a copy, or see with roznamcha status that the ledger's end is the one you know, and move the file away; without it %s", path, err, nobodyNotices)
	}
	return m, nil
}

const nobodyNotices = "nobody notices when the ledger loses its end"

func readMark(path string) (m Mark, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Mark{}, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	return m, err
}

// reach moves the mark on.
func (h *highWater) reach(m Mark) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m.Entry > h.mark.Entry {
		h.mark = m
	}
}

// keep has the file say the mark, at least every second, until ctx is done, and
// then once more. A write that did not succeed (a full disk) is tried again, and
// tell hears of it, and of its end; the error is that of the last.
func (h *highWater) keep(ctx context.Context, tell func(error)) error {
	if tell == nil {
		tell = func(error) {}
	}
	tick := time.NewTicker(highWaterEvery)
	defer tick.Stop()
	for troubled := false; ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return h.write(tell)
		}
		err := h.write(tell)
		if (err != nil) != troubled {
			tell(err)
		}
		troubled = err != nil
	}
}

// write puts the mark into the file, unless that or a later one is there, which
// another program has written. A crash within leaves the old file or the new
// one. That somebody removed or spoilt the file is no reason to forget the mark:
// it is written again, and tell hears of it.
func (h *highWater) write(tell func(error)) error {
	h.writing.Lock()
	defer h.writing.Unlock()
	h.mu.Lock()
	m := h.mark
	h.mu.Unlock()
	there, spoilt := readMark(h.path)
	switch {
	case m.IsZero(), spoilt == nil && there.Entry >= m.Entry:
		return nil
	case spoilt == nil && there.IsZero() && h.stood:
		spoilt = errors.New("it was removed")
	}
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := replaceFile(h.path, append(b, '\n')); err != nil {
		return fmt.Errorf("high-water file: %w. Try: let %s be written to; without it %s", err, h.path, nobodyNotices)
	}
	h.stood = true
	if spoilt != nil {
		tell(fmt.Errorf("high-water file %s: %w; it is written again. Try: see what else writes there; without it %s", h.path, spoilt, nobodyNotices))
	}
	return nil
}

// replaceFile puts a file of mode 0644 in the place of path, on disk when it
// returns. Who reads path meanwhile sees the old one or the new one, whole.
func replaceFile(path string, content []byte) error {
	dir, name := filepath.Split(path)
	file, err := os.CreateTemp(filepath.Clean(dir), name+newSuffix)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Chmod(0o644), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return err
	}
	return syncDir(filepath.Clean(dir))
}

// newSuffix is what a file has at the end of its name, with a number, before it
// is put in its place.
const newSuffix = ".new"

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	_ = dir.Sync() // not every system syncs a directory
	return dir.Close()
}
