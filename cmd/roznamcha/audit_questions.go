package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

// audited is what a question is answered from.
type audited struct {
	totals *projections.Totals
	reg    *domain.Register
	stats  projections.Stats
}

func (a *audited) cite() projections.Citation { return cite(a.reg, a.stats) }

// dateHead is the head of the column with the days of facts.
func (a *audit) dateHead(occurred string) string {
	if a.query.Clock == projections.Reported {
		return "reported"
	}
	return occurred
}

// when is the day of a finding.
func when(f *projections.Finding) string {
	if f.When == "" {
		return "not given"
	}
	return f.When
}

// idleRaids answers with the raids that led to nothing.
func (p *program) idleRaids(ctx context.Context, l *eventstore.Ledger, a *audit) (*findings, error) {
	links := projections.NewExceptions()
	from, err := p.audited(ctx, l, a, links)
	if err != nil {
		return nil, err
	}
	out, err := from.totals.RaidsWithout(a.query, a.lack, links, from.reg)
	if err != nil {
		return nil, err
	}
	table := func(number func(int) string) *print.Table {
		table := &print.Table{Columns: []print.Column{
			{Head: "position", Number: true}, {Head: "record"}, {Head: a.dateHead("occurred")},
			{Head: "cases", Number: true}, {Head: "arrests", Number: true}, {Head: "cases through arrests", Number: true},
		}}
		for i := range out.Raids {
			r := &out.Raids[i]
			table.Rows = append(table.Rows, []string{r.Position.String(), r.Record, when(&r.Finding), number(r.Cases), number(r.Arrests), number(r.Through)})
		}
		return table
	}
	what := map[projections.Outcome]string{
		projections.ACase:                        "raids without a case",
		projections.AnArrest:                     "raids without an arrest",
		projections.ACase | projections.AnArrest: "raids without a case or an arrest",
	}[a.lack]
	return &findings{
		what: what, asked: &out.Asked, table: table(print.Count[int]), rows: table(strconv.Itoa), none: "no " + what, found: len(out.Raids) > 0,
		below: []string{fmt.Sprintf("%s: %s with a case and an arrest, %s with a case alone, %s with an arrest alone, %s with neither",
			print.Plural(out.Facts, "raid"), print.Count(out.Both), print.Count(out.CaseAlone), print.Count(out.ArrestAlone), print.Count(out.Neither))},
		answer: out, citation: from.cite(),
	}, nil
}

// recoveriesWithoutMemo answers with the recoveries that name no memo.
func (p *program) recoveriesWithoutMemo(ctx context.Context, l *eventstore.Ledger, a *audit) (*findings, error) {
	memos := new(projections.Memos)
	from, err := p.audited(ctx, l, a, memos)
	if err != nil {
		return nil, err
	}
	out, err := from.totals.WithoutMemo(a.query, projections.Recovered, memos, from.reg)
	if err != nil {
		return nil, err
	}
	table := &print.Table{Columns: []print.Column{
		{Head: "position", Number: true}, {Head: "record"}, {Head: a.dateHead("occurred")}, {Head: "currency"}, {Head: "amount", Number: true},
	}}
	rows := &print.Table{Columns: slices.Concat(table.Columns[:4], []print.Column{{Head: "qualifier"}, {Head: "value"}})}
	for i := range out.Found {
		r := &out.Found[i]
		row := []string{r.Position.String(), r.Record, when(&r.Finding), string(r.Currency)}
		table.Rows = append(table.Rows, append(slices.Clone(row), r.Amount))
		rows.Rows = append(rows.Rows, append(row, r.Qualifier, r.Value))
	}
	facts := len(out.Found)
	below := fmt.Sprintf("of %s: %s without a memo", recoveries(out.Facts), print.Count(facts))
	for _, sum := range out.Sums {
		below += fmt.Sprintf(" · %s in %s", strings.TrimSpace(string(sum.Currency)+" "+sum.Amount), recoveries(sum.Facts))
	}
	return &findings{
		what: "recoveries without a memo", asked: &out.Asked, table: table, rows: rows, none: "no recoveries without a memo", found: facts > 0,
		below:  []string{below},
		answer: out, citation: from.cite(),
	}, nil
}

// recoveries are so many of them, in words.
func recoveries(n int) string { return print.Plural(n, "recovery") }

