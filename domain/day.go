package domain

import "time"

// Day is a day of the Gregorian calendar, kept as the number of days since
// 1970-01-01. It belongs to no zone: DayOf says which day an instant has.
type Day int32

// The days before and after every other: the bounds of an open or unknown
// Period. They have no date.
const (
	MinDay Day = -1 << 31
	MaxDay Day = 1<<31 - 1
)

const secondsPerDay = 24 * 60 * 60

// MakeDay is the day of a date, of a year from 1 on and a month from January
// to 13, the January after. Days beyond their month run on: day 0 is the last
// of the month before. It is called for every date that is read, and takes a
// quarter of the time of time.Date.
func MakeDay(year int, month time.Month, day int) Day {
	// Years that begin in March end with their leap day, so the days before a
	// month are the same in every year: 306 from March to the year's end.
	y, m := year, int(month)-3
	if m < 0 {
		y, m = y-1, m+12
	}
	const epoch = 719468 // 1970-01-01, counted from 0000-03-01
	leapDays := y/4 - y/100 + y/400
	return Day(365*y + leapDays + (153*m+2)/5 + day - 1 - epoch)
}

// DayOf is the day that the instant t has in zone.
func DayOf(t time.Time, zone *time.Location) Day {
	_, offset := t.In(zone).Zone()
	local := t.Unix() + int64(offset)
	day := local / secondsPerDay
	if local%secondsPerDay < 0 { // before 1970 the division rounds up
		day--
	}
	return Day(day)
}

// Date is the date of d, which must not be MinDay or MaxDay.
func (d Day) Date() (year int, month time.Month, day int) { return d.midnight().Date() }

// String writes "2006-01-02"; MinDay and MaxDay, which have no date, are "..".
func (d Day) String() string {
	if d == MinDay || d == MaxDay {
		return ".."
	}
	return d.midnight().Format(time.DateOnly)
}

// midnight is the instant at which d begins in UTC.
func (d Day) midnight() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }
