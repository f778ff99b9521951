package service

import (
	"fmt"
	"strings"

	"roznamcha/domain"
)

// diaryOf is the diary that a request's subject names.
func diaryOf(subject string) (domain.Diary, *domain.Refusal) {
	verb, rest, _ := strings.Cut(subject, ".")
	agency, unit, _ := strings.Cut(rest, ".")
	if domain.IsToken(agency) && domain.IsToken(unit) {
		return domain.Diary{Agency: agency, Unit: unit}, nil
	}
	return domain.Diary{}, &domain.Refusal{Code: domain.WrongSource, Detail: fmt.Sprintf("subject %q names no diary: want %s.<agency>.<unit> in small letters, digits and hyphens", subject, verb)}
}

// isInbox tells whether an answer may be published there: not where it would be
// an entry of the ledger, a request to this service, or an order to the server.
// No reply subject at all is no harm: nobody waits.
func isInbox(reply string) bool {
	for _, not := range []string{"ledger.", "record.", "check.", "$"} {
		if strings.HasPrefix(reply, not) {
			return false
		}
	}
	return true
}
