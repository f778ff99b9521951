package schema

import (
	"roznamcha/domain"
	"roznamcha/eventstore"
)

// addReply defines the service's reply: eventstore.Reply as JSON.
func (d *definitions) addReply() Object {
	return d.ref("reply", func() Object {
		return Object{
			{"title", "What became of a request"},
			{"description", "One result an event, in the order of the events. A submission that is too large, that holds no event or that the recorder could not answer for may have one result for all its events."},
			{"type", "object"},
			{"properties", Object{
				{"results", Object{{"type", "array"}, {"items", d.ref("result", d.result)}, {"minItems", int64(1)}}},
				{"marks", Object{{"type", "array"}, {"items", d.ref("mark", markSchema)}}},
			}},
			{"required", []string{"results"}},
		}
	})
}

// result is the schema of eventstore.Result.
func (d *definitions) result() Object {
	text := func(says string) Object { return Object{{"type", "string"}, {"description", says}} }
	rulings := []string{}
	for v := domain.Accepted; v <= domain.Unrecognised; v++ {
		rulings = append(rulings, v.String())
	}
	var id Object
	for _, m := range domain.DescribeAttributes(domain.TypeRaidConducted) {
		if m.Name == "id" {
			id = d.shape(m.Shape)
		}
	}
	position := d.ref("position", positionSchema)
	says := func(ref Object, words string) Object { return append(ref[:1:1], Field{"description", words}) }
	return Object{
		{"title", "What became of one event"},
		{"type", "object"},
		{"properties", Object{
			{"line", Object{{"type", "integer"}, {"minimum", int64(0)}, {"description", "The event's line in the body of the request, from 1; of a JSON array its place."}}},
			{"id", says(id, "The event's id, where it could be read.")},
			{"ruling", Object{{"type", "string"}, {"enum", append(rulings, eventstore.Unanswered)}}},
			{"position", says(position, "Where it stands in the ledger.")},
			{"recorded", Object{{"type", "string"}, {"format", "date-time"}, {"description", "The recorded time of its entry."}}},
			{"first", says(position, "Where a duplicate's event was accepted; left out by check where that is a line of the same submission.")},
			{"code", Object{{"type", "string"}, {"description", "Why it is refused or unanswered: one word for ever, for programs to act on."}}},
			{"field", text("The member that the code is about, such as data.persons.")},
			{"rule", text("The rule that it breaks.")},
			{"detail", text("What is wrong with it, for a person to read. Where what was sent is very long, … stands for the rest of it here and in the field.")},
			{"cure", text("What its writer does about it.")},
			{"retry", Object{{"type", "boolean"}, {"description", "Whether the same event can be accepted later as it is. Submitting again is always safe."}}},
		}},
		{"required", []string{"line", "ruling"}},
		{"allOf", []any{
			recordedBefore(),
			withCode(domain.Refused.String()),
			withCode(eventstore.Unanswered),
		}},
	}
}

// recordedBefore is what a duplicate that stands in the ledger must have; one
// that is only checked may be of a line that is not there either.
func recordedBefore() Object {
	schema := ruled(domain.Duplicate.String(), "first")
	schema[0].Value = append(schema[0].Value.(Object), Field{"required", []string{"position"}})
	return schema
}

// ruled is what a result of one ruling must have.
func ruled(ruling string, required ...string) Object {
	return Object{{"if", only("ruling", Object{{"const", ruling}})}, {"then", Object{{"required", required}}}}
}

// withCode is what a result must have whose ruling has a code.
func withCode(ruling string) Object {
	schema := ruled(ruling, "code", "retry")
	schema[1].Value = append(schema[1].Value.(Object), only("code", Object{{"enum", codeNames(ruling)}})...)
	return schema
}

// markSchema is the schema of eventstore.Mark.
func markSchema() Object {
	return Object{
		{"title", "A kept place"},
		{"description", "An entry that events of the request went into, with the SHA-256 of its payload. Who keeps it can see later that the ledger did not go back."},
		{"type", "object"},
		{"properties", Object{
			{"entry", Object{{"type", "integer"}, {"minimum", int64(1)}}},
			{"sha256", Object{{"type", "string"}, {"pattern", "^[0-9a-f]{64}$"}}},
		}},
		{"required", []string{"entry", "sha256"}},
	}
}

func positionSchema() Object {
	whole := Object{{"type", "integer"}, {"minimum", int64(1)}}
	return Object{
		{"description", "A place in the ledger: the entry's number, and the line in it."},
		{"type", "object"},
		{"properties", Object{{"entry", whole}, {"line", whole}}},
		{"required", []string{"entry", "line"}},
	}
}
