package projections

import (
	"fmt"
	"slices"
	"sort"

	"roznamcha/domain"
)

// want is a question, as known at an entry.
type want struct {
	question
	entry uint64
}

// maxMoments is how many wants one scan takes at most, to bound its memory.
const maxMoments = 1024

// ask answers every want, in their order, with one scan over the facts for each
// maxColumns different questions of a clock.
func (t *Totals) ask(wants []want) []evidence {
	out := make([]evidence, len(wants))
	for _, clock := range []Clock{Occurred, Reported} {
		var rest []int // the numbers of the wants of clock
		for i := range wants {
			if wants[i].clock == clock {
				rest = append(rest, i)
			}
		}
		for len(rest) > 0 {
			s := &survey{totals: t, clock: clock, numbers: make(map[string]int)}
			n := 0
			for n < len(rest) && s.take(&wants[rest[n]]) {
				n++
			}
			s.answer()
			for _, i := range rest[:n] {
				out[i] = *s.find(&wants[i])
			}
			rest = rest[n:]
		}
	}
	return out
}

// take makes ready for w; false where one scan cannot answer it too.
func (s *survey) take(w *want) bool {
	if len(s.before) == maxMoments {
		return false
	}
	key, before := s.key(w), s.totals.placeAfter(w.entry)
	if _, ok := s.numbers[key]; !ok {
		if len(s.asked) == maxColumns {
			return false
		}
		s.numbers[key] = len(s.asked)
		s.asked = append(s.asked, asked{question: w.question, times: w.times(), under: before})
	}
	s.before = append(s.before, before)
	return true
}

// find is the answer to w, which was taken.
func (s *survey) find(w *want) *evidence {
	at, _ := slices.BinarySearch(s.before, s.totals.placeAfter(w.entry))
	return &s.asked[s.numbers[s.key(w)]].answers[at]
}

// key tells w from wants that one question cannot answer at several moments.
func (s *survey) key(w *want) string {
	if w.follows() {
		return w.question.key() + fmt.Sprint(" ", w.entry)
	}
	return w.question.key()
}

// placeAfter is the place after the last that was known at an entry.
func (t *Totals) placeAfter(entry uint64) domain.Place {
	if entry >= t.last {
		return open
	}
	return domain.Position{Entry: entry + 1, Line: 1}.Place()
}

// survey answers many questions, each as known at several moments, with one scan
// over the facts: a table is of one period and one moment, claims are of many.
type survey struct {
	totals *Totals
	clock  Clock
	// before are the places after the moments asked about, in order.
	before []domain.Place
	asked  []asked // at most maxColumns: a bit each
	// numbers are those of asked, by key.
	numbers map[string]int

	// cells and spans are classed as in a plan; partly stands among what spans
	// lack.
	cells, spans classes
	stride       uint64

	// open are 1 + the numbers of the pairs whose facts still count, at
	// cells × stride + spans; nil where those would be too many. closing are the
	// numbers of all others. pairs and sums are by number.
	open    []uint32
	closing map[surveyPair]uint32
	pairs   []surveyPair
	sums    []gauge
}

// asked is a question and its answer at each moment.
type asked struct {
	question
	times []timeFilter
	// under is the place up to which successions are looked at.
	under   domain.Place
	answers []evidence
	// lasting is what has come to count so far and counts at all moments to come.
	lasting evidence
}

// evidence is what the ledger says: the facts that stand in the sum, those that
// may because they lie only partly in the period or have no date, and those that
// may because they lack some dimensions, or leave them open.
type evidence struct {
	stand, unplaced, lacking gauge
	lacks                    dimensions
	// inUnit tells that some of them are in the currency asked about; otherUnits
	// are the currencies, in order, of facts that would be among them but for it.
	inUnit     bool
	otherUnits []string
}

// Among the dimensions that a fact lacks, partly is a place in the period, and
// inOtherUnit the currency that it has, in place of the one asked about.
const (
	partly      dimensions = 1 << 31
	inOtherUnit dimensions = 1 << 30
)

// allDimensions are all that there are.
const allDimensions = dimensions(1<<endOfDimensions - 1)

// unsureOf tells, among the dimensions that a fact lacks, those of s that it has
// with a value that leaves open which it is.
func unsureOf(s dimensions) dimensions {
	return (s & (1<<Nationality | 1<<Class | 1<<Sex)) << endOfStored
}

