package projections

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"roznamcha/domain"

	"pgregory.net/rapid"
)

// auditor asks every question of an auditor, and of a count from scratch.
type auditor struct {
	*historian
	m        *model
	log      []logged // what was accepted
	links    *Exceptions
	memos    *Memos
	numbers  *CaseNumbers
	arrivals *Arrivals
	authors  *Authors
}

// logged is one accepted line.
type logged struct {
	at       domain.Position
	recorded time.Time
	source   string
	change   domain.Change
	record   domain.RecordName
	data     domain.Data
	fact     domain.Data // what stands from here on
}

func newAuditor(t *rapid.T) *auditor {
	a := &auditor{m: newModel(), links: NewExceptions(), memos: new(Memos), numbers: NewCaseNumbers(), arrivals: NewArrivals(), authors: NewAuthors()}
	a.historian = &historian{rt: t, book: &book{t: t, reg: domain.NewRegister(), now: time.Date(2025, 3, 1, 17, 30, 0, 0, time.UTC), totals: NewTotals()}}
	note := projectionFunc(func(r *domain.Ruled) {
		if r.Verdict == domain.Accepted {
			one := logged{at: r.Position, recorded: r.Recorded, source: r.Event.Source.String(), change: r.Change, record: cloneName(r.Name), data: clone(r.Event.Data)}
			if r.Fact != nil {
				one.fact = clone(r.Fact)
			}
			a.log = append(a.log, one)
		}
	})
	a.ps = []Projection{a.totals, a.m, note, a.links, a.memos, a.numbers, a.arrivals, a.authors}
	a.entry([]string{a.line(event(domain.Office, "l", &domain.LedgerOpened{Name: "l", HomeCountry: "PK", Zone: "Asia/Karachi", Rules: 1}))})
	return a
}

func cloneName(n domain.RecordName) domain.RecordName {
	if n.IsZero() {
		return n
	}
	name, err := domain.ParseRecordName(strings.Clone(n.String()))
	if err != nil {
		panic(err)
	}
	return name
}

// write records a few lines about few records, so that they meet.
func (a *auditor) write() {
	a.now = a.now.Add(time.Duration(rapid.IntRange(0, 40).Draw(a.rt, "hours")) * time.Hour)
	var lines []string
	for range rapid.IntRange(1, 4).Draw(a.rt, "lines") {
		lines = append(lines, a.any(), "")
	}
	a.entry(lines)
}

func (a *auditor) draw(values ...string) string { return rapid.SampledFrom(values).Draw(a.rt, "value") }

func (a *auditor) any() string {
	switch kind := rapid.IntRange(0, 14).Draw(a.rt, "kind"); {
	case kind <= 4 || len(a.events) == 0:
		source := rapid.SampledFrom([]domain.Diary{karachi, lahore}).Draw(a.rt, "diary")
		e := event(source, a.draw("1", "2", "3"), a.data(rapid.IntRange(0, 3).Draw(a.rt, "type")))
		e.Type = e.Data.Type()
		a.events = append(a.events, e)
		return a.keep(e)
	case kind <= 7:
		return a.amend(a.someEvent())
	case kind <= 11:
		one := a.someEvent()
		alike := slices.DeleteFunc(slices.Clone(a.events), func(e *domain.Event) bool { return e.Type != one.Type || e.Record() == one.Record() })
		if len(alike) == 0 {
			alike = append(alike, one)
		}
		return a.keep(match(one, rapid.SampledFrom(alike).Draw(a.rt, "same as")))
	case kind <= 12:
		return a.keep(&domain.Event{Source: karachi, Data: &domain.RecordUnlinked{From: a.name(), To: a.name()}})
	}
	return a.keep(&domain.Event{Source: karachi, Data: &domain.RecordLinked{Common: domain.Common{By: a.draw("", "r-7")}, From: a.name(), To: a.name()}})
}

