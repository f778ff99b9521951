package projections

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"roznamcha/domain"
)

// CaseNumbers keep the number and the register of every case, some 50 bytes a
// case.
type CaseNumbers struct {
	registers []caseRegister // by number
	numbered  map[caseRegister]uint32
	odd       values // the numbers that are not plain
	cases     map[domain.RecordID]caseNumber
}

// caseRegister is where a station numbers its cases: two agencies may each have
// a station Saddar, and their FIRs 97 are two cases. The station is as diaries
// write it by and large, for letter case and white space are not looked at; ""
// where none is named.
type caseRegister struct {
	diary   domain.Diary
	station string
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
	return &CaseNumbers{numbered: make(map[caseRegister]uint32), cases: make(map[domain.RecordID]caseNumber)}
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
	one := caseNumber{register: c.register(r.Name.Diary, data.Station)}
	if one.n, one.year, ok = plainNumber(data.Number); !ok {
		one.odd = c.odd.number(data.Number)
	}
	c.cases[r.Record] = one
}

// register is the number of a diary's station, which keeps the name that it was
// given first.
func (c *CaseNumbers) register(diary domain.Diary, station string) uint32 {
	if station = normalise(station); station == domain.NotGiven {
		station = ""
	}
	key := caseRegister{diary, folded(station)}
	n, ok := c.numbered[key]
	if !ok {
		n = uint32(len(c.registers))
		diary = domain.Diary{Agency: strings.Clone(diary.Agency), Unit: strings.Clone(diary.Unit)} // it is part of an entry
		c.registers = append(c.registers, caseRegister{diary, strings.Clone(station)})
		c.numbered[caseRegister{diary, strings.Clone(key.station)}] = n
	}
	return n
}

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

// NumberGaps are the case numbers that were asked about, by diary, station and
// year.
type NumberGaps struct {
	Asked
	Years []NumberYear `json:"years"`
	// Apart are the cases whose number is in no year's sequence, in the order
	// in which they came to count.
	Apart []NumberApart `json:"apart"`
}

