package projections

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"roznamcha/domain"
)

// Rows of several dimensions are sorted by the first, and within it by the
// next: the largest first, what does not say last, times as they run.
func TestRowOrder(t *testing.T) {
	b := newBook(t)
	n := 0
	add := func(city, occurred string, raids int) {
		for range raids {
			n++
			b.write(raid(karachi, fmt.Sprint(n), city, occurred))
		}
	}
	add("B", "2025-02", 1)
	add("B", "2025-01", 1)
	add("C", "2025-01", 2)
	add("A", "2025-03", 3)
	add("A", "2024/2025", 1)
	add("", "2025-01", 9)
	shows(t, b.ask("raids", "city,month", ""), `
		city | month | raids†
		A | 2025-03 | 3
		A | in no one month | 1
		B | 2025-01 | 1
		B | 2025-02 | 1
		C | 2025-01 | 2
		not given | 2025-01 | 9
		total | 17
		† some facts name no city or lie in no one month: cells may be too low`)
	shows(t, b.ask("raids", "month,city", "city=A|B|C"), `
		month | city | raids†
		2025-01 | C | 2
		2025-01 | B | 1
		2025-02 | B | 1
		2025-03 | A | 3
		in no one month | A | 1
		total | 8
		† some facts lie in no one month: cells may be too low · † some facts name no city: the filter leaves them out, cells may be too low`)
	shows(t, b.ask("cases,raids", "city", "city=A|B|C"), `
		city | cases | raids†
		A | 0 | 4
		B | 0 | 2
		C | 0 | 2
		total | 0 | 8
		† some facts name no city: the filter leaves them out, cells may be too low`)
}

// A 0 is printed only where every fact of the column has all dimensions of the
// rows.
func TestZeroOrNotGiven(t *testing.T) {
	b := newBook(t)
	b.write(
		raid(karachi, "1", "A", "2025-01"), raid(karachi, "2", "B", "2025-01"),
		arrest(karachi, "3", "A", "2025-01", 4, "PK"), arrest(karachi, "4", "", "2025-01", 2, "CN"),
		arrest(karachi, "5", "B", "2025-01", 0, "PK"),
	)
	shows(t, b.ask("raids,national,foreign,arrests", "city", ""), `
		city | raids | arrests national | arrests foreign† | arrests all†
		A | 1 | 4 | — | 4
		B | 1 | 0 | — | 0
		not given | 0 | 0 | 2 | 2
		total | 2 | 4 | 2 | 6
		— not given · † some facts name no city: cells may be too low`)
	shows(t, b.ask("national", "city", ""), `
		city | national arrests
		A | 4
		B | 0
		total | 4`)
	// The facts that a filter or the period leaves out do not matter, unless
	// they may belong here.
	shows(t, b.ask("raids,national", "city", "city=A"), "city | raids | national arrests\nA | 1 | 4\ntotal | 1 | 4")
	shows(t, b.ask("raids,foreign", "city", "city=A"), `
		city | raids | foreign arrests†
		A | 1 | —
		total | 1 | —
		— not given · † some facts name no city: the filter leaves them out, cells may be too low`)
	shows(t, b.ask("raids,arrests[class=foreign]", "city", "", during("2024")), "city | raids | foreign arrests\ntotal | 0 | 0")
	shows(t, b.ask("raids", "nationality", ""), `
		nationality | raids†
		not given | 2
		total | 2
		† some facts name no nationality: cells may be too low`)
}