// name is a record that may be there.
func (a *auditor) name() domain.RecordName {
	name, err := domain.ParseRecordName(a.draw("raid", "case", "arrest") + "/nccia/" + a.draw("karachi", "lahore") + "/" + a.draw("1", "2", "3"))
	if err != nil {
		panic(err)
	}
	return name
}

func (a *auditor) amend(first *domain.Event) string {
	standing, ok := a.reg.Lookup(first.Record())
	if !ok {
		standing.Event, standing.Name = first.ID, first.Record()
	}
	c := domain.Common{By: a.draw("", "r-7")}
	reason := domain.Reason(a.draw(string(domain.UnitError), string(domain.CourtOrder)))
	if !standing.Retracted && rapid.Bool().Draw(a.rt, "retract") {
		return a.keep(&domain.Event{Source: first.Source, Data: &domain.RecordRetracted{Common: c, Record: standing.Name, Amends: standing.Event, Reason: reason}})
	}
	types := []domain.Type{domain.TypeRaidConducted, domain.TypeArrestMade, domain.TypeCaseRegistered, domain.TypeRecoveryMade}
	replacement := a.data(slices.Index(types, first.Type))
	return a.keep(&domain.Event{Source: first.Source, Data: &domain.RecordCorrected{Common: c, Record: standing.Name, Amends: standing.Event, Replacement: replacement, Reason: reason}})
}

// data are random, of a raid, an arrest, a case or a recovery.
func (a *auditor) data(which int) domain.Data {
	c := domain.Common{Occurred: period(a.draw("2025-02-27", "2025-03-01", "2025-03", "2024", "2024-12/2025-01", "unknown", "2024/..", "../2025-02-03")), Place: domain.Location{City: a.draw("", "Karachi", "Lahore")}}
	if r := a.draw("", "2025-03-02", "2025-02"); r != "" {
		c.Reported = period(r)
	}
	links := func(kind string) (list []domain.Link) {
		for range rapid.IntRange(0, 2).Draw(a.rt, "links") {
			if l := domain.Link(a.draw("1", "2", kind+"/nccia/lahore/3")); !slices.Contains(list, l) {
				list = append(list, l)
			}
		}
		return list
	}
	switch which {
	case 0:
		return &domain.RaidConducted{Common: c, Premises: domain.CallCentre, Cases: links("case")}
	case 1:
		made := &domain.ArrestMade{Common: c, Persons: domain.Count{N: 2}, Nationality: []domain.Nationality{"PK"}, Cases: links("case")}
		if l := links("raid"); l != nil {
			made.Raid = l[0]
		}
		return made
	case 2:
		return &domain.CaseRegistered{
			Common: c, Registered: period(a.draw("2025-02", "2025", "2024", "2024/2025", "2025-03-01")), Raids: links("raid"),
			Number: a.draw("1", "2", "3", "7/2025", "09/2024", "5/25", "97-A", "", "0", "12/2025"), Station: a.draw("", "Clifton", " clifton", "Saddar"),
		}
	}
	return &domain.RecoveryMade{Common: c, Amount: pkr(rapid.Int64Range(0, 9).Draw(a.rt, "rupees")), Memo: a.draw("", "M-1", "not-given")}
}

// members are the records that are one action with record i and stand.
func (w *world) members(i int) (list []int) {
	group := map[int]bool{i: true}
	for range w.matches {
		for _, pair := range w.matches {
			if group[pair[0]] || group[pair[1]] {
				group[pair[0]], group[pair[1]] = true, true
			}
		}
	}
	for _, j := range slices.Sorted(maps.Keys(group)) {
		if !w.records[j].retracted {
			list = append(list, j)
		}
	}
	return list
}

