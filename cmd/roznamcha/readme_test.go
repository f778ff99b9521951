package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/eventstore/embedded"
	"roznamcha/projections/sink/postgrestest"
)

// TestReadme types every command of README.md's console blocks, in order, into
// a shell in a clean copy of the sources, and compares what it prints. In what
// the README prints, … stands for anything within a line, and a line that is
// only … for anything.
//
// Not typed are `go test`, which would not end (.ci/run has the same line), what
// needs the large file that is not part of the sources, and, where it is not
// installed and this is not CI, the nats command-line client.
func TestReadme(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program in a clean copy of the sources; left out of short runs")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	ci, err := os.ReadFile(filepath.Join(root, ".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	reader := newReadmeReader(t, root)
	for _, step := range readmeSteps(string(text)) {
		switch {
		case step.command == "go test ./...":
			if !bytes.Contains(ci, []byte("\n"+step.command+"\n")) {
				t.Errorf(".ci/run does not run %s", step.command)
			}
		case strings.Contains(step.command, "us_ice_arrests_fy2016_2019.csv.gz"):
			reader.typeIt(step.line, strings.Replace(step.command, "us_ice_arrests_fy2016_2019.csv.gz", "/dev/null", 1)+" || test $? = 1", nil)
		case strings.HasPrefix(step.command, "nats ") && !installed("nats") && os.Getenv("CI") != "true":
			t.Logf("README.md:%d: not typed, the nats command-line client is not installed; publishing the same without it", step.line)
			reader.publish(step)
			reader.settling = true
		case missing(step.command) != "" && os.Getenv("CI") != "true":
			t.Logf("README.md:%d: not typed, %s is not installed", step.line, missing(step.command))
		case strings.HasPrefix(step.command, "roznamcha serve"):
			reader.start(step, "roznamcha status --server")
			reader.settling = true
		case strings.HasPrefix(step.command, "roznamcha work"):
			reader.start(step, "roznamcha status | grep '^worker'")
			reader.settling = true
		default:
			reader.typeIt(step.line, step.command, step.prints)
			reader.settling = strings.HasPrefix(step.command, "nats ") && strings.Contains(step.command, " pub ")
		}
	}
	reader.stop()
}

// missing is what a command for a database needs and is not installed.
func missing(command string) string {
	program, _, _ := strings.Cut(command, " ")
	switch {
	case (program == "sqlite3" || program == "psql") && !installed(program):
		return program
	case strings.Contains(command, "$FACTS") && !postgrestest.Installed():
		return "PostgreSQL"
	}
	return ""
}

