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
