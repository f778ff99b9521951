package domain

import "strings"

// latest is what was read last of what most lines repeat: the same diary
// writes, often of the same day and place. Its texts are copies, and what it
// gives out is the line's own, so that no line is held for the sake of another.
type latest struct {
	source     []byte // the text of a sound source
	period     Period
	periodText []byte
	place      []byte // a place as a whole, compact and ASCII
	country    Country
	parts      [3]part // of place: subdivision, city, site
}

// part is where a text stands in a longer one.
type part struct{ from, to int }

// readSource is ParseDiary.
func (l *latest) readSource(s string) (Diary, error) {
	if s != "" && s == string(l.source) {
		agency, unit, _ := strings.Cut(s[1:], "/")
		return Diary{agency, unit}, nil
	}
	d, err := ParseDiary(s)
	if err == nil {
		l.source = append(l.source[:0], s...)
	}
	return d, err
}

// readPeriod is ParsePeriod.
func (l *latest) readPeriod(s string) (Period, error) {
	if s != "" && s == string(l.periodText) {
		return l.period, nil
	}
	p, err := ParsePeriod(s)
	if err == nil {
		l.period, l.periodText = p, append(l.periodText[:0], s...)
	}
	return p, err
}

// readPlace reads a place that is the same as the last; false, and nothing is
// read, where the line does not go on with that.
func (d *decoder) readPlace(v *Location) bool {
	l, rest := &d.latest, d.s[d.at:]
	n := len(l.place)
	if n == 0 || len(rest) < n || rest[:n] != string(l.place) {
		return false
	}
	v.Country = l.country
	for i, text := range v.texts() {
		*text = rest[l.parts[i].from:l.parts[i].to]
	}
	d.at += n
	return true
}

// keepPlace keeps the place v, which was read from start on with its texts at
// parts, for readPlace, if all that was read is sound and plain.
func (d *decoder) keepPlace(v *Location, start int, parts [3]part, c *cursor) {
	if d.err == nil && d.bad == nil && c.others == nil && !d.spaced && !d.rich {
		d.latest.place = append(d.latest.place[:0], d.s[start:d.at]...)
		d.latest.country, d.latest.parts = v.Country, parts
	}
}

// texts are the texts of l in canonical order.
func (l *Location) texts() [3]*string { return [...]*string{&l.Subdivision, &l.City, &l.Site} }
