package client_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/client"
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

// desk is a recorder that is asked over NATS. (What serves it in the program is
// on the floor above; this does the least of that.)
type desk struct {
	server   *embedded.Server
	nc       *nats.Conn
	ledger   *eventstore.Ledger
	recorder *eventstore.Recorder
	// requests counts what came. answer, if not nil, sends an answer, or does not.
	requests atomic.Int64
	answer   func(request *nats.Msg, n int64, reply []byte)
}

// newDesk starts a server with an open ledger. The desk is closed until serve.
func newDesk(t testing.TB) *desk {
	t.Helper()
	server, err := embedded.Start(t.TempDir(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	d, err := openDesk(soon(t), server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.recorder.Close() })
	return d
}

// openDesk opens a ledger on server, and its recorder.
func openDesk(ctx context.Context, server *embedded.Server) (d *desk, err error) {
	d = &desk{server: server}
	if d.nc, err = server.Connect(); err != nil {
		return nil, err
	}
	if d.ledger, err = eventstore.Create(ctx, d.nc, 1); err != nil {
		return nil, err
	}
	if _, err = d.ledger.AppendFirst(ctx, []byte(opening)); err != nil {
		return nil, err
	}
	d.recorder, err = eventstore.NewRecorder(ctx, d.ledger, eventstore.RecorderConfig{})
	return d, err
}

// serve opens the desk.
func (d *desk) serve(t testing.TB) {
	t.Helper()
	if err := d.open(); err != nil {
		t.Fatal(err)
	}
}

// open takes requests to record and to check for karachi.
func (d *desk) open() error {
	for _, subject := range []string{"record.nccia.karachi", "check.nccia.karachi"} {
		if _, err := d.nc.Subscribe(subject, d.handle); err != nil {
			return err
		}
	}
	return d.nc.Flush()
}

func (d *desk) handle(m *nats.Msg) {
	var reply eventstore.Reply
	eventstore.Submissions(m.Data, func(first int, lines []byte) {
		var receipt eventstore.Receipt
		var err error
		if m.Subject == "check.nccia.karachi" {
			receipt, err = d.recorder.Check(karachi, lines)
		} else {
			var p *eventstore.Pending
			if p, err = d.recorder.SubmitAs(context.Background(), karachi, lines); err == nil {
				receipt, err = p.Receipt(context.Background())
			}
		}
		if err != nil {
			reply.Results = append(reply.Results, eventstore.UnansweredResult(first, err))
		}
		for i := range receipt.Rulings {
			reply.Results = append(reply.Results, eventstore.ResultOf(first+i, &receipt.Rulings[i]))
		}
		if !receipt.Mark.IsZero() {
			reply.Marks = append(reply.Marks, receipt.Mark)
		}
	})
	n := d.requests.Add(1)
	if d.answer != nil {
		d.answer(m, n, reply.AppendJSON(nil))
		return
	}
	_ = m.Respond(reply.AppendJSON(nil))
}

// unanswered is the reply of a recorder that cannot answer.
func unanswered(err error) []byte {
	r := eventstore.Reply{Results: []eventstore.Result{eventstore.UnansweredResult(1, err)}}
	return r.AppendJSON(nil)
}

// client is a client of the desk over TCP.
func (d *desk) client(t testing.TB, opts ...nats.Option) (*client.Client, *nats.Conn) {
	t.Helper()
	nc, err := eventstore.Connect(d.server.URL(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return client.New(nc, karachi), nc
}

const opening = `{"specversion":"1.0","id":"00000000-0000-4000-8000-000000000000","source":"/ledger/office","type":"ledger.opened","subject":"test","data":{"name":"test","home":"PK","zone":"Asia/Karachi","rules":1}}`

var karachi = domain.Diary{Agency: "nccia", Unit: "karachi"}

// raid is a line: the raid numbered n, always with the same id.
func raid(n int) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":"%s","source":"/nccia/karachi","type":"raid.conducted","subject":"%06d","data":{"occurred":"2025-06-03","premises":"call-centre"}}`, raidID(n), n)
}

func raidID(n int) uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "raid %d", n))
}

// replay gives every ruling of the ledger, in order.
func replay(t testing.TB, l *eventstore.Ledger) (rulings []eventstore.LineRuling) {
	t.Helper()
	tail, err := l.Tail(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	reg := domain.NewRegister()
	err = l.Read(soon(t), 1, tail, func(e domain.Entry) error {
		return reg.Apply(e, func(r *domain.Ruled) {
			rulings = append(rulings, eventstore.LineRuling{Position: r.Position, Recorded: r.Recorded, ID: r.Event.ID, Ruling: r.Ruling})
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return rulings
}
