package service_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"roznamcha/cmd/roznamcha/internal/service"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/client"
	"roznamcha/eventstore/embedded"
)

// unit is the diary of the publisher numbered n.
func unit(n int) domain.Diary {
	return domain.Diary{Agency: "nccia", Unit: fmt.Sprintf("unit-%d", n)}
}

// receipts are what publishers were told, event by event.
type receipts struct {
	mu      sync.Mutex
	rulings []eventstore.LineRuling
}

func (r *receipts) add(receipt eventstore.Receipt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rulings = append(r.rulings, receipt.Rulings...)
}

// wantReplay holds the receipts against a replay: each says what that says.
func (r *receipts) wantReplay(t testing.TB, l *eventstore.Ledger) (accepted map[uuid.UUID]domain.Position) {
	t.Helper()
	rulings, _ := replay(t, l)
	at, accepted := map[domain.Position]eventstore.LineRuling{}, map[uuid.UUID]domain.Position{}
	for _, line := range rulings {
		at[line.Position] = line
		if line.Verdict == domain.Accepted {
			if first, twice := accepted[line.ID]; twice {
				t.Errorf("%s is recorded twice, at %s and %s", line.ID, first, line.Position)
			}
			accepted[line.ID] = line.Position
		}
	}
	for _, told := range r.rulings {
		switch want := at[told.Position]; {
		case told.Verdict == domain.Duplicate && accepted[told.ID] != told.First:
			t.Errorf("told %+v, it stands at %s", told, accepted[told.ID])
		case told.Position.IsZero():
			if told.Verdict == domain.Accepted {
				t.Errorf("told %+v, without a position", told)
			}
		case told.ID != want.ID || told.Ruling != want.Ruling || !told.Recorded.Equal(want.Recorded):
			t.Errorf("told %+v, a replay says %+v", told, want)
		}
	}
	return accepted
}

// TestClientsOutliveTheServer stops the server in the middle of load, and starts
// it again: as one program with its recorder, and alone, with the recorder
// elsewhere. Publishers know its URL and nothing more, as from status --server.
// They see nothing of it but a pause; every event is there once.
func TestClientsOutliveTheServer(t *testing.T) {
	for _, alone := range []bool{false, true} {
		t.Run(map[bool]string{false: "with its recorder", true: "alone"}[alone], func(t *testing.T) {
			outlive(t, alone)
		})
	}
}

func outlive(t *testing.T, alone bool) {
	const publishers, stops = 8, 3
	each := 400
	if testing.Short() {
		each = 100
	}
	dir := t.TempDir()
	o := openOffice(t, dir, embedded.Options{Serving: true}, service.Options{})
	url := o.server.URL()
	dial := func() *nats.Conn {
		nc, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return nc
	}
	if alone { // the recorder is a program of its own
		if err := errors.Join(o.service.Stop(soon(t)), o.recorder.Close()); err != nil {
			t.Fatal(err)
		}
		nc := connect(t, o.server)
		ledger, err := eventstore.Open(soon(t), nc)
		if err != nil {
			t.Fatal(err)
		}
		o.recorder, o.service = serve(t, nc, ledger, eventstore.RecorderConfig{}, service.Options{})
	}

	var told receipts
	var done atomic.Int64
	var work sync.WaitGroup
	for p := range publishers {
		c := client.New(dial(), unit(p))
		work.Go(func() {
			for n := range each {
				receipt, err := c.Record(soon(t), []byte(raid(unit(p), n)))
				if err != nil || receipt.Err() != nil {
					t.Errorf("%+v, %v", receipt, err)
					return
				}
				told.add(receipt)
				done.Add(1)
			}
		})
	}
	for stop := range stops {
		for done.Load() < int64(publishers*each*(stop+1)/(stops+1)) && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
		if err := o.server.Close(); err != nil { // in the middle, nobody is asked
			t.Error(err)
		}
		if !alone {
			_ = o.recorder.Close()
			o = openOffice(t, dir, embedded.Options{Serving: true}, service.Options{})
			continue
		}
		var err error
		if o.server, err = embedded.Start(dir, embedded.Options{Serving: true}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = o.server.Close() })
	}
	work.Wait()

	ledger, err := eventstore.Open(soon(t), dial())
	if err != nil {
		t.Fatal(err)
	}
	accepted := told.wantReplay(t, ledger)
	for p := range publishers {
		for n := range each {
			if _, there := accepted[raidID(unit(p), n)]; !there {
				t.Errorf("raid %d of %s is lost", n, unit(p))
			}
		}
	}
	rulings, _ := replay(t, ledger)
	t.Logf("%d events, %d stops: %d recorded once each, %d lines were copies of one that was there", publishers*each, stops, len(accepted)-1, len(rulings)-len(accepted))
}

