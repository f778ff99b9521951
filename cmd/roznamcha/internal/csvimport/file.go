package csvimport

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"unicode/utf8"
)

// file is an open CSV file: its header is read, its rows are next.
type file struct {
	path    string
	closers []io.Closer
	read    atomic.Int64 // bytes of the file, compressed or not
	size    int64
	rows    *rowReader
	header  []string
	gzip    bool
}

// openFile opens a CSV file, compressed with gzip or not, and reads its header
// on line headerLine.
func openFile(path string, comma byte, headerLine int) (*file, error) {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w. Try: a path that is there", err)
	case err != nil:
		return nil, fmt.Errorf("%w. Try: a file that you may read", err)
	}
	opened := &file{path: path, closers: []io.Closer{f}}
	if err := opened.start(f, comma, headerLine); err != nil {
		opened.close()
		return nil, err
	}
	return opened, nil
}

func (f *file) start(from *os.File, comma byte, headerLine int) error {
	info, err := from.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return fmt.Errorf("%s is a directory. Try: a CSV file in it", f.path)
	}
	f.size = info.Size()
	raw := bufio.NewReaderSize(counted{from, &f.read}, 64<<10)
	head, _ := raw.Peek(8)
	if hint := notCSV(head); hint != "" {
		return fmt.Errorf("%s is not a CSV file: %s", f.path, hint)
	}
	text := io.Reader(raw)
	if f.gzip = bytes.HasPrefix(head, []byte{0x1f, 0x8b}); f.gzip {
		unpacked, err := gzip.NewReader(raw)
		if err != nil {
			return f.broken(0, err)
		}
		text = f.ahead(unpacked)
	}
	buffered := bufio.NewReaderSize(text, 64<<10)
	if bom, _ := buffered.Peek(3); string(bom) == "\ufeff" {
		_, _ = buffered.Discard(3)
	}
	f.rows = newRowReader(buffered, comma)
	return f.readHeader(headerLine)
}

// counted counts what is read.
type counted struct {
	io.Reader
	n *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// ahead reads from r in a goroutine of its own, a block ahead, so that unpacking
// and cutting run on two processors. It ends with r, or when f is closed.
func (f *file) ahead(r io.Reader) io.Reader {
	out, in := io.Pipe()
	f.closers = append([]io.Closer{out}, f.closers...)
	go func() {
		_, err := io.CopyBuffer(in, r, make([]byte, 256<<10))
		in.CloseWithError(err) // nil is io.EOF
	}()
	return out
}

func (f *file) close() error {
	var errs []error
	for _, c := range f.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// notCSV says what a file is that begins with head and is no CSV text, or "".
func notCSV(head []byte) string {
	for _, known := range []struct{ magic, hint string }{
		{"PK\x03\x04", "it is a zip archive or a spreadsheet (.xlsx). Try: unpack it, or save the sheet as CSV (UTF-8)"},
		{"\xd0\xcf\x11\xe0", "it is a spreadsheet (.xls). Try: save the sheet as CSV (UTF-8)"},
		{"%PDF", "it is a PDF document"},
		{"\xff\xfe", "it is UTF-16. Try: save it as CSV in UTF-8"},
		{"\xfe\xff", "it is UTF-16. Try: save it as CSV in UTF-8"},
		{"BZh", "it is compressed with bzip2. Try: unpack it, or compress it with gzip"},
		{"\xfd7zXZ", "it is compressed with xz. Try: unpack it, or compress it with gzip"},
		{"\x28\xb5\x2f\xfd", "it is compressed with zstd. Try: unpack it, or compress it with gzip"},
		{"PAR1", "it is a Parquet file. Try: export it as CSV"},
	} {
		if bytes.HasPrefix(head, []byte(known.magic)) {
			return known.hint
		}
	}
	return ""
}

// readHeader reads the names of the columns.
func (f *file) readHeader(headerLine int) error {
	for {
		fields, line, err := f.rows.next(nil)
		switch damage := (*rowError)(nil); {
		case err == io.EOF && line == 1:
			return fmt.Errorf("%s is empty. Try: a CSV file whose first line names its columns", f.path)
		case err == io.EOF:
			return fmt.Errorf("%s has no line %d, where the header should be. Try: header_line in the mapping", f.path, headerLine)
		case errors.As(err, &damage) && line >= headerLine:
			return fmt.Errorf("%s is not a CSV file: its header (line %d) cannot be read: %s", f.path, line, damage.reason)
		case err != nil && damage == nil:
			return f.broken(line, err)
		case line < headerLine:
			continue
		}
		return f.setHeader(fields, line)
	}
}

func (f *file) setHeader(fields []string, line int) error {
	for i, name := range fields {
		switch {
		case strings.ContainsRune(name, 0) || !utf8.ValidString(name):
			return fmt.Errorf("%s is not a CSV file in UTF-8: its header (line %d) holds bytes that are no text", f.path, line)
		case strings.Contains(name, "\r"):
			return fmt.Errorf("%s ends its lines with a carriage return alone. Try: save it again as CSV (UTF-8), or tr '\\r' '\\n'", f.path)
		}
		fields[i] = strings.TrimSpace(name)
	}
	f.header = fields
	return nil
}

// broken says that the file could not be read on.
func (f *file) broken(line int, err error) error {
	if !f.gzip {
		return fmt.Errorf("%s: reading line %d: %w", f.path, line, err)
	}
	what := "is damaged"
	if errors.Is(err, io.ErrUnexpectedEOF) {
		what = "ends in the middle"
	}
	return fmt.Errorf("%s: the compressed file %s, at line %d (%w). Try: fetch it again; gzip -t tells whether it is whole", f.path, what, line, err)
}
