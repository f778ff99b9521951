package projections

// List is every exception, settled or not, in the order in which they were
// raised.
func (x *Exceptions) List() []Exception {
	var list []Exception
	for i := range x.rows {
		if row := &x.rows[i]; row.seen(0) {
			list = append(list, x.exception(row, 0))
		}
	}
	return list
}
