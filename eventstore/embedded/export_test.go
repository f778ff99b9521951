package embedded

// Free is how many bytes are free on the disk of path.
func Free(path string) (uint64, error) {
	free, _, err := disk(path)
	return free, err
}

// Stuck is why the server writes no more, and nil while it does.
func (s *Server) Stuck() error {
	if err := s.stuck.Load(); err != nil {
		return *err
	}
	return nil
}
