package projections

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"roznamcha/domain"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// The model keeps every version of everything, after every entry anew, and
// answers by counting from scratch. It is as slow as it is simple, reads the
// events alone, and shares nothing with the totals but the calendar's labels
// and the filter's grammar, which have tests of their own.
type model struct {
	zone    *time.Location
	now     world
	entries map[uint64]world
	// keepSteps has it keep what each line did, too.
	keepSteps bool
	steps     []step
}

// step is what was known before and after one line.
type step struct {
	position      domain.Position
	kind          ChangeKind
	before, after world
}

// world is what is known after an entry.
type world struct {
	zone    *time.Location
	records []record // in the order in which they were accepted
	matches [][2]int
}

type record struct {
	name      domain.RecordName
	data      domain.Data
	retracted bool
}

func newModel() *model {
	return &model{zone: time.UTC, now: world{zone: time.UTC}, entries: make(map[uint64]world)}
}

func (m *model) Apply(r *domain.Ruled) {
	before := m.now.clone()
	if r.Verdict == domain.Accepted {
		kind := m.kind(r.Event)
		m.accept(r.Event)
		if m.keepSteps {
			m.steps = append(m.steps, step{r.Position, kind, before, m.now.clone()})
		}
	}
	m.entries[r.Position.Entry] = m.now.clone()
}

func (w *world) clone() world {
	return world{w.zone, slices.Clone(w.records), slices.Clone(w.matches)}
}

func (w *world) find(n domain.RecordName) int {
	return slices.IndexFunc(w.records, func(r record) bool { return r.name.String() == n.String() })
}

// kind is what an event that is about to be accepted does.
func (m *model) kind(e *domain.Event) (k ChangeKind) {
	var name domain.RecordName
	switch d := e.Data.(type) {
	case *domain.RecordMatched:
		return Match
	case *domain.AgencySucceeded:
		return Succession
	case *domain.RecordRetracted:
		name, k = d.Record, Retraction
	case *domain.RecordCorrected:
		if name, k = d.Record, Correction; m.now.records[m.now.find(name)].retracted {
			k = Reinstatement
		}
	default:
		return NewFact
	}
	if name.Kind == "agency" {
		k += SuccessionCorrected - Correction
	}
	return k
}

func (m *model) accept(e *domain.Event) {
	find := m.now.find
	switch d := e.Data.(type) {
	case *domain.LedgerOpened:
		m.zone, _ = domain.LoadZone(d.Zone)
		m.now.zone = m.zone
		m.now.records = append(m.now.records, record{name: e.Record(), data: clone(d)})
	case *domain.RecordCorrected:
		r := &m.now.records[find(d.Record)]
		r.data, r.retracted = clone(d.Replacement), false
	case *domain.RecordRetracted:
		m.now.records[find(d.Record)].retracted = true
	case *domain.RecordMatched:
		m.now.matches = append(m.now.matches, [2]int{find(d.Record), find(d.SameAs)})
	case *domain.RecordLinked, *domain.RecordUnlinked:
	default:
		m.now.records = append(m.now.records, record{name: e.Record(), data: clone(d)})
	}
}

// clone is data of their own: what a ruling holds is used again.
func clone(data domain.Data) domain.Data {
	line, err := domain.AppendEvent(nil, &domain.Event{ID: uuid.New(), Source: domain.Office, Subject: "x", Type: data.Type(), Data: data})
	if err != nil {
		panic(err)
	}
	e, err := domain.Decode(string(line))
	if err != nil {
		panic(err)
	}
	return e.Data
}

// counting are the records that count: of those that are one action, the first
// that is not retracted.
func (w *world) counting() (list []record) {
	group := make([]int, len(w.records))
	for i := range group {
		group[i] = i
	}
	for range w.matches { // long enough for every chain
		for _, pair := range w.matches {
			least := min(group[pair[0]], group[pair[1]])
			group[pair[0]], group[pair[1]] = least, least
		}
	}
	counted := make(map[int]bool)
	for i, r := range w.records {
		if !r.retracted && !counted[group[i]] {
			counted[group[i]] = true
			list = append(list, r)
		}
	}
	return list
}

