package projections

import (
	"fmt"
	"strings"

	"roznamcha/domain"
)

// Dimension is what totals can be grouped and filtered by. The zero Dimension
// is none.
type Dimension uint8

// The dimensions. The first are kept with every fact; Successor follows from
// Agency and the successions recorded, and the rest from the fact's dates.
const (
	_ Dimension = iota
	Agency
	Unit
	Country
	Subdivision
	City
	Premises
	Nationality
	Class
	Sex
	Offence
	Form
	Operation
	Currency
	endOfStored

	Successor Dimension = iota - 1
	Year
	Quarter
	Month
	endOfDimensions
)

var dimensionWords = [endOfDimensions]string{
	Agency:      "agency",
	Unit:        "unit",
	Country:     "country",
	Subdivision: "subdivision",
	City:        "city",
	Premises:    "premises",
	Nationality: "nationality",
	Class:       "class",
	Sex:         "sex",
	Offence:     "offence",
	Form:        "form",
	Operation:   "operation",
	Currency:    "currency",
	Successor:   "successor",
	Year:        "year",
	Quarter:     "quarter",
	Month:       "month",
}

// ParseDimension reads the name of a dimension, such as "city".
func ParseDimension(s string) (Dimension, error) {
	for d := Agency; d < endOfDimensions; d++ {
		if dimensionWords[d] == s {
			return d, nil
		}
	}
	return 0, fmt.Errorf("dimension %q: there is no such dimension. Try: %s", clip(s), strings.Join(dimensionWords[Agency:], ", "))
}

// ParseDimensions reads up to three names with commas between, such as
// "city,month"; "" is none.
func ParseDimensions(s string) ([]Dimension, error) {
	if s == "" {
		return nil, nil
	}
	var by []Dimension
	for name := range strings.SplitSeq(s, ",") {
		d, err := ParseDimension(strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		by = append(by, d)
	}
	return by, checkBy(by)
}

// maxBy is how many dimensions a table may be grouped by.
const maxBy = 3

// checkBy holds a grouping against what one table can show.
func checkBy(by []Dimension) error {
	if len(by) > maxBy {
		return fmt.Errorf("grouping by %d dimensions: a table has at most %d. Try: leave some out, or fix one with a filter", len(by), maxBy)
	}
	for i, d := range by {
		if d == 0 || d >= endOfDimensions {
			return fmt.Errorf("grouping by dimension number %d, which there is not", d)
		}
		for _, before := range by[:i] {
			if d == before {
				return fmt.Errorf("grouping by %s twice. Try: name it once", d)
			}
		}
	}
	return nil
}

// String is the dimension's name.
func (d Dimension) String() string { return dimensionWords[d] }

// isTime tells whether d follows from a fact's dates.
func (d Dimension) isTime() bool { return d >= Year }

// isOpen tells whether any word can be a value of d, so that only the facts
// tell whether one is misspelt.
func (d Dimension) isOpen() bool {
	switch d {
	case Agency, Successor, Unit, Subdivision, City, Offence, Operation:
		return true
	}
	return false
}

// none is the value, of a row and in a filter, of facts that do not have d:
// domain.NotGiven, or where d is a time such as "in no one year".
func (d Dimension) none() string {
	if d.isTime() {
		return "in no one " + d.String()
	}
	return domain.NotGiven
}

// isNone tells whether value selects facts that do not have d.
func (d Dimension) isNone(value string) bool { return value == d.none() || value == domain.NotGiven }

// stored is the dimension that d is read from; d must not be a time.
func (d Dimension) stored() Dimension {
	if d == Successor {
		return Agency
	}
	return d
}

// isList tells whether one fact can have several values of d.
func (d Dimension) isList() bool { return d == Nationality || d == Offence }

// checkValue tells whether a fact can have the value s of d at all, so that a
// misspelt filter is an error and not an empty table.
func (d Dimension) checkValue(s string) error {
	words := ""
	var err error
	switch d {
	case Country:
		_, err = domain.ParseCountry(s)
	case Nationality:
		_, err = domain.ParseNationality(s)
	case Currency:
		_, err = domain.ParseCurrency(s)
	case Agency, Unit, Successor:
		if !domain.IsToken(s) {
			words = "small letters, digits and hyphens"
		}
	case Premises:
		words = oneOf(s, domain.CallCentre, domain.SoftwareHouse, domain.OtherPremises)
	case Class:
		words = oneOf(s, domain.National, domain.Foreign, domain.UnknownClass)
	case Sex:
		words = oneOf(s, domain.Female, domain.Male, domain.OtherSex, domain.UnknownSex)
	case Form:
		words = oneOf(s, domain.Cash, domain.Bank, domain.Crypto, domain.Property)
	case Year, Quarter, Month:
		err = checkUnit(d, s)
	}
	if words != "" {
		err = fmt.Errorf("no fact can have %q there. Try: %s", clip(s), words)
	}
	if err != nil {
		return fmt.Errorf("filter %s: %w", d, err)
	}
	return nil
}

// oneOf is "" if s is one of words, else all of them.
func oneOf[W any](s string, words ...W) string {
	all := make([]string, len(words))
	for i, w := range words {
		if all[i] = fmt.Sprint(w); all[i] == s {
			return ""
		}
	}
	return strings.Join(append(all, domain.NotGiven), ", ")
}

// MarshalText writes the dimension's name.
func (d Dimension) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// dimensions has a bit for each of some dimensions.
type dimensions uint32

// without says what facts that have none of s do not say, such as "name no
// city or lie in no one month".
func (s dimensions) without() string {
	var names, times []string
	for d := Agency; d < endOfDimensions; d++ {
		switch {
		case s&(1<<d) == 0:
		case d.isTime():
			times = append(times, d.String())
		default:
			names = append(names, d.String())
		}
	}
	var parts []string
	if names != nil {
		parts = append(parts, "name no "+strings.Join(names, " or "))
	}
	if times != nil {
		parts = append(parts, "lie in no one "+strings.Join(times, " or "))
	}
	return strings.Join(parts, " or ")
}
