package csvimport

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// template is text with columns in it: "/us-ice/{aor|slug}". Braces are doubled
// to stand for themselves.
type template struct {
	parts []part
}

// part is literal text, or a column with what is done to its text.
type part struct {
	literal string
	column  string
	change  []func(string) string
	cell    int // where the column is in a row, once bound
}

// rowNumber is the column that every file has: the number of the row, from 1,
// the header not counted.
const rowNumber = "#row"

// parseTemplate reads a template. Columns are not looked up: that is bind's.
func parseTemplate(s string) (template, error) {
	var t template
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			t.parts = append(t.parts, part{literal: literal.String()})
			literal.Reset()
		}
	}
	for s != "" {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			literal.WriteString(s)
			break
		}
		literal.WriteString(s[:i])
		if strings.HasPrefix(s[i:], "{{") || strings.HasPrefix(s[i:], "}}") {
			literal.WriteByte(s[i])
			s = s[i+2:]
			continue
		}
		if s[i] == '}' {
			return template{}, fmt.Errorf("a } without its {. Try: {column}, or }} for the sign itself")
		}
		end := strings.IndexByte(s[i:], '}')
		if end < 0 {
			return template{}, fmt.Errorf("a { without its }. Try: {column}, or {{ for the sign itself")
		}
		flush()
		p, err := parsePart(s[i+1 : i+end])
		if err != nil {
			return template{}, err
		}
		t.parts = append(t.parts, p)
		s = s[i+end+1:]
	}
	flush()
	return t, nil
}

// parsePart reads what stands between braces: column|change|change.
func parsePart(s string) (part, error) {
	words := strings.Split(s, "|")
	p := part{column: strings.TrimSpace(words[0])}
	if p.column == "" {
		return part{}, fmt.Errorf("{%s} names no column", s)
	}
	for _, word := range words[1:] {
		change, err := parseChange(strings.TrimSpace(word))
		if err != nil {
			return part{}, err
		}
		p.change = append(p.change, change)
	}
	return p, nil
}

// columnTemplate is a template of one column and nothing else, whatever signs
// its name has.
func columnTemplate(column string) template {
	return template{parts: []part{{column: column}}}
}

// isConstant tells whether t has the same text in every row.
func (t *template) isConstant() bool {
	for _, p := range t.parts {
		if p.column != "" {
			return false
		}
	}
	return true
}

// column is the first column of t, "" where there is none.
func (t *template) column() string {
	for _, p := range t.parts {
		if p.column != "" {
			return p.column
		}
	}
	return ""
}

// eval is the text of t in one row, its cells trimmed.
func (t *template) eval(cells []string) string {
	if len(t.parts) == 1 {
		return t.parts[0].eval(cells)
	}
	var b strings.Builder
	for i := range t.parts {
		b.WriteString(t.parts[i].eval(cells))
	}
	return b.String()
}

func (p *part) eval(cells []string) string {
	if p.column == "" {
		return p.literal
	}
	s := strings.TrimSpace(cells[p.cell])
	for _, change := range p.change {
		s = change(s)
	}
	return s
}

// changes are what can be done to a text, by the names they have in a mapping.
var changes = map[string]func(string) string{
	"upper":   strings.ToUpper,
	"lower":   strings.ToLower,
	"squeeze": squeeze,
	"nospace": nospace,
	"slug":    slug,
}

func parseChange(name string) (func(string) string, error) {
	if change, ok := changes[name]; ok {
		return change, nil
	}
	names := []string{"upper", "lower", "squeeze", "nospace", "slug"}
	return nil, fmt.Errorf("%q does nothing to a text%s", name, tryNear(name, names))
}

// squeeze makes one space of every run of white space.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// nospace takes all white space away.
func nospace(s string) string { return strings.Join(strings.Fields(s), "") }

// slug makes a token of a name, as agencies and units have: small letters and
// digits, hyphens for everything between. Accents go: São Paulo is sao-paulo.
func slug(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r) || r == '\'' || r == '’':
		case 'A' <= r && r <= 'Z', 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(unicode.ToLower(r))
		default:
			gap = true
		}
	}
	return b.String()
}