// successions are those that hold: of several of one agency the last record, and
// none that leads back to where it comes from.
func (w *world) successions() (list []*domain.AgencySucceeded) {
	next := make(map[string]*domain.AgencySucceeded)
	for _, r := range w.records {
		if s, ok := r.data.(*domain.AgencySucceeded); ok && !r.retracted {
			next[s.Predecessor] = s
		}
	}
	for agency, s := range next {
		back := false
		for at, steps := s, 0; at != nil && steps <= len(next); steps++ {
			back = back || at.Successor == agency
			at = next[at.Successor]
		}
		if !back {
			list = append(list, s)
		}
	}
	return list
}

// straddles tells whether a record's dates, both given, lie on both sides of the
// first day of a succession of or to its diary's agency.
func (w *world) straddles(r record) bool {
	p := r.data.Shared().Occurred
	if c, ok := r.data.(*domain.CaseRegistered); ok {
		p = c.Registered
	}
	from, to := p.Days(w.zone)
	for _, s := range w.successions() {
		day, _ := s.Effective.Days(w.zone)
		party := s.Predecessor == r.name.Diary.Agency || s.Successor == r.name.Diary.Agency
		if party && from != domain.MinDay && to != domain.MaxDay && from < day && day <= to {
			return true
		}
	}
	return false
}

// successor is who answers for an agency.
func (w *world) successor(agency string) string {
	all := w.successions()
	for range all {
		for _, s := range all {
			if s.Predecessor == agency {
				agency = s.Successor
			}
		}
	}
	return agency
}

