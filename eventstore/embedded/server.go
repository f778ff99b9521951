package embedded

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
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
	// Port on 127.0.0.1; 0 for any that is free, and with Serving for the one of
	// the last time if that is.
	Port int
	// Serving lets other programs in while this one runs, by Dial, or with the
	// URL, which is the directory's: see package embedded.
	Serving bool
	// Wait is how long to wait for another program that has the directory and
	// does not serve.
	Wait time.Duration
	// Reserve is how many bytes of the disk recording leaves free; DefaultReserve
	// if 0. It is no condition to start: what is there can be read when there is
	// no room left to record.
	Reserve uint64
}

// Server is a NATS server in this program, with JetStream, which writes every
// message to disk before it acknowledges it. Only who knows its token can
// connect, and only from this machine.
//
// One that has run into a full disk, and would write no more, is restarted when
// there is room again: see wall.go. Connections find it again by themselves.
type Server struct {
	dir     string
	reserve uint64
	token   string
	lock    *flock.Flock

	// running is the server that answers, nil between two; url where it listens.
	running atomic.Pointer[server.Server]
	url     string
	// trouble has a token when the server has logged an error.
	trouble chan struct{}
	// stuck is why the server writes no more, and nil while it does.
	stuck atomic.Pointer[error]
	// watching is done when the goroutine of watch has ended, as stop tells it.
	stop     context.CancelFunc
	watching sync.WaitGroup

	mu     sync.Mutex
	conns  []*nats.Conn
	closed bool
}

// Start takes the data directory dir, which it makes if need be, and starts a
// server on it. *InUseError where another running program has it. Whatever the
// error, nothing is left running or locked.
func Start(dir string, opts Options) (*Server, error) {
	lock, err := acquire(dir, opts.Wait)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, reserve: opts.Reserve, lock: lock, trouble: make(chan struct{}, 1)}
	if s.reserve == 0 {
		s.reserve = DefaultReserve
	}
	var ctx context.Context
	ctx, s.stop = context.WithCancel(context.Background())
	if err := s.start(opts); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.watching.Go(func() { s.watch(ctx) })
	return s, nil
}

func (s *Server) start(opts Options) error {
	has := holder{PID: os.Getpid(), Serving: opts.Serving}
	if err := writeHolder(s.dir, has); err != nil { // first: what is there is of an earlier start
		return err
	}
	at := address{Token: rand.Text()}
	if opts.Serving {
		var err error
		if at, err = addressOf(s.dir); err != nil {
			return err
		}
	}
	s.token = at.Token
	if err := s.runAt(opts.Port, at.Port); err != nil {
		try := "another port, or another --dir"
		if errors.Is(err, errDamaged) {
			try = "keep the store as it is, and restore it (jetstream/ alone) from a copy"
		}
		return fmt.Errorf("start the server in %s: %w. Try: %s", s.dir, err, try)
	}
	s.url = s.running.Load().ClientURL()
	if opts.Serving {
		if err := at.keep(s.dir, s.port()); err != nil {
			return err
		}
	}
	has.URL, has.Token = s.url, s.token
	return writeHolder(s.dir, has)
}

// runAt starts a server on port; if that is 0 on the one of the last time, or on
// any where that is 0 too, or is another program's by now.
func (s *Server) runAt(port, last int) error {
	err := s.run(cmp.Or(port, last))
	if err != nil && port == 0 && last != 0 && !errors.Is(err, errDamaged) {
		err = s.run(0)
	}
	return err
}

// errDamaged: the server knows of a stream and cannot open it. It would go on
// without, and let a new one be made in its place.
var errDamaged = errors.New("the store is damaged")

