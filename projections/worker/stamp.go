package worker

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

// Bucket is the key-value bucket that the tables are kept in.
const Bucket = "roznamcha-tables"

// CurrentKey is the key whose value is the Prefix that readers should follow, as
// plain text.
const CurrentKey = "totals.current"

// Prefix is what the keys of a version of totals begin with, without the last
// dot, such as totals.r1.v1: the projection, the version of the rules and that
// of the projection.
func Prefix(version int) string {
	return fmt.Sprintf("totals.r%d.v%d", domain.RulesVersion, version)
}

// Table is one table that is kept: its key is the Prefix, a dot and its name.
type Table struct {
	Name  string
	Query projections.Query
}

var tableName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// CheckName tells whether a table may have that name.
func CheckName(name string) error {
	if !tableName.MatchString(name) {
		return fmt.Errorf("table name %.100q: want up to 64 small letters, digits and hyphens. Try: city-2025", name)
	}
	return nil
}

// DefaultTables are the tables of a worker that is not told which: of everything,
// and by city, agency, year and month.
func DefaultTables() []Table {
	tables := []Table{{Name: "all"}}
	for _, d := range []projections.Dimension{projections.City, projections.Agency, projections.Year, projections.Month} {
		tables = append(tables, Table{d.String(), projections.Query{By: []projections.Dimension{d}}})
	}
	return tables
}

// Stamp says what a value was made from.
type Stamp struct {
	Projection string `json:"projection"` // "totals"
	Rules      int    `json:"rules"`
	Version    int    `json:"version"`
	// Name is the table's, "" for the answer to a question.
	Name     string   `json:"name,omitempty"`
	Question Question `json:"question"`
	// Mark is the last entry that went in, and State the register's state hash
	// after it, in hexadecimal.
	Mark  eventstore.Mark `json:"mark"`
	State string          `json:"state"`
	// Cells is the SHA-256 of all that the value says apart from its citation and
	// stamp, in hexadecimal: it moves only when a reader sees a change.
	Cells string `json:"cells"`
}

// Value is what is kept at a key, and what a question is answered with: the
// table as totals --json prints it, and its stamp. Where no table can be made,
// Problem says why, and there is only the stamp.
type Value struct {
	Stamp   Stamp  `json:"stamp"`
	Problem string `json:"problem,omitempty"`
	*projections.Table
}

// stamped is a value ready to be kept: the same bytes from every worker.
type stamped struct {
	Stamp
	problem string
	bytes   []byte
}

// tooLarge begins the problem of a table that is.
const tooLarge = "the table is larger than"

// newStamped stamps a table, or why there is none. One that takes more than most
// bytes is none.
func newStamped(s Stamp, t *projections.Table, problem string, most int) (stamped, error) {
	v := Value{s, problem, t}
	if t != nil {
		bare := *t
		bare.Citation = projections.Citation{}
		v.Table = &bare
	}
	v.Stamp = Stamp{}
	b, err := marshal(v)
	if err != nil {
		return stamped{}, err
	}
	sum := sha256.Sum256(b)
	s.Cells = hex.EncodeToString(sum[:])
	if b, err = marshal(Value{s, problem, t}); err != nil {
		return stamped{}, err
	}
	if len(b) > most && t != nil {
		return newStamped(s, nil, fmt.Sprintf("%s the %d bytes that the server carries. Try: fewer dimensions, a filter or a period", tooLarge, most), most)
	}
	return stamped{s, problem, b}, nil
}

// marshal writes JSON as the program prints it, on one line.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// readStamp reads the stamp of a value; the zero Stamp where it has none.
func readStamp(value []byte) (s Stamp, problem string) {
	var v struct {
		Stamp   Stamp  `json:"stamp"`
		Problem string `json:"problem"`
	}
	if json.Unmarshal(value, &v) != nil {
		return Stamp{}, ""
	}
	return v.Stamp, v.Problem
}