// surveyPair is a class of cells with one of spans, and the moment from which
// on the facts count no more.
type surveyPair struct{ cells, spans, until uint32 }

// answer makes the scan.
func (s *survey) answer() {
	slices.Sort(s.before)
	s.before = slices.Compact(s.before)
	for i := range s.asked {
		s.asked[i].answers = make([]evidence, len(s.before))
	}
	s.classifyCells()
	s.classifySpans()
	s.stride = uint64(len(s.spans.all))
	if n := uint64(len(s.cells.all)) * s.stride; n <= maxDense {
		s.open = make([]uint32, n)
	}
	s.closing = make(map[surveyPair]uint32)
	done := uint32(0)
	for from, before := range s.before {
		rows := s.totals.rows.before(before)
		for done < rows {
			b, at := s.totals.rows.blocks[done>>blockBits], done&(blockRows-1)
			n := min(rows-done, blockRows-at)
			s.block(b, int(at), int(at+n), from)
			done += n
		}
		s.settle(from)
	}
}

// block adds up the rows of b from one number to before another, which count
// from a moment on.
func (s *survey) block(b *block, i, end, from int) {
	when := &b.occurred
	if s.clock == Reported {
		when = &b.reported
	}
	cellClass, spanClass, last := s.cells.of, s.spans.of, uint32(len(s.before))
	for ; i < end; i++ {
		cells, spans := cellClass[b.cell[i]], spanClass[when[i]]
		if cells == 0 || spans == 0 {
			continue
		}
		until := last
		if b.closed != nil && b.closed[i] != open {
			closed := b.closed[i]
			until = uint32(sort.Search(len(s.before), func(m int) bool { return s.before[m] > closed }))
			if int(until) <= from {
				continue
			}
		}
		var number uint32
		if until == last && s.open != nil {
			if number = s.open[uint64(cells)*s.stride+uint64(spans)]; number == 0 {
				number = s.pair(surveyPair{cells, spans, until})
				s.open[uint64(cells)*s.stride+uint64(spans)] = number
			}
		} else if number = s.closing[surveyPair{cells, spans, until}]; number == 0 {
			number = s.pair(surveyPair{cells, spans, until})
			s.closing[surveyPair{cells, spans, until}] = number
		}
		s.sums[number-1].add(b.quantity[i], b.qualifier[i])
	}
}

// pair is 1 + the number of a new pair.
func (s *survey) pair(p surveyPair) uint32 {
	s.pairs = append(s.pairs, p)
	s.sums = append(s.sums, gauge{})
	return uint32(len(s.pairs))
}

// settle adds what came to count since the moment before to the answers at every
// moment at which it counts, and forgets it.
func (s *survey) settle(from int) {
	for n, p := range s.pairs {
		cells, spans := &s.cells.all[p.cells], &s.spans.all[p.spans]
		for i := range s.asked {
			if cells.columns&spans.columns&(1<<i) == 0 {
				continue
			}
			one, lacks := &s.asked[i], cells.lack(i)|spans.lack(i)
			currency := s.currency(cells)
			if int(p.until) == len(s.before) {
				one.lasting.add(&s.sums[n], lacks, currency)
				continue
			}
			for at := from; at < int(p.until); at++ {
				one.answers[at].add(&s.sums[n], lacks, currency)
			}
		}
		if s.open != nil {
			s.open[uint64(p.cells)*s.stride+uint64(p.spans)] = 0
		}
	}
	for i := range s.asked {
		s.asked[i].answers[from].join(&s.asked[i].lasting)
	}
	clear(s.closing)
	s.pairs, s.sums = s.pairs[:0], s.sums[:0]
}

// currency is that of the facts of a class of cells; "" for none.
func (s *survey) currency(k *class) string {
	if k.currency == 0 {
		return ""
	}
	return s.totals.cells.values[Currency].texts[k.currency]
}

// join adds all the facts of b.
func (e *evidence) join(b *evidence) {
	e.stand.merge(&b.stand)
	e.unplaced.merge(&b.unplaced)
	e.lacking.merge(&b.lacking)
	e.lacks |= b.lacks
	e.inUnit = e.inUnit || b.inUnit
	for _, currency := range b.otherUnits {
		e.addOther(currency)
	}
}

