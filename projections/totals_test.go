package projections

import (
	"testing"

	"roznamcha/domain"
)

// The published report that the design draws: by city, with what it does not
// give.
func TestTheFirstTable(t *testing.T) {
	b := newBook(t)
	const when = "2024-01/2025-06"
	n := 0
	id := func() string { n++; return string(rune('a'+n%26)) + string(rune('a'+n/26)) }
	for city, raids := range map[string]int{"Karachi": 19, "Islamabad": 17, "Lahore": 11, "Rawalpindi": 8, "Faisalabad": 7, "Multan": 1} {
		for range raids {
			b.write(raid(karachi, id(), city, when))
		}
	}
	b.write(
		arrest(karachi, "n", "", when, 195, "PK"),
		arrest(karachi, "i", "Islamabad", when, 183, "foreign"),
		arrest(karachi, "f", "Faisalabad", when, 72, "foreign"),
	)
	for range 53 {
		b.write(event(karachi, id(), &domain.CaseRegistered{Registered: period(when)}))
	}
	b.write(
		event(karachi, "loss", &domain.LossAlleged{Common: common("", when), Amount: domain.Amount{Minor: 7_200_000_000, Currency: "PKR", Qualifier: domain.AtLeast}}),
		recovery(karachi, "recovery", "", when, domain.Amount{Minor: 4_000_000_000, Currency: "PKR", Qualifier: domain.AtLeast}),
	)
	table := b.ask("", "city", "", during(when))
	shows(t, table, `
		city | raids | arrests national† | arrests foreign | arrests all† | cases† | alleged PKR† | recovered PKR†
		Karachi | 19 | — | 0 | — | — | — | —
		Islamabad | 17 | — | 183 | 183 | — | — | —
		Lahore | 11 | — | 0 | — | — | — | —
		Rawalpindi | 8 | — | 0 | — | — | — | —
		Faisalabad | 7 | — | 72 | 72 | — | — | —
		Multan | 1 | — | 0 | — | — | — | —
		not given | 0 | 195 | 0 | 195 | 53 | ≥ 72,000,000 | ≥ 40,000,000
		total | 63 | 195 | 255 | 450 | 53 | ≥ 72,000,000 | ≥ 40,000,000
		— not given · † some facts name no city: cells may be too low
	`)
	if text, why := Ratio(table.Rows[0].Cells[0], table.Total.Cells[0]); text != "30.2 %" {
		t.Errorf("Karachi's share is %q (%s)", text, why)
	}
	if text, why := Ratio(table.Total.Cells[6], table.Total.Cells[5]); text != "" || why != "two lower bounds" {
		t.Errorf("the recovery rate is %q (%s)", text, why)
	}
}

// A correction moves a fact, a retraction takes it out, a correction of the
// retraction brings it back; at every entry the table is as it was.
func TestAmendments(t *testing.T) {
	b := newBook(t)
	first := arrest(karachi, "1", "Karachi", "2025-06-03", 5, "CN")
	recorded := b.write(first)
	corrected := b.write(b.correct(first, arrest(karachi, "1", "Lahore", "2025-06-03", 7, "CN").Data))
	retracted := b.write(b.retract(first))
	reinstated := b.write(b.correct(first, arrest(karachi, "1", "Karachi", "2025-07", 6, "PK").Data))
	for entry, want := range map[uint64]string{
		recorded - 1: "city | arrests\ntotal | 0",
		recorded:     "city | arrests\nKarachi | 5\ntotal | 5",
		corrected:    "city | arrests\nLahore | 7\ntotal | 7",
		retracted:    "city | arrests\ntotal | 0",
		reinstated:   "city | arrests\nKarachi | 6\ntotal | 6",
	} {
		shows(t, b.ask("arrests", "city", "", asOf(entry)), want)
	}
	shows(t, b.ask("national,foreign,arrests", "month", "", asOf(corrected)), `
		month | arrests national | arrests foreign | arrests all
		2025-06 | 0 | 7 | 7
		total | 0 | 7 | 7`)
	shows(t, b.ask("national,foreign,arrests", "month", ""), `
		month | arrests national | arrests foreign | arrests all
		2025-07 | 6 | 0 | 6
		total | 6 | 0 | 6`)
}

