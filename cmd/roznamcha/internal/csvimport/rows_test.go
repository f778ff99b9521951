package csvimport

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"roznamcha/domain"
)

// subjects are the types and subjects of a row's events, "!" for a reject.
func subjects(t testing.TB, rows []Row) []string {
	t.Helper()
	var all []string
	for i := range rows {
		if rows[i].Reject != nil {
			all = append(all, "!"+rows[i].Reject.Reason)
			continue
		}
		var of []string
		for _, e := range events(t, &rows[i]) {
			of = append(of, e.Type.String()+" "+e.Subject)
		}
		all = append(all, strings.Join(of, ", "))
	}
	return all
}

func wantRows(t testing.TB, got []Row, want ...string) {
	t.Helper()
	if all := subjects(t, got); !slices.EqualFunc(all, want, func(a, b string) bool {
		return a == b || strings.HasPrefix(b, "!") && strings.HasPrefix(a, b)
	}) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(all, "\n"), strings.Join(want, "\n"))
	}
}

// when is a mapping of arrests with a condition.
func when(condition string) string {
	return strings.Replace(arrests, "[event.data]", "when = "+condition+"\n[event.data]", 1)
}

func TestConditions(t *testing.T) {
	for condition, want := range map[string]string{
		`{ column = "c", is = "x" }`:                                             "1",
		`{ column = "c", is = ["x", "y"] }`:                                      "12",
		`{ column = "c", is = "X" }`:                                             "",
		`{ from = "{c|upper}", is = "X" }`:                                       "1",
		`{ column = "c", not = "x" }`:                                            "2345",
		`{ column = "c", not = ["x", "y", ""] }`:                                 "4",
		`{ column = "c", blank = true }`:                                         "35",
		`{ column = "c", blank = false }`:                                        "124",
		`{ column = "c", match = '^[xyz]$' }`:                                    "12",
		`{ column = "c", unmatch = 'x' }`:                                        "2345",
		`{ column = "c", match = 'x', not = "x" }`:                               "",
		`[{ column = "c", blank = false }, { column = "c", not = "y" }]`:         "14",
		`{ any = [{ column = "c", is = "x" }, { column = "c", blank = true }] }`: "135",
		`{ all = [{ column = "c", not = "x" }, { column = "c", not = "y" }] }`:   "345",
		`{ any = [{ column = "c", is = "x" }, { all = [{ column = "c", is = "y" }, { from = "{id}", is = "2" }] }] }`: "12",
	} {
		rows := rowsOf(t, "blanks = [\"-\"]\n"+when(condition), "id,c,date\n1,x,2017\n2, y ,2017\n3,,2017\n4,other,2017\n5,-,2017\n")
		got := ""
		for i := range rows {
			if rows[i].Events > 0 {
				got += rows[i].Key
			}
			if (rows[i].Submission != nil) != (rows[i].Events > 0) {
				t.Errorf("%s: %d events, and %q", condition, rows[i].Events, rows[i].Submission)
			}
		}
		if got != want {
			t.Errorf("%s holds for %q, want %q", condition, got, want)
		}
	}
}

// seizures is a mapping of a file in which a row is an item and a case stands on
// several rows.
const seizures = `dataset = "d"
source = "/police/city"
key = "{id}"

[derive]
case = { from = "{case_no|upper}", match = '^FIR-\d+$', unmatched = "blank" }

[[event]]
name = "case"
type = "case.registered"
subject = "{case}"
once = "{case}"
when = { column = "case", blank = false }
data.registered = { column = "registered", date = "DD/MM/YYYY" }
data.number = "{case_no}"

[[event]]
name = "seized"
type = "property.seized"
subject = "{id}"
[event.data]
occurred = { column = "seized", date = "DD/MM/YYYY" }
item = "{item}"
case = "{case}"
amount = { column = "value", currency = "PKR", thousands = ",", signs = "Rs", blank = "unknown" }

[[event]]
name = "forfeited"
type = "property.forfeited"
subject = "{id}-F"
when = { column = "forfeited", blank = false }
[event.data]
occurred = { column = "forfeited", date = "DD/MM/YYYY" }
item = "{item}"
seizure = "{id}"
amount = { column = "value", currency = "PKR", thousands = ",", signs = "Rs", blank = "unknown" }
`

const seizuresHeader = "id,case_no,registered,seized,item,value,forfeited\n"

