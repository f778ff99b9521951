package domain

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep a line may nest, unknown members included.
const maxDepth = 32

// scanner reads one line of strict JSON (RFC 8259, and of it only what every
// decoder reads alike: RFC 7493, I-JSON). The first thing that is not ends it:
// err is set, the rest of the line is skipped and every reader returns zero.
//
// Strings it returns share the line's memory unless they hold an escape.
type scanner struct {
	s     string
	at    int
	depth int
	// clean: no escape and no control character stands anywhere in s, so a
	// string ends at the next quote.
	clean bool
	// spaced: white space stood between tokens, so the bytes are not compact.
	spaced bool
	err    *Refusal
}

// begin begins to read text at at.
func (s *scanner) begin(text string, at int) {
	s.s, s.at, s.depth, s.spaced, s.err = text, at, 0, false, nil
	control, ascii := look(text)
	s.clean = !control && strings.IndexByte(text, '\\') < 0
	if !ascii && !utf8.ValidString(text) {
		s.fail("not UTF-8")
	}
}

// look tells whether s holds a byte below 0x20 and whether it is all ASCII,
// looking at eight bytes at a time.
func look(s string) (control, ascii bool) {
	const ones = 0x0101010101010101
	var low, high uint64
	for ; len(s) >= 8; s = s[8:] {
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		low |= (w - ones*0x20) &^ w
		high |= w
	}
	control, ascii = low&(ones*0x80) != 0, high&(ones*0x80) == 0
	for i := 0; i < len(s); i++ {
		control = control || s[i] < 0x20
		ascii = ascii && s[i] < utf8.RuneSelf
	}
	return control, ascii
}

// fail notes the first syntax failure and goes to the end of the line.
func (s *scanner) fail(detail string) {
	if s.err == nil {
		s.err = &Refusal{Code: Malformed, Detail: detail}
	}
	s.at = len(s.s)
}

// peek is the next byte that is not white space; 0 at the end.
func (s *scanner) peek() byte {
	for s.at < len(s.s) {
		c := s.s[s.at]
		if c > ' ' {
			return c
		}
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			s.fail("a control character outside a string")
			return 0
		}
		s.spaced = true
		s.at++
	}
	return 0
}

// take consumes the byte c, if it is next.
func (s *scanner) take(c byte) bool {
	if s.at < len(s.s) && s.s[s.at] == c {
		s.at++
		return true
	}
	return s.takeSpaced(c)
}

func (s *scanner) takeSpaced(c byte) bool {
	if s.peek() != c || s.err != nil {
		return false
	}
	s.at++
	return true
}

// end tells whether nothing but white space is left.
func (s *scanner) end() {
	if s.peek() != 0 && s.err == nil {
		s.fail("something stands after the object")
	}
}

// plain marks the bytes that stand for themselves in a string.
var plain = func() (table [256]bool) {
	for c := range table {
		table[c] = c >= 0x20 && c != '"' && c != '\\'
	}
	return table
}()

// text reads a string whose opening quote is next.
func (s *scanner) text() string {
	if !s.take('"') {
		s.fail("want a string")
		return ""
	}
	start := s.at
	if s.clean {
		if n := strings.IndexByte(s.s[start:], '"'); n >= 0 {
			s.at = start + n + 1
			return s.s[start : start+n]
		}
	}
	for s.at < len(s.s) && plain[s.s[s.at]] {
		s.at++
	}
	if s.at < len(s.s) && s.s[s.at] == '"' {
		s.at++
		return s.s[start : s.at-1]
	}
	return s.escaped(start)
}

// name reads a member's name and the colon behind it.
func (s *scanner) name() string {
	name := s.text()
	if s.at < len(s.s) && s.s[s.at] == ':' {
		s.at++
	} else if !s.takeSpaced(':') {
		s.fail("a name without its value")
	}
	return name
}

// more tells whether another element follows, in what ends with end.
func (s *scanner) more(end byte) bool {
	c := s.peek()
	s.at++
	if c == ',' || c == end && s.err == nil {
		return c == ','
	}
	s.fail("an object or array that does not end")
	return false
}

// escaped reads on in a string that began at start and has an escape, or is
// broken.
func (s *scanner) escaped(start int) string {
	var b strings.Builder
	b.WriteString(s.s[start:s.at])
	for s.at < len(s.s) {
		c := s.s[s.at]
		s.at++
		switch {
		case c == '"':
			return b.String()
		case c == '\\':
			s.escape(&b)
		case c < 0x20:
			s.fail("a control character in a string: write it as an escape")
		default:
			b.WriteByte(c)
		}
	}
	s.fail("a string without its closing quote")
	return ""
}