// TestTwoServicesAndAForeignWriter has two recorders with a service each on one
// ledger, publishers whose requests go to either, and a writer that publishes the
// same events straight to their diaries.
func TestTwoServicesAndAForeignWriter(t *testing.T) {
	const publishers = 6
	each := 150
	if testing.Short() {
		each = 40
	}
	o := openOffice(t, t.TempDir(), embedded.Options{}, service.Options{})
	otherNC := connect(t, o.server)
	otherLedger, err := eventstore.Open(soon(t), otherNC)
	if err != nil {
		t.Fatal(err)
	}
	_, other := serve(t, otherNC, otherLedger, eventstore.RecorderConfig{}, service.Options{})

	var told receipts
	var work sync.WaitGroup
	for p := range publishers {
		c := client.New(connect(t, o.server), unit(p))
		work.Go(func() {
			for n := range each {
				record := func(line string) {
					receipt, err := c.Record(soon(t), []byte(line))
					if err != nil {
						t.Error(err)
					}
					// The writer may have come before, with the same or, with a
					// retraction of its own, with another.
					if refused := receipt.Err(); refused != nil && (p >= publishers/2 || receipt.Rulings[0].Code != domain.StaleAmendment) {
						t.Errorf("raid %d of %s: %v", n, unit(p), refused)
					}
					told.add(receipt)
				}
				record(raid(unit(p), n))
				record(retraction(unit(p), n, raidID(unit(p), n), n)) // mostly through the other
			}
		})
	}
	writer := connect(t, o.server)
	work.Go(func() {
		for n := range each {
			for p := range publishers / 2 {
				for _, line := range []string{raid(unit(p), n), retraction(unit(p), n+1_000_000, raidID(unit(p), n), n)} {
					if _, err := writer.RequestWithContext(soon(t), unit(p).Subject(), []byte(line)); err != nil {
						t.Error(err)
					}
				}
			}
		}
	})
	work.Wait()

	accepted := told.wantReplay(t, o.ledger)
	for p := range publishers {
		for n := range each {
			if _, there := accepted[raidID(unit(p), n)]; !there {
				t.Errorf("raid %d of %s is lost", n, unit(p))
			}
		}
	}
	share := map[*service.Service]int{}
	for _, s := range []*service.Service{o.service, other} {
		c := s.Recorded()
		share[s] = int(c.Accepted + c.Duplicate + c.Refused)
		if share[s] == 0 {
			t.Error("one of the services had no request")
		}
	}
	if sum := share[o.service] + share[other]; sum != len(told.rulings) {
		t.Errorf("the services have counted %d results, the publishers %d", sum, len(told.rulings))
	}
	rulings, _ := replay(t, o.ledger)
	t.Logf("%d results through two services (%d and %d): %d lines in the ledger, %d of them accepted", len(told.rulings), share[o.service], share[other], len(rulings), len(accepted))
}

