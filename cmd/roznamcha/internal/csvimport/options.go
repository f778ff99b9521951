package csvimport

// Options are the choices of one import.
type Options struct {
	// Joined says where joined files are, by the names of the joins, if not
	// where the mapping says.
	Joined map[string]string
	// Rejects is the path of the CSV file that takes the rows which were not
	// imported; "" keeps none. The rejects of an earlier import that are there
	// are replaced, but left alone where nothing is rejected; any other file
	// that is there is an error before anything is recorded.
	Rejects string
	// Amend makes corrections of what changed since an earlier import; nil
	// rejects such rows.
	Amend *Amend
	// InFlight is how many rows may wait for their receipts; 0 means 8,192.
	InFlight int
	// Progress is told now and then how far the import is, and once at its end.
	// It is called by one goroutine at a time.
	Progress func(Progress)
}

// Progress is how far an import is.
type Progress struct {
	// Rows have their receipts, or needed none.
	Rows int
	// BytesRead of BytesSize of the file, compressed as it is, have been read.
	BytesRead, BytesSize int64
}
