package csvimport

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// cutAll cuts text into rows, written one by one as "line: field|field" or
// "line: !reason".
func cutAll(r io.Reader) ([]string, error) {
	rows := newRowReader(r, ',')
	var all []string
	for {
		fields, line, err := rows.next(nil)
		var damage *rowError
		switch {
		case err == io.EOF:
			return all, nil
		case errors.As(err, &damage):
			all = append(all, fmt.Sprintf("%d: !%d %s", line, damage.field, damage.reason))
		case err != nil:
			return all, err
		default:
			all = append(all, fmt.Sprintf("%d: %s", line, strings.Join(fields, "|")))
		}
	}
}

func TestRowsAreCut(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"plain", "a,b\nc,d\n", []string{"1: a|b", "2: c|d"}},
		{"without the last line feed", "a,b\nc,d", []string{"1: a|b", "2: c|d"}},
		{"carriage returns", "a,b\r\n\"c\",d\r\n", []string{"1: a|b", "2: c|d"}},
		{"blank lines are no rows", "\na,b\n\r\n\nc,d\n\n", []string{"2: a|b", "5: c|d"}},
		{"empty fields", ",\n,,\n", []string{"1: |", "2: ||"}},
		{"quotes", "\"a,b\",\"c\"\"d\"\n\"\",x\n", []string{"1: a,b|c\"d", "2: |x"}},
		{"line feeds in quotes count as lines", "a,\"b\n\nc\"\nd,e\n", []string{"1: a|b\n\nc", "4: d|e"}},
		{"a quoted field at the end", "a,\"b\"", []string{"1: a|b"}},
		{"NUL bytes are bytes", "a\x00,b\n", []string{"1: a\x00|b"}},
		{"empty", "", nil},

		{"a quote in a plain field costs one row", "a,60\" TV\nb,c\n", []string{"1: !1 a quote within a field that is not quoted", "2: b|c"}},
		{"text behind a quote costs one row", "a,\"b\"c\nd,e\n", []string{"1: !1 text behind the closing quote. Try: write a quote within quotes twice", "2: d|e"}},
		{"an open quote costs one row", "\"a,b\nc,d\ne,f\n", []string{"1: !0 a quote that is opened here is never closed", "2: c|d", "3: e|f"}},
		{"an open quote and later quotes", "a,\"b\nc,\"d\"\ne,f\n", []string{"1: !1 text behind the closing quote. Try: write a quote within quotes twice", "2: c|d", "3: e|f"}},
		{"an open quote at the end", "a,b\nc,\"d", []string{"1: a|b", "2: !1 a quote that is opened here is never closed"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for name, r := range map[string]io.Reader{
				"whole":       strings.NewReader(test.text),
				"byte a byte": iotest.OneByteReader(strings.NewReader(test.text)),
				"EOF at once": iotest.DataErrReader(strings.NewReader(test.text)),
			} {
				got, err := cutAll(r)
				if err != nil || !slices.Equal(got, test.want) {
					t.Errorf("%s: %q, %v\nwant %q", name, got, err, test.want)
				}
			}
		})
	}
}

func TestOverlongRows(t *testing.T) {
	long := strings.Repeat("x", 10<<20)
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"a line of 10 MB", "a,b\n" + long + ",c\nd,e\n", []string{"1: a|b", "2: !-1 longer than 1 MiB", "3: d|e"}},
		{"a line of 10 MB at the end", "a,b\n" + long, []string{"1: a|b", "2: !-1 longer than 1 MiB"}},
		{"a quoted line of 10 MB", "\"" + long + "\",c\nd,e\n", []string{"1: !-1 longer than 1 MiB", "2: d|e"}},
		{"a quote that swallows 2 MB of rows", "a,\"b\n" + strings.Repeat("c,d\n", 1<<19) + "e,f\n", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := cutAll(strings.NewReader(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if test.want != nil && !slices.Equal(got, test.want) {
				t.Errorf("got %.200q\nwant %q", got, test.want)
			}
			if test.want == nil && (len(got) != 1<<19+2 || got[0] != "1: !-1 a quote that is opened here is not closed within 1 MiB" || got[1] != "2: c|d") {
				t.Errorf("%d rows, of which the first are %q", len(got), got[:2])
			}
		})
	}
}

