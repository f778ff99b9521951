package service_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"roznamcha/cmd/roznamcha/internal/service"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/embedded"
)

// answer is a reply as a stranger sees it: plain NATS and plain JSON.
type answer struct {
	Results            []result
	Marks              []eventstore.Mark
	code, about, retry string // the error headers
}

type result struct {
	Line     int
	ID       string
	Ruling   string
	Position domain.Position
	Recorded time.Time
	First    domain.Position
	Code     domain.Code
	Field    string
	Rule     string
	Detail   string
	Cure     string
	Retry    *bool
}

// request asks as any NATS client in any language does.
func request(t testing.TB, nc *nats.Conn, subject, body string) answer {
	t.Helper()
	msg, err := nc.RequestWithContext(soon(t), subject, []byte(body))
	if err != nil {
		t.Fatalf("%s: %v", subject, err)
	}
	return answerOf(t, msg)
}

func answerOf(t testing.TB, msg *nats.Msg) answer {
	t.Helper()
	a := answer{code: msg.Header.Get(micro.ErrorCodeHeader), about: msg.Header.Get(micro.ErrorHeader), retry: msg.Header.Get("Roznamcha-Retry")}
	dec := json.NewDecoder(bytes.NewReader(msg.Data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&a); err != nil {
		t.Fatalf("%v in %q", err, msg.Data)
	}
	return a
}

// short is what became of each event, in a few words.
func (a answer) short() (s []string) {
	for _, r := range a.Results {
		what := fmt.Sprintf("%d %s", r.Line, r.Ruling)
		switch {
		case r.Code != "":
			what += " " + string(r.Code)
		case r.First.Entry != 0:
			what += " " + r.First.String()
		case r.Position.Entry != 0:
			what += " " + r.Position.String()
		}
		s = append(s, what)
	}
	return s
}

func wantShort(t testing.TB, what string, a answer, want ...string) {
	t.Helper()
	if got := a.short(); !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestEveryBodyIsAnsweredEventByEvent(t *testing.T) {
	o := openOffice(t, t.TempDir(), embedded.Options{}, service.Options{})
	nc := connect(t, o.server)
	r := func(n int) string { return raid(karachi, n) }
	pretty := func(n int) string {
		var b bytes.Buffer
		if err := json.Indent(&b, []byte(r(n)), "", "\t"); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	lines := strings.Count(pretty(0), "\n") + 1
	ask := func(body string) answer { return request(t, nc, "record.nccia.karachi", body) }

	one := ask(r(1))
	wantShort(t, "one event", one, "1 accepted 2:1")
	if one.code != "" || one.about != "" || one.retry != "" {
		t.Errorf("an accepted event has error headers %q %q %q", one.code, one.about, one.retry)
	}
	wantShort(t, "one event over lines", ask("\n"+pretty(2)+"\n"), "2 accepted 3:1")
	wantShort(t, "lines", ask(r(3)+"\r\n"+r(4)+"\n"), "1 accepted 4:1", "2 accepted 4:2")
	wantShort(t, "submissions", ask("\n"+r(5)+"\n\n\n"+r(3)+"\n"+r(6)+"\n\n{}\n"), "2 accepted 5:1", "5 duplicate 4:1", "6 accepted 5:2", "8 refused bad-attribute")
	broken := ask(strings.Replace(pretty(9), "\n}", ",\n}", 1) + "\n\n" + pretty(9) + "\n" + pretty(10) + "\n\n\n{}")
	wantShort(t, "broken events over lines", broken,
		"1 refused malformed", fmt.Sprint(lines+2, " refused malformed"), fmt.Sprint(3*lines+4, " refused bad-attribute"))
	for i, want := range []string{"want a string, got }", "want nothing after the object, got {"} {
		if got := broken.Results[i].Detail; got != want {
			t.Errorf("a broken event over lines: %s, want %s", got, want)
		}
	}
	wantShort(t, "an array", ask("["+pretty(7)+",\n"+r(8)+"]"), "1 accepted 6:1", "2 accepted 6:2")
	wantShort(t, "an array with a refused event", ask("["+r(9)+", 17]"), "1 refused with-refused", "2 refused malformed")
	wantShort(t, "a duplicate", ask(r(8)), "1 duplicate 6:2")
	wantShort(t, "twice in one", ask(r(10)+"\n"+r(10)), "1 accepted 7:1", "2 duplicate 7:1")

	// Every member is that of a replay.
	rulings, _ := replay(t, o.ledger)
	if one.Results[0].Position != rulings[1].Position || !one.Results[0].Recorded.Equal(rulings[1].Recorded) || one.Results[0].ID != rulings[1].ID.String() {
		t.Errorf("got %+v, a replay says %+v", one.Results[0], rulings[1])
	}
	for _, a := range []answer{one, ask(r(11))} {
		if len(a.Marks) != 1 || a.Marks[0].Entry != a.Results[0].Position.Entry {
			t.Errorf("marks %v of %q", a.Marks, a.short())
		} else if err := o.ledger.Holds(soon(t), a.Marks[0]); err != nil {
			t.Error(err)
		}
	}
	if id := raidID(karachi, 1).String(); one.Results[0].ID != id {
		t.Errorf("the id is %s, want %s", one.Results[0].ID, id)
	}
}

func TestRefusalSaysEverythingAlsoInTheHeaders(t *testing.T) {
	o := openOffice(t, t.TempDir(), embedded.Options{}, service.Options{})
	nc := connect(t, o.server)
	bad := strings.Replace(raid(karachi, 2), `"call-centre"`, `"cellar"`, 1)
	a := request(t, nc, "record.nccia.karachi", raid(karachi, 1)+"\n"+bad)
	wantShort(t, "a bad event", a, "1 refused with-refused", "2 refused bad-data")
	info := domain.BadData.Info()
	r := a.Results[1]
	if r.ID != raidID(karachi, 2).String() || r.Field != "data.premises" || r.Rule != info.Means || r.Cure != info.Cure || r.Retry == nil || *r.Retry || !strings.Contains(r.Detail, "cellar") {
		t.Errorf("got %+v", r)
	}
	if with := a.Results[0]; with.Retry == nil || !*with.Retry {
		t.Errorf("a retry of %+v can help", with)
	}
	if a.code != "bad-data" || a.retry != "false" {
		t.Errorf("error code header %q, retry header %q", a.code, a.retry)
	}
	for _, want := range []string{"line 2", r.ID, "bad-data", "data.premises", "cellar", info.Means, info.Cure} {
		if !strings.Contains(a.about, want) {
			t.Errorf("error header %q does not tell %s", a.about, want)
		}
	}
	if tail, err := o.ledger.Tail(soon(t)); err != nil || tail != 1 {
		t.Errorf("the ledger ends at entry %d (%v): something refused was recorded", tail, err)
	}
}

// TestHeadersTellWhetherARetryCanHelp: of the event that decides, whoever
// answers: the handler, or who has asked again.
func TestHeadersTellWhetherARetryCanHelp(t *testing.T) {
	o := openOffice(t, t.TempDir(), embedded.Options{}, service.Options{})
	nc := connect(t, o.server)
	request(t, nc, "record.nccia.karachi", raid(karachi, 1))
	for _, c := range []struct {
		body        string
		code, retry string
	}{
		{"junk", "malformed", "false"},
		{raid(karachi, 2) + "\njunk", "malformed", "false"},
		{retraction(karachi, 1, raidID(karachi, 7), 7), "no-such-record", "true"},
		{retraction(karachi, 2, raidID(karachi, 7), 1), "stale-amendment", "false"},
	} {
		for _, verb := range []string{"record", "check"} {
			a := request(t, nc, verb+".nccia.karachi", c.body)
			if a.code != c.code || a.retry != c.retry {
				t.Errorf("%s: error code header %q, retry header %q; want %q, %q: %s", verb, a.code, a.retry, c.code, c.retry, a.about)
			}
		}
	}
	if err := o.recorder.Close(); err != nil {
		t.Fatal(err)
	}
	if a := request(t, nc, "record.nccia.karachi", raid(karachi, 3)); a.code != "closed" || a.retry != "true" {
		t.Errorf("an unanswered event has error headers %q, %q, %q", a.code, a.about, a.retry)
	}
}

func TestWhatCannotBeAskedIsRefusedClearly(t *testing.T) {
	o := openOffice(t, t.TempDir(), embedded.Options{}, service.Options{})
	nc := connect(t, o.server)
	lahore := domain.Diary{Agency: "nccia", Unit: "lahore"}
	for _, c := range []struct {
		what, subject, body string
		want                domain.Code
	}{
		{"nothing", "record.nccia.karachi", "", domain.Malformed},
		{"blank lines", "record.nccia.karachi", "\n \n", domain.Malformed},
		{"junk", "record.nccia.karachi", "junk", domain.Malformed},
		{"half an array", "record.nccia.karachi", "[" + raid(karachi, 1), domain.Malformed},
		{"capitals in the subject", "record.NCCIA.karachi", raid(karachi, 1), domain.WrongSource},
		{"a wild card in the subject", "record.nccia.*", raid(karachi, 1), domain.WrongSource},
		{"the event of another diary", "record.nccia.karachi", raid(lahore, 1), domain.WrongSource},
		{"one event of another diary", "record.nccia.karachi", raid(karachi, 1) + "\n" + raid(lahore, 1), domain.WrongSource},
		{"the opening of another ledger", "record.ledger.office", strings.Replace(opening, "00-4000", "01-4000", 1), domain.AlreadyOpen},
		{"1,001 events", "record.nccia.karachi", strings.Repeat(raid(karachi, 1)+"\n", 1001), domain.TooLarge},
		{"1,001 submissions", "record.nccia.karachi", strings.Repeat("x\n\n", 1001), domain.TooLarge},
		{"an amendment of nothing", "record.nccia.karachi", retraction(karachi, 1, raidID(karachi, 7), 7), domain.NoSuchRecord},
	} {
		a := request(t, nc, c.subject, c.body)
		if domain.Code(a.code) != c.want || a.about == "" {
			t.Errorf("%s: %s: %s", c.what, a.code, a.about)
		}
		check := request(t, nc, strings.Replace(c.subject, "record.", "check.", 1), c.body)
		if domain.Code(check.code) != c.want {
			t.Errorf("check %s: %s: %s", c.what, check.code, check.about)
		}
	}
	if tail, err := o.ledger.Tail(soon(t)); err != nil || tail != 1 {
		t.Errorf("the ledger ends at entry %d (%v): something refused was recorded", tail, err)
	}
	if _, err := nc.RequestWithContext(soon(t), "record.nccia.karachi", make([]byte, 2<<20)); !errors.Is(err, nats.ErrMaxPayload) {
		t.Errorf("2 MB: %v", err)
	}
}

// TestTheLargestAnswersArrive: every event of them with its code, what is wrong
// and what to do, also where what is wrong is long.
func TestTheLargestAnswersArrive(t *testing.T) {
	o := openOffice(t, t.TempDir(), embedded.Options{}, service.Options{})
	nc := connect(t, o.server)
	long := `{"specversion":"1.0","id":"%s","source":"/nccia/karachi","type":"figure.published","subject":"1","data":{"publisher":"x","document":{},"dimensions":{"` + strings.Repeat(`\u0001`, 130) + `":"x"}}}` + "\n\n"
	var body strings.Builder
	for n := range domain.MaxLines {
		fmt.Fprintf(&body, long, raidID(karachi, n))
	}
	for name, c := range map[string]struct {
		body string
		code domain.Code
	}{
		"junk":        {strings.Repeat("{x}\n", domain.MaxLines), domain.Malformed},
		"long fields": {body.String(), domain.BadData},
	} {
		for _, verb := range []string{"record", "check"} {
			a := request(t, nc, verb+".nccia.karachi", c.body)
			if len(a.Results) != domain.MaxLines || domain.Code(a.code) != c.code {
				t.Fatalf("%s %s: %d results, %s: %s", verb, name, len(a.Results), a.code, a.about)
			}
			for _, r := range a.Results {
				if r.Code != c.code || r.Detail == "" || r.Rule == "" || r.Cure == "" || r.Retry == nil {
					t.Fatalf("%s %s: %+v", verb, name, r)
				}
			}
		}
	}
}

// TestAServerThatDoesNotCarryTheAnswersIsNotServed: the operator hears of it, and
// nobody waits for an answer that cannot be sent.
func TestAServerThatDoesNotCarryTheAnswersIsNotServed(t *testing.T) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true, MaxPayload: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server is not ready")
	}
	nc, err := eventstore.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	ledger, err := eventstore.Create(soon(t), nc, 1)
	if err != nil {
		t.Fatal(err)
	}
	recorder, err := eventstore.NewRecorder(soon(t), ledger, eventstore.RecorderConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = recorder.Close() })
	_, err = service.Start(nc, recorder, service.Options{Version: "1.2.3"})
	if !errors.Is(err, eventstore.ErrTooLarge) || !strings.Contains(err.Error(), "max_payload is 65536") || !strings.Contains(err.Error(), "Try: ") {
		t.Errorf("got %v, want that the server carries too little, and what to try", err)
	}
	if _, err := nc.RequestWithContext(soon(t), "record.nccia.karachi", []byte("x")); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("somebody answers there: %v", err)
	}
}

