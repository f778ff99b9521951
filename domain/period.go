package domain

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// Period is when something happened, as precisely as its source says and no
// more. Its text is a profile of ISO 8601-1:2019 and, for the open ends, of
// ISO 8601-2 (EDTF, level 1):
//
//	2025-06-03T22:10:00+05:00  an instant: RFC 3339 with seconds and offset or Z
//	2025-06-03                 a day
//	2025-06                    a month
//	2025                       a year
//	2024-01/2025-06            an interval of days, months or years, also mixed,
//	                           from the first day of its first to the last day
//	                           of its last unit
//	../2026-02-02              an interval with an open end, here or there
//	unknown                    the source does not know
//
// Years run from 0001 to 9999, seconds from 00 to 59, a fraction of a second
// has at most nine digits. The zero Period is one that is not given. Periods
// are equal (==) where their canonical texts are: 2025 and 2025-01/2025-12
// hold the same days and differ.
type Period struct {
	// first and last are the days, both included; of an instant both are its
	// day at its own offset.
	first, last Day
	// second and nanosecond are an instant's time of that day, and offset how
	// many minutes its clock is ahead of UTC, or zulu.
	second, nanosecond int32
	offset             int16
	// from is the shape of first, or of all of p where it is no interval, and
	// to that of last; shapeNone where p is no interval.
	from, to shape
}

// shape is what one end of a Period is.
type shape uint8

const (
	shapeNone shape = iota
	shapeUnknown
	shapeInstant
	shapeDay
	shapeMonth
	shapeYear
	shapeOpen
)

// zulu is the offset of an instant written with Z. It is the same as +00:00
// and kept apart only to be written as it was read.
const zulu = math.MinInt16

var errPeriodGrammar = errors.New(`want a day (2025-06-03), a month (2025-06), a year (2025), a time with its offset (2025-06-03T22:10:00+05:00), an interval (2024-01/2025-06, ../2026-02-02, 2026-02-02/..) or "unknown"`)

// ParsePeriod reads the text of a period, strictly: every digit in its place
// and only days that the calendar has. The result keeps no part of s.
func ParsePeriod(s string) (Period, error) {
	p, err := parsePeriod(s)
	if err != nil {
		return Period{}, fmt.Errorf("period %q: %w", clip(s), err)
	}
	return p, nil
}

func parsePeriod(s string) (Period, error) {
	if s == "unknown" {
		return Period{first: MinDay, last: MaxDay, from: shapeUnknown}, nil
	}
	if i := strings.IndexByte(s, '/'); i >= 0 {
		return parseInterval(s[:i], s[i+1:])
	}
	if len(s) > len(time.DateOnly) && s[len(time.DateOnly)] == 'T' {
		return parseInstant(s)
	}
	first, last, unit, err := parseUnit(s)
	return Period{first: first, last: last, from: unit}, err
}

func parseInterval(a, b string) (p Period, err error) {
	if a == ".." && b == ".." {
		return Period{}, errors.New(`both ends are open. Try: "unknown"`)
	}
	p = Period{first: MinDay, last: MaxDay, from: shapeOpen, to: shapeOpen}
	if a != ".." {
		if p.first, _, p.from, err = parseUnit(a); err != nil {
			return Period{}, intervalError(a, err)
		}
	}
	if b != ".." {
		if _, p.last, p.to, err = parseUnit(b); err != nil {
			return Period{}, intervalError(b, err)
		}
	}
	if p.first > p.last {
		return Period{}, errors.New("it ends before it begins")
	}
	return p, nil
}

// intervalError says what is wrong with one end of an interval.
func intervalError(end string, err error) error {
	switch {
	case err != errPeriodGrammar:
		return err
	case strings.Contains(end, "T"):
		return errors.New("an interval runs from day to day, without times. Try: 2025-06-03/2025-06-04")
	}
	return fmt.Errorf(`%q is neither a day, a month, a year nor ".."`, clip(end))
}

