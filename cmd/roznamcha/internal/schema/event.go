package schema

import (
	"slices"
	"strconv"
	"strings"

	"roznamcha/domain"
)

// draft is the dialect of the schemas (JSON Schema, draft 2020-12).
const draft = "https://json-schema.org/draft/2020-12/schema"

// strict is what no JSON Schema can say of an event, because it speaks of
// values and not of how they are written.
const strict = "What this schema cannot say: a name that stands twice in an object, or also in another letter case, " +
	"is malformed, and so is a whole number written as 1.0 or 1e3; a line nests at most 32 deep. " +
	"An entry holds at most 1,000 events and 1 MiB. What is accepted depends on the ledger too: see roznamcha schema --codes."

// AnyEvent is the JSON Schema of an event of any type.
func AnyEvent() Object {
	d := definitions{at: "#/$defs/"}
	doc := head("event", "An event of any type", "One line of a Roznamcha ledger: a CloudEvents 1.0 object. "+strict)
	doc.add("oneOf", d.everyType())
	doc.add("$defs", d.sorted())
	return doc
}

// Event is the JSON Schema of events of type t.
func Event(t domain.Type) Object {
	d := definitions{at: "#/$defs/"}
	event := d.event(t)
	doc := head(t.String(), t.String(), typeWords[t]+" "+strict)
	for _, f := range event {
		if f.Name != "title" && f.Name != "description" {
			doc = append(doc, f)
		}
	}
	doc.add("$defs", d.sorted())
	return doc
}

// head begins a schema of its own.
func head(name, title, description string) Object {
	return Object{
		{"$schema", draft},
		{"$id", "urn:roznamcha:rules:" + strconv.Itoa(domain.RulesVersion) + ":" + name},
		{"title", title},
		{"description", description},
	}
}

// definitions collects the schemas that others refer to by name.
type definitions struct {
	at   string // what a name stands behind in a $ref
	list Object
}

// ref refers to the definition of that name; make makes it where it is new.
func (d *definitions) ref(name string, make func() Object) Object {
	known := slices.ContainsFunc(d.list, func(f Field) bool { return f.Name == name })
	if !known {
		d.list = append(d.list, Field{name, nil}) // before make, which may ask for others
		made := make()
		i := slices.IndexFunc(d.list, func(f Field) bool { return f.Name == name })
		d.list[i].Value = made
	}
	return Object{{"$ref", d.at + name}}
}

