package projections

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"roznamcha/domain"
	"roznamcha/domain/piece"
	"roznamcha/eventstore"
)

// A snapshot file is, all numbers little-endian:
//
//	magic          8 bytes
//	pieces         end to end
//	directory      the header in JSON, and for each part its name, its version
//	               and for each piece its offset, length and CRC-32C
//	footer         24 bytes: the directory's offset, length and CRC-32C, and the
//	               last half of the magic
//
// A file that was not written to its end has no footer.
const snapshotMagic = "ROZSNAP1"

const footerBytes = 24

// snapshotFormat is the version of the layout above.
const snapshotFormat = 1

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// snapshotHeader says what a snapshot is of.
type snapshotHeader struct {
	Format int `json:"format"`
	Rules  int `json:"rules"`
	// First and Mark are the first and the last entry in it, and Recorded when
	// the last was.
	First    eventstore.Mark `json:"first"`
	Mark     eventstore.Mark `json:"last"`
	Recorded time.Time       `json:"recorded,omitzero"`
	// State is the state hash after the last, in hexadecimal.
	State   string `json:"state"`
	Zone    string `json:"zone,omitempty"`
	Records int    `json:"records"`
	Stats   Stats  `json:"stats"`
}

func headerOf(reg *domain.Register, stats Stats) snapshotHeader {
	first, last := reg.Payloads()
	state := reg.Hash()
	h := snapshotHeader{
		Format: snapshotFormat, Rules: domain.RulesVersion,
		First: eventstore.Mark{Entry: 1, Hash: first}, Mark: eventstore.Mark{Entry: reg.Last(), Hash: last},
		Recorded: reg.Recorded(), State: hex.EncodeToString(state[:]), Records: reg.Records(), Stats: stats,
	}
	if o := reg.Opened(); o != nil {
		h.Zone = o.Zone
	}
	h.Stats.Took, h.Stats.Snapshot, h.Stats.Before = 0, 0, 0
	return h
}

// savedPart is where the pieces of a part are in the file.
type savedPart struct {
	version int
	pieces  []savedPiece
}

type savedPiece struct {
	offset int64
	length uint32
	crc    uint32
}

const savedPieceBytes = 16

// ErrSaving is that another program is saving a snapshot to the same file.
var ErrSaving = errors.New("another program is saving this snapshot")

// syncEvery is after how many bytes a file being written is put on the disk: a
// recorder on the same disk waits for what is on its way there.
const syncEvery = 1 << 20

// Save writes s to the file at path, in the place of what is there, unless that
// is usable, of the same ledger and of these versions, and as late, or has parts
// that s has not. Once: what was written is let go of.
// It may run while what s was taken from goes on. ErrSaving where another
// program is at it. A crash within leaves the old file or the new one, and maybe
// files named .new and .old beside it, which the next Save takes away.
//
// check, unless nil, is asked whether to go on after every megabyte, when that is
// on the disk; it may wait, to leave the disk to others. Its error ends Save.
func (s *Snapshot) Save(path string, check func() error) (saved bool, err error) {
	if s.Entry() == 0 {
		return false, nil
	}
	lock := flock.New(path + ".lock")
	locked, err := lock.TryLock()
	if err != nil {
		return false, fmt.Errorf("save a snapshot: %w", err)
	}
	if !locked {
		return false, ErrSaving
	}
	defer lock.Unlock()
	if !s.betters(path) {
		return false, nil
	}
	if err := s.write(path+".new", check); err != nil {
		_ = os.Remove(path + ".new")
		return false, fmt.Errorf("save a snapshot: %w", err)
	}
	_ = os.Remove(path + ".old")
	_ = os.Link(path, path+".old") // or there is none, or it goes away at once
	err = os.Rename(path+".new", path)
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil { // and .old may be the file that stands
		_, _ = os.Remove(path+".old"), os.Remove(path+".new")
		return false, fmt.Errorf("save a snapshot: %w", err)
	}
	retire(path+".old", check)
	return true, nil
}