// values are what a record has of a stored dimension.
func (w *world) values(r record, d Dimension) (values []string) {
	c := r.data.Shared()
	agency, unit := c.Agency, c.Unit
	if agency == "" {
		agency = r.name.Diary.Agency
	}
	if unit == "" && agency == r.name.Diary.Agency {
		unit = r.name.Diary.Unit
	}
	who := agency
	if c.Agency == "" && w.straddles(r) {
		who = ""
	}
	texts := map[Dimension][]string{
		Agency: {who}, Unit: {unit}, Country: {string(c.Place.Country)}, Subdivision: {c.Place.Subdivision},
		City: {c.Place.City}, Operation: {c.Operation}, Successor: {w.successor(agency)},
	}
	var nationalities []domain.Nationality
	switch d := r.data.(type) {
	case *domain.RaidConducted:
		texts[Premises] = []string{string(d.Premises)}
	case *domain.PersonDetained:
		nationalities = d.Nationality
	case *domain.ArrestMade:
		nationalities = d.Nationality
		texts[Sex] = []string{string(d.Sex)}
		texts[Offence] = d.Offences
	case *domain.CaseRegistered:
		texts[Offence] = d.Offences
	case *domain.LossAlleged:
		texts[Currency] = []string{string(d.Amount.Currency)}
	case *domain.RecoveryMade:
		texts[Currency], texts[Form] = []string{string(d.Amount.Currency)}, []string{string(d.Form)}
	case *domain.PropertySeized:
		texts[Currency] = []string{string(d.Amount.Currency)}
	case *domain.PropertyForfeited:
		texts[Currency] = []string{string(d.Amount.Currency)}
	}
	for _, n := range nationalities {
		texts[Nationality] = append(texts[Nationality], string(n))
		texts[Class] = []string{domain.ClassOf("PK", nationalities).String()}
	}
	for _, v := range texts[d] {
		if v = normalise(v); v != "" && v != domain.NotGiven && !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	return values
}

// when is the first and last day of a record by a clock, and whether there are
// any.
func (m *model) when(r record, clock Clock) (from, to domain.Day, dated bool) {
	p := r.data.Shared().Occurred
	if c, ok := r.data.(*domain.CaseRegistered); ok {
		p = c.Registered
	}
	if clock == Reported {
		p = r.data.Shared().Reported
	}
	from, to = p.Days(m.zone)
	return from, to, !p.IsZero() && !p.IsUnknown()
}

// quantity is what a record adds to its measure, and in which unit.
func quantity(r record) (n int64, q domain.Qualifier, currency string) {
	var a domain.Amount
	switch d := r.data.(type) {
	case *domain.PersonDetained:
		return d.Persons.N, d.Persons.Qualifier, ""
	case *domain.ArrestMade:
		return d.Persons.N, d.Persons.Qualifier, ""
	case *domain.LossAlleged:
		a = d.Amount
	case *domain.RecoveryMade:
		a = d.Amount
	case *domain.PropertySeized:
		a = d.Amount
	case *domain.PropertyForfeited:
		a = d.Amount
	default:
		return 1, domain.Exact, ""
	}
	if a == (domain.Amount{}) {
		a.Qualifier = domain.Unknown
	}
	return a.Minor, a.Qualifier, string(a.Currency)
}

// answer is what a table must say, with every cell by its row and column.
type answer map[string]string

// valuesOf are what a record has of any dimension.
func (m *model) valuesOf(w *world, q Query, r record, d Dimension) []string {
	if !d.isTime() {
		return w.values(r, d)
	}
	calendar := calendar{max(q.YearStarts, time.January)}
	from, to, dated := m.when(r, q.Clock)
	if !dated || from == domain.MinDay || to == domain.MaxDay || calendar.unit(d, span{from, from}) != calendar.unit(d, span{to, to}) {
		return nil
	}
	return []string{calendar.label(d, calendar.unit(d, span{from, to}))}
}

func (m *model) passes(w *world, q Query, r record, filters []Filter) bool {
	for _, f := range filters {
		if !f.allows(m.valuesOf(w, q, r, f.Dimension)) {
			return false
		}
	}
	return true
}

// tallies are what stands in the cells of a difference, whose columns have some
// currencies.
func (m *model) tallies(w *world, q Query, currencies map[string][]string) map[string]Tally {
	all := make(map[string]Tally)
	for _, column := range distinct(q.Columns) {
		for _, r := range w.counting() {
			from, to, dated := m.when(r, q.Clock)
			first, last := domain.MinDay, domain.MaxDay
			if !q.Period.IsZero() {
				first, last = q.Period.Days(m.zone)
			}
			outside := dated && (to < first || from > last)
			if measureOf(r.data.Type()) != column.Measure || outside || !m.passes(w, q, r, q.Where) || !m.passes(w, q, r, column.Filters) {
				continue
			}
			rows := []string{"row"}
			for _, d := range q.By {
				values := m.valuesOf(w, q, r, d)
				if len(values) == 0 {
					values = []string{d.none()}
				}
				var longer []string
				for _, row := range rows {
					for _, v := range values {
						longer = append(longer, row+"/"+v)
					}
				}
				rows = longer
			}
			if len(q.By) == 0 {
				rows = nil
			}
			rows = append(rows, "total")
			if from < first || to > last {
				rows = []string{"unplaced"}
			}
			n, k, currency := quantity(r)
			one := tallyOf(&row{quantity: n, qualifier: k})
			units := []string{currency}
			if list := currencies[column.String()]; currency == "" && len(list) > 0 {
				units = list
			}
			for _, unit := range units {
				for _, row := range rows {
					sum := all[row+" "+column.String()+" "+unit]
					sum.add(one)
					all[row+" "+column.String()+" "+unit] = sum
				}
			}
		}
	}
	return all
}

// ask counts q as known after its entry.
func (m *model) ask(q Query) answer {
	w := m.entries[q.AsOf]
	valuesOf := func(r record, d Dimension) []string { return m.valuesOf(&w, q, r, d) }
	passes := func(r record, filters []Filter) bool { return m.passes(&w, q, r, filters) }
	// mayPass is for what does not say of some filters, and passes the others.
	mayPass := func(r record, filters []Filter) bool {
		for _, f := range filters {
			if values := valuesOf(r, f.Dimension); len(values) > 0 && !f.allows(values) {
				return false
			}
		}
		return true
	}
	a := make(answer)
	var dashes []string // heads below which nothing is no 0
	anyUnplaced := false
	for i, column := range q.Columns {
		sums := make(map[string]*domain.Sum) // by row and currency
		lacks := make(map[string]bool)       // by currency
		left := make(map[string]bool)        // by currency: what filters leave out
		add := func(row, currency string, n int64, k domain.Qualifier) {
			key := row + "\t" + currency
			if sums[key] == nil {
				sums[key] = new(domain.Sum)
			}
			if err := sums[key].Add(n, k); err != nil {
				panic(err)
			}
		}
		// Twice: the currencies that occur come first.
		currencies := make(map[string]bool)
		for round := range 2 {
			for _, r := range w.counting() {
				if measureOf(r.data.Type()) != column.Measure || !mayPass(r, q.Where) || !mayPass(r, column.Filters) {
					continue
				}
				from, to, dated := m.when(r, q.Clock)
				unplaced := false
				if !q.Period.IsZero() {
					first, last := q.Period.Days(m.zone)
					if dated && (to < first || from > last) {
						continue
					}
					unplaced = !dated || from < first || to > last
				}
				n, k, currency := quantity(r)
				if round == 0 {
					if currency != "" {
						currencies[currency] = true
					}
					continue
				}
				units := []string{currency}
				if currency == "" && len(currencies) > 0 {
					units = slices.Collect(maps.Keys(currencies))
				}
				for _, unit := range units {
					if !passes(r, q.Where) || !passes(r, column.Filters) {
						left[unit] = true
						continue
					}
					if unplaced {
						anyUnplaced = true
						add("unplaced", unit, n, k)
						continue
					}
					add("total", unit, n, k)
					rows := []string{"row"}
					for _, d := range q.By {
						values := valuesOf(r, d)
						if len(values) == 0 {
							lacks[unit] = true
							values = []string{domain.NotGiven}
							if d.isTime() {
								values = []string{"in no one " + d.String()}
							}
						}
						var longer []string
						for _, row := range rows {
							for _, v := range values {
								longer = append(longer, row+"/"+v)
							}
						}
						rows = longer
					}
					if len(q.By) > 0 {
						for _, row := range rows {
							add(row, unit, n, k)
						}
					}
				}
			}
		}
		if len(currencies) == 0 {
			currencies[""] = true
		}
		for currency := range currencies {
			head := fmt.Sprint(i, " ", column, " ", currency)
			a[head] = fmt.Sprint("low ", lacks[currency] || left[currency])
			if left[currency] {
				dashes = append(dashes, head)
			}
			for key, sum := range sums {
				if row, unit, _ := strings.Cut(key, "\t"); unit == currency {
					a[row+" of "+head] = fmt.Sprint(*sum)
				}
			}
		}
	}
	for _, head := range dashes {
		if a["total of "+head] == "" {
			a["total of "+head] = noFactsText
		}
		if anyUnplaced && a["unplaced of "+head] == "" {
			a["unplaced of "+head] = noFactsText
		}
	}
	return a
}

// read is a table as an answer. Cells without facts are held against the rule
// for — and 0 and left out.
func read(t rapid.TB, q Query, table *Table) answer {
	a := make(answer)
	index := -1
	heads := make([]string, len(table.Columns))
	for i, c := range table.Columns {
		if i == 0 || c.Column.String() != table.Columns[i-1].Column.String() || c.Currency <= table.Columns[i-1].Currency {
			index++
		}
		heads[i] = fmt.Sprint(index, " ", q.Columns[index], " ", c.Currency)
		a[heads[i]] = fmt.Sprint("low ", c.Low)
	}
	table.each(func(kind string, row Row) {
		name := strings.Join(append([]string{kind}, row.Labels...), "/")
		for i, c := range row.Cells {
			switch {
			case c.Facts > 0 && c.Given:
				a[name+" of "+heads[i]] = fmt.Sprint(c.Sum)
			case c.Facts > 0 || c.Sum != (domain.Sum{}):
				t.Errorf("%s of %s: %+v", name, heads[i], c)
			case kind != "row" && !c.Given:
				a[name+" of "+heads[i]] = c.Text
			case c.Given == (kind == "row" && table.Columns[i].Low):
				t.Errorf("%s of %s: nothing stands there and it prints %s", name, heads[i], c.Text)
			}
		}
		if kind == "row" && !slices.ContainsFunc(row.Cells, func(c Cell) bool { return c.Facts > 0 }) {
			t.Errorf("%s has no fact", name)
		}
	})
	return a
}

// Random histories of everything, through the real register: at every entry,
// for random questions, the columns say what a count from scratch says.
func TestTotalsAgreeWithARecount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel()
		h := &historian{rt: t, book: &book{t: t, reg: domain.NewRegister(), now: time.Date(2025, 7, 1, 9, 0, 0, 0, time.UTC), totals: NewTotals()}}
		h.ps = []Projection{h.totals, m}
		h.entry([]string{"junk"})
		h.entry([]string{h.line(event(domain.Office, "l", &domain.LedgerOpened{Name: "l", HomeCountry: "PK", Zone: "Asia/Karachi", Rules: 1}))})
		for range rapid.IntRange(1, 25).Draw(t, "entries") {
			h.write()
		}
		for range 12 {
			q := h.query()
			table, err := h.totals.Query(q)
			if err != nil {
				t.Fatal(err)
			}
			if q.AsOf == 0 {
				q.AsOf = h.reg.Last()
			}
			compare(t, q, read(t, q, table), m.ask(q))
		}
	})
}

