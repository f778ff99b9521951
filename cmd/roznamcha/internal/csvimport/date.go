package csvimport

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"roznamcha/domain"
)

// datePattern is how a file writes its dates: DD/MM/YYYY, YYYY-MM-DD hh:mm.
//
//	YYYY YY    year; two digits need a pivot
//	MM M       month, with two digits or as many as it needs
//	MMMM MMM   English name of the month, in full or its first three letters
//	DD D       day
//	hh h       hour of 24, or of 12 where the pattern has an a
//	mm ss      minute, second
//	a          AM or PM
//	Z          offset: Z, +05:00 or +0500
//	'text'     that text; all other signs stand for themselves
//
// What the pattern does not have, the period does not have: MM/YYYY gives a
// month. A pattern with an hour gives an instant.
type datePattern struct {
	text   string
	tokens []dateToken
}

type dateToken struct {
	letter byte // one of YMDhmsaZ; 0 for literal text
	width  int
	text   string
}

var dateWidths = map[byte][]int{'Y': {2, 4}, 'M': {1, 2, 3, 4}, 'D': {1, 2}, 'h': {1, 2}, 'm': {2}, 's': {2}, 'a': {1}, 'Z': {1}}

// parseDatePattern reads a pattern and checks that its parts make a date.
func parseDatePattern(s string) (datePattern, error) {
	p := datePattern{text: s}
	has := map[byte]bool{}
	for i := 0; i < len(s); {
		c := s[i]
		if c == '\'' {
			end := strings.IndexByte(s[i+1:], '\'')
			if end < 0 {
				return p, errors.New("a quoted text without its end")
			}
			p.tokens = append(p.tokens, dateToken{text: s[i+1 : i+1+end]})
			i += end + 2
			continue
		}
		widths := dateWidths[c]
		if widths == nil {
			p.tokens = append(p.tokens, dateToken{text: s[i : i+1]})
			i++
			continue
		}
		n := 1
		for i+n < len(s) && s[i+n] == c {
			n++
		}
		if !slices.Contains(widths, n) || has[c] {
			return p, fmt.Errorf("%q is not understood. Try: YYYY-MM-DD, DD/MM/YYYY, D MMM YYYY, YYYY-MM-DD hh:mm:ss", s[i:i+n])
		}
		has[c] = true
		p.tokens = append(p.tokens, dateToken{letter: c, width: n})
		i += n
	}
	return p, checkDateParts(has)
}

func checkDateParts(has map[byte]bool) error {
	switch {
	case !has['Y']:
		return errors.New("a date has a year: YYYY or YY")
	case has['D'] && !has['M']:
		return errors.New("a day without its month")
	case has['h'] != has['m'] || has['s'] && !has['h'] || has['a'] && !has['h'] || has['Z'] && !has['h']:
		return errors.New("a time has at least hh:mm")
	case has['h'] && !has['D']:
		return errors.New("a time without its day")
	}
	return nil
}

// has tells whether the pattern has a part of this letter.
func (p *datePattern) has(letter byte, width int) bool {
	for _, t := range p.tokens {
		if t.letter == letter && (width == 0 || t.width == width) {
			return true
		}
	}
	return false
}

// date is what a pattern found in a text.
type date struct {
	year, month, day, hour, minute, second int
	pm                                     int // 1 AM, 2 PM
	offset                                 string
}

// dates is how the dates of one value are read.
type dates struct {
	patterns []datePattern
	// pivot is the first of the hundred years that YY can mean.
	pivot int
	// zone is where the clock stands of which the times are, if they have no
	// offset.
	zone *time.Location
}

// period is the date s in the ledger's grammar. The first pattern by which it is
// a day that the calendar has counts.
func (d *dates) period(s string) (string, error) {
	var unreal error
	for i := range d.patterns {
		p := &d.patterns[i]
		found, ok := p.scan(s)
		if !ok {
			continue
		}
		text, err := d.format(p, found)
		if err == nil {
			_, err = domain.ParsePeriod(text)
		}
		if err == nil {
			return text, nil
		}
		if unreal == nil {
			unreal = err
		}
	}
	if unreal != nil {
		return "", unreal
	}
	want := make([]string, len(d.patterns))
	for i, p := range d.patterns {
		want[i] = p.text
	}
	return "", fmt.Errorf("no date like %s", strings.Join(want, " or "))
}

