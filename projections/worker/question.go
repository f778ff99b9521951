package worker

import (
	"strings"
	"time"

	"roznamcha/projections"
)

// Question asks for a table of totals, in the words of the command line. Of it
// are made the request of the service and the question in a stamp.
type Question struct {
	Columns    string `json:"columns,omitempty"`
	By         string `json:"by,omitempty"`
	Where      string `json:"where,omitempty"`
	Period     string `json:"period,omitempty"`
	Clock      string `json:"clock,omitempty"` // "occurred" if ""
	YearStarts int    `json:"year_starts,omitempty"`
}

// QuestionOf is q, without its AsOf, always in the same words.
func QuestionOf(q projections.Query) Question {
	asked := Question{
		Columns: join(q.Columns),
		By:      join(q.By),
		Where:   join(q.Where),
		Period:  q.Period.String(),
	}
	if q.Clock != projections.Occurred {
		asked.Clock = q.Clock.String()
	}
	if q.YearStarts != 0 && q.YearStarts != time.January {
		asked.YearStarts = int(q.YearStarts)
	}
	return asked
}

func join[S interface{ String() string }](list []S) string {
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = list[i].String()
	}
	return strings.Join(texts, ",")
}

// Query reads the question; the error says what is wrong with it.
func (asked Question) Query() (q projections.Query, err error) {
	if q.Columns, err = projections.ParseColumns(asked.Columns); err != nil {
		return q, err
	}
	if q.By, err = projections.ParseDimensions(asked.By); err != nil {
		return q, err
	}
	if q.Where, err = projections.ParseFilters(asked.Where); err != nil {
		return q, err
	}
	clock := asked.Clock
	if clock == "" {
		clock = projections.Occurred.String()
	}
	during, err := projections.ParseDuring(asked.Period, clock)
	if err != nil {
		return q, err
	}
	q.Period, q.Clock, q.YearStarts = during.Period, during.Clock, time.Month(asked.YearStarts)
	_, err = projections.NewTotals().Query(q) // what an empty ledger cannot answer, none can
	return q, err
}