func compare(t rapid.TB, q Query, got, want answer) {
	keys := make(map[string]bool)
	for k := range got {
		keys[k] = true
	}
	for k := range want {
		keys[k] = true
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if got[k] != want[k] {
			t.Errorf("%+v\n%s: the totals have %q, a recount %q", q, k, got[k], want[k])
		}
	}
}

// historian writes random history.
type historian struct {
	*book
	rt     *rapid.T
	events []*domain.Event // that make records
	sent   []string        // lines that were submitted
	// subjects is how many subjects there may be in a diary; 300 unless set.
	subjects int
}

// entry records one entry, whatever is ruled on it.
func (h *historian) entry(lines []string) { h.lines(lines...) }

// write records an entry of random submissions.
func (h *historian) write() {
	var lines []string
	for range rapid.IntRange(1, 4).Draw(h.rt, "submissions") {
		for range rapid.IntRange(1, 3).Draw(h.rt, "lines") {
			lines = append(lines, h.anyLine())
		}
		lines = append(lines, "")
	}
	h.entry(lines)
}

// anyLine is a line of any kind: mostly facts and their amendments.
func (h *historian) anyLine() string {
	kind := rapid.IntRange(0, 19).Draw(h.rt, "kind")
	switch {
	case kind == 0:
		return "junk"
	case kind == 1 && len(h.sent) > 0:
		return rapid.SampledFrom(h.sent).Draw(h.rt, "again")
	case kind <= 8 && len(h.events) > 0:
		return h.amendment()
	case kind <= 12 && len(h.events) > 0:
		one := h.someEvent()
		alike := slices.DeleteFunc(slices.Clone(h.events), func(e *domain.Event) bool { return e.Type != one.Type })
		return h.keep(match(one, rapid.SampledFrom(alike).Draw(h.rt, "same as")))
	case kind == 14 && len(h.events) > 0:
		from, to := h.someEvent().Record(), h.someEvent().Record()
		to.ID += rapid.SampledFrom([]string{"", "", "9"}).Draw(h.rt, "to what is not there")
		link := &domain.Event{Source: from.Diary, Data: &domain.RecordLinked{From: from, To: to}}
		if rapid.Bool().Draw(h.rt, "unlink") {
			link.Data = &domain.RecordUnlinked{From: from, To: to}
		}
		return h.keep(link)
	case kind == 13:
		agency := rapid.SampledFrom([]string{"nccia", "fia", "police", "ccw"})
		s := event(domain.Office, h.id(), &domain.AgencySucceeded{Predecessor: agency.Draw(h.rt, "of"), Successor: agency.Draw(h.rt, "to"), Effective: h.effective()})
		if d := s.Data.(*domain.AgencySucceeded); d.Predecessor == d.Successor {
			d.Successor += "2"
		}
		h.events = append(h.events, s)
		return h.keep(s)
	}
	e := &domain.Event{Source: rapid.SampledFrom([]domain.Diary{karachi, lahore, wing}).Draw(h.rt, "diary"), Subject: h.id()}
	types := domain.Types()[1:9]
	e.Data = h.fact(types[min(rapid.IntRange(0, 7).Draw(h.rt, "type"), rapid.IntRange(0, 7).Draw(h.rt, "type"))])
	h.events = append(h.events, e)
	return h.keep(e)
}

