package projections

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"roznamcha/domain"

	"golang.org/x/text/unicode/norm"
)

// Filter selects the facts that have one of Values in Dimension. A value
// domain.NotGiven selects facts that do not have the dimension; for a year,
// quarter or month "in no one year" and so on, as tables have it, does too.
type Filter struct {
	Dimension Dimension
	Values    []string
}

// ParseFilters reads filters that must all hold, with commas between, such as
// "city=Karachi|Lahore,sex=female": one of the values between bars is enough. A
// value with a comma, bar, bracket or double quote in it stands in double
// quotes, a quote in it doubled: operation="Grey, part 2". "" is no filter.
func ParseFilters(s string) ([]Filter, error) {
	var filters []Filter
	for rest, more := s, s != ""; more; {
		f, tail, err := parseFilter(rest)
		if err != nil {
			return nil, fmt.Errorf("filter %q: %w", clip(s), err)
		}
		filters = append(filters, f)
		rest, more = strings.CutPrefix(tail, ",")
		if !more && tail != "" {
			return nil, fmt.Errorf("filter %q: %q is left over. Try: city=Karachi,sex=female, with double quotes around a value that has signs in it", clip(s), clip(tail))
		}
	}
	return filters, nil
}

// parseFilter reads one name=value|value and returns what follows it.
func parseFilter(s string) (f Filter, rest string, err error) {
	name, rest, ok := strings.Cut(s, "=")
	if !ok {
		return f, "", errors.New("want name=value. Try: city=Karachi,sex=female")
	}
	if f.Dimension, err = ParseDimension(strings.TrimSpace(name)); err != nil {
		return f, "", err
	}
	for more := true; more; {
		var value string
		if value, rest, err = parseValue(rest); err != nil {
			return f, "", err
		}
		if !f.Dimension.isNone(value) {
			if err := f.Dimension.checkValue(value); err != nil {
				return f, "", err
			}
		}
		f.Values = append(f.Values, value)
		rest, more = strings.CutPrefix(rest, "|")
	}
	return f, rest, nil
}

// filterSigns end a bare value.
const filterSigns = `,|"[]`

// parseValue reads one value, bare or in double quotes, and returns what
// follows it.
func parseValue(s string) (value, rest string, err error) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, filterSigns)
		if end < 0 {
			end = len(s)
		}
		value, rest = s[:end], s[end:]
	} else {
		var b strings.Builder
		for rest = s; strings.HasPrefix(rest, `"`); {
			if len(rest) < len(s) {
				b.WriteByte('"') // a doubled quote
			}
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				return "", "", errors.New(`a double quote is not closed. Try: city="Toba Tek Singh"`)
			}
			b.WriteString(rest[1 : 1+end])
			rest = rest[2+end:]
		}
		value = b.String()
	}
	if value = normalise(value); value == "" {
		return "", "", fmt.Errorf("a value is empty. Try: %s for facts that do not say", domain.NotGiven)
	}
	return value, rest, nil
}

// String writes f as ParseFilters reads it.
func (f Filter) String() string {
	values := make([]string, len(f.Values))
	for i, v := range f.Values {
		if values[i] = v; strings.ContainsAny(v, filterSigns) {
			values[i] = `"` + strings.ReplaceAll(v, `"`, `""`) + `"`
		}
	}
	return f.Dimension.String() + "=" + strings.Join(values, "|")
}

// MarshalText writes f as ParseFilters reads it.
func (f Filter) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// allows tells whether a fact with these values, none where it does not have
// the dimension, passes f.
func (f Filter) allows(values []string) bool {
	if len(values) == 0 {
		return slices.ContainsFunc(f.Values, f.Dimension.isNone)
	}
	for _, v := range values {
		if slices.Contains(f.Values, v) {
			return true
		}
	}
	return false
}

// IsNone tells whether f selects nothing but facts that do not have the dimension.
func (f Filter) IsNone() bool {
	return !slices.ContainsFunc(f.Values, func(v string) bool { return !f.Dimension.isNone(v) })
}

// normalised is f with its values as facts hold them.
func (f Filter) normalised() Filter {
	f.Values = slices.Clone(f.Values)
	for i, v := range f.Values {
		f.Values[i] = normalise(v)
	}
	return f
}

// formatFilters writes filters as ParseFilters reads them.
func formatFilters(filters []Filter) string {
	texts := make([]string, len(filters))
	for i, f := range filters {
		texts[i] = f.String()
	}
	return strings.Join(texts, ",")
}

// normalise is how free text is held and compared: trimmed, and in Unicode
// normalisation form C (UAX #15). Nothing in it is guessed.
func normalise(s string) string { return norm.NFC.String(strings.TrimSpace(s)) }