// Amendments within the entry that recorded the fact: only the last is seen.
func TestAmendmentsInOneEntry(t *testing.T) {
	b := newBook(t)
	first := raid(karachi, "1", "Karachi", "2025-06-03")
	lines := []string{b.line(first)}
	lines = append(lines, "", b.line(&domain.Event{Source: karachi, Data: &domain.RecordCorrected{
		Record: first.Record(), Amends: first.ID, Replacement: raid(karachi, "1", "Lahore", "2025-06-03").Data, Reason: domain.WrongPlace,
	}}))
	if got := b.lines(lines...); got[0].Verdict != domain.Accepted || got[1].Verdict != domain.Accepted {
		t.Fatal(got)
	}
	shows(t, b.ask("raids", "city", ""), "city | raids\nLahore | 1\ntotal | 1")
}

// Of matched records the first recorded that is not retracted counts, however
// they came to be matched, and at every entry as it was then.
func TestMatches(t *testing.T) {
	b := newBook(t)
	one := raid(karachi, "1", "Karachi", "2025-06-03")
	two := raid(lahore, "2", "Lahore", "2025-06-03")
	three := raid(wing, "3", "Multan", "2025-06-03")
	b.write(one)
	b.write(two)
	all := b.write(three)
	check := func(want string) uint64 {
		t.Helper()
		table := b.ask("raids", "city", "")
		shows(t, table, want)
		return b.reg.Last()
	}
	check("city | raids\nKarachi | 1\nLahore | 1\nMultan | 1\ntotal | 3")
	b.write(match(three, two)) // the later named first
	check("city | raids\nKarachi | 1\nLahore | 1\ntotal | 2")
	b.write(match(two, one)) // a chain
	chained := check("city | raids\nKarachi | 1\ntotal | 1")
	b.write(match(three, one)) // nothing new
	check("city | raids\nKarachi | 1\ntotal | 1")
	b.write(b.retract(one)) // the next counts
	next := check("city | raids\nLahore | 1\ntotal | 1")
	b.write(b.correct(three, raid(wing, "3", "Quetta", "2025-06-03").Data)) // unseen
	check("city | raids\nLahore | 1\ntotal | 1")
	b.write(b.correct(two, raid(lahore, "2", "Kasur", "2025-06-03").Data))
	check("city | raids\nKasur | 1\ntotal | 1")
	b.write(b.retract(two)) // the last, as it was corrected unseen
	check("city | raids\nQuetta | 1\ntotal | 1")
	b.write(b.correct(one, raid(karachi, "1", "Thatta", "2025-06-03").Data)) // back, and first again
	check("city | raids\nThatta | 1\ntotal | 1")
	b.write(b.correct(two, raid(lahore, "2", "Okara", "2025-06-03").Data)) // back, unseen
	check("city | raids\nThatta | 1\ntotal | 1")
	b.write(b.retract(one))
	check("city | raids\nOkara | 1\ntotal | 1")
	b.write(b.retract(two))
	b.write(b.retract(three))
	check("city | raids\ntotal | 0")
	b.write(b.correct(three, raid(wing, "3", "Sibi", "2025-06-03").Data))
	check("city | raids\nSibi | 1\ntotal | 1")

	shows(t, b.ask("raids", "city", "", asOf(all)), "city | raids\nKarachi | 1\nLahore | 1\nMultan | 1\ntotal | 3")
	shows(t, b.ask("raids", "city", "", asOf(chained)), "city | raids\nKarachi | 1\ntotal | 1")
	shows(t, b.ask("raids", "city", "", asOf(next)), "city | raids\nLahore | 1\ntotal | 1")
}

