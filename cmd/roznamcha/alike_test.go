package main

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"roznamcha/eventstore"
)

// TestRecordPrintsTheMembersThatTheServiceAnswers: who reads `record --json` and
// the service's replies learns one set of names.
func TestRecordPrintsTheMembersThatTheServiceAnswers(t *testing.T) {
	answered := members(reflect.TypeFor[eventstore.Result]())
	replays := []string{"event", "text", "version"} // what only replay prints
	for name := range members(reflect.TypeFor[lineJSON]()) {
		if !slices.Contains(replays, name) && !answered[name] {
			t.Errorf("record --json has %q, which the service calls otherwise", name)
		}
	}
	for _, name := range []string{"position", "recorded", "id", "ruling", "first", "code", "field", "detail", "cure"} {
		if !answered[name] {
			t.Errorf("the service does not answer with %q", name)
		}
	}
}

// members are the names that a struct's fields have in JSON.
func members(t reflect.Type) map[string]bool {
	names := map[string]bool{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names[name] = true
	}
	return names
}
