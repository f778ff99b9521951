package csvimport

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/google/uuid"

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
// value, reason. It is written under another name beside path, and takes its
// own at the end if there is something in it; so where nothing is rejected,
// whatever is at path stays as it is. A crash leaves the file with the other
// name, with the rejects up to there.
type rejectsFile struct {
	path string
	file *os.File
	csv  *csv.Writer
	n    int
}

const rejectsHeader = "line,column,value,reason"

// createRejects opens the file before anything is recorded, so that a path that
// cannot be written is known in time. With an empty path it keeps nothing.
func createRejects(path, input string) (*rejectsFile, error) {
	if path == "" {
		return &rejectsFile{}, nil
	}
	if err := checkReplaceable(path, input); err != nil {
		return nil, fmt.Errorf("rejects file %s: %w", path, err)
	}
	name := path + "." + uuid.NewString()[:8] + ".part"
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		if of := (*fs.PathError)(nil); errors.As(err, &of) {
			err = of.Err // the other name is of no interest
		}
		return nil, fmt.Errorf("rejects file %s: %w. Try: a path that can be written, with --rejects", path, err)
	}
	r := &rejectsFile{path: path, file: file, csv: csv.NewWriter(file)}
	return r, r.csv.Write(strings.Split(rejectsHeader, ","))
}

// checkReplaceable sees that nothing is at path but the rejects of an earlier
// import, which its first line tells.
func checkReplaceable(path, input string) error {
	old, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w. Try: another file with --rejects", err)
	}
	if in, err := os.Stat(input); err == nil && os.SameFile(old, in) {
		return errors.New("that is the file to import. Try: another name")
	}
	if !old.Mode().IsRegular() || !beginsLikeRejects(path) {
		return errors.New("is there already, and no import wrote it. Try: another file with --rejects")
	}
	return nil
}

// beginsLikeRejects tells whether the first line of a file is the header of a
// rejects file.
func beginsLikeRejects(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	line, err := bufio.NewReaderSize(f, 64).ReadSlice('\n')
	return err == nil && string(line) == rejectsHeader+"\n"
}

func (r *rejectsFile) add(reject *Reject) error {
	r.n++
	if r.csv == nil {
		return nil
	}
	return r.csv.Write([]string{strconv.Itoa(reject.Line), reject.Column, clip(reject.Value), reject.Reason})
}

// close writes what is left and gives the file its name, or takes it away if it
// is empty.
func (r *rejectsFile) close() error {
	if r.file == nil {
		return nil
	}
	r.csv.Flush()
	err := errors.Join(r.csv.Error(), r.file.Close())
	switch {
	case r.n == 0:
		err = errors.Join(err, os.Remove(r.file.Name()))
	case err == nil:
		err = os.Rename(r.file.Name(), r.path)
	}
	if err != nil {
		return fmt.Errorf("rejects file %s: %w", r.path, err)
	}
	return nil
}
