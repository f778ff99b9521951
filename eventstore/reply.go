package eventstore

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"roznamcha/domain"
)

// Reply is how the recorder's service answers a request: one result an event, in
// the order of the events. A submission that is too large, that has no line or
// that the recorder could not answer for may have one result for all its lines.
// With its headers it is smaller than 1 MiB as JSON.
type Reply struct {
	Results []Result `json:"results"`
	// Marks are the entries that its events went into, for who keeps the place
	// (Receipt.Mark).
	Marks []Mark `json:"marks,omitempty"`
}

// Result is what became of one event of a request. In JSON a member stands only
// where it has something to say; retry stands with code.
type Result struct {
	// Line is the event's line in the body of the request, from 1; of a JSON
	// array its place.
	Line int `json:"line"`
	// ID is the event's id, where it could be read.
	ID uuid.UUID `json:"id,omitzero"`
	// Ruling is the word of a domain.Verdict, or Unanswered.
	Ruling string `json:"ruling"`
	// Position and Recorded are those of a LineRuling.
	Position domain.Position `json:"position,omitzero"`
	Recorded time.Time       `json:"recorded,omitzero"`
	// First is where a duplicate's event was accepted; zero for one of an event
	// that was checked with it and is not in the ledger.
	First domain.Position `json:"first,omitzero"`
	// Code says why it is refused or unanswered, Field and Detail what is wrong
	// with it; what a stranger wrote into them may be cut short (…). Rule, Cure
	// and Retry are what CodeInfoOf says of the code.
	Code   domain.Code `json:"code,omitempty"`
	Field  string      `json:"field,omitempty"`
	Rule   string      `json:"rule,omitempty"`
	Detail string      `json:"detail,omitempty"`
	Cure   string      `json:"cure,omitempty"`
	Retry  bool        `json:"retry,omitempty"`
}

// Unanswered is the Result.Ruling of an event that the recorder could not answer
// for. Its code is one of CodeInfos.
const Unanswered = "unanswered"

// ResultOf is the result for one line of a receipt.
func ResultOf(line int, r *LineRuling) Result {
	out := Result{
		Line: line, ID: r.ID, Ruling: r.Verdict.String(), Position: r.Position, Recorded: r.Recorded, First: r.First,
		Code: r.Code, Field: r.Field, Detail: r.Detail,
	}
	if r.Code != "" {
		out.explain()
	}
	return out
}

// UnansweredResult is the result where there is an error of this package instead
// of a receipt.
func UnansweredResult(line int, err error) Result {
	out := Result{Line: line, Ruling: Unanswered, Code: CodeOf(err)}
	var e *Error
	if errors.As(err, &e) {
		err = e.Err // the code and the rule say the rest
	}
	if err != nil {
		out.Detail = withoutTry(err.Error())
	}
	out.explain()
	return out
}

// withoutTry is what an error says but what to do, which follows from the code.
func withoutTry(s string) string {
	s, _, cut := strings.Cut(s, ". Try: ")
	if cut { // within brackets, perhaps
		s += strings.Repeat(")", max(strings.Count(s, "(")-strings.Count(s, ")"), 0))
	}
	return s
}

func (r *Result) explain() {
	info := CodeInfoOf(r.Code)
	r.Rule, r.Cure, r.Retry = info.Means, info.Cure, info.Retry
	r.shorten(&r.Field, 50)
	r.shorten(&r.Detail, 0)
}

// mostResult is the most that a result takes as JSON, in bytes: a thousand of
// them with a mark each, and the headers, are less than 1 MiB.
const mostResult = 930

// shorten leaves the end of a text of r out where r takes more than it may, but
// not of the first least bytes.
func (r *Result) shorten(text *string, least int) {
	const rest = "…"
	var on [mostResult]byte
	over := len(r.AppendJSON(on[:0])) - mostResult
	if over <= 0 {
		return
	}
	s := strings.ToValidUTF8(*text, "\uFFFD") // as it is written
	if most := max(least, len(s)-over-len(rest)); most < len(s) {
		*text = strings.ToValidUTF8(s[:most], "") + rest
	}
}

// LineRuling is the ruling that r tells of; false where it is unanswered.
func (r *Result) LineRuling() (out LineRuling, ok bool) {
	for _, v := range [...]domain.Verdict{domain.Accepted, domain.Duplicate, domain.Refused, domain.Unrecognised} {
		if r.Ruling == v.String() {
			return LineRuling{
				Position: r.Position, Recorded: r.Recorded, ID: r.ID,
				Ruling: domain.Ruling{Verdict: v, Code: r.Code, First: r.First, Field: r.Field, Detail: r.Detail},
			}, true
		}
	}
	return LineRuling{}, false
}

