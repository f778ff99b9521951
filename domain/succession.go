package domain

import (
	"maps"
	"slices"
)

// Successors is who took over from whom, by predecessor. What follows from
// successions, follows from it straightened: without those that go round.
type Successors map[string]string

// Straighten takes out the successions that go round, such as a to b and b to a:
// in a circle each agency answers for itself. It returns the circles, each from
// the agency on that is first by name, in the order of these.
func (s Successors) Straighten() (circles [][]string) {
	for _, first := range slices.Sorted(maps.Keys(s)) {
		circle, at := []string{first}, s[first]
		for at != "" && !slices.Contains(circle, at) {
			circle, at = append(circle, at), s[at]
		}
		if at != first {
			continue
		}
		circles = append(circles, circle)
		for _, agency := range circle {
			delete(s, agency)
		}
	}
	return circles
}

// Of is who answers for what an agency did: its successor, or the successor's,
// and so on; agency itself where nobody took over from it. s must be straight.
func (s Successors) Of(agency string) string {
	for range s {
		next, ok := s[agency]
		if !ok {
			break
		}
		agency = next
	}
	return agency
}