// id is a subject: now and then one that is taken.
func (h *historian) id() string {
	return fmt.Sprint(rapid.IntRange(0, cmp.Or(h.subjects, 300)).Draw(h.rt, "subject"))
}

func (h *historian) keep(e *domain.Event) string {
	line := h.line(e)
	h.sent = append(h.sent, line)
	return line
}

// effective is when a succession takes effect.
func (h *historian) effective() domain.Period {
	return period(rapid.SampledFrom([]string{"2025-04", "2025-04", "2025", "2025-02-03T20:00:00Z", "unknown", "../2025"}).Draw(h.rt, "effective"))
}

func (h *historian) someEvent() *domain.Event {
	return rapid.SampledFrom(h.events).Draw(h.rt, "event")
}

// amendment corrects or retracts some record, mostly as it stands.
func (h *historian) amendment() string {
	first := h.someEvent()
	standing, ok := h.reg.Lookup(first.Record())
	if !ok {
		standing.Event, standing.Name = first.ID, first.Record()
	}
	if !standing.Retracted && rapid.Bool().Draw(h.rt, "retract") {
		return h.keep(&domain.Event{Source: first.Source, Data: &domain.RecordRetracted{Record: standing.Name, Amends: standing.Event, Reason: domain.CourtOrder}})
	}
	var replacement domain.Data
	if s, ok := first.Data.(*domain.AgencySucceeded); ok {
		other := *s
		other.Successor, other.Effective = rapid.SampledFrom([]string{"ito", "anf", s.Successor}).Draw(h.rt, "to"), h.effective()
		replacement = &other
	} else {
		replacement = h.fact(first.Type)
	}
	return h.keep(&domain.Event{Source: first.Source, Data: &domain.RecordCorrected{Record: standing.Name, Amends: standing.Event, Replacement: replacement, Reason: domain.UnitError}})
}

