package schema

import (
	_ "embed"
	"strings"

	"roznamcha/domain"
)

// examplesText holds one event a line. In this order, each a submission of its
// own, a new ledger accepts them all.
//
//go:embed examples.jsonl
var examplesText string

// Examples is every example, in an order in which a new ledger accepts them:
// one line at least of every type of the catalogue, the first being
// ledger.opened.
func Examples() []string {
	return strings.Split(strings.TrimSpace(examplesText), "\n")
}

// ExamplesOf are the examples of type t, the fullest first.
func ExamplesOf(t domain.Type) (lines []string) {
	for _, line := range Examples() {
		if strings.Contains(line, `"type":"`+t.String()+`"`) {
			lines = append(lines, line)
		}
	}
	return lines
}

// exampleValues are the examples of type t as values of a document.
func exampleValues(t domain.Type) (values []any) {
	for _, line := range ExamplesOf(t) {
		o, err := parseObject(line)
		if err != nil {
			panic("schema: examples.jsonl: " + err.Error()) // it is compiled in, and a test reads it
		}
		values = append(values, o)
	}
	return values
}
