package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rogpeppe/go-internal/testscript"

	"roznamcha/eventstore"
	"roznamcha/eventstore/embedded"
)

// TestMain lets the test binary be the program too: a script that runs
// roznamcha starts a process of its own. With the race detector each of them
// would sleep for a second before it ends.
func TestMain(m *testing.M) {
	os.Setenv("GORACE", noSleep)
	testscript.Main(m, map[string]func(){"roznamcha": main})
}

const noSleep = "atexit_sleep_ms=0"

// patience is how long a script waits for a condition before it fails.
const patience = 2 * time.Minute

// TestScripts drives the program as a person would; testdata/script/*.txtar.
// Besides testscript's own commands, scripts have those of scriptCommands.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                scriptCommands,
		Setup: func(env *testscript.Env) error {
			// What the program looks for outside its directory is not there.
			env.Setenv("GORACE", noSleep)
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_CONFIG_HOME", env.WorkDir+"/config")
			env.Setenv("ROZNAMCHA_DIR", env.WorkDir+"/data")
			env.Values[servers{}] = &servers{}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root":
				return os.Geteuid() == 0, nil
			case "ci":
				return os.Getenv("CI") == "true", nil
			}
			return false, errors.New("unknown condition")
		},
	})
}

var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"exits":   exits,
	"until":   until,
	"server":  natsServer,
	"valid":   validJSON,
	"fill":    fill,
	"capture": capture,
	"publish": publish,
	"hold":    hold,
	"rows":    rows,
	"restart": restart,
	"vanish":  vanish,
	"empty":   empty,
	"kept":    kept,
}

// exits N PROGRAM ARGS… runs a program that must end with exit code N.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code program [args…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := exitCode(ts.Exec(args[1], args[2:]...))
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

// until REGEXP PROGRAM ARGS… runs a program again and again until its standard
// output matches.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until regexp program [args…]")
	}
	want := regexp.MustCompile(`(?m)` + args[0])
	pause := 10 * time.Millisecond // grows, for every try is in the log
	for deadline := time.Now().Add(patience); ; time.Sleep(pause) {
		pause = min(pause*3/2, 500*time.Millisecond)
		_ = ts.Exec(args[1], args[2:]...)
		if want.MatchString(ts.ReadFile("stdout")) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s: standard output never matched %q", strings.Join(args[1:], " "), args[0])
		}
	}
}

// server [SUBJECT…] starts a NATS server with JetStream for the rest of the
// script and puts its address into $NATS. Given subjects, it has a stream of
// that name on them that is not ledger-safe.
func natsServer(ts *testscript.TestScript, neg bool, args []string) {
	url := startServer(ts, -1)
	ts.Setenv("NATS", url)
	if len(args) == 0 {
		return
	}
	js, done := jetStream(ts, url)
	defer done()
	_, err := js.CreateStream(context.Background(), jetstream.StreamConfig{Name: args[0], Subjects: args[1:]})
	ts.Check(err)
}

// servers is what a script has running.
type servers struct{ running *server.Server }

// startServer starts the script's NATS server on port, -1 for any.
func startServer(ts *testscript.TestScript, port int) (url string) {
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: ts.MkAbs("nats-server"), NoSigs: true, NoLog: true,
	})
	ts.Check(err)
	s.Start()
	ts.Defer(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(patience) {
		ts.Fatalf("the NATS server does not start")
	}
	ts.Value(servers{}).(*servers).running = s
	return s.ClientURL()
}

// jetStream connects to the server at url.
func jetStream(ts *testscript.TestScript, url string) (js jetstream.JetStream, done func()) {
	nc, err := nats.Connect(url)
	ts.Check(err)
	js, err = jetstream.New(nc)
	ts.Check(err)
	return js, nc.Close
}

// restart ends the server of the script, and starts it again at the same
// address.
func restart(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: restart")
	}
	s := ts.Value(servers{}).(*servers).running
	port := s.Addr().(*net.TCPAddr).Port
	s.Shutdown()
	s.WaitForShutdown()
	startServer(ts, port)
}

// vanish deletes the ledger's stream from the server of the script.
func vanish(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: vanish")
	}
	js, done := jetStream(ts, ts.Getenv("NATS"))
	defer done()
	ts.Check(js.DeleteStream(context.Background(), eventstore.StreamName))
}

// valid FILE [lines] checks that a file, or stdout, is one JSON value, or one
// on every line.
func validJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: valid file [lines]")
	}
	texts := []string{ts.ReadFile(args[0])}
	if len(args) > 1 {
		texts = strings.Split(strings.TrimSuffix(texts[0], "\n"), "\n")
	}
	for _, text := range texts {
		if !json.Valid([]byte(text)) {
			ts.Fatalf("not JSON: %.500s", text)
		}
	}
}

// fill FILE PREFIX N SUFFIX writes a file of PREFIX, N times the letter x, and
// SUFFIX.
func fill(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: fill file prefix n suffix")
	}
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(args[1]+strings.Repeat("x", n)+args[3]+"\n"), 0o666))
}

// capture NAME REGEXP puts what the first group of REGEXP matches in the last
// standard output into $NAME.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture name regexp")
	}
	m := regexp.MustCompile(`(?m)` + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(m) != 2 {
		ts.Fatalf("standard output does not match %q", args[1])
	}
	ts.Setenv(args[0], m[1])
}

// publish SUBJECT FILE publishes what a file holds to the server that a
// running serve offers on $ROZNAMCHA_DIR, as a client of NATS would.
func publish(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: publish subject file")
	}
	ts.Check(publishIn(ts.Getenv("ROZNAMCHA_DIR"), args[0], strings.TrimSpace(ts.ReadFile(args[1]))))
}

// publishIn publishes to the server that is served in a data directory.
func publishIn(dir, subject, payload string) error {
	nc, err := embedded.Dial(dir)
	if err != nil {
		return err
	}
	defer nc.Close()
	return errors.Join(nc.Publish(subject, []byte(payload)), nc.Flush())
}

// empty DIR checks that there is nothing in a directory.
func empty(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: empty dir")
	}
	left, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(left) > 0 {
		ts.Fatalf("%s has %v", args[0], left)
	}
}

// hold DIR DURATION has the data directory for so long, as another command
// would that does not serve, or until the script ends.
func hold(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: hold dir duration")
	}
	long, err := time.ParseDuration(args[1])
	ts.Check(err)
	s, err := embedded.Start(ts.MkAbs(args[0]), embedded.Options{})
	ts.Check(err)
	release := sync.OnceFunc(func() {
		if err := s.Close(); err != nil {
			ts.Logf("release %s: %v", args[0], err)
		}
	})
	time.AfterFunc(long, release)
	ts.Defer(release)
}

// rows FILE N writes a CSV file that the preset us-ice-arrests reads.
func rows(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: rows file n")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	var b strings.Builder
	b.WriteString("row_id,fiscal_year,aor,apprehension_date,apprehension_method,landmark,operation,processing_disposition,citizenship,gender\n")
	for i := range n {
		fmt.Fprintf(&b, "2016-%06d,2016,Dallas Area of Responsibility,2016-%02d-%02d,Other,,,Other,MEXICO,Male\n", i, i%9+1, i%28+1)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o666))
}