// parseUnit reads a day, a month or a year as its first and last day.
func parseUnit(s string) (first, last Day, unit shape, err error) {
	y, ok := parseDigits(s, 0, 4)
	if !ok {
		return 0, 0, shapeNone, errPeriodGrammar
	}
	m, d := 1, 1
	switch len(s) {
	case len("2006"):
		unit = shapeYear
	case len("2006-01"):
		m, ok = parseDigits(s, 5, 7)
		ok = ok && s[4] == '-'
		unit = shapeMonth
	case len("2006-01-02"):
		var ok1, ok2 bool
		m, ok1 = parseDigits(s, 5, 7)
		d, ok2 = parseDigits(s, 8, 10)
		ok = ok1 && ok2 && s[4] == '-' && s[7] == '-'
		unit = shapeDay
	default:
		ok = false
	}
	if !ok {
		return 0, 0, shapeNone, errPeriodGrammar
	}
	if err := checkDate(y, m, d); err != nil {
		return 0, 0, shapeNone, err
	}
	first = MakeDay(y, time.Month(m), d)
	switch unit {
	case shapeYear:
		last = MakeDay(y, 12, 31)
	case shapeMonth:
		last = MakeDay(y, time.Month(m)+1, 0)
	default:
		last = first
	}
	return first, last, unit, nil
}

// checkDate says what the calendar has against a date.
func checkDate(y, m, d int) error {
	switch {
	case y == 0:
		return errors.New("there is no year 0000")
	case m < 1 || m > 12:
		return fmt.Errorf("there is no month %02d", m)
	case d < 1:
		return errors.New("there is no day 00")
	case d <= 28:
		return nil
	}
	_, _, most := MakeDay(y, time.Month(m)+1, 0).Date()
	if d > most {
		return fmt.Errorf("%s %d has %d days", time.Month(m), y, most)
	}
	return nil
}

var errTimeGrammar = errors.New("want a time with seconds and its offset, such as 2025-06-03T22:10:00+05:00 or 2025-06-03T17:10:00Z")

// parseInstant reads a date-time of RFC 3339 in capital letters.
func parseInstant(s string) (Period, error) {
	const clock = len("2006-01-02T15:04:05")
	first, _, _, err := parseUnit(s[:len(time.DateOnly)])
	if err != nil {
		return Period{}, err
	}
	if len(s) < clock || s[13] != ':' || s[16] != ':' {
		return Period{}, errTimeGrammar
	}
	hour, ok1 := parseDigits(s, 11, 13)
	minute, ok2 := parseDigits(s, 14, 16)
	second, ok3 := parseDigits(s, 17, 19)
	if !ok1 || !ok2 || !ok3 {
		return Period{}, errTimeGrammar
	}
	if hour > 23 || minute > 59 || second > 59 {
		return Period{}, errors.New("a day's times run from 00:00:00 to 23:59:59")
	}
	nanosecond, rest, err := parseFraction(s[clock:])
	if err != nil {
		return Period{}, err
	}
	offset, err := parseOffset(rest)
	if err != nil {
		return Period{}, err
	}
	return Period{
		first:      first,
		last:       first,
		second:     int32(hour*3600 + minute*60 + second),
		nanosecond: nanosecond,
		offset:     offset,
		from:       shapeInstant,
	}, nil
}

// parseFraction reads what may stand before the offset, such as ".25", in
// nanoseconds.
func parseFraction(s string) (nanosecond int32, rest string, err error) {
	if s == "" || s[0] != '.' {
		return 0, s, nil
	}
	digits := 0
	for s = s[1:]; digits < len(s) && '0' <= s[digits] && s[digits] <= '9'; digits++ {
		if digits < 9 {
			nanosecond = nanosecond*10 + int32(s[digits]-'0')
		}
	}
	if digits == 0 {
		return 0, "", errTimeGrammar
	}
	if digits > 9 {
		return 0, "", errors.New("a second's fraction has at most nine digits")
	}
	for i := digits; i < 9; i++ {
		nanosecond *= 10
	}
	return nanosecond, s[digits:], nil
}