func TestSeveralEventsARow(t *testing.T) {
	rows := rowsOf(t, seizures, seizuresHeader+"1,FIR-7,01/02/2017,02/02/2017,car,\"Rs 1,200,000.50\",05/06/2017\n2,none,,02/02/2017,ring,,\n")
	wantRows(t, rows,
		"case.registered FIR-7, property.seized 1, property.forfeited 1-F",
		"property.seized 2")
	if len(rows[0].Once) != 1 || strings.Count(string(rows[0].Submission), "\n") != 1 || rows[0].Events != 3 {
		t.Errorf("%d once, submission %s", len(rows[0].Once), rows[0].Submission)
	}
	list := events(t, &rows[0])
	if got := list[1].Data.(*domain.PropertySeized); got.Amount != (domain.Amount{Minor: 120000050, Currency: "PKR"}) || got.Case != "FIR-7" {
		t.Errorf("%+v", got)
	}
	if got := events(t, &rows[1])[0].Data.(*domain.PropertySeized); got.Amount != (domain.Amount{Currency: "PKR", Qualifier: domain.Unknown}) || got.Case != "" {
		t.Errorf("%+v", got)
	}
	ids := make(map[string]bool)
	for _, e := range list {
		ids[e.ID.String()] = true
	}
	if len(ids) != 3 {
		t.Errorf("%d ids for 3 events", len(ids))
	}
}

func TestARowIsTakenWholeOrNotAtAll(t *testing.T) {
	// The forfeiture is wrong, so the seizure and the case are not recorded
	// either; the next row tells of the case.
	rows := rowsOf(t, seizures, seizuresHeader+"1,FIR-7,01/02/2017,02/02/2017,car,5,30/02/2017\n2,FIR-7,01/02/2017,02/02/2017,ring,7,\n")
	wantRows(t, rows, `!period "2017-02-30": February 2017 has 28 days`, "case.registered FIR-7, property.seized 2")
	if r := rows[0].Reject; r.Line != 2 || r.Column != "forfeited" || r.Value != "30/02/2017" || rows[0].Key != "1" {
		t.Errorf("%+v", r)
	}
}

func TestARecordOnSeveralRowsIsTakenOnce(t *testing.T) {
	rows := rowsOf(t, seizures, seizuresHeader+
		"1,FIR-7,01/02/2017,02/02/2017,car,5,\n"+
		"2,fir-7,01/02/2017,02/02/2017,ring,7,\n"+ // its number is written otherwise
		"3,FIR-7,01/02/2017,02/02/2017,cash,9,\n"+
		"4,FIR-7,09/02/2017,02/02/2017,cash,9,\n"+
		"5,FIR-8,01/02/2017,02/02/2017,cash,9,\n")
	wantRows(t, rows,
		"case.registered FIR-7, property.seized 1",
		"property.seized 2",
		"property.seized 3",
		"property.seized 4",
		"case.registered FIR-8, property.seized 5")
	var differ []string
	for i := range rows {
		if rows[i].Differs {
			differ = append(differ, rows[i].Key)
		}
	}
	if !slices.Equal(differ, []string{"2", "4"}) {
		t.Errorf("rows %q differ, want 2 and 4", differ)
	}
	// The id is of the case's number, not of the row.
	first := events(t, &rows[0])[0].ID
	other := rowsOf(t, seizures, seizuresHeader+"99,FIR-7,01/02/2017,02/02/2017,car,5,\n")
	if got := events(t, &other[0])[0].ID; got != first {
		t.Errorf("the case has the id %s, and %s from another row", first, got)
	}
}

func TestOnceByABlank(t *testing.T) {
	mapping := strings.Replace(seizures, `when = { column = "case", blank = false }`, "", 1)
	r := rejectOf(t, mapping, seizuresHeader+"1,,01/02/2017,02/02/2017,car,5,\n")
	if r.Column != "case" || !strings.Contains(r.Reason, `Try: when = { column = "case", blank = false }`) {
		t.Errorf("%+v", r)
	}
}

