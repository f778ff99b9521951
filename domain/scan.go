package domain

import (
	"bytes"
	"fmt"
	"math/bits"
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
	// rich: an escape, or a byte that is not ASCII, was read in a string.
	rich bool
	// spaced: white space stood between tokens, so the bytes are not compact.
	spaced bool
	err    *Refusal
	faults
}

// begin begins to read text at at.
func (s *scanner) begin(text string, at int) {
	s.s, s.at, s.depth, s.rich, s.spaced, s.err = text, at, 0, false, false, nil
}

// fail notes the first syntax failure and goes to the end of the line. That a
// line is not UTF-8 comes before all else that is wrong with it.
func (s *scanner) fail(detail string) {
	if s.err == nil {
		if !utf8.ValidString(s.s) {
			detail = "not UTF-8"
		}
		s.err = &Refusal{Code: Malformed, Detail: detail}
	}
	s.at = len(s.s)
}

// want fails for what stands next, where something else must.
func (s *scanner) want(what string) {
	if s.err == nil {
		s.fail("want " + what + ", got " + s.found())
	}
}

// found is the next character: by its number where a person may not see it.
func (s *scanner) found() string {
	r, size := utf8.DecodeRuneInString(s.s[s.at:])
	switch {
	case size == 0:
		return "the end"
	case ' ' < r && r < 0x7f:
		return string(r)
	}
	return fmt.Sprintf("U+%04X", r)
}

// peek is the next byte that is not white space; 0 at the end.
func (s *scanner) peek() byte {
	if s.at == len(s.s) || s.s[s.at] <= ' ' {
		return s.peekOn()
	}
	return s.s[s.at]
}

// peekOn is peek where there is white space, or nothing.
func (s *scanner) peekOn() byte {
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
	if s.peek() != c || s.err != nil {
		return false
	}
	s.at++
	return true
}

