package embedded_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"roznamcha/eventstore"
	"roznamcha/eventstore/embedded"
)

const patience = 2 * time.Minute

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// TestMain runs the tests, or is the child process that a test has started from
// this same binary: it takes a directory and says so, until its standard input
// ends.
func TestMain(m *testing.M) {
	dir := os.Getenv("ROZNAMCHA_TEST_DIR")
	if dir == "" {
		os.Exit(m.Run())
	}
	s, err := embedded.Start(dir, embedded.Options{Serving: os.Getenv("ROZNAMCHA_TEST_SERVING") != ""})
	var used *embedded.InUseError
	switch {
	case errors.As(err, &used):
		fmt.Println("in use")
		os.Exit(0)
	case err != nil:
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := s.Close(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("closed")
	os.Exit(0)
}

// child is a process that has, or wants, a directory.
type child struct {
	*exec.Cmd
	in  io.Closer
	out *bufio.Scanner
}

func startChild(t testing.TB, dir string, serving bool) *child {
	t.Helper()
	c := &child{Cmd: exec.Command(os.Args[0])}
	c.Env = append(os.Environ(), "ROZNAMCHA_TEST_DIR="+dir)
	if serving {
		c.Env = append(c.Env, "ROZNAMCHA_TEST_SERVING=1")
	}
	in, err1 := c.StdinPipe()
	out, err2 := c.StdoutPipe()
	c.Stderr = os.Stderr
	if err := errors.Join(err1, err2, c.Start()); err != nil {
		t.Fatal(err)
	}
	c.in, c.out = in, bufio.NewScanner(out)
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	return c
}

// says is the next line that the child prints.
func (c *child) says() string {
	c.out.Scan()
	return c.out.Text()
}

func start(t testing.TB, dir string, opts embedded.Options) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func connect(t testing.TB, s *embedded.Server) *nats.Conn {
	t.Helper()
	nc, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	return nc
}

func ledger(t testing.TB, nc *nats.Conn) *eventstore.Ledger {
	t.Helper()
	l, err := eventstore.Create(soon(t), nc, 1)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func lockFile(t testing.TB, dir string) (text string, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(dir, "lock")
	b, err1 := os.ReadFile(path)
	info, err2 := os.Stat(path)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return string(b), info.Mode()
}

// TestCloseAndStartAgain: after Close the directory can be had at once, and
// everything is there.
func TestCloseAndStartAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "new", "directory")
	for round := range uint64(5) {
		s := start(t, dir, embedded.Options{})
		l := ledger(t, connect(t, s))
		if tail, err := l.Tail(soon(t)); tail != round || err != nil {
			t.Fatalf("round %d: tail %d, %v", round, tail, err)
		}
		if _, err := l.Append(soon(t), []byte("x")); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second does nothing
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Connect(); err == nil {
			t.Error("connected to a closed server")
		}
	}
	if text, _ := lockFile(t, dir); strings.TrimSpace(text) != "" {
		t.Errorf("lock file after Close: %s", text)
	}
}

func TestLockFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "lock"), []byte("left behind, and readable by all"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := start(t, dir, embedded.Options{Serving: true})
	text, mode := lockFile(t, dir)
	if mode != 0o600 {
		t.Errorf("mode %v, want 0600", mode)
	}
	var has struct {
		PID        int
		URL, Token string
		Serving    bool
	}
	if err := json.Unmarshal([]byte(text), &has); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(s.URL())
	if err != nil || has.PID != os.Getpid() || !has.Serving || has.URL != "nats://"+u.Host || len(has.Token) < 20 || u.User.Username() != has.Token {
		t.Errorf("lock file %s, URL %s", text, s.URL())
	}
	if u.Hostname() != "127.0.0.1" {
		t.Errorf("listens on %s", u.Host)
	}
}

// TestURL: the URL lets in, and without its token nobody comes in.
func TestURL(t *testing.T) {
	s := start(t, t.TempDir(), embedded.Options{})
	ledger(t, connect(t, s))
	nc, err := eventstore.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, err := eventstore.Open(soon(t), nc); err != nil {
		t.Error(err)
	}
	u, _ := url.Parse(s.URL())
	for _, secret := range []string{"", "wrong@"} {
		_, err := eventstore.Connect("nats://" + secret + u.Host)
		if !errors.Is(err, eventstore.ErrDenied) || !strings.Contains(err.Error(), "Try: ") || strings.Contains(err.Error(), "wrong") {
			t.Errorf("with %q: %v; want ErrDenied, what to try, and no secret", secret, err)
		}
	}
}

