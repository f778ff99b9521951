package projections

import "slices"

// List is every exception, settled or not, in the order in which they were
// raised.
func (x *Exceptions) List() []Exception {
	return slices.Collect(x.all(func(*exceptionRow) bool { return true }))
}