// add adds facts that lack some dimensions, in a currency if they have one.
func (e *evidence) add(g *gauge, lacks dimensions, currency string) {
	if lacks&inOtherUnit != 0 {
		e.addOther(currency)
		return
	}
	e.inUnit = e.inUnit || currency != ""
	switch {
	case lacks == 0:
		e.stand.merge(g)
	case lacks == partly:
		e.unplaced.merge(g)
	case g.adds():
		e.lacking.merge(g)
		e.lacks |= lacks &^ partly
	}
}

// addOther notes another currency.
func (e *evidence) addOther(currency string) {
	if at, ok := slices.BinarySearch(e.otherUnits, currency); !ok {
		e.otherUnits = slices.Insert(e.otherUnits, at, currency)
	}
}

// classifyCells finds of each cell in which sums its facts may stand.
func (s *survey) classifyCells() {
	c := s.totals.cells
	byMeasure := [endOfMeasures][]int{}
	tests := make([][]test, len(s.asked))
	for i := range s.asked {
		one := &s.asked[i]
		p := &plan{totals: s.totals, next: s.totals.successions.at(one.under)}
		tests[i], _ = p.tests(one.filters)
		for j := range tests[i] {
			tests[i][j].unsure = s.unsure(tests[i][j].Filter)
		}
		byMeasure[one.measure] = append(byMeasure[one.measure], i)
	}
	s.cells.reset(len(c.all))
	for n := range c.all {
		var k class
		for _, i := range byMeasure[c.all[n].measure] {
			if lacks, ok := pass(c, uint32(n), tests[i]); ok {
				k.stand(i, lacks|s.unitOf(uint32(n), s.asked[i].currency), len(s.asked))
			}
		}
		if c.all[n].measure.IsAmount() {
			k.currency = c.all[n].values[Currency]
		}
		if k.columns != 0 {
			s.cells.set(uint32(n), k)
		}
	}
}

// unitOf tells whether the facts of a cell lack a currency, or have another.
func (s *survey) unitOf(cell uint32, asked domain.Currency) dimensions {
	of := &s.totals.cells.all[cell]
	switch number := of.values[Currency]; {
	case !of.measure.IsAmount():
		return 0
	case number == 0:
		return 1 << Currency
	case s.totals.cells.values[Currency].texts[number] != string(asked):
		return inOtherUnit
	}
	return 0
}

// unsure tells of each value, by number, whether it leaves open that a fact
// passes f: who is of unknown nationality, class or sex may be of any, and who is
// foreign of any nationality but that of the home country. It is nil where none
// does. What f names is no such value.
func (s *survey) unsure(f Filter) (unsure []bool) {
	if unsureOf(1<<f.Dimension) == 0 {
		return nil
	}
	const unknown, foreign = string(domain.UnknownNationality), string(domain.ForeignNationality) // unknown is a class and a sex, too
	for _, text := range s.totals.cells.values[f.Dimension].texts {
		unsure = append(unsure, slices.ContainsFunc(f.Values, func(want string) bool {
			switch {
			case f.Dimension.isNone(want), want == unknown:
				return false
			case f.Dimension == Nationality && text == foreign:
				return want != string(s.totals.cells.home)
			}
			return text == unknown
		}))
	}
	return unsure
}

// classifySpans finds of each span to which questions its facts belong.
func (s *survey) classifySpans() {
	all := s.totals.spans.all
	s.spans.reset(len(all))
	for n, at := range all {
		var k class
		for i := range s.asked {
			if lacks, ok := s.asked[i].during(at); ok {
				k.stand(i, lacks, len(s.asked))
			}
		}
		if k.columns != 0 {
			s.spans.set(uint32(n), k)
		}
	}
}

// during tells whether facts of a span may belong to the sum, and what they lack.
func (a *asked) during(at span) (lacks dimensions, ok bool) {
	if at.to < a.days.from || at.from > a.days.to {
		return 0, false
	}
	if at.from < a.days.from || at.to > a.days.to {
		lacks = partly
	}
	for _, one := range a.times {
		p := plan{calendar: one.calendar}
		more, ok := p.during(at, []Filter{one.Filter})
		if !ok {
			return 0, false
		}
		lacks |= more
	}
	return lacks, true
}
