package csvimport

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

func TestFilesThatAreRead(t *testing.T) {
	const text = "id,date\n1,2017\n2,2018\n"
	for name, content := range map[string]string{
		"plain":                  text,
		"compressed":             packed(t, text),
		"compressed in parts":    packed(t, text[:10]) + packed(t, text[10:]),
		"with a byte order mark": "\ufeff" + text,
		"both":                   packed(t, "\ufeff"+text),
		"carriage returns":       strings.ReplaceAll(text, "\n", "\r\n"),
		"a padded header":        " id , date \n1,2017\n2,2018\n",
		"a quoted header":        "\"id\",\"date\"\n1,2017\n2,2018\n",
		"more columns":           "x,id,date,x\n,1,2017,\n,2,2018,\n",
	} {
		t.Run(name, func(t *testing.T) {
			wantRows(t, rowsOf(t, arrests, content), "arrest.made 1", "arrest.made 2")
		})
	}
	wantRows(t, rowsOf(t, "delimiter = \";\"\n"+arrests, "id;date\n1;2017\n"), "arrest.made 1")
	wantRows(t, rowsOf(t, "delimiter = \"\\t\"\n"+arrests, "id\tdate\n1\t2017\n"), "arrest.made 1")
	wantRows(t, rowsOf(t, "header_line = 3\n"+arrests, "Arrests of the city\n\nid,date\n1,2017\n"), "arrest.made 1")
	wantRows(t, rowsOf(t, "header_line = 2\n"+arrests, "a \"title\", as it were\nid,date\n1,2017\n"), "arrest.made 1")
}

func TestFilesThatAreNotRead(t *testing.T) {
	for _, test := range []struct{ name, content, want string }{
		{"empty", "", "f.csv is empty. Try: a CSV file whose first line names its columns"},
		{"compressed and empty", packed(t, ""), "f.csv is empty. Try: a CSV file whose first line names its columns"},
		{"a header only", "id,date\n", "f.csv has a header and no row: nothing to import. Try: a file with rows below its header"},
		{"a header only, compressed", packed(t, "id,date"), "f.csv has a header and no row: nothing to import. Try: a file with rows below its header"},
		{"a missing column", "id,dates\n1,2017\n", "f.csv: the header lacks what mapping m.toml reads: \"date\" (but it has dates). It has: id, dates. Try: the file that the mapping is for, or the header's names in the mapping"},
		{"another delimiter", "id;date\n1;2017\n", "reads: \"id\" (but it has id;date), \"date\" (but it has id;date). It has one column: id;date. Try: another delimiter in the mapping, such as delimiter = \";\""},
		{"a column twice", "id,date,date\n1,2017,2018\n", `the header names ["date"] twice`},
		{"a zip archive", "PK\x03\x04xxxx", "f.csv is not a CSV file: it is a zip archive or a spreadsheet (.xlsx). Try: unpack it"},
		{"UTF-16", "\xff\xfei\x00d\x00", "f.csv is not a CSV file: it is UTF-16. Try: save it as CSV in UTF-8"},
		{"bzip2", "BZh91AY", "it is compressed with bzip2. Try: unpack it"},
		{"a picture", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "f.csv is not a CSV file in UTF-8: its header (line 1) holds bytes that are no text"},
		{"an old Mac's lines", "id,date\r1,2017\r", "f.csv ends its lines with a carriage return alone. Try: "},
		{"a header with a wrong quote", "id,da\"te\n1,2017\n", "f.csv is not a CSV file: its header (line 1) cannot be read: a quote within a field"},
		{"a header of 2 MB", strings.Repeat("x", 2<<20) + "\n", "its header (line 1) cannot be read: longer than 1 MiB"},
		{"no gzip behind its sign", "\x1f\x8bxxxxxxxxxxxx", "f.csv: the compressed file is damaged"},
		{"gzip cut off in its header", packed(t, "id,date\n")[:6], "f.csv: the compressed file ends in the middle"},
	} {
		t.Run(test.name, func(t *testing.T) {
			im, err := Open(parse(t, arrests), write(t, "f.csv", test.content), Options{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, %.500v\nwant %s", im, err, test.want)
			}
		})
	}
	if _, err := Open(parse(t, "header_line = 9\n"+arrests), write(t, "f.csv", "id,date\n1,2017\n"), Options{}); err == nil || !strings.Contains(err.Error(), "has no line 9, where the header should be") {
		t.Errorf("%v", err)
	}
	if _, err := Open(parse(t, arrests), t.TempDir(), Options{}); err == nil || !strings.Contains(err.Error(), "is a directory. Try: a CSV file in it") {
		t.Errorf("%v", err)
	}
	if _, err := Open(parse(t, arrests), "nowhere.csv", Options{}); !errors.Is(err, os.ErrNotExist) || err.Error() != "open nowhere.csv: no such file or directory. Try: a path that is there" {
		t.Errorf("%v", err)
	}
	var missing *MissingColumnsError
	if _, err := Open(parse(t, arrests), write(t, "f.csv", "a,b\n1,2\n"), Options{}); !errors.As(err, &missing) || strings.Join(missing.Missing, " ") != "id date" {
		t.Errorf("%v", err)
	}
}

func TestRowsThatAreRejected(t *testing.T) {
	long := strings.Repeat("x", 10<<20)
	for _, test := range []struct{ name, row, column, want string }{
		{"too few fields", "1,2017\n", "", "has 2 fields, the header 3"},
		{"too many fields", "1,2017,x,y\n", "", "has 4 fields, the header 3"},
		{"an open quote", "1,\"2017,x\n", "date", "a quote that is opened here is never closed"},
		{"a quote in a plain field", "1,2017,a \"b\"\n", "more", "a quote within a field that is not quoted"},
		{"text behind a quote", "1,2017,\"a\"b\n", "more", "text behind the closing quote"},
		{"a line of 10 MB", "1,2017," + long + "\n", "", "longer than 1 MiB"},
		{"NUL bytes", "1,2017,a\x00b\n", "more", "holds NUL bytes"},
		{"invalid UTF-8 where it is read", "1,20\xff17,x\n", "date", "not UTF-8. Try: save the file as CSV in UTF-8"},
		{"a day that is none", "1,2017-02-30,x\n", "date", "February 2017 has 28 days"},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows := rowsOf(t, arrests, "id,date,more\n0,2017,x\n"+test.row+"2,2017,x\n")
			wantRows(t, []Row{rows[0], rows[len(rows)-1]}, "arrest.made 0", "arrest.made 2")
			if r := rows[1].Reject; r == nil || r.Line != 3 || r.Column != test.column || !strings.Contains(r.Reason, test.want) || len(r.Value) > 200 {
				t.Errorf("%+v, want %s: %s", r, test.column, test.want)
			}
		})
	}
	// What the mapping does not read need not be text: it can be a name.
	wantRows(t, rowsOf(t, arrests, "id,date,name\n1,2017,Jos\xe9\n"), "arrest.made 1")
	r := rejectOf(t, amounts(`amount = { column = "v", currency = "USD" }`), "id,v\n1,1.2.3\n")
	if r.Error() != `line 2: v "1.2.3": not a number` {
		t.Errorf("%s", r)
	}
	r = rejectOf(t, amounts(`amount = { column = "v", currency = "USD" }`), "id,v\n1,1647.001\n")
	if r.Error() != `line 2: v "1647.001": has 3 decimals, at most 2 can be held. Try: round = "half-even" in the mapping, if that is meant` {
		t.Errorf("%s", r)
	}
	wantRows(t, rowsOf(t, amounts(`amount = { column = "v", currency = "USD", round = "half-even" }`), "id,v\n1,1647.001\n"), "property.seized 1")
}