// Records that were matched after one was retracted, and two groups that become
// one.
func TestMatchesOfWhatWasRetracted(t *testing.T) {
	b := newBook(t)
	var raids []*domain.Event
	for i, city := range []string{"A", "B", "C", "D"} {
		raids = append(raids, raid([]domain.Diary{karachi, lahore}[i%2], string(rune('1'+i)), city, "2025"))
	}
	b.write(raids...)
	b.write(b.retract(raids[0]))
	b.write(match(raids[0], raids[1]))
	shows(t, b.ask("raids", "city", ""), "city | raids\nB | 1\nC | 1\nD | 1\ntotal | 3")
	b.write(match(raids[3], raids[2]))
	shows(t, b.ask("raids", "city", ""), "city | raids\nB | 1\nC | 1\ntotal | 2")
	b.write(match(raids[0], raids[3]))
	shows(t, b.ask("raids", "city", ""), "city | raids\nB | 1\ntotal | 1")
	b.write(b.correct(raids[0], raids[0].Data))
	shows(t, b.ask("raids", "city", ""), "city | raids\nA | 1\ntotal | 1")
}

// What the totals keep for later questions: a row that a record took up again
// names the row of its version.
func TestTakenUpRowsNameTheirVersion(t *testing.T) {
	b := newBook(t)
	one, two := raid(karachi, "1", "Karachi", "2025"), raid(lahore, "2", "Lahore", "2025")
	b.write(one, two)
	b.write(match(one, two))
	b.write(b.retract(one))
	b.write(b.correct(one, one.Data))
	b.write(b.retract(one))
	rows := &b.totals.rows
	if rows.len != 5 { // two versions, two taken up, one reinstated
		t.Fatalf("%d rows", rows.len)
	}
	for _, copied := range b.totals.copied {
		n, version := copied.row, copied.version
		if version != 1 || rows.at(n).record != rows.at(1).record || rows.at(n).opened == rows.at(1).opened {
			t.Errorf("row %d is a copy of row %d", n, version)
		}
	}
	if len(b.totals.copied) != 2 {
		t.Errorf("%d rows are copies", len(b.totals.copied))
	}
}

// A period counts what lies wholly inside; what overlaps it partly or is
// undated is unplaced, below the total. Without a period everything counts.
func TestPeriods(t *testing.T) {
	b := newBook(t)
	for i, occurred := range []string{
		"2024-12-31", "2025-01-01", "2025-06-30", "2025-07-01", "2025-05", "2025", "2025-06/2025-07",
		"unknown", "../2025-03-01", "2025-03-01/..", "../2024-12-31", "2024-06/2026-01",
		"2025-06-30T23:30:00Z", // 1 July in Karachi
		"2024-12-31T20:00:00Z", // 1 January in Karachi
	} {
		b.write(raid(karachi, string(rune('a'+i)), "", occurred))
	}
	shows(t, b.ask("raids", "", ""), "raids\ntotal | 14")
	shows(t, b.ask("raids", "", "", during("2025-01/2025-06")), `
		raids
		total | 4
		unplaced | 6
		unplaced: undated, or only partly in the period; not in the total`)
	shows(t, b.ask("raids", "", "", during("../2025-06")), `
		raids
		total | 7
		unplaced | 5
		unplaced: undated, or only partly in the period; not in the total`)
	table := b.ask("raids", "", "", during("2026"))
	shows(t, table, `
		raids
		total | 0
		unplaced | 3
		unplaced: undated, or only partly in the period; not in the total`)
	if got, want := table.Title(), "occurred 2026 (Asia/Karachi) · as known at entry 15"; got != want {
		t.Errorf("title %q, want %q", got, want)
	}
}

// By reported, the same holds for when the source told of it.
func TestReportedClock(t *testing.T) {
	b := newBook(t)
	for i, reported := range []string{"2025-06-10", "2025-07", ""} {
		b.write(event(karachi, string(rune('a'+i)), &domain.RaidConducted{Common: common("", "2025-05"), Premises: domain.CallCentre}, func(d *domain.RaidConducted) {
			if reported != "" {
				d.Reported = period(reported)
			}
		}))
	}
	reported := func(q *Query) { q.Clock = Reported }
	shows(t, b.ask("raids", "", "", reported), "raids\ntotal | 3")
	shows(t, b.ask("raids", "", "", reported, during("2025-06")), `
		raids
		total | 1
		unplaced | 1
		unplaced: undated, or only partly in the period; not in the total`)
	shows(t, b.ask("raids", "month", "", reported), `
		month | raids†
		2025-06 | 1
		2025-07 | 1
		in no one month | 1
		total | 3
		† some facts lie in no one month: cells may be too low`)
}

