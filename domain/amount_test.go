package domain

import (
	"math"
	"strings"
	"testing"
)

func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		value, currency string
		qualifier       Qualifier
		minor           int64
		canonical       string
	}{
		{"250000.00", "PKR", Exact, 25000000, "250000.00"},
		{"250000", "PKR", Exact, 25000000, "250000.00"},
		{"0.5", "USD", Exact, 50, "0.50"},
		{"0.50", "USD", Exact, 50, "0.50"},
		{"0.05", "USD", Exact, 5, "0.05"},
		{"0", "USD", Exact, 0, "0.00"},
		{"0.00", "USD", Exact, 0, "0.00"},
		{"105024548.24", "USD", Exact, 10502454824, "105024548.24"},
		{"72000000", "PKR", AtLeast, 7200000000, "72000000.00"},
		{"72000000", "PKR", AtMost, 7200000000, "72000000.00"},
		{"1500", "JPY", About, 1500, "1500"},
		{"0", "JPY", Exact, 0, "0"},
		{"1.234", "KWD", Exact, 1234, "1.234"},
		{"1.2345", "CLF", Exact, 12345, "1.2345"},
		{"92233720368547758.07", "USD", Exact, math.MaxInt64, "92233720368547758.07"},
		{"9223372036854775807", "JPY", Exact, math.MaxInt64, "9223372036854775807"},
		{"", "", Unknown, 0, ""},
		{"", "PKR", Unknown, 0, ""},
	} {
		a, err := ParseAmount(c.value, c.currency, c.qualifier)
		if err != nil {
			t.Error(err)
			continue
		}
		if want := (Amount{c.minor, Currency(c.currency), c.qualifier}); a != want {
			t.Errorf("%s %s is read as %v, want %v", c.value, c.currency, a, want)
		}
		if a.Value() != c.canonical {
			t.Errorf("%s %s is written %q, want %q", c.value, c.currency, a.Value(), c.canonical)
		}
		if again, err := ParseAmount(a.Value(), c.currency, c.qualifier); err != nil || again != a {
			t.Errorf("%s is read back as %v, %v", a.Value(), again, err)
		}
	}
}

