package projections

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"roznamcha/domain"

	"pgregory.net/rapid"
)

// exceptionModel keeps every record as it stands, looks through all of them
// after every line, and keeps what it found by entry.
type exceptionModel struct {
	model
	at      domain.Position
	made    []domain.Position // of each record's standing version, by record
	day     []domain.Day      // on which that was recorded
	ties    [][2]domain.RecordName
	cut     [][2]domain.RecordName // links of records' own data that were taken back
	entered []int                  // by record: when it began to look as it does
	keys    []string
	steps   int
	told    map[string][]domain.Diary // who told under a key, in order
	offers  []modelOffer
	series  map[string]*modelSeries
	found   map[uint64][]string
}

type modelOffer struct {
	one, other int
	opened     domain.Position
}

func (m *exceptionModel) Apply(r *domain.Ruled) {
	m.at = r.Position
	before := len(m.now.records)
	m.model.Apply(r)
	if r.Verdict == domain.Accepted {
		if len(m.now.records) > before {
			m.made, m.day = append(m.made, r.Position), append(m.day, 0)
			m.keys, m.entered = append(m.keys, ""), append(m.entered, 0)
		}
		m.change(r)
	}
	m.found[r.Position.Entry] = m.look()
}

func (m *exceptionModel) find(n domain.RecordName) int {
	return slices.IndexFunc(m.now.records, func(r record) bool { return r.name == n })
}

func (m *exceptionModel) change(r *domain.Ruled) {
	switch d := r.Event.Data.(type) {
	case *domain.RecordLinked:
		m.ties = append(m.ties, [2]domain.RecordName{d.From, d.To})
		return
	case *domain.RecordUnlinked:
		m.ties = slices.DeleteFunc(m.ties, func(t [2]domain.RecordName) bool { return t[0] == d.From && t[1] == d.To })
		m.cut = append(m.cut, [2]domain.RecordName{d.From, d.To})
		return
	case *domain.RecordMatched:
		m.retell(m.find(d.Record))
		return
	}
	i := m.find(r.Name)
	m.renumber(i)
	m.cut = slices.DeleteFunc(m.cut, func(t [2]domain.RecordName) bool { return t[0] == r.Name }) // its version says it anew
	m.made[i], m.day[i] = r.Position, domain.DayOf(r.Recorded, m.zone)
	key := m.key(i)
	if key != m.keys[i] {
		m.keys[i] = ""
		free := make(map[int][]domain.Diary)
		for _, o := range slices.Clone(m.offers) {
			if o.one == i || o.other == i {
				m.drop(o)
				other := o.one + o.other - i
				m.free(free, other, m.now.records[i].name.Diary)
				m.free(free, i, m.now.records[other].name.Diary)
			}
		}
		m.again(free)
		if key != "" {
			m.steps++
			m.keys[i], m.entered[i] = key, m.steps
			if own := m.now.records[i].name.Diary; !slices.Contains(m.told[key], own) {
				m.told[key] = append(m.told[key], own)
			}
		}
		defer func() {
			if key != "" {
				m.seek(i)
			}
		}()
	}
	if m.now.records[i].retracted {
		free := make(map[int][]domain.Diary)
		for _, s := range m.same(i) {
			if s != i && m.keys[s] != "" {
				free[s] = []domain.Diary{r.Name.Diary}
			}
		}
		m.again(free)
		return
	}
	m.retell(i)
}

// key is what a record looks like, "" if like none.
func (m *exceptionModel) key(i int) string {
	r := m.now.records[i]
	if r.retracted || !r.data.Type().Counts() {
		return ""
	}
	from, to, dated := m.when(r, Occurred)
	c := r.data.Shared()
	place := "city " + normalise(c.Place.City)
	if c.Place.City == "" || c.Place.City == domain.NotGiven {
		place = "subdivision " + c.Place.Subdivision
	}
	if !dated || from != to || place == "subdivision " || place == "subdivision "+domain.NotGiven {
		return ""
	}
	country := c.Place.Country
	if country == "" {
		country = "PK"
	}
	return strings.ToLower(fmt.Sprint(r.data.Type(), from, country, place))
}

// same are the records that are one action with i, i too, in an order that
// matters to nobody.
func (m *exceptionModel) same(i int) []int {
	list := []int{i}
	for range m.now.matches {
		for _, pair := range m.now.matches {
			for _, way := range [][2]int{pair, {pair[1], pair[0]}} {
				if slices.Contains(list, way[0]) && !slices.Contains(list, way[1]) {
					list = append(list, way[1])
				}
			}
		}
	}
	return list
}

