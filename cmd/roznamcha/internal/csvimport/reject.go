package csvimport

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"roznamcha/domain"
)

// Reject is a row that cannot become events, or that the ledger refuses. The
// import goes on without it.
type Reject struct {
	// Line is the physical line of the file on which the row begins, from 1.
	Line int
	// Column is the column that is to blame; "" where it is the whole row.
	Column string
	// Value is what stands there, shortened.
	Value string
	// Reason says what is wrong with it.
	Reason string
}

// Error is "line 7149: ForfValue \"1647.001\": …".
func (r *Reject) Error() string {
	s := "line " + strconv.Itoa(r.Line) + ": "
	if r.Column != "" {
		s += r.Column + " " + strconv.Quote(r.Value) + ": "
	}
	return s + r.Reason
}

// mostValueBytes is how much of a value is told.
const mostValueBytes = 120

// clip shortens what a file says, so that a report stays readable.
func clip(s string) string {
	if len(s) <= mostValueBytes {
		return s
	}
	return strings.ToValidUTF8(s[:mostValueBytes], "") + "…"
}

// asRefusal is the refusal in err, or nil.
func asRefusal(err error) *domain.Refusal {
	var refusal *domain.Refusal
	errors.As(err, &refusal)
	return refusal
}

// rejectsFile is the CSV file of the rows that were not imported: line, column,
// value, reason. A file of an earlier import is replaced; where nothing is
// rejected no file is left.
type rejectsFile struct {
	path string
	file *os.File
	csv  *csv.Writer
	n    int
}

// createRejects opens the file before anything is recorded, so that a path that
// cannot be written is known in time. With an empty path it keeps nothing.
func createRejects(path, input string) (*rejectsFile, error) {
	if path == "" {
		return &rejectsFile{}, nil
	}
	if old, err := os.Stat(path); err == nil {
		if in, err := os.Stat(input); err == nil && os.SameFile(old, in) {
			return nil, fmt.Errorf("rejects file %s: that is the file to import. Try: another name", path)
		}
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("rejects file: %w. Try: a path that can be written", err)
	}
	r := &rejectsFile{path: path, file: file, csv: csv.NewWriter(file)}
	return r, r.csv.Write([]string{"line", "column", "value", "reason"})
}

func (r *rejectsFile) add(reject *Reject) error {
	r.n++
	if r.csv == nil {
		return nil
	}
	return r.csv.Write([]string{strconv.Itoa(reject.Line), reject.Column, clip(reject.Value), reject.Reason})
}

// close writes what is left, or takes an empty file away.
func (r *rejectsFile) close() error {
	if r.file == nil {
		return nil
	}
	r.csv.Flush()
	err := errors.Join(r.csv.Error(), r.file.Close())
	if err == nil && r.n == 0 {
		err = os.Remove(r.path)
	}
	if err != nil {
		return fmt.Errorf("rejects file %s: %w", r.path, err)
	}
	return nil
}