// escape reads what follows a backslash.
func (s *scanner) escape(b *strings.Builder) {
	if s.at == len(s.s) {
		return
	}
	c := s.s[s.at]
	s.at++
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		b.WriteByte("\"\\/\b\f\n\r\t"[i])
		return
	}
	if c != 'u' {
		s.fail("an escape that JSON does not have")
		return
	}
	r := s.hex4()
	if utf16.IsSurrogate(r) {
		if !strings.HasPrefix(s.s[s.at:], `\u`) {
			s.fail("half a surrogate pair")
			return
		}
		s.at += 2
		if r = utf16.DecodeRune(r, s.hex4()); r == unicode.ReplacementChar {
			s.fail("half a surrogate pair")
			return
		}
	}
	b.WriteRune(r)
}

// hex4 reads four hexadecimal digits.
func (s *scanner) hex4() (r rune) {
	if len(s.s)-s.at < 4 {
		s.fail("an escape that ends early")
		return 0
	}
	for _, c := range []byte(s.s[s.at : s.at+4]) {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			s.fail("an escape that is not hexadecimal")
			return 0
		}
	}
	s.at += 4
	return r
}

// number reads a number as it is written.
func (s *scanner) number() string {
	s.peek()
	start := s.at
	digits := func() {
		from := s.at
		for s.at < len(s.s) && '0' <= s.s[s.at] && s.s[s.at] <= '9' {
			s.at++
		}
		if s.at == from {
			s.fail("something that is not JSON")
		}
	}
	next := func(set string) bool {
		if s.at < len(s.s) && strings.IndexByte(set, s.s[s.at]) >= 0 {
			s.at++
			return true
		}
		return false
	}
	next("-")
	if !next("0") {
		digits()
	}
	if next(".") {
		digits()
	}
	if next("eE") {
		next("+-")
		digits()
	}
	if s.err != nil {
		return ""
	}
	return s.s[start:s.at]
}

// word reads true, false or null.
func (s *scanner) word() string {
	for _, w := range []string{"true", "false", "null"} {
		if strings.HasPrefix(s.s[s.at:], w) {
			s.at += len(w)
			return w
		}
	}
	s.fail("something that is not JSON")
	return ""
}

// skip reads any value and forgets it. It is as strict as reading it.
func (s *scanner) skip() {
	switch s.peek() {
	case '{':
		s.object(nil, nil)
	case '[':
		s.array(s.skip)
	case '"':
		s.text()
	case 't', 'f', 'n':
		s.word()
	case 0:
		s.fail("the line ends early")
	default:
		s.number()
	}
}

// array reads an array; element must read one value.
func (s *scanner) array(element func()) {
	if !s.open('[', ']') {
		return
	}
	for more := true; more; more = s.more(']') {
		element()
	}
	s.depth--
}

// object reads an object. For each member that names holds, read(i) must read
// the value; the others are skipped. A name that stands twice, or that equals
// another but for letter case, is malformed: decoders differ on what it means.
// It returns the names seen, as bits.
func (s *scanner) object(names names, read func(i int)) (seen uint64) {
	if !s.open('{', '}') {
		return 0
	}
	var others nameSet
	next := 0
	for more := true; more; more = s.more('}') {
		i := s.expect(names, next)
		var name string
		if i < 0 {
			name = s.name()
			i = names.find(name)
		}
		switch {
		case i >= 0 && seen&(1<<i) == 0:
			seen |= 1 << i
			next = i + 1
			read(i)
		case i >= 0 || others.has(name) || names.fold(name):
			s.fail("a name that stands twice, or in another letter case: " + quote(name))
		default:
			others.add(name)
			s.skip()
		}
	}
	s.depth--
	return seen
}

// expect consumes the name that is next, with its colon, if it is one of names
// from next on: canonical lines have their names in that order, and nothing
// between.
func (s *scanner) expect(names names, next int) int {
	rest := s.s[s.at:]
	for i := next; i < len(names) && len(rest) > 1; i++ {
		if key := names[i]; key[1] == rest[1] && strings.HasPrefix(rest, key) {
			s.at += len(key)
			return i
		}
	}
	return -1
}