// TestRefusalOfTheSubjectSpeaksOfWhatWasAsked: of a request, not of an entry, and
// to check of check.
func TestRefusalOfTheSubjectSpeaksOfWhatWasAsked(t *testing.T) {
	o := openOffice(t, t.TempDir(), embedded.Options{}, service.Options{})
	nc := connect(t, o.server)
	lahore := domain.Diary{Agency: "nccia", Unit: "lahore"}
	for _, c := range []struct{ subject, body, want string }{
		{"record.NCCIA.karachi", raid(karachi, 1), "want record.<agency>.<unit>"},
		{"check.NCCIA.karachi", raid(karachi, 1), "want check.<agency>.<unit>"},
		{"record.nccia.karachi", raid(lahore, 1), "is /nccia/lahore; this is the subject of /nccia/karachi"},
	} {
		if a := request(t, nc, c.subject, c.body); !strings.Contains(a.Results[0].Detail, c.want) {
			t.Errorf("%s: %q, and not %q", c.subject, a.Results[0].Detail, c.want)
		}
	}
}

// retraction is a line of a diary that retracts its raid numbered n.
func retraction(diary domain.Diary, number int, amends uuid.UUID, n int) string {
	id := uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s retraction %d", diary, number))
	return fmt.Sprintf(`{"specversion":"1.0","id":"%s","source":"%s","type":"record.retracted","data":{"occurred":"2025-06-03","record":"raid%s/%06d","amends":"%s","reason":"unit-error"}}`, id, diary, diary, n, amends)
}

