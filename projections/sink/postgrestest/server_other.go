//go:build !unix

package postgrestest

import "testing"

// Server is a PostgreSQL server of a test; on this system there is none.
type Server struct{}

// Installed tells that there is none.
func Installed() bool { return false }

// Start skips the test.
func Start(t testing.TB) *Server {
	t.Skip("PostgreSQL is tested against on Unix only")
	return nil
}

// Start does nothing.
func (*Server) Start() {}

// Stop does nothing.
func (*Server) Stop() {}

// Database is none.
func (*Server) Database() string { return "" }