// members reads an object of any names; visit must read the value of each.
func (s *scanner) members(visit func(name string)) {
	if !s.open('{', '}') {
		return
	}
	var seen nameSet
	for more := true; more; more = s.more('}') {
		name := s.name()
		if seen.has(name) {
			s.fail("a name that stands twice, or in another letter case: " + quote(name))
		}
		seen.add(name)
		visit(name)
	}
	s.depth--
}

// open enters what begins with start and is left at its end; false where
// nothing stands in it.
func (s *scanner) open(start, end byte) bool {
	if s.depth++; s.depth > maxDepth {
		s.fail("nested too deep")
		return false
	}
	if !s.take(start) {
		s.fail("want " + string(rune(start)))
		return false
	}
	if s.take(end) {
		s.depth--
		return false
	}
	return true
}

// names are the known names of an object, at most 64, as they stand in
// canonical lines: quoted, with the colon.
type names []string

func namesOf(list ...string) names {
	keys := make(names, len(list))
	for i, name := range list {
		keys[i] = `"` + name + `":`
	}
	return keys
}

// at is the name numbered i.
func (n names) at(i int) string { return n[i][1 : len(n[i])-2] }

// find is the number of name, -1 where it is not known.
func (n names) find(name string) int {
	for i := range n {
		if n.at(i) == name {
			return i
		}
	}
	return -1
}

// fold tells whether name equals a known one but for letter case.
func (n names) fold(name string) bool {
	folded := fold(name)
	for i := range n {
		if n.at(i) == folded {
			return true
		}
	}
	return false
}

// nameSet holds the unknown names of one object, folded. A few stand in a
// list; a flood of them in a map, so that no line costs quadratic time.
type nameSet struct {
	few  []string
	many map[string]bool
}

func (n *nameSet) has(name string) bool {
	if n.many != nil {
		return n.many[fold(name)]
	}
	for _, other := range n.few {
		if fold(other) == fold(name) {
			return true
		}
	}
	return false
}

func (n *nameSet) add(name string) {
	if n.many == nil && len(n.few) < 16 {
		n.few = append(n.few, name)
		return
	}
	if n.many == nil {
		n.many = make(map[string]bool)
		for _, f := range n.few {
			n.many[fold(f)] = true
		}
	}
	n.many[fold(name)] = true
}

// fold puts the letters A to Z small, and the two others that decoders take for
// one of them (U+017F for s, U+212A for k). The tables of Unicode grow; this
// may not.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		case r == '\u017f':
			return 's'
		case r == '\u212a':
			return 'k'
		}
		return r
	}, name)
}

// quote shows what a stranger wrote.
func quote(s string) string {
	return string(appendText(nil, strings.ToValidUTF8(clip(s), "\uFFFD")))
}

// appendText appends s as a JSON string with no more escapes than JSON asks.
func appendText(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if plain[c] {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// hasControl tells whether s holds a control character other than those in
// except (C0, DEL and C1: U+0000–001F, U+007F–009F).
func hasControl(s, except string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c < 0x7f {
			continue
		}
		if c < utf8.RuneSelf {
			if strings.IndexByte(except, c) < 0 {
				return true
			}
		} else if c == 0xc2 && i+1 < len(s) && s[i+1] < 0xa0 {
			return true
		}
	}
	return false
}

// Compact appends line to dst without insignificant white space, and with
// nothing else changed: signatures cover the bytes. White space that keeps two
// tokens apart is not insignificant: such a line is no JSON, and an error.
func Compact(dst, line []byte) ([]byte, error) {
	inText, spaced := false, false
	last := byte('{') // the last byte written outside a string, or a string's quote
	for i := 0; i < len(line); i++ {
		c := line[i]
		if inText {
			dst = append(dst, c)
			switch {
			case c == '"':
				inText = false
			case c == '\\' && i+1 < len(line):
				i++
				dst = append(dst, line[i])
			}
			continue
		}
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			spaced = true
			continue
		}
		if spaced && !parts[last] && !parts[c] {
			return dst, &Refusal{Code: Malformed, Detail: "white space within a value"}
		}
		inText, spaced, last = c == '"', false, c
		dst = append(dst, c)
	}
	if inText {
		return dst, &Refusal{Code: Malformed, Detail: "a string without its closing quote"}
	}
	return dst, nil
}

// parts marks the bytes that end and begin a token by themselves.
var parts = [256]bool{'{': true, '}': true, '[': true, ']': true, ':': true, ',': true, '"': true}
