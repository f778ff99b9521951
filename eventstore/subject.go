package eventstore

import (
	"strings"

	"roznamcha/domain"
)

const (
	recordSubjects = "record."
	checkSubjects  = "check."
)

// RecordSubject is where the service is asked to record events of diary. (A
// diary of two asterisks gives the subject of all.)
func RecordSubject(diary domain.Diary) string { return recordSubjects + tokens(diary) }

// CheckSubject is where it is asked to check them.
func CheckSubject(diary domain.Diary) string { return checkSubjects + tokens(diary) }

func tokens(diary domain.Diary) string { return diary.Agency + "." + diary.Unit }

// IsInbox tells whether a service may publish an answer to that reply subject: not
// where it would be an entry of the ledger, a request to one of Roznamcha's
// services, or an order to the server. No reply subject at all is no harm: nobody
// waits.
func IsInbox(reply string) bool {
	for _, not := range []string{"ledger.", recordSubjects, checkSubjects, "totals.", "$"} {
		if strings.HasPrefix(reply, not) {
			return false
		}
	}
	return true
}
