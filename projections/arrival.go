package projections

import (
	"slices"
	"strings"
	"time"

	"roznamcha/domain"
)

// Arrivals keep when each record was first recorded, in 8 bytes a record and 16
// for each day on which something was.
type Arrivals struct {
	zone   *time.Location
	places []domain.Place // by record
	days   []arrivalDay   // each from its first entry on
}

type arrivalDay struct {
	entry uint64
	day   domain.Day
}

// NewArrivals are the arrivals of no entry.
func NewArrivals() *Arrivals { return &Arrivals{zone: time.UTC} }

// Apply folds one ruling in.
func (a *Arrivals) Apply(r *domain.Ruled) {
	if r.Verdict != domain.Accepted || r.Change != domain.Created {
		return
	}
	if opened, ok := r.Fact.(*domain.LedgerOpened); ok {
		a.zone = opened.Location()
	}
	a.places = append(a.places, r.Position.Place()) // records are numbered in this order
	day := domain.DayOf(r.Recorded, a.zone)
	if len(a.days) == 0 || a.days[len(a.days)-1].day != day {
		a.days = append(a.days, arrivalDay{r.Position.Entry, day})
	}
}

// of is where a record was first recorded, and on which day of the ledger's
// zone.
func (a *Arrivals) of(record domain.RecordID) (domain.Position, domain.Day) {
	at := a.places[record].Position()
	i, exact := slices.BinarySearchFunc(a.days, at.Entry, func(d arrivalDay, entry uint64) int {
		return int(int64(d.entry) - int64(entry))
	})
	if !exact {
		i--
	}
	return at, a.days[i].day
}

// Delays are how many days passed between when facts occurred and when they
// were recorded.
type Delays struct {
	Asked
	By []Dimension `json:"by"`
	// Rows are by the words of their labels, Total is all facts.
	Rows  []Delay `json:"rows"`
	Total Delay   `json:"total"`
}

// Delay is the delay of the facts of one row, in whole days. A fact of several
// values of a dimension stands in each row and once in the total.
type Delay struct {
	// Labels are the values of the dimensions, as a table of totals has them.
	Labels []string `json:"labels,omitempty"`
	// Facts are those whose delay is known. Undated have no last day: the day
	// is unknown, or its end open. Ahead were recorded before their last day
	// had come: one of the year 2025, written down in June.
	Facts   int `json:"facts"`
	Undated int `json:"undated"`
	Ahead   int `json:"ahead"`
	// Median and Ninetieth are the least delays that half, and nine tenths, of
	// the facts do not exceed; Longest is the longest. They mean nothing where
	// there are no Facts.
	Median    int `json:"median_days"`
	Ninetieth int `json:"ninetieth_days"`
	Longest   int `json:"longest_days"`
	// Position and Record are those of the longest, the first recorded of
	// several.
	Position domain.Position `json:"longest_position,omitzero"`
	Record   string          `json:"longest_record,omitempty"`

	days    []int32
	longest domain.RecordID
}

// Delays measures from the last day of when each fact occurred (was registered,
// for a case; was reported, by that clock), as now known, to the day on which
// its record was first recorded, in the ledger's zone: a correction does not
// make a record late. Of matched reports of one fact it is that of the one that
// counts. q.Columns are the measures, all where there are none, and q.By the
// rows. a and reg must have read the same entries. Errors as in Query.
func (t *Totals) Delays(q Query, a *Arrivals, reg *domain.Register) (*Delays, error) {
	columns := q.Columns
	if len(columns) == 0 {
		columns = everyMeasure()
	}
	asked, err := t.asked(q, columns)
	if err != nil {
		return nil, err
	}
	out := &Delays{By: q.By, Rows: []Delay{}}
	rows := make(map[string]*Delay)
	asked.each(func(_ uint32, r *row) {
		to := t.spans.all[asked.spanOf(r)].to
		_, day := a.of(r.record)
		out.Total.add(to, day, r.record)
		for _, labels := range asked.labels(r) {
			key := strings.Join(labels, "\x00")
			if rows[key] == nil {
				rows[key] = &Delay{Labels: labels}
			}
			rows[key].add(to, day, r.record)
		}
	})
	for _, d := range rows {
		out.Rows = append(out.Rows, *d)
	}
	slices.SortFunc(out.Rows, func(a, b Delay) int { return slices.Compare(a.Labels, b.Labels) })
	for i := range out.Rows {
		out.Rows[i].finish(a, reg)
	}
	out.Total.finish(a, reg)
	out.Asked = asked
	return out, nil
}

// add counts one fact, recorded on day.
func (d *Delay) add(to, day domain.Day, record domain.RecordID) {
	switch {
	case to == domain.MaxDay:
		d.Undated++
	case to > day:
		d.Ahead++
	default:
		days := int32(day - to)
		if longer := len(d.days) == 0 || int(days) > d.Longest; longer || int(days) == d.Longest && record < d.longest {
			d.Longest, d.longest = int(days), record
		}
		d.days = append(d.days, days)
	}
}

// finish works out what the delays come to.
func (d *Delay) finish(a *Arrivals, reg *domain.Register) {
	d.Facts = len(d.days)
	if d.Facts == 0 {
		return
	}
	slices.Sort(d.days)
	d.Median = int(d.days[(d.Facts+1)/2-1])
	d.Ninetieth = int(d.days[(9*d.Facts+9)/10-1])
	d.Position, _ = a.of(d.longest)
	d.Record = reg.Record(d.longest).Name.String()
	d.days = nil
}

// labels are the labels of the rows in which r stands.
func (a *Asked) labels(r *row) [][]string {
	cells, spans := a.classesOf(r)
	return (&layout{plan: a.plan}).labels(cells, spans)
}
