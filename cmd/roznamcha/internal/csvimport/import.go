package csvimport

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"roznamcha/domain"
)

// Import is one file being made into events, row by row. It belongs to one
// goroutine, but for BytesRead.
type Import struct {
	file    *file
	program *program
	ids     idMaker

	ahead  *raw // the first row, read by Open
	row    int  // rows read
	fields []string
	cells  []string
	seed   maphash.Seed
	keys   map[digest]uint64    // keys seen, with a hash of their row
	taken  map[uuid.UUID]uint64 // events of records that were taken once, with a hash of their line
	lines  slab
	// tellsUnmet is for an import that amends.
	tellsUnmet bool
}

// Row is what one row of the file came to: a submission, nothing, or a reject.
type Row struct {
	// Line is the physical line on which the row begins, from 1.
	Line int
	// Key is what tells the row from all others.
	Key string
	// Once are the events of records that stand on several rows and are told of
	// first here. Each is a submission of its own, to be recorded before the
	// row's: what the ledger says about it is not about this row alone.
	Once [][]byte
	// Submission is the row's other events: one canonical line each, LF
	// between. It is accepted whole or not at all. Nil where there are none.
	Submission []byte
	// Events is how many lines Once and Submission have together.
	Events int
	// Unmet are the row's own events that it does not give, for their conditions do
	// not hold; left out where nothing is to be amended.
	Unmet []unmetEvent
	// Differs tells that a record which was taken from an earlier row is told of
	// otherwise here; the first row counts.
	Differs bool
	// Reject is why the row gives no events; nil where it does, or is not meant
	// to.
	Reject *Reject
}

// unmetEvent is an event that a row does not give: its name in the mapping, and
// the id that it would have.
type unmetEvent struct {
	name string
	id   uuid.UUID
}

// raw is a row as it was cut.
type raw struct {
	fields []string
	line   int
	err    error
}

// digest is 128 bits of hash: two keys of one file that share it are not to be
// expected.
type digest [2]uint64

// Open opens a CSV file, compressed with gzip or not, to be imported by m. It
// reads the header, checks that all columns which the mapping names are there
// (*MissingColumnsError), reads joined files, and sees that there is a row. The
// caller closes the Import.
func Open(m *Mapping, path string, opts Options) (*Import, error) {
	f, err := openFile(path, m.delimiter, m.headerLine)
	if err != nil {
		return nil, err
	}
	im := &Import{
		file:  f,
		ids:   newIDMaker(m.dataset),
		seed:  maphash.MakeSeed(),
		keys:  make(map[digest]uint64),
		taken: make(map[uuid.UUID]uint64),

		tellsUnmet: opts.Amend != nil,
	}
	if im.program, err = m.bind(path, f.header, opts.Joined); err != nil {
		return nil, errors.Join(err, f.close())
	}
	first := im.read()
	if first.err == io.EOF {
		return nil, errors.Join(fmt.Errorf("%s has a header and no row: nothing to import. Try: a file with rows below its header", path), f.close())
	}
	im.ahead = &first
	return im, nil
}

// Close closes the files.
func (im *Import) Close() error { return im.file.close() }

// Path is the file that is imported.
func (im *Import) Path() string { return im.file.path }

// BytesRead is how much of the file's bytes, compressed or not, has been read,
// and how many there are. It may be called from any goroutine.
func (im *Import) BytesRead() (read, size int64) { return im.file.read.Load(), im.file.size }

// read cuts the next row.
func (im *Import) read() raw {
	fields, line, err := im.file.rows.next(im.fields[:0])
	im.fields = fields
	return raw{fields, line, err}
}

