package embedded_test

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"roznamcha/eventstore/embedded"
)

// addressFile is where dir keeps the address of its server.
func addressFile(dir string) string { return filepath.Join(dir, "address") }

// servedAt is the URL at which dir is served, once.
func servedAt(t testing.TB, dir string) *url.URL {
	t.Helper()
	s := start(t, dir, embedded.Options{Serving: true})
	at, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return at
}

func modeOf(t testing.TB, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

// TestTheURLStays: who serves a directory again is found where it was found
// before, by what was known before; what does not serve in between lets nobody in
// by that.
func TestTheURLStays(t *testing.T) {
	dir := t.TempDir()
	first := servedAt(t, dir)
	for range 3 {
		between := start(t, dir, embedded.Options{})
		own, err := url.Parse(between.URL())
		if err != nil {
			t.Fatal(err)
		}
		own.User = first.User
		if nc, err := nats.Connect(own.String()); err == nil {
			nc.Close()
			t.Error("what does not serve lets in who knows the token of what does")
		}
		if err := between.Close(); err != nil {
			t.Fatal(err)
		}
		if at := servedAt(t, dir); at.String() != first.String() {
			t.Errorf("served at %s, then at %s", first, at)
		}
	}
	if mode := modeOf(t, addressFile(dir)); mode != 0o600 {
		t.Errorf("mode %v, want 0600", mode)
	}
}

// TestThePortIsTaken: the token stays, and so does the port that it has then.
func TestThePortIsTaken(t *testing.T) {
	dir := t.TempDir()
	first := servedAt(t, dir)
	taken, err := net.Listen("tcp", first.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	second := servedAt(t, dir)
	if second.Host == first.Host || *second.User != *first.User {
		t.Errorf("served at %s, then at %s, want another port and the same token", first, second)
	}
	_ = taken.Close()
	if third := servedAt(t, dir); third.Host != second.Host || *third.User != *first.User {
		t.Errorf("served at %s, then at %s", second, third)
	}
	var port int
	_, _ = fmt.Sscan(first.Port(), &port)
	s := start(t, dir, embedded.Options{Serving: true, Port: port}) // as is asked for
	_ = s.Close()
	if s.URL() != first.String() {
		t.Errorf("served at %s, want %s", s.URL(), first)
	}
	if at := servedAt(t, dir); at.Host != first.Host {
		t.Errorf("served at %s, want the port of the last time", at)
	}
}

// TestANewToken: who deletes the file has a new token from the next start on;
// what runs meanwhile goes on.
func TestANewToken(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, embedded.Options{Serving: true})
	if err := os.Remove(addressFile(dir)); err != nil {
		t.Fatal(err)
	}
	nc, err := embedded.Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	ledger(t, nc)
	nc.Close()
	was, _ := url.Parse(s.URL())
	_ = s.Close()
	if at := servedAt(t, dir); *at.User == *was.User {
		t.Error("the token is the old one")
	}
}

// TestACopyHasItsOwnAddress: who records in a directory is never let in at a copy
// of it, not even while only the copy is served.
func TestACopyHasItsOwnAddress(t *testing.T) {
	dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	first := servedAt(t, dir)
	if err := os.CopyFS(elsewhere, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	second := servedAt(t, elsewhere)
	if *second.User == *first.User {
		t.Errorf("served at %s, its copy at %s", first, second)
	}
	if at := servedAt(t, elsewhere); at.String() != second.String() {
		t.Errorf("the copy is served at %s, then at %s", second, at)
	}
	link := filepath.Join(t.TempDir(), "link") // this is no copy
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, same := range []string{dir, link} {
		if at := servedAt(t, same); at.String() != first.String() {
			t.Errorf("served at %s, then at %s", first, at)
		}
	}
}

// TestADamagedAddress is refused, and left as it is, rather than that those who
// know the token are shut out without a word; who does not serve needs none.
func TestADamagedAddress(t *testing.T) {
	dir := t.TempDir()
	first := servedAt(t, dir)
	whole, err := os.ReadFile(addressFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	token := first.User.Username()
	for _, damaged := range []string{
		"", "\n", "null", string(whole[:len(whole)/2]), strings.Repeat("\x00", len(whole)),
		strings.Replace(string(whole), token, "", 1),
		strings.Replace(string(whole), token, token[:10], 1),
		strings.Replace(string(whole), token, token+"@", 1),
		strings.Replace(string(whole), `"port":`, `"port":1`+strings.Repeat("0", 5), 1),
		strings.Replace(string(whole), `"port":`, `"port":-`, 1),
	} {
		if err := os.WriteFile(addressFile(dir), []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := embedded.Start(dir, embedded.Options{Serving: true})
		if err == nil || !strings.Contains(err.Error(), addressFile(dir)+" is damaged") || !strings.Contains(err.Error(), "Try: ") || strings.Contains(err.Error(), token) {
			t.Errorf("%q: %v; want the file, what to try, and no token", damaged, err)
		}
		if err := start(t, dir, embedded.Options{}).Close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadFile(addressFile(dir)); err != nil || string(left) != damaged {
			t.Errorf("%q: %q was left, %v", damaged, left, err)
		}
	}
	if err := os.WriteFile(addressFile(dir), whole, 0o666); err != nil { // restored
		t.Fatal(err)
	}
	if at := servedAt(t, dir); at.String() != first.String() {
		t.Errorf("served at %s, want %s", at, first)
	}
}

// TestOthersMayReadTheToken: from the next start on they may not.
func TestOthersMayReadTheToken(t *testing.T) {
	dir := t.TempDir()
	servedAt(t, dir)
	if err := os.Chmod(addressFile(dir), 0o644); err != nil {
		t.Fatal(err)
	}
	servedAt(t, dir)
	if mode := modeOf(t, addressFile(dir)); mode != 0o600 {
		t.Errorf("mode %v, want 0600", mode)
	}
}