func installed(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// readmeStep is one command and what the README says it prints.
type readmeStep struct {
	line    int
	command string
	prints  []string
}

// readmeSteps are the commands of all console blocks: a line that begins with
// "$ ", and the next ones as long as it ends in a backslash.
func readmeSteps(text string) (steps []readmeStep) {
	inside, more := false, false
	for i, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			inside, more = line == "```console", false
		case !inside:
		case more:
			last := &steps[len(steps)-1]
			last.command += "\n" + line
			more = strings.HasSuffix(line, `\`)
		case strings.HasPrefix(line, "$ "):
			steps = append(steps, readmeStep{line: i + 1, command: line[2:]})
			more = strings.HasSuffix(line, `\`)
		default:
			last := &steps[len(steps)-1]
			last.prints = append(last.prints, line)
		}
	}
	return steps
}

// readmeReader is a person in a clean copy of the sources.
type readmeReader struct {
	t   *testing.T
	dir string
	env []string
	// running are the commands that do not end by themselves.
	running []*exec.Cmd
	// settling is set when what the next command prints may take a moment: the
	// last one began to serve, or published without waiting for an answer.
	settling bool
}

func newReadmeReader(t *testing.T, root string) *readmeReader {
	r := &readmeReader{t: t, dir: filepath.Join(t.TempDir(), "roznamcha")}
	copySources(t, root, r.dir)
	bin := filepath.Join(t.TempDir(), "bin")
	r.env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "ROZNAMCHA_") }),
		"GOBIN="+bin, "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "TMPDIR="+t.TempDir(), "GOFLAGS=-buildvcs=false", "PGOPTIONS=", "PSQLRC=/dev/null")
	if postgrestest.Installed() || os.Getenv("CI") == "true" {
		r.env = append(r.env, "FACTS="+postgrestest.Start(t).Database())
	}
	return r
}

// copySources copies what belongs to the project: the folders of its floors,
// and the files at the top.
func copySources(t *testing.T, root, to string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		top := strings.Split(filepath.ToSlash(rel), "/")[0]
		switch {
		case d.IsDir() && rel != "." && !slices.Contains(floors, top):
			return filepath.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o777)
		case !d.Type().IsRegular():
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o666)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (r *readmeReader) shell(command string) *exec.Cmd {
	cmd := exec.CommandContext(r.t.Context(), "bash", "-c", command)
	cmd.Dir, cmd.Env = r.dir, r.env
	return cmd
}

// typeIt runs one command, which must succeed and print that; prints may be
// nil for whatever it is.
func (r *readmeReader) typeIt(line int, command string, prints []string) {
	r.t.Helper()
	wrong := r.try(command, prints)
	for deadline := time.Now().Add(patience); r.settling && wrong != "" && time.Now().Before(deadline); {
		wrong = r.try(command, prints)
	}
	if wrong != "" {
		r.t.Errorf("README.md:%d: $ %s\n%s", line, command, wrong)
	}
}

// try says what is wrong with what a command does; "" where nothing is.
func (r *readmeReader) try(command string, prints []string) string {
	var out, errs bytes.Buffer
	cmd := r.shell(command)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return err.Error() + "\n" + errs.String()
	}
	if prints == nil {
		return ""
	}
	return compare(out.String(), prints)
}

// compare says in what a command's output is not as the README prints it.
func compare(out string, prints []string) string {
	var pattern strings.Builder
	for _, line := range prints {
		if line == "…" {
			pattern.WriteString(`(?s:.*)`)
			continue
		}
		parts := strings.Split(line, "…")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		pattern.WriteString(strings.Join(parts, ".*") + "\n")
	}
	ended := strings.TrimRight(out, "\n") + "\n" // the nats client leaves a blank line
	if regexp.MustCompile("^" + pattern.String() + "$").MatchString(ended) {
		return ""
	}
	return "prints:\n" + out + "and not, as there:\n" + strings.Join(prints, "\n")
}

// start runs a command that does not end, until stop, and waits until another
// one succeeds that tells that it is at work.
func (r *readmeReader) start(step readmeStep, works string) {
	r.t.Helper()
	cmd := r.shell("exec " + step.command)
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = cmd.Process.Kill() }) // it has ended by then
	r.running = append(r.running, cmd)
	waitUntil(r.t, step.command, func() bool { return r.shell(works).Run() == nil })
}

// publish does what a command of the nats client in the README does.
func (r *readmeReader) publish(step readmeStep) {
	r.t.Helper()
	if m := regexp.MustCompile(`kv get (\S+) (\S+) --raw$`).FindStringSubmatch(step.command); m != nil {
		r.keptValue(step, m[1], m[2])
		return
	}
	m := regexp.MustCompile(`(pub|request --raw) (\S+) '(.*)'$`).FindStringSubmatch(step.command)
	if m == nil {
		r.t.Fatalf("README.md:%d: no publishing: %s", step.line, step.command)
	}
	dir := filepath.Join(r.dir, "roznamcha-data")
	if m[1] == "pub" {
		if err := publishIn(dir, m[2], m[3]); err != nil {
			r.t.Error(err)
		}
		return
	}
	reply, err := requestIn(dir, m[2], m[3])
	if err != nil {
		r.t.Fatal(err)
	}
	if wrong := compare(reply+"\n", step.prints); wrong != "" {
		r.t.Errorf("README.md:%d: %s\n%s", step.line, step.command, wrong)
	}
}

// keptValue compares what is at a key of a bucket with what the README prints.
func (r *readmeReader) keptValue(step readmeStep, bucket, key string) {
	r.t.Helper()
	nc, err := embedded.Dial(filepath.Join(r.dir, "roznamcha-data"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		r.t.Fatal(err)
	}
	waitUntil(r.t, step.command, func() bool {
		kv, err := js.KeyValue(r.t.Context(), bucket)
		if err != nil {
			return false
		}
		e, err := kv.Get(r.t.Context(), key)
		return err == nil && compare(string(e.Value())+"\n", step.prints) == ""
	})
}

// requestIn asks the service of the server that is served in a data directory.
func requestIn(dir, subject, body string) (string, error) {
	nc, err := embedded.Dial(dir)
	if err != nil {
		return "", err
	}
	defer nc.Close()
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		reply, err := nc.Request(subject, []byte(body), patience)
		if err == nil {
			return string(reply.Data), nil
		}
		if !errors.Is(err, nats.ErrNoResponders) || time.Since(began) > patience {
			return "", err
		}
	}
}

// stop interrupts what serves, which must end well.
func (r *readmeReader) stop() {
	if len(r.running) == 0 {
		r.t.Error("README.md does not show how to serve")
	}
	for _, cmd := range slices.Backward(r.running) {
		if err := errors.Join(cmd.Process.Signal(syscall.SIGINT), cmd.Wait()); err != nil {
			r.t.Errorf("%s, interrupted: %v", cmd.Args, err)
		}
	}
}

// TestReadmeComparison holds the comparison itself.
func TestReadmeComparison(t *testing.T) {
	for _, c := range []struct {
		out, prints string
		same        bool
	}{
		{"a 1 b\nc\n", "a … b\nc", true},
		{"a 1 b\nc\n", "a … b", false},
		{"a 1 b\n", "a … b\nc", false},
		{"a\nx\ny\nb\n", "a\n…\nb", true},
		{"a (1.0)\n", "a (1.0)", true},
		{"a 1x0\n", "a 1.0", false},
	} {
		if got := compare(c.out, strings.Split(c.prints, "\n")) == ""; got != c.same {
			t.Errorf("%q as %q: %v, want %v", c.out, c.prints, got, c.same)
		}
	}
}