// A case counts by when it was registered, whatever occurred says.
func TestCasesCountByRegistration(t *testing.T) {
	b := newBook(t)
	b.write(event(karachi, "1", &domain.CaseRegistered{Common: common("", "2024-05"), Registered: period("2025-02-01")}))
	shows(t, b.ask("cases", "month", ""), "month | cases\n2025-02 | 1\ntotal | 1")
}

// By year, quarter and month a fact must lie wholly in one; else it stands in a
// row of its own within the total.
func TestTimes(t *testing.T) {
	b := newBook(t)
	for i, occurred := range []string{"2015-09-30", "2015-10-01", "2016-09", "2016-10/2016-12", "2015", "2016-Q", "unknown", "../2015-01-01"} {
		if occurred == "2016-Q" {
			occurred = "2016-12-31/2017-01-01"
		}
		b.write(raid(karachi, string(rune('a'+i)), "", occurred))
	}
	shows(t, b.ask("raids", "year", ""), `
		year | raids†
		2015 | 3
		2016 | 2
		in no one year | 3
		total | 8
		† some facts lie in no one year: cells may be too low`)
	october := func(q *Query) { q.YearStarts = 10 }
	shows(t, b.ask("raids", "year", "", october), `
		year | raids†
		2014-10/2015-09 | 1
		2015-10/2016-09 | 2
		2016-10/2017-09 | 2
		in no one year | 3
		total | 8
		† some facts lie in no one year: cells may be too low`)
	shows(t, b.ask("raids", "quarter", "year=2015|2016"), `
		quarter | raids†
		2015-Q3 | 1
		2015-Q4 | 1
		2016-Q3 | 1
		2016-Q4 | 1
		in no one quarter | 1
		total | 5
		† some facts lie in no one quarter: cells may be too low · † some facts lie in no one year: the filter leaves them out, cells may be too low`)
	shows(t, b.ask("raids", "quarter", "year=2015-10/2016-09", october), `
		quarter | raids†
		2015-10/2015-12 | 1
		2016-07/2016-09 | 1
		total | 2
		† some facts lie in no one year: the filter leaves them out, cells may be too low`)
	shows(t, b.ask("raids[year=2015],raids[month=in no one month],raids", "", ""), `
		raids year=2015† | raids month=in no one month | raids all
		total | 3 | 5 | 8
		† some facts lie in no one year: the filter leaves them out, cells may be too low`)
	// Inside the period and in no one month: in the total. Partly in the
	// period: below it.
	shows(t, b.ask("raids", "month", "", during("2016")), `
		month | raids†
		2016-09 | 1
		in no one month | 1
		total | 2
		unplaced | 2
		† some facts lie in no one month: cells may be too low
		unplaced: undated, or only partly in the period; not in the total`)
}

// A fact with several values stands in each row and once in the total.
func TestSeveralValues(t *testing.T) {
	b := newBook(t)
	b.write(
		arrest(karachi, "1", "Karachi", "2025", 3, "CN", "NG"),
		arrest(karachi, "2", "Karachi", "2025", 2, "NG"),
		arrest(karachi, "3", "Karachi", "2025", 1, "PK", "CN"),
	)
	shows(t, b.ask("arrests,national,foreign", "nationality", ""), `
		nationality | arrests all | arrests national | arrests foreign
		NG | 5 | 0 | 5
		CN | 4 | 1 | 3
		PK | 1 | 1 | 0
		total | 6 | 1 | 5
		rows overlap: a fact of more than one nationality stands in each row, and once in the total`)
	shows(t, b.ask("arrests", "", "nationality=CN|NG"), "arrests\ntotal | 6")
	shows(t, b.ask("arrests", "", "offence=NG"), `
		arrests†
		total | —
		— not given · † some facts name no offence: the filter leaves them out, cells may be too low
		no fact has offence NG`)
	b.write(event(karachi, "4", &domain.ArrestMade{ // one list must not run on into the next, and a value counts once
		Common: common("Karachi", "2025"), Persons: domain.Count{N: 9}, Nationality: []domain.Nationality{"CN"},
		Offences: []string{"NG", "M\u00e1", "Ma\u0301"},
	}), event(karachi, "5", &domain.ArrestMade{
		Common: common("Karachi", "2025"), Persons: domain.Count{N: 1}, Nationality: []domain.Nationality{"CN"}, Offences: []string{"NG"},
	}))
	shows(t, b.ask("arrests", "offence", "offence=NG"), `
		offence | arrests†
		NG | 10
		Má | 9
		total | 10
		† some facts name no offence: the filter leaves them out, cells may be too low
		rows overlap: a fact of more than one offence stands in each row, and once in the total`)
	shows(t, b.ask("arrests[nationality=PK]", "nationality,class", ""), `
		nationality | class | arrests nationality=PK
		CN | national | 1
		PK | national | 1
		total | 1
		rows overlap: a fact of more than one nationality stands in each row, and once in the total`)
}