func (m *exceptionModel) tells(group []int, d domain.Diary) bool {
	return slices.ContainsFunc(group, func(i int) bool { return m.now.records[i].name.Diary == d && !m.now.records[i].retracted })
}

func (m *exceptionModel) taken(i int, d domain.Diary) bool {
	group := m.same(i)
	return m.tells(group, d) || slices.ContainsFunc(m.offers, func(o modelOffer) bool {
		return slices.Contains(group, o.one) && m.now.records[o.other].name.Diary == d ||
			slices.Contains(group, o.other) && m.now.records[o.one].name.Diary == d
	})
}

func (m *exceptionModel) drop(o modelOffer) {
	m.offers = slices.DeleteFunc(m.offers, func(one modelOffer) bool { return one == o })
}

// free notes that a diary is free again for a record and for all that are the same.
func (m *exceptionModel) free(free map[int][]domain.Diary, i int, d domain.Diary) {
	for _, s := range m.same(i) {
		if m.keys[s] != "" {
			free[s] = append(free[s], d)
		}
	}
}

func (m *exceptionModel) retell(i int) {
	group := m.same(i)
	free := make(map[int][]domain.Diary)
	for _, o := range slices.Clone(m.offers) {
		for _, way := range []modelOffer{o, {o.other, o.one, o.opened}} {
			if slices.Contains(group, way.one) && m.tells(group, m.now.records[way.other].name.Diary) {
				m.drop(o)
				if !slices.Contains(group, way.other) {
					m.free(free, way.other, m.now.records[way.one].name.Diary)
				}
				break
			}
		}
	}
	m.again(free)
}

// again lets every record that has diaries free for it look there, in the order
// in which records began to look as they do and diaries told of such.
func (m *exceptionModel) again(free map[int][]domain.Diary) {
	for step := 1; step <= m.steps; step++ {
		for i := range m.now.records {
			if m.entered[i] != step || free[i] == nil {
				continue
			}
			for _, d := range m.told[m.keys[i]] {
				if slices.Contains(free[i], d) {
					m.take(i, d)
				}
			}
			if !slices.ContainsFunc(m.offers, func(o modelOffer) bool { return o.one == i || o.other == i }) {
				m.seek(i)
			}
		}
	}
}

func (m *exceptionModel) seek(i int) {
	for _, d := range m.told[m.keys[i]] {
		if d != m.now.records[i].name.Diary && m.take(i, d) {
			return
		}
	}
}

// take offers a record the first of a diary that is free.
func (m *exceptionModel) take(i int, d domain.Diary) bool {
	if m.taken(i, d) {
		return false
	}
	first := -1
	for j, r := range m.now.records {
		if r.name.Diary == d && m.keys[j] == m.keys[i] && !m.taken(j, m.now.records[i].name.Diary) && (first < 0 || m.entered[j] < m.entered[first]) {
			first = j
		}
	}
	if first >= 0 {
		m.offers = append(m.offers, modelOffer{i, first, m.at})
	}
	return first >= 0
}

// look is every exception that stands, but for refused lines.
func (m *exceptionModel) look() (found []string) {
	state := func(n domain.RecordName) string {
		i := m.find(n)
		switch {
		case i < 0:
			return "absent"
		case m.now.records[i].retracted:
			return "retracted"
		}
		return "standing"
	}
	tie := func(from, to domain.RecordName) {
		switch {
		case state(from) == "retracted":
		case state(from) == "absent":
			found = append(found, fmt.Sprint("dangling-link ", to, " ", from))
		case state(to) == "absent":
			found = append(found, fmt.Sprint("dangling-link ", from, " ", to))
		case state(to) == "retracted":
			found = append(found, fmt.Sprint("link-to-retracted ", from, " ", to))
		}
	}
	for _, t := range m.ties {
		tie(t[0], t[1])
		if state(t[0]) == "retracted" && state(t[1]) == "standing" {
			found = append(found, fmt.Sprint("link-to-retracted ", t[1], " ", t[0]))
		}
	}
	for i, r := range m.now.records {
		for _, to := range linksOf(r.data, r.name.Diary) {
			if !slices.Contains(m.cut, [2]domain.RecordName{r.name, to}) {
				tie(r.name, to)
			}
		}
		if !r.retracted && r.data.Type().Counts() && m.ahead(r, m.day[i]) {
			found = append(found, fmt.Sprint("dated-ahead ", r.name, " ", m.made[i]))
		}
	}
	for _, o := range m.offers {
		later, earlier := o.one, o.other
		if m.entered[later] < m.entered[earlier] {
			later, earlier = earlier, later
		}
		found = append(found, fmt.Sprint("look-alike ", m.now.records[later].name, " ", m.now.records[earlier].name, " ", o.opened))
	}
	return append(found, m.gaps()...)
}

