package projections

import (
	"fmt"
	"strconv"
	"strings"

	"roznamcha/domain"
)

// ParseAtLeast reads an entry that an answer must have at least, or a receipt's
// position, of which only the entry matters: an entry is in an answer whole or
// not at all. "" is an error; who does not ask for an entry leaves it out.
func ParseAtLeast(s string) (entry uint64, err error) {
	if s == "" {
		return 0, fmt.Errorf(`at least "": no entry is named, perhaps by a shell variable that is not set. Try: 1234 or 1234:2, or leave it out`)
	}
	if strings.Contains(s, ":") {
		at, fault := domain.ParsePosition(s)
		entry, err = at.Entry, fault
	} else {
		entry, err = strconv.ParseUint(s, 10, 54)
	}
	if err != nil || entry == 0 {
		return 0, fmt.Errorf("at least %.100q: want an entry number or a receipt's position. Try: 1234 or 1234:2", s)
	}
	return entry, nil
}

// NotYetError says that an answer at least as new as entry Want was not to be had
// in time: what was asked is at entry Now. Ask again.
type NotYetError struct{ Want, Now uint64 }

func (e *NotYetError) Error() string {
	return fmt.Sprintf("not yet: entry %d was asked for, now at entry %d. Try: the same again, or a longer time to wait", e.Want, e.Now)
}