// TestSyncsAlways: the server that runs says so. What a cut of power does cannot
// be tested here.
func TestSyncsAlways(t *testing.T) {
	s := start(t, t.TempDir(), embedded.Options{})
	if !s.SyncsAlways() {
		t.Error("an acknowledged entry may not be on disk")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s.SyncsAlways() {
		t.Error("a server that does not run is said to sync")
	}
}

func TestPort(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir, embedded.Options{})
	u, _ := url.Parse(first.URL())
	var port int
	_, _ = fmt.Sscan(u.Port(), &port)
	_, err := embedded.Start(t.TempDir(), embedded.Options{Port: port})
	if err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a port that is taken: %v", err)
	}
	_ = first.Close()
	again := start(t, dir, embedded.Options{Port: port})
	if !strings.HasSuffix(again.URL(), u.Host) {
		t.Errorf("listens on %s, want port %d", again.URL(), port)
	}
}

// TestBadDirectories: each is refused with words to act on.
func TestBadDirectories(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	closed := filepath.Join(dir, "closed")
	if err := os.Mkdir(closed, 0o500); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ dir, want string }{
		{file, "is not a directory"}, {filepath.Join(file, "below"), "not a directory"},
		{closed, "permission denied"}, {filepath.Join(closed, "below"), "permission denied"},
	} {
		if os.Geteuid() == 0 && test.want == "permission denied" {
			t.Log("as root everything is permitted: not tested")
			continue
		}
		_, err := embedded.Start(test.dir, embedded.Options{})
		if err == nil || !strings.Contains(err.Error(), test.dir) || !strings.Contains(err.Error(), strings.TrimPrefix(test.want, "is ")) || !strings.Contains(err.Error(), "Try: ") {
			t.Errorf("%s: got %v; want the directory, %q and what to try", test.dir, err, test.want)
		}
	}
}

// TestNoRoom: below the reserve nothing is recorded, but what is there can be
// read, by a server that starts then too.
func TestNoRoom(t *testing.T) {
	dir := t.TempDir()
	free, err := embedded.Free(dir)
	if err != nil || embedded.Room(dir) != nil {
		t.Skip("there is no room here: ", err)
	}
	isFull := func(err error) bool {
		return errors.Is(err, eventstore.ErrDiskFull) && strings.Contains(err.Error(), dir) && strings.Contains(err.Error(), "MiB are free, ") &&
			strings.Contains(err.Error(), "MiB are kept in reserve") && strings.Contains(err.Error(), "Try: ")
	}
	s := start(t, dir, embedded.Options{Reserve: 2 * free})
	l := ledger(t, connect(t, s))
	if _, err := l.Append(soon(t), []byte("x")); err != nil {
		t.Fatal(err)
	}
	l.Guard(s.Room)
	if _, err := l.Append(soon(t), []byte("x")); !isFull(err) {
		t.Errorf("append: got %v, want ErrDiskFull, the directory, how much there is and is kept, and what to try", err)
	}
	if tail, err := l.Tail(soon(t)); tail != 1 || err != nil {
		t.Errorf("tail %d, %v; want 1", tail, err)
	}
	_ = s.Close()
	l = ledger(t, connect(t, start(t, dir, embedded.Options{})))
	l.Guard(func() error { return embedded.Room(dir) })
	if _, err := l.Append(soon(t), []byte("x")); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// TestDirectoryGone: where the data directory is not there any more nothing is
// recorded, and the answer says what is wrong.
func TestDirectoryGone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := start(t, dir, embedded.Options{})
	l := opened(t, connect(t, s))
	l.Guard(s.Room)
	r := recorder(t, l)
	if err := os.Rename(dir, dir+".gone"); err != nil {
		t.Fatal(err)
	}
	_, err := r.Record(soon(t), raid("karachi", 1))
	if got := eventstore.CodeOf(err); got != eventstore.Rejected || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "Try: stop this program") {
		t.Errorf("%s: %v; want rejected, that the directory is not there, and what to try", got, err)
	}
	if err := r.Err(); err != nil {
		t.Errorf("the recorder has ended: %v", err)
	}
}

// TestTwoStartsInOneProcess: the lock holds within a process too.
func TestTwoStartsInOneProcess(t *testing.T) {
	dir := t.TempDir()
	start(t, dir, embedded.Options{})
	_, err := embedded.Start(dir, embedded.Options{})
	var used *embedded.InUseError
	if !errors.As(err, &used) || used.PID != os.Getpid() || used.Serving {
		t.Errorf("got %v, want in use by this process", err)
	}
}

// TestOtherProcess: while another process has the directory nobody else does;
// who serves lets others in.
func TestOtherProcess(t *testing.T) {
	for _, serving := range []bool{false, true} {
		dir := t.TempDir()
		c := startChild(t, dir, serving)
		if got := c.says(); got != "ready" {
			t.Fatal(got)
		}
		_, err := embedded.Start(dir, embedded.Options{})
		var used *embedded.InUseError
		if !errors.As(err, &used) || used.PID != c.Process.Pid || used.Serving != serving || !strings.Contains(err.Error(), "Try: ") {
			t.Errorf("serving %v: Start: %v, want in use by process %d", serving, err, c.Process.Pid)
		}
		nc, err := embedded.Dial(dir)
		if serving {
			if err != nil {
				t.Fatal(err)
			}
			ledger(t, nc)
			nc.Close()
		} else if !errors.As(err, &used) || used.Serving {
			t.Errorf("Dial: %v, want in use by one that does not serve", err)
		}
		_ = c.in.Close()
		if got := c.says(); got != "closed" {
			t.Error(got)
		}
		if _, err := embedded.Dial(dir); !errors.Is(err, embedded.ErrNotServing) {
			t.Errorf("Dial after it ended: %v, want ErrNotServing", err)
		}
		_ = start(t, dir, embedded.Options{}).Close()
	}
}