// scan reads s by the pattern; false where it does not fit.
func (p *datePattern) scan(s string) (d date, ok bool) {
	for _, t := range p.tokens {
		switch {
		case t.letter == 0:
			if !strings.HasPrefix(s, t.text) {
				return d, false
			}
			s = s[len(t.text):]
		case t.letter == 'M' && t.width >= 3:
			if d.month, s = scanMonth(s, t.width); d.month == 0 {
				return d, false
			}
		case t.letter == 'a':
			if len(s) < 2 {
				return d, false
			}
			switch strings.ToUpper(s[:2]) {
			case "AM":
				d.pm = 1
			case "PM":
				d.pm = 2
			default:
				return d, false
			}
			s = s[2:]
		case t.letter == 'Z':
			if d.offset, s = scanOffset(s); d.offset == "" {
				return d, false
			}
		default:
			var n int
			if n, s, ok = scanNumber(s, t.width); !ok {
				return d, false
			}
			switch t.letter {
			case 'Y':
				d.year = n
			case 'M':
				d.month = n
			case 'D':
				d.day = n
			case 'h':
				d.hour = n
			case 'm':
				d.minute = n
			case 's':
				d.second = n
			}
		}
	}
	return d, s == ""
}

// scanNumber reads width digits; a width of 1 means one or two.
func scanNumber(s string, width int) (n int, rest string, ok bool) {
	digits := 0
	for digits < len(s) && digits < max(width, 2) && '0' <= s[digits] && s[digits] <= '9' {
		n = n*10 + int(s[digits]-'0')
		digits++
	}
	return n, s[digits:], digits == width || width == 1 && digits == 2
}

func scanMonth(s string, width int) (month int, rest string) {
	for m := time.January; m <= time.December; m++ {
		name := m.String()
		if width == 3 {
			name = name[:3]
		}
		if len(s) >= len(name) && strings.EqualFold(s[:len(name)], name) {
			return int(m), s[len(name):]
		}
	}
	return 0, s
}

// scanOffset reads Z, +05:00 or +0500 as the ledger writes it.
func scanOffset(s string) (offset, rest string) {
	switch {
	case strings.HasPrefix(s, "Z"):
		return "Z", s[1:]
	case len(s) >= 6 && s[3] == ':':
		return s[:6], s[6:]
	case len(s) >= 5:
		return s[:3] + ":" + s[3:5], s[5:]
	}
	return "", s
}

// format writes what p found in the ledger's grammar.
func (d *dates) format(p *datePattern, found date) (string, error) {
	if p.has('Y', 2) {
		year := d.pivot - d.pivot%100 + found.year
		if year < d.pivot {
			year += 100
		}
		found.year = year
	}
	text := padded(found.year, 4)
	if p.has('M', 0) {
		text += "-" + padded(found.month, 2)
	}
	if p.has('D', 0) {
		text += "-" + padded(found.day, 2)
	}
	if !p.has('h', 0) {
		return text, nil
	}
	if found.pm != 0 {
		if found.hour < 1 || found.hour > 12 {
			return "", errors.New("an hour of AM and PM is 1 to 12")
		}
		found.hour = found.hour%12 + 12*(found.pm-1)
	}
	text += "T" + padded(found.hour, 2) + ":" + padded(found.minute, 2) + ":" + padded(found.second, 2)
	if found.offset != "" {
		return text + found.offset, nil
	}
	return d.withOffset(text)
}

// withOffset adds the offset that the zone's clock has at that time.
func (d *dates) withOffset(text string) (string, error) {
	const clock = "2006-01-02T15:04:05"
	wall, err := time.Parse(clock, text)
	if err != nil {
		return text + "Z", nil // no such time; the period's grammar says why
	}
	// The two offsets that can be meant are those well before and well after.
	var times []string
	for _, around := range [...]time.Duration{-26 * time.Hour, 26 * time.Hour} {
		_, seconds := wall.Add(around).In(d.zone).Zone()
		t := wall.Add(-time.Duration(seconds) * time.Second).In(d.zone)
		if s := t.Format("2006-01-02T15:04:05Z07:00"); strings.HasPrefix(s, text) && !(len(times) == 1 && times[0] == s) {
			times = append(times, s)
		}
	}
	switch len(times) {
	case 0:
		return "", fmt.Errorf("the clock of %s skips this time", d.zone)
	case 1:
		return times[0], nil
	}
	return "", fmt.Errorf("the clock of %s shows this time twice that day. Try: a column with the offset, or the day alone", d.zone)
}

func padded(n, width int) string {
	s := strconv.Itoa(n)
	return strings.Repeat("0", max(width-len(s), 0)) + s
}
