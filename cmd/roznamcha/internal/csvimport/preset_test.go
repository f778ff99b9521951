package csvimport

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"roznamcha/domain"
)

// data is the path of a file of the development data, which does not ship with
// the project; the test is skipped where it is not there.
func data(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "..", "..", "shared", "data", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("skipped: %s is not beside the repository", filepath.Join("shared", "data", name))
	}
	return path
}

// presetOf loads a preset.
func presetOf(t testing.TB, name string) *Mapping {
	t.Helper()
	m, err := Preset(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// open opens a file to be imported and closes it with the test.
func open(t testing.TB, m *Mapping, path string) *Import {
	t.Helper()
	im, err := Open(m, path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { im.Close() })
	return im
}

// each calls visit for every row.
func each(t testing.TB, im *Import, visit func(*Row)) Counts {
	t.Helper()
	var counts Counts
	for {
		row, err := im.Next()
		if err == io.EOF {
			return counts
		}
		if err != nil {
			t.Fatal(err)
		}
		counts.Add(&row)
		visit(&row)
	}
}

// events decodes what a row gives.
func events(t testing.TB, row *Row) []*domain.Event {
	t.Helper()
	var list []*domain.Event
	for _, line := range row.lines() {
		e, err := domain.Decode(line)
		if err != nil {
			t.Fatalf("line %d gives %s: %v", row.Line, line, err)
		}
		list = append(list, e)
	}
	return list
}

// fiscalYear is the year that begins in October before it, as the publisher of
// the arrests counts.
func fiscalYear(t testing.TB, e *domain.Event) int {
	t.Helper()
	day, err := time.Parse(time.DateOnly, e.Data.Shared().Occurred.String())
	if err != nil {
		t.Fatal(err)
	}
	if day.Month() >= time.October {
		return day.Year() + 1
	}
	return day.Year()
}

// arrestCounts is what is counted of the arrests, by fiscal year from 2016.
type arrestCounts struct {
	rows, pakistan [4]int
	units          map[string]int
	nationalities  map[domain.Nationality]int
}

func countArrests(t testing.TB, path string) arrestCounts {
	t.Helper()
	c := arrestCounts{units: map[string]int{}, nationalities: map[domain.Nationality]int{}}
	counts := each(t, open(t, presetOf(t, "us-ice-arrests"), path), func(row *Row) {
		if row.Reject != nil {
			t.Fatal(row.Reject)
		}
		list := events(t, row)
		arrest, ok := list[0].Data.(*domain.ArrestMade)
		if len(list) != 1 || !ok || arrest.Persons != (domain.Count{N: 1}) || arrest.Place.Country != "US" || arrest.Place.City != "" || len(arrest.Nationality) != 1 {
			t.Fatalf("line %d gives %s", row.Line, row.Submission)
		}
		year := fiscalYear(t, list[0]) - 2016
		c.rows[year]++
		c.units[arrest.Unit]++
		c.nationalities[arrest.Nationality[0]]++
		if arrest.Nationality[0] == "PK" {
			c.pakistan[year]++
		}
	})
	if counts.NoEvent+counts.Rejected > 0 {
		t.Errorf("%+v", counts)
	}
	return c
}

// TestArrestsPreset holds the preset against the sums that the publisher
// printed.
func TestArrestsPreset(t *testing.T) {
	c := countArrests(t, data(t, "us_ice_arrests_fy2016_2019.csv.gz"))
	if want := [4]int{110_104, 143_470, 158_581, 131_904}; c.rows != want {
		t.Errorf("arrests by year %v, want %v", c.rows, want)
	}
	if want := [4]int{127, 171, 196, 153}; c.pakistan != want {
		t.Errorf("of them citizens of Pakistan %v, want %v", c.pakistan, want)
	}
	if len(c.units) != 26 || c.units[domain.NotGiven] != 3_808 || c.units["dallas"] != 59_369 || c.units["new-york-city"] != 10_180 || c.units["st-paul"] != 15_338 || c.units["hq"] != 41 {
		t.Errorf("units %v", c.units)
	}
	for code, want := range map[domain.Nationality]int{"SUHH": 94, "YUCS": 58, "CSHH": 12, "CSXX": 3, "ANHH": 17, "XK": 51, "foreign": 156, "unknown": 549, "MK": 42 + 13, "SZ": 1 + 2, "CD": 183, "CG": 113, "MX": 327_021} {
		if c.nationalities[code] != want {
			t.Errorf("%s: %d, want %d", code, c.nationalities[code], want)
		}
	}
}

// TestArrestsSample is the same with what ships.
func TestArrestsSample(t *testing.T) {
	c := countArrests(t, filepath.Join("testdata", "us-ice-arrests-sample.csv"))
	if want := [4]int{52, 53, 47, 44}; c.rows != want {
		t.Errorf("arrests by year %v, want %v", c.rows, want)
	}
	if want := [4]int{5, 4, 5, 4}; c.pakistan != want {
		t.Errorf("of them citizens of Pakistan %v, want %v", c.pakistan, want)
	}
	if c.units[domain.NotGiven] != 16 || c.nationalities["SUHH"] != 2 || c.nationalities["foreign"] != 3 || c.nationalities["unknown"] != 3 {
		t.Errorf("units %v, nationalities %v", c.units, c.nationalities)
	}
}

func TestArrestsPresetRow(t *testing.T) {
	const header = "row_id,fiscal_year,aor,apprehension_date,apprehension_method,landmark,operation,processing_disposition,citizenship,gender\n"
	m := presetOf(t, "us-ice-arrests")
	for row, want := range map[string]string{
		`9-1,2016,St. Paul Area of Responsibility,2015-10-01,Other,"OMAHA, NE",REDACTED,Other,"CHINA, PEOPLES REPUBLIC OF",Female`: `"subject":"9-1","data":{"occurred":"2015-10-01","place":{"country":"US","site":"OMAHA, NE"},"unit":"st-paul","persons":1,"nationality":["CN"],"sex":"female"}}`,
		`9-2,2016,,2015-10-01,Other,,--,Other,USSR,Unknown`:                                                                        `"subject":"9-2","data":{"occurred":"2015-10-01","place":{"country":"US"},"unit":"not-given","persons":1,"nationality":["SUHH"],"sex":"unknown"}}`,
		`9-8,2016,,2015-10-01,Other,,Cross Check,Other,MEXICO,Male`:                                                                `"subject":"9-8","data":{"occurred":"2015-10-01","place":{"country":"US"},"unit":"not-given","operation":"Cross Check","persons":1,"nationality":["MX"],"sex":"male"}}`,
		`9-3,2016,Dallas,2015-10-01,Other,,,Other,MEXICO,Male`:                                                                     `!aor`,
		`9-4,2016,,2015-10-01,Other,,,Other,ATLANTIS,Male`:                                                                         `!citizenship`,
		`9-5,2016,,2015-10-01,Other,,,Other,MEXICO,M`:                                                                              `!gender`,
		`9-6,2016,,2015-02-29,Other,,,Other,MEXICO,Male`:                                                                           `!apprehension_date`,
		`9-7,2016,,,Other,,,Other,MEXICO,Male`:                                                                                     `!apprehension_date`,
	} {
		im := open(t, m, write(t, "f.csv", header+row+"\n"))
		got, err := im.Next()
		if err != nil {
			t.Fatal(err)
		}
		if column, rejects := strings.CutPrefix(want, "!"); rejects {
			if got.Reject == nil || got.Reject.Column != column {
				t.Errorf("%s: %v, want a reject for %s", row, got.Reject, column)
			}
		} else if !strings.HasSuffix(string(got.Submission), want) {
			t.Errorf("%s: %v\n%s\nwant\n%s", row, got.Reject, got.Submission, want)
		}
	}
}

// TestForfeiturePreset holds the preset against the sums of the file.
func TestForfeiturePreset(t *testing.T) {
	m := presetOf(t, "us-cook-county-forfeiture")
	im := open(t, m, data(t, "us_cook_county_seizures_forfeitures_2012_2017.csv.gz"))
	var seized, forfeited domain.Sum
	types := map[domain.Type]int{}
	var in2029, noCity int
	var rejects []string
	subjects := map[string]bool{}
	counts := each(t, im, func(row *Row) {
		if row.Reject != nil {
			rejects = append(rejects, row.Reject.Error())
			return
		}
		for _, e := range events(t, row) {
			types[e.Type]++
			if subjects[string(e.Type.Kind())+e.Subject] {
				t.Errorf("line %d: a second %s %s", row.Line, e.Type, e.Subject)
			}
			subjects[string(e.Type.Kind())+e.Subject] = true
			switch d := e.Data.(type) {
			case *domain.PropertySeized:
				add(t, &seized, d.Amount)
				if strings.HasPrefix(d.Occurred.String(), "2029") {
					in2029++
				}
				if d.Place.City == "" {
					noCity++
				}
				if !slices.Contains([]string{"currency", "property other than currency", "not described"}, d.Item) {
					t.Errorf("line %d: item %q", row.Line, d.Item)
				}
			case *domain.PropertyForfeited:
				add(t, &forfeited, d.Amount)
				if d.Amount == (domain.Amount{Currency: "USD"}) {
					t.Errorf("line %d: nothing was forfeited", row.Line)
				}
			}
		}
	})
	if counts.Rows != 23_106 || counts.NoEvent != 0 || counts.Differs != 0 {
		t.Errorf("%+v", counts)
	}
	want := []string{`line 7156: ForfValue "1647.001": has 3 decimals, at most 2 can be held. Try: round = "half-even" in the mapping, if that is meant`}
	if !slices.Equal(rejects, want) {
		t.Errorf("rejects %q", rejects)
	}
	// 105,024,548.24 less the 2,197.00 of the rejected row; 47,318,608.921 less
	// its 1,647.001.
	if seized.Value != 105_022_351_24 || seized.Unknown != 41 {
		t.Errorf("seized %+v", seized)
	}
	if forfeited.Value != 47_316_961_92 || forfeited.Unknown != 4_741 {
		t.Errorf("forfeited %+v", forfeited)
	}
	if types[domain.TypePropertySeized] != 23_105 || types[domain.TypePropertyForfeited] != 12_719+4_741 || in2029 != 11 || noCity != 2 {
		t.Errorf("%v, %d in 2029, %d without a city", types, in2029, noCity)
	}
	t.Logf("%d cases", types[domain.TypeCaseRegistered])
}

func add(t testing.TB, sum *domain.Sum, a domain.Amount) {
	t.Helper()
	if a.Currency != "USD" {
		t.Fatalf("%+v", a)
	}
	if err := sum.Add(a.Minor, a.Qualifier); err != nil {
		t.Fatal(err)
	}
}

// TestForfeiturePresetRows has rows like those of the file, made up.
func TestForfeiturePresetRows(t *testing.T) {
	const header = "row_id,InventNumb,PolRptNumb,INumber,SeizeDate,SeizeCity,SeizeState,SeizeZip,InvItemNumb,Descr,EstValue,Findings,ForfDate,ForfValue,CaseNumb,AD\n"
	m := presetOf(t, "us-cook-county-forfeiture")
	for row, want := range map[string]string{
		"1,a,b,c,2014-05-23,Springfield,Il,,1,U.S.C.,205.0,ftot adm,2014-08-25,205.0,14COFO-900001,A": "case.registered 14COFO-900001, property.seized 1, property.forfeited 1-F",
		"2,a,b,c,2014-05-23,,IL,,1,2004 Sedan,,,,,,D":                                                 "property.seized 2",
		"3,a,b,c,2014-05-23,,IL,,1,2004 Sedan,900.0,FTOT no bond,2014-08-25,,14cofo-900002 b,A":       "case.registered 14COFO-900002B, property.seized 3, property.forfeited 3-F",
		"4,a,b,c,2014-05-23,,IL,,1,2004 Sedan,900.0,\"rel, no bond\",2014-08-25,,`,A":                 "property.seized 4",
		"5,a,b,c,2014-05-23,,IL,,1,U.S.C.,900.0,rescission,2014-08-25,0.0,,A":                         "property.seized 5",
		"6,a,b,c,2014-05-23,,IL,,1,U.S.C.,900.0,rel $100.00,2014-08-25,800.0,,A":                      "property.seized 6, property.forfeited 6-F",
		"7,a,b,c,2014-05-23,,IL,,1,U.S.C.,900.0,ftot,,900.0,,A":                                       "property.seized 7, property.forfeited 7-F",
		"8,a,b,c,2014-05-23,,IL,,1,U.S.C.,900.0,FTOT 7/3/97,,,14COFO-Someone,A":                       "property.seized 8",
		"9,a,b,c,2014-05-23,,IL,,1,Bank Acct #12345 at 1 Main St,900.0,,,,,A":                         "property.seized 9",
		"10,a,b,c,2029-05-23,\"_x000D_\nMcCook\",IL,,1,U.S.C.,900.0,,,,,A":                            "property.seized 10",
		"11,a,b,c,2014-05-23,,IL,,1,U.S.C.,2197.0,ftot,2014-08-25,1647.001,14COFO-900003,A":           "!has 3 decimals",
		"12,a,b,c,2014-05-23,,IL,,1,U.S.C.,1.2.3,,,,,A":                                               "!not a number",
	} {
		var rows []Row
		each(t, open(t, m, write(t, "f.csv", header+row+"\n")), func(row *Row) { rows = append(rows, *row) })
		wantRows(t, rows, want)
		text := string(rows[0].Submission)
		for _, private := range []string{"Acct", "Main", "Someone", "_x000D_", "FTOT"} {
			if strings.Contains(text, private) {
				t.Errorf("%s in %s", private, text)
			}
		}
		if strings.HasPrefix(row, "10,") && !strings.Contains(text, `"city":"McCook"`) || strings.HasPrefix(row, "7,") && !strings.Contains(text, `"occurred":"unknown"`) {
			t.Errorf("%s", text)
		}
	}
}
