package domain

import (
	"strings"
	"testing"
	"unsafe"
)

func TestCurrencies(t *testing.T) {
	for code, decimals := range map[string]int{
		"PKR": 2, "USD": 2, "EUR": 2, "CNY": 2, "ZWG": 2, "XCG": 2, "BGN": 2,
		"JPY": 0, "KRW": 0, "VND": 0, "XOF": 0,
		"KWD": 3, "BHD": 3, "TND": 3,
		"CLF": 4, "UYW": 4,
	} {
		c, err := ParseCurrency(code)
		if err != nil {
			t.Error(err)
			continue
		}
		if string(c) != code || c.Decimals() != decimals {
			t.Errorf("%s is read as %s with %d decimals, want %d", code, c, c.Decimals(), decimals)
		}
	}
	if n := len(currencies); n != 165+6 {
		t.Errorf("%d currencies, want the 165 in use that have a minor unit and 6 withdrawn since 2020", n)
	}
	for code := range currencies {
		if len(code) != 3 || strings.ToUpper(code) != code {
			t.Errorf("%q is no code", code)
		}
	}
	if d := Currency("").Decimals(); d != 0 {
		t.Errorf("no currency has %d decimals", d)
	}
}

func TestNoCurrency(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "no currency"},
		{"usd", "Try: USD"},
		{"Pkr", "Try: PKR"},
		{"Rs.", "not a code"},
		{"DEM", "not a code"},
		{"XXX", "no minor unit"},
		{"XTS", "no minor unit"},
		{"XAU", "no minor unit"},
		{"U X", "not a code"},
		{"US", "not a code"},
		{"USDT", "not a code"},
		{strings.Repeat("x", 1000), "not a code"},
	} {
		got, err := ParseCurrency(c.text)
		if err == nil || got != "" {
			t.Errorf("%q is read as %q, %v", c.text, got, err)
		} else if !strings.Contains(err.Error(), c.want) || len(err.Error()) > 200 {
			t.Errorf("%q: %v, want … %s", c.text, err, c.want)
		}
	}
}

// What is kept by the million must not hold on to the entry it was read from.
func TestCodesKeepNothingOfTheLine(t *testing.T) {
	line := strings.Clone(`USD SUHH PK`)
	currency, _ := ParseCurrency(line[:3])
	former, _ := ParseCountry(line[4:8])
	country, _ := ParseCountry(line[9:])
	nationality, _ := ParseNationality(line[9:])
	start := uintptr(unsafe.Pointer(unsafe.StringData(line)))
	for _, s := range []string{string(currency), string(former), string(country), string(nationality)} {
		if at := uintptr(unsafe.Pointer(unsafe.StringData(s))); s == "" || at >= start && at < start+uintptr(len(line)) {
			t.Errorf("%q shares the memory of its line", s)
		}
	}
}
