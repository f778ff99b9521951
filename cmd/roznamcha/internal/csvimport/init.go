package csvimport

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"roznamcha/domain"
)

// sampleRows is how many rows InitFile looks at.
const sampleRows = 20_000

// InitFile writes a first mapping for a CSV file, compressed or not: Init with
// what the file's first rows show. The delimiter is the one of comma,
// semicolon, tab and bar that makes the most columns.
func InitFile(path string) ([]byte, error) {
	var best *file
	for _, delimiter := range []byte{',', ';', '\t', '|'} {
		f, err := openFile(path, delimiter, 1)
		if err != nil {
			return nil, err
		}
		defer f.close()
		if best == nil || len(f.header) > len(best.header) {
			best = f
		}
	}
	var sample [][]string
	for len(sample) < sampleRows {
		fields, line, err := best.rows.next(nil)
		var damage *rowError
		if err == io.EOF {
			break
		}
		if err != nil && !errors.As(err, &damage) {
			return nil, best.broken(line, err)
		}
		if err == nil && len(fields) == len(best.header) {
			sample = append(sample, fields)
		}
	}
	base := filepath.Base(path)
	return initMapping(strings.TrimSuffix(strings.TrimSuffix(base, ".gz"), ".csv"), best.header, sample, best.rows.comma), nil
}

// Init writes a first mapping for a CSV file with this header, of which the rows
// of sample are a part; name is what the data are called. What a person has to
// decide stands in it as "?", and ParseMapping complains of each until it is
// filled in.
func Init(name string, header []string, sample [][]string) []byte {
	return initMapping(name, header, sample, ',')
}

func initMapping(name string, header []string, sample [][]string, delimiter byte) []byte {
	d := draft{}
	times := make(map[string]int)
	for _, name := range header {
		times[name]++
	}
	for i, name := range header {
		c := lookAt(name, i, sample)
		c.times = times[name]
		d.columns = append(d.columns, c)
	}
	d.head(name, len(sample), delimiter)
	d.event()
	d.tables()
	return []byte(d.text.String())
}

// draft is a first mapping being written.
type draft struct {
	text    strings.Builder
	columns []column
}

// column is what a sample shows of one column.
type column struct {
	name      string
	times     int      // how often the header has the name; 1 where it can be read by it
	filled    int      // rows where it is not blank
	rows      int      // rows seen
	different int      // how many different texts there are
	texts     []string // the first of them, at most mostTexts
	patterns  []string // date patterns that fit all texts
	numeric   bool     // all texts are plain numbers
}

const mostTexts = 1000

func lookAt(name string, i int, sample [][]string) column {
	c := column{name: name, rows: len(sample)}
	seen := make(map[string]bool)
	for _, row := range sample {
		if i >= len(row) {
			continue
		}
		s := strings.TrimSpace(row[i])
		if s == "" {
			continue
		}
		c.filled++
		if !seen[s] && len(c.texts) < mostTexts {
			c.texts = append(c.texts, s)
		}
		seen[s] = true
	}
	c.different = len(seen)
	c.patterns = datePatterns(c.texts)
	plain := numbers{decimal: "."}
	c.numeric = len(c.texts) > 0 && !slices.ContainsFunc(c.texts, func(s string) bool {
		_, _, err := plain.split(s)
		return err != nil
	})
	return c
}

// usualDates are the patterns that Init looks for.
var usualDates = []string{
	"YYYY-MM-DD", "YYYY-MM-DD hh:mm:ss", "YYYY-MM-DD hh:mm", "YYYY-MM-DD'T'hh:mm:ss", "YYYY-MM-DD'T'hh:mm:ssZ", "YYYY/MM/DD",
	"DD/MM/YYYY", "MM/DD/YYYY", "D/M/YYYY", "M/D/YYYY", "DD/MM/YY", "MM/DD/YY", "DD.MM.YYYY", "D.M.YYYY", "DD-MM-YYYY", "MM-DD-YYYY",
	"DD MMM YYYY", "D MMM YYYY", "DD-MMM-YYYY", "DD-MMM-YY", "D MMMM YYYY", "MMM D, YYYY", "MMMM D, YYYY", "YYYY-MM",
	"DD/MM/YYYY hh:mm", "MM/DD/YYYY hh:mm", "M/D/YYYY h:mm a", "MM/DD/YYYY hh:mm:ss a",
}

