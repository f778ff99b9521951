package embedded

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"roznamcha/eventstore"
)

// The wall is the end of the disk. Room keeps recorders away from it, but not
// what else writes there: other programs, and trusted writers. A server that
// runs into it keeps the stream open to readers and stores nothing more, not
// even when there is room again: publishes are not answered. It says so in its
// log and in its health, and only a restart helps
// (nats-server 2.15: a file store's write error stands until it is opened anew).

// lookAgain is how often the disk and the server's health are looked at while
// something is wrong.
const lookAgain = 250 * time.Millisecond

// watch restarts the server when it has run into the wall and there is room
// again, until ctx is done. An error that room does not mend stays for as long
// as the server's health tells of it: who would record hears of it from Room.
func (s *Server) watch(ctx context.Context) {
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.trouble:
		case <-again:
		}
		again = nil
		stuck, well := s.look()
		switch {
		case well:
			s.stuck.Store(nil)
			continue
		case stuck != nil:
			s.stuck.Store(&stuck)
			if errors.Is(stuck, eventstore.ErrDiskFull) && s.restart(ctx) != nil {
				return
			}
		}
		again = time.After(lookAgain)
	}
}

// look asks the server for its health: stuck is why it writes no more, first of
// all what room does not mend. Not well and not stuck is one that is making a
// stream, whose directory is there before it knows of it.
func (s *Server) look() (stuck error, well bool) {
	health := s.running.Load().Healthz(&server.HealthzOptions{Details: true})
	for _, e := range health.Errors {
		if !strings.Contains(e.Error, " write error: ") {
			continue
		}
		if err := s.cannotWrite(e.Error); stuck == nil || !errors.Is(err, eventstore.ErrDiskFull) {
			stuck = err
		}
	}
	return stuck, len(health.Errors) == 0
}

// cannotWrite is the answer to who would record meanwhile. Nothing that is
// published from now on is stored.
//
// Where writing the file failed, what was not acknowledged is cut off when the
// store is opened anew. Where only fsync did, it may stand in the file and not
// on the disk, and who reads it there would believe it: that is left to a
// person.
func (s *Server) cannotWrite(reason string) error {
	err := &eventstore.Error{
		Op:   "data directory " + s.dir,
		Kind: eventstore.ErrRejected,
		Err:  errors.New(reason),
		Try:  "see that the disk is well, then stop this program and start it again",
	}
	full := strings.Contains(reason, syscall.ENOSPC.Error()) || strings.Contains(reason, syscall.EDQUOT.Error())
	if full && !strings.Contains(reason, " sync ") {
		err.Kind = eventstore.ErrDiskFull
		err.Err = fmt.Errorf("the server came to its end, and is restarted as soon as %s are free", size(s.reserve))
		err.Try = "make room on that disk, then the same again in a moment"
	}
	return err
}

// restart waits for room and starts the server again: same port, same token.
// Connections are cut, and find it again. The error is ctx's.
func (s *Server) restart(ctx context.Context) error {
	for room(s.dir, s.reserve) != nil {
		if err := pause(ctx, lookAgain); err != nil {
			return err
		}
	}
	s.shutdown()
	for {
		err := s.run(s.port())
		if err == nil {
			s.stuck.Store(nil)
			return nil
		}
		err = &eventstore.Error{
			Op: "restart the server in " + s.dir, Kind: eventstore.ErrUnavailable, Err: err,
			Try: "stop this program and start it again",
		}
		s.stuck.Store(&err)
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
}

// port is where the server listens.
func (s *Server) port() int {
	u, err := url.Parse(s.url)
	if err != nil {
		return 0
	}
	port, _ := strconv.Atoi(u.Port())
	return port
}

// pause waits so long, or gives ctx's error.
func pause(ctx context.Context, long time.Duration) error {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Room tells whether there is room to record: more on the disk than the reserve,
// and a server that can write. eventstore.ErrDiskFull where there is not. It is
// for the ledger's Guard.
func (s *Server) Room() error {
	if err := room(s.dir, s.reserve); err != nil {
		return err
	}
	if err := s.stuck.Load(); err != nil {
		return *err
	}
	return nil
}
