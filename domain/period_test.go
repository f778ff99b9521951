package domain

import (
	"strings"
	"testing"
	"time"
)

func TestPeriods(t *testing.T) {
	karachi := zone(t, "Asia/Karachi")
	for _, c := range []struct {
		text     string
		from, to string // its days in Karachi
	}{
		// Units, with leap years.
		{"2025-06-03", "2025-06-03", "2025-06-03"},
		{"2015-10-01", "2015-10-01", "2015-10-01"},
		{"2024-02-29", "2024-02-29", "2024-02-29"},
		{"2000-02-29", "2000-02-29", "2000-02-29"},
		{"2024-02", "2024-02-01", "2024-02-29"},
		{"2023-02", "2023-02-01", "2023-02-28"},
		{"1900-02", "1900-02-01", "1900-02-28"},
		{"2025-12", "2025-12-01", "2025-12-31"},
		{"2025", "2025-01-01", "2025-12-31"},
		{"0001", "0001-01-01", "0001-12-31"},
		{"9999-12-31", "9999-12-31", "9999-12-31"},
		// Intervals.
		{"2024-01/2025-06", "2024-01-01", "2025-06-30"},
		{"2024/2025", "2024-01-01", "2025-12-31"},
		{"2024-01-15/2024-02-29", "2024-01-15", "2024-02-29"},
		{"2024/2025-06", "2024-01-01", "2025-06-30"},
		{"2024-05-06/2025", "2024-05-06", "2025-12-31"},
		{"2025-06/2025-06", "2025-06-01", "2025-06-30"},
		{"2025-06-15/2025-06", "2025-06-15", "2025-06-30"},
		{"2025-06/2025-06-15", "2025-06-01", "2025-06-15"},
		// Open ends.
		{"../2026-02-02", "..", "2026-02-02"},
		{"2026-02-02/..", "2026-02-02", ".."},
		{"../2026", "..", "2026-12-31"},
		{"2026-02/..", "2026-02-01", ".."},
		{"unknown", "..", ".."},
		// Instants: their day is that of the zone.
		{"2025-06-03T22:10:00+05:00", "2025-06-03", "2025-06-03"},
		{"2025-06-30T23:30:00Z", "2025-07-01", "2025-07-01"},
		{"2025-06-30T18:59:59.999999999Z", "2025-06-30", "2025-06-30"},
		{"2025-06-30T19:00:00Z", "2025-07-01", "2025-07-01"},
		{"2025-07-01T00:00:00+05:00", "2025-07-01", "2025-07-01"},
		{"2025-07-01T00:00:00+05:01", "2025-06-30", "2025-06-30"},
		{"2025-06-30T16:00:00-03:30", "2025-07-01", "2025-07-01"},
		{"2025-06-03T22:10:00+00:00", "2025-06-04", "2025-06-04"},
		{"2025-06-03T22:10:00.25+05:45", "2025-06-03", "2025-06-03"},
		{"2025-06-03T22:10:00.000000001-23:59", "2025-06-05", "2025-06-05"},
		{"0001-01-01T00:00:00+23:59", "0000-12-31", "0000-12-31"},
		{"9999-12-31T23:59:59-12:00", "10000-01-01", "10000-01-01"},
	} {
		p, err := ParsePeriod(c.text)
		if err != nil {
			t.Error(err)
			continue
		}
		if p.String() != c.text {
			t.Errorf("%s is written %s", c.text, p)
		}
		if p.IsZero() || p.IsUnknown() != (c.text == "unknown") {
			t.Errorf("%s: IsZero %t, IsUnknown %t", c.text, p.IsZero(), p.IsUnknown())
		}
		if from, to := p.Days(karachi); from.String() != c.from || to.String() != c.to {
			t.Errorf("%s has the days %s to %s, want %s to %s", c.text, from, to, c.from, c.to)
		}
	}
}

