package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"roznamcha/eventstore"
)

// natsServerEnv names, in a child process, the configuration file of the NATS
// server that it is to be.
const natsServerEnv = "ROZNAMCHA_TEST_NATS_SERVER"

// init makes a child process a NATS server, and nothing else.
func init() {
	if config := os.Getenv(natsServerEnv); config != "" {
		fmt.Fprintln(os.Stderr, runNATSServer(config))
		os.Exit(1)
	}
}

// runNATSServer is nats-server -c config, until it is killed or whoever started
// it ends.
func runNATSServer(config string) error {
	opts, err := server.ProcessConfigFile(config)
	if err != nil {
		return err
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return err
	}
	s.ConfigureLogger()
	s.Start()
	_, err = os.Stdin.Read(make([]byte, 1)) // ends with the parent
	return errors.Join(errors.New("the test has ended"), err)
}

// natsServer is a NATS server in a process of its own, with a store of its own,
// which is fsynced on every write.
type natsServer struct {
	t      testing.TB
	name   string
	dir    string // its store, its configuration and its log
	client string // host and port
	route  string // of its cluster; "" for one alone
	cmd    *exec.Cmd
}

// newNATSServer makes one that does not run yet.
func newNATSServer(t testing.TB, name string) *natsServer {
	return &natsServer{t: t, name: name, dir: t.TempDir(), client: freeAddress(t)}
}

// freeAddress is a port on this machine that nobody listens on now.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *natsServer) url() string { return "nats://" + s.client }

// configure writes the configuration file, for a cluster of all that have a
// route.
func (s *natsServer) configure(cluster ...*natsServer) {
	s.t.Helper()
	text := fmt.Sprintf("listen: %q\nserver_name: %q\nlog_file: %q\njetstream {\n  store_dir: %q\n  sync_interval: always\n}\n",
		s.client, s.name, filepath.Join(s.dir, "log"), s.dir)
	if len(cluster) > 0 {
		var routes strings.Builder
		for _, other := range cluster {
			fmt.Fprintf(&routes, "    %q\n", "nats://"+other.route)
		}
		text += fmt.Sprintf("cluster {\n  name: test\n  listen: %q\n  routes: [\n%s  ]\n}\n", s.route, &routes)
	}
	if err := os.WriteFile(s.configFile(), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *natsServer) configFile() string { return filepath.Join(s.dir, "nats.conf") }

// start starts the process, and does not wait for it to be ready.
func (s *natsServer) start() {
	s.t.Helper()
	s.cmd = exec.Command(os.Args[0])
	s.cmd.Env = append(os.Environ(), natsServerEnv+"="+s.configFile())
	s.cmd.Stderr = os.Stderr
	if _, err := s.cmd.StdinPipe(); err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	cmd := s.cmd
	s.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}

// kill ends it with SIGKILL.
func (s *natsServer) kill() {
	s.t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		s.t.Fatal(err)
	}
	_ = s.cmd.Wait()
}

// pause stops the process in its tracks: its connections stay and it says
// nothing, as a machine does that hangs. resume lets it go on.
func (s *natsServer) pause()  { s.signal(syscall.SIGSTOP) }
func (s *natsServer) resume() { s.signal(syscall.SIGCONT) }

func (s *natsServer) signal(sig os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// ready waits until JetStream answers.
func (s *natsServer) ready() {
	s.t.Helper()
	nc := connectTo(s.t, s.url())
	defer nc.Close()
	settles(s.t, s.name+" is ready", func(ctx context.Context) error {
		_, err := nc.RequestWithContext(ctx, "$JS.API.INFO", nil)
		return err
	})
}

// connectTo connects to a server that may only be starting.
func connectTo(t testing.TB, url string, opts ...nats.Option) *nats.Conn {
	t.Helper()
	nc, err := eventstore.Connect(url, append(opts, nats.RetryOnFailedConnect(true))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// settles tries until there is no error.
func settles(t testing.TB, what string, try func(ctx context.Context) error) {
	t.Helper()
	var err error
	for began := time.Now(); time.Since(began) < patience; time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		err = try(ctx)
		cancel()
		if err == nil {
			return
		}
	}
	t.Fatalf("%s: not within %v: %v", what, patience, err)
}

// ledgerOf opens the ledger of a server that may only be starting.
func ledgerOf(t testing.TB, nc *nats.Conn) (l *eventstore.Ledger) {
	t.Helper()
	settles(t, "the ledger", func(ctx context.Context) (err error) {
		l, err = eventstore.Open(ctx, nc)
		return err
	})
	return l
}