// linked tells whether a link from one record to another is there: made by what
// was recorded after the last event that took it back.
func (a *auditor) linked(w *world, from, to int) bool {
	name := func(i int) string { return w.records[i].name.String() }
	var made bool
	for _, l := range a.log {
		switch d := l.data.(type) {
		case *domain.RecordLinked:
			made = made || d.From.String() == name(from) && d.To.String() == name(to)
		case *domain.RecordUnlinked:
			if d.From.String() == name(from) && d.To.String() == name(to) {
				made = false
			}
		}
	}
	return made || a.says(w, from, to)
}

// says tells whether the version that stands of one record links to another,
// and no unlinking came after it.
func (a *auditor) says(w *world, from, to int) bool {
	r, made := w.records[from], false
	for _, l := range a.log {
		if l.fact != nil && l.record.String() == r.name.String() {
			made = slices.ContainsFunc(linksOf(l.fact, r.name.Diary), func(n domain.RecordName) bool { return n.String() == w.records[to].name.String() })
		}
		if d, ok := l.data.(*domain.RecordUnlinked); ok && d.From.String() == r.name.String() && d.To.String() == w.records[to].name.String() {
			made = false
		}
	}
	return made
}

// about is how a record stands to a question: "in", "unplaced", "unsaid", or ""
// where it is out of it.
func (a *auditor) about(w *world, r record, q Query, measures ...Measure) string {
	m := measureOf(r.data.Type())
	if m == 0 || len(measures) > 0 && m != measures[0] {
		return ""
	}
	from, to, dated := a.m.when(r, q.Clock)
	first, last := domain.MinDay, domain.MaxDay
	if !q.Period.IsZero() {
		first, last = q.Period.Days(a.m.zone)
	}
	if dated && (to < first || from > last) {
		return ""
	}
	for _, f := range q.Where {
		if values := w.values(r, f.Dimension); !f.allows(values) {
			if len(values) == 0 {
				return "unsaid"
			}
			return ""
		}
	}
	if !q.Period.IsZero() && (!dated || from < first || to > last) {
		return "unplaced"
	}
	return "in"
}

// counted are the indexes of the records that are asked about.
func (a *auditor) counted(w *world, q Query, measures ...Measure) (list []int) {
	for i, r := range w.records {
		if members := w.members(i); len(members) > 0 && members[0] == i && a.about(w, r, q, measures...) == "in" {
			list = append(list, i)
		}
	}
	return list
}

// recountRaids tells which raids lack what.
func (a *auditor) recountRaids(w *world, q Query, lack Outcome) (lines []string) {
	for _, i := range a.counted(w, q, Raids) {
		cases, arrests, through := map[int]bool{}, map[int]bool{}, map[int]bool{}
		tied := func(j int, visit func(int)) {
			for k, other := range w.records {
				if !other.retracted && (a.linked(w, j, k) || a.linked(w, k, j)) {
					visit(k)
				}
			}
		}
		kind := func(k int) domain.Kind { return w.records[k].data.Type().Kind() }
		for _, j := range w.members(i) {
			tied(j, func(k int) {
				cases[k], arrests[k] = kind(k) == "case", kind(k) == "arrest"
			})
		}
		for k, is := range arrests {
			if is {
				for _, j := range w.members(k) {
					tied(j, func(c int) { through[c] = kind(c) == "case" && !cases[c] })
				}
			}
		}
		count := func(set map[int]bool) (n int) {
			for _, is := range set {
				if is {
					n++
				}
			}
			return n
		}
		if (lack&ACase == 0 || count(cases)+count(through) == 0) && (lack&AnArrest == 0 || count(arrests) == 0) {
			lines = append(lines, fmt.Sprint(w.records[i].name, " ", count(cases), " ", count(arrests), " ", count(through)))
		}
	}
	return lines
}

// recountMemos tells which recoveries name no memo.
func (a *auditor) recountMemos(w *world, q Query) (lines []string) {
	for _, i := range a.counted(w, q, Recovered) {
		if !slices.ContainsFunc(w.members(i), func(j int) bool { return w.records[j].data.(*domain.RecoveryMade).Memo == "M-1" }) {
			lines = append(lines, w.records[i].name.String())
		}
	}
	return lines
}