// Amounts are apart by currency; one that is not given, or of no known
// currency, is an unknown part of each.
func TestAmounts(t *testing.T) {
	b := newBook(t)
	seized := func(id, city string, a domain.Amount) *domain.Event {
		return event(karachi, id, &domain.PropertySeized{Common: common(city, "2025"), Item: "x", Amount: a})
	}
	usd := domain.Amount{Minor: 10_502_454_824, Currency: "USD"}
	b.write(seized("1", "A", usd))
	shows(t, b.ask("seized", "city", ""), "city | seized USD\nA | 105,024,548.24\ntotal | 105,024,548.24")
	b.write(seized("2", "A", domain.Amount{}), seized("3", "B", domain.Amount{Qualifier: domain.Unknown}))
	shows(t, b.ask("seized", "city", ""), `
		city | seized USD
		A | ≥ 105,024,548.24 · 1 unknown
		B | 1 unknown
		total | ≥ 105,024,548.24 · 2 unknown`)
	b.write(seized("4", "B", domain.Amount{Minor: 700, Currency: "JPY", Qualifier: domain.About}), seized("5", "B", domain.Amount{Currency: "JPY", Qualifier: domain.Unknown}))
	table := b.ask("seized", "city", "")
	shows(t, table, `
		city | seized JPY | seized USD
		B | ≳ 700 · 2 unknown | 1 unknown
		A | 1 unknown | ≥ 105,024,548.24 · 1 unknown
		total | ≳ 700 · 3 unknown | ≥ 105,024,548.24 · 2 unknown`)
	shows(t, b.ask("seized[currency=not-given],seized[currency=JPY]", "", ""), `
		seized currency=not-given | seized currency=JPY JPY†
		total | 2 unknown | ≳ 700 · 1 unknown
		† some facts name no currency: the filter leaves them out, cells may be too low`)
	shows(t, b.ask("forfeited", "", ""), "forfeited\ntotal | 0")
}

// Dimensions of who acted: the diary, unless the event says who else, and today
// their successor.
func TestWhoActed(t *testing.T) {
	b := newBook(t)
	acted := func(id, agency, unit string) *domain.Event {
		return event(wing, id, &domain.RaidConducted{Common: domain.Common{Occurred: period("2025-02-03"), Agency: agency, Unit: unit}, Premises: domain.NotGiven})
	}
	b.write(acted("1", "", ""), acted("2", "police", ""), acted("3", domain.NotGiven, ""), acted("4", "fia", ""), acted("5", "", "hq"))
	shows(t, b.ask("raids", "agency,unit", ""), `
		agency | unit | raids†
		fia | ccw | 2
		fia | hq | 1
		police | not given | 1
		not given | not given | 1
		total | 5
		† some facts name no agency or unit: cells may be too low`)
	before := b.reg.Last()
	took := event(domain.Office, "s1", &domain.AgencySucceeded{Predecessor: "fia", Successor: "ccw", Effective: period("2025-04")})
	b.write(took)
	b.write(event(domain.Office, "s2", &domain.AgencySucceeded{Predecessor: "ccw", Successor: "nccia", Effective: period("2025-04")}))
	shows(t, b.ask("raids", "successor", ""), `
		successor | raids†
		nccia | 3
		police | 1
		not given | 1
		total | 5
		† some facts name no successor: cells may be too low`)
	const noAgency = "\n† some facts name no agency: the filter leaves them out, cells may be too low"
	shows(t, b.ask("raids", "successor", "agency=fia", asOf(before)), "successor | raids†\nfia | 3\ntotal | 3"+noAgency)
	shows(t, b.ask("raids", "", "successor=nccia|not-given"), "raids\ntotal | 4")
	shows(t, b.ask("raids", "", "successor=nccia", asOf(before)), `
		raids†
		total | —
		— not given · † some facts name no successor: the filter leaves them out, cells may be too low
		no fact has successor nccia`)
	b.write(b.retract(took))
	shows(t, b.ask("raids", "successor", "agency=fia"), "successor | raids†\nfia | 3\ntotal | 3"+noAgency)
	b.write(b.correct(took, took.Data))
	shows(t, b.ask("raids", "successor", "agency=fia"), "successor | raids†\nnccia | 3\ntotal | 3"+noAgency)
	b.write(event(domain.Office, "s3", &domain.AgencySucceeded{Predecessor: "nccia", Successor: "fia", Effective: period("2026")}))
	for _, agency := range []string{"fia", "ccw", "nccia", "police"} {
		if got, want := b.totals.successions.at(open).Of(agency), b.reg.Successor(agency); got != want {
			t.Errorf("in a circle, %s is followed by %s, the register says %s", agency, got, want)
		}
	}
}

