package service_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"roznamcha/cmd/roznamcha/internal/service"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/embedded"
)

// patience is how long a test waits for what must come. It is a limit on a
// broken program, not on a slow machine.
const patience = 2 * time.Minute

// soon is a context for what must be done in patience.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// office is a ledger, its recorder and the service of that, on a server.
type office struct {
	server   *embedded.Server
	nc       *nats.Conn
	ledger   *eventstore.Ledger
	recorder *eventstore.Recorder
	service  *service.Service
}

// openOffice starts a server on dir with an open ledger, and the service.
func openOffice(t testing.TB, dir string, options embedded.Options, opts service.Options) *office {
	t.Helper()
	server, err := embedded.Start(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := eventstore.Create(soon(t), nc, 1)
	if err != nil {
		t.Fatal(err)
	}
	if tail, err := ledger.Tail(soon(t)); err != nil {
		t.Fatal(err)
	} else if tail == 0 {
		if _, err := ledger.AppendFirst(soon(t), []byte(opening)); err != nil {
			t.Fatal(err)
		}
	}
	o := &office{server: server, nc: nc, ledger: ledger}
	o.recorder, o.service = serve(t, nc, ledger, eventstore.RecorderConfig{}, opts)
	return o
}

// serve starts a recorder and its service.
func serve(t testing.TB, nc *nats.Conn, l *eventstore.Ledger, config eventstore.RecorderConfig, opts service.Options) (*eventstore.Recorder, *service.Service) {
	t.Helper()
	recorder, err := eventstore.NewRecorder(soon(t), l, config)
	if err != nil {
		t.Fatal(err)
	}
	if opts.Version == "" {
		opts.Version = "1.2.3"
	}
	if opts.Log == nil {
		opts.Log = io.Discard
	}
	s, err := service.Start(nc, recorder, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = recorder.Close() })
	return recorder, s
}

// connect is a connection over TCP.
func connect(t testing.TB, s *embedded.Server, opts ...nats.Option) *nats.Conn {
	t.Helper()
	nc, err := eventstore.Connect(s.URL(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

const opening = `{"specversion":"1.0","id":"00000000-0000-4000-8000-000000000000","source":"/ledger/office","type":"ledger.opened","subject":"test","data":{"name":"test","home":"PK","zone":"Asia/Karachi","rules":1}}`

var karachi = domain.Diary{Agency: "nccia", Unit: "karachi"}

// raid is a line: the raid numbered n of a diary, always with the same id.
func raid(diary domain.Diary, n int) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":"%s","source":"%s","type":"raid.conducted","subject":"%06d","data":{"occurred":"2025-06-03","place":{"country":"PK","city":"Karachi"},"premises":"call-centre"}}`, raidID(diary, n), diary, n)
}

func raidID(diary domain.Diary, n int) uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s %d", diary, n))
}

// replay reads the ledger from its first entry and gives every ruling, in
// order, and the register after them.
func replay(t testing.TB, l *eventstore.Ledger) (rulings []eventstore.LineRuling, reg *domain.Register) {
	t.Helper()
	ctx := soon(t)
	tail, err := l.Tail(ctx)
	if err != nil {
		t.Fatal(err)
	}
	reg = domain.NewRegister()
	err = l.Read(ctx, 1, tail, func(e domain.Entry) error {
		return reg.Apply(e, func(r *domain.Ruled) {
			line := eventstore.LineRuling{Position: r.Position, Recorded: r.Recorded, Ruling: r.Ruling}
			line.Field, line.Detail = strings.Clone(r.Field), strings.Clone(r.Detail)
			if r.Event != nil {
				line.ID = r.Event.ID
			}
			rulings = append(rulings, line)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return rulings, reg
}
