package projections

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"roznamcha/domain"
	"roznamcha/domain/piece"
	"roznamcha/eventstore"
)

// Keepable are ps if a snapshot can hold all of them.
func Keepable(ps ...Projection) (kept []Kept, all bool) {
	for _, one := range ps {
		k, ok := one.(Kept)
		if !ok {
			return nil, false
		}
		if name, _ := k.keptAs(); name == "" {
			return nil, false
		}
		kept = append(kept, k)
	}
	return kept, true
}

// Kept is a projection that a snapshot can hold: *Totals, *Amendments, and
// *Exceptions as NewExceptions makes them.
type Kept interface {
	Projection
	// keptAs names it and the version of what is kept of it.
	keptAs() (name string, version int)
	// snapshot is what it is now; it may go on meanwhile.
	snapshot() keptPart
	// restore makes it, which must be new, what a snapshot's pieces say; of the
	// register it is told how many records there are. join, when both are there,
	// is the rest of it.
	restore(s source, records int) error
	join(reg *domain.Register) error
	// reset makes it new again.
	reset()
}

// keptPart is a projection at one moment, in pieces. The pieces may be asked for,
// each once, while the projection goes on; release, as any use of it, may not.
type keptPart interface {
	pieces() int
	appendPiece(dst []byte, number int) []byte
	release()
}

// inSeries is the pieces of what is kept as series: what is small, and then each
// series in its turn.
type inSeries struct {
	small  []byte
	series []piece.Series
}

func (s *inSeries) pieces() int { return 1 + piece.Pieces(s.series) }

func (s *inSeries) appendPiece(dst []byte, number int) []byte {
	if number == 0 {
		return append(dst, s.small...)
	}
	return piece.AppendPiece(dst, s.series, number-1)
}

func (s *inSeries) release() {}

// readSeries reads what inSeries keeps: how long the series are, what is small
// after that, and the series.
func readSeries(from source, series []piece.Series, small func(*piece.Reader)) error {
	var scratch []byte
	b, err := from.piece(0, &scratch)
	if err != nil {
		return err
	}
	in := piece.NewReader(b)
	piece.ReadLens(in, series)
	small(in)
	if err := in.End(); err != nil {
		return err
	}
	if 1+piece.Pieces(series) != from.pieces {
		return piece.ErrShort
	}
	return piece.Read(series, from.bytes, piece.Skip(from.piece, 1))
}

// source is where the pieces of one part come from: so many, of so many bytes
// altogether.
type source struct {
	pieces int
	bytes  int64
	piece  piece.Source
}

// registerPart is the name of the register's part, and registerVersion of what
// is kept of it.
const (
	registerPart    = "register"
	registerVersion = 1
)

// Snapshot is a register and projections of it as they were after one entry. It
// is a start for others, nothing more: whoever loses it replays the ledger.
type Snapshot struct {
	header   snapshotHeader
	register *domain.Snapshot
	parts    []namedPart
}

type namedPart struct {
	name    string
	version int
	keptPart
}

// TakeSnapshot is a register and its projections as they are now, between two
// entries; nobody may use them meanwhile. It takes far less than a millisecond
// whatever their size; from then on until Release, which who changes them no more
// may leave out, they copy the rows around what they are about to change. Stats
// must have counted every line of reg.
func TakeSnapshot(reg *domain.Register, stats Stats, ps ...Kept) *Snapshot {
	s := &Snapshot{header: headerOf(reg, stats), register: reg.Snapshot()}
	for _, p := range ps {
		name, version := p.keptAs()
		s.parts = append(s.parts, namedPart{name, version, p.snapshot()})
	}
	return s
}

// Release tells the register and the projections that s is not needed any more;
// again nobody may use them meanwhile.
func (s *Snapshot) Release() {
	s.register.Release()
	for _, p := range s.parts {
		p.release()
	}
}

// Entry is the number of the last entry in s.
func (s *Snapshot) Entry() uint64 { return s.header.Mark.Entry }