// TestPermissionToRecordIsPermissionOnOneSubject has publishers in an account of
// their own, which imports one subject of the ledger's, and in the ledger's own
// account, all with inboxes of their own and nothing else.
func TestPermissionToRecordIsPermissionOnOneSubject(t *testing.T) {
	config := filepath.Join(t.TempDir(), "nats.conf")
	err := os.WriteFile(config, []byte(`
		listen: 127.0.0.1:-1
		jetstream { store_dir: "`+t.TempDir()+`" }
		accounts {
			LEDGER {
				jetstream: enabled
				users: [
					{user: recorder, password: r}
					{user: inside, password: i, permissions: {publish: ["record.nccia.karachi"], subscribe: ["_INBOX_inside.>"]}}
					{user: keeper, password: k, permissions: {publish: [">"], subscribe: ["_INBOX.>", "$SRV.>", "record.*.*"]}}
					{user: deaf, password: d, permissions: {publish: ["record.nccia.karachi"], subscribe: ["_INBOX_deaf.>"]}}
				]
				exports: [{service: "record.*.*"}]
			}
			NCCIA {
				users: [{user: outside, password: o, permissions: {publish: ["record.*.*"], subscribe: ["_INBOX_outside.>"]}}]
				imports: [{service: {account: LEDGER, subject: "record.nccia.karachi"}}]
			}
		}`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	options, err := server.ProcessConfigFile(config)
	if err != nil {
		t.Fatal(err)
	}
	options.NoSigs, options.NoLog, options.SyncAlways = true, true, true
	s, err := server.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server does not start")
	}
	connectAs := func(user, inbox string) *nats.Conn {
		nc, err := eventstore.Connect(s.ClientURL(), nats.UserInfo(user, user[:1]), nats.CustomInboxPrefix(inbox))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return nc
	}
	nc := connectAs("recorder", "_INBOX")
	ledger, err := eventstore.Create(soon(t), nc, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.AppendFirst(soon(t), []byte(opening)); err != nil {
		t.Fatal(err)
	}
	// Who may not hear the requests serves nobody.
	keeper := connectAs("keeper", "_INBOX")
	own, err := eventstore.Open(soon(t), keeper)
	if err != nil {
		t.Fatal(err)
	}
	unheard, err := eventstore.NewRecorder(soon(t), own, eventstore.RecorderConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer unheard.Close()
	if _, err := service.Start(keeper, unheard, service.Options{Version: "1.2.3"}); !errors.Is(err, eventstore.ErrDenied) || !strings.Contains(err.Error(), "check.*.*") || !strings.Contains(err.Error(), "Try: ") {
		t.Errorf("no permission to hear the requests: %v", err)
	}

	serve(t, nc, ledger, eventstore.RecorderConfig{}, service.Options{})

	lahore := domain.Diary{Agency: "nccia", Unit: "lahore"}
	for n, user := range []string{"outside", "inside"} {
		own := connectAs(user, "_INBOX_"+user)
		receipt, err := client.New(own, karachi).Record(soon(t), []byte(raid(karachi, n)))
		if err != nil || receipt.Err() != nil || receipt.Rulings[0].Position.Entry != uint64(n+2) {
			t.Errorf("%s: %+v, %v", user, receipt, err)
		}
		if receipt, err = client.New(own, karachi).Record(soon(t), []byte(raid(lahore, n))); err != nil || receipt.Err() == nil || receipt.Rulings[0].Code != domain.WrongSource {
			t.Errorf("%s, an event of another diary: %+v, %v", user, receipt, err)
		}
		if _, err := client.New(own, karachi).Check(soon(t), []byte(raid(karachi, n))); !errors.Is(err, eventstore.ErrDenied) {
			t.Errorf("%s may not check, and: %v", user, err)
		}
	}
	if _, err := client.New(connectAs("inside", "_INBOX_inside"), lahore).Record(soon(t), []byte(raid(lahore, 1))); !errors.Is(err, eventstore.ErrDenied) {
		t.Errorf("another diary's subject: %v", err)
	}
	// It may publish and not listen: recorded or not, it does not hear of it.
	if _, err := client.New(connectAs("deaf", "_INBOX_other"), karachi).Record(soon(t), []byte(raid(karachi, 7))); !errors.Is(err, eventstore.ErrUnknownOutcome) {
		t.Errorf("no permission to hear the answer: %v", err)
	}
}

// TestABulkSubmissionIsAnsweredWhole: a thousand events in one request, as one
// submission and as a thousand.
func TestABulkSubmissionIsAnsweredWhole(t *testing.T) {
	o := openOffice(t, t.TempDir(), embedded.Options{}, service.Options{})
	nc := connect(t, o.server)
	for i, separator := range []string{"\n", "\n\n"} {
		var lines []string
		for n := range 1000 {
			lines = append(lines, raid(karachi, 1000*i+n))
		}
		a := request(t, nc, "record.nccia.karachi", strings.Join(lines, separator))
		if len(a.Results) != 1000 || len(a.Marks) != 1 {
			t.Fatalf("%d results, marks %v", len(a.Results), a.Marks)
		}
		for n, r := range a.Results {
			if r.Ruling != "accepted" || r.Position != (domain.Position{Entry: uint64(i + 2), Line: n + 1}) || r.ID != raidID(karachi, 1000*i+n).String() || r.Line != 1+n*len(separator) {
				t.Fatalf("event %d: %+v", n, r)
			}
		}
		// Refused whole, each is told why, and the answer still fits.
		a = request(t, nc, "record.nccia.lahore", strings.Join(lines, separator))
		if len(a.Results) != 1000 || a.code != "wrong-source" || a.Results[999].Rule == "" {
			t.Errorf("%d results, %s", len(a.Results), a.code)
		}
	}
}
