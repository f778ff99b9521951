package projections

import (
	"fmt"
	"slices"
	"strings"

	"roznamcha/domain"
)

// Column is a measure and the filters that narrow it.
type Column struct {
	Measure Measure
	Filters []Filter
}

// classColumns are arrests by class under names of their own, in the order in
// which they are printed.
var classColumns = []domain.Class{domain.National, domain.Foreign, domain.UnknownClass}

// ParseColumn reads a measure, with filters in brackets where it has any:
// "raids", "arrests[nationality=PK]", "recovered[form=cash,city=Karachi]". The
// names national, foreign and unknown are arrests with that class.
func ParseColumn(s string) (Column, error) {
	name, rest, bracket := strings.Cut(s, "[")
	filters, closed := strings.CutSuffix(rest, "]")
	if bracket != closed || bracket && filters == "" {
		return Column{}, fmt.Errorf("column %q: want filters in one pair of brackets. Try: arrests[nationality=PK]", clip(s))
	}
	for _, class := range classColumns {
		if name == class.String() && !bracket {
			return classColumn(class.String()), nil
		}
	}
	m, err := ParseMeasure(name)
	if err != nil {
		return Column{}, fmt.Errorf("column %q: %w, national, foreign, unknown", clip(s), err)
	}
	c := Column{Measure: m}
	if c.Filters, err = ParseFilters(filters); err != nil {
		return Column{}, fmt.Errorf("column %q: %w", clip(s), err)
	}
	return c, nil
}

// ParseColumns reads columns with commas between: "raids,arrests[sex=female]".
func ParseColumns(s string) ([]Column, error) {
	var columns []Column
	for _, part := range splitColumns(s) {
		c, err := ParseColumn(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		columns = append(columns, c)
	}
	return columns, nil
}

// splitColumns cuts s at the commas that stand in no brackets and no quotes.
func splitColumns(s string) (parts []string) {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	start, inside, quoted := 0, false, false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			inside = true
		case c == ']':
			inside = false
		case c == ',' && !inside:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

func classColumn(class string) Column {
	return Column{Measure: Arrests, Filters: []Filter{{Class, []string{class}}}}
}

// String writes c as ParseColumn reads it.
func (c Column) String() string {
	if len(c.Filters) == 0 {
		return c.Measure.String()
	}
	return c.Measure.String() + "[" + formatFilters(c.Filters) + "]"
}

// MarshalText writes c as ParseColumn reads it.
func (c Column) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// class is the class that c alone is narrowed by, "" where it is not.
func (c Column) class() string {
	if c.Measure == Arrests && len(c.Filters) == 1 && c.Filters[0].Dimension == Class && len(c.Filters[0].Values) == 1 {
		return c.Filters[0].Values[0]
	}
	return ""
}

// heading is what stands above c: within a group of columns of its measure, or
// alone.
func (c Column) heading(grouped bool) string {
	class := strings.ReplaceAll(c.class(), domain.NotGiven, notGivenText)
	switch {
	case grouped && class != "":
		return class
	case grouped && len(c.Filters) == 0:
		return "all"
	case grouped:
		return formatFilters(c.Filters)
	case class != "":
		return class + " " + c.Measure.String()
	case len(c.Filters) > 0:
		return c.Measure.String() + " " + formatFilters(c.Filters)
	}
	return c.Measure.String()
}

// DefaultColumns are the columns of a ledger's first table: of every measure
// that t has ever had a fact of, the arrests also by those classes that occur.
// A ledger without facts has the columns that most ledgers will.
func DefaultColumns(t *Totals) []Column {
	measures, classes := t.occurring()
	if len(measures) == 0 {
		measures = []Measure{Raids, Arrests, Cases, Alleged, Recovered}
	}
	var columns []Column
	for m := Raids; m < endOfMeasures; m++ {
		if !slices.Contains(measures, m) {
			continue
		}
		if m == Arrests {
			columns = append(columns, defaultClasses(classes)...)
		}
		columns = append(columns, Column{Measure: m})
	}
	return columns
}

// defaultClasses are the columns beside all arrests: national and foreign
// wherever a class is known of any, the others where there are such arrests.
func defaultClasses(classes []string) (columns []Column) {
	known := slices.Contains(classes, domain.National.String()) || slices.Contains(classes, domain.Foreign.String())
	if !known {
		return nil
	}
	for _, class := range []string{domain.National.String(), domain.Foreign.String()} {
		columns = append(columns, classColumn(class))
	}
	for _, class := range []string{domain.UnknownClass.String(), domain.NotGiven} {
		if slices.Contains(classes, class) {
			columns = append(columns, classColumn(class))
		}
	}
	return columns
}
