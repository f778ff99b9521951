package domain

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Amount is an amount of money in one currency, in its minor units: 250000.00
// PKR has Minor 25000000. It is never negative and never a float. Minor is 0
// where the Qualifier is Unknown, and the currency may then be missing. The
// zero Amount is one that is not given.
type Amount struct {
	Minor     int64
	Currency  Currency
	Qualifier Qualifier
}

// ParseAmount reads an amount as it is written: value is a decimal string such
// as "250000.00" without sign, leading zeros or exponent, with no more
// decimals than the currency has. With Unknown the value must be "" and the
// currency may be. AtMost is read, since claims may have it; facts may not, and
// the codec sees to that. The result keeps no part of value and currency.
func ParseAmount(value, currency string, q Qualifier) (Amount, error) {
	if q == Unknown && value != "" {
		return Amount{}, fmt.Errorf("amount %q: what is unknown has no value. Try: leave out the value, or the qualifier", clip(value))
	}
	if q == Unknown && currency == "" {
		return Amount{Qualifier: q}, nil
	}
	c, err := ParseCurrency(currency)
	if err != nil {
		return Amount{}, err
	}
	if q == Unknown {
		return Amount{Currency: c, Qualifier: q}, nil
	}
	minor, err := parseMinor(value, c)
	if err != nil {
		return Amount{}, err
	}
	return Amount{minor, c, q}, nil
}

// parseMinor reads a decimal string as minor units of c.
func parseMinor(value string, c Currency) (int64, error) {
	if value == "" {
		return 0, errors.New("no value. Try: one such as 250000.00, or the qualifier unknown")
	}
	whole, fraction, point := strings.Cut(value, ".")
	if !isDigits(whole) || point && !isDigits(fraction) || len(whole) > 1 && whole[0] == '0' {
		return 0, fmt.Errorf("amount %q: want digits with at most one decimal point. Try: 250000.00", clip(value))
	}
	decimals := c.Decimals()
	switch {
	case len(fraction) == 1 && decimals == 0:
		return 0, fmt.Errorf("%s has 1 decimal, %s has 0", clip(value), c)
	case len(fraction) > decimals:
		return 0, fmt.Errorf("%s has %d decimals, %s has %d", clip(value), len(fraction), c, decimals)
	}
	minor, ok := appendDigits(0, whole)
	if ok {
		minor, ok = appendDigits(minor, fraction)
	}
	if ok {
		minor, ok = appendDigits(minor, "0000"[:decimals-len(fraction)])
	}
	if !ok {
		return 0, fmt.Errorf("amount %q: more than can be held, %s %s", clip(value), FormatGrouped(math.MaxInt64, decimals), c)
	}
	return minor, nil
}

// isDigits tells whether s is one or more digits.
func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// appendDigits writes digits behind those of n; false on overflow.
func appendDigits(n int64, digits string) (int64, bool) {
	for i := 0; i < len(digits); i++ {
		digit := int64(digits[i] - '0')
		if n > (math.MaxInt64-digit)/10 {
			return 0, false
		}
		n = n*10 + digit
	}
	return n, true
}

// Value is the canonical decimal string of a, with all the decimals of its
// currency: "250000.00". It is "" where the amount is unknown.
func (a Amount) Value() string {
	if a.Qualifier == Unknown {
		return ""
	}
	return FormatMinor(a.Minor, a.Currency.Decimals())
}

// FormatMinor writes minor units as a plain decimal string, for machines:
// 10502454824 with 2 decimals is "105024548.24".
func FormatMinor(minor int64, decimals int) string {
	magnitude, sign := uint64(minor), ""
	if minor < 0 {
		magnitude, sign = -magnitude, "-"
	}
	digits := strconv.FormatUint(magnitude, 10)
	if missing := decimals + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	if decimals <= 0 {
		return sign + digits
	}
	point := len(digits) - decimals
	return sign + digits[:point] + "." + digits[point:]
}

// FormatGrouped writes minor units for people, with a comma between thousands:
// 10502454824 with 2 decimals is "105,024,548.24". With 0 decimals it writes
// any whole number.
func FormatGrouped(minor int64, decimals int) string {
	plain := FormatMinor(minor, decimals)
	whole, _, _ := strings.Cut(plain, ".")
	sign := len(whole) - len(strings.TrimPrefix(whole, "-"))
	grouped := make([]byte, 0, len(plain)+len(plain)/3)
	for i := range len(whole) {
		if i > sign && (len(whole)-i)%3 == 0 {
			grouped = append(grouped, ',')
		}
		grouped = append(grouped, whole[i])
	}
	return string(grouped) + plain[len(whole):]
}