// caseGaps answers with the numbers of cases that are missing.
func (p *program) caseGaps(ctx context.Context, l *eventstore.Ledger, a *audit) (*findings, error) {
	numbers := projections.NewCaseNumbers()
	from, err := p.audited(ctx, l, a, numbers)
	if err != nil {
		return nil, err
	}
	out, err := from.totals.Gaps(a.query, numbers, from.reg)
	if err != nil {
		return nil, err
	}
	f := &findings{what: "numbers of cases", asked: &out.Asked, none: "no case with a plain number", answer: out, citation: from.cite()}
	for i := range out.Years {
		f.found = f.found || !out.Years[i].Complete()
	}
	if a.list {
		f.table, f.none = a.caseList(out), "no number is of several cases, and none stands apart"
		f.rows = f.table
		return f, nil
	}
	f.table, f.rows, f.below = caseYears(out, print.Count, "–", maxRanges), caseYears(out, strconv.Itoa, "-", math.MaxInt), apart(out)
	return f, nil
}

// caseYears has a row for each sequence: numbers so written, ranges with that
// dash, and of them so many.
func caseYears(out *projections.NumberGaps, number func(int) string, dash string, most int) *print.Table {
	table := &print.Table{Columns: []print.Column{
		{Head: "diary"}, {Head: "station"}, {Head: "year", Number: true}, {Head: "cases", Number: true}, {Head: "first", Number: true}, {Head: "last", Number: true},
		{Head: "before first"}, {Head: "missing"}, {Head: "withdrawn"}, {Head: "of several"},
	}}
	for i := range out.Years {
		y := &out.Years[i]
		several := make([]projections.NumberRange, len(y.Repeated))
		for i, r := range y.Repeated {
			several[i] = projections.NumberRange{From: r.Number, To: r.Number}
		}
		row := []string{y.Diary, y.Station, strconv.Itoa(y.Year), number(y.Cases), strconv.Itoa(y.First), strconv.Itoa(y.Last)}
		for _, list := range [][]projections.NumberRange{y.Before, y.Missing, y.Withdrawn, several} {
			row = append(row, ranges(list, dash, most))
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

// maxRanges is how many ranges a person is shown in one cell.
const maxRanges = 10

// ranges are numbers in words, so many ranges at most.
func ranges(list []projections.NumberRange, dash string, most int) string {
	more := ""
	if len(list) > most {
		left := 0
		for _, r := range list[most:] {
			left += r.To - r.From + 1
		}
		list, more = list[:most], " and "+print.Count(left)+" more"
	}
	words := make([]string, len(list))
	for i, r := range list {
		words[i] = r.Text(dash)
	}
	return strings.Join(words, ", ") + more
}

// caseList names the cases that share a number, and those that stand apart.
func (a *audit) caseList(out *projections.NumberGaps) *print.Table {
	table := &print.Table{Columns: []print.Column{
		{Head: "position", Number: true}, {Head: "record"}, {Head: a.dateHead("registered")}, {Head: "number"}, {Head: "why"},
	}}
	add := func(f *projections.Finding, number, why string) {
		table.Rows = append(table.Rows, []string{f.Position.String(), f.Record, when(f), number, why})
	}
	for i := range out.Years {
		y := &out.Years[i]
		for _, r := range y.Repeated {
			for j := range r.Cases {
				add(&r.Cases[j], strconv.Itoa(r.Number), fmt.Sprintf("of %d cases of %s in %d", len(r.Cases), strings.TrimSpace(y.Diary+" "+y.Station), y.Year))
			}
		}
	}
	for i := range out.Apart {
		add(&out.Apart[i].Finding, out.Apart[i].Number, out.Apart[i].Why)
	}
	return table
}

// apart counts the cases in no year's sequence, and says how to see them.
func apart(out *projections.NumberGaps) []string {
	if len(out.Apart) == 0 {
		return nil
	}
	counts := make(map[string]int)
	for _, one := range out.Apart {
		counts[one.Why]++
	}
	var parts []string
	for _, why := range []string{"no number", "not plain", "no one year", "of another year"} {
		if counts[why] > 0 {
			parts = append(parts, print.Count(counts[why])+" "+why)
		}
	}
	return []string{print.Plural(len(out.Apart), "case") + " apart: " + strings.Join(parts, ", ") + " (--list names them)"}
}

// delay answers with the days from when facts occurred to when they were
// recorded.
func (p *program) delay(ctx context.Context, l *eventstore.Ledger, a *audit) (*findings, error) {
	if len(a.query.By) == 0 {
		a.query.By = []projections.Dimension{projections.Agency, projections.Unit}
	}
	arrivals := projections.NewArrivals()
	from, err := p.audited(ctx, l, a, arrivals)
	if err != nil {
		return nil, err
	}
	out, err := from.totals.Delays(a.query, arrivals, from.reg)
	if err != nil {
		return nil, err
	}
	return &findings{
		what: "delay from " + a.dateHead("occurred") + " to recorded", asked: &out.Asked,
		table: delays(out, print.Count), rows: delays(out, strconv.Itoa),
		answer: out, citation: from.cite(),
	}, nil
}

// delays has a row for each group and one for all, with numbers so written.
func delays(out *projections.Delays, number func(int) string) *print.Table {
	table := &print.Table{}
	for _, d := range out.By {
		table.Columns = append(table.Columns, print.Column{Head: d.String()})
	}
	for _, head := range []string{"facts", "median", "90 %", "longest"} {
		table.Columns = append(table.Columns, print.Column{Head: head, Number: true, Group: "days"})
	}
	table.Columns[len(out.By)].Group = ""
	table.Columns = append(table.Columns, print.Column{Head: "position", Number: true}, print.Column{Head: "record"},
		print.Column{Head: "undated", Number: true}, print.Column{Head: "ahead", Number: true})
	add := func(labels []string, d *projections.Delay) {
		row := projections.Row{Labels: labels}.Texts()
		for len(row) < len(out.By) {
			row = append(row, "")
		}
		days := []string{"", "", "", "", ""}
		if d.Facts > 0 {
			days = []string{number(d.Median), number(d.Ninetieth), number(d.Longest), d.Position.String(), d.Record}
		}
		table.Rows = append(table.Rows, append(append(append(row, number(d.Facts)), days...), number(d.Undated), number(d.Ahead)))
	}
	for i := range out.Rows {
		add(out.Rows[i].Labels, &out.Rows[i])
	}
	add([]string{"total"}, &out.Total)
	return table
}

// amendmentsBy answers with who amended, and why.
func (p *program) amendmentsBy(ctx context.Context, l *eventstore.Ledger, a *audit) (*findings, error) {
	authors := projections.NewAuthors()
	from, err := p.audited(ctx, l, a, authors)
	if err != nil {
		return nil, err
	}
	out, err := from.totals.Authored(a.query, authors, from.reg)
	if err != nil {
		return nil, err
	}
	f := &findings{
		what: "amendments", asked: &out.Asked, none: "no amendments",
		below:  []string{print.Plural(out.Amendments, "amendment") + " of " + print.Plural(len(out.Records), "record")},
		answer: out, citation: from.cite(),
	}
	switch {
	case a.list:
		f.table = amendmentList(out)
		f.rows = f.table
	case a.records:
		f.table, f.rows = amendedRecords(out, print.Count), amendedRecords(out, strconv.Itoa)
	default:
		f.table, f.rows = amendingAuthors(out, print.Count), amendingAuthors(out, strconv.Itoa)
	}
	return f, nil
}

func amendingAuthors(out *projections.Authored, number func(int) string) *print.Table {
	table := &print.Table{Columns: []print.Column{{Head: "diary"}, {Head: "by"}, {Head: "reason"}}}
	for _, head := range []string{"corrections", "retractions", "reinstatements", "matches", "links", "unlinks", "records"} {
		table.Columns = append(table.Columns, print.Column{Head: head, Number: true})
	}
	add := func(diary string, r *projections.AuthoredRow) {
		row := []string{diary, r.By, string(r.Reason)}
		for _, n := range []int{r.Corrections, r.Retractions, r.Reinstatements, r.Matches, r.Links, r.Unlinks, r.Records} {
			row = append(row, number(n))
		}
		table.Rows = append(table.Rows, row)
	}
	for i := range out.Rows {
		add(out.Rows[i].Diary, &out.Rows[i])
	}
	if len(out.Rows) > 0 {
		add("total", &out.Total)
	}
	return table
}

func amendedRecords(out *projections.Authored, number func(int) string) *print.Table {
	table := &print.Table{Columns: []print.Column{
		{Head: "record"}, {Head: "amendments", Number: true}, {Head: "first", Number: true}, {Head: "last", Number: true},
	}}
	for _, r := range out.Records {
		table.Rows = append(table.Rows, []string{r.Record, number(r.Amendments), r.First.String(), r.Last.String()})
	}
	return table
}

func amendmentList(out *projections.Authored) *print.Table {
	table := &print.Table{Columns: []print.Column{
		{Head: "position", Number: true}, {Head: "what"}, {Head: "record"}, {Head: "other"}, {Head: "diary"}, {Head: "by"}, {Head: "reason"}, {Head: "authority"},
	}}
	for _, one := range out.List {
		table.Rows = append(table.Rows, []string{
			one.Position.String(), one.Kind.String(), one.Record, one.Other, one.Diary, one.By, string(one.Reason), one.Authority,
		})
	}
	return table
}