// ahead tells whether a version has a date after the day of its recording.
func (m *exceptionModel) ahead(r record, day domain.Day) bool {
	periods := []domain.Period{r.data.Shared().Occurred, r.data.Shared().Reported}
	if c, ok := r.data.(*domain.CaseRegistered); ok {
		periods = append(periods, c.Registered)
	}
	return slices.ContainsFunc(periods, func(p domain.Period) bool {
		if p.IsZero() {
			return false
		}
		from, to := p.Days(m.zone)
		return from > day || p.IsInterval() && to > day && to != domain.MaxDay
	})
}

// modelSeries is the holes of a series, and the range of what stands in it.
type modelSeries struct {
	first, last uint64 // none stands where first is after last
	holes       []modelHole
}

type modelHole struct {
	from, to uint64
	by       domain.RecordName
	opened   domain.Position
}

// renumber looks at the series of a record that came, went or is as it was.
func (m *exceptionModel) renumber(i int) {
	before, n, ok := runningNumber(m.now.records[i].name.ID)
	if !ok || !m.now.records[i].data.Type().Counts() {
		return
	}
	key := fmt.Sprint(m.now.records[i].name.Kind, m.now.records[i].name.Diary, before)
	s := m.series[key]
	if s == nil {
		s = &modelSeries{first: 1}
		m.series[key] = s
	}
	first, last, least, greatest := uint64(1), uint64(0), "", ""
	for _, r := range m.now.records {
		prefix, at, ok := runningNumber(r.name.ID)
		if !ok || r.retracted || fmt.Sprint(r.name.Kind, r.name.Diary, prefix) != key {
			continue
		}
		if first > last || at < first {
			first, least = at, r.name.ID
		}
		if last == 0 || at > last {
			last, greatest = at, r.name.ID
		}
	}
	end := m.now.records[i].name
	hole := func(from, to uint64) {
		if first <= last && from <= to && len(m.lacks(key, from, to)) > 0 {
			s.holes = append(s.holes, modelHole{from, to, end, m.at})
		}
	}
	switch was := *s; {
	case was.first > was.last || first > last: // all of it is new, or gone
		s.holes = nil
	case last > was.last:
		hole(was.last+1, n-1)
	case first < was.first:
		hole(n+1, was.first-1)
	case last < was.last || first > was.first:
		end.ID = greatest
		if first > was.first {
			end.ID = least
		}
		s.holes = nil
		for _, h := range was.holes {
			switch {
			case h.to <= first || h.from >= last:
			case first < h.from && h.to < last:
				s.holes = append(s.holes, h)
			default:
				hole(max(h.from, first+1), min(h.to, last-1))
			}
		}
	}
	s.first, s.last = first, last
}

// lacks are the numbers of a series that no record has, from one to another.
func (m *exceptionModel) lacks(key string, from, to uint64) (missing []uint64) {
	for n := from; n <= to; n++ {
		if !slices.ContainsFunc(m.now.records, func(r record) bool {
			prefix, at, ok := runningNumber(r.name.ID)
			return ok && at == n && fmt.Sprint(r.name.Kind, r.name.Diary, prefix) == key
		}) {
			missing = append(missing, n)
		}
	}
	return missing
}

// gaps are the holes of which something is missing.
func (m *exceptionModel) gaps() (found []string) {
	for key, s := range m.series {
		for _, h := range s.holes {
			if missing := m.lacks(key, h.from, h.to); len(missing) > 0 {
				found = append(found, fmt.Sprint("sequence-gap ", h.by, " ", h.opened, " ", len(missing), " from ", missing[0]))
			}
		}
	}
	return found
}