func TestRowsOfMemory(t *testing.T) {
	// A row is read in bounded memory, whatever its length.
	rows := newRowReader(io.LimitReader(endless{}, 64<<20), ',')
	if _, _, err := rows.next(nil); err == nil || err.Error() != "longer than 1 MiB" {
		t.Errorf("got %v", err)
	}
	if cap(rows.buf) > 4*maxRowBytes {
		t.Errorf("%d bytes held for it", cap(rows.buf))
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestRowsUpToAFailure(t *testing.T) {
	broken := errors.New("broken")
	for text, want := range map[string][]string{
		"a,b\nc,d\n":     {"1: a|b", "2: c|d"},
		"a,b\nc,d":       {"1: a|b"}, // d may have been longer
		"a,b\nc,\"d\n":   {"1: a|b"},
		"a,b\nc,\"d\ne":  {"1: a|b"},
		"a,b\nc,\"d\"":   {"1: a|b"},
		"a,b\n\"c\"\"\n": {"1: a|b"},
	} {
		got, err := cutAll(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)))
		if err != broken || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
}

// TestRowsAsEncodingCSV holds the cutting of well-formed text against the
// standard library's.
func TestRowsAsEncodingCSV(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"a", "bc", "\"", "\"\"", ",", "\n", "\r\n", " ", "é", "", ";", "x,y"}
	for range 2000 {
		var want [][]string
		var text strings.Builder
		w := csv.NewWriter(&text)
		w.UseCRLF = random.IntN(2) == 0
		for range 1 + random.IntN(5) {
			var fields []string
			for range 1 + random.IntN(4) {
				field := ""
				for range random.IntN(4) {
					field += pieces[random.IntN(len(pieces))]
				}
				fields = append(fields, field)
			}
			if err := w.Write(fields); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		reader := csv.NewReader(strings.NewReader(text.String()))
		reader.FieldsPerRecord = -1
		want, err := reader.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		rows := newRowReader(strings.NewReader(text.String()), ',')
		for i := range want {
			fields, _, err := rows.next(nil)
			if err != nil {
				t.Fatalf("%q: %v", text.String(), err)
			}
			for j := range fields {
				fields[j] = strings.ReplaceAll(fields[j], "\r\n", "\n") // which encoding/csv does
			}
			if !slices.Equal(fields, want[i]) {
				t.Fatalf("%q: row %d is %q, want %q", text.String(), i, fields, want[i])
			}
		}
		if _, _, err := rows.next(nil); err != io.EOF {
			t.Fatalf("%q: %v at the end", text.String(), err)
		}
	}
}

// FuzzRows sees that every text is cut to its end, that lines only ever go up,
// and that how it is read makes no difference.
func FuzzRows(f *testing.F) {
	f.Add("a,b\nc,\"d\n\"\n")
	f.Add("a,\"b\nc,d\n\"\"\"")
	f.Add("\r\n\x00,\"\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		whole, err := cutAll(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if bytewise, _ := cutAll(iotest.OneByteReader(strings.NewReader(text))); !slices.Equal(whole, bytewise) {
			t.Fatalf("%q, and byte by byte %q", whole, bytewise)
		}
		last := 0
		for _, row := range whole {
			var line int
			if _, err := fmt.Sscanf(row, "%d:", &line); err != nil || line <= last {
				t.Fatalf("line %d after %d: %q", line, last, row)
			}
			last = line
		}
		if lines := strings.Count(text, "\n") + 1; last > lines {
			t.Fatalf("line %d of %d", last, lines)
		}
	})
}
