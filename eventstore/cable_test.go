package eventstore_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"roznamcha/eventstore/embedded"
)

// cable is a connection to a server that a test can cut, or let nothing come
// back through.
type cable struct {
	listener net.Listener
	server   string

	mu    sync.Mutex
	mute  bool
	conns []net.Conn
}

// newCable is a cable to s, and its URL.
func newCable(t testing.TB, s *embedded.Server) (c *cable, address string) {
	t.Helper()
	u, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c = &cable{listener: listener, server: u.Host}
	go c.run()
	t.Cleanup(func() { _ = listener.Close(); c.cut() })
	u.Host = listener.Addr().String()
	return c, u.String()
}

func (c *cable) run() {
	for {
		near, err := c.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", c.server)
		if err != nil {
			_ = near.Close()
			continue
		}
		c.mu.Lock()
		c.conns = append(c.conns, near, far)
		c.mu.Unlock()
		go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
		go c.back(near, far)
	}
}

// back carries what the server says, unless the cable is mute.
func (c *cable) back(near, far net.Conn) {
	defer near.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := far.Read(buf)
		if err != nil {
			return
		}
		c.mu.Lock()
		mute := c.mute
		c.mu.Unlock()
		if mute {
			continue
		}
		if _, err := near.Write(buf[:n]); err != nil {
			return
		}
	}
}

// silence lets nothing come back from now on.
func (c *cable) silence() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mute = true
}

// cut cuts every connection; a new one is whole again.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mute = false
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}
