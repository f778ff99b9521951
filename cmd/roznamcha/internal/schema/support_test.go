package schema

import (
	"bytes"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"roznamcha/domain"
)

// asJSON is what a JSON Schema validator makes of a text.
func asJSON(t rapid.TB, text string) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return v
}

// printed is o as it is printed.
func printed(t testing.TB, o Object) string {
	t.Helper()
	var out bytes.Buffer
	if err := o.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// compile compiles the schema at a JSON pointer in doc, of that draft where doc
// does not say.
func compile(t testing.TB, doc Object, pointer string, draft *jsonschema.Draft) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(draft)
	c.AssertFormat()
	if err := c.AddResource("doc.json", asJSON(t, printed(t, doc))); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("doc.json#" + pointer)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// schemas are all that say what an event is.
type schemas struct {
	any, asyncapi *jsonschema.Schema
	types         map[domain.Type]*jsonschema.Schema
}

func compileAll(t testing.TB) schemas {
	s := schemas{
		any:      compile(t, AnyEvent(), "", jsonschema.Draft2020),
		asyncapi: compile(t, AsyncAPI(), "/components/schemas/event", jsonschema.Draft7),
		types:    map[domain.Type]*jsonschema.Schema{},
	}
	for _, typ := range domain.Types() {
		s.types[typ] = compile(t, Event(typ), "", jsonschema.Draft2020)
	}
	return s
}

// validate is what the schemas have against line, an event of type typ or meant
// to be one. They must agree.
func (s *schemas) validate(t rapid.TB, typ domain.Type, line string) error {
	t.Helper()
	v := asJSON(t, line)
	err, errAny, errAsync := s.types[typ].Validate(v), s.any.Validate(v), s.asyncapi.Validate(v)
	if o, _ := v.(map[string]any); o["type"] == typ.String() && (err == nil) != (errAny == nil) || (errAny == nil) != (errAsync == nil) {
		t.Fatalf("the schemas do not agree on\n%s\nof %s: %v\nof any event: %v\nof AsyncAPI: %v", line, typ, err, errAny, errAsync)
	}
	return err
}
