//go:build unix

package postgrestest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience is how long a server may take to start or stop.
const patience = 30 * time.Second

// owner is the user that every database belongs to.
const owner = "roznamcha"

// Server is a PostgreSQL server of a test.
type Server struct {
	t    testing.TB
	bin  string // where the programs are
	dir  string // of its data and its socket
	cred *syscall.Credential

	cmd       *exec.Cmd
	databases int
}

// Start starts a server, which ends with the test. It skips the test where
// PostgreSQL is not installed.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, bin: find(t)}
	s.dir = s.makeDir()
	t.Cleanup(func() {
		if s.cmd != nil {
			s.Stop()
		}
		_ = os.RemoveAll(s.dir)
	})
	s.initialise()
	s.Start()
	return s
}

// Installed tells whether there is a PostgreSQL to start.
func Installed() bool { return programs() != "" }

// find is the directory of initdb and postgres, without which there is no test.
func find(t testing.TB) string {
	t.Helper()
	dir := programs()
	switch {
	case dir != "":
	case os.Getenv("CI") != "":
		t.Fatal("PostgreSQL is not installed (initdb, postgres), and in CI it must be")
	default:
		t.Skip("PostgreSQL is not installed (initdb, postgres): not tested against it")
	}
	return dir
}

// programs is the directory of initdb and postgres, "" where there is none.
func programs() string {
	var dirs []string
	if initdb, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(initdb); err == nil {
			dirs = append(dirs, filepath.Dir(real))
		}
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin"} {
		found, _ := filepath.Glob(pattern)
		slices.Reverse(found) // the newest first
		dirs = append(dirs, found...)
	}
	for _, dir := range dirs {
		_, err1 := os.Stat(filepath.Join(dir, "initdb"))
		_, err2 := os.Stat(filepath.Join(dir, "postgres"))
		if err1 == nil && err2 == nil {
			return dir
		}
	}
	return ""
}

// makeDir makes a directory that the server's user owns; PostgreSQL refuses to
// run as root.
func (s *Server) makeDir() string {
	s.t.Helper()
	dir, err := os.MkdirTemp("/tmp", "roznamcha-pg-") // a socket's path must be short
	if err != nil {
		s.t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		return dir
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.ParseUint(u.Uid, 10, 32)
		gid, _ := strconv.ParseUint(u.Gid, 10, 32)
		s.cred = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, int(uid), int(gid)); err != nil {
			s.t.Fatal(err)
		}
		return dir
	}
	s.t.Fatal("PostgreSQL does not run as root, and there is no user postgres or nobody")
	return ""
}

func (s *Server) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, program), args...)
	cmd.Dir = s.dir
	if log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err == nil {
		cmd.Stdout, cmd.Stderr = log, log
		s.t.Cleanup(func() { _ = log.Close() })
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.cred, Setpgid: true}
	return cmd
}

func (s *Server) initialise() {
	s.t.Helper()
	cmd := s.command("initdb", "-D", s.data(), "-U", owner, "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "--no-instructions")
	if err := cmd.Run(); err != nil {
		s.t.Fatalf("initdb: %v\n%s", err, s.log())
	}
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) logFile() string { return filepath.Join(s.dir, "log") }

// log is what its programs have said.
func (s *Server) log() string {
	said, _ := os.ReadFile(s.logFile())
	return string(said)
}

// Start starts the server again after Stop, and waits until it answers.
func (s *Server) Start() {
	s.t.Helper()
	s.cmd = s.command("postgres", "-D", s.data(), "-k", s.dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=128MB", "-c", "max_wal_size=4GB")
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		conn, err := pgx.Connect(ctx, s.url("postgres"))
		if err == nil {
			_ = conn.Close(ctx)
			cancel()
			return
		}
		cancel()
		if time.Since(began) > patience {
			s.t.Fatalf("PostgreSQL does not start: %v\n%s", err, s.log())
		}
	}
}

// Stop ends the server at once; who is connected is cut off.
func (s *Server) Stop() {
	s.t.Helper()
	_ = s.cmd.Process.Signal(syscall.SIGINT) // "fast": aborts what runs
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Database makes an empty database and returns its URL.
func (s *Server) Database() string {
	s.t.Helper()
	s.databases++
	name := fmt.Sprint("test", s.databases)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		s.t.Fatal(err)
	}
	return s.url(name)
}

func (s *Server) url(database string) string {
	return "postgres://" + owner + "@/" + database + "?host=" + s.dir
}