func TestCheckAnswersAsRecordAndRecordsNothing(t *testing.T) {
	o := openOffice(t, t.TempDir(), embedded.Options{}, service.Options{})
	nc := connect(t, o.server)
	body := raid(karachi, 1) + "\n\n" + raid(karachi, 2) + "\n" + raid(karachi, 2)
	for _, what := range []string{"check", "check again"} {
		a := request(t, nc, "check.nccia.karachi", body)
		wantShort(t, what, a, "1 accepted", "3 accepted", "4 duplicate")
		if first := a.Results[2].First; !first.IsZero() {
			t.Errorf("%s: the duplicate of a line that is not in the ledger was accepted at %s", what, first)
		}
	}
	if got, want := fmt.Sprint(statsOf(t, nc)["check"]), fmt.Sprint(service.Counts{Accepted: 4, Duplicate: 2}); got != want {
		t.Errorf("counted %s, want %s", got, want)
	}
	if tail, err := o.ledger.Tail(soon(t)); err != nil || tail != 1 {
		t.Fatalf("the ledger ends at entry %d (%v): check has recorded", tail, err)
	}
	wantShort(t, "record", request(t, nc, "record.nccia.karachi", raid(karachi, 1)), "1 accepted 2:1")
	wantShort(t, "check after", request(t, nc, "check.nccia.karachi", raid(karachi, 1)), "1 duplicate 2:1")

	// What another recorder has recorded since counts too.
	other, err := eventstore.NewRecorder(soon(t), o.ledger, eventstore.RecorderConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for n := 10; n < 40; n++ {
		if _, err := other.Record(soon(t), []byte(raid(karachi, n))); err != nil {
			t.Fatal(err)
		}
		wantShort(t, "check an amendment", request(t, nc, "check.nccia.karachi", retraction(karachi, n, raidID(karachi, n), n)), "1 accepted")
	}
}

// TestALaterSubmissionOfABodyMayDependOnAnEarlierOne: each stands or falls alone,
// in order.
func TestALaterSubmissionOfABodyMayDependOnAnEarlierOne(t *testing.T) {
	o := openOffice(t, t.TempDir(), embedded.Options{}, service.Options{})
	nc := connect(t, o.server)
	body := raid(karachi, 1) + "\n\n" + retraction(karachi, 1, raidID(karachi, 1), 1) + "\n\n" + raid(karachi, 2)
	a := request(t, nc, "record.nccia.karachi", body)
	if len(a.Results) != 3 || a.Results[0].Ruling != "accepted" || a.Results[1].Ruling != "accepted" || a.Results[2].Ruling != "accepted" {
		t.Errorf("got %q", a.short())
	}
}

// TestCheckLooksAtEachSubmissionAlone: as the ledger stands now, which is not as
// it will stand after those before it.
func TestCheckLooksAtEachSubmissionAlone(t *testing.T) {
	o := openOffice(t, t.TempDir(), embedded.Options{}, service.Options{})
	nc := connect(t, o.server)
	retracts := retraction(karachi, 1, raidID(karachi, 1), 1)
	wantShort(t, "two submissions", request(t, nc, "check.nccia.karachi", raid(karachi, 1)+"\n\n"+retracts), "1 accepted", "3 refused no-such-record")
	wantShort(t, "one", request(t, nc, "check.nccia.karachi", raid(karachi, 1)+"\n"+retracts), "1 accepted", "2 accepted")
}

// TestNothingOfAStrangerReachesTheStream sends what could steer the stream, the
// server or the service, and then looks at every message.
func TestNothingOfAStrangerReachesTheStream(t *testing.T) {
	o := openOffice(t, t.TempDir(), embedded.Options{}, service.Options{})
	nc := connect(t, o.server)
	headers := nats.Header{
		"Nats-Expected-Last-Msg-Id": {"none"}, "Nats-Rollup": {"all"}, "Nats-Msg-Id": {"1"}, "Nats-Expected-Stream": {"OTHER"},
		"Nats-Expected-Last-Sequence": {"77"}, "Nats-TTL": {"1s"}, "Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
	}
	want := []string{opening}
	for n := 1; n <= 5; n++ {
		want = append(want, raid(karachi, n))
		msg := &nats.Msg{Subject: "record.nccia.karachi", Header: headers, Data: []byte(" " + raid(karachi, n) + " ")}
		reply, err := nc.RequestMsgWithContext(soon(t), msg)
		if err != nil {
			t.Fatal(err)
		}
		wantShort(t, "with headers", answerOf(t, reply), fmt.Sprintf("1 accepted %d:1", n+1))
	}
	for _, reply := range []string{"ledger.entry", "ledger.diary.nccia.karachi", "record.nccia.karachi", "check.nccia.karachi", "totals.query", "$JS.API.STREAM.PURGE.LEDGER", "$JS.API.STREAM.DELETE.LEDGER"} {
		for _, subject := range []string{"record.nccia.karachi", "check.nccia.karachi"} {
			for _, body := range []string{raid(karachi, 1), raid(karachi, 99), "junk"} {
				if err := nc.PublishRequest(subject, reply, []byte(body)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	// Answered after those: the service takes them in order.
	wantShort(t, "the last", request(t, nc, "record.nccia.karachi", raid(karachi, 6)), "1 accepted 7:1")
	request(t, nc, "check.nccia.karachi", raid(karachi, 6))
	want = append(want, raid(karachi, 6))
	wantStream(t, o.nc, want)
}

// wantStream looks at every message of the ledger's stream: its subject, that it
// has no header (but the opening's own), and its bytes.
func wantStream(t testing.TB, nc *nats.Conn, want []string) {
	t.Helper()
	for i := range len(want) + 1 {
		msg, err := nc.RequestWithContext(soon(t), "$JS.API.STREAM.MSG.GET."+eventstore.StreamName, fmt.Appendf(nil, `{"seq":%d}`, i+1))
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Message *struct {
				Subject string
				Hdrs    []byte
				Data    []byte
			}
		}
		if err := json.Unmarshal(msg.Data, &got); err != nil {
			t.Fatal(err)
		}
		m := got.Message
		switch {
		case i == len(want):
			if m != nil {
				t.Errorf("there is a message %d: %s", i+1, m.Data)
			}
		case m == nil:
			t.Errorf("there is no message %d: %s", i+1, msg.Data)
		case i > 0 && len(m.Hdrs) > 0, m.Subject != domain.EntrySubject, string(m.Data) != want[i]:
			t.Errorf("message %d on %s with headers %q: %s\nwant %s", i+1, m.Subject, m.Hdrs, m.Data, want[i])
		}
	}
}

// gate is a guard of a ledger that a test can close: nothing is written then.
type gate struct{ mu sync.Mutex }

func (g *gate) pass() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return nil
}

// gatedOffice is an office of which nothing is written while the gate is closed,
// and whose recorder holds so many lines.
func gatedOffice(t testing.TB, queue int, opts service.Options) (*office, *gate) {
	t.Helper()
	o := openOffice(t, t.TempDir(), embedded.Options{}, service.Options{})
	if err := o.service.Stop(soon(t)); err != nil {
		t.Fatal(err)
	}
	g := new(gate)
	o.ledger.Guard(g.pass)
	o.recorder, o.service = serve(t, o.nc, o.ledger, eventstore.RecorderConfig{Queue: queue}, opts)
	return o, g
}

func TestAFullQueueIsBusyAndNothingOfThatIsRecorded(t *testing.T) {
	o, gate := gatedOffice(t, 10, service.Options{})
	nc := connect(t, o.server)
	gate.mu.Lock()
	inbox := nc.NewInbox()
	replies, err := nc.SubscribeSync(inbox)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 15 { // ten of them wait, and five do not
		if err := nc.PublishRequest("record.nccia.karachi", inbox, []byte(raid(karachi, n))); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		a := nextAnswer(t, replies)
		wantShort(t, "while it is full", a, "1 unanswered busy")
		if r := a.Results[0]; a.code != "busy" || r.Retry == nil || !*r.Retry || r.Cure == "" || r.Rule == "" {
			t.Errorf("got %+v, code %s", a, a.code)
		}
	}
	gate.mu.Unlock()
	for range 10 {
		if a := nextAnswer(t, replies); a.Results[0].Ruling != "accepted" {
			t.Errorf("got %q", a.short())
		}
	}
	for n := range 15 {
		want := "duplicate"
		if n >= 10 {
			want = "accepted"
		}
		if a := request(t, nc, "record.nccia.karachi", raid(karachi, n)); a.Results[0].Ruling != want {
			t.Errorf("raid %d: got %q, want %s", n, a.short(), want)
		}
	}
}

func nextAnswer(t testing.TB, replies *nats.Subscription) answer {
	t.Helper()
	msg, err := replies.NextMsgWithContext(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	return answerOf(t, msg)
}

func TestWhatIsNotKnownInTimeIsToBeAskedAgain(t *testing.T) {
	o, gate := gatedOffice(t, 0, service.Options{Patience: 50 * time.Millisecond})
	nc := connect(t, o.server)
	gate.mu.Lock()
	for n := range 3 {
		a := request(t, nc, "record.nccia.karachi", raid(karachi, n))
		wantShort(t, "while nothing is written", a, "1 unanswered outcome-unknown")
		if !strings.Contains(a.about, "same ids") {
			t.Errorf("the header %q does not say what to do", a.about)
		}
	}
	gate.mu.Unlock()
	for n := range 3 {
		for { // the first copy of it is on its way
			a := request(t, nc, "record.nccia.karachi", raid(karachi, n))
			if a.Results[0].Ruling != eventstore.Unanswered {
				if a.Results[0].First.Entry == 0 && a.Results[0].Position.Entry == 0 {
					t.Errorf("got %q", a.short())
				}
				break
			}
		}
	}
	rulings, _ := replay(t, o.ledger)
	accepted := map[uuid.UUID]int{}
	for _, r := range rulings {
		if r.Verdict == domain.Accepted {
			accepted[r.ID]++
		}
	}
	for n := range 3 {
		if got := accepted[raidID(karachi, n)]; got != 1 {
			t.Errorf("raid %d is recorded %d times", n, got)
		}
	}
}

func TestStopAnswersEverythingThatWasTaken(t *testing.T) {
	o := openOffice(t, t.TempDir(), embedded.Options{}, service.Options{})
	nc := connect(t, o.server)
	const publishers = 8
	var asked, answered, refused [publishers]int
	stopped := make(chan struct{})
	var work sync.WaitGroup
	for p := range publishers {
		work.Go(func() {
			diary := domain.Diary{Agency: "nccia", Unit: fmt.Sprintf("unit-%d", p)}
			for n := 0; ; n++ {
				_, err := nc.RequestWithContext(soon(t), "record."+diary.Agency+"."+diary.Unit, []byte(raid(diary, n)))
				asked[p]++
				switch {
				case err == nil:
					answered[p]++
				case errors.Is(err, nats.ErrNoResponders): // clearly not taken
					refused[p]++
					return
				default:
					t.Errorf("a request has no answer: %v", err)
					return
				}
			}
		})
	}
	go func() {
		defer close(stopped)
		for {
			if tail, err := o.ledger.Tail(soon(t)); err != nil || tail > 50 {
				break
			}
		}
		if err := errors.Join(o.service.Stop(soon(t)), o.recorder.Close()); err != nil {
			t.Error(err)
		}
		o.nc.Close() // at once, as the program does
	}()
	work.Wait()
	<-stopped
	ledger, err := eventstore.Open(soon(t), nc)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for p := range publishers {
		sum += answered[p]
	}
	rulings, _ := replay(t, ledger)
	if sum != len(rulings)-1 {
		t.Errorf("%d events are recorded, %d answered", len(rulings)-1, sum)
	}
	t.Logf("%d answered, then stopped", sum)
}

// TestStopWaitsForWhatIsBeingWritten closes the gate, stops, and opens it again.
func TestStopWaitsForWhatIsBeingWritten(t *testing.T) {
	o, gate := gatedOffice(t, 0, service.Options{})
	nc := connect(t, o.server)
	gate.mu.Lock()
	inbox := nc.NewInbox()
	replies, err := nc.SubscribeSync(inbox)
	if err != nil {
		t.Fatal(err)
	}
	const requests = 20
	for n := range requests {
		if err := nc.PublishRequest("record.nccia.karachi", inbox, []byte(raid(karachi, n))); err != nil {
			t.Fatal(err)
		}
	}
	if err := nc.Flush(); err != nil { // the server has sent them on
		t.Fatal(err)
	}
	stopped := make(chan error)
	go func() {
		err := errors.Join(o.service.Stop(soon(t)), o.recorder.Close())
		o.nc.Close()
		stopped <- err
	}()
	for { // until it takes no more
		if _, err := nc.RequestWithContext(soon(t), "check.nccia.karachi", nil); errors.Is(err, nats.ErrNoResponders) {
			break
		}
	}
	select {
	case err := <-stopped:
		t.Errorf("it has stopped while %d requests wait (%v)", requests, err)
	default:
	}
	gate.mu.Unlock()
	for range requests {
		if a := nextAnswer(t, replies); a.Results[0].Ruling != "accepted" {
			t.Errorf("got %q", a.short())
		}
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// TestTheLogSteersNoTerminal: what strangers write is shown, not obeyed.
func TestTheLogSteersNoTerminal(t *testing.T) {
	var log syncBuffer
	o := openOffice(t, t.TempDir(), embedded.Options{}, service.Options{Log: &log})
	nc := connect(t, o.server)
	if err := nc.PublishRequest("record.nccia.karachi", "ledger.\x1b[2J", []byte(raid(karachi, 1))); err != nil {
		t.Fatal(err)
	}
	request(t, nc, "record.nccia.karachi", "junk")
	if err := o.service.Stop(soon(t)); err != nil {
		t.Fatal(err)
	}
	if said := log.String(); strings.Contains(said, "\x1b") || !strings.Contains(said, `ledger.\x1b[2J`) {
		t.Errorf("the log says %q", said)
	}
}

func TestRefusalsAreCountedAndLoggedNotALineEach(t *testing.T) {
	var log syncBuffer
	o := openOffice(t, t.TempDir(), embedded.Options{}, service.Options{Log: &log})
	nc := connect(t, o.server)
	request(t, nc, "record.nccia.karachi", raid(karachi, 1)+"\n"+raid(karachi, 2))
	request(t, nc, "record.nccia.karachi", raid(karachi, 1))
	bad := strings.Replace(raid(karachi, 3), `"call-centre"`, `"cellar"`, 1)
	const times = 500
	for range times {
		request(t, nc, "record.nccia.karachi", bad)
		request(t, nc, "record.nccia.karachi", "junk")
		request(t, nc, "check.nccia.karachi", "junk")
	}
	counts := statsOf(t, nc)
	if got, want := fmt.Sprint(counts["record"]), fmt.Sprint(service.Counts{Accepted: 2, Duplicate: 1, Refused: 2 * times, Codes: map[domain.Code]uint64{domain.BadData: times, domain.Malformed: times}}); got != want {
		t.Errorf("record: got %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(counts["check"]), fmt.Sprint(service.Counts{Refused: times, Codes: map[domain.Code]uint64{domain.Malformed: times}}); got != want {
		t.Errorf("check: got %s, want %s", got, want)
	}
	began := time.Now()
	if err := o.service.Stop(soon(t)); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if most := 2 + int(time.Since(began)/time.Second) + times; len(lines) > most/10 {
		t.Errorf("%d lines in the log for %d refusals", len(lines), 2*times)
	}
	for _, want := range []string{"bad-data", "such as /nccia/karachi, line 1 (" + raidID(karachi, 3).String() + "): ", "data.premises"} {
		if !strings.Contains(lines[0], want) {
			t.Errorf("the log says %q, and not %q", lines[0], want)
		}
	}
	logged := map[string]int{}
	for _, line := range lines {
		said, _, _ := strings.Cut(line, "; such as ")
		said, ok := strings.CutPrefix(said, "refused or unanswered: ")
		if !ok {
			t.Errorf("the log says %q", line)
		}
		for one := range strings.SplitSeq(said, ", ") {
			var n int
			var code string
			if _, err := fmt.Sscanf(one, "%d %s", &n, &code); err != nil {
				t.Errorf("%q in %q: %v", one, line, err)
			}
			logged[code] += n
		}
	}
	if want := map[string]int{"bad-data": times, "malformed": times}; !maps.Equal(logged, want) {
		t.Errorf("%v are logged, want %v", logged, want)
	}
}

// deaf is a log that nobody reads: what is written waits until it is opened, and
// began is closed by the first line.
type deaf struct {
	began chan struct{}
	once  sync.Once
	open  chan struct{}
	syncBuffer
}

func newDeaf() *deaf { return &deaf{began: make(chan struct{}), open: make(chan struct{})} }

func (d *deaf) Write(p []byte) (int, error) {
	d.once.Do(func() { close(d.began) })
	<-d.open
	return d.syncBuffer.Write(p)
}

// TestALogThatNobodyReadsHoldsNobodyUp: requests are answered and the service
// stops, and who reads the log in the end is told of everything.
func TestALogThatNobodyReadsHoldsNobodyUp(t *testing.T) {
	log := newDeaf()
	o := openOffice(t, t.TempDir(), embedded.Options{}, service.Options{Log: log})
	nc := connect(t, o.server)
	request(t, nc, "record.nccia.karachi", "junk")
	<-log.began
	const times = 50
	for n := range times {
		wantShort(t, "junk", request(t, nc, "record.nccia.karachi", "junk"), "1 refused malformed")
		wantShort(t, "a raid", request(t, nc, "record.nccia.karachi", raid(karachi, n)), fmt.Sprintf("1 accepted %d:1", n+2))
	}
	ctx, cancel := context.WithCancel(soon(t))
	stopped := make(chan error)
	go func() { stopped <- o.service.Stop(ctx) }()
	for { // until it takes no more
		if _, err := nc.RequestWithContext(soon(t), "check.nccia.karachi", nil); errors.Is(err, nats.ErrNoResponders) {
			break
		}
	}
	cancel()
	select {
	case <-stopped:
	case <-soon(t).Done():
		t.Fatal("Stop waits for who reads the log")
	}
	close(log.open)
	want := fmt.Sprintf("refused or unanswered: %d malformed; ", times)
	for ctx := soon(t); !strings.Contains(log.String(), want); time.Sleep(time.Millisecond) {
		if ctx.Err() != nil {
			t.Fatalf("the log says %q, and not %q", log.String(), want)
		}
	}
}

// statsOf asks the service for its statistics, as nats service stats does.
func statsOf(t testing.TB, nc *nats.Conn) map[string]service.Counts {
	t.Helper()
	msg, err := nc.RequestWithContext(soon(t), "$SRV.STATS."+service.Name, nil)
	if err != nil {
		t.Fatal(err)
	}
	var stats micro.Stats
	if err := json.Unmarshal(msg.Data, &stats); err != nil {
		t.Fatal(err)
	}
	counts := map[string]service.Counts{}
	for _, e := range stats.Endpoints {
		var c service.Counts
		if err := json.Unmarshal(e.Data, &c); err != nil {
			t.Fatal(err)
		}
		counts[e.Name] = c
	}
	return counts
}

// syncBuffer is a log that may be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