// parseOffset reads "Z" or "+05:00", in minutes.
func parseOffset(s string) (int16, error) {
	if s == "Z" {
		return zulu, nil
	}
	if len(s) != len("+05:00") || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return 0, errTimeGrammar
	}
	hours, ok1 := parseDigits(s, 1, 3)
	minutes, ok2 := parseDigits(s, 4, 6)
	if !ok1 || !ok2 {
		return 0, errTimeGrammar
	}
	if hours > 23 || minutes > 59 {
		return 0, errors.New("offsets run from -23:59 to +23:59")
	}
	minutes += 60 * hours
	if s[0] == '+' {
		return int16(minutes), nil
	}
	if minutes == 0 {
		return 0, errors.New("the offset -00:00 means that it is not known. Try: +00:00, Z, or the day alone")
	}
	return int16(-minutes), nil
}

// parseDigits reads s[i:j], which must be there and all digits.
func parseDigits(s string, i, j int) (n int, ok bool) {
	if len(s) < j {
		return 0, false
	}
	for ; i < j; i++ {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + int(c)
	}
	return n, true
}

// String is the canonical text of p, which ParsePeriod reads back as p: it
// differs from what was read in the trailing zeros of a fraction alone. A
// Period that is not given is "".
func (p Period) String() string { return string(p.appendTo(nil)) }

// appendTo appends the canonical text of p.
func (p Period) appendTo(dst []byte) []byte {
	switch p.from {
	case shapeNone:
		return dst
	case shapeUnknown:
		return append(dst, "unknown"...)
	case shapeInstant:
		return p.appendInstant(dst)
	}
	dst = appendUnit(dst, p.first, p.from)
	if p.to != shapeNone {
		dst = append(dst, '/')
		dst = appendUnit(dst, p.last, p.to)
	}
	return dst
}

// appendUnit appends the unit of the given precision that d lies in.
func appendUnit(dst []byte, d Day, unit shape) []byte {
	switch unit {
	case shapeOpen:
		return append(dst, ".."...)
	case shapeYear:
		return d.midnight().AppendFormat(dst, "2006")
	case shapeMonth:
		return d.midnight().AppendFormat(dst, "2006-01")
	}
	return d.midnight().AppendFormat(dst, time.DateOnly)
}

func (p Period) appendInstant(dst []byte) []byte {
	local := p.first.midnight().Add(time.Duration(p.second)*time.Second + time.Duration(p.nanosecond))
	dst = local.AppendFormat(dst, "2006-01-02T15:04:05.999999999")
	if p.offset == zulu {
		return append(dst, 'Z')
	}
	sign, minutes := byte('+'), p.offset
	if minutes < 0 {
		sign, minutes = '-', -minutes
	}
	h, m := byte(minutes/60), byte(minutes%60)
	return append(dst, sign, '0'+h/10, '0'+h%10, ':', '0'+m/10, '0'+m%10)
}

// IsZero tells whether p is not given. A Period that is unknown is given.
func (p Period) IsZero() bool { return p == Period{} }

// IsUnknown tells whether p says that its source does not know.
func (p Period) IsUnknown() bool { return p.from == shapeUnknown }

// IsInterval tells whether p is written as an interval, with an open end or
// without.
func (p Period) IsInterval() bool { return p.to != shapeNone }

// Days is the first and the last day of p, both included. An instant has the
// day that it has in zone, which nothing else needs. An open end is MinDay or
// MaxDay; unknown, or not given, is both.
func (p Period) Days(zone *time.Location) (from, to Day) {
	switch p.from {
	case shapeNone:
		return MinDay, MaxDay
	case shapeInstant:
		d := DayOf(p.instant(), zone)
		return d, d
	}
	return p.first, p.last
}

// instant is the moment that p names.
func (p Period) instant() time.Time {
	seconds := int64(p.first)*secondsPerDay + int64(p.second)
	if p.offset != zulu {
		seconds -= 60 * int64(p.offset)
	}
	return time.Unix(seconds, int64(p.nanosecond))
}
