package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"roznamcha/eventstore/embedded"
)

// openTerminal makes a pseudo-terminal of so many columns: what is written to
// the terminal end, as by a program on a screen, is read from the other.
func openTerminal(t *testing.T, columns int) (screen, terminal *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	t.Cleanup(func() { screen.Close() })
	fd := int(screen.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	t.Cleanup(func() { terminal.Close() })
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: uint16(columns)}); err != nil {
		t.Fatal(err)
	}
	return screen, terminal
}

// TestServeOnATerminal: the table is drawn over the one before, and standard
// error tells where the server is.
func TestServeOnATerminal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	roznamcha := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("roznamcha", append(args, "--dir", dir)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	roznamcha("open", "--name", "karachi", "--country", "PK", "--zone", "Asia/Karachi")
	screen, terminal := openTerminal(t, 100)
	var shown lockedBuffer
	go func() { _, _ = io.Copy(&shown, screen) }() // ends with the terminal

	serve := exec.Command("roznamcha", "serve", "raids", "--by", "city", "--dir", dir)
	serve.Stdout, serve.Stderr = terminal, terminal
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "first table", func() bool { return strings.Contains(shown.String(), "0 exceptions\r\n") })
	first := shown.String()
	for _, want := range []string{"record: nats --server ", "as known at entry 1\r\n", "total      0\r\n"} {
		if !strings.Contains(first, want) {
			t.Errorf("the screen has no %q:\n%s", want, first)
		}
	}
	if strings.Contains(first, "\x1b[") {
		t.Errorf("the first table is drawn over something: %q", first)
	}
	roznamcha("record", "raid.conducted", "--source", "/nccia/karachi", "--subject", "7", "--occurred", "2025", "--set", "premises=other", "--set", "place.city=Karachi")
	waitUntil(t, "second table", func() bool { return strings.Contains(shown.String(), "Karachi      1\r\n") })
	if second := strings.TrimPrefix(shown.String(), first); !strings.HasPrefix(second, "\x1b[5A\x1b[J"+"occurred at any time") {
		t.Errorf("the second table is not drawn over the five lines of the first: %q", second)
	}
	// What is said beside them is not drawn over.
	nc, err := embedded.Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, err := nc.Request("record.nccia.karachi", []byte("junk"), patience); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "refusal", func() bool { return strings.Contains(shown.String(), "refused or unanswered: 1 malformed") })
	refused := shown.String()
	roznamcha("record", "raid.conducted", "--source", "/nccia/karachi", "--subject", "8", "--occurred", "2025", "--set", "premises=other", "--set", "place.city=Karachi")
	waitUntil(t, "third table", func() bool { return strings.Contains(shown.String(), "Karachi      2\r\n") })
	if third := strings.TrimPrefix(shown.String(), refused); strings.Contains(third, "\x1b[") {
		t.Errorf("the third table is drawn over what was said: %q", third)
	}
	if err := serve.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := serve.Wait(); err != nil {
		t.Errorf("interrupted: %v", err)
	}
}

// TestNotesOnATerminal: what is no part of the answer goes to standard error,
// and only where a person sits there.
func TestNotesOnATerminal(t *testing.T) {
	screen, terminal := openTerminal(t, 100)
	var shown lockedBuffer
	go func() { _, _ = io.Copy(&shown, screen) }() // ends with the terminal
	dir := filepath.Join(t.TempDir(), "data")
	if out, err := exec.Command("roznamcha", "demo", "--dir", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	totals := exec.Command("roznamcha", "totals", "raids", "--csv", "--dir", dir)
	totals.Stderr = terminal
	out, err := totals.Output()
	if err != nil || string(out) != "kind,raids\ntotal,63\n" {
		t.Errorf("standard output is %q, %v", out, err)
	}
	waitUntil(t, "note", func() bool { return strings.Contains(shown.String(), "138 events replayed in ") })
}

func TestRowsOf(t *testing.T) {
	for _, c := range []struct {
		shown string
		width int
		want  int
	}{
		{"a\nb\n", 0, 2}, {"1234\n", 4, 1}, {"12345\n", 4, 2}, {"123456789\nx\n", 4, 4}, {"≥≥≥≥\n", 4, 1}, {"", 4, 0},
	} {
		if got := rowsOf(c.shown, c.width); got != c.want {
			t.Errorf("rowsOf(%q, %d) = %d, want %d", c.shown, c.width, got, c.want)
		}
	}
}
