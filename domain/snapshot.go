package domain

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"sync"
	"time"

	"roznamcha/domain/piece"
)

// Snapshot is a register as it was at one moment, in pieces of at most about a
// megabyte that can be kept and read back. They may be read, each once, while the
// register goes on.
//
// Piece 0 says how large everything is and holds what is small. After it come
// the records, which alone change later, the events, their names and the losses,
// in blocks as the register has them. The indexes are not kept: they are made
// anew, with a seed of their own. The key of the digests is kept, since without
// it no duplicate would be known; so a snapshot is as secret as the register.
type Snapshot struct {
	from *Register

	small   []byte // piece 0
	records *piece.Still[recordRow]
	events  rows[eventRow]
	names   [][]byte
	losses  []lossMove
}

// Snapshot is the register as it is now, which must be between two entries. It
// takes microseconds and copies nothing large: until Release, the register
// copies the records around one that it is about to change. One Snapshot at a
// time may be unreleased.
func (r *Register) Snapshot() *Snapshot {
	s := &Snapshot{
		from:    r,
		records: r.records.hold(),
		events:  rows[eventRow]{blocks: r.events.blocks, len: r.events.len}, // no event ever changes
		names:   append([][]byte(nil), r.names.blocks...),
		losses:  r.lossMoves,
	}
	s.small = r.appendSmall(nil)
	return s
}

// Release tells the register that s is read no more. Like any use of the
// register, it must not run beside another.
func (s *Snapshot) Release() { s.from.records.release() }

// appendSmall appends what is not in blocks.
func (r *Register) appendSmall(b []byte) []byte {
	u32, u64 := binary.LittleEndian.AppendUint32, binary.LittleEndian.AppendUint64
	b = u64(b, r.last)
	b = append(append(append(b, r.chain[:]...), r.first[:]...), r.payload[:]...)
	b = u64(b, nanos(r.recorded))
	b = append(b, r.key...)
	for _, n := range []int{int(r.events.len), int(r.records.len), len(r.names.blocks), len(r.lossMoves), len(r.diaries)} {
		b = u32(b, uint32(n))
	}
	for _, d := range r.diaries {
		b = piece.AppendText(piece.AppendText(b, d.Agency), d.Unit)
	}
	b = u32(b, uint32(len(r.successions)))
	for _, one := range r.successions {
		b = u32(b, uint32(one.record))
		b = piece.AppendText(piece.AppendText(b, one.predecessor), one.successor)
	}
	if r.opened == nil {
		return append(b, 0)
	}
	b = u64(append(b, 1), uint64(r.openedAt.Place()))
	b = piece.AppendText(piece.AppendText(b, r.opened.Name), r.opened.HomeCountry)
	return u32(piece.AppendText(b, r.opened.Zone), uint32(r.opened.Rules))
}

// noTime stands for the zero time.
const noTime = uint64(1) << 63

// nanos is t in nanoseconds since 1970, and timeOf reads it.
func nanos(t time.Time) uint64 {
	if t.IsZero() {
		return noTime
	}
	return uint64(t.UnixNano())
}

func timeOf(nanos uint64) time.Time {
	if nanos == noTime {
		return time.Time{}
	}
	return time.Unix(0, int64(nanos)).UTC()
}

// blocksOf is how many blocks so many rows take.
func blocksOf(rows uint32) int { return (int(rows) + blockRows - 1) >> blockBits }

// rowsIn is how many of so many rows stand in a block.
func rowsIn(block int, rows uint32) int { return min(blockRows, int(rows)-block<<blockBits) }

// Pieces is how many there are.
func (s *Snapshot) Pieces() int {
	return 1 + blocksOf(uint32(s.records.Len())) + blocksOf(s.events.len) + len(s.names) + blocksOf(uint32(len(s.losses)))
}

// AppendPiece appends the piece of a number below Pieces to dst.
func (s *Snapshot) AppendPiece(dst []byte, number int) []byte {
	if number == 0 {
		return append(dst, s.small...)
	}
	number--
	records := uint32(s.records.Len())
	if n := blocksOf(records); number < n {
		from := number << blockBits
		s.records.Read(from, from+rowsIn(number, records), func(rows []recordRow) { dst = appendRecords(dst, rows) })
		return dst
	} else {
		number -= n
	}
	if n := blocksOf(s.events.len); number < n {
		return appendEvents(dst, s.events.blocks[number][:rowsIn(number, s.events.len)])
	} else {
		number -= n
	}
	if n := len(s.names); number < n {
		return append(dst, s.names[number]...)
	} else {
		number -= n
	}
	for _, l := range s.losses[number<<blockBits:][:rowsIn(number, uint32(len(s.losses)))] {
		dst = piece.AppendText(binary.LittleEndian.AppendUint32(dst, uint32(l.record)), l.key)
	}
	return dst
}

