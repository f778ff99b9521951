package schema

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/micro"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"roznamcha/cmd/roznamcha/internal/service"
	"roznamcha/domain"
	"roznamcha/eventstore"
)

func TestEveryReferenceLeadsSomewhere(t *testing.T) {
	documents := []Object{AnyEvent(), AsyncAPI()}
	for _, typ := range domain.Types() {
		documents = append(documents, Event(typ))
	}
	for _, doc := range documents {
		root, found := asJSON(t, printed(t, doc)), 0
		var visit func(v any)
		visit = func(v any) {
			switch v := v.(type) {
			case map[string]any:
				if ref, ok := v["$ref"].(string); ok {
					found++
					if !leads(root, ref) {
						t.Errorf("%s leads nowhere", ref)
					}
				}
				for _, each := range v {
					visit(each)
				}
			case []any:
				for _, each := range v {
					visit(each)
				}
			}
		}
		visit(root)
		if found == 0 {
			t.Error("a document without references")
		}
	}
}

// leads follows a reference within a document.
func leads(v any, ref string) bool {
	path, ok := strings.CutPrefix(ref, "#/")
	for _, step := range strings.Split(path, "/") {
		object, isObject := v.(map[string]any)
		v, ok = object[step]
		if !ok || !isObject {
			return false
		}
	}
	return ok
}

// at is what stands in the document at a path of names.
func at(t *testing.T, v any, path ...string) any {
	t.Helper()
	for _, step := range path {
		object, _ := v.(map[string]any)
		next, ok := object[step]
		if !ok {
			t.Fatalf("nothing at %s of %v", step, path)
		}
		v = next
	}
	return v
}

func TestMessageExamplesFollowTheirSchemas(t *testing.T) {
	doc := AsyncAPI()
	root := asJSON(t, printed(t, doc))
	event := compile(t, doc, "/components/schemas/event", jsonschema.Draft7)
	for name, message := range at(t, root, "components", "messages").(map[string]any) {
		payload := compile(t, doc, "/components/messages/"+name+"/payload", jsonschema.Draft7)
		examples := at(t, message, "examples").([]any)
		if len(examples) == 0 {
			t.Errorf("%s has no example", name)
		}
		for _, example := range examples {
			if err := payload.Validate(at(t, example, "payload")); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if headers, ok := example.(map[string]any)["headers"]; ok {
				if err := compile(t, doc, "/components/messages/"+name+"/headers", jsonschema.Draft7).Validate(headers); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			if name != "lines" {
				continue
			}
			for line := range strings.Lines(at(t, example, "payload").(string)) {
				if line == "\n" {
					continue
				}
				if err := event.Validate(asJSON(t, line)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
}

// What the document says of subjects and headers is what the service has.
func TestTheDocumentIsOfTheService(t *testing.T) {
	root := asJSON(t, printed(t, AsyncAPI()))
	for channel, subject := range map[string]string{"record": service.RecordSubject, "check": service.CheckSubject} {
		address := at(t, root, "channels", channel, "address").(string)
		for parameter := range at(t, root, "channels", channel, "parameters").(map[string]any) {
			address = strings.Replace(address, "{"+parameter+"}", "*", 1)
		}
		if address != subject {
			t.Errorf("the service listens on %s, the document says %s", subject, address)
		}
	}
	headers := at(t, root, "components", "messages", "reply", "headers", "properties").(map[string]any)
	if headers[micro.ErrorCodeHeader] == nil || headers[micro.ErrorHeader] == nil || headers["Roznamcha-Retry"] == nil || len(headers) != 3 {
		t.Errorf("the headers are %v", headers)
	}
}

// The schemas of what the service answers have the members of their structs, and
// no others.
func TestRepliesHaveTheMembersOfTheirStructs(t *testing.T) {
	document := asJSON(t, printed(t, AsyncAPI()))
	for name, typ := range map[string]reflect.Type{
		"reply": reflect.TypeFor[eventstore.Reply](), "result": reflect.TypeFor[eventstore.Result](), "position": reflect.TypeFor[domain.Position](),
	} {
		properties := at(t, document, "components", "schemas", name, "properties").(map[string]any)
		for i := range typ.NumField() {
			member, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if properties[member] == nil {
				t.Errorf("%s: %s is not in the schema", name, member)
			}
			delete(properties, member)
		}
		for member := range properties {
			t.Errorf("%s: %s is only in the schema", name, member)
		}
	}
}

// Every result that can be made validates, and what a reply cannot be does not.
func TestRepliesFollowTheirSchema(t *testing.T) {
	schema := compile(t, AsyncAPI(), "/components/schemas/reply", jsonschema.Draft7)
	check := func(want bool, reply string) {
		t.Helper()
		if err := schema.Validate(asJSON(t, reply)); (err == nil) != want {
			t.Errorf("want valid %v: %v\n%s", want, err, reply)
		}
	}
	results := []eventstore.Result{
		eventstore.ResultOf(1, &eventstore.LineRuling{Ruling: domain.Ruling{Verdict: domain.Accepted}}),
		eventstore.ResultOf(1000, &eventstore.LineRuling{
			Position: domain.Position{Entry: 1, Line: 1000}, Recorded: time.Now(), ID: uuid.New(), Ruling: domain.Ruling{Verdict: domain.Accepted},
		}),
		eventstore.ResultOf(2, &eventstore.LineRuling{ID: uuid.New(), Ruling: domain.Ruling{Verdict: domain.Duplicate, First: domain.Position{Entry: 1, Line: 1}}}),
		eventstore.ResultOf(2, &eventstore.LineRuling{ID: uuid.New(), Ruling: domain.Ruling{Verdict: domain.Duplicate}}), // of a line that was checked with it
	}
	for _, c := range domain.CodeInfos {
		results = append(results, eventstore.ResultOf(1, &eventstore.LineRuling{Ruling: domain.Ruling{Verdict: domain.Refused, Code: c.Code, Field: "data", Detail: "\"\n"}}))
	}
	kinds := []error{
		eventstore.ErrBusy, eventstore.ErrUnavailable, eventstore.ErrDiskFull, eventstore.ErrUnknownOutcome, eventstore.ErrNoLedger, eventstore.ErrNotEmpty,
		eventstore.ErrTooLarge, eventstore.ErrNoJetStream, eventstore.ErrDenied, eventstore.ErrRejected, eventstore.ErrClosed,
		&eventstore.UnsafeError{}, &eventstore.GapError{}, &eventstore.WentBackError{},
	}
	for _, err := range kinds {
		results = append(results, eventstore.UnansweredResult(1, err))
	}
	for _, r := range results {
		reply := eventstore.Reply{Results: []eventstore.Result{r}}
		check(true, string(reply.AppendJSON(nil)))
	}
	for _, not := range []string{
		`[]`, `{}`, `{"results":[]}`, `{"results":[{"line":1}]}`, `{"results":[{"line":1,"ruling":"recorded"}]}`, `{"results":[{"line":1,"ruling":"refused"}]}`,
		`{"results":[{"line":1,"ruling":"refused","code":"busy","retry":true}]}`, `{"results":[{"line":1,"ruling":"duplicate","position":{"entry":2,"line":1}}]}`,
		`{"results":[{"line":1,"ruling":"accepted","position":{"entry":0,"line":1}}]}`, `{"results":[{"line":1,"ruling":"accepted","recorded":"today"}]}`,
	} {
		check(false, not)
	}
}
