package schema

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"roznamcha/cmd/roznamcha/internal/service"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/embedded"
)

// serve offers a recorder on a ledger that is open, for the test.
func serve(t *testing.T) (*nats.Conn, *eventstore.Recorder) {
	t.Helper()
	server, err := embedded.Start(t.TempDir(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	ledger, err := eventstore.Create(t.Context(), nc, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.AppendFirst(t.Context(), []byte(ExamplesOf(domain.TypeLedgerOpened)[0])); err != nil {
		t.Fatal(err)
	}
	recorder, err := eventstore.NewRecorder(t.Context(), ledger, eventstore.RecorderConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = recorder.Close() })
	running, err := service.Start(nc, recorder, service.Options{Version: "1.0.0", Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := running.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return nc, recorder
}

// What a running service answers, and the headers of its errors, are as the
// document says; the requests are its examples.
func TestARunningServiceAnswersAsTheDocumentSays(t *testing.T) {
	nc, recorder := serve(t)
	doc := AsyncAPI()
	reply := compile(t, doc, "/components/messages/reply/payload", jsonschema.Draft7)
	headers := compile(t, doc, "/components/messages/reply/headers", jsonschema.Draft7)
	ask := func(subject, request string, rulings ...string) {
		t.Helper()
		m, err := nc.Request(subject, []byte(request), 30*time.Second)
		if err != nil {
			t.Fatalf("%s: %v", subject, err)
		}
		answer := asJSON(t, string(m.Data))
		if err := reply.Validate(answer); err != nil {
			t.Errorf("%s: %v\n%s", subject, err, m.Data)
		}
		var got []string
		for _, result := range at(t, answer, "results").([]any) {
			got = append(got, at(t, result, "ruling").(string))
		}
		if strings.Join(got, " ") != strings.Join(rulings, " ") {
			t.Errorf("%s: %s, want %s\n%s", subject, got, rulings, m.Data)
		}
		has := map[string]any{}
		for name := range m.Header {
			has[name] = m.Header.Get(name)
		}
		if err := headers.Validate(has); err != nil {
			t.Errorf("%s: %v\n%v", subject, err, has)
		}
		well := !strings.Contains(strings.Join(got, " "), "refused") && !strings.Contains(strings.Join(got, " "), eventstore.Unanswered)
		for _, name := range []string{micro.ErrorCodeHeader, micro.ErrorHeader, eventstore.RetryHeader} {
			if (m.Header.Get(name) == "") != well {
				t.Errorf("%s: headers %v on %s", subject, has, m.Data)
			}
		}
	}
	const karachi = "nccia.karachi"
	raid, arrest := ExamplesOf(domain.TypeRaidConducted)[0], ExamplesOf(domain.TypeArrestMade)[0]
	ask("check."+karachi, raid, "accepted")
	ask("check."+karachi, raid+"\n"+raid, "accepted", "duplicate")
	ask("record."+karachi, raid, "accepted")
	ask("record."+karachi, raid+"\n\n"+arrest+"\n"+arrest+"\n", "duplicate", "accepted", "duplicate")
	ask("check."+karachi, raid+"\n\n"+arrest+"\n", "duplicate", "duplicate")
	ask("record."+karachi, "["+raid+","+arrest+"]", "duplicate", "duplicate")
	ask("record.police.karachi", raid, "refused")
	ask("record."+karachi, strings.Replace(raid, "0118", "0119", 1), "refused")
	ask("record."+karachi, strings.Replace(arrest, `"persons":3,`, "", 1), "refused")
	ask("record."+karachi, "", "refused")
	ask("record."+karachi, "[", "refused")
	ask("record."+karachi, "{\n}", "refused")
	ask("record.NCCIA.karachi", raid, "refused")
	if err := recorder.Close(); err != nil {
		t.Fatal(err)
	}
	ask("record."+karachi, strings.NewReplacer("4c02", "4d02", "0118", "0120").Replace(raid), eventstore.Unanswered)
}

// The document's examples of requests are recorded by a running service.
func TestTheExamplesOfRequestsAreRecorded(t *testing.T) {
	nc, _ := serve(t)
	for _, line := range Examples()[1:] {
		e, err := domain.Decode(line)
		if err != nil {
			t.Fatal(err)
		}
		m, err := nc.Request("record."+e.Source.Agency+"."+e.Source.Unit, []byte(line), 30*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := eventstore.ParseReply(m.Data)
		if err != nil || len(answer.Results) != 1 || answer.Results[0].Ruling != domain.Accepted.String() {
			t.Errorf("%s %v\n%s", m.Data, err, line)
		}
	}
}
