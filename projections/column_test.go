package projections

import (
	"strings"
	"testing"

	"roznamcha/domain"

	"pgregory.net/rapid"
)

func TestParseColumns(t *testing.T) {
	for in, want := range map[string]string{
		"":                             "",
		"raids":                        "raids",
		"national, foreign,unknown":    "arrests[class=national];arrests[class=foreign];arrests[class=unknown]",
		"arrests[nationality=PK|CN]":   "arrests[nationality=PK|CN]",
		"recovered[form=cash,city=A]":  "recovered[form=cash,city=A]",
		`raids[city="A, B"],cases`:     `raids[city="A, B"];cases`,
		`raids[city="x]"]`:             `raids[city="x]"]`,
		"raids[premises=not-given]":    "raids[premises=not-given]",
		"raids[month=in no one month]": "raids[month=in no one month]",
	} {
		columns, err := ParseColumns(in)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		var got []string
		for _, c := range columns {
			got = append(got, c.String())
		}
		if got := strings.Join(got, ";"); got != want {
			t.Errorf("%q is read as %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"raid":                    "raids, detained",
		"raids[":                  "brackets",
		"raids]":                  "measure",
		"raids[]":                 "brackets",
		"raids[city=A":            "brackets",
		"national[city=A]":        "measure",
		"arrests[sex=f]":          "female, male",
		"arrests[nationality=XX]": "nationality",
		"raids[town=A]":           "dimension",
		",raids":                  "measure",
	} {
		if _, err := ParseColumns(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", in, err, want)
		}
	}
}

func TestParseFilters(t *testing.T) {
	filters, err := ParseFilters(`city=Toba Tek Singh | Lahore ,operation="Grey, ""part"" 2"|x,sex=not-given`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Filter{
		{City, []string{"Toba Tek Singh", "Lahore"}},
		{Operation, []string{`Grey, "part" 2`, "x"}},
		{Sex, []string{domain.NotGiven}},
	}
	for i, f := range filters {
		if f.String() != want[i].String() {
			t.Errorf("filter %d is %v, want %v", i, f, want[i])
		}
	}
	for in, want := range map[string]string{
		"city":             "name=value",
		"city=":            "empty",
		"city=A,":          "name=value",
		"city=A=B,sex":     "name=value",
		`city="A`:          "not closed",
		`city="A"B`:        "left over",
		"class=nationl":    "national, foreign, unknown",
		"country=Pakistan": "country",
		"agency=NCCIA":     "small letters",
		"town=A":           "dimension",
		"year=20x5":        `"20x5" is no year. Try: 2025 (2024-07/2025-06 where years begin in July), or "in no one year"`,
		"year=2025-06":     "is no year",
		"year=+205":        "is no year",
		"month=2025-6":     `Try: 2025-06, or "in no one month"`,
		"month=unplaced":   "is no month",
		"quarter=2025-Q5":  "2025-Q2",
		"quarter=202":      "2025-04/2025-06",
	} {
		if got, err := ParseFilters(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, error %v, want one with %q", in, got, err, want)
		}
	}
}

// Whatever values a filter has, it is read back from its text.
func TestFiltersAreReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.StringMatching(`[a-z ,|"\[\]=\x{e1}]{1,8}`).Filter(func(s string) bool { return normalise(s) != "" }), 1, 3).Draw(t, "values")
		for i := range values {
			values[i] = normalise(values[i])
		}
		f := Filter{City, values}
		back, err := ParseFilters(f.String() + "," + f.String())
		if err != nil || len(back) != 2 {
			t.Fatalf("%s: %v, %v", f, back, err)
		}
		for _, b := range back {
			if b.Dimension != f.Dimension || strings.Join(b.Values, "\n") != strings.Join(f.Values, "\n") {
				t.Fatalf("%q is read back as %q", f, b)
			}
		}
		column, err := ParseColumns("raids[" + f.String() + "],cases")
		if err != nil || len(column) != 2 || column[0].String() != "raids["+f.String()+"]" {
			t.Fatalf("as a column: %v, %v", column, err)
		}
	})
}

func TestParseDimensions(t *testing.T) {
	by, err := ParseDimensions("city, month,successor")
	if err != nil || len(by) != 3 || by[0] != City || by[1] != Month || by[2] != Successor {
		t.Errorf("%v, %v", by, err)
	}
	for in, want := range map[string]string{
		"town":                 "subdivision, city",
		"city,":                "dimension",
		"city,city":            "twice",
		"city,month,year,unit": "at most 3",
	} {
		if _, err := ParseDimensions(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", in, err, want)
		}
	}
	for d := Agency; d < endOfDimensions; d++ {
		if back, err := ParseDimension(d.String()); err != nil || back != d {
			t.Errorf("dimension %d %q is read as %d, %v", d, d, back, err)
		}
	}
}

// The first table has the measures that the ledger has facts of.
func TestDefaultColumns(t *testing.T) {
	names := func(b *book) (names string) {
		for _, c := range DefaultColumns(b.totals) {
			names += " " + c.String()
		}
		return names
	}
	b := newBook(t)
	if got, want := names(b), " raids arrests cases alleged recovered"; got != want {
		t.Errorf("no facts: %q, want %q", got, want)
	}
	b.write(arrest(karachi, "1", "A", "2025", 1, "unknown"))
	if got, want := names(b), " arrests"; got != want {
		t.Errorf("no class known: %q, want %q", got, want)
	}
	b.write(arrest(karachi, "2", "A", "2025", 1, "CN"))
	if got, want := names(b), " arrests[class=national] arrests[class=foreign] arrests[class=unknown] arrests"; got != want {
		t.Errorf("arrests alone: %q, want %q", got, want)
	}
	b.write(event(karachi, "3", &domain.PropertySeized{Common: common("", "2025"), Item: "x"}))
	if got, want := names(b), " arrests[class=national] arrests[class=foreign] arrests[class=unknown] arrests seized"; got != want {
		t.Errorf("with property: %q, want %q", got, want)
	}
}