// retireStep is how much of an old file is given back at once.
const retireStep = 16 << 20

// retire removes a file little by little: a recorder on the same disk waits
// while the file system takes a large one back.
func retire(path string, check func() error) {
	defer os.Remove(path)
	info, err := os.Stat(path)
	if err != nil || check == nil {
		return
	}
	for size := info.Size() - retireStep; size > 0; size -= retireStep {
		if os.Truncate(path, size) != nil || check() != nil {
			return
		}
	}
}

// syncDir puts a renaming on the disk, where the system does that.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// betters tells whether s should take the place of the file at path.
func (s *Snapshot) betters(path string) bool {
	there, err := OpenSnapshot(path)
	if err != nil {
		return true
	}
	defer there.Close()
	if there.header.First != s.header.First {
		return true
	}
	lacking, stale := false, false
	for name, part := range there.parts {
		i := slices.IndexFunc(s.parts, func(p namedPart) bool { return p.name == name })
		lacking = lacking || i < 0 && name != registerPart
		stale = stale || i >= 0 && s.parts[i].version != part.version
	}
	later := cmp.Compare(s.header.Mark.Entry, there.header.Mark.Entry)
	if stale || !lacking && (later > 0 || later == 0 && len(there.parts) < 1+len(s.parts)) {
		return true
	}
	return !there.whole()
}

// whole tells whether every piece of s can be read.
func (s *SavedSnapshot) whole() bool {
	var scratch []byte
	for name := range s.parts {
		from := s.source(name)
		for i := range from.pieces {
			if _, err := from.piece(i, &scratch); err != nil {
				return false
			}
		}
	}
	return true
}

// write writes a whole file, on disk when it returns.
func (s *Snapshot) write(path string, check func() error) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) // the register's key is in it
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := &snapshotWriter{file: file, check: check}
	w.put([]byte(snapshotMagic))
	header, err := json.Marshal(s.header)
	if err != nil {
		return err
	}
	directory := piece.AppendText(nil, string(header))
	directory = binary.LittleEndian.AppendUint32(directory, uint32(1+len(s.parts)))
	for _, p := range s.parts { // the register changes least
		directory = w.part(directory, p.name, p.version, p.pieces(), p.appendPiece)
	}
	directory = w.part(directory, registerPart, registerVersion, s.register.Pieces(), s.register.AppendPiece)
	at := w.written
	w.put(directory)
	footer := binary.LittleEndian.AppendUint64(nil, uint64(at))
	footer = binary.LittleEndian.AppendUint64(footer, uint64(len(directory)))
	footer = binary.LittleEndian.AppendUint32(footer, crc32.Checksum(directory, castagnoli))
	w.put(append(footer, snapshotMagic[4:]...))
	return errors.Join(w.err, file.Sync())
}

// snapshotWriter writes a file and puts it on the disk little by little.
type snapshotWriter struct {
	file            *os.File
	check           func() error
	written, synced int64
	piece           []byte
	err             error
}

func (w *snapshotWriter) put(b []byte) {
	if w.err != nil {
		return
	}
	_, w.err = w.file.Write(b)
	if w.written += int64(len(b)); w.written-w.synced < syncEvery || w.err != nil {
		return
	}
	w.synced = w.written
	if w.err = w.file.Sync(); w.err == nil && w.check != nil {
		w.err = w.check()
	}
}

// part writes the pieces of a part, and appends what the directory says of it.
func (w *snapshotWriter) part(directory []byte, name string, version, pieces int, appendPiece func([]byte, int) []byte) []byte {
	directory = piece.AppendText(directory, name)
	directory = binary.LittleEndian.AppendUint32(directory, uint32(version))
	directory = binary.LittleEndian.AppendUint32(directory, uint32(pieces))
	for i := range pieces {
		if w.err != nil {
			break
		}
		w.piece = appendPiece(w.piece[:0], i)
		directory = binary.LittleEndian.AppendUint64(directory, uint64(w.written))
		directory = binary.LittleEndian.AppendUint32(directory, uint32(len(w.piece)))
		directory = binary.LittleEndian.AppendUint32(directory, crc32.Checksum(w.piece, castagnoli))
		w.put(w.piece)
	}
	return directory
}

