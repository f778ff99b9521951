package csvimport

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// maxRowBytes is the longest row that is read; the longest event fits.
const maxRowBytes = 1 << 20

// rowReader cuts a CSV text (RFC 4180) into rows. It differs from encoding/csv
// in what it does with damage: a row that cannot be cut costs that row and no
// other, and none is read to the end of the file. It knows the physical line on
// which a row begins.
type rowReader struct {
	r     io.Reader
	comma byte
	buf   []byte // buf[at:] is read and not yet cut
	at    int
	err   error // why no more is read; io.EOF at the end
	line  int   // of buf[at], from 1
}

func newRowReader(r io.Reader, comma byte) *rowReader {
	return &rowReader{r: r, comma: comma, buf: make([]byte, 0, 256<<10), line: 1}
}

// rowError is what is wrong with one row: the reading goes on.
type rowError struct {
	field  int // from 0; -1 is the whole row
	reason string
}

func (e *rowError) Error() string { return e.reason }

// next is the fields of the next row that is not empty and the line on which it
// begins. The error is a *rowError, io.EOF, or what reading came to: then the
// row that was being read is incomplete and not returned. The fields are the
// caller's.
func (r *rowReader) next(fields []string) ([]string, int, error) {
	for {
		row, line := r.buf[r.at:], r.line
		end, quoted, complete := findEnd(row)
		switch {
		case end > maxRowBytes:
			return fields, line, r.overlong(quoted)
		case complete:
		case r.err == nil:
			r.fill()
			continue
		case r.err != io.EOF || len(row) == 0:
			return fields, line, r.err
		}
		text := chomp(row[:end])
		if quoted {
			fields, bad := unquote(fields, text, r.comma)
			if bad != nil {
				r.skip(lineLength(row)) // begin anew behind the damaged line
				return fields, line, bad
			}
			r.skip(end)
			return fields, line, nil
		}
		r.skip(end)
		if len(text) > 0 {
			return cut(fields, string(text), r.comma), line, nil
		}
	}
}

var newline = []byte{'\n'}

// fill reads more behind what is not yet cut.
func (r *rowReader) fill() {
	if r.at > 0 {
		r.buf = r.buf[:copy(r.buf, r.buf[r.at:])]
		r.at = 0
	}
	if len(r.buf) == cap(r.buf) {
		r.buf = append(make([]byte, 0, 2*cap(r.buf)), r.buf...)
	}
	n, err := r.r.Read(r.buf[len(r.buf):cap(r.buf)])
	r.buf = r.buf[:len(r.buf)+n]
	r.err = err
}

// skip goes n bytes on.
func (r *rowReader) skip(n int) {
	r.line += bytes.Count(r.buf[r.at:r.at+n], newline)
	r.at += n
}

// overlong leaves a row behind that is longer than any row: where it has an
// open quote in it, only its first line.
func (r *rowReader) overlong(quoted bool) error {
	if n := lineLength(r.buf[r.at:]); quoted && n < len(r.buf)-r.at {
		r.skip(n)
		return &rowError{-1, "a quote that is opened here is not closed within 1 MiB"}
	}
	for {
		if i := bytes.IndexByte(r.buf[r.at:], '\n'); i >= 0 {
			r.skip(i + 1)
			break
		}
		r.at = len(r.buf)
		if r.err != nil {
			break
		}
		r.fill()
	}
	return &rowError{-1, "longer than 1 MiB"}
}

// findEnd is the length of the row that b begins with, its line feed included,
// and whether there are quotes in it. A line feed within quotes ends no row. Of
// a row that is not complete in b it is the length of b.
func findEnd(b []byte) (end int, quoted, complete bool) {
	end = bytes.IndexByte(b, '\n') + 1
	if end > 0 && bytes.IndexByte(b[:end], '"') < 0 {
		return end, false, true
	}
	open := false
	for i, c := range b {
		switch c {
		case '"':
			open, quoted = !open, true
		case '\n':
			if !open {
				return i + 1, quoted, true
			}
		}
	}
	return len(b), quoted, false
}

// lineLength is the length of the first line of b, its line feed included.
func lineLength(b []byte) int {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return i + 1
	}
	return len(b)
}

// chomp takes the end of the line off.
func chomp(b []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(b, newline), []byte{'\r'})
}

// cut appends the fields of a row without quotes.
func cut(fields []string, row string, comma byte) []string {
	for {
		i := strings.IndexByte(row, comma)
		if i < 0 {
			return append(fields, row)
		}
		fields = append(fields, row[:i])
		row = row[i+1:]
	}
}

// unquote appends the fields of a row with quotes.
func unquote(fields []string, row []byte, comma byte) ([]string, *rowError) {
	text := make([]byte, 0, len(row)) // all fields, one behind the other
	var ends []int
	for n := 0; ; n++ {
		var bad *rowError
		if len(row) > 0 && row[0] == '"' {
			text, row, bad = quotedField(text, row[1:], n)
		} else {
			text, row, bad = plainField(text, row, comma, n)
		}
		if bad != nil {
			return fields, bad
		}
		ends = append(ends, len(text))
		if len(row) == 0 {
			break
		}
		if row[0] != comma {
			return fields, &rowError{n, "text behind the closing quote. Try: write a quote within quotes twice"}
		}
		row = row[1:]
	}
	all, start := string(text), 0
	for _, end := range ends {
		fields = append(fields, all[start:end])
		start = end
	}
	return fields, nil
}

// quotedField appends a field to text whose opening quote has been read.
func quotedField(text, row []byte, n int) ([]byte, []byte, *rowError) {
	for {
		i := bytes.IndexByte(row, '"')
		if i < 0 {
			return text, row, &rowError{n, "a quote that is opened here is never closed"}
		}
		text = append(text, row[:i]...)
		row = row[i+1:]
		if len(row) == 0 || row[0] != '"' {
			return text, row, nil
		}
		text = append(text, '"')
		row = row[1:]
	}
}

// plainField appends a field without quotes to text.
func plainField(text, row []byte, comma byte, n int) ([]byte, []byte, *rowError) {
	end := bytes.IndexByte(row, comma)
	if end < 0 {
		end = len(row)
	}
	if bytes.IndexByte(row[:end], '"') >= 0 {
		return text, row, &rowError{n, "a quote within a field that is not quoted"}
	}
	return append(text, row[:end]...), row[end:], nil
}

// wrongWidth says that a row has not as many fields as the header.
func wrongWidth(got, want int) *rowError {
	return &rowError{-1, fmt.Sprintf("has %d fields, the header %d", got, want)}
}
