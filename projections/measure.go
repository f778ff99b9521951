package projections

import (
	"fmt"
	"strings"

	"roznamcha/domain"
)

// Measure is what a column of totals adds up. The zero Measure is none.
type Measure uint8

// The measures. Raids, Detained, Arrests and Cases are counts; the others are
// amounts in minor units, apart for each currency.
const (
	_ Measure = iota
	Raids
	Detained
	Arrests
	Cases
	Alleged
	Recovered
	Seized
	Forfeited
	endOfMeasures
)

var measureWords = [endOfMeasures]string{
	Raids:     "raids",
	Detained:  "detained",
	Arrests:   "arrests",
	Cases:     "cases",
	Alleged:   "alleged",
	Recovered: "recovered",
	Seized:    "seized",
	Forfeited: "forfeited",
}

// ParseMeasure reads the name of a measure, such as "arrests".
func ParseMeasure(s string) (Measure, error) {
	for m := Raids; m < endOfMeasures; m++ {
		if measureWords[m] == s {
			return m, nil
		}
	}
	return 0, fmt.Errorf("measure %q: the ledger has no such measure. Try: %s", clip(s), strings.Join(measureWords[Raids:], ", "))
}

// String is the measure's name.
func (m Measure) String() string { return measureWords[m] }

// IsAmount tells whether m is money, held in minor units of a currency.
func (m Measure) IsAmount() bool { return m >= Alleged }

// measureOf is what records of type t add to; 0 where they add to no total.
func measureOf(t domain.Type) Measure {
	switch t {
	case domain.TypeRaidConducted:
		return Raids
	case domain.TypePersonDetained:
		return Detained
	case domain.TypeArrestMade:
		return Arrests
	case domain.TypeCaseRegistered:
		return Cases
	case domain.TypeLossAlleged:
		return Alleged
	case domain.TypeRecoveryMade:
		return Recovered
	case domain.TypePropertySeized:
		return Seized
	case domain.TypePropertyForfeited:
		return Forfeited
	}
	return 0
}

// clip shortens what a stranger wrote, so that an error stays readable.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
