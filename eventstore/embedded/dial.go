package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/nats-io/nats.go"

	"roznamcha/eventstore"
)

// ErrNotServing: no running program serves the data directory.
var ErrNotServing = errors.New("no running program serves this data directory")

// dialTimeout is how long a server that should be there may refuse: its address
// in the lock file may be left of a killed program.
const dialTimeout = 5 * time.Second

// Dial connects to the server that a running program serves in dir, waiting for
// one that is just starting. ErrNotServing where there is none, *InUseError
// where a program has dir that does not serve. When the serving program is
// restarted the connection finds it again, wherever it listens then.
func Dial(dir string) (*nats.Conn, error) {
	for began := time.Now(); ; time.Sleep(retry) {
		has := readHolder(dir)
		locked, err := held(dir)
		switch waited := time.Since(began); {
		case err != nil:
			return nil, err
		case !locked:
			return nil, fmt.Errorf("connect to the server in %s: %w. Try: roznamcha serve --dir %s", dir, ErrNotServing, dir)
		case waited > grace && has.PID != 0 && !has.Serving, waited > readyTimeout:
			return nil, &InUseError{dir, has.PID, has.Serving}
		case has.Serving && has.URL != "":
			nc, err := connect(dir, has)
			if err == nil || waited > dialTimeout {
				return nc, err
			}
		}
	}
}

// Attach connects to the server of dir: the one that a running program serves
// there (then server is nil), or one that it starts after waiting up to
// opts.Wait for programs that do not serve; that one is the caller's to close,
// and closes the connection.
func Attach(ctx context.Context, dir string, opts Options) (nc *nats.Conn, server *Server, err error) {
	for {
		var used *InUseError
		nc, err = Dial(dir)
		if err == nil || !errors.Is(err, ErrNotServing) && !errors.As(err, &used) {
			return nc, nil, err
		}
		server, err = Start(dir, opts)
		if err == nil {
			if nc, err = server.Connect(); err != nil {
				return nil, nil, errors.Join(err, server.Close())
			}
			return nc, server, nil
		}
		if !errors.As(err, &used) || !used.Serving {
			return nil, nil, err
		}
		if ctx.Err() != nil { // one serves since we dialled: dial again
			return nil, nil, ctx.Err()
		}
	}
}

// connect connects to the server of has, and on a reconnect to whatever server
// is then served in dir.
func connect(dir string, has holder) (*nats.Conn, error) {
	nc, err := nats.Connect(has.URL, append(eventstore.ConnectOptions(),
		nats.SetCustomDialer(served{dir}),
		nats.TokenHandler(func() string { return readHolder(dir).Token }),
		nats.IgnoreAuthErrorAbort(), // at the port of a killed program there may be another's server
	)...)
	if err != nil {
		return nil, eventstore.ConnectError(has.URL, err)
	}
	return nc, nil
}

// served dials the server that dir is served by now.
type served struct{ dir string }

// Dial is called by nats.go, with the address that it knows.
func (s served) Dial(network, _ string) (net.Conn, error) {
	has := readHolder(s.dir)
	u, err := url.Parse(has.URL)
	if err != nil || u.Host == "" || !has.Serving {
		return nil, fmt.Errorf("%s: %w", s.dir, ErrNotServing)
	}
	return net.DialTimeout(network, u.Host, 2*time.Second)
}