// Err is the error that an unanswered result tells of, of the kind that its code
// stands for; ErrClosed for the alarms.
func (r *Result) Err() *Error {
	e := &Error{Op: "record", Kind: ErrClosed, Try: r.Cure}
	if r.Detail != "" {
		e.Err = errors.New(r.Detail)
	}
	for _, a := range answers {
		if a.Code == r.Code && a.kind != nil {
			e.Kind = a.kind
		}
	}
	return e
}

// RetryHeader is the header of a reply with the Retry of the deciding result,
// "true" or "false", beside the error headers of NATS services, which have its
// Code and its Sentence.
const RetryHeader = "Roznamcha-Retry"

// Sentence says in one line why r was refused or is unanswered, by which rule,
// and what to do.
func (r *Result) Sentence() string {
	s := "line " + strconv.Itoa(r.Line)
	if r.ID != uuid.Nil {
		s += " (" + r.ID.String() + ")"
	}
	s += ": " + (&domain.Refusal{Code: r.Code, Field: r.Field, Detail: r.Detail}).Error()
	if r.Rule != "" {
		s += ". Rule: " + r.Rule
	}
	if r.Cure != "" {
		s += ". Try: " + r.Cure
	}
	return s
}

// Deciding is the index of the result that says why not all is well: the first
// that is not accepted or a duplicate, one that is refused only with another
// coming after that. -1 where all is well.
func (r *Reply) Deciding() int {
	with := -1
	for i := range r.Results {
		switch code := r.Results[i].Code; {
		case code == "":
		case code != domain.WithRefused:
			return i
		case with < 0:
			with = i
		}
	}
	return with
}

// AppendJSON appends r as JSON, without white space.
func (r *Reply) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"results":[`...)
	for i := range r.Results {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = r.Results[i].AppendJSON(dst)
	}
	dst = append(dst, ']')
	for i, m := range r.Marks {
		if i == 0 {
			dst = append(dst, `,"marks":[`...)
		} else {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"entry":`...)
		dst = strconv.AppendUint(dst, m.Entry, 10)
		dst = append(dst, `,"sha256":"`...)
		dst = hex.AppendEncode(dst, m.Hash[:])
		dst = append(dst, `"}`...)
	}
	if len(r.Marks) > 0 {
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// MarkOf is the mark of a receipt of this reply: of the entry that its lines went
// into.
func (r *Reply) MarkOf(rulings []LineRuling) Mark {
	for i := len(rulings) - 1; i >= 0; i-- {
		for _, m := range r.Marks {
			if m.Entry == rulings[i].Position.Entry {
				return m
			}
		}
	}
	return Mark{}
}

// AppendJSON appends r as JSON, without white space.
func (r *Result) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"line":`...)
	dst = strconv.AppendInt(dst, int64(r.Line), 10)
	if r.ID != uuid.Nil {
		dst = append(dst, `,"id":"`...)
		dst = appendID(dst, r.ID)
		dst = append(dst, '"')
	}
	dst = appendMember(dst, `,"ruling":`, r.Ruling)
	dst = appendPosition(dst, `,"position":`, r.Position)
	if !r.Recorded.IsZero() {
		dst = append(dst, `,"recorded":"`...)
		dst = r.Recorded.UTC().AppendFormat(dst, time.RFC3339Nano)
		dst = append(dst, '"')
	}
	dst = appendPosition(dst, `,"first":`, r.First)
	if r.Code != "" {
		dst = appendMember(dst, `,"code":`, string(r.Code))
		dst = appendMember(dst, `,"field":`, r.Field)
		dst = appendMember(dst, `,"rule":`, r.Rule)
		dst = appendMember(dst, `,"detail":`, r.Detail)
		dst = appendMember(dst, `,"cure":`, r.Cure)
		dst = append(dst, `,"retry":`...)
		dst = strconv.AppendBool(dst, r.Retry)
	}
	return append(dst, '}')
}

func appendID(dst []byte, id uuid.UUID) []byte {
	const digits = "0123456789abcdef"
	for i, b := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		dst = append(dst, digits[b>>4], digits[b&15])
	}
	return dst
}

func appendPosition(dst []byte, name string, p domain.Position) []byte {
	if p.IsZero() {
		return dst
	}
	dst = append(append(dst, name...), `{"entry":`...)
	dst = strconv.AppendUint(dst, p.Entry, 10)
	dst = append(dst, `,"line":`...)
	dst = strconv.AppendInt(dst, int64(p.Line), 10)
	return append(dst, '}')
}

