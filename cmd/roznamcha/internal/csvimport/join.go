package csvimport

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// joinSpec is a second file whose columns a row can use, found by a key.
type joinSpec struct {
	name      string
	file      string
	delimiter byte
	key       template // over the joined file's columns
	on        template // over the row's columns
	missing   joinMissing
	several   joinSeveral
}

// joinMissing is what happens to a row whose key the joined file does not have.
type joinMissing uint8

const (
	missingRejects joinMissing = iota
	missingIsBlank
)

// joinSeveral is what happens when the joined file has a key on several rows.
type joinSeveral uint8

const (
	severalFail joinSeveral = iota // the import does not begin
	severalFirst
)

// boundJoin is a joined file in memory: of every row the columns that the
// mapping can name.
type boundJoin struct {
	*joinSpec
	on    template
	rows  map[string][]string
	width int
}

// mostJoinedRows bounds what a joined file takes in memory.
const mostJoinedRows = 5_000_000

// readJoins reads the second files.
func (m *Mapping) readJoins(t *table) {
	subs := t.subs("join")
	for _, name := range slices.Sorted(maps.Keys(subs)) {
		sub := subs[name]
		j := joinSpec{name: name, delimiter: ',', file: sub.required("file", "the second file's path, relative to the mapping")}
		if s := sub.text("delimiter"); len(s) == 1 {
			j.delimiter = s[0]
		} else if s != "" {
			sub.fault("delimiter", "want one sign")
		}
		if sub.required("key", "the second file's key, such as \"{code}\"") != "" {
			j.key = readTemplate(sub, "key")
		}
		if sub.required("on", "the row's text that is looked up, such as \"{office_code}\"") != "" {
			j.on = readTemplate(sub, "on")
		}
		j.missing = readWord(sub, "missing", map[string]joinMissing{"": missingRejects, "reject": missingRejects, "blank": missingIsBlank})
		j.several = readWord(sub, "several", map[string]joinSeveral{"": severalFail, "error": severalFail, "first": severalFirst})
		sub.done()
		m.joins = append(m.joins, j)
	}
}

// bindJoins reads the joined files and adds their columns, named join.column.
func (p *program) bindJoins(s *scope, files map[string]string) error {
	for name := range files {
		if !slices.ContainsFunc(p.mapping.joins, func(j joinSpec) bool { return j.name == name }) {
			return fmt.Errorf("mapping %s joins no file %q", p.mapping.name, name)
		}
	}
	for i := range p.mapping.joins {
		j := &p.mapping.joins[i]
		path := j.file
		if !filepath.IsAbs(path) {
			path = filepath.Join(p.mapping.dir, path)
		}
		if other := files[j.name]; other != "" {
			path = other
		}
		bound := boundJoin{joinSpec: j, on: j.on.bind(s)}
		header, err := bound.load(path)
		if err != nil {
			return fmt.Errorf("join %s: %w", j.name, err)
		}
		for _, column := range header {
			if slices.Contains(s.names, j.name+"."+column) {
				return fmt.Errorf("join %s: the file to import has a column %q itself. Try: another name for the join", j.name, j.name+"."+column)
			}
			s.add(j.name + "." + column)
		}
		p.joins = append(p.joins, bound)
	}
	return nil
}

// load reads the whole joined file.
func (j *boundJoin) load(path string) ([]string, error) {
	f, err := openFile(path, j.delimiter, 1)
	if err != nil {
		return nil, err
	}
	defer f.close()
	s := &scope{names: f.header, used: make([]bool, len(f.header))}
	key := j.key.bind(s)
	if len(s.missing) > 0 {
		return nil, &MissingColumnsError{path, "join " + j.name, s.missing, f.header}
	}
	j.rows, j.width = make(map[string][]string), len(f.header)
	for {
		fields, line, err := f.rows.next(nil)
		var damage *rowError
		switch {
		case err == io.EOF:
			return f.header, nil
		case errors.As(err, &damage):
			return nil, fmt.Errorf("%s: line %d: %s", path, line, damage.reason)
		case err != nil:
			return nil, f.broken(line, err)
		case len(fields) != j.width:
			return nil, fmt.Errorf("%s: line %d: %s", path, line, wrongWidth(len(fields), j.width).reason)
		case len(j.rows) == mostJoinedRows:
			return nil, fmt.Errorf("%s: more than %d rows: too many to hold in memory", path, mostJoinedRows)
		}
		k := strings.Clone(key.eval(fields))
		if _, ok := j.rows[k]; ok {
			if j.several == severalFail {
				return nil, fmt.Errorf("%s: line %d: the key %q stands on a second row. Try: a longer key, or several = \"first\"", path, line, clip(k))
			}
			continue
		}
		j.rows[k] = fields
	}
}

// extend appends the joined columns of a row to its cells.
func (j *boundJoin) extend(cells []string) ([]string, *Reject) {
	key := j.on.eval(cells)
	found, ok := j.rows[key]
	if !ok {
		if j.missing == missingRejects {
			return cells, &Reject{Column: j.on.column(), Value: key, Reason: "not in the joined file " + filepath.Base(j.file)}
		}
		found = make([]string, j.width)
	}
	return append(cells, found...), nil
}
