package projections

import (
	"strings"
	"testing"
	"time"

	"roznamcha/domain"
)

func TestParseAsOf(t *testing.T) {
	for _, in := range []string{"", "1", "2025", "18014398509481983", "2025-06-03", "2025-06-03T22:10:00+05:00", "2025-06-03T17:10:00.25Z"} {
		a, err := ParseAsOf(in)
		if err != nil || a.String() != in || a.IsZero() != (in == "") {
			t.Errorf("%q is read as %q, %v", in, a, err)
		}
	}
	if a, _ := ParseAsOf("2025"); a.Entry() != 2025 || a != AsOfEntry(2025) {
		t.Errorf("digits are entry %d", a.Entry())
	}
	for _, in := range []string{"0", "-1", "2025-06", "2025-13-01", "../2026-02", "yesterday", "2025-06-03T22:10:00", "99999999999999999999"} {
		if a, err := ParseAsOf(in); err == nil || !strings.Contains(err.Error(), "Try:") {
			t.Errorf("%q is read as %q, %v", in, a, err)
		}
	}
}

// A day is known to its end in the ledger's zone, a time to the moment.
func TestAsOfKnows(t *testing.T) {
	zone, err := domain.LoadZone("Asia/Karachi")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		asOf, recorded string
		zone           *time.Location
		want           bool
	}{
		{"", "2999-01-01T00:00:00Z", zone, true},
		{"2025-06-03", "2025-06-03T18:59:59.999Z", zone, true},
		{"2025-06-03", "2025-06-03T19:00:00Z", zone, false},
		{"2025-06-03", "2025-06-03T19:00:00Z", nil, true},
		{"2025-06-03", "2025-06-04T00:00:00Z", nil, false},
		{"2025-06-03T22:10:00+05:00", "2025-06-03T17:10:00Z", zone, true},
		{"2025-06-03T22:10:00+05:00", "2025-06-03T17:10:00.000000001Z", zone, false},
		{"7", "2999-01-01T00:00:00Z", zone, true},
		{"6", "2025-01-01T00:00:00Z", zone, false},
	} {
		a, err := ParseAsOf(c.asOf)
		if err != nil {
			t.Fatal(err)
		}
		recorded, err := time.Parse(time.RFC3339Nano, c.recorded)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Knows(7, recorded, c.zone); got != c.want {
			t.Errorf("as of %q, entry 7 of %s in %v is known: %v", c.asOf, c.recorded, c.zone, got)
		}
	}
}

// Bounded, a moment ends where the first of the two does.
func TestAsOfAtMost(t *testing.T) {
	day, err := ParseAsOf("2025-06-03")
	if err != nil {
		t.Fatal(err)
	}
	before, after := time.Date(2025, 6, 3, 9, 0, 0, 0, time.UTC), time.Date(2025, 6, 5, 9, 0, 0, 0, time.UTC)
	bound := day.AtMost(7)
	if !bound.Knows(7, before, nil) || bound.Knows(8, before, nil) || bound.Knows(7, after, nil) {
		t.Errorf("%v, at most entry 7, does not end at the first of both", day)
	}
	if got := AsOfEntry(5).AtMost(7); got != AsOfEntry(5) {
		t.Errorf("entry 5, at most 7, is %v", got)
	}
	if got := AsOfEntry(9).AtMost(7); got != AsOfEntry(7) {
		t.Errorf("entry 9, at most 7, is %v", got)
	}
	if got := (AsOf{}).AtMost(7); got != AsOfEntry(7) {
		t.Errorf("now, at most 7, is %v", got)
	}
	if got := day.AtMost(0); got != day || !(AsOf{}).AtMost(0).IsZero() {
		t.Errorf("at most 0 bounds: %v", got)
	}
}
