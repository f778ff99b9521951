package projections

import "roznamcha/domain"

// dates are when records' facts are of, by either clock, as known at any entry:
// 8 bytes a record, and about 60 for one that changes or was linked to before.
type dates struct {
	spans *spans
	first []recordDate // by record
	later map[uint32][]datedFrom
}

// recordDate is a record's spans, by clock.
type recordDate [2]uint32

// datedFrom is a record's date from a place on.
type datedFrom struct {
	place domain.Place
	date  recordDate
}

func newDates() *dates { return &dates{spans: newSpans(), later: make(map[uint32][]datedFrom)} }

// stand takes down the dates of a record's version; first where no exception
// can have been about it before.
func (d *dates) stand(record uint32, data domain.Data, place domain.Place, first bool) {
	var date recordDate
	for clock := range date {
		date[clock] = d.spans.number(During{Clock: Clock(clock)}.date(data))
	}
	for int(record) >= len(d.first) {
		d.first = append(d.first, recordDate{})
	}
	switch {
	case first:
		d.first[record] = date
	case d.at(record, 0) != date:
		d.later[record] = append(d.later[record], datedFrom{place, date})
	}
}

// at is the date of a record as known at an entry, 0 for now. What is no record
// has none.
func (d *dates) at(record uint32, asOf uint64) (date recordDate) {
	if int(record) >= len(d.first) {
		return date
	}
	date = d.first[record]
	for _, l := range d.later[record] {
		if asOf == 0 || l.place.Entry() <= asOf {
			date = l.date
		}
	}
	return date
}