// UnusableError is a snapshot file that is no use: torn, damaged, or of another
// version. The ledger is read from its first entry instead.
type UnusableError struct {
	Path string
	Why  string
}

func (e *UnusableError) Error() string { return "snapshot " + e.Path + " is not used: " + e.Why }

// SavedSnapshot is a snapshot file that is whole as far as its directory tells.
type SavedSnapshot struct {
	path   string
	file   *os.File
	header snapshotHeader
	parts  map[string]savedPart
}

// OpenSnapshot opens the snapshot file at path. Errors: fs.ErrNotExist, and
// *UnusableError.
func OpenSnapshot(path string) (*SavedSnapshot, error) {
	file, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return nil, &UnusableError{path, err.Error()}
	}
	s := &SavedSnapshot{path: path, file: file}
	if err := s.readDirectory(); err != nil {
		_ = file.Close()
		return nil, &UnusableError{path, err.Error()}
	}
	return s, nil
}

// Close closes the file. What was restored from it stays.
func (s *SavedSnapshot) Close() error { return s.file.Close() }

// Mark is the last entry in s.
func (s *SavedSnapshot) Mark() eventstore.Mark { return s.header.Mark }

// First is entry 1 of the ledger that s is of.
func (s *SavedSnapshot) First() eventstore.Mark { return s.header.First }

// LinesTo is about how many lines there are after s up to an entry, if entries are
// as large as those in s.
func (s *SavedSnapshot) LinesTo(entry uint64) uint64 {
	last := s.header.Mark.Entry
	if entry <= last || last == 0 {
		return 0
	}
	return (entry - last) * uint64(s.header.Stats.Lines) / last
}

// Has tells whether s holds all of these. The error is an *UnusableError, of one
// that it holds in another version.
func (s *SavedSnapshot) Has(ps ...Kept) (bool, error) {
	for _, p := range ps {
		name, version := p.keptAs()
		part, ok := s.parts[name]
		if !ok {
			return false, nil
		}
		if part.version != version {
			return false, &UnusableError{s.path, fmt.Sprintf("its %s are of version %d, and this program keeps %d", name, part.version, version)}
		}
	}
	return true, nil
}

// Known tells whether the last entry in s was recorded by a.
func (s *SavedSnapshot) Known(a AsOf) bool {
	opened := domain.LedgerOpened{Zone: s.header.Zone}
	return a.Knows(s.header.Mark.Entry, s.header.Recorded, opened.Location())
}

// Restore makes each of ps, which must be new and which s must have, what it was
// after entry Mark, and gives the register of that entry with what was counted
// up to it. The error is an *UnusableError; ps are new then.
func (s *SavedSnapshot) Restore(ps ...Kept) (*Start, error) {
	var work sync.WaitGroup
	errs := make([]error, len(ps))
	for i, p := range ps {
		name, _ := p.keptAs()
		work.Go(func() { errs[i] = p.restore(s.source(name), s.header.Records) })
	}
	from := s.source(registerPart)
	reg, err := domain.RestoreRegister(from.pieces, from.bytes, from.piece)
	work.Wait()
	if err = errors.Join(append(errs, err)...); err == nil {
		err = s.header.holds(reg)
	}
	for _, p := range ps {
		if err == nil {
			err = p.join(reg)
		}
	}
	if err != nil {
		for _, p := range ps {
			p.reset()
		}
		return nil, &UnusableError{s.path, err.Error()}
	}
	stats := s.header.Stats
	stats.Snapshot, stats.Before = stats.Entries, stats.Lines
	return &Start{reg, stats}, nil
}

// holds tells whether reg is the register of h.
func (h *snapshotHeader) holds(reg *domain.Register) error {
	is := headerOf(reg, h.Stats)
	if is.Mark != h.Mark || is.State != h.State || is.First != h.First || is.Records != h.Records {
		return fmt.Errorf("its register is of another entry")
	}
	return nil
}
