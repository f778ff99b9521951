package embedded

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"roznamcha/eventstore"
)

// readyTimeout is how long a server may take to start; opening a large store
// that was not closed cleanly takes seconds.
const readyTimeout = 2 * time.Minute

// maxMemory is the limit of JetStream's memory store, in bytes: only readers'
// places are kept there.
const maxMemory = 64 << 20

// Options are how a server is started. The zero value will do for a short
// command.
type Options struct {
	// Port on 127.0.0.1; 0 for any that is free.
	Port int
	// Serving lets other programs in, by Dial, while this one runs.
	Serving bool
	// Wait is how long to wait for another program that has the directory and
	// does not serve.
	Wait time.Duration
	// Reserve is how many bytes of the disk recording leaves free; DefaultReserve
	// if 0. An eighth of it will do to start.
	Reserve uint64
}

// Server is a NATS server in this program, with JetStream, which writes every
// message to disk before it acknowledges it. Only who knows the token of this
// start can connect, and only from this machine.
type Server struct {
	dir     string
	reserve uint64
	token   string
	lock    *flock.Flock
	server  *server.Server
	log     *lastWord

	mu     sync.Mutex
	conns  []*nats.Conn
	closed bool
}

// Start takes the data directory dir, which it makes if need be, and starts a
// server on it. *InUseError where another running program has it;
// eventstore.ErrDiskFull where there is no room even to start. Whatever the
// error, nothing is left running or locked.
func Start(dir string, opts Options) (*Server, error) {
	lock, err := acquire(dir, opts.Wait)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, reserve: opts.Reserve, token: rand.Text(), lock: lock, log: new(lastWord)}
	if s.reserve == 0 {
		s.reserve = DefaultReserve
	}
	if err := s.start(opts); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) start(opts Options) error {
	has := holder{PID: os.Getpid(), Serving: opts.Serving}
	if err := writeHolder(s.dir, has); err != nil { // first: what is there is of an earlier start
		return err
	}
	// Less than for an append: when recording stops for want of room, what is
	// there can still be read.
	if err := room(s.dir, s.reserve/8); err != nil {
		return err
	}
	if err := s.run(opts.Port); err != nil {
		return fmt.Errorf("start the server in %s: %w. Try: another port, or another --dir", s.dir, err)
	}
	has.URL, has.Token = s.server.ClientURL(), s.token
	return writeHolder(s.dir, has)
}

// run starts the server and waits until it is ready.
func (s *Server) run(port int) error {
	_, size, err := disk(s.dir)
	if err != nil {
		return err
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	s.server, err = server.NewServer(&server.Options{
		ServerName:         "roznamcha",
		Host:               "127.0.0.1",
		Port:               port,
		Authorization:      s.token,
		JetStream:          true,
		StoreDir:           s.dir,
		SyncAlways:         true,
		JetStreamMaxStore:  int64(min(size, math.MaxInt64)), // Room is the limit
		JetStreamMaxMemory: maxMemory,
		NoSigs:             true,
		NoLog:              true,
	})
	if err != nil {
		return err
	}
	s.server.SetLoggerV2(s.log, false, false, false)
	s.server.Start()
	for began := time.Now(); time.Since(began) < readyTimeout; {
		if s.server.ReadyForConnections(100*time.Millisecond) && s.server.JetStreamEnabled() {
			return nil
		}
		if reason := s.log.fatal.Load(); reason != nil {
			return errors.New(*reason)
		}
	}
	return fmt.Errorf("not ready after %v", readyTimeout)
}

// Connect connects within the process. The connection is closed with the
// server.
func (s *Server) Connect() (*nats.Conn, error) {
	nc, err := nats.Connect(s.server.ClientURL(), append(eventstore.ConnectOptions(),
		nats.InProcessServer(s),
		nats.Token(s.token),
		nats.Timeout(readyTimeout), // nothing is on the way to be lost
	)...)
	if err != nil {
		return nil, eventstore.ConnectError("the server in "+s.dir, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		nc.Close()
		return nil, eventstore.ConnectError("the server in "+s.dir, nats.ErrConnectionClosed)
	}
	s.conns = append(s.conns, nc)
	return nc, nil
}

// InProcessConn is how a connection reaches the server; nats.go calls it.
func (s *Server) InProcessConn() (net.Conn, error) { return s.server.InProcessConn() }

// URL is the address of the server with the token of this start in it, as for
// nats --server.
func (s *Server) URL() string {
	return strings.Replace(s.server.ClientURL(), "://", "://"+s.token+"@", 1)
}

// Room tells whether the disk has more left than the reserve;
// eventstore.ErrDiskFull where it has not. It is for the ledger's Guard.
func (s *Server) Room() error { return room(s.dir, s.reserve) }

// Close ends the connections that Connect gave, shuts the server down, waits
// until everything is on disk, and gives the directory back: another program
// can have it at once.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	for _, nc := range s.conns {
		nc.Close()
	}
	if s.server != nil {
		s.server.Shutdown()
		s.server.WaitForShutdown()
	}
	return release(s.dir, s.lock)
}

// lastWord keeps why the server gave up, to say why it did not start. The rest
// of what it logs goes nowhere.
type lastWord struct{ fatal atomic.Pointer[string] }

// Fatalf and the others are what server.Logger asks for.
func (l *lastWord) Fatalf(format string, v ...any) {
	reason := fmt.Sprintf(format, v...)
	l.fatal.Store(&reason)
}

func (*lastWord) Errorf(string, ...any)  {}
func (*lastWord) Warnf(string, ...any)   {}
func (*lastWord) Noticef(string, ...any) {}
func (*lastWord) Debugf(string, ...any)  {}
func (*lastWord) Tracef(string, ...any)  {}
