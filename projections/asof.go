package projections

import (
	"fmt"
	"strconv"
	"time"

	"roznamcha/domain"
)

// AsOf is the moment as known at which a reader asks: an entry, the end of a
// day, or a time, whichever comes first. The zero AsOf is now.
type AsOf struct {
	entry uint64
	day   domain.Period // of the precision of a day
	at    time.Time
}

// ParseAsOf reads "1234", an entry; "2025-06-03", the end of that day in the
// ledger's zone; "2025-06-03T22:10:00+05:00" (RFC 3339), the last entry not
// recorded later; or "" for now.
func ParseAsOf(s string) (AsOf, error) {
	if s == "" {
		return AsOf{}, nil
	}
	if entry, err := strconv.ParseUint(s, 10, 54); err == nil && entry > 0 {
		return AsOf{entry: entry}, nil
	}
	if day, err := domain.ParsePeriod(s); err == nil && len(s) == len(time.DateOnly) {
		if first, last := day.Days(time.UTC); first == last {
			return AsOf{day: day}, nil
		}
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return AsOf{at: at}, nil
	}
	return AsOf{}, fmt.Errorf("as-of %q: want an entry number, a day or a time with its offset. Try: 1234, 2025-06-03 or 2025-06-03T22:10:00+05:00", clip(s))
}

// AsOfEntry is as known at an entry, which must not be 0.
func AsOfEntry(entry uint64) AsOf { return AsOf{entry: entry} }

// AtMost is a, or entry where that comes first; 0 is no bound.
func (a AsOf) AtMost(entry uint64) AsOf {
	if a.entry == 0 || 0 < entry && entry < a.entry {
		a.entry = entry
	}
	return a
}

// IsZero tells whether a is now.
func (a AsOf) IsZero() bool { return a == AsOf{} }

// Entry is the last entry that a allows, 0 where it is only a day, a time or
// now.
func (a AsOf) Entry() uint64 { return a.entry }

// String writes a as ParseAsOf reads it.
func (a AsOf) String() string {
	switch {
	case !a.day.IsZero():
		return a.day.String()
	case !a.at.IsZero():
		return a.at.Format(time.RFC3339Nano)
	case a.entry != 0:
		return strconv.FormatUint(a.entry, 10)
	}
	return ""
}

// Knows tells whether an entry was recorded by a. A day is that of zone, or of
// UTC where the ledger has none yet (nil).
func (a AsOf) Knows(entry uint64, recorded time.Time, zone *time.Location) bool {
	switch {
	case a.entry != 0 && entry > a.entry:
		return false
	case !a.day.IsZero():
		if zone == nil {
			zone = time.UTC
		}
		_, last := a.day.Days(zone)
		return domain.DayOf(recorded, zone) <= last
	case !a.at.IsZero():
		return !recorded.After(a.at)
	}
	return true
}

// Until is the last moment that a allows, where it is a day of zone or a time;
// zero where it is neither.
func (a AsOf) Until(zone *time.Location) time.Time {
	if a.day.IsZero() {
		return a.at
	}
	_, last := a.day.Days(time.UTC)
	year, month, day := last.Date()
	return time.Date(year, month, day+1, 0, 0, 0, 0, zone).Add(-1)
}
