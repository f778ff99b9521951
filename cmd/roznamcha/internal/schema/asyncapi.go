package schema

import (
	"crypto/sha256"
	"strconv"
	"time"

	"github.com/google/uuid"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

// The headers with which the service tells that not all is well: those of NATS
// services (micro.ErrorCodeHeader and micro.ErrorHeader).
const (
	codeHeader = "Nats-Service-Error-Code"
	textHeader = "Nats-Service-Error"
)

// AsyncAPI is the AsyncAPI 3.0 document of the recorder's service. Its version is
// that of the rules by which the service answers.
func AsyncAPI() Object {
	d := definitions{at: "#/components/schemas/"}
	d.ref("event", func() Object {
		return Object{{"title", "An event of any type"}, {"description", strict}, {"oneOf", d.everyType()}}
	})
	d.addReply()
	doc := Object{
		{"asyncapi", "3.0.0"},
		{"info", Object{
			{"title", "Roznamcha, the recorder"},
			{"version", strconv.Itoa(domain.RulesVersion) + ".0.0"},
			{"description", "Records events in a ledger of enforcement actions, and answers each with its ruling. A reply never lies: what it says is what every replay will say for ever. " +
				"Submitting again is always safe: what is recorded is answered as a duplicate, so an answer that did not come is asked for again with the same ids. A request holds at most 1,000 events and 1 MiB. Codes: roznamcha schema --codes."},
		}},
		{"defaultContentType", "application/json"},
		{"servers", Object{{"nats", Object{
			{"host", "127.0.0.1:4222"},
			{"protocol", "nats"},
			{"description", "The NATS server beside which roznamcha serve runs. Permission to record for a diary is permission to publish on its one subject."},
		}}}},
		{"channels", Object{
			{"record", channel(eventstore.RecordSubject(anyDiary), "Records the events of the diary /agency/unit.")},
			{"check", channel(eventstore.CheckSubject(anyDiary), "Answers for each submission alone, as record would as the ledger stands now, and records nothing.")},
			{"replies", Object{
				{"address", nil},
				{"description", "The inbox that the request names as its reply subject."},
				{"messages", Object{{"reply", reference("messages/reply")}}},
			}},
		}},
		{"operations", Object{
			{"record", operation("record", "Record events", "They are on disk when the reply comes. Nothing of a request but event bytes reaches the ledger: no headers.")},
			{"check", operation("check", "Check events", "The same answer, and nothing is recorded: no result has a position of this request. Of several submissions in one request each is looked at alone, as the ledger stands now: what depends on one before it is refused here.")},
		}},
	}
	components := Object{{"messages", messages()}, {"schemas", d.sorted()}}
	return append(doc, Field{"components", components})
}

// anyDiary has the parameters of the channels in the places of its names.
var anyDiary = domain.Diary{Agency: "{agency}", Unit: "{unit}"}

func reference(to string) Object { return Object{{"$ref", "#/components/" + to}} }

// requests are the messages that a request can be.
var requests = []string{"event", "lines", "batch"}

func channel(address, description string) Object {
	list := Object{}
	for _, name := range requests {
		list = append(list, Field{name, reference("messages/" + name)})
	}
	return Object{
		{"address", address},
		{"description", description},
		{"messages", list},
		{"parameters", Object{
			{"agency", Object{{"description", "The agency of the diary: small letters, digits and hyphens, at most 64."}, {"examples", []string{"nccia"}}}},
			{"unit", Object{{"description", "The unit of the diary, written likewise."}, {"examples", []string{"karachi"}}}},
		}},
	}
}

func operation(channel, title, description string) Object {
	var list []any
	for _, name := range requests {
		list = append(list, Object{{"$ref", "#/channels/" + channel + "/messages/" + name}})
	}
	return Object{
		{"action", "receive"},
		{"channel", Object{{"$ref", "#/channels/" + channel}}},
		{"title", title},
		{"description", description},
		{"messages", list},
		{"reply", Object{
			{"channel", Object{{"$ref", "#/channels/replies"}}},
			{"messages", []any{Object{{"$ref", "#/channels/replies/messages/reply"}}}},
		}},
	}
}

// messages are the requests and the reply, with their examples.
func messages() Object {
	raid, arrest := ExamplesOf(domain.TypeRaidConducted)[0], ExamplesOf(domain.TypeArrestMade)[0]
	event, batch := exampleValues(domain.TypeRaidConducted)[0], []any{exampleValues(domain.TypeRaidConducted)[0], exampleValues(domain.TypeArrestMade)[0]}
	return Object{
		{"event", Object{
			{"title", "One event"},
			{"summary", "One CloudEvent, which may be spread over lines."},
			{"contentType", "application/cloudevents+json"},
			{"payload", reference("schemas/event")},
			{"examples", []any{example("a raid", event)}},
		}},
		{"lines", Object{
			{"title", "Events in lines"},
			{"summary", "One event a line; a blank line between submissions."},
			{"description", "Each submission is accepted whole or not at all, and stands or falls alone. Each line follows the schema of an event."},
			{"contentType", "application/x-ndjson"},
			{"payload", Object{{"type", "string"}}},
			{"examples", []any{example("two submissions", raid+"\n\n"+arrest+"\n")}},
		}},
		{"batch", Object{
			{"title", "A CloudEvents batch"},
			{"summary", "A JSON array of events: one submission, accepted whole or not at all."},
			{"contentType", "application/cloudevents-batch+json"},
			{"payload", Object{{"type", "array"}, {"items", reference("schemas/event")}, {"minItems", int64(1)}, {"maxItems", int64(domain.MaxLines)}}},
			{"examples", []any{example("a raid and an arrest", batch)}},
		}},
		{"reply", Object{
			{"title", "The rulings"},
			{"summary", "What became of each event of the request."},
			{"contentType", "application/json"},
			{"headers", headers()},
			{"payload", reference("schemas/reply")},
			{"examples", replyExamples()},
		}},
	}
}

// headers are those of a reply; they stand only where not all is well.
func headers() Object {
	return Object{
		{"type", "object"},
		{"description", "Only where an event was refused or is unanswered."},
		{"properties", Object{
			{codeHeader, Object{{"type", "string"}, {"description", "The code of the result that decides: the first that is refused or unanswered for a reason of its own."}, {"enum", allCodes()}}},
			{textHeader, Object{{"type", "string"}, {"description", "That result in a sentence, for a person: its line and id, the code, the member, what is wrong, the rule and what to do."}}},
			{eventstore.RetryHeader, Object{{"type", "string"}, {"description", "Whether that result's event can be accepted later as it is; another of the request may need mending even so."}, {"enum", []string{"true", "false"}}}},
		}},
	}
}

func allCodes() (names []string) {
	for _, c := range Codes() {
		names = append(names, c.Code)
	}
	return names
}

// example is an example of a message.
func example(name string, payload any) Object {
	return Object{{"name", name}, {"payload", payload}}
}

// replyExamples are replies as the service writes them.
func replyExamples() []any {
	recorded := time.Date(2025, 6, 3, 17, 10, 4, 250e6, time.UTC)
	accepted := eventstore.LineRuling{
		Position: domain.Position{Entry: 12, Line: 1}, Recorded: recorded,
		ID: uuid.MustParse("0197326a-9d00-7a11-8c3e-5b1f0e2d4c02"), Ruling: domain.Ruling{Verdict: domain.Accepted},
	}
	duplicate := eventstore.LineRuling{ID: accepted.ID, Ruling: domain.Ruling{Verdict: domain.Duplicate, First: accepted.Position}}
	refused := eventstore.LineRuling{
		ID:     uuid.MustParse("0197326a-9d00-7a11-8c3e-5b1f0e2d4c05"),
		Ruling: domain.Ruling{Verdict: domain.Refused, Code: domain.BadData, Field: "data.persons", Detail: "is missing"},
	}
	list := []any{
		example("recorded", replyValue(eventstore.ResultOf(1, &accepted))),
		example("recorded before", replyValue(eventstore.ResultOf(1, &duplicate))),
	}
	for _, e := range []struct {
		name   string
		result eventstore.Result
	}{
		{"refused", eventstore.ResultOf(1, &refused)},
		{"unanswered", eventstore.UnansweredResult(1, eventstore.ErrBusy)},
	} {
		list = append(list, Object{
			{"name", e.name},
			{"headers", Object{{codeHeader, string(e.result.Code)}, {textHeader, e.result.Sentence()}, {eventstore.RetryHeader, strconv.FormatBool(e.result.Retry)}}},
			{"payload", replyValue(e.result)},
		})
	}
	return list
}

// replyValue is a reply of one result as a value of a document.
func replyValue(r eventstore.Result) Object {
	reply := eventstore.Reply{Results: []eventstore.Result{r}}
	if !r.Position.IsZero() {
		reply.Marks = []eventstore.Mark{{Entry: r.Position.Entry, Hash: sha256.Sum256([]byte("the bytes of that entry"))}}
	}
	o, err := parseObject(string(reply.AppendJSON(nil)))
	if err != nil {
		panic("schema: a reply that is no JSON: " + err.Error()) // the tests make it
	}
	return o
}
