package projections

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"roznamcha/domain"
)

// Whatever is published is asked for again by its locator, and is then the same
// table, whatever was recorded since.
func TestAPublishedTableIsPrintedAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, _ := someHistory(t)
		type publication struct{ locator, table string }
		var all []publication
		for range 5 {
			q := h.query()
			q.AsOf = 0
			if len(q.Columns) == 0 {
				q.Columns = DefaultColumns(h.totals)
			}
			table, err := h.totals.Query(q)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, publication{PublicationOf(q, table).Locator(), table.Citation.Table})
			for range rapid.IntRange(0, 3).Draw(t, "later") {
				h.write()
			}
		}
		for _, one := range all {
			p, err := ParsePublication(one.locator)
			if err != nil {
				t.Fatalf("%s: %v", one.locator, err)
			}
			if p.Locator() != one.locator {
				t.Errorf("%s was read as %s", one.locator, p.Locator())
			}
			table, err := h.totals.Query(p.Query)
			if err != nil {
				t.Fatal(err)
			}
			if table.Citation.Table != one.table || table.Citation.Entry != p.Entry {
				t.Errorf("%s: the table is %s as of entry %d", one.locator, table.Citation.Table, table.Citation.Entry)
			}
		}
	})
}

func TestLocatorsOfOddQuestions(t *testing.T) {
	for _, p := range []Publication{
		{Query: Query{Columns: []Column{{Measure: Raids}}}},
		{Query: Query{Columns: []Column{{Arrests, []Filter{{Operation, []string{`Grey, part 2`, `a|b`, `50 % + 3; 4 & "5" #6 =7`}}}}, {Measure: Raids}}}},
		{Query: Query{Columns: []Column{{Measure: Cases}}, Where: []Filter{{City, []string{"کراچی", "São Paulo"}}, {Year, []string{"in no one year"}}}}},
		{Query: Query{Columns: []Column{{Measure: Cases}}, By: []Dimension{Successor, Month}, Clock: Reported, YearStarts: time.July, Period: period("../2025-06")}},
	} {
		p.Entry, p.Query.AsOf = 7, 7
		p.State, p.Table = strings.Repeat("0a", 32), strings.Repeat("b1", 32)
		got, err := ParsePublication(p.Locator())
		if err != nil {
			t.Errorf("%s: %v", p.Locator(), err)
			continue
		}
		if got.Locator() != p.Locator() || !got.SameAs(p) || got.Entry != 7 || got.State != p.State || got.Table != p.Table {
			t.Errorf("%s was read as %s", p.Locator(), got.Locator())
		}
	}
}

func TestLocatorsThatAreNone(t *testing.T) {
	hash := strings.Repeat("b1", 32)
	for _, locator := range []string{
		"", "totals", "https://example.org/totals?columns=raids&entry=1&table=" + hash,
		"totals?columns=raids&table=" + hash, "totals?columns=raids&entry=0&table=" + hash, "totals?columns=raids&entry=-1&table=" + hash,
		"totals?entry=1&table=" + hash, "totals?columns=bananas&entry=1&table=" + hash, "totals?columns=raids&by=x&entry=1&table=" + hash,
		"totals?columns=raids&year-starts=13&entry=1&table=" + hash, "totals?columns=raids&entry=1&table=" + hash[1:], "totals?columns=raids&entry=1",
		"totals?columns=raids&entry=1&where=%zz&table=" + hash,
	} {
		if p, err := ParsePublication(locator); err == nil {
			t.Errorf("%q was read as %+v", locator, p)
		}
	}
}

// Only the office publishes tables, only of what was known, and first of all.
func TestDocuments(t *testing.T) {
	documents := NewDocuments()
	b := newBook(t, documents)
	table := Publication{Query: Query{Columns: []Column{{Measure: Raids}}}, Entry: 2, Table: strings.Repeat("b1", 32)}
	later := table
	later.Entry = 100
	other := table
	other.Table = strings.Repeat("c2", 32)
	claim := func(source domain.Diary, subject, ref, locator string) uint64 {
		return b.write(event(source, subject, &domain.FigurePublished{
			Common: domain.Common{Document: domain.Document{Ref: ref, Locator: locator}}, Publisher: "p",
			Published: period("2025-07-01"), Period: period("2025"), Measure: "raids",
		}))
	}
	b.write(raid(karachi, "1", "Karachi", "2025-06-03"))
	first := claim(karachi, "c1", "a", table.Locator()) // not the office
	claim(domain.Office, "c2", "b", later.Locator())    // of an entry to come
	third := claim(domain.Office, "c3", "a", table.Locator())
	claim(domain.Office, "c4", "a", table.Locator())
	claim(domain.Office, "c5", "a", "page 7")
	claim(karachi, "c6", "b", "")
	for ref, want := range map[string]struct {
		entry   uint64
		at      uint64
		figures int
		table   bool
	}{"a": {2, third, 2, true}, "b": {first + 1, first + 1, 2, false}} {
		got := documents.Find(ref)
		if got == nil || got.Entry() != want.entry || got.Position.Entry != want.at || got.Figures != want.figures || (got.Publication != nil) != want.table {
			t.Errorf("%s: %+v, want %+v", ref, got, want)
		}
	}
	if documents.Find("c") != nil || documents.Find("a").Publication.SameAs(other) || !documents.Find("a").Publication.SameAs(later) {
		t.Error("a document that there is not, or another table")
	}
}