// appendMember appends a member with a text, unless that is empty.
func appendMember(dst []byte, name, s string) []byte {
	if s == "" {
		return dst
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	dst = append(append(dst, name...), '"')
	plain := 0 // s[plain:i] needs no escape
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[plain:i]...)
		plain = i + 1
		if c < ' ' {
			dst = append(dst, `\u00`...)
			dst = append(dst, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		} else {
			dst = append(dst, '\\', c)
		}
	}
	return append(append(dst, s[plain:]...), '"')
}

// ParseReply reads a reply. Members that it does not know are ignored.
func ParseReply(data []byte) (Reply, error) {
	scan := replyScanner{rest: string(data)}
	if r, ok := scan.reply(); ok {
		return r, nil
	}
	// Not as AppendJSON writes it, or with escapes in its texts.
	var r Reply
	if err := json.Unmarshal(data, &r); err != nil {
		return Reply{}, err
	}
	if r.Results == nil {
		return Reply{}, errors.New("a reply without results")
	}
	return r, nil
}

// replyScanner reads what AppendJSON has written, and nothing else.
type replyScanner struct {
	rest string
	bad  bool
	// The results of one entry have one recorded time.
	stamp    string
	recorded time.Time
}

func (s *replyScanner) reply() (r Reply, ok bool) {
	if !s.has(`{"results":[`) {
		return r, false
	}
	r.Results = make([]Result, 0, 1+len(s.rest)/300)
	for more := true; more; more = s.has(",") {
		r.Results = append(r.Results, Result{})
		s.result(&r.Results[len(r.Results)-1])
	}
	s.want("]")
	if s.has(`,"marks":[`) {
		for more := true; more; more = s.has(",") {
			r.Marks = append(r.Marks, s.mark())
		}
		s.want("]")
	}
	s.want("}")
	return r, !s.bad && s.rest == ""
}

func (s *replyScanner) result(r *Result) {
	s.want(`{"line":`)
	r.Line = int(s.number())
	if s.has(`,"id":"`) {
		id, err := uuid.Parse(s.text())
		s.bad = s.bad || err != nil
		r.ID = id
	}
	s.want(`,"ruling":"`)
	r.Ruling = s.text()
	s.position(`,"position":`, &r.Position)
	if s.has(`,"recorded":"`) {
		r.Recorded = s.time()
	}
	s.position(`,"first":`, &r.First)
	if s.has(`,"code":"`) {
		r.Code = domain.Code(s.text())
		s.member(`,"field":"`, &r.Field)
		s.member(`,"rule":"`, &r.Rule)
		s.member(`,"detail":"`, &r.Detail)
		s.member(`,"cure":"`, &r.Cure)
		if r.Retry = s.has(`,"retry":true`); !r.Retry {
			s.want(`,"retry":false`)
		}
	}
	s.want("}")
}

// has takes what is next, if that is it.
func (s *replyScanner) has(what string) (ok bool) {
	s.rest, ok = strings.CutPrefix(s.rest, what)
	return ok
}

func (s *replyScanner) want(what string) {
	if !s.has(what) {
		s.bad, s.rest = true, ""
	}
}

func (s *replyScanner) number() (n uint64) {
	i := 0
	for i < len(s.rest) && s.rest[i]-'0' <= 9 {
		i++
	}
	n, err := strconv.ParseUint(s.rest[:i], 10, 63)
	s.bad = s.bad || err != nil || i > 1 && s.rest[0] == '0'
	s.rest = s.rest[i:]
	return n
}

// text takes the rest of a string and its quote; one with an escape is bad.
func (s *replyScanner) text() string {
	text, rest, ok := strings.Cut(s.rest, `"`)
	s.bad = s.bad || !ok || strings.IndexByte(text, '\\') >= 0 || !utf8.ValidString(text) || hasControl(text)
	s.rest = rest
	return text
}

func hasControl(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' {
			return true
		}
	}
	return false
}

func (s *replyScanner) member(name string, v *string) {
	if s.has(name) {
		*v = s.text()
	}
}

func (s *replyScanner) position(name string, p *domain.Position) {
	if s.has(name) {
		s.want(`{"entry":`)
		p.Entry = s.number()
		s.want(`,"line":`)
		p.Line = int(s.number())
		s.want("}")
	}
}

func (s *replyScanner) mark() (m Mark) {
	s.want(`{"entry":`)
	m.Entry = s.number()
	s.want(`,"sha256":"`)
	hash, err := hex.DecodeString(s.text())
	s.bad = s.bad || err != nil || len(hash) != len(m.Hash) || m.Entry == 0
	copy(m.Hash[:], hash)
	s.want("}")
	return m
}

func (s *replyScanner) time() time.Time {
	if stamp := s.text(); stamp != s.stamp {
		t, err := time.Parse(time.RFC3339Nano, stamp)
		s.bad = s.bad || err != nil
		s.stamp, s.recorded = stamp, t
	}
	return s.recorded
}