// A fact that straddles a succession and names no agency is not given by agency,
// from the moment on that both are known; and its successor answers for it.
func TestWhatStraddlesASuccession(t *testing.T) {
	amendments := NewAmendments()
	b := newBook(t, amendments)
	straddles := raid(karachi, "1", "", "2024-01/2025-06")
	took := event(domain.Office, "s1", &domain.AgencySucceeded{Predecessor: "fia", Successor: "nccia", Effective: period("2025-04")})
	shown := func(want string, asOf uint64) {
		t.Helper()
		shows(t, b.ask("raids", "agency", "", func(q *Query) { q.AsOf = asOf }), want)
	}
	named := raid(karachi, "2", "", "2024-01/2025-06")
	named.Data.Shared().Agency = "nccia"
	b.write(straddles, named, raid(karachi, "3", "", "2024-01/2025-03"), raid(karachi, "4", "", "2025-04/2025-06"), raid(karachi, "5", "", "2024/.."), raid(karachi, "6", "", "unknown"))
	b.write(took)
	other := raid(wing, "7", "", "2025-03-31/2025-04-01")
	b.write(other)
	shown("agency | raids\nnccia | 6\ntotal | 6", 2)
	note := "\n† some facts name no agency: cells may be too low"
	shown("agency | raids†\nnccia | 5\nnot given | 1\ntotal | 6"+note, 3)
	shown("agency | raids†\nnccia | 5\nnot given | 2\ntotal | 7"+note, 4)
	shows(t, b.ask("raids", "successor", ""), "successor | raids\nnccia | 7\ntotal | 7")
	e, err := b.totals.Explain(Query{Columns: []Column{{Measure: Raids}}, Where: []Filter{{Agency, []string{domain.NotGiven}}}}, false)
	if err != nil || len(e.Parts) != 2 || e.Parts[0].Position != (domain.Position{Entry: 2, Line: 1}) || e.Parts[0].Since.Entry != 3 || e.Parts[1].Since.Entry != 0 {
		t.Errorf("explained by %+v, %v", e, err)
	}
	d, err := b.totals.Diff(Query{Columns: []Column{{Measure: Raids}}, By: []Dimension{Agency}}, amendments, 2, 3)
	if err != nil || len(d.Cells) != 2 || d.Cells[0].Parts[0].Kind != Succession || d.Cells[0].Parts[0].Change.Value != -1 {
		t.Errorf("the difference is %+v, %v", d, err)
	}
	b.write(b.retract(took))
	shown("agency | raids\nnccia | 6\nfia | 1\ntotal | 7", 0)
	b.write(b.correct(took, &domain.AgencySucceeded{Predecessor: "fia", Successor: "nccia", Effective: period("2025-06")}))
	shown("agency | raids†\nnccia | 4\nfia | 1\nnot given | 2\ntotal | 7"+note, 0)
	shown("agency | raids†\nnccia | 5\nnot given | 2\ntotal | 7"+note, 4)
	// What does not count is moved, too: it may count again.
	b.write(match(straddles, other))
	b.write(b.correct(took, took.Data))
	b.write(b.retract(straddles))
	shown("agency | raids†\nnccia | 5\nnot given | 1\ntotal | 6"+note, 0)
	b.write(b.retract(took))
	shown("agency | raids\nnccia | 5\nfia | 1\ntotal | 6", 0)
}