var errTorn = errors.New("it is torn or damaged")

// readDirectory reads what the file holds, and where.
func (s *SavedSnapshot) readDirectory() error {
	info, err := s.file.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	var magic [len(snapshotMagic)]byte
	var footer [footerBytes]byte
	if size < int64(len(magic)+len(footer)) {
		return errTorn
	}
	_, err1 := s.file.ReadAt(magic[:], 0)
	_, err2 := s.file.ReadAt(footer[:], size-footerBytes)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if string(magic[:]) != snapshotMagic || string(footer[20:]) != snapshotMagic[4:] {
		return errTorn
	}
	at, length := binary.LittleEndian.Uint64(footer[:]), binary.LittleEndian.Uint64(footer[8:])
	end := uint64(size - footerBytes)
	if at > end || length != end-at {
		return errTorn
	}
	directory := make([]byte, length)
	if _, err := s.file.ReadAt(directory, int64(at)); err != nil {
		return err
	}
	if crc32.Checksum(directory, castagnoli) != binary.LittleEndian.Uint32(footer[16:]) {
		return errTorn
	}
	return s.parse(piece.NewReader(directory), int64(at))
}

// parse reads the directory; the pieces end at end.
func (s *SavedSnapshot) parse(in *piece.Reader, end int64) error {
	if err := json.Unmarshal([]byte(in.Text()), &s.header); err != nil {
		return errTorn
	}
	switch h := &s.header; {
	case h.Format != snapshotFormat:
		return fmt.Errorf("it is of format %d, and this program reads %d", h.Format, snapshotFormat)
	case h.Rules != domain.RulesVersion:
		return fmt.Errorf("it is of rules version %d, and this program has %d", h.Rules, domain.RulesVersion)
	}
	s.parts = make(map[string]savedPart)
	begin := int64(len(snapshotMagic)) // every byte is of one piece
	for range in.Count(12) {
		name, part := in.Text(), savedPart{version: int(in.Uint32())}
		part.pieces = make([]savedPiece, in.Count(savedPieceBytes))
		for i := range part.pieces {
			p := savedPiece{int64(in.Uint64()), in.Uint32(), in.Uint32()}
			if p.offset != begin || int64(p.length) > end-p.offset {
				in.Fail(errTorn)
			}
			part.pieces[i], begin = p, p.offset+int64(p.length)
		}
		s.parts[name] = part
	}
	if begin != end {
		in.Fail(errTorn)
	}
	if err := in.End(); err != nil {
		return err
	}
	if r, ok := s.parts[registerPart]; !ok || r.version != registerVersion {
		return fmt.Errorf("its register is of version %d, and this program keeps %d", r.version, registerVersion)
	}
	return nil
}

// source is where the pieces of a part come from.
func (s *SavedSnapshot) source(name string) source {
	part := s.parts[name]
	from := source{pieces: len(part.pieces)}
	for _, p := range part.pieces {
		from.bytes += int64(p.length)
	}
	from.piece = func(number int, scratch *[]byte) ([]byte, error) {
		if number >= len(part.pieces) {
			return nil, errTorn
		}
		p := part.pieces[number]
		b := slices.Grow((*scratch)[:0], int(p.length))[:p.length]
		*scratch = b
		if _, err := s.file.ReadAt(b, p.offset); err != nil {
			return nil, cmp.Or(err, error(io.ErrUnexpectedEOF))
		}
		if crc32.Checksum(b, castagnoli) != p.crc {
			return nil, errTorn
		}
		return b, nil
	}
	return from
}