// What a filter leaves out because it does not say marks the column in which it
// may belong, and no 0 is printed there: the same facts would stand in the row
// not given.
func TestWhatFiltersLeaveOut(t *testing.T) {
	b := newBook(t)
	b.write(
		raid(karachi, "1", "Karachi", "2025-06"), raid(karachi, "2", "Lahore", "2024/2025"),
		arrest(karachi, "3", "", "2025-06", 195, "PK"), arrest(karachi, "4", "Lahore", "2025-06", 5, "CN"),
		recovery(karachi, "5", "", "2025", pkr(70)), recovery(karachi, "6", "Karachi", "2025", domain.Amount{Minor: 9, Currency: "USD"}),
		event(karachi, "7", &domain.CaseRegistered{Common: common("Karachi", ""), Registered: period("2024/2025")}),
	)
	const noCity = "† some facts name no city: the filter leaves them out, cells may be too low"
	shows(t, b.ask("raids,national,foreign,recovered", "", "city=Karachi"), `
		raids | arrests national† | arrests foreign | recovered PKR† | recovered USD
		total | 1 | — | 0 | — | 0.09
		— not given · `+noCity)
	shows(t, b.ask("raids,national", "month", "city=Karachi"), `
		month | raids | national arrests†
		2025-06 | 1 | —
		total | 1 | —
		— not given · `+noCity)
	shows(t, b.ask("arrests[city=Lahore],arrests[city=Lahore,class=national]", "", ""), `
		arrests city=Lahore† | arrests city=Lahore,class=national†
		total | 5 | —
		— not given · `+noCity)
	// What asks for what does not say leaves nothing out, nor does another filter.
	shows(t, b.ask("national", "", "city=Karachi|not-given"), "national arrests\ntotal | 195")
	shows(t, b.ask("arrests[nationality=CN]", "", "city=Karachi"), "arrests nationality=CN\ntotal | 0")
	shows(t, b.ask("national", "", "city=Karachi", during("2024")), "national arrests\ntotal | 0")
	shows(t, b.ask("national", "", "city=Karachi", asOf(1)), "national arrests\ntotal | 0")
	// Nor does what lacks two of them escape.
	shows(t, b.ask("arrests", "", "city=Karachi,sex=male"), `
		arrests†
		total | —
		— not given · † some facts name no city or sex: the filter leaves them out, cells may be too low`)
	shows(t, b.ask("cases,raids", "", "year=2024"), `
		cases† | raids†
		total | — | —
		— not given · † some facts lie in no one year: the filter leaves them out, cells may be too low`)
	shows(t, b.ask("cases", "", "year=2024|in no one year"), "cases\ntotal | 1")
	shows(t, b.ask("cases", "", "year=2024,city=Lahore"), "cases\ntotal | 0")
	// Partly in the period, it would be unplaced.
	shows(t, b.ask("recovered", "", "city=Karachi", during("2025-01/2025-06")), `
		recovered PKR† | recovered USD
		total | — | 0.00
		unplaced | — | 0.09
		— not given · `+noCity+`
		unplaced: undated, or only partly in the period; not in the total`)
}

// A word that no fact has may be misspelt.
func TestUnheardValues(t *testing.T) {
	b := newBook(t)
	b.write(raid(karachi, "1", "Karachi", "2025-06"), arrest(karachi, "2", "Karachi", "2025-06", 1, "PK"))
	shows(t, b.ask("raids[city=karachi|Karachi],foreign", "", "agency=ncia,successor=nccia,city=not-given|karachi"), `
		raids city=karachi|Karachi | foreign arrests
		total | 0 | 0
		no fact has agency ncia
		no fact has city karachi`)
}

func TestOverflow(t *testing.T) {
	b := newBook(t)
	for i := range 3 {
		a := domain.Amount{Minor: math.MaxInt64 / 2, Currency: "PKR"}
		b.write(recovery(karachi, fmt.Sprint(i), fmt.Sprint(i), "2025", a))
	}
	for _, by := range []string{"", "city"} { // in one cell, and in the total alone
		_, err := b.tryAsk("recovered", by, "")
		if !errors.Is(err, domain.ErrOverflow) || !strings.Contains(err.Error(), "recovered PKR") || !strings.Contains(err.Error(), "Try:") {
			t.Errorf("by %q: %v", by, err)
		}
	}
	if _, err := b.tryAsk("recovered", "", "city=0|1"); err != nil {
		t.Error(err)
	}
	if _, err := b.tryAsk("recovered", "", "form=cash"); err != nil { // what is left out is in no sum
		t.Error(err)
	}
}