var (
	somePeriods = []string{
		"2024-12-31", "2025-01-01", "2025-01-31T20:00:00Z", "2025-02", "2025-02-03", "2025-01/2025-02", "2025-06", "2025", "2024/2025",
		"2025-03/2025-06", "2025-03/2025-04-01", "unknown", "../2025-02", "2025-02/..", "2026-01-15", "1949-12-31", "2050-01-01",
	}
	someCities     = []string{"", "Karachi", " Karachi", "Lahore", "not-given", "M\u00e1laga", "Ma\u0301laga"}
	someCurrencies = []string{"PKR", "USD", "JPY"}
)

// fact is random data of a type that counts.
func (h *historian) fact(t domain.Type) domain.Data {
	draw := func(values ...string) string { return rapid.SampledFrom(values).Draw(h.rt, "value") }
	c := domain.Common{
		Occurred:  period(draw(somePeriods...)),
		Place:     domain.Location{City: strings.TrimSpace(draw(someCities...)), Subdivision: draw("", "Sindh")},
		Agency:    draw("", "", "", "police", "fia", domain.NotGiven),
		Unit:      draw("", "", "hq", domain.NotGiven),
		Operation: draw("", "", "Grey"),
	}
	if r := draw(append(somePeriods, "", "", "")...); r != "" {
		c.Reported = period(r)
	}
	qualifier := rapid.SampledFrom([]domain.Qualifier{domain.Exact, domain.Exact, domain.AtLeast, domain.About, domain.Unknown}).Draw(h.rt, "qualifier")
	number := rapid.Int64Range(0, 9).Draw(h.rt, "number")
	if qualifier == domain.Unknown {
		number = 0
	}
	persons := domain.Count{N: number, Qualifier: qualifier}
	amount := domain.Amount{Minor: number * 150, Currency: domain.Currency(draw(someCurrencies...)), Qualifier: qualifier}
	if qualifier == domain.Unknown && draw("", "with currency") == "" {
		amount.Currency = ""
	}
	nationality := rapid.SampledFrom([][]domain.Nationality{{"PK"}, {"CN"}, {"CN", "PK"}, {"CN", "NG"}, {"foreign"}, {"unknown"}, {"stateless"}}).Draw(h.rt, "nationality")
	offences := rapid.SampledFrom([][]string{nil, {"fraud"}, {"fraud", "forgery"}, {"forgery"}}).Draw(h.rt, "offences")
	switch t {
	case domain.TypeRaidConducted:
		return &domain.RaidConducted{Common: c, Premises: domain.Premises(draw("call-centre", "other", "not-given"))}
	case domain.TypePersonDetained:
		return &domain.PersonDetained{Common: c, Persons: persons, Nationality: nationality}
	case domain.TypeArrestMade:
		return &domain.ArrestMade{Common: c, Persons: persons, Nationality: nationality, Sex: domain.Sex(draw("", "female", "unknown")), Offences: offences}
	case domain.TypeCaseRegistered:
		return &domain.CaseRegistered{Common: c, Registered: period(draw(somePeriods...)), Offences: offences}
	case domain.TypeLossAlleged:
		return &domain.LossAlleged{Common: c, Amount: amount}
	case domain.TypeRecoveryMade:
		return &domain.RecoveryMade{Common: c, Amount: amount, Form: domain.Form(draw("", "cash"))}
	case domain.TypePropertySeized:
		return &domain.PropertySeized{Common: c, Item: "x", Amount: amount}
	}
	if draw("", "given") == "" {
		amount = domain.Amount{}
	}
	return &domain.PropertyForfeited{Common: c, Item: "x", Amount: amount}
}