// datePatterns are the patterns that fit every text, but for those that read
// them all as an earlier one does.
func datePatterns(texts []string) []string {
	utc, _ := domain.LoadZone("UTC")
	var fitting []string
	var readings [][]string
	for _, s := range usualDates {
		p, err := parseDatePattern(s)
		if err != nil {
			panic(err) // they are compiled in
		}
		d := dates{patterns: []datePattern{p}, pivot: 1950, zone: utc}
		var reading []string
		for _, text := range texts {
			period, err := d.period(text)
			if err != nil {
				break
			}
			reading = append(reading, period)
		}
		known := slices.ContainsFunc(readings, func(other []string) bool { return slices.Equal(other, reading) })
		if len(texts) > 0 && len(reading) == len(texts) && !known {
			fitting, readings = append(fitting, s), append(readings, reading)
		}
	}
	return fitting
}

func (d *draft) printf(format string, args ...any) { fmt.Fprintf(&d.text, format, args...) }

// head writes everything before the event.
func (d *draft) head(name string, rows int, delimiter byte) {
	d.printf("# A first mapping for %s. Fill in every \"?\", then look at a few rows:\n", oneLine(name))
	d.printf("#   roznamcha import --map THIS-FILE --dry-run 5 FILE.csv\n\n")
	d.printf("# The name of these data. Event ids are made of it: never change it.\n")
	d.printf("dataset = %s\n\n", quoted(slug(name)))
	d.printf("# The diary that the events come from. From a column: \"/police/{station|slug}\".\n")
	d.printf("source = \"?\" # such as \"/agency/unit\"\n\n")
	key := d.key()
	if key == rowNumber {
		d.printf("# What tells a row from all others. No column does, so it is the number of the row:\n# that holds only for this edition of the file, with its rows in this order.\n")
	} else {
		d.printf("# What tells a row from all others: no two of the first %d rows have the same.\n", rows)
	}
	d.printf("key = %s\n\n", quoted("{"+key+"}"))
	if delimiter != ',' {
		d.printf("delimiter = %s\n\n", quoted(string(delimiter)))
	}
	d.printf("# Texts that mean blank, in every column; and how numbers are written.\n")
	d.printf("# blanks = [\"-\", \"N/A\"]\n# thousands = \",\"\n# signs = [\"$\"]\n\n")
	d.printf("# The columns, and what stands in the first %d rows:\n", rows)
	for _, c := range d.columns {
		d.printf("#   %s\n", c.describe())
	}
}

// key is the first column that is never blank and never the same; the number
// of the row where there is none.
func (d *draft) key() string {
	for _, c := range d.columns {
		if c.filled > 0 && c.filled == c.rows && c.different == c.filled && c.inTemplate() {
			return c.name
		}
	}
	return rowNumber
}

// inTemplate tells whether the column can be read by its name between braces.
func (c *column) inTemplate() bool {
	return c.times == 1 && c.name != "" && !strings.ContainsAny(c.name, "{}|")
}

// describe is a line about a column.
func (c *column) describe() string {
	if c.times > 1 {
		return fmt.Sprintf("%s. The header names %s %d times: to read it, rename all but one", c.shows(), oneLine("{"+c.name+"}"), c.times)
	}
	return c.shows()
}

// shows is what stands in a column.
func (c *column) shows() string {
	s := oneLine("{" + c.name + "}")
	switch {
	case c.filled == 0:
		return s + ": always blank"
	case c.different == c.filled:
		s += ": all different"
	case c.different == 1:
		s += ": always the same"
	default:
		s += ": " + strconv.Itoa(c.different) + " different"
	}
	if blank := c.rows - c.filled; blank > 0 {
		s += ", " + strconv.Itoa(blank) + " blank"
	}
	examples := c.texts[:min(len(c.texts), 3)]
	for i, e := range examples {
		s += map[bool]string{true: " · ", false: ", "}[i == 0] + oneLine(e)
	}
	return s
}

// oneLine is a text that can stand in a comment: short, and without signs that
// end it or that TOML forbids.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "…"
	}
	return s
}

