package main

import (
	"testing"
	"time"

	"roznamcha/domain"
)

func TestStampIsAlwaysAsWide(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{time.Date(2026, 11, 22, 18, 25, 39, 295500700, time.UTC), "2026-11-22T18:25:39.295500700Z"},
		{time.Date(2026, 11, 22, 23, 25, 39, 0, time.FixedZone("", 5*3600)), "2026-11-22T18:25:39.000000000Z"},
	} {
		if got := stamp(c.at); got != c.want {
			t.Errorf("stamp(%v) = %s, want %s", c.at, got, c.want)
		}
	}
}

func TestParseFrom(t *testing.T) {
	karachi, err := domain.LoadZone("Asia/Karachi")
	if err != nil {
		t.Fatal(err)
	}
	late := time.Date(2025, 6, 2, 19, 30, 0, 0, time.UTC) // the next day in Karachi
	for _, c := range []struct {
		from  string
		entry uint64
		zone  *time.Location
		want  bool
	}{
		{"", 1, nil, true},
		{"5", 4, karachi, false},
		{"5", 5, karachi, true},
		{"2025-06-03", 5, karachi, true},
		{"2025-06-03", 5, nil, false},
		{"2025-06-04", 5, karachi, false},
		{"2025-06-02T19:30:00Z", 5, karachi, true},
		{"2025-06-03T00:30:00.000000001+05:00", 5, karachi, false},
	} {
		m, err := parseFrom(c.from)
		if err != nil {
			t.Errorf("--from %q: %v", c.from, err)
			continue
		}
		if got := m.reached(c.entry, late, c.zone); got != c.want {
			t.Errorf("--from %q reached at entry %d, %v in %v: %v, want %v", c.from, c.entry, late, c.zone, got, c.want)
		}
	}
	for _, bad := range []string{"soon", "2025-06", "2025-02-30", "-1", "5:1"} {
		if _, err := parseFrom(bad); !isWrongUse(err) {
			t.Errorf("--from %q: %v, want wrong use", bad, err)
		}
	}
}
