// Package print owns how the program looks: tables with aligned columns, CSV,
// JSON, and the line that shows the progress of long work on a terminal.
//
// It leaves to its callers what to say. Whatever it prints may come from
// strangers: control characters, which could steer a terminal, are shown and
// never sent.
package print

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// gap stands between two columns.
const gap = "  "

func init() {
	// —, ≥, † and their like are one column wide, whatever the locale says.
	text.OverrideRuneWidthEastAsianWidth(false)
}

// Table is rows under a header, as a person reads them.
type Table struct {
	Columns []Column
	Rows    [][]string
}

// Column is one column of a Table.
type Column struct {
	Head string
	// Group is printed above neighbouring columns of the same group, once and
	// between rules; "" for none.
	Group string
	// Number columns are aligned to the right.
	Number bool
}

// Write prints t with its columns aligned, and no white space at line ends.
func (t *Table) Write(w io.Writer) error {
	out := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Options.DoNotRenderSeparatorWhenEmpty = true
	style.Box.PaddingLeft, style.Box.PaddingRight = "", gap
	style.Format.Header = text.FormatDefault
	out.SetStyle(style)
	out.SuppressTrailingSpaces()

	heads := make([]string, len(t.Columns))
	head := make(table.Row, len(t.Columns))
	configs := make([]table.ColumnConfig, len(t.Columns))
	for i, c := range t.Columns {
		align := text.AlignLeft
		if c.Number {
			align = text.AlignRight
		}
		heads[i], head[i] = c.Head, Clean(c.Head)
		configs[i] = table.ColumnConfig{Number: i + 1, Align: align, AlignHeader: align}
	}
	if strings.TrimSpace(strings.Join(heads, "")) != "" {
		out.AppendHeader(head)
	}
	out.SetColumnConfigs(configs)
	for _, row := range t.Rows {
		cells := make(table.Row, len(row))
		for i, cell := range row {
			cells[i] = Clean(cell)
		}
		out.AppendRow(cells)
	}
	_, err := io.WriteString(w, t.groupLine()+out.Render()+"\n")
	return err
}

// groupLine is the line above the header that names the groups of columns,
// with its line feed; empty where there is none.
func (t *Table) groupLine() string {
	widths := t.widths()
	var line strings.Builder
	blank := 0 // columns of space owed before the next group
	for i := 0; i < len(t.Columns); {
		j, width := i+1, widths[i]
		for j < len(t.Columns) && t.Columns[j].Group == t.Columns[i].Group {
			width += len(gap) + widths[j]
			j++
		}
		if name := Clean(t.Columns[i].Group); name == "" {
			blank += width + len(gap)
		} else {
			group := between(name, width)
			line.WriteString(strings.Repeat(" ", blank) + group)
			blank = max(width-text.StringWidthWithoutEscSequences(group), 0) + len(gap)
		}
		i = j
	}
	if line.Len() == 0 {
		return ""
	}
	return line.String() + "\n"
}

// between is name between rules of equal length, at most width columns in all
// where it fits.
func between(name string, width int) string {
	rule := strings.Repeat("-", max((width-text.StringWidthWithoutEscSequences(name)-2)/2, 0))
	return strings.TrimSpace(rule + " " + name + " " + rule)
}

// widths is how wide each column is printed.
func (t *Table) widths() []int {
	widths := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		widths[i] = text.StringWidthWithoutEscSequences(Clean(c.Head))
	}
	for _, row := range t.Rows {
		for i, cell := range row {
			widths[i] = max(widths[i], text.StringWidthWithoutEscSequences(Clean(cell)))
		}
	}
	return widths
}

// WriteCSV prints t for a program: a header, then the rows as they are.
func (t *Table) WriteCSV(w io.Writer) error {
	head := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		head[i] = c.Head
	}
	return CSV(w, head, t.Rows)
}

// CSV prints a header and rows as RFC 4180 wants them, with LF at line ends.
func CSV(w io.Writer, head []string, rows [][]string) error {
	out := csv.NewWriter(w)
	if err := out.Write(head); err != nil {
		return err
	}
	return out.WriteAll(rows)
}

// JSON prints v as one indented JSON value.
func JSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// JSONLine prints v as JSON on one line.
func JSONLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// Clean is s with control and formatting characters, line ends and invalid
// bytes shown as Go escapes: what a terminal may be given.
func Clean(s string) string {
	if !strings.ContainsFunc(s, steers) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") || steers(r) {
			_, size := utf8.DecodeRuneInString(s[i:])
			quoted := strconv.QuoteToASCII(s[i : i+size])
			b.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// steers tells whether r does something to a terminal other than stand there.
func steers(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) || r == '\uFEFF'
}

// Count writes n with its digits in groups of three.
func Count[N int | int64 | uint64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// Plural writes n and its noun, such as "1 event" and "2 events".
func Plural[N int | int64 | uint64](n N, noun string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(noun, "y"):
		noun = strings.TrimSuffix(noun, "y") + "ies"
	default:
		noun += "s"
	}
	return Count(n) + " " + noun
}