// Next is the next row. The error is io.EOF at the end; any other says that the
// file could not be read on: the rows before are whole, and importing the file
// again is safe.
func (im *Import) Next() (Row, error) {
	var r raw
	if im.ahead != nil {
		r, im.ahead = *im.ahead, nil
	} else {
		r = im.read()
	}
	var damage *rowError
	if r.err != nil && !errors.As(r.err, &damage) {
		if r.err == io.EOF {
			return Row{}, io.EOF
		}
		return Row{}, im.file.broken(r.line, r.err)
	}
	im.row++
	row := Row{Line: r.line}
	if damage == nil && len(r.fields) != im.program.width {
		damage = wrongWidth(len(r.fields), im.program.width)
	}
	if damage != nil {
		row.Reject = &Reject{Reason: damage.reason}
		if damage.field >= 0 && damage.field < im.program.width {
			row.Reject.Column = im.program.names[damage.field]
		}
	} else {
		start := im.lines.begin()
		if row.Reject = im.build(&row, r.fields); row.Reject == nil {
			row.Submission = im.lines.cut(start)
		}
	}
	if row.Reject != nil {
		row.Reject.Line = row.Line
		row.Once, row.Events = nil, 0
	}
	return row, nil
}

// build makes the events of a row.
func (im *Import) build(row *Row, fields []string) *Reject {
	p := im.program
	if reject := p.checkText(fields); reject != nil {
		return reject
	}
	cells, reject := p.extend(append(im.cells[:0], fields...), im.row)
	im.cells = cells
	if reject != nil {
		return reject
	}
	row.Key = p.key.eval(cells)
	if reject := im.checkKey(row.Key, fields); reject != nil {
		return reject
	}
	var once []onceEvent
	for i := range p.events {
		e := &p.events[i]
		if !p.holdAll(e.when, cells) {
			if im.tellsUnmet && len(e.once.parts) == 0 {
				row.Unmet = append(row.Unmet, unmetEvent{e.name, im.ids.make(row.Key, e.name)})
			}
			continue
		}
		if len(e.once.parts) > 0 {
			told, reject := im.buildOnce(e, cells)
			if reject != nil {
				return reject
			}
			if hash, ok := im.taken[told.id]; ok {
				row.Differs = row.Differs || hash != told.hash
			} else {
				once = append(once, told)
			}
			continue
		}
		if row.Events > 0 {
			im.lines.buf = append(im.lines.buf, '\n')
		}
		var reject *Reject
		if im.lines.buf, reject = e.append(im.lines.buf, im.ids.make(row.Key, e.name), cells); reject != nil {
			return reject
		}
		row.Events++
	}
	for _, told := range once {
		im.taken[told.id] = told.hash
		row.Once = append(row.Once, told.line)
		row.Events++
	}
	return nil
}

// onceEvent is an event of a record that stands on several rows.
type onceEvent struct {
	id   uuid.UUID
	line []byte
	hash uint64
}

// buildOnce makes an event whose id comes from its record's own key.
func (im *Import) buildOnce(e *boundEvent, cells []string) (onceEvent, *Reject) {
	key := e.once.eval(cells)
	if key == "" {
		return onceEvent{}, &Reject{Column: e.once.column(), Reason: "blank, and the record of event " + e.name + " is taken once by it. Try: when = { column = \"" + e.once.column() + "\", blank = false }"}
	}
	told := onceEvent{id: im.ids.make(key, e.name)}
	var reject *Reject
	if told.line, reject = e.append(nil, told.id, cells); reject != nil {
		return onceEvent{}, reject
	}
	told.hash = maphash.Bytes(im.seed, told.line)
	return told, nil
}

// checkKey sees that no other row of the file has this key. The very same row
// again is let through: the ledger rules it a duplicate.
func (im *Import) checkKey(key string, fields []string) *Reject {
	if key == "" {
		return &Reject{Column: im.program.key.column(), Reason: "blank, and it is the row's key"}
	}
	var h maphash.Hash
	h.SetSeed(im.seed)
	h.WriteString(key)
	d := digest{0: h.Sum64()}
	h.WriteString("\x00and again")
	d[1] = h.Sum64()
	h.Reset()
	for _, field := range fields {
		h.WriteString(field)
		h.WriteByte(0)
	}
	sum := h.Sum64()
	if before, ok := im.keys[d]; ok {
		if before != sum {
			return &Reject{Column: im.program.key.column(), Value: key, Reason: "an earlier row of this file has the same key and says something else"}
		}
		return nil
	}
	im.keys[d] = sum
	return nil
}