func TestWhatCannotBeAsked(t *testing.T) {
	b := newBook(t)
	for name, mend := range map[string]func(*Query){
		"as of entry 9: the ledger is read up to entry 1": asOf(9),
		`"unknown" holds no fact`:                         during("unknown"),
		"start in month 13":                               func(q *Query) { q.YearStarts = 13 },
		`"2025" is no year where years begin in July. Try: 2024-07/2025-06, or "in no one year"`: func(q *Query) {
			q.YearStarts, q.Where = time.July, []Filter{{Year, []string{"2025"}}}
		},
		`"2025-Q1" is no month where years begin in January. Try: 2025-06`: func(q *Query) {
			q.Columns = []Column{{Raids, []Filter{{Month, []string{"2025-Q1"}}}}}
		},
		"65 columns":      func(q *Query) { q.Columns = make([]Column, 65) },
		"by 4 dimensions": func(q *Query) { q.By = []Dimension{City, Unit, Month, Year} },
	} {
		if _, err := b.tryAsk("raids", "", "", mend); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want one with %q", err, name)
		}
	}
}

func TestTooManyRows(t *testing.T) {
	totals := NewTotals()
	totals.Apply(ruledOpening())
	r := &domain.Ruled{Ruling: domain.Ruling{Verdict: domain.Accepted}, Change: domain.Created}
	for i := range maxRows + 1 {
		r.Position, r.Record = domain.Position{Entry: 2 + uint64(i/1000), Line: i%1000 + 1}, domain.RecordID(i+1)
		r.Name = domain.RecordName{Kind: "raid", Diary: karachi, ID: "x"}
		r.Fact = &domain.RaidConducted{Common: domain.Common{Place: domain.Location{City: fmt.Sprintf("%06d", i)}}}
		totals.Apply(r)
	}
	if _, err := totals.Query(Query{By: []Dimension{City}}); !errors.Is(err, errTooManyRows) {
		t.Errorf("error %v", err)
	}
	table, err := totals.Query(Query{By: []Dimension{City}, AsOf: 101})
	if err != nil || len(table.Rows) != maxRows || table.Rows[99].Labels[0] != "000099" {
		t.Errorf("%v", err)
	}
}

// The hash is over what is printed, in an encoding that anybody can make.
func TestTableHash(t *testing.T) {
	b := newBook(t)
	b.write(raid(karachi, "1", "Karachi", "2025"), raid(karachi, "2", "", "unknown"))
	table := b.ask("raids", "city", "", during("2025"))
	netstrings := "5:table,1:1,\n2:by,4:city,\n7:columns,0:,5:raids,\n3:row,7:Karachi,1:1,\n5:total,1:1,\n8:unplaced,1:1,\n"
	if got, want := hexHash(netstrings), table.Citation.Table; got != want {
		t.Errorf("the table hash is %s, that of its encoding %s", want, got)
	}
	other := b.ask("raids", "city", "", during("2025"))
	other.Rows[0].Cells[0].Text = "2"
	if other.Hash() == table.Hash() {
		t.Error("another cell, the same hash")
	}
}

func TestCitation(t *testing.T) {
	b := newBook(t)
	b.now = time.Date(2026, 11, 22, 16, 19, 31, 0, time.UTC)
	b.write(raid(karachi, "1", "Karachi", "2025"))
	table := b.ask("raids", "", "")
	table.Cite(b.reg)
	hash := b.reg.Hash()
	c := table.Citation
	if c.Ledger != "test" || c.Entry != 2 || c.Rules != 1 || c.State != hex.EncodeToString(hash[:]) || !c.Recorded.Equal(b.now) {
		t.Errorf("%+v", c)
	}
	c.State, c.Table = "5f0c"+strings.Repeat("0", 56)+"9a1e", "77ab"+strings.Repeat("0", 56)+"03c2"
	if got, want := c.String(), "ledger test · entry 2 · 2026-11-22T16:20:31Z · rules 1 · state 5f0c…9a1e · table 77ab…03c2"; got != want {
		t.Errorf("the citation is\n%s, want\n%s", got, want)
	}
	earlier := b.ask("raids", "", "", asOf(1))
	earlier.Cite(b.reg)
	if earlier.Citation.Entry != 1 || earlier.Citation.State != "" || !earlier.Citation.Recorded.IsZero() {
		t.Errorf("as of entry 1 it cites %+v", earlier.Citation)
	}
}