func TestLinesAreThoseOfTheFile(t *testing.T) {
	rows := rowsOf(t, arrests, "id,date,more\n\n1,2017,\"a\nb\n\"\n2,2017,x\r\n\n3,2017,x")
	var lines []int
	for i := range rows {
		lines = append(lines, rows[i].Line)
	}
	if len(lines) != 3 || lines[0] != 3 || lines[1] != 6 || lines[2] != 8 {
		t.Errorf("the rows begin on %v, want 3, 6 and 8", lines)
	}
}

// TestACompressedFileThatEnds sees that the row which is cut off is not taken,
// wherever it is cut.
func TestACompressedFileThatEnds(t *testing.T) {
	var text strings.Builder
	text.WriteString("id,date,more\n")
	for i := range 2000 {
		text.WriteString(strings.Repeat("1", i%7+1) + "-" + string(rune('a'+i%26)) + "," + "2017-02-03,\"x\n\"\n")
	}
	m, whole := parse(t, strings.ReplaceAll(arrests, `"{id}"`, `"{#row}"`)), packed(t, text.String())
	for cut := len(whole) - 1; cut > 40; cut -= 37 {
		im, err := Open(m, write(t, "f.csv.gz", whole[:cut]), Options{})
		if err != nil {
			continue // the header is cut off
		}
		rows := 0
		for ; ; rows++ {
			row, err := im.Next()
			if err == io.EOF {
				t.Fatalf("cut at %d of %d: the end, after %d rows", cut, len(whole), rows)
			}
			if err != nil {
				if !strings.Contains(err.Error(), "the compressed file ends in the middle, at line ") || !strings.Contains(err.Error(), "Try: fetch it again") {
					t.Fatalf("%v", err)
				}
				break
			}
			if row.Reject != nil {
				t.Fatalf("cut at %d of %d: %v", cut, len(whole), row.Reject)
			}
		}
		if _, err := im.Next(); err == nil || err == io.EOF {
			t.Fatalf("and after that %v", err)
		}
		im.Close()
	}
}

func TestADamagedCompressedFile(t *testing.T) {
	whole := []byte(packed(t, "id,date\n"+strings.Repeat("1,2017\n", 100)))
	whole[len(whole)-8] ^= 1 // its checksum
	im := open(t, parse(t, arrests), write(t, "f.csv.gz", string(whole)))
	for {
		if _, err := im.Next(); err != nil {
			if !strings.Contains(err.Error(), "the compressed file is damaged") {
				t.Errorf("%v", err)
			}
			return
		}
	}
}

func TestBytesRead(t *testing.T) {
	path := write(t, "f.csv.gz", packed(t, "id,date\n1,2017\n"))
	im := open(t, parse(t, arrests), path)
	each(t, im, func(*Row) {})
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if read, size := im.BytesRead(); read != info.Size() || size != info.Size() {
		t.Errorf("%d of %d bytes read, want all %d", read, size, info.Size())
	}
}
