package projections

import (
	"slices"
	"strings"

	"roznamcha/domain"
)

// successions are the agencies that took over from others, each from the
// position that says so to the one that takes it back.
type successions struct {
	all []succession // in the order of opened
}

type succession struct {
	record                 domain.RecordID
	predecessor, successor string
	opened, closed         domain.Place
}

// apply enters a succession, or a new version of one.
func (s *successions) apply(r *domain.Ruled, data *domain.AgencySucceeded) {
	place := r.Position.Place()
	s.close(r.Record, place)
	s.all = append(s.all, succession{
		record:      r.Record,
		predecessor: strings.Clone(data.Predecessor),
		successor:   strings.Clone(data.Successor),
		opened:      place,
		closed:      open,
	})
}

// close ends the version of a record that stands, if it is a succession.
func (s *successions) close(record domain.RecordID, place domain.Place) {
	for i := range s.all {
		if s.all[i].record == record && s.all[i].closed == open {
			s.all[i].closed = place
		}
	}
}

// at is who follows whom before a place. Of several successors of one agency
// the one recorded last stands.
func (s *successions) at(before domain.Place) map[string]string {
	next := make(map[string]string)
	for _, one := range s.all {
		if one.opened < before && one.closed >= before {
			next[one.predecessor] = one.successor
		}
	}
	return next
}

// follow is who answers today for what an agency did: its successor, and the
// successor's. Successions in a circle end where they would come round, as they
// do for the register.
func follow(next map[string]string, agency string) string {
	for seen := []string{agency}; ; seen = append(seen, agency) {
		successor, ok := next[agency]
		if !ok || slices.Contains(seen, successor) {
			return agency
		}
		agency = successor
	}
}