// recordBytes and eventBytes are what a row takes in a piece.
const (
	recordBytes = 15
	eventBytes  = 44
)

func appendRecords(b []byte, rows []recordRow) []byte {
	u32 := binary.LittleEndian.AppendUint32
	for i := range rows {
		row := &rows[i]
		b = u32(u32(u32(b, row.name), row.current), row.diary)
		retracted := byte(0)
		if row.retracted {
			retracted = 1
		}
		b = append(b, row.nameLen, byte(row.typ), retracted)
	}
	return b
}

func appendEvents(b []byte, rows []eventRow) []byte {
	for i := range rows {
		row := &rows[i]
		b = append(append(b, row.id[:]...), row.content[:]...)
		b = binary.LittleEndian.AppendUint64(b, uint64(row.place))
		b = binary.LittleEndian.AppendUint32(b, row.diary)
	}
	return b
}

// RestoreRegister is the register that so many pieces, of so many bytes
// altogether, are the Snapshot of: it rules on the next entry as that one would
// have. Pieces that are damaged in a way that their source did not notice are an
// error or another register, and nothing worse; no more memory is taken than
// their size allows. It works on two goroutines.
func RestoreRegister(pieces int, bytes int64, from piece.Source) (*Register, error) {
	r := NewRegister()
	var scratch []byte
	b, err := from(0, &scratch)
	if err != nil {
		return nil, err
	}
	sizes, err := r.readSmall(b)
	if err != nil {
		return nil, err
	}
	if want := 1 + blocksOf(sizes.records) + blocksOf(sizes.events) + sizes.names + blocksOf(sizes.losses); want != pieces {
		return nil, fmt.Errorf("%d pieces of a register that has %d", pieces, want)
	}
	if int64(sizes.events)*eventBytes+int64(sizes.records)*recordBytes > bytes {
		return nil, piece.ErrShort
	}
	events := 1 + blocksOf(sizes.records)
	names := events + blocksOf(sizes.events)
	var work sync.WaitGroup
	var ofEvents, ofRecords error
	work.Go(func() { ofEvents = r.restoreEvents(sizes.events, skip(from, events)) })
	work.Go(func() {
		ofRecords = errors.Join(
			r.restoreNames(sizes.names, skip(from, names)),
			r.restoreRecords(sizes, skip(from, 1)),
			r.restoreLosses(sizes, skip(from, names+sizes.names)))
	})
	work.Wait()
	if err := errors.Join(ofEvents, ofRecords); err != nil {
		return nil, err
	}
	r.commit()
	return r, nil
}

// skip is from without its first n pieces.
func skip(from piece.Source, n int) piece.Source {
	return func(number int, scratch *[]byte) ([]byte, error) { return from(n+number, scratch) }
}

// sizes are how much there is in the blocks.
type sizes struct {
	events, records, losses uint32
	names                   int
}

func (r *Register) readSmall(b []byte) (s sizes, err error) {
	in := piece.NewReader(b)
	r.last = in.Uint64()
	copy(r.chain[:], in.Bytes(len(r.chain)))
	copy(r.first[:], in.Bytes(len(r.first)))
	copy(r.payload[:], in.Bytes(len(r.payload)))
	r.recorded = timeOf(in.Uint64())
	copy(r.key, in.Bytes(len(r.key)))
	s.events, s.records, s.names, s.losses = in.Uint32(), in.Uint32(), int(in.Uint32()), in.Uint32()
	for range in.Count(8) {
		r.diary(Diary{in.Text(), in.Text()})
	}
	r.successions = make([]succession, in.Count(12))
	for i := range r.successions {
		r.successions[i] = succession{RecordID(in.Uint32()), in.Text(), in.Text()}
	}
	r.successors = successorsOf(r.successions)
	if in.Uint8() == 1 {
		r.openedAt = Place(in.Uint64()).Position()
		r.opened = &LedgerOpened{Name: in.Text(), HomeCountry: Country(in.Text()), Zone: in.Text(), Rules: int(in.Uint32())}
		if r.zone, err = LoadZone(r.opened.Zone); err != nil {
			in.Fail(err)
		}
	}
	if s.names > math.MaxUint32>>20 {
		in.Fail(errors.New("more names than a register has"))
	}
	return s, in.End()
}

