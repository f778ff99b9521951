package piece

import "encoding/binary"

// Series is items in their order, so many to a piece.
type Series struct {
	// Len is how many items there are, Each how many make a piece.
	Len, Each int
	// Bytes is what an item takes at least, for Room; 0 where that is nil.
	Bytes int
	// Room, unless nil, makes room for so many items before Read.
	Room func(items int)
	// Append appends the items from..to, to excluded.
	Append func(dst []byte, from, to int) []byte
	// Read reads what Append wrote, piece after piece.
	Read func(in *Reader, from, to int)
}

// pieces is how many pieces s makes.
func (s *Series) pieces() int { return (s.Len + s.Each - 1) / s.Each }

// Pieces is how many pieces all make, one series after the other.
func Pieces(all []Series) (n int) {
	for i := range all {
		n += all[i].pieces()
	}
	return n
}

// AppendPiece appends the piece of a number below Pieces.
func AppendPiece(dst []byte, all []Series, number int) []byte {
	for i := range all {
		s := &all[i]
		if number < s.pieces() {
			return s.Append(dst, number*s.Each, min(s.Len, (number+1)*s.Each))
		}
		number -= s.pieces()
	}
	panic("piece: there is no such number")
}

// AppendLens appends how long each series is.
func AppendLens(dst []byte, all []Series) []byte {
	for i := range all {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(all[i].Len))
	}
	return dst
}

// ReadLens sets how long each series is.
func ReadLens(in *Reader, all []Series) {
	for i := range all {
		all[i].Len = int(in.Uint32())
	}
}

// Read reads all the pieces of all series, of so many bytes altogether, in their
// order.
func Read(all []Series, bytes int64, from Source) error {
	var scratch []byte
	number := 0
	for i := range all {
		s := &all[i]
		if int64(s.Len)*int64(s.Bytes) > bytes {
			return ErrShort
		}
		if s.Room != nil {
			s.Room(s.Len)
		}
		for at := 0; at < s.Len; at += s.Each {
			b, err := from(number, &scratch)
			if err != nil {
				return err
			}
			in := NewReader(b)
			s.Read(in, at, min(s.Len, at+s.Each))
			if err := in.End(); err != nil {
				return err
			}
			number++
		}
	}
	return nil
}

// Skip is from without its first n pieces.
func Skip(from Source, n int) Source {
	return func(number int, scratch *[]byte) ([]byte, error) { return from(n+number, scratch) }
}

// Texts is the series of texts that add takes one by one.
func Texts(all []string, add func(string)) Series {
	return Series{
		Len: len(all), Each: 4096,
		Append: func(dst []byte, from, to int) []byte {
			for _, s := range all[from:to] {
				dst = AppendText(dst, s)
			}
			return dst
		},
		Read: func(in *Reader, from, to int) {
			for range to - from {
				if s := in.Text(); in.Err() == nil {
					add(s)
				}
			}
		},
	}
}

// Numbers is the series of numbers of 4 bytes, width of them an item, that add
// takes item by item.
func Numbers(width, items int, at func(item int, to []uint32), add func([]uint32)) Series {
	return Series{
		Len: items, Each: 16384,
		Append: func(dst []byte, from, to int) []byte {
			item := make([]uint32, width)
			for i := from; i < to; i++ {
				at(i, item)
				for _, n := range item {
					dst = binary.LittleEndian.AppendUint32(dst, n)
				}
			}
			return dst
		},
		Read: func(in *Reader, from, to int) {
			item := make([]uint32, width)
			for range to - from {
				for i := range item {
					item[i] = in.Uint32()
				}
				if in.Err() == nil {
					add(item)
				}
			}
		},
	}
}
