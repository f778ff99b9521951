package csvimport

import (
	"strings"
	"testing"
)

func TestNumbers(t *testing.T) {
	us := numbers{decimal: ".", thousands: ",", signs: []string{"$", "USD"}}
	de := numbers{decimal: ",", thousands: ".", signs: []string{"€"}}
	bare := numbers{decimal: "."}
	rounds := func(r rounding) numbers { return numbers{decimal: ".", round: r} }
	for _, test := range []struct {
		n    numbers
		text string
		most int
		want string
	}{
		{bare, "205.0", 2, "205"},
		{bare, "205.50", 2, "205.5"},
		{bare, "007", 2, "7"},
		{bare, "0", 2, "0"},
		{bare, "0.000", 2, "0"},
		{bare, ".5", 2, "!not a number"},
		{bare, "5.", 2, "!not a number"},
		{bare, "1.2.3", 2, "!not a number"},
		{bare, "1e3", 2, "!not a number"},
		{bare, "1,000", 2, "!not a number"},
		{bare, "-5", 2, "!below zero"},
		{bare, "(5)", 2, "!below zero"},
		{bare, "$5", 2, "!not a number"},
		{bare, "٣", 2, "!not a number"},
		{bare, "1647.001", 2, "!3 decimals, at most 2"},
		{bare, "3.0", 0, "3"},
		{bare, "3.5", 0, "!1 decimal, at most 0"},
		{us, "$1,234,567.89", 2, "1234567.89"},
		{us, "1234567.89 USD", 2, "1234567.89"},
		{us, "12,34,567", 2, "1234567"}, // lakh
		{us, "1,23", 2, "!thousands"},
		{us, "1,2345", 2, "!thousands"},
		{us, ",123", 2, "!thousands"},
		{us, "1,,234", 2, "!thousands"},
		{us, "$", 2, "!not a number"},
		{de, "1.234.567,89 €", 2, "1234567.89"},
		{de, "1.5", 2, "!thousands"},
		{rounds(halfEven), "1647.001", 2, "1647"},
		{rounds(halfEven), "0.125", 2, "0.12"},
		{rounds(halfEven), "0.135", 2, "0.14"},
		{rounds(halfEven), "0.1250001", 2, "0.13"},
		{rounds(halfEven), "0.5", 0, "0"},
		{rounds(halfEven), "1.5", 0, "2"},
		{rounds(halfUp), "0.125", 2, "0.13"},
		{rounds(halfUp), "999.995", 2, "1000"},
		{rounds(halfUp), "0.004", 2, "0"},
		{rounds(down), "0.129", 2, "0.12"},
	} {
		got, err := test.n.plain(test.text, test.most)
		if want, fails := strings.CutPrefix(test.want, "!"); fails != (err != nil) || fails && !strings.Contains(err.Error(), want) || !fails && got != want {
			t.Errorf("%q to %d decimals is %q, %v, want %q", test.text, test.most, got, err, test.want)
		}
	}
}
