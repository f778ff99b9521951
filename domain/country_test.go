package domain

import (
	"strings"
	"testing"
)

func TestCountries(t *testing.T) {
	if n := len(strings.Fields(currentCountries)); n != 249+1 {
		t.Errorf("%d current countries, want the 249 of ISO 3166-1 and XK", n)
	}
	if n := len(strings.Fields(formerCountries)); n != 31 {
		t.Errorf("%d former countries, want the 31 of ISO 3166-3", n)
	}
	for _, code := range strings.Fields(currentCountries + " " + formerCountries) {
		if c, err := ParseCountry(code); err != nil || string(c) != code {
			t.Errorf("%s is read as %q, %v", code, c, err)
		}
		if n, err := ParseNationality(code); err != nil || string(n) != code {
			t.Errorf("%s is read as the nationality %q, %v", code, n, err)
		}
	}
}

func TestNoCountry(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "no code"},
		{"pk", "Try: PK"},
		{"Pk", "Try: PK"},
		{"suhh", "Try: SUHH"},
		{"CS", "Try: CSHH or CSXX"},
		{"SU", "Try: SUHH"},
		{"YU", "Try: YUCS"},
		{"DD", "Try: DDDE"},
		{"AN", "Try: ANHH"},
		{"TP", "Try: TPTL"},
		{"BU", "Try: BUMM"},
		{"UK", "no code"},
		{"EU", "no code"},
		{"XX", "no code"},
		{"ZZ", "no code"},
		{"P", "no code"},
		{"PAK", "no code"},
		{"PK ", "no code"},
		{"P1", "no code"},
		{"[A", "no code"},
		{"A[", "no code"},
		{"\xff\xff", "no code"},
		{"stateless", "no code"},
		{strings.Repeat("P", 1000), "no code"},
	} {
		got, err := ParseCountry(c.text)
		if err == nil || got != "" {
			t.Errorf("%q is read as %q, %v", c.text, got, err)
		} else if !strings.Contains(err.Error(), c.want) || len(err.Error()) > 250 {
			t.Errorf("%q: %v, want … %s", c.text, err, c.want)
		}
	}
}

func TestNationalities(t *testing.T) {
	for text, want := range map[string]Nationality{
		"CN": "CN", "YUCS": "YUCS", "XK": "XK",
		"stateless": Stateless, "foreign": ForeignNationality, "unknown": UnknownNationality,
	} {
		if got, err := ParseNationality(text); err != nil || got != want {
			t.Errorf("%q is read as %q, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"":         "stateless, foreign, unknown",
		"Foreign":  "stateless, foreign, unknown",
		"Chinese":  "stateless, foreign, unknown",
		"national": "stateless, foreign, unknown",
		"cn":       "Try: CN",
		"CS":       "Try: CSHH or CSXX",
	} {
		if got, err := ParseNationality(text); err == nil || got != "" {
			t.Errorf("%q is read as %q", text, got)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want … %s", text, err, want)
		}
	}
}

func TestClassOf(t *testing.T) {
	for _, c := range []struct {
		given []Nationality
		want  Class
		word  string
	}{
		{nil, UnknownClass, "unknown"},
		{[]Nationality{}, UnknownClass, "unknown"},
		{[]Nationality{"unknown"}, UnknownClass, "unknown"},
		{[]Nationality{"PK"}, National, "national"},
		{[]Nationality{"CN", "PK"}, National, "national"},
		{[]Nationality{"PK", "CN"}, National, "national"},
		{[]Nationality{"foreign", "PK"}, National, "national"},
		{[]Nationality{"unknown", "PK"}, National, "national"},
		{[]Nationality{"CN"}, Foreign, "foreign"},
		{[]Nationality{"SUHH"}, Foreign, "foreign"},
		{[]Nationality{"stateless"}, Foreign, "foreign"},
		{[]Nationality{"foreign"}, Foreign, "foreign"},
		{[]Nationality{"unknown", "CN"}, Foreign, "foreign"},
		{[]Nationality{"CN", "unknown"}, Foreign, "foreign"},
	} {
		if got := ClassOf("PK", c.given); got != c.want || got.String() != c.word {
			t.Errorf("in PK, %q is %s, want %s", c.given, got, c.word)
		}
	}
}

func TestCountriesAllocateNothing(t *testing.T) {
	for _, code := range []string{"PK", "SUHH", "foreign"} {
		if n := testing.AllocsPerRun(100, func() { ParseNationality(code) }); n != 0 {
			t.Errorf("%s: %v allocations", code, n)
		}
	}
}

func BenchmarkParseCountry(b *testing.B) {
	for b.Loop() {
		if _, err := ParseCountry("PK"); err != nil {
			b.Fatal(err)
		}
	}
}