// end makes sure that nothing but white space is left, and that all of the line
// was UTF-8.
func (s *scanner) end() {
	switch {
	case s.peek() != 0 && s.err == nil:
		s.want("nothing after the object")
	case s.rich && !utf8.ValidString(s.s):
		s.fail("not UTF-8")
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
	if text, ok := s.quoted(); ok {
		return text
	}
	if !s.take('"') {
		s.want("a string")
		return ""
	}
	start := s.at
	for s.at < len(s.s) && plain[s.s[s.at]] {
		s.rich = s.rich || s.s[s.at] >= utf8.RuneSelf
		s.at++
	}
	if s.at < len(s.s) && s.s[s.at] == '"' {
		s.at++
		return s.s[start : s.at-1]
	}
	return s.escaped(start)
}

// quoted reads a string of ASCII without escapes that begins right here; false,
// and nothing is read, where none does.
func (s *scanner) quoted() (text string, ok bool) {
	line, start := s.s, s.at+1
	if s.at >= len(line) || line[s.at] != '"' {
		return "", false
	}
	at := start
	for ; at <= len(line)-8; at += 8 {
		if n := plainBytes(word(line[at:])); n < 8 {
			at += n
			break
		}
	}
	for at < len(line) && plain[line[at]] && line[at] < utf8.RuneSelf {
		at++
	}
	if at == len(line) || line[at] != '"' {
		return "", false
	}
	s.at = at + 1
	return line[start:at], true
}

// word is the first eight bytes of s, which must be there.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// ones times a byte is eight of them.
const ones = 0x0101010101010101

// plainBytes is how many bytes w begins with that are ASCII and stand for
// themselves in a string. Of a byte below 0x80, c^2 - 0x21 is negative where it
// is a quote or below 0x20, and c^'\\' - 1 where it is a backslash; what such a
// byte borrows from those behind it does not matter any more.
func plainBytes(w uint64) int {
	end := (w ^ ones*2 - ones*0x21) | (w ^ ones*'\\' - ones) | w
	return bits.TrailingZeros64(end&(ones*0x80)) >> 3
}

// name reads a member's name and the colon behind it.
func (s *scanner) name() string {
	name := s.text()
	if !s.take(':') {
		s.want("a colon")
	}
	return name
}

// escaped reads on in a string that began at start and has an escape, or is
// broken.
func (s *scanner) escaped(start int) string {
	s.rich = true
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
		case c == '\n' || c == '\r':
			s.fail("a line ends within a string: close it, or write \\n")
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
		switch s.at {
		case start:
			s.want("a value")
		case from:
			s.want("a digit")
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

// literal reads true, false or null.
func (s *scanner) literal() string {
	for _, w := range []string{"true", "false", "null"} {
		if strings.HasPrefix(s.s[s.at:], w) {
			s.at += len(w)
			return w
		}
	}
	s.want("a value")
	return ""
}

// skip reads any value and forgets it. It is as strict as reading it.
func (s *scanner) skip() {
	switch s.peek() {
	case '{':
		for c := s.object(nil); s.next(&c); {
		}
	case '[':
		for more := s.open('[', ']'); more; more = s.more(']') {
			s.skip()
		}
	case '"':
		s.text()
	case 't', 'f', 'n':
		s.literal()
	case 0:
		s.fail("the line ends early")
	default:
		s.number()
	}
}

// open enters what begins with start and ends with end; false where nothing
// stands in it.
func (s *scanner) open(start, end byte) bool {
	if !s.deeper() {
		return false
	}
	if !s.take(start) {
		s.want(string(rune(start)))
		return false
	}
	if s.take(end) {
		s.depth--
		return false
	}
	return true
}

// deeper enters one level more.
func (s *scanner) deeper() bool {
	if s.depth++; s.depth > maxDepth {
		s.fail("nested too deep")
	}
	return s.depth <= maxDepth
}

// more tells whether another element follows, in what ends with end, and
// leaves it where none does.
func (s *scanner) more(end byte) bool {
	c := s.peek()
	s.at++
	switch {
	case c == ',':
		return true
	case c != end || s.err != nil:
		s.at--
		s.want("a comma or " + string(rune(end)))
	}
	s.depth--
	return false
}

// cursor is an object that is being read, member by member.
type cursor struct {
	names names
	// i is the number of the member at hand, seen are all up to it, as bits.
	i    int
	seen uint64
	// others are its unknown names; nil while there are none.
	others *nameSet
	// before is what stands before the next member: a brace, then commas; 0
	// when there is none.
	before byte
	// located: the first fault stands before it, or has its name already.
	located bool
}

// object enters an object. For each member that names holds, next stops and the
// caller must read the value; the others are skipped. A name that stands twice,
// or that equals another but for letter case, is malformed: decoders differ on
// what it means.
func (s *scanner) object(names names) cursor {
	s.peek()
	return cursor{names: names, i: -1, before: '{', located: s.bad != nil}
}

// next goes to the next known member; false at the end of the object.
func (s *scanner) next(c *cursor) bool {
	if s.bad != nil && !c.located {
		s.locate(c)
	}
	// Canonical lines have their names in order, and nothing between.
	if at := s.at + 1; at <= len(s.s)-8 && s.s[s.at] == c.before {
		rest := s.s[at:]
		w := word(rest)
		for i := c.i + 1; i < len(c.names); i++ {
			n := &c.names[i]
			if (w^n.head)&n.mask == 0 {
				return s.known(c, i, rest) || s.search(c)
			}
		}
	}
	return s.search(c)
}

// known goes to the member numbered i, if rest, which stands behind the next
// comma or brace, does begin with its name.
func (s *scanner) known(c *cursor, i int, rest string) bool {
	key, bit := c.names[i].key, uint64(1)<<(i&63)
	if c.seen&bit != 0 || !strings.HasPrefix(rest, key) || c.before == '{' && !s.deeper() {
		return false
	}
	s.at += 1 + len(key)
	c.seen |= bit
	c.i, c.before = i, ','
	return true
}

// locate tells the first fault, which is in the member at hand, where it is.
func (s *scanner) locate(c *cursor) {
	s.faultIn(c.names.at(c.i))
	c.located = true
}

// search is next for members in any order, with white space between.
func (s *scanner) search(c *cursor) bool {
	for {
		more := false
		switch c.before {
		case '{':
			more = s.open('{', '}')
		case ',':
			more = s.more('}')
		}
		if !more {
			c.before = 0
			return false
		}
		c.before = ','
		name := s.name()
		i := c.names.find(name)
		if i >= 0 && c.seen&(1<<i) == 0 {
			c.i = i
			c.seen |= 1 << i
			return true
		}
		if i >= 0 || c.names.fold(name) || c.others.has(name) {
			s.fail("a name that stands twice, or in another letter case: " + quote(name))
			continue
		}
		if c.others == nil {
			c.others = new(nameSet)
		}
		c.others.add(name)
		s.skip()
	}
}

// members reads an object of any names; visit must read the value of each.
func (s *scanner) members(visit func(name string)) {
	var seen nameSet
	for more := s.open('{', '}'); more; more = s.more('}') {
		name := s.name()
		if seen.has(name) {
			s.fail("a name that stands twice, or in another letter case: " + quote(name))
		}
		seen.add(name)
		visit(name)
	}
}

// names are the known names of an object, at most 64.
type names []name

// name is a name as it stands in canonical lines.
type name struct {
	key string // quoted, with the colon
	// head is the first eight bytes of key, or all; mask which of them.
	head, mask uint64
}

func namesOf(list ...string) names {
	keys := make(names, len(list))
	for i, text := range list {
		keys[i].key = `"` + text + `":`
		keys[i].head = word(keys[i].key + "\x00\x00\x00\x00\x00\x00\x00\x00")
		keys[i].mask = ^uint64(0) >> (8 * max(0, 8-len(keys[i].key)))
	}
	return keys
}

// at is the name numbered i.
func (n names) at(i int) string { return n[i].key[1 : len(n[i].key)-2] }

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
	if n == nil {
		return false
	}
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
	for ; len(s) >= 8; s = s[8:] {
		w := word(s)
		if (w-ones*' '|w+ones|w)&(ones*0x80) != 0 {
			break // one at a time
		}
	}
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
	if isCompact(line) {
		return append(dst, line...), nil
	}
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

// isCompact tells whether line has no white space outside of its strings, and all
// of these end. It goes from quote to quote.
func isCompact(line []byte) bool {
	for inText := false; ; inText = !inText {
		n := bytes.IndexByte(line, '"')
		if n < 0 {
			return !inText && !hasSpace(line)
		}
		if !inText && hasSpace(line[:n]) {
			return false
		}
		if inText && n > 0 && line[n-1] == '\\' {
			return false // it may be escaped; rare enough
		}
		line = line[n+1:]
	}
}

func hasSpace(s []byte) bool {
	for _, c := range s {
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			return true
		}
	}
	return false
}

// parts marks the bytes that end and begin a token by themselves.
var parts = [256]bool{'{': true, '}': true, '[': true, ']': true, ':': true, ',': true, '"': true}
