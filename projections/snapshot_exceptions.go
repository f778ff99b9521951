package projections

import (
	"encoding/binary"
	"hash/maphash"
	"slices"

	"roznamcha/domain"
	"roznamcha/domain/piece"
)

// exceptionsVersion is as totalsVersion.
const exceptionsVersion = 2

// exceptionsHeld is what a snapshot has of exceptions that may change; the rest
// only grows. Nil for no snapshot.
type exceptionsHeld struct {
	rows  *piece.Still[exceptionRow]
	nodes *piece.Still[node]
	links *piece.Still[link]
	most  uint32 // link that a node read names
}

// exceptionsSnapshot is exceptions as they were at one moment, in pieces.
type exceptionsSnapshot struct {
	inSeries
	of *Exceptions
}

// keptAs: those that look for what looks alike, for gaps and for periods have more
// than a snapshot holds.
func (x *Exceptions) keptAs() (string, int) {
	if x.alikes != nil || x.numbers != nil || x.dates != nil {
		return "", 0
	}
	return "exceptions", exceptionsVersion
}

func (x *Exceptions) reset() { *x = *NewExceptions() }

func (x *Exceptions) join(*domain.Register) error { return nil }

func (x *Exceptions) snapshot() keptPart {
	x.held = exceptionsHeld{rows: stillOf(x.rows), nodes: stillOf(x.links.nodes), links: stillOf(x.links.all)}
	s := &exceptionsSnapshot{inSeries{series: x.series(x.held)}, x}
	s.small = piece.AppendText(piece.AppendLens(nil, s.series), x.zone.String())
	return s
}

func (s *exceptionsSnapshot) release() {
	s.of.held = exceptionsHeld{}
}

func (x *Exceptions) restore(from source, _ int) error {
	err := readSeries(from, x.series(exceptionsHeld{}), func(in *piece.Reader) {
		var err error
		if x.zone, err = domain.LoadZone(in.Text()); err != nil {
			in.Fail(err)
		}
	})
	if err != nil {
		return err
	}
	if !x.names.whole() || int(x.held.most) >= max(1, len(x.links.all)) {
		return errNowhere
	}
	x.names.reindex()
	return nil
}

// series are what x has many of. What may change is read from held.
func (x *Exceptions) series(held exceptionsHeld) []piece.Series {
	n, details := x.names, afterFirst(x.details)
	return append(n.series(),
		piece.Texts(details, func(s string) { x.details = append(x.details, s) }),
		pagesOf(held.rows, 32, appendException, x.readException, func(n int) { x.rows = roomFor[exceptionRow](n) }),
		pagesOf(held.nodes, 9, appendNode, x.readNode, func(n int) { x.links.nodes = roomFor[node](n) }),
		pagesOf(held.links, 21, appendLink, x.readLink, func(n int) { x.links.all = roomFor[link](n) }),
	)
}

func stillOf[T any](all []T) *piece.Still[T] {
	return piece.NewStill(len(all), func(from, to int) []T { return all[from:to] })
}

// roomFor is an empty slice for so many items and for those of a while to come.
func roomFor[T any](items int) []T { return make([]T, 0, items+items/8) }

// eachPiece is how many items make a piece: a multiple of piece.StillRows.
const eachPiece = 1 << 13

// pagesOf is the series of what is still, of items of so many bytes.
func pagesOf[T any](s *piece.Still[T], bytes int, appendOne func([]byte, *T) []byte, readOne func([]byte) bool, room func(int)) piece.Series {
	return piece.Series{
		Len: s.Len(), Each: eachPiece, Bytes: bytes, Room: room,
		Append: func(dst []byte, from, to int) []byte {
			dst = slices.Grow(dst, bytes*(to-from))
			s.Read(from, to, func(page []T) {
				for i := range page {
					dst = appendOne(dst, &page[i])
				}
			})
			return dst
		},
		Read: func(in *piece.Reader, from, to int) {
			b := in.Bytes(bytes * (to - from))
			for ; len(b) > 0; b = b[bytes:] {
				if !readOne(b[:bytes]) {
					in.Fail(errNowhere)
					return
				}
			}
		},
	}
}

func appendException(b []byte, row *exceptionRow) []byte {
	u32, u64 := binary.LittleEndian.AppendUint32, binary.LittleEndian.AppendUint64
	b = u64(u64(b, uint64(row.opened)), uint64(row.settled))
	b = u32(u32(u32(b, row.record), row.link), row.detail)
	return append(binary.LittleEndian.AppendUint16(b, row.lines), byte(row.kind), row.code)
}

func (x *Exceptions) readException(b []byte) bool {
	u32, u64 := binary.LittleEndian.Uint32, binary.LittleEndian.Uint64
	row := exceptionRow{
		opened: domain.Place(u64(b)), settled: domain.Place(u64(b[8:])),
		record: u32(b[16:]), link: u32(b[20:]), detail: u32(b[24:]), lines: binary.LittleEndian.Uint16(b[28:]),
		exceptionSort: exceptionSort{ExceptionKind(b[30]), b[31]},
	}
	names := len(x.names.rows)
	if int(row.record) >= names || int(row.link) >= names || int(row.detail) >= len(x.details) ||
		int(row.kind) >= len(exceptionWords) || row.kind == LookAlike || row.kind == SequenceGap || int(row.code) >= len(domain.CodeInfos) {
		return false
	}
	if row.detail != 0 {
		x.kept[row.exceptionSort]++
	}
	if row.kind == DatedAhead && row.settled == 0 {
		x.ahead[row.record] = len(x.rows)
	}
	x.rows = append(x.rows, row)
	return true
}

