package embedded

// Free is how many bytes are free on the disk of path.
func Free(path string) (uint64, error) {
	free, _, err := disk(path)
	return free, err
}

// SyncsAlways tells whether the server writes every message to disk before it
// acknowledges it. What a cut of power does cannot be tested here.
func (s *Server) SyncsAlways() bool { return s.running.Load().JetStreamConfig().SyncAlways }

// Stuck is why the server writes no more, and nil while it does.
func (s *Server) Stuck() error {
	if err := s.stuck.Load(); err != nil {
		return *err
	}
	return nil
}