func TestTableForPrograms(t *testing.T) {
	b := newBook(t)
	b.write(
		recovery(karachi, "1", "Toba, Tek", "2025-01", domain.Amount{Minor: 725, Currency: "PKR", Qualifier: domain.AtLeast}),
		recovery(karachi, "2", "", "2025-01", domain.Amount{Qualifier: domain.Unknown}),
		raid(karachi, "3", "Toba, Tek", "2025-01"), raid(karachi, "4", "B", "2025-01"), raid(karachi, "5", "B", "2024/2025"),
	)
	table := b.ask("recovered,raids", "city", "", during("2025"))
	var lines []string
	for _, line := range table.CSV() {
		lines = append(lines, strings.Join(line, ";"))
	}
	want := unindent(`
		kind;city;recovered PKR;recovered PKR flags;recovered PKR unknown;raids
		row;Toba, Tek;7.25;at-least;0;1
		row;B;;;;1
		row;not-given;0.00;at-least;1;0
		total;;7.25;at-least;1;2
		unplaced;;0.00;;0;1`)
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("as CSV\n%s\nwant\n%s", got, want)
	}
	table.Citation = Citation{Ledger: "test", Entry: 2, Rules: 1, Table: "77ab"}
	got, err := json.MarshalIndent(table, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	var compact struct {
		Period   string
		By       []string
		Columns  []struct{ Column, Currency, Label string }
		Rows     []struct{ Labels []string }
		Unplaced struct{ Cells []struct{ Value any } }
	}
	if err := json.Unmarshal(got, &compact); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"value": "7.25"`, `"value": null`, `"text": "≥ 7.25"`, `"column": "recovered"`, `"currency": "PKR"`, `"by": [`, `"clock": "occurred"`, `"unknown": 1`, `"low": true`,
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("the JSON has no %s:\n%s", want, got)
		}
	}
	if compact.Rows[2].Labels[0] != domain.NotGiven || compact.Unplaced.Cells[1].Value != 1.0 {
		t.Errorf("%+v", compact)
	}
}

func TestRatio(t *testing.T) {
	cell := func(s domain.Sum) Cell { return Cell{Sum: s, Given: true, Facts: 1} }
	n := func(v int64) Cell { return cell(domain.Sum{Value: v}) }
	atLeast, about := cell(domain.Sum{Value: 4, Lower: true}), cell(domain.Sum{Value: 4, Approximate: true})
	for _, c := range []struct {
		part, whole Cell
		text, why   string
	}{
		{n(19), n(63), "30.2 %", ""},
		{n(0), n(63), "0.0 %", ""},
		{n(63), n(63), "100.0 %", ""},
		{n(1), n(2000), "0.1 %", ""}, // a half, up
		{n(1), n(2001), "0.0 %", ""},
		{n(5), n(3), "166.7 %", ""},
		{n(math.MaxInt64), n(math.MaxInt64), "100.0 %", ""},
		{n(math.MaxInt64), n(1), "", "too large to print"},
		{n(1), n(0), "", "nothing to divide by"},
		{atLeast, atLeast, "", "two lower bounds"},
		{about, about, "", "two approximations"},
		{atLeast, about, "", "a lower bound over an approximation"},
		{n(1), atLeast, "", "a lower bound"},
		{about, n(1), "", "an approximation"},
		{cell(domain.Sum{Value: 1, Unknown: 1, Lower: true}), n(1), "", "partly unknown"},
		{Cell{Facts: 0}, n(1), "", "not given"},
		{Cell{Sum: domain.Sum{Value: 1}, Given: true, Facts: 1, Currency: "PKR"}, n(1), "", "two units"},
	} {
		if text, why := Ratio(c.part, c.whole); text != c.text || why != c.why {
			t.Errorf("%v over %v is %q (%s), want %q (%s)", c.part.Sum, c.whole.Sum, text, why, c.text, c.why)
		}
	}
}
