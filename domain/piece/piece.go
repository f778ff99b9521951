// Package piece reads what was written as numbers and texts end to end,
// little-endian, as encoding/binary appends them: the pieces of a snapshot. It
// believes no length and allocates nothing that is larger than the piece.
//
// Where the pieces are kept, and what tells that one is damaged, is its
// caller's.
package piece

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Source hands out the pieces of something by number, from 0. What it hands out
// is valid until the same goroutine asks again with the same scratch: memory
// that it may use or replace. It may be asked by several goroutines.
type Source func(number int, scratch *[]byte) ([]byte, error)

// ErrShort is a piece that ends before what it says it holds.
var ErrShort = errors.New("a piece ends too early")

// Reader reads one piece from its beginning. After the first error it reads
// zeros; Err and End tell of it.
type Reader struct {
	rest []byte
	err  error
}

// NewReader reads b, which must stay as it is until Reader is done.
func NewReader(b []byte) *Reader { return &Reader{rest: b} }

// Bytes are the next n bytes, of the piece itself; nil where there are not as
// many.
func (r *Reader) Bytes(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.Fail(ErrShort)
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// Uint8 is the next byte.
func (r *Reader) Uint8() uint8 {
	if b := r.Bytes(1); b != nil {
		return b[0]
	}
	return 0
}

// Uint32 is the next number of 4 bytes.
func (r *Reader) Uint32() uint32 {
	if b := r.Bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// Uint64 is the next number of 8 bytes.
func (r *Reader) Uint64() uint64 {
	if b := r.Bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// Count is the next number of 4 bytes, which counts what takes at least each
// bytes in the rest of the piece; 0 and an error where that cannot be.
func (r *Reader) Count(each int) int {
	n := r.Uint32()
	if uint64(n)*uint64(each) > uint64(len(r.rest)) {
		r.Fail(ErrShort)
		return 0
	}
	return int(n)
}

// Text is the next text, as AppendText writes it; a copy.
func (r *Reader) Text() string { return string(r.Bytes(r.Count(1))) }

// Fail makes err the error, unless there is one.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err, r.rest = err, nil
	}
}

// Err is the first error.
func (r *Reader) Err() error { return r.err }

// End is Err, or an error where the piece does not end here.
func (r *Reader) End() error {
	if r.err == nil && len(r.rest) > 0 {
		return fmt.Errorf("%d bytes more than a piece should have", len(r.rest))
	}
	return r.err
}

// AppendText appends s after its length in 4 bytes.
func AppendText[S ~string](dst []byte, s S) []byte {
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(s))), s...)
}