// checkText sees that the fields are text where the mapping reads them, and
// that the row has no NUL anywhere: such a row has been damaged.
func (p *program) checkText(fields []string) *Reject {
	for i, field := range fields {
		if strings.IndexByte(field, 0) >= 0 {
			return &Reject{Column: p.names[i], Value: strings.ReplaceAll(field, "\x00", "�"), Reason: "holds NUL bytes"}
		}
		if p.used[i] && !utf8.ValidString(field) {
			return &Reject{Column: p.names[i], Value: strings.ToValidUTF8(field, "�"), Reason: "not UTF-8. Try: save the file as CSV in UTF-8"}
		}
	}
	return nil
}

// extend adds the columns that the file does not have.
func (p *program) extend(cells []string, row int) ([]string, *Reject) {
	number := ""
	if p.used[p.width] {
		number = strconv.Itoa(row)
	}
	cells = append(cells, number)
	for i := range p.joins {
		var reject *Reject
		if cells, reject = p.joins[i].extend(cells); reject != nil {
			return cells, reject
		}
	}
	for _, d := range p.derive {
		s, _, reject := d.read(cells)
		if reject != nil {
			return cells, reject
		}
		cells = append(cells, s)
	}
	return cells, nil
}

// append appends the canonical line of e for one row.
func (e *boundEvent) append(dst []byte, id uuid.UUID, cells []string) ([]byte, *Reject) {
	e.reset(e.event.Data)
	for _, set := range e.setters {
		if reject := set(e.event.Data, cells); reject != nil {
			copied := *reject // the setter remembers it
			return dst, &copied
		}
	}
	source := e.source.eval(cells)
	diary, ok := e.diaries[source]
	if !ok {
		var err error
		if diary, err = domain.ParseDiary(source); err != nil {
			return dst, &Reject{Column: e.source.column(), Value: source, Reason: err.Error()}
		}
		if len(e.diaries) < mostOutcomes {
			e.diaries[strings.Clone(source)] = diary
		}
	}
	e.event.ID, e.event.Source, e.event.Subject = id, diary, e.subject.eval(cells)
	dst, err := domain.AppendEvent(dst, &e.event)
	if err != nil {
		return dst, e.rejectFor(asRefusal(err), err, cells)
	}
	return dst, nil
}

// rejectFor says which column a refusal of the domain's strict rules is about.
func (e *boundEvent) rejectFor(refusal *domain.Refusal, err error, cells []string) *Reject {
	switch {
	case refusal == nil:
		return &Reject{Reason: err.Error()}
	case refusal.Field == "subject":
		return &Reject{Column: e.subject.column(), Value: e.subject.eval(cells), Reason: refusal.Detail}
	}
	if b := owner(e.values, refusal.Field); b != nil {
		return &Reject{Column: b.column(), Value: b.value.from.eval(cells), Reason: refusal.Detail}
	}
	return &Reject{Reason: refusal.Field + ": " + refusal.Detail}
}

// slab is memory for many submissions: handed out piece by piece, never used
// again, and freed when the last piece is done with.
type slab struct {
	buf  []byte
	kept int // what of buf has been handed out
}

const slabBytes = 256 << 10

// begin is where the next piece begins; what was appended since the last cut is
// forgotten.
func (s *slab) begin() int {
	s.buf = s.buf[:s.kept]
	if cap(s.buf)-len(s.buf) < slabBytes/8 {
		s.buf, s.kept = make([]byte, 0, slabBytes), 0
	}
	return len(s.buf)
}

// cut is the piece that begins at start; nil where it is empty.
func (s *slab) cut(start int) []byte {
	if s.kept = len(s.buf); s.kept == start {
		return nil
	}
	return s.buf[start:s.kept:s.kept]
}
