package client_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"roznamcha/eventstore"
	"roznamcha/eventstore/client"
)

// mute is a NATS server on which somebody takes requests to record, and answers
// none.
type mute struct {
	*server.Server
	requests chan *nats.Msg
}

// newMute starts one with the users recorder (who may do everything), insider
// (record and hear the answer), deaf (only record) and outsider (only hear), whose
// passwords are their names.
func newMute(t *testing.T, maxPayload int32) *mute {
	t.Helper()
	user := func(name, publish, subscribe string) *server.User {
		return &server.User{Username: name, Password: name, Permissions: &server.Permissions{
			Publish:   &server.SubjectPermission{Allow: []string{publish}},
			Subscribe: &server.SubjectPermission{Allow: []string{subscribe}},
		}}
	}
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, MaxPayload: maxPayload,
		Users: []*server.User{
			user("recorder", ">", ">"), user("insider", "record.>", "_INBOX.>"),
			user("deaf", "record.>", "_INBOX_deaf.>"), user("outsider", "_", "_INBOX.>"),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server is not ready")
	}
	m := &mute{s, make(chan *nats.Msg, 1000)}
	nc := connectTo(t, s.ClientURL(), nats.UserInfo("recorder", "recorder"))
	if _, err := nc.ChanSubscribe("record.>", m.requests); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return m
}

func connectTo(t *testing.T, urls string, opts ...nats.Option) *nats.Conn {
	t.Helper()
	nc, err := eventstore.Connect(urls, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// TestWhatWasSentBeforeIsNotDenied: a connection loses its permission. Who was
// asked for before may be recorded; who comes afterwards is not.
func TestWhatWasSentBeforeIsNotDenied(t *testing.T) {
	for _, again := range []bool{true, false} { // whether the first is asked for again when it is denied
		m := newMute(t, 0)
		var mu sync.Mutex
		user := "insider"
		nc := connectTo(t, m.ClientURL(), nats.UserInfoHandler(func() (string, string) {
			mu.Lock()
			defer mu.Unlock()
			return user, user
		}))
		c := client.New(nc, karachi)
		client.SetPatience(c, time.Hour)
		first := make(chan error)
		go func() {
			_, err := c.Record(soon(t), []byte(raid(1)))
			first <- err
		}()
		<-m.requests
		mu.Lock()
		user = "outsider"
		mu.Unlock()
		if err := nc.ForceReconnect(); err != nil {
			t.Fatal(err)
		}
		for nc.Stats().Reconnects == 0 || !nc.IsConnected() {
			time.Sleep(time.Millisecond)
		}
		if !again {
			if _, err := c.Record(soon(t), []byte(raid(2))); !errors.Is(err, eventstore.ErrDenied) {
				t.Errorf("who comes afterwards: %v", err)
			}
		}
		if err := <-first; !errors.Is(err, eventstore.ErrUnknownOutcome) || !errors.Is(err, nats.ErrPermissionViolation) {
			t.Errorf("who was asked for before (asked again: %v): %v", again, err)
		}
	}
}

// TestAConnectionThatTheServerEndsIsToldOf: a connection whose password is not taken
// any more is closed and does not come back. Who waits is told, and who comes later.
func TestAConnectionThatTheServerEndsIsToldOf(t *testing.T) {
	m := newMute(t, 0)
	var mu sync.Mutex
	password := "insider"
	nc := connectTo(t, m.ClientURL(), nats.ReconnectWait(time.Millisecond), nats.UserInfoHandler(func() (string, string) {
		mu.Lock()
		defer mu.Unlock()
		return "insider", password
	}))
	c := client.New(nc, karachi)
	client.SetPatience(c, time.Hour)
	first := make(chan error)
	go func() {
		_, err := c.Record(soon(t), []byte(raid(1)))
		first <- err
	}()
	<-m.requests
	mu.Lock()
	password = "another"
	mu.Unlock()
	if err := nc.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	if err := <-first; !errors.Is(err, eventstore.ErrUnknownOutcome) || !errors.Is(err, nats.ErrConnectionClosed) || !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("who waited: %v", err)
	}
	wantEnded(t, c, "last error: nats: Authorization Violation. Try: make a new client on a new connection")
}

// TestWhatWasSentBeforeIsNotTooLarge: a connection comes to a server that takes
// less than the one before it.
func TestWhatWasSentBeforeIsNotTooLarge(t *testing.T) {
	large, small := newMute(t, 0), newMute(t, 100)
	nc := connectTo(t, large.ClientURL()+","+small.ClientURL(), nats.UserInfo("insider", "insider"), nats.DontRandomize())
	c := client.New(nc, karachi)
	done := make(chan error)
	go func() {
		_, err := c.Record(soon(t), []byte(raid(1)))
		done <- err
	}()
	<-large.requests
	large.Shutdown()
	if err := <-done; !errors.Is(err, eventstore.ErrUnknownOutcome) || !errors.Is(err, nats.ErrMaxPayload) {
		t.Error(err)
	}
	if _, err := c.Record(soon(t), []byte(raid(2))); !errors.Is(err, eventstore.ErrTooLarge) {
		t.Errorf("who comes afterwards: %v", err)
	}
}

// TestWhoMayNotHearTheAnswerIsToldEveryTime, and is not kept waiting.
func TestWhoMayNotHearTheAnswerIsToldEveryTime(t *testing.T) {
	m := newMute(t, 0)
	c := client.New(connectTo(t, m.ClientURL(), nats.UserInfo("deaf", "deaf")), karachi)
	client.SetPatience(c, time.Hour)
	for n := range 3 {
		_, err := c.Record(soon(t), []byte(raid(n)))
		if !errors.Is(err, eventstore.ErrUnknownOutcome) || !errors.Is(err, nats.ErrPermissionViolation) {
			t.Fatal(fmt.Errorf("record %d: %w", n, err))
		}
	}
}