func TestKeys(t *testing.T) {
	rows := rowsOf(t, arrests, "id,date\n1,2017\n2,2017\n1,2017\n1,2018\n,2017\n3,wrong\n3,2017\n")
	wantRows(t, rows,
		"arrest.made 1",
		"arrest.made 2",
		"arrest.made 1", // the very same row: the ledger says duplicate
		"!an earlier row of this file has the same key and says something else",
		"!blank, and it is the row's key",
		`!period "wrong"`,
		"!an earlier row of this file has the same key and says something else")
	if a, b := events(t, &rows[0])[0], events(t, &rows[2])[0]; a.ID != b.ID {
		t.Errorf("the same row has the ids %s and %s", a.ID, b.ID)
	}
	if r := rows[3].Reject; r.Line != 5 || r.Column != "id" || r.Value != "1" {
		t.Errorf("%+v", r)
	}
}

func TestAKeyOfSeveralColumns(t *testing.T) {
	rows := rowsOf(t, strings.ReplaceAll(arrests, `"{id}"`, `"{a}-{b|lower}"`), "a,b,date\n1,X,2017\n1,Y,2017\n")
	wantRows(t, rows, "arrest.made 1-x", "arrest.made 1-y")
}

func TestTheRowNumberAsKey(t *testing.T) {
	rows := rowsOf(t, strings.ReplaceAll(arrests, `"{id}"`, `"{#row}"`), "date\n2017\n\nwrong\n2018\n")
	wantRows(t, rows, "arrest.made 1", `!period "wrong"`, "arrest.made 3")
}

func TestSourcesOfAColumn(t *testing.T) {
	mapping := strings.Replace(arrests, `"/police/city"`, `"/police/{station|slug}"`, 1)
	rows := rowsOf(t, mapping, "id,date,station\n1,2017,Saddar Town\n2,2017,\n3,2017,saddar town\n")
	wantRows(t, rows, "arrest.made 1", `!diary "/police/": want /agency/unit`, "arrest.made 3")
	if got := events(t, &rows[0])[0].Source; got != (domain.Diary{Agency: "police", Unit: "saddar-town"}) {
		t.Errorf("%s", got)
	}
	if r := rows[1].Reject; r.Column != "station" {
		t.Errorf("%+v", r)
	}
}

func TestASubjectThatIsNone(t *testing.T) {
	r := rejectOf(t, arrests, "id,date\nFIR 97/2025,2017\n")
	if r.Column != "id" || r.Value != "FIR 97/2025" || !strings.Contains(r.Reason, "without space and slash") {
		t.Errorf("%+v", r)
	}
}

func TestClaims(t *testing.T) {
	e := only(t, `dataset = "d"
source = "/press/dawn"
key = "{n}"
[[event]]
name = "claim"
type = "figure.published"
subject = "{n}"
[event.data]
publisher = "Dawn"
published = "{on}"
document.ref = "p. {page}"
worded = "{words}"
period = "{from}/{to}"
measure = "arrests"
dimensions.city = "{city}"
dimensions.class = "foreign"
value = "{figure}"
qualifier = "at-least"
`, "n,on,page,words,from,to,city,figure\n1,2025-06-03,3,over 60,2024-01,2025-06,Karachi,60\n")
	got := e.Data.(*domain.FigurePublished)
	if got.Value != 60 || got.Qualifier != domain.AtLeast || got.Period.String() != "2024-01/2025-06" || got.Document.Ref != "p. 3" ||
		!slices.Equal(got.Dimensions, []domain.Dimension{{Name: "city", Value: "Karachi"}, {Name: "class", Value: "foreign"}}) {
		t.Errorf("%+v", got)
	}
}

func TestDerivedDates(t *testing.T) {
	mapping := "date = \"DD/MM/YYYY\"\n" + strings.Replace(arrests, `occurred = "{date}"`, `occurred = { from = "{a}/{b}", date = "period" }`, 1) + `
[derive]
a = { column = "from", date = "MM/YYYY" }
b = { column = "to", date = "MM/YYYY" }
`
	e := only(t, mapping, "id,from,to\n1,01/2017,03/2017\n")
	if got := e.Data.Shared().Occurred.String(); got != "2017-01/2017-03" {
		t.Errorf("%s", got)
	}
	if r := rejectOf(t, mapping, "id,from,to\n1,13/2017,03/2017\n"); r.Column != "from" {
		t.Errorf("%+v", r)
	}
	// The mapping's own date holds for all others.
	e = only(t, "date = \"DD/MM/YYYY\"\n"+arrests, "id,date\n1,03/02/2017\n")
	if got := e.Data.Shared().Occurred.String(); got != "2017-02-03" {
		t.Errorf("%s", got)
	}
}

