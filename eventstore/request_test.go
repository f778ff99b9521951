package eventstore_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

func submissionsOf(body string) (got []string, refusal *domain.Refusal) {
	refusal = eventstore.Submissions([]byte(body), func(line int, submission []byte) {
		got = append(got, fmt.Sprintf("%d %s", line, submission))
	})
	return got, refusal
}

func TestSubmissionsOfEveryBody(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       []string
		code       domain.Code
	}{
		{"one event", `{"a":1}`, []string{`1 {"a":1}`}, ""},
		{"one event and a line end", "{\"a\":1}\r\n", []string{`1 {"a":1}`}, ""},
		{"one event over lines", "\n {\n \"a\": 1,\n\"b\": \"x y\"\n}\n", []string{`2 {"a":1,"b":"x y"}`}, ""},
		{"two events over lines", "{\n \"a\": 1}\n\n{\n \"b\": 2}", []string{`1 {"a":1}`, `4 {"b":2}`}, ""},
		{"lines", "{\"a\":1}\n{\"b\":2}\n", []string{"1 {\"a\":1}\n{\"b\":2}"}, ""},
		{"submissions", "\n\n{\"a\":1}\n{\"b\":2}\n \t\r\n\n{\"c\":3}\n\n", []string{"3 {\"a\":1}\n{\"b\":2}", `7 {"c":3}`}, ""},
		{"junk", "{\n}{\n\nnull\nx", []string{"1 {\r}{", "4 null\nx"}, ""},
		{"a broken event over lines", "\n{\n \"a\": [\n  {},\n {}\n ],\n}\n\n{\"b\":2}\n", []string{"2 {\r \"a\": [\r  {},\r {}\r ],\r}", `9 {"b":2}`}, ""},
		{"a broken event over lines with CR LF", "{\r\n \"a\": 1,\r\n}\r\n", []string{"1 {\r\r \"a\": 1,\r\r}"}, ""},
		{"a line end in a string", "{\"a\":\"x\ny\"}", []string{"1 {\"a\":\"x\ry\"}"}, ""},
		{"an event over lines behind a byte order mark", "\ufeff{\n \"a\": 1\n}", []string{"1 \ufeff{\r \"a\": 1\r}"}, ""},
		{"two events over lines without a blank line", "{\n \"a\": 1\n}\n{\n \"b\": 2\n}", []string{"1 {\r \"a\": 1\r}\r{\r \"b\": 2\r}"}, ""},
		{"events as in an array, without it", "{\"a\":1},\n{\"b\":2}", []string{"1 {\"a\":1},\n{\"b\":2}"}, ""},
		{"a broken line among lines", "{\"a\":1,}\n{\"b\":2}\r\n", []string{"1 {\"a\":1,}\n{\"b\":2}"}, ""},
		{"broken lines", "{\"a\":1,}\n{\"b\":2,} \n{\"c\":3", []string{"1 {\"a\":1,}\n{\"b\":2,} \n{\"c\":3"}, ""},
		{"lines behind a byte order mark", "\ufeff{\"a\":1}\n{\"b\":2}", []string{"1 \ufeff{\"a\":1}\n{\"b\":2}"}, ""},
		{"a line, then an event over lines", "{\"a\":1}\n{\n\"b\":2}", []string{"1 {\"a\":1}\n{\n\"b\":2}"}, ""},
		{"an array", " [ {\"a\": 1},\n\n {\"b\": [1, 2]}, 3 ] ", []string{"1 {\"a\":1}\n{\"b\":[1,2]}\n3"}, ""},
		{"no array", `[{"a":1}`, nil, domain.Malformed},
		{"an array and more", `[{"a":1}] {}`, nil, domain.Malformed},
		{"an empty array", `[ ]`, nil, domain.Malformed},
		{"nothing", "", nil, domain.Malformed},
		{"blank lines", " \n\r\n", nil, domain.Malformed},
		{"1,000 lines", strings.Repeat("{}\n", 1000), []string{"1 " + strings.Repeat("{}\n", 999) + "{}"}, ""},
		{"1,001 lines", strings.Repeat("{}\n", 1001), nil, domain.TooLarge},
		{"1,001 submissions", strings.Repeat("x\n\n", 1001), nil, domain.TooLarge},
		{"1,001 events in an array", "[" + strings.Repeat("{},", 1000) + "{}]", nil, domain.TooLarge},
		{"1 MiB", strings.Repeat("x", 1<<20), []string{"1 " + strings.Repeat("x", 1<<20)}, ""},
		{"more than 1 MiB", strings.Repeat("x", 1<<20+1), nil, domain.TooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, refusal := submissionsOf(c.body)
			if c.code != "" {
				if refusal == nil || refusal.Code != c.code {
					t.Fatalf("got %q, %v; want %s", got, refusal, c.code)
				}
				return
			}
			if refusal != nil || !slices.Equal(got, c.want) {
				t.Errorf("got %q, %v; want %q", got, refusal, c.want)
			}
		})
	}
}

// TestSubmissionsKeepEveryLine makes bodies of lines and blank lines: every line
// is in one submission, in order, with its number.
func TestSubmissionsKeepEveryLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{`{"a":1}`, "x", `{"a":`, "", " ", "\r", `{}`}), 1, 40).Draw(t, "lines")
		var want []string
		for i, line := range lines {
			if text := strings.TrimSpace(line); text != "" {
				want = append(want, fmt.Sprintf("%d %s", i+1, text))
			}
		}
		var got []string
		refusal := eventstore.Submissions([]byte(strings.Join(lines, "\n")), func(first int, submission []byte) {
			if bytes.Contains(submission, []byte("\r")) && json.Valid(submission) {
				t.Fatalf("the lines of %q were no event, and are one now", submission)
			}
			submission = bytes.ReplaceAll(submission, []byte("\r"), []byte("\n")) // of a broken event
			for i, line := range strings.Split(string(submission), "\n") {
				got = append(got, fmt.Sprintf("%d %s", first+i, strings.TrimSpace(line)))
			}
			if last := first + strings.Count(string(submission), "\n"); last < len(lines) && strings.TrimSpace(lines[last]) != "" {
				t.Fatalf("the submission %q ends before line %d, which is not blank", submission, last+1)
			}
		})
		if len(want) == 0 {
			if refusal == nil {
				t.Fatal("an empty body is not refused")
			}
		} else if refusal != nil || !slices.Equal(got, want) {
			t.Fatalf("got %q, %v; want %q", got, refusal, want)
		}
	})
}