func TestPeriodsThatAreNone(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "want a day"},
		{"2017-02-30", "February 2017 has 28 days"},
		{"2024-02-30", "February 2024 has 29 days"},
		{"1900-02-29", "February 1900 has 28 days"},
		{"2025-06-31", "June 2025 has 30 days"},
		{"2025-06-00", "there is no day 00"},
		{"2025-13", "there is no month 13"},
		{"2025-00-01", "there is no month 00"},
		{"0000", "there is no year 0000"},
		{"0000-01-01", "there is no year 0000"},
		{"25", "want a day"},
		{"20255", "want a day"},
		{"+2025", "want a day"},
		{"-2025", "want a day"},
		{"2025-6", "want a day"},
		{"2025-6-03", "want a day"},
		{"2025/06/03", `"06/03" is neither`},
		{"06/03/2025", `"06" is neither`},
		{"20250603", "want a day"},
		{"2025-06-03 ", "want a day"},
		{" 2025-06-03", "want a day"},
		{"2025-0x-03", "want a day"},
		{"2025-0:-03", "want a day"},
		{"2025x06", "want a day"},
		{"2025x06-03", "want a day"},
		{"2025-06x03", "want a day"},
		{"2025-06-٣", "want a day"},
		{"2025-06-03\x00", "want a day"},
		{"Unknown", "want a day"},
		{"2025-06-03~", "want a day"},
		{"2025-W23", "want a day"},
		{"..", "want a day"},
		// Intervals.
		{"2025-06/2025-05", "ends before it begins"},
		{"2025-06-03/2025-06-02", "ends before it begins"},
		{"2026/2025-12-31", "ends before it begins"},
		{"../..", `Try: "unknown"`},
		{"/2025", `"" is neither`},
		{"2025/", `"" is neither`},
		{"2025/06", `"06" is neither`},
		{"2024/2025/2026", `"2025/2026" is neither`},
		{"2024/unknown", `"unknown" is neither`},
		{"2024-02-30/2025", "February 2024 has 29 days"},
		{"2024/2025-02-29", "February 2025 has 28 days"},
		{"2025-06-03T22:10:00Z/2025-06-04", "without times"},
		{"2025-06-03/2025-06-04T22:10:00Z", "without times"},
		// Instants.
		{"2025-06-03T22:10:00", "its offset"},
		{"2025-06-03T22:10Z", "its offset"},
		{"2025-06-03T22:10:00z", "its offset"},
		{"2025-06-03t22:10:00Z", "want a day"},
		{"2025-06-03 22:10:00Z", "want a day"},
		{"2025-06-03T", "its offset"},
		{"2025-06-03T1:10:00Z", "its offset"},
		{"2025-06-03T22-10-00Z", "its offset"},
		{"2025-06-03T22:10:00+0500", "its offset"},
		{"2025-06-03T22:10:00+05", "its offset"},
		{"2025-06-03T22:10:00+05:00 ", "its offset"},
		{"2025-06-03T22:10:00 05:00", "its offset"},
		{"2025-06-03T22:10:00+0a:00", "its offset"},
		{"2025-06-03T22:10:00.Z", "its offset"},
		{"2025-06-03T22:10:00,5Z", "its offset"},
		{"2025-06-03T22:10:00.5", "its offset"},
		{"2025-06-03T22:10:00.1234567890Z", "at most nine digits"},
		{"2025-06-03T22:10:00-00:00", "Try: +00:00, Z"},
		{"2025-06-03T22:10:00+24:00", "offsets run"},
		{"2025-06-03T22:10:00+05:60", "offsets run"},
		{"2025-06-03T24:00:00Z", "times run"},
		{"2025-06-03T22:60:00Z", "times run"},
		{"2016-12-31T23:59:60Z", "times run"},
		{"2017-02-30T22:10:00Z", "February 2017 has 28 days"},
	} {
		p, err := ParsePeriod(c.text)
		if err == nil {
			t.Errorf("%q is read as %s", c.text, p)
			continue
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want … %s", c.text, err, c.want)
		}
		if !p.IsZero() {
			t.Errorf("%q: an error and the period %s", c.text, p)
		}
	}
}