// run starts a server on port, 0 for any, and waits until it is ready.
func (s *Server) run(port int) error {
	_, size, err := disk(s.dir)
	if err != nil {
		return err
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	next, err := server.NewServer(&server.Options{
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
	begun, err := s.begun()
	if err != nil {
		return err
	}
	log := &words{trouble: s.trouble}
	next.SetLoggerV2(log, false, false, false)
	next.Start()
	err = ready(next, log)
	if err == nil {
		err = s.whole(next, begun)
	}
	if err != nil {
		next.Shutdown()
		next.WaitForShutdown()
		return err
	}
	s.running.Store(next)
	return nil
}

// begun is what is in the store, accounts and their streams, and whether one was
// only begun by a server that was killed: a stream that has no message, and no
// index, which the server writes of those that it had open; and the empty file by
// which it tries at its start whether it may write there.
func (s *Server) begun() (map[string]bool, error) {
	store, all := os.DirFS(s.dir), make(map[string]bool)
	accounts, err1 := fs.Glob(store, "jetstream/*")
	streams, err2 := fs.Glob(store, "jetstream/*/streams/*")
	for _, account := range accounts {
		info, err := fs.Stat(store, account)
		all[account] = err == nil && info.Mode().IsRegular() && info.Size() == 0
	}
	for _, stream := range streams {
		files, err := fs.ReadDir(store, stream+"/msgs")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		all[stream] = !slices.ContainsFunc(files, func(file fs.DirEntry) bool {
			info, err := file.Info()
			return err != nil || info.Size() > 0
		})
	}
	return all, errors.Join(err1, err2)
}

// whole sees that the server that has just started could open everything that was
// there before; errDamaged where not. What was only begun is removed: the server
// would make the next stream of that name out of it, and could not open that again.
func (s *Server) whole(started *server.Server, begun map[string]bool) error {
	for _, e := range started.Healthz(&server.HealthzOptions{Details: true}).Errors {
		place := "jetstream/" + e.Account
		if e.Type == server.HealthzErrorStream {
			place += "/streams/" + e.Stream
		}
		onlyBegun, was := begun[place]
		switch {
		case onlyBegun:
			if err := os.RemoveAll(filepath.Join(s.dir, filepath.FromSlash(place))); err != nil {
				return err
			}
		case e.Type == server.HealthzErrorStream && !was: // somebody is making it
		default:
			return fmt.Errorf("%w: %s", errDamaged, e.Error)
		}
	}
	return nil
}

// ready waits until a server that was started answers.
func ready(next *server.Server, log *words) error {
	for began := time.Now(); time.Since(began) < readyTimeout; {
		if next.ReadyForConnections(100*time.Millisecond) && next.JetStreamEnabled() {
			return nil
		}
		if reason := log.fatal.Load(); reason != nil {
			return errors.New(*reason)
		}
	}
	return fmt.Errorf("not ready after %v", readyTimeout)
}

// Connect connects within the process. The connection is closed with the
// server.
func (s *Server) Connect() (*nats.Conn, error) {
	nc, err := nats.Connect(s.url, append(eventstore.ConnectOptions(),
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

// InProcessConn is how a connection reaches the server; nats.go calls it, again
// and again while the server is restarted.
func (s *Server) InProcessConn() (net.Conn, error) {
	running := s.running.Load()
	if running == nil {
		return nil, fmt.Errorf("%s: %w", s.dir, ErrNotServing)
	}
	return running.InProcessConn()
}

// URL is the address of the server with its token in it, as for nats --server.
func (s *Server) URL() string {
	return strings.Replace(s.url, "://", "://"+s.token+"@", 1)
}

// SyncsAlways tells whether the server that runs writes every message to disk
// before it acknowledges it; false where none runs.
func (s *Server) SyncsAlways() bool {
	running := s.running.Load()
	if running == nil {
		return false
	}
	config := running.JetStreamConfig()
	return config != nil && config.SyncAlways
}

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
	s.stop()
	s.watching.Wait()
	for _, nc := range s.conns {
		nc.Close()
	}
	s.shutdown()
	return release(s.dir, s.lock)
}

// shutdown ends the server that runs, if one does.
func (s *Server) shutdown() {
	if running := s.running.Swap(nil); running != nil {
		running.Shutdown()
		running.WaitForShutdown()
	}
}

// words are what a server logs. Of an error only is known that there was one;
// of why it gave up, everything; the rest goes nowhere.
type words struct {
	fatal   atomic.Pointer[string]
	trouble chan struct{}
}

// Fatalf and the others are what server.Logger asks for.
func (w *words) Fatalf(format string, v ...any) {
	reason := fmt.Sprintf(format, v...)
	w.fatal.Store(&reason)
}

// Errorf may be called with the server's locks held: it only leaves a token.
func (w *words) Errorf(string, ...any) {
	select {
	case w.trouble <- struct{}{}:
	default:
	}
}

func (*words) Warnf(string, ...any)   {}
func (*words) Noticef(string, ...any) {}
func (*words) Debugf(string, ...any)  {}
func (*words) Tracef(string, ...any)  {}