// query is a random question.
func (h *historian) query() Query {
	q := Query{
		Columns: rapid.SliceOfN(rapid.Custom(h.column), 1, 4).Draw(h.rt, "columns"),
		By: rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) Dimension {
			return Dimension(rapid.IntRange(int(Agency), int(endOfDimensions)-1).Draw(t, "dimension"))
		}), 0, 3, rapid.ID).Draw(h.rt, "by"),
		Where:      rapid.SliceOfN(rapid.Custom(filter), 0, 1).Draw(h.rt, "where"),
		Clock:      Clock(rapid.IntRange(0, 1).Draw(h.rt, "clock")),
		AsOf:       rapid.Uint64Range(0, h.reg.Last()).Draw(h.rt, "as of"),
		YearStarts: time.Month(rapid.SampledFrom([]int{0, 1, 2, 10}).Draw(h.rt, "year starts")),
	}
	if who := rapid.SampledFrom([]Dimension{0, 0, 0, 0, Agency, Successor}).Draw(h.rt, "by who"); who != 0 {
		q.By = []Dimension{who}
	}
	if p := rapid.SampledFrom([]string{"", "2025", "2025-01", "2024/2025", "../2025-02", "2025-02/..", "2025-02-03"}).Draw(h.rt, "period"); p != "" {
		q.Period = period(p)
	}
	for f := range q.filters() {
		for i, value := range f.Values {
			if f.Dimension == Year && !f.Dimension.isNone(value) { // as years are written that begin then
				c := calendar{max(q.YearStarts, time.January)}
				first, _ := period(value).Days(time.UTC)
				f.Values[i] = c.label(Year, c.unitOf(Year, first))
			}
		}
	}
	return q
}

