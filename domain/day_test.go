package domain

import (
	"testing"
	"time"
)

func TestDayAndDate(t *testing.T) {
	for _, c := range []struct {
		year  int
		month time.Month
		day   int
		want  Day
		text  string
	}{
		{1970, 1, 1, 0, "1970-01-01"},
		{1969, 12, 31, -1, "1969-12-31"},
		{2000, 2, 29, 11016, "2000-02-29"},
		{2025, 6, 3, 20242, "2025-06-03"},
		{1, 1, 1, -719162, "0001-01-01"},
		{9999, 12, 31, 2932896, "9999-12-31"},
	} {
		d := MakeDay(c.year, c.month, c.day)
		if d != c.want || d.String() != c.text {
			t.Errorf("MakeDay(%d, %d, %d) = %d %q, want %d %q", c.year, c.month, c.day, d, d, c.want, c.text)
		}
		if y, m, day := d.Date(); y != c.year || m != c.month || day != c.day {
			t.Errorf("%s.Date() = %d, %d, %d", c.text, y, m, day)
		}
	}
	if got := MakeDay(2024, 3, 0); got != MakeDay(2024, 2, 29) {
		t.Errorf("day 0 of March 2024 is %s", got)
	}
	if MinDay.String() != ".." || MaxDay.String() != ".." {
		t.Errorf("MinDay, MaxDay = %q, %q, want ..", MinDay, MaxDay)
	}
}

func TestEveryDayHasItsDate(t *testing.T) {
	for d := MakeDay(1896, 1, 1); d < MakeDay(2105, 1, 1); d++ {
		y, m, day := d.Date()
		if back := MakeDay(y, m, day); back != d {
			t.Fatalf("day %d is %04d-%02d-%02d, which is day %d", d, y, m, day, back)
		}
	}
}

func TestDayOf(t *testing.T) {
	karachi := zone(t, "Asia/Karachi")
	newYork := zone(t, "America/New_York")
	for _, c := range []struct {
		at   string
		zone *time.Location
		want string
	}{
		{"2025-06-30T18:59:59Z", karachi, "2025-06-30"},
		{"2025-06-30T19:00:00Z", karachi, "2025-07-01"},
		{"2025-06-30T23:30:00Z", karachi, "2025-07-01"},
		{"2025-06-30T23:30:00Z", time.UTC, "2025-06-30"},
		{"2025-07-01T03:59:59Z", newYork, "2025-06-30"}, // summer time, UTC-4
		{"2025-01-01T04:59:59Z", newYork, "2024-12-31"}, // winter, UTC-5
		{"2025-01-01T05:00:00Z", newYork, "2025-01-01"},
		{"1969-12-31T23:59:59.999Z", time.UTC, "1969-12-31"},
		{"1970-01-01T00:00:00Z", time.UTC, "1970-01-01"},
		{"1969-12-31T00:00:00Z", time.UTC, "1969-12-31"},
	} {
		at, err := time.Parse(time.RFC3339Nano, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := DayOf(at, c.zone).String(); got != c.want {
			t.Errorf("%s in %s is on %s, want %s", c.at, c.zone, got, c.want)
		}
	}
}
