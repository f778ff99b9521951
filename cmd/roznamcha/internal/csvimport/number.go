package csvimport

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// numbers is how a file writes its numbers.
type numbers struct {
	decimal   string   // between whole and fraction, "." unless told
	thousands string   // between groups of digits; "" is none
	signs     []string // stand before or behind a number and mean nothing: $, Rs.
	round     rounding
}

// rounding is what is done with more decimals than a value can hold.
type rounding uint8

const (
	noRounding rounding = iota // a reject
	halfEven
	halfUp
	down
)

var roundings = map[string]rounding{"": noRounding, "half-even": halfEven, "half-up": halfUp, "down": down}

// readNumbers reads the keys of a mapping, or of one value in it; what is not
// given is as in base.
func readNumbers(t *table, base numbers) numbers {
	n := base
	if t.has("decimal") {
		n.decimal = t.text("decimal")
	}
	if t.has("thousands") {
		n.thousands = t.text("thousands")
	}
	if t.has("signs") {
		n.signs = t.texts("signs")
	}
	if len(n.decimal) != 1 || n.decimal == n.thousands {
		t.fault("decimal", "want one sign that is not the one between thousands, such as \".\"")
	}
	if t.has("round") {
		word := t.text("round")
		round, ok := roundings[word]
		if !ok {
			t.fault("round", "%q is no way to round. Try: half-even, half-up or down", word)
		}
		n.round = round
	}
	return n
}

// plain is the number s as digits with at most one point, and no zeros that say
// nothing: "$ 1,234.50" is "1234.5". Decimals beyond most are rounded where
// that was asked for, and an error otherwise.
func (n *numbers) plain(s string, most int) (string, error) {
	whole, fraction, err := n.split(s)
	if err != nil {
		return "", err
	}
	whole = strings.TrimLeft(whole, "0")
	fraction = strings.TrimRight(fraction, "0")
	if len(fraction) > most {
		if n.round == noRounding {
			return "", fmt.Errorf("has %s, at most %d can be held. Try: round = \"half-even\" in the mapping, if that is meant", decimals(len(fraction)), most)
		}
		whole, fraction = n.round.cut(whole, fraction, most)
		fraction = strings.TrimRight(fraction, "0")
	}
	if whole == "" {
		whole = "0"
	}
	if fraction == "" {
		return whole, nil
	}
	return whole + "." + fraction, nil
}

func decimals(n int) string {
	if n == 1 {
		return "1 decimal"
	}
	return strconv.Itoa(n) + " decimals"
}

var errNumber = errors.New("not a number")

// split reads s as its digits before and behind the decimal sign.
func (n *numbers) split(s string) (whole, fraction string, err error) {
	s = strings.TrimSpace(s)
	for _, sign := range n.signs {
		s = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(s, sign), sign))
	}
	if strings.HasPrefix(s, "-") || strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")") {
		return "", "", errors.New("below zero: a ledger adds up what was done, corrections are amendments")
	}
	whole, fraction, point := strings.Cut(s, n.decimal)
	if n.thousands != "" && strings.Contains(whole, n.thousands) {
		if whole, err = n.ungroup(whole); err != nil {
			return "", "", err
		}
	}
	if !areDigits(whole) || point && !areDigits(fraction) {
		return "", "", errNumber
	}
	return whole, fraction, nil
}

// ungroup takes the signs between thousands away. The last group has three
// digits and the others two or three: 1,234,567 and 12,34,567 are both usual.
func (n *numbers) ungroup(whole string) (string, error) {
	groups := strings.Split(whole, n.thousands)
	last := len(groups) - 1
	for i, g := range groups {
		if i == 0 && (len(g) < 1 || len(g) > 3) || i > 0 && i < last && len(g) != 2 && len(g) != 3 || i == last && len(g) != 3 {
			return "", fmt.Errorf("its digits are not in thousands by %q", n.thousands)
		}
	}
	return strings.Join(groups, ""), nil
}

// cut leaves most decimals of a number, all digits and without leading zeros.
func (r rounding) cut(whole, fraction string, most int) (string, string) {
	rest := fraction[most:]
	digits := []byte(whole + fraction[:most])
	up := false
	switch {
	case r == down:
	case rest[0] != '5':
		up = rest[0] > '5'
	case r == halfUp || strings.Trim(rest[1:], "0") != "":
		up = true
	default: // half-even
		up = len(digits) > 0 && (digits[len(digits)-1]-'0')%2 == 1
	}
	if up {
		i := len(digits) - 1
		for ; i >= 0 && digits[i] == '9'; i-- {
			digits[i] = '0'
		}
		if i >= 0 {
			digits[i]++
		} else {
			digits = append([]byte{'1'}, digits...)
		}
	}
	return string(digits[:len(digits)-most]), string(digits[len(digits)-most:])
}

// areDigits tells whether s is one or more digits.
func areDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
