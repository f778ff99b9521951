package domain

import (
	"fmt"
	"strings"
)

// Diary is one unit's register, written "/nccia/karachi". It names who writes.
// The zero Diary is none.
type Diary struct {
	Agency string
	Unit   string
}

// Office is the ledger's own diary: it opens the ledger, records successions
// and, later, raises the rules version.
var Office = Diary{"ledger", "office"}

// maxToken is the longest agency or unit name, in bytes.
const maxToken = 64

// ParseDiary reads "/agency/unit", both of [a-z0-9-]{1,64}.
func ParseDiary(s string) (Diary, error) {
	if strings.HasPrefix(s, "/") {
		agency, unit, ok := strings.Cut(s[1:], "/")
		if ok && IsToken(agency) && IsToken(unit) {
			return Diary{agency, unit}, nil
		}
	}
	return Diary{}, fmt.Errorf("diary %q: want /agency/unit in small letters, digits and hyphens, such as /nccia/karachi", clip(s))
}

// String writes "/agency/unit".
func (d Diary) String() string { return "/" + d.Agency + "/" + d.Unit }

// Subject is the NATS subject on which a trusted writer may publish straight
// to this diary.
func (d Diary) Subject() string { return "ledger.diary." + d.Agency + "." + d.Unit }

// IsZero tells whether d is no diary.
func (d Diary) IsZero() bool { return d == Diary{} }

// IsToken tells whether s can name an agency or a unit: [a-z0-9-]{1,64}.
func IsToken(s string) bool {
	if len(s) == 0 || len(s) > maxToken {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}

// RecordName is the full name of a record, "kind/agency/unit/id". The id is
// the diary's own: two stations both have an FIR 97-2025.
type RecordName struct {
	Kind  Kind
	Diary Diary
	ID    string
}

// ParseRecordName reads "raid/nccia/karachi/0007".
func ParseRecordName(s string) (RecordName, error) {
	if kind, rest, ok := strings.Cut(s, "/"); ok {
		agency, rest, ok1 := strings.Cut(rest, "/")
		unit, id, ok2 := strings.Cut(rest, "/")
		if ok1 && ok2 && Kind(kind).known() && IsToken(agency) && IsToken(unit) && isRecordID(id) {
			return RecordName{Kind(kind), Diary{agency, unit}, id}, nil
		}
	}
	return RecordName{}, fmt.Errorf("record %q: want kind/agency/unit/id, such as raid/nccia/karachi/0007", clip(s))
}

// String writes "kind/agency/unit/id".
func (n RecordName) String() string {
	return string(n.Kind) + "/" + n.Diary.Agency + "/" + n.Diary.Unit + "/" + n.ID
}

// IsZero tells whether n names no record.
func (n RecordName) IsZero() bool { return n == RecordName{} }

// maxRecordID is the longest record id, in bytes.
const maxRecordID = 128

// isRecordID tells whether s can be a record's id in its diary: 1 to 128 bytes
// of printable ASCII without space and slash.
func isRecordID(s string) bool {
	if len(s) == 0 || len(s) > maxRecordID {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '/' {
			return false
		}
	}
	return true
}

// clip shortens what a stranger wrote, so that an error stays readable.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
