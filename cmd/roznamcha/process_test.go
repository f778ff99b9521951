package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go"

	"roznamcha/eventstore/embedded"
)

// process is a command that runs beside the test, until it is killed or
// interrupted.
type process struct {
	*exec.Cmd
	t              *testing.T
	stdout, stderr *lockedBuffer
}

// start starts a command, which ends with the test at the latest.
func (p inDir) start(args ...string) *process {
	p.t.Helper()
	s := &process{t: p.t}
	s.Cmd, s.stdout, s.stderr = p.commandUntil(p.t.Context(), args...)
	if err := s.Start(); err != nil {
		p.t.Fatal(err)
	}
	return s
}

// kill kills it. One that has ended by itself is a failure.
func (p *process) kill() {
	p.t.Helper()
	_ = p.Process.Kill()
	var exit *exec.ExitError
	if err := p.Wait(); !errors.As(err, &exit) || exit.Exited() {
		p.t.Fatalf("%v ended by itself: %v\n%s", p.Args, err, p.stderr)
	}
}

// interrupt ends it as a person does, which is how it should end.
func (p *process) interrupt() {
	p.t.Helper()
	_ = p.Process.Signal(syscall.SIGINT)
	if code := exitCode(p.Wait()); code != 0 {
		p.t.Errorf("%v, interrupted: exit code %d\n%s", p.Args, code, p.stderr)
	}
}

// serve starts a serve whose last totals are asked for.
func (p inDir) serve() *process {
	p.t.Helper()
	return p.start("serve", "raids", "--json")
}

// dial connects to the server that a serve offers, as soon as one does.
func (p inDir) dial() (nc *nats.Conn) {
	p.t.Helper()
	waitUntil(p.t, "serve", func() bool {
		var err error
		nc, err = embedded.Dial(p.dir)
		return err == nil
	})
	return nc
}

// liveJSON is what serve --json prints.
type liveJSON struct {
	Table struct {
		Citation struct {
			Entry int
			State string
		}
	}
}

// last is what a serve printed last.
func (p *process) last() (live liveJSON) {
	printed := strings.TrimSpace(p.stdout.String())
	_ = json.Unmarshal([]byte(printed[strings.LastIndex(printed, "\n")+1:]), &live) // or it is half written
	return live
}

// lockedBuffer takes what a process writes while the test looks at it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lockedBuffer) Len() int { return len(l.String()) }