func appendNode(b []byte, n *node) []byte {
	u32 := binary.LittleEndian.AppendUint32
	return append(u32(u32(b, n.out), n.in), byte(n.state))
}

func (x *Exceptions) readNode(b []byte) bool {
	u32 := binary.LittleEndian.Uint32
	n := node{u32(b), u32(b[4:]), recordState(b[8])}
	if n.state > retracted {
		return false
	}
	x.links.nodes = append(x.links.nodes, n)
	x.held.most = max(x.held.most, n.out, n.in)
	return true
}

func appendLink(b []byte, l *link) []byte {
	u32 := binary.LittleEndian.AppendUint32
	b = u32(u32(u32(u32(u32(b, l.from), l.to), l.nextOut), l.nextIn), uint32(l.exception))
	flags := byte(0)
	if l.recorded {
		flags |= 1
	}
	if l.dead {
		flags |= 2
	}
	return append(b, flags)
}

// readLink reads one whose chains go to older ones, and so end.
func (x *Exceptions) readLink(b []byte) bool {
	u32 := binary.LittleEndian.Uint32
	l := link{
		from: u32(b), to: u32(b[4:]), nextOut: u32(b[8:]), nextIn: u32(b[12:]), exception: int32(u32(b[16:])),
		recorded: b[20]&1 != 0, dead: b[20]&2 != 0,
	}
	all, names := uint32(len(x.links.all)), uint32(len(x.names.rows))
	if l.from >= names || l.to >= names || all > 0 && (l.nextOut >= all || l.nextIn >= all) || l.exception < -1 || int(l.exception) >= max(1, len(x.rows)) {
		return false
	}
	x.links.all = append(x.links.all, l)
	return true
}

// textPiece is how many bytes of names are in a piece.
const textPiece = 1 << 20

// series are the families, the names and their texts.
func (s *names) series() []piece.Series {
	families, rows, text := s.families, afterFirst(s.rows), s.text
	read := uint32(0)
	return []piece.Series{
		{
			Len: len(families), Each: 4096,
			Append: func(dst []byte, from, to int) []byte {
				for _, f := range families[from:to] {
					dst = piece.AppendText(piece.AppendText(piece.AppendText(dst, f.kind), f.diary.Agency), f.diary.Unit)
				}
				return dst
			},
			Read: func(in *piece.Reader, from, to int) {
				for range to - from {
					if f := (family{domain.Kind(in.Text()), domain.Diary{Agency: in.Text(), Unit: in.Text()}}); in.Err() == nil {
						s.family(f)
					}
				}
			},
		},
		{
			Len: len(rows), Each: eachPiece, Bytes: 5,
			Room: func(n int) { s.rows = append(roomFor[name](n+1), s.rows...) },
			Append: func(dst []byte, from, to int) []byte {
				for _, one := range rows[from:to] {
					dst = append(binary.LittleEndian.AppendUint32(dst, one.family), one.len)
				}
				return dst
			},
			Read: func(in *piece.Reader, from, to int) {
				for b := in.Bytes(5 * (to - from)); len(b) > 0; b = b[5:] {
					one := name{binary.LittleEndian.Uint32(b), read, b[4]}
					if int(one.family) >= len(s.families) {
						in.Fail(errNowhere)
						return
					}
					s.rows = append(s.rows, one)
					read += uint32(one.len)
				}
			},
		},
		{
			Len: len(text), Each: textPiece, Bytes: 1,
			Room:   func(n int) { s.text = roomFor[byte](n) },
			Append: func(dst []byte, from, to int) []byte { return append(dst, text[from:to]...) },
			Read: func(in *piece.Reader, from, to int) {
				s.text = append(s.text, in.Bytes(to-from)...)
			},
		},
	}
}

// whole tells whether s has the text of all its names.
func (s *names) whole() bool {
	last := s.rows[len(s.rows)-1]
	return int(last.at)+int(last.len) == len(s.text)
}

// reindex makes the index of names that are all there.
func (s *names) reindex() {
	n := 1024
	for len(s.rows)*4 >= n*3 {
		n *= 2
	}
	s.slots = make([]uint32, n)
	mask := uint64(n - 1)
	const partBits = 18 // a megabyte
	// What goes to one part of the index is entered together, while that is in
	// the processor's cache: a name's home, and in the lower half its number.
	parts := make([][]uint64, max(1, n>>partBits))
	for i := range parts {
		parts[i] = make([]uint64, 0, len(s.rows)/len(parts)*9/8+1)
	}
	for i, one := range s.rows[1:] {
		home := (maphash.Bytes(s.seed, s.id(one)) + uint64(one.family)*0x9e3779b97f4a7c15) & mask
		part := &parts[home>>partBits]
		*part = append(*part, home<<32|uint64(i+1))
	}
	for _, part := range parts {
		for _, one := range part {
			at := one >> 32
			for s.slots[at] != 0 {
				at = (at + 1) & mask
			}
			s.slots[at] = uint32(one)
		}
	}
}