// NumberYear is the numbers of one station of a diary in one year, all of them:
// also those of cases that were not asked about.
type NumberYear struct {
	Diary string `json:"diary"`
	// Station is as the first of its cases names it, "" for cases that name
	// none.
	Station string `json:"station,omitempty"`
	Year    int    `json:"year"`
	// Cases stand and have a plain number. First and Last are the least and the
	// largest number that a case has, retracted ones too.
	Cases int `json:"cases"`
	First int `json:"first"`
	Last  int `json:"last"`
	// Before are the numbers from 1 on that are missing before First, Missing
	// those between First and Last. Withdrawn are those that only a retracted
	// case has: they are in neither.
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

// Text is "3", or "3-5" with that dash.
func (r NumberRange) Text(dash string) string {
	if r.From == r.To {
		return strconv.Itoa(r.From)
	}
	return strconv.Itoa(r.From) + dash + strconv.Itoa(r.To)
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
	asked     bool // a case of it was asked about
}

// numbered is a number that the case of row has.
type numbered struct {
	n   uint32
	row uint32
}

// Gaps looks for the numbers of cases that are missing, by diary, station and
// year of registration, and for those that several cases have. A number is plain
// where it is digits, alone or with its year: 97, 97/2025 or 97/25. Numbers begin
// at 1 in each year. Of matched reports of one case, the numbers of all that
// stand are there, and none repeats another's. The period and the filters choose
// sequences: one with a case that is asked about, standing or retracted, is shown
// whole. c and reg must have read the same entries. Errors as in Query.
func (t *Totals) Gaps(q Query, c *CaseNumbers, reg *domain.Register) (*NumberGaps, error) {
	a, err := t.asked(q, []Column{{Measure: Cases}})
	if err != nil {
		return nil, err
	}
	out := &NumberGaps{Years: []NumberYear{}, Apart: []NumberApart{}}
	sequences := make(map[numberKey]*sequence)
	at := func(k numberKey, asked bool) *sequence {
		if sequences[k] == nil {
			sequences[k] = new(sequence)
		}
		sequences[k].asked = sequences[k].asked || asked
		return sequences[k]
	}
	t.standing(Cases, func(n uint32, r *row) {
		asked := a.about(r)
		for _, record := range t.reports(r.record) {
			version := t.rows.at(t.latest.get(record))
			one := c.cases[record]
			year, why := t.yearOf(&one, &version)
			if why == "" {
				s := at(numberKey{one.register, year}, asked)
				s.have = append(s.have, numbered{one.n, n})
			} else if asked && record == r.record {
				out.Apart = append(out.Apart, NumberApart{a.finding(n, r, reg), c.text(&one), why})
			}
		}
	})
	t.withdrawn(&a, c, reg, func(k numberKey, n uint32, asked bool) {
		s := at(k, asked)
		s.withdrawn = append(s.withdrawn, n)
	})
	for k, s := range sequences {
		if !s.asked {
			continue
		}
		y := s.year(func(row uint32) Finding { r := t.rows.at(row); return a.finding(row, &r, reg) })
		y.Diary, y.Station, y.Year = c.registers[k.register].diary.String(), c.registers[k.register].station, k.year
		out.Years = append(out.Years, y)
	}
	slices.SortFunc(out.Years, func(a, b NumberYear) int {
		return cmp.Or(cmp.Compare(a.Diary, b.Diary), cmp.Compare(a.Station, b.Station), cmp.Compare(a.Year, b.Year))
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

// standing hands over the rows of a measure that count.
func (t *Totals) standing(m Measure, visit func(n uint32, r *row)) {
	for n := range t.rows.len {
		r := t.rows.at(n)
		if r.closed == open && t.cells.all[r.cell].measure == m {
			visit(n, &r)
		}
	}
}

// withdrawn hands over the plain numbers of retracted cases, and whether they
// would be asked about if they stood.
func (t *Totals) withdrawn(a *Asked, c *CaseNumbers, reg *domain.Register, visit func(k numberKey, n uint32, asked bool)) {
	for record, one := range c.cases {
		if !reg.Record(record).Retracted {
			continue
		}
		version := t.rows.at(t.latest.get(record))
		if year, why := t.yearOf(&one, &version); why == "" {
			visit(numberKey{one.register, year}, one.n, a.bearing(&version) == isAsked) // what is withdrawn is not counted
		}
	}
}

// year is what the numbers of s come to; find tells of the case of a row.
func (s *sequence) year(find func(row uint32) Finding) NumberYear {
	slices.SortFunc(s.have, func(a, b numbered) int { return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(a.row, b.row)) })
	s.have = slices.Compact(s.have) // two reports of one case with one number
	y := NumberYear{Before: []NumberRange{}, Missing: []NumberRange{}, Withdrawn: []NumberRange{}, Repeated: []NumberRepeated{}}
	cases := make(map[uint32]bool)
	known := slices.Clone(s.withdrawn) // every number that a case has or had
	for i := 0; i < len(s.have); {
		j := i
		for ; j < len(s.have) && s.have[j].n == s.have[i].n; j++ {
			cases[s.have[j].row] = true
		}
		if j-i > 1 {
			y.Repeated = append(y.Repeated, repeated(s.have[i:j], find))
		}
		known = append(known, s.have[i].n)
		i = j
	}
	y.Cases = len(cases)
	slices.Sort(known)
	y.run(slices.Compact(known), s.stands)
	return y
}

// stands tells whether a case that stands has a number.
func (s *sequence) stands(n uint32) bool {
	_, ok := slices.BinarySearchFunc(s.have, n, func(one numbered, n uint32) int { return cmp.Compare(one.n, n) })
	return ok
}

func repeated(have []numbered, find func(row uint32) Finding) NumberRepeated {
	r := NumberRepeated{Number: int(have[0].n)}
	for _, one := range have {
		r.Cases = append(r.Cases, find(one.row))
	}
	return r
}

// run goes from number to number that is known, and enters what is missing
// between them and what is withdrawn.
func (y *NumberYear) run(known []uint32, stands func(uint32) bool) {
	y.First, y.Last = int(known[0]), int(known[len(known)-1])
	if y.First > 1 {
		y.Before = append(y.Before, NumberRange{1, y.First - 1})
	}
	next := y.First // the least number that was not looked at
	for _, n := range known {
		if int(n) > next {
			y.Missing = append(y.Missing, NumberRange{next, int(n) - 1})
		}
		if !stands(n) {
			y.Withdrawn = appendNumber(y.Withdrawn, int(n))
		}
		next = int(n) + 1
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