// checkSize tells whether a piece has so many rows of that size.
func checkSize(b []byte, rows, each int) error {
	if len(b) != rows*each {
		return fmt.Errorf("a piece has %d bytes, not %d", len(b), rows*each)
	}
	return nil
}

var errNowhere = errors.New("a piece refers to what is not there")

func (r *Register) restoreEvents(n uint32, from piece.Source) error {
	var scratch []byte
	var index *filling
	hashes := make([]uint64, 0, blockRows)
	for block := range blocksOf(n) {
		b, err := from(block, &scratch)
		if err == nil {
			err = checkSize(b, rowsIn(block, n), eventBytes)
		}
		if err != nil {
			return err
		}
		if block == 0 {
			index = r.byID.fill(int(n))
		}
		to := make([]eventRow, blockRows)
		hashes = hashes[:0]
		for i := range rowsIn(block, n) {
			in, row := b[i*eventBytes:][:eventBytes], &to[i]
			copy(row.id[:], in)
			copy(row.content[:], in[16:])
			row.place = Place(binary.LittleEndian.Uint64(in[32:]))
			row.diary = binary.LittleEndian.Uint32(in[40:])
			if int(row.diary) >= len(r.diaries) {
				return errNowhere
			}
			hashes = append(hashes, r.eventHash(row.diary, row.id))
		}
		r.events.blocks = append(r.events.blocks, to)
		index.add(uint32(block)<<blockBits, hashes)
	}
	if r.events.len = n; n > 0 {
		index.finish()
	}
	return nil
}

func (r *Register) restoreNames(blocks int, from piece.Source) error {
	var scratch []byte
	for i := range blocks {
		b, err := from(i, &scratch)
		if err != nil {
			return err
		}
		if len(b) > arenaBlock || i < blocks-1 && len(b) < arenaBlock-math.MaxUint8 {
			return fmt.Errorf("a piece has %d bytes of names", len(b))
		}
		r.names.blocks = append(r.names.blocks, append(make([]byte, 0, arenaBlock), b...))
	}
	return nil
}

func (r *Register) restoreRecords(s sizes, from piece.Source) error {
	var kinds [endOfTypes]uint64
	for t := range endOfTypes {
		if t.MakesRecord() {
			kinds[t] = maphash.String(r.seed, string(t.Kind()))
		}
	}
	var scratch []byte
	var index *filling
	hashes := make([]uint64, 0, blockRows)
	for block := range blocksOf(s.records) {
		b, err := from(block, &scratch)
		if err == nil {
			err = checkSize(b, rowsIn(block, s.records), recordBytes)
		}
		if err != nil {
			return err
		}
		if block == 0 {
			index = r.byName.fill(int(s.records))
		}
		to := make([]recordRow, blockRows)
		hashes = hashes[:0]
		for i := range rowsIn(block, s.records) {
			in, row := b[i*recordBytes:][:recordBytes], &to[i]
			*row = recordRow{
				name:    binary.LittleEndian.Uint32(in),
				current: binary.LittleEndian.Uint32(in[4:]),
				diary:   binary.LittleEndian.Uint32(in[8:]),
				nameLen: in[12], typ: Type(in[13]), retracted: in[14] == 1,
			}
			if row.current >= s.events || int(row.diary) >= len(r.diaries) || row.typ >= endOfTypes || !row.typ.MakesRecord() || !r.names.holds(row.name, row.nameLen) {
				return errNowhere
			}
			hashes = append(hashes, maphash.Bytes(r.seed, r.names.get(row.name, row.nameLen))^kinds[row.typ]+uint64(row.diary)*golden)
		}
		r.records.blocks = append(r.records.blocks, to)
		index.add(uint32(block)<<blockBits, hashes)
	}
	if r.records.len = s.records; s.records > 0 {
		index.finish()
	}
	return nil
}

func (r *Register) restoreLosses(s sizes, from piece.Source) error {
	var scratch []byte
	for block := range blocksOf(s.losses) {
		b, err := from(block, &scratch)
		if err != nil {
			return err
		}
		in := piece.NewReader(b)
		for range rowsIn(block, s.losses) {
			record, key := RecordID(in.Uint32()), lossKey(in.Text())
			if uint32(record) >= s.records {
				in.Fail(errNowhere)
			}
			if in.Err() != nil {
				break
			}
			r.settleLoss(record, key)
		}
		r.undo = r.undo[:0]
		if err := in.End(); err != nil {
			return err
		}
	}
	return nil
}