// recountGaps goes through the numbers one by one.
func (a *auditor) recountGaps(w *world, q Query) (lines []string) {
	have, withdrawn, asked := map[string]map[int]map[int]bool{}, map[string]map[int]bool{}, map[string]bool{}
	sequence := func(r record) (key string, number int) {
		c := r.data.(*domain.CaseRegistered)
		from, to := c.Registered.Days(a.m.zone)
		year, _, _ := from.Date()
		if last, _, _ := to.Date(); last != year {
			return "", 0
		}
		digits, own, _ := strings.Cut(c.Number, "/")
		number, err := strconv.Atoi(digits)
		if err != nil || number == 0 || own != "" && own != fmt.Sprint(year) && own != fmt.Sprint(year%100) {
			return "", 0
		}
		return fmt.Sprint(r.name.Diary, " ", strings.ToLower(strings.TrimSpace(c.Station)), " ", year), number
	}
	apart := 0
	for _, i := range a.counted(w, Query{}, Cases) {
		in := a.about(w, w.records[i], q) == "in"
		for _, j := range w.members(i) {
			key, n := sequence(w.records[j])
			switch {
			case key != "":
				if have[key] == nil {
					have[key] = map[int]map[int]bool{}
				}
				if have[key][n] == nil {
					have[key][n] = map[int]bool{}
				}
				have[key][n][i] = true
				asked[key] = asked[key] || in
			case i == j && in:
				apart++
			}
		}
	}
	for _, r := range w.records {
		if _, ok := r.data.(*domain.CaseRegistered); ok && r.retracted {
			key, n := sequence(r)
			if withdrawn[key] == nil {
				withdrawn[key] = map[int]bool{}
			}
			withdrawn[key][n] = true
			asked[key] = asked[key] || key != "" && a.about(w, r, q) == "in"
		}
	}
	for _, key := range slices.Sorted(maps.Keys(asked)) {
		numbers := slices.Sorted(maps.Keys(have[key]))
		numbers = append(numbers, slices.Sorted(maps.Keys(withdrawn[key]))...)
		if !asked[key] {
			continue
		}
		line := key + ":"
		for n := 1; n <= slices.Max(numbers); n++ {
			switch {
			case len(have[key][n]) > 1:
				line += fmt.Sprint(" ", n, "x", len(have[key][n]))
			case len(have[key][n]) == 1:
			case withdrawn[key][n]:
				line += fmt.Sprint(" ", n, "w")
			case n < slices.Min(numbers):
				line += fmt.Sprint(" ", n, "b")
			default:
				line += fmt.Sprint(" ", n)
			}
		}
		lines = append(lines, line)
	}
	return append(sorted(lines), fmt.Sprint(apart, " apart"))
}

// toldGaps is what Gaps found, as recountGaps tells it.
func toldGaps(g *NumberGaps) (lines []string) {
	for _, y := range g.Years {
		marks := map[int]string{}
		for mark, ranges := range map[string][]NumberRange{"": y.Missing, "w": y.Withdrawn, "b": y.Before} {
			for _, r := range ranges {
				for n := r.From; n <= r.To; n++ {
					marks[n] += mark
				}
			}
		}
		for _, r := range y.Repeated {
			marks[r.Number] += fmt.Sprint("x", len(r.Cases))
		}
		line := fmt.Sprint(y.Diary, " ", strings.ToLower(y.Station), " ", y.Year, ":")
		for _, n := range slices.Sorted(maps.Keys(marks)) {
			line += fmt.Sprint(" ", n, marks[n])
		}
		lines = append(lines, line)
	}
	return append(sorted(lines), fmt.Sprint(len(g.Apart), " apart"))
}

