package domain

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Decode reads one line as an event under the strict rules of the line. Strings
// of the event share line's memory. The error is a *Refusal: Malformed,
// BadAttribute, UnknownType or BadData.
//
// A correction's Replacement is checked only as JSON: what it replaces, the
// register alone can tell.
func Decode(line string) (*Event, error) {
	var rd reader
	return rd.event(line)
}

// reading is one line that was read. It can be used again: what was read before
// is overwritten.
type reading struct {
	line  string
	event Event
	// typeName and data are as written; spaced tells whether data may hold
	// white space between tokens.
	typeName string
	data     string
	spaced   bool
	// refusal is why this is no event: Malformed or BadAttribute.
	refusal *Refusal
	// bad is what is wrong with the data, BadData.
	bad *Refusal
	// content is its digest by register by, if that is not nil.
	content [16]byte
	by      *Register
	// bodies are used again for the next line.
	bodies [endOfTypes]Data
}

// readers are used again: what one has read last is mostly what comes next.
var readers = sync.Pool{New: func() any { return new(reader) }}

// reader reads lines, one at a time. Its zero value is ready.
type reader struct {
	decoder
	lists lists
	// whole is for those who read events and keep no readings.
	whole reading
}

var attributeNames = namesOf("specversion", "id", "source", "type", "subject", "time", "data", "datacontenttype", "dataschema", "data_base64")

const (
	attrSpecVersion = iota
	attrID
	attrSource
	attrType
	attrSubject
	attrTime
	attrData
	attrContentType
	attrSchema
	attrBase64

	attrRequired = 1<<attrSpecVersion | 1<<attrID | 1<<attrSource | 1<<attrType
)

// canonicalStart is how canonical lines begin.
const canonicalStart = `{"specversion":"1.0"`

// read reads line. All strict checks of its JSON happen here, whether or not
// the values are used.
func (rd *reader) read(r *reading, line string) {
	r.line, r.event, r.typeName, r.data, r.spaced, r.refusal, r.bad, r.by = line, Event{}, "", "", false, nil, nil, nil
	d := rd.begin(line, 0, BadAttribute)
	var bad *Refusal // of the data
	dataAt := -1     // where data stand that came before their type
	c := d.scanner.object(attributeNames)
	if strings.HasPrefix(line, canonicalStart) {
		d.at, d.depth = len(canonicalStart), 1
		c.i, c.seen, c.before = attrSpecVersion, 1<<attrSpecVersion, ','
	}
	for d.next(&c) {
		if c.i != attrData {
			rd.readAttribute(r, c.i)
			continue
		}
		start := d.peekAt()
		if r.event.Type == 0 {
			dataAt = start
			d.skip()
		} else {
			bad = rd.readData(r)
		}
		r.data = line[start:d.at]
	}
	d.end()
	r.spaced = d.spaced
	err, fault := d.err, d.bad
	if err == nil && dataAt >= 0 && r.event.Type != 0 {
		rd.begin(line, dataAt, BadData)
		bad = rd.readData(r)
		err = d.err
	}
	if err != nil {
		r.refusal = err
		return
	}
	if missing := attrRequired &^ c.seen; missing != 0 && fault == nil {
		fault = &Refusal{BadAttribute, attributeNames.at(bits.TrailingZeros64(missing)), "is missing"}
	}
	if c.seen&(1<<attrSubject) == 0 && r.event.Type.MakesRecord() && fault == nil {
		fault = &Refusal{BadAttribute, "subject", "is missing: it is the record's id in its diary"}
	}
	if r.refusal = fault; r.refusal != nil {
		return
	}
	if c.seen&(1<<attrData) == 0 {
		bad = &Refusal{BadData, "data", "is missing"}
	}
	r.bad = bad
}

// event reads line as an event, or tells what keeps it from being one.
func (rd *reader) event(line string) (*Event, error) {
	r := &rd.whole
	rd.read(r, line)
	switch {
	case r.refusal != nil:
		return nil, r.refusal
	case r.event.Type == 0:
		return nil, r.unknownType()
	case r.bad != nil:
		return nil, r.bad
	}
	e := r.event // alone: the rest of the reader need not stay
	return &e, nil
}

// begin begins to decode s at at.
func (rd *reader) begin(s string, at int, code Code) *decoder {
	d := &rd.decoder
	d.scanner.begin(s, at)
	d.lists = &rd.lists
	d.code, d.bad = code, nil
	return d
}