// asTold is the same of the exceptions.
func asTold(x *Exceptions, asOf uint64) (list []string) {
	for e := range x.Standing(asOf) {
		switch e.Kind {
		case DanglingLink, RetractedLink:
			list = append(list, fmt.Sprint(e.Kind, " ", e.Record, " ", e.Link))
		case DatedAhead:
			list = append(list, fmt.Sprint(e.Kind, " ", e.Record, " ", e.Opened))
		case LookAlike:
			list = append(list, fmt.Sprint(e.Kind, " ", e.Record, " ", e.Link, " ", e.Opened))
		case SequenceGap:
			first, _, _ := strings.Cut(strings.Trim(strings.TrimPrefix(e.Detail, "no "), " "), " ")
			count := 1
			if _, many, ok := strings.Cut(e.Detail, "("); ok {
				_, _ = fmt.Sscan(many, &count)
			}
			list = append(list, fmt.Sprint(e.Kind, " ", e.Record, " ", e.Opened, " ", count, " from ", strings.TrimSuffix(first, ",")))
		}
	}
	return list
}

// Random histories of everything: as known at every entry, the exceptions are
// those that a look through all records finds.
func TestExceptionsAgreeWithARecount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := NewAllExceptions()
		m := &exceptionModel{model: *newModel(), told: make(map[string][]domain.Diary), found: make(map[uint64][]string), series: make(map[string]*modelSeries)}
		h := &historian{rt: t, book: &book{t: t, reg: domain.NewRegister(), now: time.Date(2025, 7, 1, 9, 0, 0, 0, time.UTC)}}
		h.ps = []Projection{x, m}
		h.entry([]string{h.line(event(domain.Office, "l", &domain.LedgerOpened{Name: "l", HomeCountry: "PK", Zone: "Asia/Karachi", Rules: 1}))})
		for range rapid.IntRange(1, 25).Draw(t, "entries") {
			var lines []string
			for range rapid.IntRange(1, 5).Draw(t, "lines") {
				lines = append(lines, h.likelyLine(), "")
			}
			h.entry(lines)
		}
		for entry := uint64(1); entry <= h.reg.Last(); entry++ {
			got, want := asTold(x, entry), m.found[entry]
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("as of %d there stand\n%s\na recount finds\n%s", entry, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
		m.offered(t)
	})
}

// likelyLine is any line, but mostly raids that look alike and their links.
func (h *historian) likelyLine() string {
	draw := func(values ...string) string { return rapid.SampledFrom(values).Draw(h.rt, "value") }
	diary := rapid.SampledFrom([]domain.Diary{karachi, lahore, wing}).Draw(h.rt, "diary")
	switch rapid.IntRange(0, 5).Draw(h.rt, "likely") {
	case 0, 1, 2:
		e := raid(diary, h.id(), draw("Karachi", "karachi", "Lahore"), draw("2025-06-03", "2025-06-03", "2025-06-03T20:00:00Z", "2025-06-04"))
		h.events = append(h.events, e)
		return h.keep(e)
	case 3:
		e := arrest(diary, h.id(), "Karachi", "2025-06-03", 1, "PK")
		e.Data.(*domain.ArrestMade).Raid = domain.Link(h.id())
		h.events = append(h.events, e)
		return h.keep(e)
	case 4:
		if len(h.events) < 2 {
			break
		}
		name := func() domain.RecordName {
			e := h.someEvent()
			return domain.RecordName{Kind: e.Type.Kind(), Diary: e.Source, ID: draw(e.Subject, e.Subject, "none")}
		}
		from, to := name(), name()
		if draw("link", "unlink") == "unlink" {
			return h.keep(&domain.Event{Source: from.Diary, Data: &domain.RecordUnlinked{From: from, To: to}})
		}
		return h.keep(&domain.Event{Source: from.Diary, Data: &domain.RecordLinked{From: from, To: to}})
	}
	return h.anyLine()
}

// offered sees that no two records that look alike are passed over, both.
func (m *exceptionModel) offered(t *rapid.T) {
	for i := range m.keys {
		for j := range i {
			one, other := m.now.records[i].name, m.now.records[j].name
			if m.keys[i] == "" || m.keys[i] != m.keys[j] || one.Diary == other.Diary || m.taken(i, other.Diary) || m.taken(j, one.Diary) {
				continue
			}
			if !slices.ContainsFunc(m.offers, func(o modelOffer) bool {
				return slices.Contains([]int{o.one, o.other}, i) || slices.Contains([]int{o.one, o.other}, j)
			}) {
				t.Fatalf("%v and %v look alike, and neither is offered", one, other)
			}
		}
	}
}
