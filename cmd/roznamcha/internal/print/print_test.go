package print

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestTableAligns(t *testing.T) {
	table := Table{
		Columns: []Column{
			{Head: "city"},
			{Head: "raids", Number: true},
			{Head: "national†", Number: true, Group: "arrests"},
			{Head: "foreign", Number: true, Group: "arrests"},
			{Head: "all†", Number: true, Group: "arrests"},
			{Head: "alleged PKR†", Number: true},
		},
		Rows: [][]string{
			{"Karachi", "19", "—", "0", "—", "—"},
			{"کراچی", "1", "≥ 2", "≈ 3", "≳ 4", "5"},
			{"not given", "0", "195", "0", "195", "≥ 72,000,000"},
		},
	}
	var got bytes.Buffer
	if err := table.Write(&got); err != nil {
		t.Fatal(err)
	}
	want := `
                  ------- arrests -------
city       raids  national†  foreign  all†  alleged PKR†
Karachi       19          —        0     —             —
کراچی          1        ≥ 2      ≈ 3   ≳ 4             5
not given      0        195        0   195  ≥ 72,000,000
`
	if got := "\n" + got.String(); got != want {
		t.Errorf("got:%s\nwant:%s", got, want)
	}
}

func TestTableTwoGroupsSideBySide(t *testing.T) {
	table := Table{
		Columns: []Column{
			{Head: "a", Number: true, Group: "first"}, {Head: "bbbbbbbbbb", Number: true, Group: "first"},
			{Head: "c", Number: true, Group: "a long name"},
		},
		Rows: [][]string{{"1", "2", "3"}},
	}
	var got bytes.Buffer
	if err := table.Write(&got); err != nil {
		t.Fatal(err)
	}
	want := "--- first ---  a long name\na  bbbbbbbbbb  c\n1           2  3\n"
	if got.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", got.String(), want)
	}
}

func TestCSVIsAsItIs(t *testing.T) {
	table := Table{Columns: []Column{{Head: "city"}, {Head: "n"}}, Rows: [][]string{{"a \"b\", c\nd", "—"}}}
	var got bytes.Buffer
	if err := table.WriteCSV(&got); err != nil {
		t.Fatal(err)
	}
	if want := "city,n\n\"a \"\"b\"\", c\nd\",—\n"; got.String() != want {
		t.Errorf("got %q, want %q", got.String(), want)
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"Karachi · کراچی ≥ †":  "Karachi · کراچی ≥ †",
		"\x1b[31mred":          `\x1b[31mred`,
		"a\nb\tc":              `a\nb\tc`,
		"bad\xffbyte":          `bad\xffbyte`,
		"replacement \uFFFD":   "replacement \uFFFD",
		"right\u202eto left":   `right\u202eto left`,
		"\u0085next \u2028 ln": `\u0085next \u2028 ln`,
		"nul\x00":              `nul\x00`,
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\x1b]0;title\a")
	f.Fuzz(func(t *testing.T, s string) {
		got := Clean(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, steers) {
			t.Errorf("Clean(%q) = %q still steers", s, got)
		}
	})
}

func TestCountAndPlural(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", 1 << 62: "4,611,686,018,427,387,904"} {
		if got := Count(n); got != want {
			t.Errorf("Count(%d) = %s, want %s", n, got, want)
		}
	}
	for want, got := range map[string]string{
		"1 event": Plural(1, "event"), "0 events": Plural(0, "event"), "2,000 entries": Plural(2000, "entry"),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestProgressLine(t *testing.T) {
	for _, c := range []struct {
		done    int64
		part    float64
		elapsed time.Duration
		want    string
	}{
		{120000, 0.25, 2 * time.Second, "120,000 rows · 25 % · 60,000/s · 6.0 s left"},
		{120000, 0, 2 * time.Second, "120,000 rows · 60,000/s"},
		{5, 0.01, 10 * time.Second, "5 rows · 1 % · 0/s · 16 min 30 s left"},
		{100, 1, time.Second, "100 rows · 100 % · 100/s"},
	} {
		if got := progressLine(c.done, c.part, "rows", c.elapsed); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestProgressIsPatientAndWipesItself(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	p := &Progress{w: &out, noun: "rows", now: func() time.Time { return now }, started: now}
	p.Update(1, 0.1)
	if out.Len() > 0 {
		t.Errorf("short work is shown: %q", out.String())
	}
	p.Done()
	if out.Len() > 0 {
		t.Errorf("what was never shown is wiped: %q", out.String())
	}
	now = now.Add(time.Second)
	p.Update(2, 0.5)
	p.Update(3, 0.6) // too soon after the last
	p.Done()
	p.Done()
	if want := "\r2 rows · 50 % · 2/s · 1.0 s left\x1b[K\r\x1b[K"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	(*Progress)(nil).Update(1, 1)
	(*Progress)(nil).Done()
}
