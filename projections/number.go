package projections

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"roznamcha/domain"
)

// CaseNumbers keep the number and the station of every case, some 50 bytes a
// case.
type CaseNumbers struct {
	registers values // the stations, and the diaries of cases that name none
	odd       values // the numbers that are not plain
	cases     map[domain.RecordID]caseNumber
}

// caseNumber is what one case says of its number.
type caseNumber struct {
	register uint32
	// n is the number, 0 where it is not plain; odd is its text then, 0 where
	// there is none.
	n, odd uint32
	// year is the number's own: -1 for none, 0 to 99 where it has two digits.
	year int16
}

// NewCaseNumbers are the numbers of no case.
func NewCaseNumbers() *CaseNumbers {
	return &CaseNumbers{cases: make(map[domain.RecordID]caseNumber)}
}

// Apply folds one ruling in.
func (c *CaseNumbers) Apply(r *domain.Ruled) {
	if r.Verdict != domain.Accepted {
		return
	}
	data, ok := r.Fact.(*domain.CaseRegistered)
	if !ok {
		return
	}
	one := caseNumber{register: c.registers.number(data.Station)}
	if one.register == 0 {
		one.register = c.registers.number(r.Name.Diary.String())
	}
	if one.n, one.year, ok = plainNumber(data.Number); !ok {
		one.odd = c.odd.number(data.Number)
	}
	c.cases[r.Record] = one
}

// maxNumber is the largest number that is plain: a nine-digit FIR is a mistake.
const maxNumber = 999_999_999

// plainNumber reads "97", "97/2025" or "97/25"; year is -1 where none is
// written.
func plainNumber(s string) (n uint32, year int16, ok bool) {
	digits, after, slash := strings.Cut(strings.TrimSpace(s), "/")
	n, ok = parseDigits(digits, 9)
	if !ok || n == 0 {
		return 0, 0, false
	}
	if !slash {
		return n, -1, true
	}
	y, ok := parseDigits(after, 4)
	if !ok || len(after) != 2 && len(after) != 4 {
		return 0, 0, false
	}
	return n, int16(y), true
}

// parseDigits reads a number of decimal digits alone, at most so many.
func parseDigits(s string, most int) (uint32, bool) {
	if s == "" || len(s) > most || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil
}

// is tells whether a number's own year is that year; one without is of any.
func (c *caseNumber) is(year int) bool {
	switch {
	case c.year < 0:
		return true
	case c.year < 100:
		return int(c.year) == year%100
	}
	return int(c.year) == year
}

// NumberGaps are the case numbers that were asked about, by station and year.
type NumberGaps struct {
	Asked
	Years []NumberYear `json:"years"`
	// Apart are the cases whose number is in no year's sequence, in the order
	// in which they came to count.
	Apart []NumberApart `json:"apart"`
}

// NumberYear is the numbers of one station in one year.
type NumberYear struct {
	// Station is as cases name it; the diary, such as "/nccia/karachi", of
	// those that name none.
	Station string `json:"station"`
	Year    int    `json:"year"`
	// Cases have a plain number; First and Last are the least and the largest.
	Cases int `json:"cases"`
	First int `json:"first"`
	Last  int `json:"last"`
	// Before are the numbers from 1 on that are missing before First, Missing
	// those between First and Last. Withdrawn are those between 1 and Last that
	// only a retracted case has: they are in neither.
	Before    []NumberRange `json:"missing_before_first"`
	Missing   []NumberRange `json:"missing"`
	Withdrawn []NumberRange `json:"withdrawn"`
	// Repeated are the numbers of more than one case.
	Repeated []NumberRepeated `json:"repeated"`
}

// NumberRange is the numbers From to To, both included.
type NumberRange struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// String is "3" or "3–5".
func (r NumberRange) String() string {
	if r.From == r.To {
		return strconv.Itoa(r.From)
	}
	return strconv.Itoa(r.From) + "–" + strconv.Itoa(r.To)
}

// NumberRepeated is a number that several cases have.
type NumberRepeated struct {
	Number int       `json:"number"`
	Cases  []Finding `json:"cases"`
}

// NumberApart is a case in no year's sequence.
type NumberApart struct {
	Finding
	Number string `json:"number,omitempty"`
	// Why is "no number", "not plain", "no one year" (of registration) or "of
	// another year" (than that of registration).
	Why string `json:"why"`
}

// Complete tells whether every number was found once.
func (y *NumberYear) Complete() bool {
	return len(y.Before) == 0 && len(y.Missing) == 0 && len(y.Repeated) == 0
}

// numberKey is the sequence that a number belongs to.
type numberKey struct {
	register uint32
	year     int
}

// sequence is the numbers of a numberKey.
type sequence struct {
	have      []numbered
	withdrawn []uint32
}

// numbered is a number that the case of row has.
type numbered struct {
	n   uint32
	row uint32
}

