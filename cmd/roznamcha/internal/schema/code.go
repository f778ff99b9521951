package schema

import (
	"slices"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

// Code is what one code of an answer means.
type Code struct {
	Code string `json:"code"`
	// Ruling is the ruling that has it: refused, or unanswered where the recorder
	// could not answer.
	Ruling string `json:"ruling"`
	Means  string `json:"means"`
	Cure   string `json:"cure"`
	// Retry tells whether the same event can be accepted later as it is.
	Retry bool `json:"retry"`
}

// Codes is every code that an answer can carry: those of the register, in the
// order in which it looks, then the recorder's.
func Codes() (codes []Code) {
	add := func(ruling string, infos []domain.CodeInfo) {
		for _, info := range infos {
			codes = append(codes, Code{string(info.Code), ruling, info.Means, info.Cure, info.Retry})
		}
	}
	add(domain.Refused.String(), domain.CodeInfos)
	add(eventstore.Unanswered, eventstore.CodeInfos)
	return codes
}

// codeNames are the codes that answers of one ruling carry. An entry that the
// server does not take is left unanswered with a code of the register's.
func codeNames(ruling string) (names []string) {
	for _, c := range Codes() {
		if c.Ruling == ruling {
			names = append(names, c.Code)
		}
	}
	if ruling == eventstore.Unanswered && !slices.Contains(names, string(domain.TooLarge)) {
		names = append(names, string(domain.TooLarge))
	}
	return names
}