// readAttribute reads the attribute numbered i, but for data.
func (rd *reader) readAttribute(r *reading, i int) {
	s, ok := rd.string()
	if !ok {
		return
	}
	var err error
	e := &r.event
	switch i {
	case attrSpecVersion:
		if s != "1.0" {
			err = errors.New(quote(s) + ": want 1.0")
		}
	case attrID:
		e.ID, err = ParseEventID(s)
	case attrSource:
		e.Source, err = rd.readSource(s)
	case attrType:
		r.typeName = s
		known := false
		if e.Type, known = ParseType(s); !known && (s == "" || hasControl(s, "")) {
			err = errors.New("want the name of an event type, such as raid.conducted")
		}
	case attrSubject:
		e.Subject = s
		if !isRecordID(s) {
			err = errors.New(quote(s) + ": want 1 to 128 bytes of printable ASCII without space and slash")
		}
	case attrTime:
		if !isInstant(s) {
			err = errors.New(quote(s) + ": want a date-time with offset, such as 2025-06-03T22:10:00+05:00")
			break
		}
		e.Time, err = time.Parse(time.RFC3339Nano, s)
	case attrContentType:
		if media, _, _ := strings.Cut(s, ";"); media != "application/json" && !strings.HasSuffix(media, "+json") {
			err = errors.New(quote(s) + ": data are JSON; want application/json")
		}
	case attrBase64:
		err = errors.New("data are JSON and stand in data")
	}
	if err != nil {
		rd.fault(err.Error())
	}
}

// readData reads the data of r.event.Type and returns what is wrong with them.
func (rd *reader) readData(r *reading) *Refusal {
	d := &rd.decoder
	code, bad := d.code, d.bad
	d.code, d.bad = BadData, nil
	r.event.Data = r.body(r.event.Type)
	d.body(&bodies[r.event.Type], r.event.Data)
	d.faultIn("data")
	wrong := d.bad
	d.code, d.bad = code, bad
	return wrong
}

// body is the reused, emptied data struct of type t.
func (r *reading) body(t Type) Data {
	if r.bodies[t] == nil {
		r.bodies[t] = bodies[t].make()
	} else {
		bodies[t].reset(r.bodies[t])
	}
	return r.bodies[t]
}

// readReplacement reads the replacement of the correction in r as data of type t.
func (rd *reader) readReplacement(r *reading, c *RecordCorrected, t Type) *Refusal {
	d := rd.begin(c.raw, 0, BadData)
	c.Replacement = r.body(t)
	d.body(&bodies[t], c.Replacement)
	d.faultIn("data.replacement")
	if d.err != nil {
		return &Refusal{Malformed, "data.replacement", d.err.Detail}
	}
	return d.bad
}

// unknownType says that the rules do not know the line's type.
func (r *reading) unknownType() *Refusal {
	return &Refusal{UnknownType, "type", quote(r.typeName) + " is no event type of rules version 1"}
}

// decoder reads typed values from a line. Syntax failures end the reading
// (scanner.err); what is wrong with a value is noted, and reading goes on, so
// that a later syntax failure is still seen.
type decoder struct {
	scanner
	lists *lists
	latest
}

// faults is the first thing that is wrong with the values.
type faults struct {
	code Code
	bad  *Refusal
}

// fault notes what is wrong with the value that is being read. On the way out
// of the objects in which it stands, next puts their names before its field.
func (f *faults) fault(detail string) {
	if f.bad == nil {
		f.bad = &Refusal{f.code, "", detail}
	}
}

// faultIn says that the fault, if there is one, stands in the member name.
func (f *faults) faultIn(name string) {
	switch {
	case f.bad == nil:
	case f.bad.Field == "":
		f.bad.Field = name
	default:
		f.bad.Field = name + "." + f.bad.Field
	}
}

// peekAt is where the next token begins.
func (d *decoder) peekAt() int {
	d.peek()
	return d.at
}

// body reads an object as the members of b into data.
func (d *decoder) body(b *body, data Data) {
	c := d.object(b.names)
	for d.next(&c) {
		b.members[c.i].read(d, data)
	}
	if missing := b.required &^ c.seen; missing != 0 && d.bad == nil {
		d.fault("is missing")
		d.faultIn(b.names.at(bits.TrailingZeros64(missing)))
	}
	if b.check == nil || d.bad != nil {
		return
	}
	seen := c.seen // c itself would have to live on the heap
	field, detail := b.check(data, func(name string) bool {
		return seen&(1<<b.names.find(name)) != 0
	})
	if detail != "" {
		d.fault(detail)
		d.faultIn(field)
	}
}