// Gaps looks for the numbers of cases that are missing, by station and year of
// registration, and for those that several cases have. A number is plain where
// it is digits, alone or with its year: 97, 97/2025 or 97/25. Numbers begin at 1
// in each year. Of matched reports of one case, the numbers of all that stand
// are there, and none repeats another's. What the period and filters leave out
// is missing. c and reg must have read the same entries. Errors as in Query.
func (t *Totals) Gaps(q Query, c *CaseNumbers, reg *domain.Register) (*NumberGaps, error) {
	a, err := t.asked(q, []Column{{Measure: Cases}})
	if err != nil {
		return nil, err
	}
	out := &NumberGaps{Years: []NumberYear{}, Apart: []NumberApart{}}
	sequences := make(map[numberKey]*sequence)
	at := func(k numberKey) *sequence {
		if sequences[k] == nil {
			sequences[k] = new(sequence)
		}
		return sequences[k]
	}
	a.each(func(n uint32, r *row) {
		for _, record := range t.reports(r) {
			version := t.rows.at(t.latest.get(record))
			one := c.cases[record]
			year, why := t.yearOf(&one, &version)
			if why == "" {
				s := at(numberKey{one.register, year})
				s.have = append(s.have, numbered{one.n, n})
			} else if record == r.record {
				out.Apart = append(out.Apart, NumberApart{a.finding(n, r, reg), c.text(&one), why})
			}
		}
	})
	t.withdrawn(&a, c, reg, func(k numberKey, n uint32) {
		if s := sequences[k]; s != nil {
			s.withdrawn = append(s.withdrawn, n)
		}
	})
	for k, s := range sequences {
		y := s.year(func(row uint32) Finding { r := t.rows.at(row); return a.finding(row, &r, reg) })
		y.Station, y.Year = c.registers.texts[k.register], k.year
		out.Years = append(out.Years, y)
	}
	slices.SortFunc(out.Years, func(a, b NumberYear) int {
		return cmp.Or(cmp.Compare(a.Station, b.Station), cmp.Compare(a.Year, b.Year))
	})
	out.Asked = a
	return out, nil
}

// text is a number as it is written, but for the zeros before it.
func (c *CaseNumbers) text(one *caseNumber) string {
	switch {
	case one.n == 0 && one.odd == 0:
		return ""
	case one.n == 0:
		return c.odd.texts[one.odd]
	case one.year < 0:
		return strconv.Itoa(int(one.n))
	case one.year < 100:
		return strconv.Itoa(int(one.n)) + "/" + strconv.Itoa(100 + int(one.year))[1:]
	}
	return strconv.Itoa(int(one.n)) + "/" + strconv.Itoa(int(one.year))
}

// yearOf is the year in which a number counts, or why it counts in none.
func (t *Totals) yearOf(one *caseNumber, version *row) (year int, why string) {
	s := t.spans.all[version.occurred] // of a case, its registration
	switch {
	case one.n == 0 && one.odd == 0:
		return 0, "no number"
	case one.n == 0:
		return 0, "not plain"
	case s.from == domain.MinDay || s.to == domain.MaxDay:
		return 0, "no one year"
	}
	year, _, _ = s.from.Date()
	last, _, _ := s.to.Date()
	switch {
	case year != last:
		return 0, "no one year"
	case !one.is(year):
		return 0, "of another year"
	}
	return year, ""
}

// withdrawn hands over the plain numbers of retracted cases that would be asked
// about if they stood.
func (t *Totals) withdrawn(a *Asked, c *CaseNumbers, reg *domain.Register, visit func(numberKey, uint32)) {
	passed := *a // what is withdrawn is not counted
	for record, one := range c.cases {
		version := t.rows.at(t.latest.get(record))
		if version.closed == open || !reg.Record(record).Retracted || !passed.about(&version) {
			continue
		}
		if year, why := t.yearOf(&one, &version); why == "" {
			visit(numberKey{one.register, year}, one.n)
		}
	}
}

// year is what the numbers of s come to; find tells of the case of a row.
func (s *sequence) year(find func(row uint32) Finding) NumberYear {
	slices.SortFunc(s.have, func(a, b numbered) int { return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(a.row, b.row)) })
	s.have = slices.Compact(s.have) // two reports of one case with one number
	slices.Sort(s.withdrawn)
	s.withdrawn = slices.Compact(s.withdrawn)
	first, last := s.have[0].n, s.have[len(s.have)-1].n
	y := NumberYear{
		First: int(first), Last: int(last),
		Before: []NumberRange{}, Missing: []NumberRange{}, Withdrawn: []NumberRange{}, Repeated: []NumberRepeated{},
	}
	cases := make(map[uint32]bool)
	for i := 0; i < len(s.have); {
		j := i
		for ; j < len(s.have) && s.have[j].n == s.have[i].n; j++ {
			cases[s.have[j].row] = true
		}
		if j-i > 1 {
			y.Repeated = append(y.Repeated, repeated(s.have[i:j], find))
		}
		i = j
	}
	y.Cases = len(cases)
	s.missing(&y)
	return y
}

func repeated(have []numbered, find func(row uint32) Finding) NumberRepeated {
	r := NumberRepeated{Number: int(have[0].n)}
	for _, one := range have {
		r.Cases = append(r.Cases, find(one.row))
	}
	return r
}

// missing goes from number to number that is there or withdrawn.
func (s *sequence) missing(y *NumberYear) {
	withdrawn := s.withdrawn
	next := 1 // the least number that was not looked at
	for _, one := range s.have {
		n := int(one.n)
		for len(withdrawn) > 0 && int(withdrawn[0]) <= n {
			if w := int(withdrawn[0]); w < n {
				y.lack(next, w-1)
				y.Withdrawn = appendNumber(y.Withdrawn, w)
				next = w + 1
			}
			withdrawn = withdrawn[1:]
		}
		y.lack(next, n-1)
		next = max(next, n+1)
	}
}

// lack enters the numbers from to to as missing.
func (y *NumberYear) lack(from, to int) {
	switch {
	case from > to:
	case to < y.First:
		y.Before = append(y.Before, NumberRange{from, to})
	default:
		y.Missing = append(y.Missing, NumberRange{from, to})
	}
}

// appendNumber makes the last range longer where n is the next after it.
func appendNumber(ranges []NumberRange, n int) []NumberRange {
	if last := len(ranges) - 1; last >= 0 && ranges[last].To == n-1 {
		ranges[last].To = n
		return ranges
	}
	return append(ranges, NumberRange{n, n})
}