// sorted is all definitions, by name.
func (d *definitions) sorted() Object {
	return slices.SortedFunc(slices.Values(d.list), func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
}

// everyType refers to the schemas of all types.
func (d *definitions) everyType() (refs []any) {
	for _, t := range domain.Types() {
		refs = append(refs, d.ref(t.String(), func() Object { return d.event(t) }))
	}
	return refs
}

// event is the schema of an event of type t.
func (d *definitions) event(t domain.Type) Object {
	event := Object{{"title", t.String()}, {"description", typeWords[t]}, {"type", "object"}}
	event.add("allOf", []any{d.ref("envelope", d.envelope)})
	properties, required := Object{}, []string{}
	for _, m := range domain.DescribeAttributes(t) {
		if subject := m.Name == "subject" && m.Required; subject || m.Name == "type" {
			properties = append(properties, Field{m.Name, d.shape(m.Shape)})
			if subject {
				required = append(required, m.Name)
			}
		}
	}
	properties = append(properties, Field{"data", d.ref(t.String()+".data", func() Object { return d.data(t) })})
	event.add("properties", properties)
	event.add("required", required)
	event.add("examples", exampleValues(t))
	return event
}

// envelope is the schema of what every event has: its CloudEvents attributes.
func (d *definitions) envelope() Object {
	envelope := Object{
		{"title", "The CloudEvents 1.0 envelope"},
		{"description", "The attributes of every event. Extension attributes are kept and ignored."},
		{"type", "object"},
	}
	properties, required := Object{}, []string{}
	for _, m := range domain.DescribeAttributes(domain.TypeRecordLinked) { // a type with no required subject
		if m.Name == "type" {
			m.Shape = domain.Shape{JSON: "string"}
		}
		properties = append(properties, Field{m.Name, d.member(m, attributeWords[m.Name])})
		if m.Required {
			required = append(required, m.Name)
		}
	}
	properties = append(properties, Field{"data", Object{{"type", "object"}}})
	envelope.add("properties", properties)
	envelope.add("required", append(required, "data"))
	return envelope
}

// data is the schema of the data of type t.
func (d *definitions) data(t domain.Type) Object {
	data := Object{{"title", "data of " + t.String()}}
	data.add("description", dataWords[t])
	data = append(data, d.object(domain.Describe(t), memberWords[t])...)
	return append(data, beyond[t]...)
}

// beyond is what a type asks for that none of its members shows by itself, in
// the words of JSON Schema.
var beyond = map[domain.Type]Object{
	domain.TypeLedgerOpened: {{"allOf", []any{
		only("rules", Object{{"const", int64(domain.RulesVersion)}}),
	}}},
	domain.TypeFigurePublished: {
		{"oneOf", []any{
			Object{{"required", []string{"value"}}, {"properties", Object{{"amount", false}}}},
			Object{{"required", []string{"amount"}}, {"properties", Object{
				{"value", false},
				{"amount", only("qualifier", Object{{"const", domain.Exact.String()}})},
			}}},
		}},
		{"allOf", []any{
			only("qualifier", Object{{"not", Object{{"const", domain.Unknown.String()}}}}),
		}},
	},
}

// only narrows one member of an object.
func only(name string, schema Object) Object {
	return Object{{"properties", Object{{name, schema}}}}
}

// member is the schema of a member; words say what it means where it stands.
func (d *definitions) member(m domain.Member, words string) any {
	if m.Absent {
		return false
	}
	schema := d.shape(m.Shape)
	if words != "" {
		schema = slices.DeleteFunc(slices.Clone(schema), func(f Field) bool { return f.Name == "description" })
		schema.add("description", words)
	}
	return schema
}

// object is the schema of an object with these members. words are said of them
// by name.
func (d *definitions) object(members []domain.Member, words map[string]string) Object {
	object, required := Object{{"type", "object"}}, []string{}
	properties := Object{}
	for _, m := range members {
		said := words[m.Name]
		if said == "" {
			said = sharedWords[m.Name]
		}
		properties = append(properties, Field{m.Name, d.member(m, said)})
		if m.Required {
			required = append(required, m.Name)
		}
	}
	object.add("properties", properties)
	object.add("required", required)
	return object
}

// shape is the schema of a value, by reference where its shape has a name.
func (d *definitions) shape(s domain.Shape) Object {
	if s.Name == "" {
		return d.inline(s)
	}
	return d.ref(s.Name, func() Object { return d.inline(s) })
}

// inline is the schema of a value.
func (d *definitions) inline(s domain.Shape) Object {
	var schema Object
	switch s.JSON {
	case "string":
		schema = stringSchema(s)
	case "integer":
		schema = Object{{"type", s.JSON}, {"minimum", int64(0)}, {"maximum", s.Most}}
	case "array":
		schema = Object{{"type", s.JSON}, {"items", d.shape(*s.Element)}, {"minItems", int64(1)}, {"maxItems", s.Most}, {"uniqueItems", true}}
	case "object":
		schema = d.object(s.Members, partWords[s.Name])
		if s.Element != nil {
			schema.add("propertyNames", Object{{"pattern", s.Pattern}})
			schema.add("additionalProperties", d.shape(*s.Element))
			schema.add("maxProperties", s.Most)
		}
	case "boolean":
		schema = Object{{"type", s.JSON}}
	default:
		var either []any
		for _, each := range s.Either {
			either = append(either, d.shape(each))
		}
		schema = Object{{"anyOf", either}}
	}
	schema.add("description", s.Says)
	return schema
}

// stringSchema is the schema of a string. JSON Schema counts characters, and
// none takes less than a byte.
func stringSchema(s domain.Shape) Object {
	if len(s.Words) == 1 {
		return Object{{"const", s.Words[0]}}
	}
	schema := Object{{"type", s.JSON}}
	schema.add("enum", s.Words)
	schema.add("pattern", s.Pattern)
	schema.add("maxLength", s.Most)
	return schema
}
