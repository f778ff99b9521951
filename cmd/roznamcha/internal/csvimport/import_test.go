package csvimport

import (
	"bytes"
	"compress/gzip"
	"hash/maphash"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"roznamcha/domain"
)

var fuzzSeed = maphash.MakeSeed()

// write is a file of that name in a directory of its own.
func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// packed is text compressed with gzip.
func packed(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// rowsOf is what a mapping makes of a CSV text.
func rowsOf(t testing.TB, mapping, text string) []Row {
	t.Helper()
	var rows []Row
	each(t, open(t, parse(t, mapping), write(t, "f.csv", text)), func(row *Row) { rows = append(rows, *row) })
	return rows
}

// only is the single event that a mapping makes of a CSV text of one row.
func only(t testing.TB, mapping, text string) *domain.Event {
	t.Helper()
	rows := rowsOf(t, mapping, text)
	if len(rows) != 1 || rows[0].Reject != nil || rows[0].Events != 1 {
		t.Fatalf("%d rows, the first: %+v", len(rows), rows[0].Reject)
	}
	return events(t, &rows[0])[0]
}

// rejectOf is why the single row of a text gives no events.
func rejectOf(t testing.TB, mapping, text string) *Reject {
	t.Helper()
	rows := rowsOf(t, mapping, text)
	if len(rows) != 1 || rows[0].Reject == nil {
		t.Fatalf("%d rows, the first: %s", len(rows), rows[0].Submission)
	}
	if rows[0].Submission != nil || rows[0].Once != nil || rows[0].Events != 0 {
		t.Fatalf("a reject, and yet %q", rows[0].lines())
	}
	return rows[0].Reject
}

// lines are the events of the row, in the order in which they are recorded.
func (r *Row) lines() []string {
	var lines []string
	for _, line := range r.Once {
		lines = append(lines, string(line))
	}
	if r.Submission != nil {
		lines = append(lines, strings.Split(string(r.Submission), "\n")...)
	}
	return lines
}

func TestARowBecomesItsCanonicalLine(t *testing.T) {
	rows := rowsOf(t, arrests, "id,date,more\nA-1,2017-02-03,x\n")
	id := uuid.NewSHA1(Namespace, []byte("d\x00A-1\x00arrest"))
	want := `{"specversion":"1.0","id":"` + id.String() + `","source":"/police/city","type":"arrest.made","subject":"A-1","data":{"occurred":"2017-02-03","persons":1,"nationality":["unknown"]}}`
	if len(rows) != 1 || string(rows[0].Submission) != want || rows[0].Key != "A-1" || rows[0].Line != 2 || rows[0].Events != 1 {
		t.Errorf("got %+v\n%s\nwant\n%s", rows, rows[0].Submission, want)
	}
}

func TestIDs(t *testing.T) {
	// Written down: the recipe is for ever.
	if Namespace.String() != "3ee08c7c-7fbe-4fd4-bd55-9b42e5fd595d" {
		t.Errorf("the namespace is %s", Namespace)
	}
	m := newIDMaker("us-ice-arrests")
	for _, key := range []string{"2016-000001", "2016-000002", ""} {
		got := m.make(key, "arrest")
		if want := uuid.NewSHA1(Namespace, []byte("us-ice-arrests\x00"+key+"\x00arrest")); got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
	if got := m.make("2016-000001", "arrest").String(); got != "a82c6d1b-2f6c-5c95-b128-0649766decee" {
		t.Errorf("the first id is %s", got)
	}
}

// TestValues gives a value, a cell and the member that comes of it.
func TestValues(t *testing.T) {
	tables := "\n[values.nation]\n\"Chinese\" = \"CN\"\n\"Pakistani\" = \"PK\"\n\"\" = \"stateless\"\n\"n/k\" = \"\"\n[values.sex]\nM = \"male\"\n"
	for _, test := range []struct{ name, value, cell, want string }{
		{"a constant", `place.city = "Karachi"`, "x", `"city":"Karachi"`},
		{"a column", `place.city = "{c}"`, " Karachi\t", `"city":"Karachi"`},
		{"a column by its key", `place.city = { column = "c" }`, "Karachi", `"city":"Karachi"`},
		{"a template", `place.city = "{c|upper} {{{id}}}"`, "Karachi", `"city":"KARACHI {A-1}"`},
		{"changes", `place.city = { column = "c", text = ["squeeze", "lower"] }`, "Kara  CHI", `"city":"kara chi"`},
		{"no space", `document.ref = "{c|nospace}"`, "FIR 97 / 25", `"ref":"FIR97/25"`},
		{"a slug", `unit = "{c|slug}"`, "São Paulo; St. Ann’s", `"unit":"sao-paulo-st-anns"`},
		{"composed letters", `place.city = "{c}"`, "Sa\u0303o", `"city":"São"`},
		{"quotes", `place.city = "{c}"`, `"The ""City"""`, `"city":"The \"City\""`},
		{"a match with a group", `unit = { column = "c", match = '^(\w+) Office$' }`, "north Office", `"unit":"north"`},
		{"a match without", `unit = { column = "c", match = '\d+' }`, "north 17", `"unit":"17"`},
		{"no match", `unit = { column = "c", match = '^\d+$' }`, "north", `!c "north" does not match ^\d+$`},
		{"no match is blank", `unit = { column = "c", match = '^\d+$', unmatched = "blank", blank = "not-given" }`, "north", `"unit":"not-given"`},
		{"a blank is omitted", `place.city = "{c}"`, " ", `{"occurred":"2017","persons":1,"nationality":["unknown"]}`},
		{"a blank is rejected", `place.city = { column = "c", blank = "reject" }`, "", `!c "" blank`},
		{"a blank is not given", `unit = { column = "c", blank = "not-given" }`, "", `"unit":"not-given"`},
		{"a word for blank", `place.city = { column = "c", blank = "reject" }`, "N/A", `!c "N/A" blank`},

		{"a table", `nationality = { column = "c", values = "nation" }`, "Chinese", `"nationality":["CN"]`},
		{"a table folded", `nationality = { column = "c", values = "nation", fold = true }`, "chiNESE ", `"nationality":["CN"]`},
		{"a table not folded", `nationality = { column = "c", values = "nation" }`, "chinese", `!c "chinese" not in the table of values. Try: a line for it in [values.nation] of the mapping, which has Chinese`},
		{"a blank in a table", `nationality = { column = "c", values = "nation" }`, "", `"nationality":["stateless"]`},
		{"a text that the table says is blank", `nationality = { column = "c", values = "nation", blank = "unknown" }`, "n/k", `"nationality":["unknown"]`},
		{"what is not listed, kept", `nationality = { column = "c", values = "nation", unlisted = "keep" }`, "IN", `"nationality":["IN"]`},
		{"what is not listed, kept, and wrong", `nationality = { column = "c", values = "nation", unlisted = "keep" }`, "India", `!c "India" nationality "India"`},
		{"what is not listed, omitted", `nationality = { column = "c", values = "nation", unlisted = "omit", blank = "unknown" }`, "India", `"nationality":["unknown"]`},
		{"what is not listed, by default", `nationality = { column = "c", values = "nation", default = "foreign" }`, "India", `"nationality":["foreign"]`},
		{"a blank that the table does not have", `sex = { column = "c", values = "sex", default = "other" }`, "", `"nationality":["unknown"]}`},
		{"a blank that the table does not have, unknown", `sex = { column = "c", values = "sex", blank = "unknown" }`, "", `"sex":"unknown"`},
		{"a list", `nationality = { column = "c", values = "nation", split = ";" }`, "Chinese; Pakistani;", `"nationality":["CN","PK"]`},
		{"a list with a wrong member", `nationality = { column = "c", values = "nation", split = ";" }`, "Chinese;Indian", `!c "Chinese;Indian" "Indian": not in the table`},
		{"a list with the same twice", `nationality = { column = "c", values = "nation", split = ";" }`, "Chinese;Chinese", `!c "Chinese;Chinese" the same value twice`},
		{"a required blank", `nationality = "{c}"`, "", `!c "" blank`},

		{"a count", `persons = "{c}"`, "12", `"persons":12`},
		{"a count that is whole", `persons = "{c}"`, "12.0", `"persons":12`},
		{"a count that is not", `persons = "{c}"`, "1.5", `!c "1.5" has 1 decimal, at most 0`},
		{"a blank count is not 1", `persons = "{c}"`, "", `!c "" blank`},
		{"an unknown count", `persons = { column = "c", blank = "unknown" }`, "", `"persons":{"qualifier":"unknown"}`},
		{"a lower bound", `persons = { column = "c", qualifier = "at-least" }`, "12", `"persons":{"value":12,"qualifier":"at-least"}`},
		{"a qualifier of the row", `persons = { from = "3", qualifier = "{c}" }`, "about", `"persons":{"value":3,"qualifier":"about"}`},
		{"an unknown count with a value", `persons = { column = "c", qualifier = "unknown" }`, "12", `!c "12" what is unknown has no value`},
		{"a qualifier that is none", `persons = { from = "3", qualifier = "{c}" }`, "ca.", `!"ca." is no qualifier. Try: exact`},
		{"a count below zero", `persons = "{c}"`, "-3", `!c "-3" below zero`},
		{"a count that is huge", `persons = "{c}"`, "99999999999999999999", `!c "99999999999999999999" too large`},

		{"a day", `occurred = { column = "c", date = "DD/MM/YYYY" }`, "03/02/2017", `"occurred":"2017-02-03"`},
		{"a day that is none", `occurred = { column = "c", date = "YYYY-MM-DD" }`, "2017-02-30", `!c "2017-02-30" period "2017-02-30": February 2017 has 28 days`},
		{"the ledger's own grammar", `occurred = "{c}"`, "2017-01/2017-03", `"occurred":"2017-01/2017-03"`},
		{"the ledger's own grammar, wrong", `occurred = "{c}"`, "2017-02-30", `!c "2017-02-30" period "2017-02-30": February 2017 has 28 days`},
		{"an unknown day", `occurred = { column = "c", blank = "unknown" }`, "", `"occurred":"unknown"`},
		{"a day in 2029", `occurred = { column = "c", date = "YYYY-MM-DD" }`, "2029-02-03", `"occurred":"2029-02-03"`},

		{"a flag", `synthetic = true`, "", `"synthetic":true`},
		{"a flag of the row", `synthetic = "{c}"`, "yes", `!c "yes" want true or false`},
		{"a text that is too long", `place.city = "{c}"`, strings.Repeat("x", 300), `is 300 bytes; at most 256`},
		{"a control character", `place.city = "{c}"`, "a\x01b", `holds a control character`},
		{"a unit that is none", `unit = "{c}"`, "North", `!c "North" "North" is no name`},
	} {
		t.Run(test.name, func(t *testing.T) {
			head := `blanks = ["N/A"]` + "\n" + arrests
			if name, _, _ := strings.Cut(test.value, " "); strings.Contains(arrests, "\n"+name+" =") {
				head = withoutLine(head, name)
			}
			rows := rowsOf(t, head+test.value+"\n"+tables, "id,c,date\nA-1,"+test.cell+",2017\n")
			if len(rows) != 1 {
				t.Fatalf("%d rows", len(rows))
			}
			if want, rejects := strings.CutPrefix(test.want, "!"); rejects {
				if r := rows[0].Reject; r == nil || !strings.Contains(r.Column+` "`+r.Value+`" `+r.Reason, want) {
					t.Errorf("%v, %s\nwant %s", r, rows[0].Submission, want)
				}
				return
			}
			if rows[0].Reject != nil && !strings.Contains(rows[0].Reject.Reason, test.want) || rows[0].Reject == nil && !strings.Contains(string(rows[0].Submission), test.want) {
				t.Errorf("%v, %s\nwant %s", rows[0].Reject, rows[0].Submission, test.want)
			}
		})
	}
}

// withoutLine takes the line that gives name out of a mapping.
func withoutLine(mapping, name string) string {
	before, rest, _ := strings.Cut(mapping, "\n"+name+" =")
	_, after, _ := strings.Cut(rest, "\n")
	return before + "\n" + after
}

// TestWhatRowsTellIsNotMixedUp has the same value with another currency and
// qualifier on the next row.
func TestWhatRowsTellIsNotMixedUp(t *testing.T) {
	rows := rowsOf(t, amounts(`amount = { column = "v", currency = "{c|upper}", qualifier = "{q}" }`)+"\nplace.city = \"{v} {c}\"\n", "id,v,c,q\n1,5,usd,\n2,5,pkr,about\n3,5,jpy,\n4,5.5,jpy,\n")
	for i, want := range []domain.Amount{
		{Minor: 500, Currency: "USD"},
		{Minor: 500, Currency: "PKR", Qualifier: domain.About},
		{Minor: 5, Currency: "JPY"},
	} {
		if got := events(t, &rows[i])[0].Data.(*domain.PropertySeized); got.Amount != want || got.Place.City != "5 "+strings.ToLower(string(want.Currency)) {
			t.Errorf("row %d: %+v, want %+v", i+1, got, want)
		}
	}
	if r := rows[3].Reject; r == nil || r.Column != "v" || !strings.HasPrefix(r.Reason, "has 1 decimal, at most 0") {
		t.Errorf("%+v", r)
	}
}
