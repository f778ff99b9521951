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