func TestNoAmount(t *testing.T) {
	for _, c := range []struct {
		value, currency string
		qualifier       Qualifier
		want            string
	}{
		{"1647.001", "USD", Exact, "1647.001 has 3 decimals, USD has 2"},
		{"1647.000", "USD", Exact, "1647.000 has 3 decimals, USD has 2"},
		{"1.5", "JPY", Exact, "1.5 has 1 decimal, JPY has 0"},
		{"1.0", "JPY", Exact, "1.0 has 1 decimal, JPY has 0"},
		{"1.2345", "KWD", Exact, "1.2345 has 4 decimals, KWD has 3"},
		{"1.00000", "CLF", Exact, "has 5 decimals, CLF has 4"},
		{"", "USD", Exact, "no value"},
		{"", "USD", AtLeast, "no value"},
		{"1.2.3", "USD", Exact, "at most one decimal point"},
		{"007", "USD", Exact, "want digits"},
		{"00.50", "USD", Exact, "want digits"},
		{"00", "USD", Exact, "want digits"},
		{".50", "USD", Exact, "want digits"},
		{"5.", "USD", Exact, "want digits"},
		{".", "USD", Exact, "want digits"},
		{"-5", "USD", Exact, "want digits"},
		{"+5", "USD", Exact, "want digits"},
		{"1e3", "USD", Exact, "want digits"},
		{"1,000", "USD", Exact, "want digits"},
		{"1_000", "USD", Exact, "want digits"},
		{" 5", "USD", Exact, "want digits"},
		{"٣", "USD", Exact, "want digits"},
		{"0x10", "USD", Exact, "want digits"},
		{"NaN", "USD", Exact, "want digits"},
		{"92233720368547758.08", "USD", Exact, "more than can be held, 92,233,720,368,547,758.07 USD"},
		{"92233720368547759", "USD", Exact, "more than can be held"},
		{"9223372036854775808", "JPY", Exact, "more than can be held, 9,223,372,036,854,775,807 JPY"},
		{strings.Repeat("9", 1000), "USD", Exact, "more than can be held"},
		{"5", "", Exact, "no currency"},
		{"5", "usd", Exact, "Try: USD"},
		{"5", "XXX", Exact, "no minor unit"},
		{"5", "USD", Unknown, "what is unknown has no value"},
		{"", "usd", Unknown, "Try: USD"},
	} {
		a, err := ParseAmount(c.value, c.currency, c.qualifier)
		if err == nil {
			t.Errorf("%q %q %s is read as %v", c.value, c.currency, c.qualifier, a)
			continue
		}
		if !strings.Contains(err.Error(), c.want) || len(err.Error()) > 250 {
			t.Errorf("%q %q: %v, want … %s", c.value, c.currency, err, c.want)
		}
		if a != (Amount{}) {
			t.Errorf("%q %q: an error and the amount %v", c.value, c.currency, a)
		}
	}
}

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		minor          int64
		decimals       int
		plain, grouped string
	}{
		{0, 0, "0", "0"},
		{0, 2, "0.00", "0.00"},
		{7, 2, "0.07", "0.07"},
		{-7, 2, "-0.07", "-0.07"},
		{99, 2, "0.99", "0.99"},
		{100, 2, "1.00", "1.00"},
		{999, 0, "999", "999"},
		{1000, 0, "1000", "1,000"},
		{-999, 0, "-999", "-999"},
		{-1000, 0, "-1000", "-1,000"},
		{99999, 2, "999.99", "999.99"},
		{123456, 2, "1234.56", "1,234.56"},
		{123456, 0, "123456", "123,456"},
		{12345, 4, "1.2345", "1.2345"},
		{10502454824, 2, "105024548.24", "105,024,548.24"},
		{math.MaxInt64, 0, "9223372036854775807", "9,223,372,036,854,775,807"},
		{math.MinInt64, 2, "-92233720368547758.08", "-92,233,720,368,547,758.08"},
	} {
		if got := FormatMinor(c.minor, c.decimals); got != c.plain {
			t.Errorf("FormatMinor(%d, %d) = %s, want %s", c.minor, c.decimals, got, c.plain)
		}
		if got := FormatGrouped(c.minor, c.decimals); got != c.grouped {
			t.Errorf("FormatGrouped(%d, %d) = %s, want %s", c.minor, c.decimals, got, c.grouped)
		}
	}
}

func TestAmountsAllocateNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { ParseAmount("105024548.24", "USD", Exact) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParseAmount(f *testing.F) {
	for _, value := range []string{"", "0", "0.50", "007", "1647.001", "1.2.3", "1e3", "-1", "92233720368547758.07", "92233720368547758.08"} {
		for _, currency := range []string{"USD", "JPY", "KWD", "CLF", "usd", ""} {
			f.Add(value, currency, uint8(Exact))
		}
	}
	f.Add("", "", uint8(Unknown))
	f.Fuzz(func(t *testing.T, value, currency string, q uint8) {
		a, err := ParseAmount(value, currency, Qualifier(q%5))
		if err != nil {
			if a != (Amount{}) {
				t.Fatalf("%q %q: an error and the amount %v", value, currency, a)
			}
			return
		}
		if a.Minor < 0 || string(a.Currency) != currency {
			t.Fatalf("%q %q is read as %v", value, currency, a)
		}
		again, err := ParseAmount(a.Value(), currency, a.Qualifier)
		if err != nil || again != a {
			t.Fatalf("%q %q is written %q, which is read as %v, %v", value, currency, a.Value(), again, err)
		}
		// Writing it out in full adds zeros and no more.
		if added, ok := strings.CutPrefix(a.Value(), value); !ok || strings.Trim(added, ".0") != "" {
			t.Fatalf("%q %q is written %q", value, currency, a.Value())
		}
		if got := strings.ReplaceAll(FormatGrouped(a.Minor, a.Currency.Decimals()), ",", ""); a.Qualifier != Unknown && got != a.Value() {
			t.Fatalf("%q %q is %s grouped", value, currency, got)
		}
	})
}

func BenchmarkParseAmount(b *testing.B) {
	for b.Loop() {
		if _, err := ParseAmount("105024548.24", "USD", Exact); err != nil {
			b.Fatal(err)
		}
	}
}
