package csvimport

import (
	"strings"
	"testing"

	"roznamcha/domain"
)

func TestDates(t *testing.T) {
	for _, test := range []struct{ patterns, text, want string }{
		{"YYYY-MM-DD", "2017-02-28", "2017-02-28"},
		{"YYYY-MM-DD", "2017-02-30", "!February 2017 has 28 days"},
		{"YYYY-MM-DD", "2017-2-3", "!no date like YYYY-MM-DD"},
		{"YYYY-MM-DD", "2017-02-03x", "!no date like YYYY-MM-DD"},
		{"YYYY-MM-DD", "2017-13-01", "!no month 13"},
		{"YYYY-MM-DD", "0000-01-01", "!no year 0000"},
		{"DD/MM/YYYY", "03/02/2017", "2017-02-03"},
		{"D/M/YYYY", "3/2/2017", "2017-02-03"},
		{"D/M/YYYY", "13/12/2017", "2017-12-13"},
		{"D/M/YYYY", "113/12/2017", "!no date like"},
		{"YYYYMMDD", "20170203", "2017-02-03"},
		{"MM/YYYY", "02/2017", "2017-02"},
		{"YYYY", "2017", "2017"},
		{"D MMM YYYY", "3 feb 2017", "2017-02-03"},
		{"D. MMMM YYYY", "3. February 2017", "2017-02-03"},
		{"MMM D, YYYY", "Sept 3, 2017", "!no date like"},
		{"DD.MM.YY", "03.02.49", "2049-02-03"},
		{"DD.MM.YY", "03.02.50", "1950-02-03"},
		{"DD/MM/YYYY|MM/DD/YYYY", "03/25/2017", "2017-03-25"},
		{"DD/MM/YYYY|MM/DD/YYYY", "03/05/2017", "2017-05-03"},
		{"DD/MM/YYYY|YYYY", "2017", "2017"},
		{"DD/MM/YYYY|YYYY", "17", "!no date like DD/MM/YYYY or YYYY"},
		{"YYYY-MM-DD hh:mm", "2017-02-03 23:05", "2017-02-03T23:05:00+05:00"},
		{"YYYY-MM-DD hh:mm:ss", "2017-02-03 24:05:00", "!00:00:00 to 23:59:59"},
		{"YYYY-MM-DD'T'hh:mm:ssZ", "2017-02-03T23:05:01Z", "2017-02-03T23:05:01Z"},
		{"YYYY-MM-DD hh:mm Z", "2017-02-03 23:05 +0530", "2017-02-03T23:05:00+05:30"},
		{"M/D/YYYY h:mm a", "2/3/2017 12:05 am", "2017-02-03T00:05:00+05:00"},
		{"M/D/YYYY h:mm a", "2/3/2017 12:05 PM", "2017-02-03T12:05:00+05:00"},
		{"M/D/YYYY h:mm a", "2/3/2017 13:05 PM", "!1 to 12"},
		{"YYYY-MM-DD' 00:00:00.000'", "2017-02-03 00:00:00.000", "2017-02-03"},
	} {
		d := dates{pivot: 1950}
		d.zone, _ = domain.LoadZone("Asia/Karachi")
		for _, s := range strings.Split(test.patterns, "|") {
			p, err := parseDatePattern(s)
			if err != nil {
				t.Fatal(err)
			}
			d.patterns = append(d.patterns, p)
		}
		got, err := d.period(test.text)
		if want, fails := strings.CutPrefix(test.want, "!"); fails != (err != nil) || fails && !strings.Contains(err.Error(), want) || !fails && got != want {
			t.Errorf("%s by %s is %q, %v, want %q", test.text, test.patterns, got, err, test.want)
		}
	}
}

func TestTimesOfAZoneWithSummerTime(t *testing.T) {
	p, err := parseDatePattern("YYYY-MM-DD hh:mm")
	if err != nil {
		t.Fatal(err)
	}
	zone, err := domain.LoadZone("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	d := dates{patterns: []datePattern{p}, zone: zone}
	for text, want := range map[string]string{
		"2017-07-01 12:00": "2017-07-01T12:00:00-04:00",
		"2017-12-01 12:00": "2017-12-01T12:00:00-05:00",
		"2017-03-12 01:59": "2017-03-12T01:59:00-05:00",
		"2017-03-12 02:30": "!skips",
		"2017-03-12 03:00": "2017-03-12T03:00:00-04:00",
		"2017-11-05 00:59": "2017-11-05T00:59:00-04:00",
		"2017-11-05 01:30": "!twice",
		"2017-11-05 02:00": "2017-11-05T02:00:00-05:00",
	} {
		got, err := d.period(text)
		if want, fails := strings.CutPrefix(want, "!"); fails != (err != nil) || fails && !strings.Contains(err.Error(), want) || !fails && got != want {
			t.Errorf("%s is %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestDatePatternsThatMakeNoDate(t *testing.T) {
	for pattern, want := range map[string]string{
		"DD/MM":         "has a year",
		"DD YYYY":       "without its month",
		"YYYY hh":       "at least hh:mm",
		"YYYY-MM hh:mm": "without its day",
		"YYY-MM-DD":     `"YYY" is not understood`,
		"DD/MM/DD/YYYY": `"DD" is not understood`,
		"YYYY'x":        "without its end",
	} {
		if _, err := parseDatePattern(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", pattern, err, want)
		}
	}
}