// other skips a value of another kind than is wanted, which is a fault.
func (d *decoder) other(want string) {
	got := "a number"
	switch d.peek() {
	case '{':
		got = "an object"
	case '[':
		got = "a list"
	case '"':
		got = "a string"
	case 't', 'f':
		got = "true or false"
	case 'n':
		got = "null"
	}
	d.skip()
	d.fault("want " + want + ", got " + got)
}

// string reads a string value; any other is a fault.
func (d *decoder) string() (string, bool) {
	if s, ok := d.quoted(); ok {
		return s, true
	}
	if d.peek() != '"' {
		d.other("a string")
		return "", false
	}
	s := d.text()
	return s, d.err == nil
}

// object enters an object value; any other is a fault, and has no members.
func (d *decoder) object(names names) cursor {
	if d.peek() != '{' {
		d.other("an object")
		return cursor{located: true}
	}
	return d.scanner.object(names)
}

// whole reads a whole number from 0 to 2^53-1. One written as 1.0 or 1e3 is
// malformed, because decoders differ on whether it is whole.
func (d *decoder) whole() int64 {
	if n, digits := d.digits(); digits > 0 {
		return n
	}
	if c := d.peek(); c != '-' && (c < '0' || c > '9') {
		d.other("a whole number")
		return 0
	}
	s := d.number()
	var n int64
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '-':
			d.fault(clip(s) + " is below 0")
			return 0
		case c < '0' || c > '9':
			d.fail("the count " + clip(s) + ": want plain digits")
			return 0
		case n > maxExactInteger/10:
			d.fault(clip(s) + " is too large: at most 9007199254740991")
			return 0
		default:
			n = n*10 + int64(c-'0')
		}
	}
	if n > maxExactInteger {
		d.fault(clip(s) + " is too large: at most 9007199254740991")
		return 0
	}
	return n
}

// digits reads a small number of plain digits that ends right there; 0 digits
// where none stands.
func (d *decoder) digits() (n int64, digits int) {
	const most = 15 // so many are below 2^53
	rest := d.s[d.at:]
	for digits < len(rest) && digits < most && rest[digits]-'0' <= 9 {
		n = n*10 + int64(rest[digits]-'0')
		digits++
	}
	if digits == 0 || digits == len(rest) || digits > 1 && rest[0] == '0' {
		return 0, 0
	}
	switch rest[digits] {
	case ',', '}', ']':
		d.at += digits
		return n, digits
	}
	return 0, 0
}

// isInstant tells whether s is a date-time in the grammar of Period. What Go's
// own parser takes besides, another release may not.
func isInstant(s string) bool {
	if len(s) <= len(time.DateOnly) || s[len(time.DateOnly)] != 'T' {
		return false
	}
	_, err := ParsePeriod(s)
	return err == nil
}

// ParseEventID reads a UUID in its only accepted form: lower case, 36
// characters (RFC 9562, section 4).
func ParseEventID(s string) (id uuid.UUID, err error) {
	if len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		a, ok1 := hexBytes(word(s))
		b, ok2 := hexBytes(word(s[9:])&0xffffffff | word(s[10:])&^0xffffffff)
		c, ok3 := hexBytes(word(s[19:])&0xffffffff | word(s[20:])&^0xffffffff)
		d, ok4 := hexBytes(word(s[28:]))
		if ok1 && ok2 && ok3 && ok4 {
			binary.LittleEndian.PutUint32(id[0:], a)
			binary.LittleEndian.PutUint32(id[4:], b)
			binary.LittleEndian.PutUint32(id[8:], c)
			binary.LittleEndian.PutUint32(id[12:], d)
			return id, nil
		}
	}
	return uuid.UUID{}, errors.New(quote(s) + ": want a UUID in small letters, 36 characters")
}

// hexBytes reads eight small hexadecimal digits, the first in the lowest byte of
// w, as four bytes in the same order.
func hexBytes(w uint64) (b uint32, ok bool) {
	v := (w&(ones*0x0f) + w>>6&ones*9) & (ones * 0x0f) // a to f have bit 6 and end in 1 to 6
	letters := (v + ones*6) >> 4 & ones
	ok = v+ones*'0'+letters*('a'-'0'-10) == w // nothing else is written like that
	v = (v<<4 | v>>8) & 0x00ff00ff00ff00ff
	v = (v | v>>8) & 0x0000ffff0000ffff
	return uint32(v | v>>16), ok
}
