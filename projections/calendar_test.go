package projections

import (
	"testing"
	"time"

	"roznamcha/domain"
)

func TestCalendar(t *testing.T) {
	for _, c := range []struct {
		starts            time.Month
		day               string
		year, quarter, mo string
	}{
		{time.January, "2016-01-01", "2016", "2016-Q1", "2016-01"},
		{time.January, "2016-12-31", "2016", "2016-Q4", "2016-12"},
		{time.October, "2015-10-01", "2015-10/2016-09", "2015-10/2015-12", "2015-10"},
		{time.October, "2016-09-30", "2015-10/2016-09", "2016-07/2016-09", "2016-09"},
		{time.July, "2024-06-30", "2023-07/2024-06", "2024-04/2024-06", "2024-06"},
		{time.February, "2016-01-31", "2015-02/2016-01", "2015-11/2016-01", "2016-01"},
		{time.December, "0001-01-01", "0000-12/0001-11", "0000-12/0001-02", "0001-01"},
		{time.January, "9999-12-31", "9999", "9999-Q4", "9999-12"},
	} {
		from, to := period(c.day).Days(time.UTC)
		calendar := calendar{c.starts}
		for d, want := range map[Dimension]string{Year: c.year, Quarter: c.quarter, Month: c.mo} {
			if got := calendar.label(d, calendar.unit(d, span{from, to})); got != want {
				t.Errorf("%s in years from %s: %s %q, want %q", c.day, c.starts, d, got, want)
			}
		}
	}
	if u := (calendar{time.January}).unit(Year, span{domain.MinDay, 0}); u != noUnit {
		t.Errorf("an open span lies in %d", u)
	}
}

// Every label of a unit that the period grammar can write is the period of its
// own days.
func TestLabelsArePeriods(t *testing.T) {
	for starts := time.January; starts <= time.December; starts++ {
		c := calendar{starts}
		for _, d := range []Dimension{Year, Quarter, Month} {
			if d == Quarter && starts == time.January {
				continue // 2016-Q1 reads better
			}
			for month := range 24 {
				day := domain.MakeDay(2015, time.Month(month+1), 15)
				u := c.unit(d, span{day, day})
				from, to := period(c.label(d, u)).Days(time.UTC)
				if from > day || to < day || c.unit(d, span{from, to}) != u || c.unit(d, span{from - 1, to}) != noUnit || c.unit(d, span{from, to + 1}) != noUnit {
					t.Errorf("years from %s: %s %s is %s to %s", starts, d, c.label(d, u), from, to)
				}
			}
		}
	}
}