// recountDelays lists every delay of each city, and of all.
func (a *auditor) recountDelays(w *world, q Query) (lines []string) {
	rows := map[string][]int{}
	left := map[string][2]int{}
	for _, i := range a.counted(w, q) {
		r := w.records[i]
		labels := append(w.values(r, City), "total")
		if len(labels) == 1 {
			labels = append(labels, domain.NotGiven)
		}
		_, to, _ := a.m.when(r, q.Clock)
		at := slices.IndexFunc(a.log, func(l logged) bool { return l.change == domain.Created && l.record.String() == r.name.String() })
		day := domain.DayOf(a.log[at].recorded, a.m.zone)
		for _, label := range labels {
			counts := left[label]
			switch {
			case to == domain.MaxDay:
				counts[0]++
			case to > day:
				counts[1]++
			default:
				rows[label] = append(rows[label], int(day-to))
			}
			left[label] = counts
		}
	}
	for _, label := range slices.Sorted(maps.Keys(left)) {
		days := rows[label]
		line := fmt.Sprint(label, " ", len(days), " ", left[label])
		if len(days) > 0 {
			line += fmt.Sprint(" ", leastFor(days, 1, 2), " ", leastFor(days, 9, 10), " ", slices.Max(days))
		}
		lines = append(lines, line)
	}
	return lines
}

// leastFor is the least delay that a part of all days do not exceed.
func leastFor(days []int, part, of int) int {
	for least := 0; ; least++ {
		within := 0
		for _, d := range days {
			if d <= least {
				within++
			}
		}
		if within*of >= part*len(days) {
			return least
		}
	}
}

