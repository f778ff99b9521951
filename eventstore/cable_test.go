package eventstore_test

import (
	"net"
	"net/url"
	"sync"
	"testing"

	"roznamcha/eventstore/embedded"
)

// cable is a way to a server that a test can damage.
type cable struct {
	listener net.Listener
	server   string

	mu sync.Mutex
	// unplugged refuses every connection; moved is told when held has changed.
	unplugged, held bool
	moved           *sync.Cond
	wires           []*wire
	// told is told of everything that is lost, in the order of the wire; nil for
	// nobody. It is set before the first loss.
	told func(lost []byte)
}

// wire is one connection through a cable: near is the client's end.
type wire struct {
	near, far net.Conn
	// mute loses what the server says, deaf what is said to it. Both belong to
	// the cable's mutex.
	mute, deaf bool
}

// newCable is a cable to s, and its URL.
func newCable(t testing.TB, s *embedded.Server) (c *cable, address string) {
	t.Helper()
	return newCableTo(t, s.URL())
}

// newCableTo is a cable to the server at a URL, and its own URL.
func newCableTo(t testing.TB, server string) (c *cable, address string) {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c = &cable{listener: listener, server: u.Host}
	c.moved = sync.NewCond(&c.mu)
	go c.run()
	t.Cleanup(func() { _ = listener.Close(); c.mend(); c.cut() })
	u.Host = listener.Addr().String()
	return c, u.String()
}

func (c *cable) run() {
	for {
		near, err := c.listener.Accept()
		if err != nil {
			return
		}
		if far := c.reach(); far != nil {
			c.lay(&wire{near: near, far: far})
			continue
		}
		_ = near.Close()
	}
}

// reach is a connection to the server, nil where there is none now.
func (c *cable) reach() net.Conn {
	c.mu.Lock()
	unplugged := c.unplugged
	c.mu.Unlock()
	if unplugged {
		return nil
	}
	far, err := net.Dial("tcp", c.server)
	if err != nil {
		return nil
	}
	return far
}

func (c *cable) lay(w *wire) {
	c.mu.Lock()
	c.wires = append(c.wires, w)
	c.mu.Unlock()
	go c.carry(w.far, w.near, &w.deaf)
	go c.carry(w.near, w.far, &w.mute)
}

// carry carries what from says to to, unless that is lost.
func (c *cable) carry(to, from net.Conn, lost *bool) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		c.mu.Lock()
		for c.held {
			c.moved.Wait()
		}
		skip := *lost
		c.mu.Unlock()
		if skip {
			if c.told != nil {
				c.told(buf[:n])
			}
			continue
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// silence lets nothing more come back through the connections that there are.
func (c *cable) silence() { c.lose(true, false) }

// lose loses from now on, without a word, what the server says (back) or what
// is said to it (forth) on the connections that there are. New ones are whole.
func (c *cable) lose(back, forth bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.wires {
		w.mute, w.deaf = w.mute || back, w.deaf || forth
	}
}

// hold lets nothing through in either direction until mend; then it all comes.
func (c *cable) hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = true
}

// cut cuts every connection; a new one is whole again.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.wires {
		_, _ = w.near.Close(), w.far.Close()
	}
	c.wires = nil
}

// unplug cuts every connection and refuses new ones until mend.
func (c *cable) unplug() {
	c.mu.Lock()
	c.unplugged = true
	c.mu.Unlock()
	c.cut()
}

// mend ends hold and unplug.
func (c *cable) mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unplugged, c.held = false, false
	c.moved.Broadcast()
}
