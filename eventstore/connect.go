package eventstore

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// ConnectOptions are how this package wants a connection to behave; options
// that come after them win. It reconnects for ever, and what is published
// while it is cut fails at once rather than be sent later, when nobody waits
// for the answer. A server that hangs, or to which the way is cut without a
// word, is given up within six seconds, for another one of its cluster.
func ConnectOptions() []nats.Option {
	return []nats.Option{
		nats.Name("roznamcha"),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(100 * time.Millisecond),
		nats.ReconnectJitter(50*time.Millisecond, 50*time.Millisecond),
		nats.ReconnectBufSize(-1),
		nats.PingInterval(2 * time.Second),
		nats.MaxPingsOutstanding(2),
		// What goes wrong is told to who waits for it, not to standard error.
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}),
	}
}

// Connect connects to the server, or servers separated by commas, at urls.
func Connect(urls string, opts ...nats.Option) (*nats.Conn, error) {
	nc, err := nats.Connect(urls, append(ConnectOptions(), opts...)...)
	if err != nil {
		return nil, ConnectError(urls, err)
	}
	return nc, nil
}

// ConnectError translates what nats.Connect says about the server, named as
// the user named it, for those who make a connection of their own.
func ConnectError(server string, err error) error {
	op := "connect to " + WithoutSecret(server)
	var bad *url.Error
	if errors.As(err, &bad) {
		return fmt.Errorf("%s: that is no address of a server. Try: one like nats://127.0.0.1:4222", op)
	}
	e := fail(op, kindOf(err), err)
	if e.Kind == ErrUnavailable {
		e.Try = "start that server, check its address, or leave it out to use the ledger in the data directory"
	}
	return e
}

// WithoutSecret is a server's address without user, token and password.
func WithoutSecret(server string) string {
	if server == "" {
		return ""
	}
	scheme, rest, ok := strings.Cut(server, "://")
	if !ok {
		scheme, rest = "nats", server
	}
	return scheme + "://" + rest[strings.LastIndex(rest, "@")+1:]
}