// joined is a mapping that looks the city up in a second file.
func joined(more string) string {
	return arrests + "place.city = \"{office.City}\"\n[join.office]\nfile = \"offices.csv\"\nkey = \"{Code|upper}\"\non = \"{office|upper}\"\n" + more
}

// joinedRows imports text with an offices.csv beside the mapping.
func joinedRows(t *testing.T, mapping, offices, text string) ([]Row, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"m.toml": mapping, "offices.csv": offices, "f.csv": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := LoadMapping(filepath.Join(dir, "m.toml"))
	if err != nil {
		t.Fatal(err)
	}
	im, err := Open(m, filepath.Join(dir, "f.csv"), Options{})
	if err != nil {
		return nil, err
	}
	defer im.Close()
	var rows []Row
	each(t, im, func(row *Row) { rows = append(rows, *row) })
	return rows, nil
}

func TestASecondFile(t *testing.T) {
	const offices = "Code,City\nk,Karachi\nl,\"Lahore, Punjab\"\n"
	const text = "id,date,office\n1,2017,K\n2,2017,l\n3,2017,x\n4,2017,\n"
	cities := func(rows []Row) []string {
		var all []string
		for i := range rows {
			if rows[i].Reject != nil {
				all = append(all, "!"+rows[i].Reject.Column+" "+rows[i].Reject.Value)
			} else {
				all = append(all, events(t, &rows[i])[0].Data.Shared().Place.City)
			}
		}
		return all
	}
	rows, err := joinedRows(t, joined(""), offices, text)
	if got := cities(rows); err != nil || !slices.Equal(got, []string{"Karachi", "Lahore, Punjab", "!office X", "!office "}) {
		t.Errorf("%q, %v", got, err)
	}
	if r := rows[2].Reject; r.Reason != "not in the joined file offices.csv" {
		t.Errorf("%+v", r)
	}
	rows, err = joinedRows(t, joined("missing = \"blank\""), offices, text)
	if got := cities(rows); err != nil || !slices.Equal(got, []string{"Karachi", "Lahore, Punjab", "", ""}) {
		t.Errorf("%q, %v", got, err)
	}
	rows, err = joinedRows(t, joined("several = \"first\"\nmissing = \"blank\""), offices+"K,Other\n", text)
	if got := cities(rows); err != nil || !slices.Equal(got, []string{"Karachi", "Lahore, Punjab", "", ""}) {
		t.Errorf("%q, %v", got, err)
	}
	for offices, want := range map[string]string{
		offices + "K,Other\n": `line 4: the key "K" stands on a second row. Try: a longer key, or several = "first"`,
		"Kode,City\nk,x\n":    `the header lacks what mapping join office reads: "Code" (but it has Kode)`,
		"Code,Town\nk,x\n":    `"office.City"`,
		"Code,City\nk,x,y\n":  "line 2: has 3 fields, the header 2",
		"Code,City\nk,\"x\n":  "line 2: a quote that is opened here is never closed",
		"":                    "is empty",
	} {
		if _, err := joinedRows(t, joined(""), offices, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v\nwant %s", offices, err, want)
		}
	}
	if _, err := joinedRows(t, joined(""), offices, "id,date,office,office.City\n1,2017,K,x\n"); err == nil || !strings.Contains(err.Error(), "Try: another name for the join") {
		t.Errorf("%v", err)
	}
}

func TestASecondFileElsewhere(t *testing.T) {
	offices := write(t, "o.csv.gz", packed(t, "Code,City\nK,Karachi\n"))
	m, path := parse(t, joined("")), write(t, "f.csv", "id,date,office\n1,2017,K\n")
	im, err := Open(m, path, Options{Joined: map[string]string{"office": offices}})
	if err != nil {
		t.Fatal(err)
	}
	defer im.Close()
	if row, err := im.Next(); err != nil || events(t, &row)[0].Data.Shared().Place.City != "Karachi" {
		t.Errorf("%+v, %v", row, err)
	}
	if _, err := Open(m, path, Options{Joined: map[string]string{"ofice": offices}}); err == nil || !strings.Contains(err.Error(), `joins no file "ofice"`) {
		t.Errorf("%v", err)
	}
	if _, err := Open(m, path, Options{}); err == nil || !strings.Contains(err.Error(), "join office: open offices.csv") {
		t.Errorf("%v", err)
	}
}