func (h *historian) column(t *rapid.T) Column {
	c := Column{Measure: Measure(rapid.IntRange(int(Raids), int(Forfeited)).Draw(t, "measure"))}
	if rapid.IntRange(0, 2).Draw(t, "narrowed") == 0 {
		c.Filters = []Filter{filter(t)}
	}
	return c
}

func filter(t *rapid.T) Filter {
	texts := []string{
		"city=Karachi", "city=M\u00e1laga|Lahore", "city=not-given", "agency=police", "agency=not-given", "successor=anf|nccia",
		"unit=not-given", "class=foreign", "class=not-given", "nationality=CN", "nationality=not-given|PK", "offence=fraud",
		"currency=PKR", "currency=not-given", "sex=unknown", "year=2025", "month=2025-02", "quarter=in no one quarter", "year=not-given|2024", "operation=Grey",
	}
	filters, err := ParseFilters(rapid.SampledFrom(texts).Draw(t, "filter"))
	if err != nil {
		panic(err)
	}
	return filters[0]
}

// One long history: at each of its entries the columns say what a count from
// scratch says, as known then and as known at some moment before.
func TestALongHistory(t *testing.T) {
	entries := 2500
	if testing.Short() {
		entries = 250
	}
	seed := int(rand.Int32())
	t.Logf("seed %d", seed)
	asked := rapid.Custom(func(rt *rapid.T) (asked int) {
		m, amendments := newModel(), NewAmendments()
		h := &historian{rt: rt, subjects: 10 * entries, book: &book{t: t, reg: domain.NewRegister(), now: time.Date(2025, 7, 1, 9, 0, 0, 0, time.UTC), totals: NewTotals()}}
		h.ps = []Projection{h.totals, amendments, m}
		h.entry([]string{h.line(event(domain.Office, "l", &domain.LedgerOpened{Name: "l", HomeCountry: "PK", Zone: "Asia/Karachi", Rules: 1}))})
		agrees := func(q Query, entry uint64) {
			q.AsOf = entry
			table, err := h.totals.Query(q)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, q, read(t, q, table), m.ask(q))
			asked++
		}
		kept := []uint64{1}
		for range entries {
			h.write()
			last := h.reg.Last()
			agrees(h.query(), last)
			if last%50 != 0 { // every world is as large as the ledger
				delete(m.entries, last)
				continue
			}
			kept = append(kept, last)
			agrees(h.query(), rapid.SampledFrom(kept).Draw(rt, "as known at"))
			explanationsAddUp(t, h, h.query())
			differencesAddUp(t, h, amendments, h.query(), rapid.Uint64Range(1, last).Draw(rt, "from"), last)
		}
		return asked
	}).Example(seed)
	if want := entries + entries/50; asked < want {
		t.Errorf("asked %d times, want at least %d", asked, want)
	}
}

// Two totals of one ledger print one table.
func TestTablesAreDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &historian{rt: t, book: &book{t: t, reg: domain.NewRegister(), now: time.Date(2025, 7, 1, 9, 0, 0, 0, time.UTC), totals: NewTotals()}}
		again := NewTotals()
		h.ps = []Projection{h.totals, again}
		h.entry([]string{h.line(event(domain.Office, "l", &domain.LedgerOpened{Name: "l", HomeCountry: "PK", Zone: "Asia/Karachi", Rules: 1}))})
		for range 6 {
			h.write()
		}
		q := h.query()
		one, err1 := h.totals.Query(q)
		two, err2 := again.Query(q)
		if err1 != nil || err2 != nil || one.Citation.Table != two.Citation.Table {
			t.Fatal(err1, err2, draw(one), draw(two))
		}
	})
}
