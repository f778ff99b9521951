package schema

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestAnObjectIsPrintedInItsOrderAndFitsTheLine(t *testing.T) {
	o := Object{
		{"z", "<a> & \"b\"\n"}, {"a", int64(7)}, {"no", false}, {"nothing", nil}, {"empty", Object{}},
		{"words", strings.Fields(strings.Repeat("word ", 60))},
		{"list", []any{Object{{"long", strings.Repeat("x", 90)}}, "b", []string{"c"}}},
	}
	text := printed(t, o)
	again, err := parseObject(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if got, want := again.Line(), o.Line(); got != want {
		t.Errorf("printed and read back it is\n%s\nwas\n%s", got, want)
	}
	var fromPrinted, fromLine any
	if err := json.Unmarshal([]byte(text), &fromPrinted); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(o.Line()), &fromLine); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(fromPrinted, fromLine) {
		t.Errorf("printed it is another value:\n%s", text)
	}
	if strings.Contains(text, `\u003c`) {
		t.Error("escapes what JSON need not")
	}
	for line := range strings.Lines(text) {
		if strings.Contains(line, `"word"`) && len(line) > width+1 {
			t.Errorf("a line of %d bytes: %s", len(line), line)
		}
	}
	if lines := strings.Count(text, "\n"); lines > 20 {
		t.Errorf("%d lines:\n%s", lines, text)
	}
}

func TestWhatSaysNothingIsLeftOut(t *testing.T) {
	var o Object
	for _, nothing := range []any{"", int64(0), []string(nil), []any(nil), Object(nil)} {
		o.add("x", nothing)
	}
	if len(o) > 0 {
		t.Errorf("%v", o)
	}
}