func TestFractionsLoseTrailingZeros(t *testing.T) {
	for text, want := range map[string]string{
		"2025-06-03T22:10:00.500Z":      "2025-06-03T22:10:00.5Z",
		"2025-06-03T22:10:00.000+05:00": "2025-06-03T22:10:00+05:00",
	} {
		p, err := ParsePeriod(text)
		if err != nil {
			t.Fatal(err)
		}
		if p.String() != want {
			t.Errorf("%s is written %s, want %s", text, p, want)
		}
	}
}

func TestPeriodNotGiven(t *testing.T) {
	var p Period
	if !p.IsZero() || p.IsUnknown() || p.String() != "" {
		t.Errorf("the zero period: IsZero %t, IsUnknown %t, %q", p.IsZero(), p.IsUnknown(), p)
	}
	if from, to := p.Days(time.UTC); from != MinDay || to != MaxDay {
		t.Errorf("the zero period has the days %s to %s", from, to)
	}
}

func TestPrecisionIsKept(t *testing.T) {
	seen := make(map[Period]string)
	for _, text := range []string{
		"2025", "2025/2025", "2025-01/2025-12", "2025-01/2025", "2025-01-01/2025-12-31",
		"2025-01-01", "2025-01-01/2025-01-01", "2025-01-01T00:00:00Z", "2025-01-01T00:00:00+00:00",
		"2025-01-01T05:00:00+05:00", "2025-01-01/..", "2025-01/..", "../2025-01-01", "unknown",
	} {
		p, err := ParsePeriod(text)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[p]; ok {
			t.Errorf("%s and %s are one", text, other)
		}
		seen[p] = text
	}
}

func TestPeriodsAllocateNothing(t *testing.T) {
	zone := zone(t, "Asia/Karachi")
	dst := make([]byte, 0, 64)
	for _, text := range []string{"2015-10-01", "2024-01/2025-06", "../2026-02-02", "2025-06-03T22:10:00.25+05:00", "unknown"} {
		if n := testing.AllocsPerRun(100, func() {
			p, _ := ParsePeriod(text)
			p.Days(zone)
			p.appendTo(dst)
		}); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

func FuzzParsePeriod(f *testing.F) {
	for _, text := range []string{
		"2025-06-03", "2025-06", "2025", "2024-02-29", "2017-02-30", "unknown", "", "..", "/",
		"2024-01/2025-06", "../2026-02-02", "2026-02-02/..", "../..",
		"2025-06-03T22:10:00+05:00", "2025-06-03T22:10:00.250Z", "2025-06-03T22:10:00-00:00", "0001-01-01T00:00:00+23:59",
	} {
		f.Add(text)
	}
	karachi := zone(f, "Asia/Karachi")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePeriod(text)
		if err != nil {
			if !p.IsZero() {
				t.Fatalf("%q: an error and the period %s", text, p)
			}
			return
		}
		canonical := p.String()
		if again, err := ParsePeriod(canonical); err != nil || again != p {
			t.Fatalf("%q is written %q, which is read as %q, %v", text, canonical, again, err)
		}
		if canonical != text && !strings.Contains(text, ".") {
			t.Fatalf("%q is written %q", text, canonical)
		}
		if from, to := p.Days(karachi); from > to {
			t.Fatalf("%q has the days %s to %s", text, from, to)
		}
		// What we take for an instant, RFC 3339 does too, and the same one.
		if strings.Contains(text, "T") {
			want, err := time.Parse(time.RFC3339Nano, text)
			if err != nil || !p.instant().Equal(want) {
				t.Fatalf("%q is %s, and %s, %v to package time", text, p.instant(), want, err)
			}
		}
	})
}

func BenchmarkParsePeriod(b *testing.B) {
	for _, text := range []string{"2015-10-01", "2024-01/2025-06", "2025-06-03T22:10:00+05:00"} {
		b.Run(strings.ReplaceAll(text, "/", "_"), func(b *testing.B) {
			for b.Loop() {
				if _, err := ParsePeriod(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPeriodDays(b *testing.B) {
	karachi := zone(b, "Asia/Karachi")
	p, err := ParsePeriod("2025-06-03T22:10:00+05:00")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		p.Days(karachi)
	}
}