func toldDelays(d *Delays) (lines []string) {
	for _, row := range append(slices.Clone(d.Rows), d.Total) {
		label := strings.Join(row.Labels, "/")
		if label == "" {
			label = "total"
		}
		line := fmt.Sprint(label, " ", row.Facts, " ", [2]int{row.Undated, row.Ahead})
		if row.Facts > 0 {
			line += fmt.Sprint(" ", row.Median, " ", row.Ninetieth, " ", row.Longest)
		}
		if label != "total" || row.Facts+row.Undated+row.Ahead > 0 {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}

// recountAuthors lists every amendment that is asked about.
func (a *auditor) recountAuthors(w *world, q Query) (lines []string) {
	fits := func(n domain.RecordName, at int) bool {
		if q.Period.IsZero() && len(q.Where) == 0 {
			return true
		}
		before, after := -1, -1 // the version before, and the one made here or, of a record that comes later, then
		for i, l := range a.log {
			switch {
			case l.fact == nil || l.record.String() != n.String():
			case i < at:
				before = i
			case i == at || before < 0 && after < 0:
				after = i
			}
		}
		return slices.ContainsFunc([]int{before, after}, func(i int) bool {
			return i >= 0 && a.about(w, record{name: n, data: a.log[i].fact}, q) == "in"
		})
	}
	for i, l := range a.log {
		records, reason := []domain.RecordName{l.record}, domain.Reason("")
		kind := map[domain.Change]string{domain.Corrected: "correction", domain.Retracted: "retraction", domain.Reinstated: "reinstatement", domain.Matched: "match"}[l.change]
		switch d := l.data.(type) {
		case *domain.RecordCorrected:
			reason = d.Reason
		case *domain.RecordRetracted:
			reason = d.Reason
		case *domain.RecordLinked:
			kind, records = "link", []domain.RecordName{d.From, d.To}
		case *domain.RecordUnlinked:
			kind, records = "unlink", []domain.RecordName{d.From, d.To}
		case *domain.RecordMatched:
			records = []domain.RecordName{d.Record, d.SameAs}
		default:
			continue
		}
		if slices.ContainsFunc(records, func(n domain.RecordName) bool { return fits(n, i) }) {
			lines = append(lines, fmt.Sprintf("%v %s %s %s %s %s", l.at, kind, records, l.source, l.data.Shared().By, reason))
		}
	}
	return lines
}

func (a *auditor) compare(what string, q Query, got, want []string) {
	if !slices.Equal(got, want) {
		a.rt.Errorf("%s at entry %d, %+v:\n%s\na recount says\n%s", what, a.reg.Last(), q, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func (a *auditor) check(err error) {
	if err != nil {
		a.rt.Fatal(err)
	}
}

// ask holds every question against a recount, as known now.
func (a *auditor) ask(q Query) {
	w := a.m.entries[a.reg.Last()]
	lack := Outcome(rapid.IntRange(1, 3).Draw(a.rt, "lack"))
	raids, err := a.totals.RaidsWithout(q, lack, a.links, a.reg)
	a.check(err)
	var got []string
	for _, r := range raids.Raids {
		got = append(got, fmt.Sprint(r.Record, " ", r.Cases, " ", r.Arrests, " ", r.Through))
	}
	a.compare("raids", q, sorted(got), sorted(a.recountRaids(&w, q, lack)))
	memos, err := a.totals.WithoutMemo(q, Recovered, a.memos, a.reg)
	a.check(err)
	got = nil
	for _, r := range memos.Found {
		got = append(got, r.Record)
	}
	a.compare("memos", q, sorted(got), sorted(a.recountMemos(&w, q)))
	gaps, err := a.totals.Gaps(q, a.numbers, a.reg)
	a.check(err)
	a.compare("gaps", q, toldGaps(gaps), a.recountGaps(&w, q))
	q.By = []Dimension{City}
	delays, err := a.totals.Delays(q, a.arrivals, a.reg)
	a.check(err)
	a.compare("delays", q, toldDelays(delays), a.recountDelays(&w, q))
	amended, err := a.totals.Authored(q, a.authors, a.reg)
	a.check(err)
	got = nil
	for _, one := range amended.List {
		records := []string{one.Record}
		if one.Other != "" {
			records = append(records, one.Other)
		}
		got = append(got, fmt.Sprintf("%v %s %s %s %s %s", one.Position, one.Kind, records, one.Diary, one.By, one.Reason))
	}
	a.compare("amendments", q, got, a.recountAuthors(&w, q))
	if total := amended.Total; total.Corrections+total.Retractions+total.Reinstatements+total.Matches+total.Links+total.Unlinks != len(got) {
		a.rt.Errorf("the total is %+v of %d amendments", total, len(got))
	}
	for what, asked := range map[string]Asked{"raids": raids.Asked, "delays": delays.Asked} {
		var want [2]int
		for i, r := range w.records {
			if members := w.members(i); len(members) == 0 || members[0] != i || what == "raids" && measureOf(r.data.Type()) != Raids {
				continue
			}
			switch a.about(&w, r, q) {
			case "unplaced":
				want[0]++
			case "unsaid":
				want[1]++
			}
		}
		if asked.Unplaced != want[0] || asked.Unsaid != want[1] {
			a.rt.Errorf("%s leave out %d and %d, a recount %v", what, asked.Unplaced, asked.Unsaid, want)
		}
	}
}

func sorted(lines []string) []string { slices.Sort(lines); return lines }

// Random histories of raids, arrests, cases and recoveries, linked, amended and
// matched: at every entry, an auditor's questions are answered as a count from
// scratch answers them.
func TestAuditAgreesWithARecount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := newAuditor(t)
		for range rapid.IntRange(1, 25).Draw(t, "entries") {
			a.write()
			q := Query{Clock: Clock(rapid.IntRange(0, 1).Draw(t, "clock"))}
			if p := a.draw("", "", "2025-02", "2025", "../2025-03"); p != "" {
				q.Period = period(p)
			}
			if rapid.IntRange(0, 2).Draw(t, "narrowed") == 0 {
				q.Where, _ = ParseFilters("city=Karachi")
			}
			a.ask(q)
		}
	})
}
