package eventstore_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"pgregory.net/rapid"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

// plain is a Result as encoding/json writes it: retry stands with code.
type plain struct {
	Line     int             `json:"line"`
	ID       uuid.UUID       `json:"id,omitzero"`
	Ruling   string          `json:"ruling"`
	Position domain.Position `json:"position,omitzero"`
	Recorded time.Time       `json:"recorded,omitzero"`
	First    domain.Position `json:"first,omitzero"`
	Code     domain.Code     `json:"code,omitempty"`
	Field    string          `json:"field,omitempty"`
	Rule     string          `json:"rule,omitempty"`
	Detail   string          `json:"detail,omitempty"`
	Cure     string          `json:"cure,omitempty"`
	Retry    *bool           `json:"retry,omitempty"`
}

// plainJSON is r as encoding/json writes it.
func plainJSON(t rapid.TB, r eventstore.Reply) []byte {
	out := struct {
		Results []plain           `json:"results"`
		Marks   []eventstore.Mark `json:"marks,omitempty"`
	}{[]plain{}, r.Marks}
	for _, r := range r.Results {
		p := plain{r.Line, r.ID, r.Ruling, r.Position, r.Recorded, r.First, r.Code, r.Field, r.Rule, r.Detail, r.Cure, nil}
		if r.Code != "" {
			p.Retry = &r.Retry
		}
		out.Results = append(out.Results, p)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// anyReply draws replies, with every sort of text in them.
var anyReply = rapid.Custom(func(t *rapid.T) eventstore.Reply {
	r := eventstore.Reply{Results: rapid.SliceOfN(anyResult, 1, 20).Draw(t, "results")}
	for range rapid.IntRange(0, 3).Draw(t, "marks") {
		hash := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "hash")
		r.Marks = append(r.Marks, eventstore.Mark{Entry: rapid.Uint64Range(1, 1<<54).Draw(t, "entry"), Hash: [32]byte(hash)})
	}
	return r
})

var anyResult = rapid.Custom(func(t *rapid.T) eventstore.Result {
	text := rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[a-z ./,:]{1,40}`), rapid.String())
	position := rapid.Custom(func(t *rapid.T) (p domain.Position) {
		if rapid.Bool().Draw(t, "there") {
			p = domain.Position{Entry: rapid.Uint64Range(1, 1<<54).Draw(t, "entry"), Line: rapid.IntRange(1, 1000).Draw(t, "line")}
		}
		return p
	})
	r := eventstore.Result{
		Line:     rapid.IntRange(0, 5000).Draw(t, "line"),
		Ruling:   rapid.SampledFrom([]string{"accepted", "duplicate", "refused", "unrecognised", eventstore.Unanswered}).Draw(t, "ruling"),
		Position: position.Draw(t, "position"),
		First:    position.Draw(t, "first"),
	}
	if rapid.Bool().Draw(t, "id") {
		r.ID = uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes"))
	}
	if rapid.Bool().Draw(t, "recorded") {
		r.Recorded = time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC()
	}
	if rapid.Bool().Draw(t, "coded") {
		r.Code = domain.Code(rapid.StringMatching(`[a-z-]{1,20}`).Draw(t, "code"))
		r.Field, r.Rule, r.Detail, r.Cure = text.Draw(t, "field"), text.Draw(t, "rule"), text.Draw(t, "detail"), text.Draw(t, "cure")
		r.Retry = rapid.Bool().Draw(t, "retry")
	}
	return r
})

func TestReplyIsWhatEncodingJSONWritesAndReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyReply.Draw(t, "reply")
		written := want.AppendJSON(nil)
		var got eventstore.Reply
		if err := json.Unmarshal(written, &got); err != nil {
			t.Fatalf("%v in %s", err, written)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("encoding/json reads %+v\nin %s\nwant %+v", got, written, want)
		}
		for _, by := range []struct {
			name string
			json []byte
		}{{"AppendJSON", written}, {"encoding/json", plainJSON(t, want)}} {
			got, err := eventstore.ParseReply(by.json)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("ParseReply of what %s wrote: %+v, %v\nin %s\nwant %+v", by.name, got, err, by.json, want)
			}
		}
	})
}

func TestReplyIsByteForByteThatOfEncodingJSON(t *testing.T) {
	r := eventstore.Reply{Results: []eventstore.Result{
		{Line: 1, ID: uuid.MustParse("0198a7c2-6f1e-7c3a-9d51-0c8f5a2b7e10"), Ruling: "accepted", Position: domain.Position{Entry: 12, Line: 1}, Recorded: time.Date(2026, 11, 22, 16, 20, 31, 5000, time.UTC)},
		{Line: 2, Ruling: "duplicate", First: domain.Position{Entry: 3, Line: 999}},
		{Line: 3, Ruling: "refused", Code: "bad-data", Field: "data.persons", Rule: `the "data"`, Detail: "a\\b … é", Cure: "mend it", Retry: true},
		{Line: 4, Ruling: "unanswered", Code: "gap"},
	}, Marks: []eventstore.Mark{{Entry: 12, Hash: [32]byte{1, 254}}, {Entry: 13}}}
	if got, want := string(r.AppendJSON(nil)), string(plainJSON(t, r)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestParseReplyIgnoresWhatItDoesNotKnowAndRefusesWhatIsNone(t *testing.T) {
	got, err := eventstore.ParseReply([]byte(` { "more": 1, "results": [ {"ruling":"accepted", "new": {"a":[]}, "line": 7} ] }`))
	if err != nil || len(got.Results) != 1 || got.Results[0].Line != 7 || got.Results[0].Ruling != "accepted" {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{``, `{}`, `null`, `{"results":null}`, `{"results":[{"line":1,"ruling":"accepted"}]`, `{"results":[{"line":01,"ruling":"accepted"}]}`,
		`{"results":[{"line":1,"id":"x","ruling":"accepted"}]}`, `{"results":[{"line":1,"ruling":"accepted","recorded":"today"}]}`, `{"results":[{"line":1,"ruling":"accepted"}]} x`,
		"{\"results\":[{\"line\":1,\"ruling\":\"acc\nepted\"}]}"} {
		if got, err := eventstore.ParseReply([]byte(bad)); err == nil {
			t.Errorf("%s is read as %+v", bad, got)
		}
	}
}

func TestResultKeepsEverythingOfARuling(t *testing.T) {
	for _, want := range []eventstore.LineRuling{
		{Position: domain.Position{Entry: 4, Line: 2}, Recorded: time.Now().UTC(), ID: uuid.New(), Ruling: domain.Ruling{Verdict: domain.Accepted}},
		{ID: uuid.New(), Ruling: domain.Ruling{Verdict: domain.Duplicate, First: domain.Position{Entry: 1, Line: 1}}},
		{Ruling: domain.Ruling{Verdict: domain.Refused, Code: domain.BadData, Field: "data.persons", Detail: "is missing"}},
		{Ruling: domain.Ruling{Verdict: domain.Unrecognised, Code: domain.UnknownType}},
	} {
		reply := eventstore.Reply{Results: []eventstore.Result{eventstore.ResultOf(9, &want)}}
		read, err := eventstore.ParseReply(reply.AppendJSON(nil))
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := read.Results[0].LineRuling(); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v; want %+v", got, ok, want)
		}
		if info := want.Code.Info(); read.Results[0].Rule != info.Means || read.Results[0].Cure != info.Cure || read.Results[0].Retry != info.Retry {
			t.Errorf("%+v does not tell what %s means", read.Results[0], want.Code)
		}
	}
}

// TestEveryErrorHasACode reads errors.go: whatever the store can answer has a
// code, and what it means, and a client makes the same kind of error of it.
func TestEveryErrorHasACode(t *testing.T) {
	kinds := map[string]error{
		"ErrBusy": eventstore.ErrBusy, "ErrUnavailable": eventstore.ErrUnavailable, "ErrDiskFull": eventstore.ErrDiskFull,
		"ErrUnknownOutcome": eventstore.ErrUnknownOutcome, "ErrNoLedger": eventstore.ErrNoLedger, "ErrNotEmpty": eventstore.ErrNotEmpty,
		"ErrTooLarge": eventstore.ErrTooLarge, "ErrNoJetStream": eventstore.ErrNoJetStream, "ErrDenied": eventstore.ErrDenied,
		"ErrRejected": eventstore.ErrRejected, "ErrClosed": eventstore.ErrClosed,
		"UnsafeError": &eventstore.UnsafeError{}, "GapError": &eventstore.GapError{Want: 2, Got: 4}, "WentBackError": &eventstore.WentBackError{Had: 3, Tail: 1},
	}
	codes := map[domain.Code]string{}
	for _, name := range errorKinds(t) {
		err := kinds[name]
		if err == nil {
			t.Errorf("%s has no code: give it one in code.go, and put it into this test", name)
			continue
		}
		code := eventstore.CodeOf(fmt.Errorf("record: %w", &eventstore.Error{Op: "append", Kind: err, Err: eventstore.ErrUnavailable}))
		if name != "ErrUnavailable" && code == eventstore.Unavailable {
			t.Errorf("%s is told as its cause", name)
		}
		if other := codes[code]; other != "" {
			t.Errorf("%s and %s have the code %s", name, other, code)
		}
		codes[code] = name
		if info := eventstore.CodeInfoOf(code); info.Means == "" || info.Cure == "" {
			t.Errorf("%s: nobody says what %s means", name, code)
		}
		result := eventstore.UnansweredResult(3, &eventstore.Error{Op: "append", Kind: err, Err: errors.New("for a test"), Try: "this"})
		if strings.HasPrefix(name, "Err") && !errors.Is(result.Err(), err) {
			t.Errorf("%s comes back as %v", name, result.Err())
		}
		if result.Code != code || result.Detail != "for a test" {
			t.Errorf("%s: %+v", name, result)
		}
	}
	if got := eventstore.CodeOf(errors.New("no ruling came")); got != eventstore.Closed {
		t.Errorf("an error of another sort is %s", got)
	}
}

// TestAnUnansweredResultClosesItsBrackets: what to do is cut out of what is wrong.
func TestAnUnansweredResultClosesItsBrackets(t *testing.T) {
	trouble := &eventstore.Error{Op: "append", Kind: eventstore.ErrUnavailable, Err: errors.New("gone (for a test)"), Try: "it again (soon)"}
	err := &eventstore.Error{Op: "record", Kind: eventstore.ErrUnknownOutcome, Err: fmt.Errorf("%w (%w)", context.DeadlineExceeded, trouble)}
	want := "context deadline exceeded (append: the server cannot be reached: gone (for a test))"
	if got := eventstore.UnansweredResult(1, err).Detail; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// errorKinds are the names of the sentinels and error types of errors.go, but for
// Error, which carries them.
func errorKinds(t *testing.T) (names []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, object := range f.Scope.Objects {
		switch {
		case object.Kind == ast.Var && strings.HasPrefix(name, "Err"),
			object.Kind == ast.Typ && strings.HasSuffix(name, "Error") && name != "Error":
			names = append(names, name)
		}
	}
	if len(names) < 10 {
		t.Fatalf("only %v in errors.go: is the test looking in the right place?", names)
	}
	return names
}

func TestCodesAreOneWordForOneThing(t *testing.T) {
	seen := map[domain.Code]bool{}
	for _, infos := range [][]domain.CodeInfo{domain.CodeInfos, eventstore.CodeInfos} {
		for _, info := range infos {
			if seen[info.Code] {
				t.Errorf("%s is there twice", info.Code)
			}
			seen[info.Code] = true
			if eventstore.CodeInfoOf(info.Code) != info {
				t.Errorf("CodeInfoOf(%s) is another", info.Code)
			}
		}
	}
}

func TestDecidingResultIsTheOneThatCausedTheOthers(t *testing.T) {
	codes := func(codes ...domain.Code) eventstore.Reply {
		var r eventstore.Reply
		for _, code := range codes {
			r.Results = append(r.Results, eventstore.Result{Code: code})
		}
		return r
	}
	for _, c := range []struct {
		reply eventstore.Reply
		want  int
	}{
		{codes("", ""), -1},
		{codes("", domain.BadData, domain.Malformed), 1},
		{codes(domain.WithRefused, "", domain.BadData), 2},
		{codes("", domain.WithRefused), 1},
	} {
		if got := c.reply.Deciding(); got != c.want {
			t.Errorf("%v: got %d, want %d", c.reply, got, c.want)
		}
	}
}

// TestLargestReplyIsLessThanAMebibyte: with its headers, whatever strangers wrote
// and whichever code it is, for a thousand events in as many entries. What is cut
// short is still text.
func TestLargestReplyIsLessThanAMebibyte(t *testing.T) {
	nasty := []string{"x", `"`, "\x01", "x\xff", "…", "\U0001F600", `\u0001`}
	for _, code := range slices.Concat(domain.CodeInfos, eventstore.CodeInfos) {
		for _, text := range nasty {
			line := eventstore.LineRuling{
				Position: domain.Position{Entry: math.MaxUint64, Line: domain.MaxLines}, Recorded: time.Date(2026, 11, 23, 6, 7, 8, 123456789, time.UTC), ID: uuid.New(),
				Ruling: domain.Ruling{Verdict: domain.Refused, Code: code.Code, Field: "data." + strings.Repeat(text, 10_000), Detail: strings.Repeat(text, 10_000)},
			}
			one := eventstore.ResultOf(domain.MaxEntryBytes, &line)
			reply := eventstore.Reply{
				Results: slices.Repeat([]eventstore.Result{one}, domain.MaxLines),
				Marks:   slices.Repeat([]eventstore.Mark{{Entry: math.MaxUint64}}, domain.MaxLines),
			}
			msg := nats.Msg{Data: reply.AppendJSON(nil), Header: nats.Header{
				micro.ErrorCodeHeader: {string(one.Code)}, micro.ErrorHeader: {one.Sentence()}, eventstore.RetryHeader: {"false"},
			}}
			if msg.Size() >= 1<<20 {
				t.Fatalf("%s of %q: %d bytes", code.Code, text, msg.Size())
			}
			if len(one.Field) < 50 || !strings.HasSuffix(one.Field, "…") || !strings.HasSuffix(one.Detail, "…") || !utf8.ValidString(one.Field+one.Detail) {
				t.Errorf("%s of %q: field %.200q, detail %.1000q", code.Code, text, one.Field, one.Detail)
			}
		}
	}
}

// TestAStaleAmendmentNamesTheCurrentVersionWhole: however long the names are.
func TestAStaleAmendmentNamesTheCurrentVersionWhole(t *testing.T) {
	token := strings.Repeat("x", 64)
	record := domain.RecordName{Kind: "forfeiture", Diary: domain.Diary{Agency: token, Unit: token}, ID: strings.Repeat(`"`, 128)}
	detail := record.String() + " stands as event " + uuid.NewString() + " at 18446744073709551615:1000, a retraction"
	line := eventstore.LineRuling{
		Position: domain.Position{Entry: math.MaxUint64, Line: domain.MaxLines}, Recorded: time.Now(), ID: uuid.New(),
		Ruling: domain.Ruling{Verdict: domain.Refused, Code: domain.StaleAmendment, Field: "data.amends", Detail: detail},
	}
	if r := eventstore.ResultOf(domain.MaxLines, &line); r.Detail != detail || r.Field != "data.amends" {
		t.Errorf("field %q, detail %q, want %q", r.Field, r.Detail, detail)
	}
	unanswered := eventstore.UnansweredResult(1, errors.New(strings.Repeat("x", 10_000)))
	if n := len(unanswered.AppendJSON(nil)); n > 1<<10 {
		t.Errorf("an unanswered result takes %d bytes", n)
	}
}

func BenchmarkReply(b *testing.B) {
	one := eventstore.Result{Line: 1, ID: uuid.New(), Ruling: "accepted", Position: domain.Position{Entry: 123456, Line: 17}, Recorded: time.Now()}
	for _, n := range []int{1, 100} {
		var r eventstore.Reply
		for range n {
			r.Results = append(r.Results, one)
		}
		r.Marks = []eventstore.Mark{{Entry: 123456}}
		written := r.AppendJSON(nil)
		b.Run(fmt.Sprintf("append-%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				written = r.AppendJSON(written[:0])
			}
		})
		b.Run(fmt.Sprintf("parse-%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := eventstore.ParseReply(written); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