// event writes a first event.
func (d *draft) event() {
	d.printf("\n# What a row tells. A row may tell of several: repeat this block with another name.\n[[event]]\n")
	d.printf("name    = \"row\" # ids are made of it too\n")
	d.printf("type    = \"?\" # %s\n", strings.Join(importableTypes(), ", "))
	d.printf("subject = %s # the record's id in its diary: no space, no slash\n", quoted("{"+d.key()+"}"))
	d.printf("# when  = { column = \"…\", is = \"…\" } # or not, blank = false, match = '…'\n")
	d.printf("# once  = \"{…}\" # if the record stands on several rows: what names it\n\n")
	d.printf("[event.data]\n")
	d.occurred()
	d.place()
	d.printf("\n# Arrests and detentions:\n# persons     = 1\n")
	d.printf("# nationality = %s\n", d.through("nation", "citizen", "country"))
	d.printf("# sex         = %s\n", d.through("sex", "gender"))
	d.printf("\n# Losses, recoveries and property:\n# item        = %s\n", quoted("{"+d.like("…", "item", "descr", "property")+"}"))
	d.printf("# amount      = { column = %s, currency = \"…\", blank = \"unknown\" }\n", quoted(d.like("…", "amount", "value", "sum", "total")))
	d.printf("\n# Cases (registered instead of occurred) and raids:\n# registered  = %s\n# premises    = \"not-given\"\n", quoted("{…}"))
}

// occurred writes when it happened, by the first column that holds dates.
func (d *draft) occurred() {
	for _, c := range d.columns {
		switch {
		case len(c.patterns) == 0 || c.times > 1:
			continue
		case len(c.patterns) > 1:
			d.printf("occurred = { column = %s, date = \"?\" } # which is it: %s?\n", quoted(c.name), strings.Join(c.patterns, " or "))
		case strings.Contains(c.patterns[0], "hh") && !strings.HasSuffix(c.patterns[0], "Z"):
			d.printf("occurred = { column = %s, date = %s, zone = \"?\" } # whose clock: \"Asia/Karachi\"\n", quoted(c.name), quoted(c.patterns[0]))
		default:
			d.printf("occurred = { column = %s, date = %s }\n", quoted(c.name), quoted(c.patterns[0]))
		}
		return
	}
	d.printf("occurred = \"?\" # { column = \"…\", date = \"DD/MM/YYYY\" }\n")
}

func (d *draft) place() {
	d.printf("place.country = \"?\" # such as \"PK\"\n")
	for _, p := range []struct {
		member string
		names  []string
	}{{"place.subdivision", []string{"state", "province", "region", "county"}}, {"place.city", []string{"city", "town", "district"}}} {
		if name := d.like("", p.names...); name != "" {
			d.printf("%s = { column = %s }\n", p.member, quoted(name))
		}
	}
}

// like is the first column whose name has one of words in it, else fallback.
func (d *draft) like(fallback string, words ...string) string {
	for _, word := range words {
		for _, c := range d.columns {
			if c.inTemplate() && strings.Contains(strings.ToLower(c.name), word) {
				return c.name
			}
		}
	}
	return fallback
}

// through is a value that goes through the table of its column.
func (d *draft) through(words ...string) string {
	name := d.like("…", words...)
	return fmt.Sprintf("{ column = %s, values = %s }", quoted(name), quoted(slug(name)))
}

// mostListed is how many different texts a column may have to be laid out as a
// table of values; one whose name says that it needs a table may have more.
const mostListed = 12

// coded are words in the names of columns whose texts the ledger has codes for.
var coded = []string{"nation", "citizen", "country", "sex", "gender"}

// tables writes a table of values for every column of few different words.
func (d *draft) tables() {
	d.printf("\n# Tables from the file's words to the ledger's, to be used with values = \"…\".\n")
	for _, c := range d.columns {
		most := mostListed
		if slices.ContainsFunc(coded, func(word string) bool { return strings.Contains(strings.ToLower(c.name), word) }) {
			most = mostTexts
		}
		if c.times > 1 || slug(c.name) == "" || c.numeric || len(c.patterns) > 0 || c.different == 0 || c.different > most || c.different*2 > c.filled {
			continue
		}
		d.printf("\n# [values.%s]\n", slug(c.name))
		for _, s := range slices.Sorted(slices.Values(c.texts)) {
			d.printf("# %s = \"…\"\n", quoted(s))
		}
	}
}

// quoted is a TOML string.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range strings.ToValidUTF8(s, "�") {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