func TestDialWithoutServer(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		if _, err := embedded.Dial(dir); !errors.Is(err, embedded.ErrNotServing) {
			t.Errorf("got %v, want ErrNotServing", err)
		}
	}
}

// TestKilled: what a killed program leaves behind is no obstacle, neither to
// who starts nor to who dials.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		c := startChild(t, dir, true)
		if got := c.says(); got != "ready" {
			t.Fatal(got)
		}
		nc, err := embedded.Dial(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ledger(t, nc).Append(soon(t), []byte("x")); err != nil {
			t.Fatal(err)
		}
		nc.Close()
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		if text, _ := lockFile(t, dir); text == "" {
			t.Fatal("the killed process left no lock file: this tests nothing")
		}
		if _, err := embedded.Dial(dir); !errors.Is(err, embedded.ErrNotServing) {
			t.Errorf("Dial: %v, want ErrNotServing", err)
		}
	}
	s := start(t, dir, embedded.Options{})
	if tail, err := ledger(t, connect(t, s)).Tail(soon(t)); tail != 3 || err != nil {
		t.Errorf("tail %d, %v; want 3", tail, err)
	}
}

// TestWait: a short command makes others wait for it.
func TestWait(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir, embedded.Options{})
	second := make(chan error)
	go func() {
		s, err := embedded.Start(dir, embedded.Options{Wait: patience})
		if err == nil {
			err = s.Close()
		}
		second <- err
	}()
	select {
	case err := <-second:
		t.Fatalf("did not wait: %v", err)
	case <-time.After(500 * time.Millisecond):
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-second; err != nil {
		t.Error(err)
	}
}

// TestRace: of many processes that want a directory at the same moment, at most
// one has it at any time; all others say in use.
func TestRace(t *testing.T) {
	dir := t.TempDir()
	var children []*child
	for range 6 {
		children = append(children, startChild(t, dir, false))
	}
	ready := 0
	for _, c := range children { // all live until the last has spoken
		switch got := c.says(); got {
		case "ready":
			ready++
		case "in use":
		default:
			t.Error(got)
		}
	}
	if ready != 1 {
		t.Errorf("%d processes have the directory, want 1", ready)
	}
}

// TestAttach: many commands at once, while a server comes and goes: each gets a
// connection that works, and no append is lost.
func TestAttach(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, embedded.Options{})
	ledger(t, connect(t, s))
	_ = s.Close()
	command := func() error {
		nc, server, err := embedded.Attach(soon(t), dir, embedded.Options{Wait: patience})
		if err != nil {
			return err
		}
		defer nc.Close()
		if server != nil {
			defer server.Close()
		}
		l, err := eventstore.Open(soon(t), nc)
		if err == nil {
			_, err = l.Append(soon(t), []byte("x"))
		}
		return err
	}
	run := func(n int) {
		var commands sync.WaitGroup
		for range n {
			commands.Go(func() {
				if err := command(); err != nil {
					t.Error(err)
				}
			})
		}
		commands.Wait()
	}
	run(5) // one after the other
	c := startChild(t, dir, true)
	if got := c.says(); got != "ready" {
		t.Fatal(got)
	}
	run(5) // together, at the serving process
	_ = c.in.Close()
	if got := c.says(); got != "closed" {
		t.Fatal(got)
	}
	run(5)
	s = start(t, dir, embedded.Options{})
	if tail, err := ledger(t, connect(t, s)).Tail(soon(t)); tail != 15 || err != nil {
		t.Errorf("tail %d, %v; want 15", tail, err)
	}
}

// TestDialedConnectionFindsTheNextServer: the serving program is restarted, at
// another address and with another token, as an operator wants it.
func TestDialedConnectionFindsTheNextServer(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, embedded.Options{Serving: true})
	nc, err := embedded.Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	ledger(t, nc)
	for range 3 {
		was := s.URL()
		again := nc.StatusChanged(nats.CONNECTED)
		if err := errors.Join(s.Close(), os.Remove(addressFile(dir))); err != nil {
			t.Fatal(err)
		}
		s = start(t, dir, embedded.Options{Serving: true})
		if s.URL() == was {
			t.Fatal("the same address and token: this tests nothing")
		}
		select {
		case <-again:
		case <-soon(t).Done():
			t.Fatal("not connected again")
		}
		nc.RemoveStatusListener(again)
		if _, err := eventstore.Open(soon(t), nc); err != nil {
			t.Error(err)
		}
	}
}
