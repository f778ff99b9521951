package csvimport

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"roznamcha/domain"
)

// TestInitIsFilledIn writes a first mapping, fills in what it asks for as a
// person would, and imports the file with it.
func TestInitIsFilledIn(t *testing.T) {
	path := write(t, "City Arrests.csv.gz", packed(t, "station;case;nation;day;sex;{odd}\nSaddar;A-1;Pakistani;25/02/2017;M;x\nClifton;A-2;Chinese;26/02/2017;F;x\nSaddar;A-3;Pakistani;27/02/2017;M;x\nSaddar;A-4;Chinese;27/02/2017;M;x\n"))
	text, err := InitFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = ParseMapping("m.toml", text)
	var faults *MappingError
	if !errors.As(err, &faults) {
		t.Fatalf("%v\n%s", err, text)
	}
	var open []string
	for _, f := range faults.Faults {
		if f.Detail != "still to be filled in" || f.Line == 0 {
			t.Errorf("%+v", f)
		}
		open = append(open, f.Key)
	}
	if want := []string{"source", "event[0].type", "event[0].data.place.country"}; !slices.Equal(open, want) {
		t.Errorf("it asks for %q, want %q", open, want)
	}
	filled := string(text)
	for _, change := range [][2]string{
		{`source = "?"`, `source = "/police/{station|slug}"`},
		{`type    = "?"`, `type    = "arrest.made"`},
		{`place.country = "?"`, `place.country = "PK"`},
		{"# persons ", "persons "},
		{"# nationality ", "nationality "},
		{"# sex ", "sex "},
		{"# [values.nation]\n# \"Chinese\" = \"…\"\n# \"Pakistani\" = \"…\"", "[values.nation]\n\"Chinese\" = \"CN\"\n\"Pakistani\" = \"PK\""},
		{"# [values.sex]\n# \"F\" = \"…\"\n# \"M\" = \"…\"", "[values.sex]\n\"F\" = \"female\"\n\"M\" = \"male\""},
	} {
		if !strings.Contains(filled, change[0]) {
			t.Errorf("%q is not in\n%s", change[0], text)
		}
		filled = strings.Replace(filled, change[0], change[1], 1)
	}
	var rows []Row
	im, err := Open(parse(t, filled), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer im.Close()
	each(t, im, func(row *Row) { rows = append(rows, *row) })
	wantRows(t, rows, "arrest.made A-1", "arrest.made A-2", "arrest.made A-3", "arrest.made A-4")
	got := events(t, &rows[1])[0]
	data := got.Data.(*domain.ArrestMade)
	if got.Source.String() != "/police/clifton" || data.Occurred.String() != "2017-02-26" || data.Nationality[0] != "CN" || data.Sex != domain.Female || data.Place.Country != "PK" {
		t.Errorf("%+v", data)
	}
}

func TestInitLooksAtColumns(t *testing.T) {
	header := []string{"n", "day", "when", "blank", "few", "quo\"ted\n", "", "a{b}"}
	var rows [][]string
	for i := range 40 {
		day := map[bool]string{true: "01/02/2017", false: "03/04/2017"}[i%2 == 0]
		rows = append(rows, []string{"1", day, "2017-02-03 10:00", "", map[bool]string{true: "x", false: "y \"z\""}[i%3 == 0], "q", "", strings.Repeat("b", i)})
	}
	text := string(Init("Some Data", header, rows))
	for _, want := range []string{
		`dataset = "some-data"`,
		`key = "{#row}"`,
		"No column does, so it is the number of the row",
		`occurred = { column = "day", date = "?" } # which is it: DD/MM/YYYY or MM/DD/YYYY?`,
		"#   {blank}: always blank",
		"#   {n}: always the same · 1",
		"# [values.few]\n# \"x\" = \"…\"\n# \"y \\\"z\\\"\" = \"…\"",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s\nis not in\n%s", want, text)
		}
	}
	_, err := ParseMapping("m.toml", []byte(text))
	var faults *MappingError
	if !errors.As(err, &faults) || !strings.Contains(err.Error(), "event[0].data.occurred.date: still to be filled in") {
		t.Errorf("%v", err)
	}
	text = string(Init("x", []string{"when"}, [][]string{{"2017-02-03 10:00"}}))
	if want := `occurred = { column = "when", date = "YYYY-MM-DD hh:mm", zone = "?" }`; !strings.Contains(text, want) {
		t.Errorf("%s\nis not in\n%s", want, text)
	}
}

// TestInitOfAColumnTwice has names that the header gives twice: a mapping cannot
// read them, and the first mapping does not.
func TestInitOfAColumnTwice(t *testing.T) {
	rows := [][]string{{"1", "2", "01/02/2017", "x", "13/02/2017", "7"}, {"2", "3", "01/02/2018", "x", "13/02/2018", "8"}, {"3", "3", "01/02/2018", "x", "13/02/2018", "9"}}
	text := string(Init("x", []string{"a", "a", "day", "day", "on", "city"}, rows))
	for _, want := range []string{
		`key = "{city}"`,
		`occurred = { column = "on", date = "DD/MM/YYYY" }`,
		"#   {a}: all different · 1, 2, 3. The header names {a} 2 times: to read it, rename all but one\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s\nis not in\n%s", want, text)
		}
	}
	if strings.Contains(text, "[values.day]") || strings.Contains(text, "[values.a]") {
		t.Errorf("a table for a column that cannot be read:\n%s", text)
	}
}

func TestInitOfTheSample(t *testing.T) {
	text, err := InitFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`key = "{row_id}"`, `occurred = { column = "apprehension_date", date = "YYYY-MM-DD" }`, `# nationality = { column = "citizenship", values = "citizenship" }`, `# "PAKISTAN" = "…"`, `# [values.gender]`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in\n%s", want, text)
		}
	}
}

func TestInitOfWhatIsNoCSV(t *testing.T) {
	if _, err := InitFile(write(t, "f.csv", "")); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("%v", err)
	}
	if _, err := InitFile("nowhere.csv"); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), ". Try: ") {
		t.Errorf("%v", err)
	}
	// A header alone is enough.
	if text, err := InitFile(write(t, "f.csv", "a,b\n")); err != nil || !strings.Contains(string(text), "{a}: always blank") {
		t.Errorf("%s, %v", text, err)
	}
}

// FuzzInit sees that a first mapping of any header is TOML whose only faults are
// what a person has to fill in.
func FuzzInit(f *testing.F) {
	f.Add("id", "date", "1", "2017-01-01")
	f.Add("a\"b\n", "\\", "\x00", "{}")
	f.Add("", "é\x7f", "x", "#")
	f.Fuzz(func(t *testing.T, a, b, x, y string) {
		text := Init(a, []string{a, b}, [][]string{{x, y}, {y, x}, {x, x}})
		_, err := ParseMapping("m.toml", text)
		var faults *MappingError
		if !errors.As(err, &faults) {
			t.Fatalf("%v\n%s", err, text)
		}
		for _, fault := range faults.Faults {
			if fault.Detail != "still to be filled in" && !strings.HasPrefix(fault.Detail, "is missing: a name that never changes") {
				t.Fatalf("%+v\n%s", fault, text)
			}
		}
	})
}