// Successions that go round hold for nobody, and a table says so.
func TestSuccessionsThatGoRound(t *testing.T) {
	b := newBook(t)
	b.write(raid(karachi, "1", "", "2024-01/2025-06"), raid(wing, "2", "", "2025-02-03"))
	b.write(event(domain.Office, "s1", &domain.AgencySucceeded{Predecessor: "fia", Successor: "nccia", Effective: period("2025-04")}))
	b.write(event(domain.Office, "s2", &domain.AgencySucceeded{Predecessor: "nccia", Successor: "fia", Effective: period("2025-04")}))
	shows(t, b.ask("raids", "successor", ""), `
		successor | raids
		fia | 1
		nccia | 1
		total | 2
		successions go round: fia → nccia → fia; each answers for itself`)
	shows(t, b.ask("raids", "agency", ""), "agency | raids\nfia | 1\nnccia | 1\ntotal | 2")
}

// Correcting the first of two successions of one agency does not put it last.
func TestASuccessionKeepsItsPlace(t *testing.T) {
	b := newBook(t)
	b.write(raid(wing, "2", "", "2025-02-03"))
	first := event(domain.Office, "s1", &domain.AgencySucceeded{Predecessor: "fia", Successor: "nccia", Effective: period("2025-04")})
	b.write(first)
	b.write(event(domain.Office, "s2", &domain.AgencySucceeded{Predecessor: "fia", Successor: "anf", Effective: period("2025-04")}))
	b.write(b.correct(first, &domain.AgencySucceeded{Predecessor: "fia", Successor: "nccia", Effective: period("2025-05")}))
	shows(t, b.ask("raids", "successor", ""), "successor | raids\nanf | 1\ntotal | 1")
}

// Every other dimension, as written, trimmed and in one normal form.
func TestStoredDimensions(t *testing.T) {
	b := newBook(t)
	b.write(event(karachi, "1", &domain.ArrestMade{
		Common: domain.Common{
			Occurred: period("2025"), Operation: "Grey",
			Place: domain.Location{Country: "PK", Subdivision: "Sindh", City: "M\u00e1laga"}, // one code point
		},
		Persons: domain.Count{N: 2, Qualifier: domain.About}, Nationality: []domain.Nationality{"unknown"},
		Sex: domain.Female, Offences: []string{"fraud", "forgery"},
	}))
	b.write(
		event(karachi, "2", &domain.RaidConducted{Common: common("Ma\u0301laga", "2025"), Premises: domain.CallCentre}), // two
		event(karachi, "3", &domain.RecoveryMade{Common: common("M\u00e1laga", "2025"), Form: domain.Cash, Amount: pkr(7)}),
	)
	for _, c := range []struct{ by, columns, want string }{
		{"city", "raids,arrests", "M\u00e1laga | 1 | ≈ 2"},
		{"country", "arrests", "PK | ≈ 2"},
		{"subdivision", "arrests", "Sindh | ≈ 2"},
		{"operation", "arrests", "Grey | ≈ 2"},
		{"sex", "arrests", "female | ≈ 2"},
		{"class", "arrests", "unknown | ≈ 2"},
		{"nationality", "arrests", "unknown | ≈ 2"},
		{"offence", "arrests", "forgery | ≈ 2"},
		{"form", "recovered", "cash | 7"},
		{"currency", "recovered", "PKR | 7"},
		{"premises", "raids", "call-centre | 1"},
		{"unit", "raids", "karachi | 1"},
	} {
		table := b.ask(c.columns, c.by, "")
		row := table.Rows[0].Texts()[0]
		for _, cell := range table.Rows[0].Cells {
			row += " | " + cell.Text
		}
		if row != c.want {
			t.Errorf("by %s: the first row is %q, want %q", c.by, row, c.want)
		}
	}
}
