package domain

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A story is told to a register entry by entry: given what was recorded, when
// these lines come, then this is ruled.
type story struct {
	t        *testing.T
	register *Register
	rulings  []string // "1:1 accepted", of every line so far
	last     []Ruled  // of the last entry; what they point to is stale
}

// opening is the line that opens the ledger of these tests.
const opening = `{"specversion":"1.0","id":"00000000-0000-4000-8000-000000000000","source":"/ledger/office","type":"ledger.opened","subject":"test","data":{"name":"test","home":"PK","zone":"Asia/Karachi","rules":1}}`

// given begins a story with an open ledger and these events, one an entry; each
// must be accepted.
func given(t *testing.T, lines ...string) *story {
	t.Helper()
	s := &story{t: t, register: NewRegister()}
	for _, line := range append([]string{opening}, lines...) {
		s.when(line).then("accepted")
	}
	return s
}

// when adds an entry of these lines on ledger.entry; "" separates submissions.
func (s *story) when(lines ...string) *story { return s.whenOn(EntrySubject, lines...) }

func (s *story) whenOn(subject string, lines ...string) *story {
	s.t.Helper()
	s.last = nil
	entry := Entry{Number: s.register.Last() + 1, Subject: subject, Payload: []byte(strings.Join(lines, "\n"))}
	if err := s.register.Apply(entry, func(r *Ruled) { s.last = append(s.last, *r) }); err != nil {
		s.t.Fatal(err)
	}
	for _, r := range s.last {
		s.rulings = append(s.rulings, r.Position.String()+" "+ruling(r))
	}
	return s
}

// then holds the rulings on the last entry against want, such as "accepted",
// "duplicate 2:1", "refused record-exists".
func (s *story) then(want ...string) *story {
	s.t.Helper()
	var got []string
	for _, r := range s.last {
		got = append(got, ruling(r))
	}
	if !slices.Equal(got, want) {
		for _, r := range s.last {
			s.t.Logf("%s %s %v", r.Position, ruling(r), r.Err())
		}
		s.t.Errorf("rulings\n got %q\nwant %q", got, want)
	}
	return s
}

// detail holds the field and detail of the last entry's last ruling against
// what they must say.
func (s *story) detail(field, says string) *story {
	s.t.Helper()
	r := s.last[len(s.last)-1]
	if r.Field != field || !strings.Contains(r.Detail, says) {
		s.t.Errorf("refusal is about %q: %q; want %q: …%s…", r.Field, r.Detail, field, says)
	}
	return s
}

func ruling(r Ruled) string {
	return strings.TrimSuffix(string(appendRuling(nil, &r)), "\n")
}

// line is an event of diary source whose id is made from n.
func line(n int, source, typ, subject, data string) string {
	s := fmt.Sprintf(`{"specversion":"1.0","id":"%s","source":"%s","type":"%s"`, id(n), source, typ)
	if subject != "" {
		s += `,"subject":"` + subject + `"`
	}
	return s + `,"data":` + data + `}`
}

func id(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

const karachi, lahore, office = "/nccia/karachi", "/police/lahore", "/ledger/office"

func raid(n int, subject string) string {
	return line(n, karachi, "raid.conducted", subject, `{"occurred":"2025-06-03","premises":"call-centre"}`)
}

func correct(n int, source, record string, amends int, replacement string) string {
	return line(n, source, "record.corrected", "", fmt.Sprintf(`{"record":"%s","amends":"%s","replacement":%s,"reason":"data-entry"}`, record, id(amends), replacement))
}

func retract(n int, source, record string, amends int) string {
	return line(n, source, "record.retracted", "", fmt.Sprintf(`{"record":"%s","amends":"%s","reason":"source-withdrew"}`, record, id(amends)))
}

func succeed(n int, subject, predecessor, successor string) string {
	return line(n, office, "agency.succeeded", subject, fmt.Sprintf(`{"predecessor":"%s","successor":"%s","effective":"2025-04"}`, predecessor, successor))
}

func loss(n int, subject, firOf, currency string) string {
	return line(n, karachi, "loss.alleged", subject, fmt.Sprintf(`{"occurred":"2025","case":"%s","amount":{"value":"5","currency":"%s"}}`, firOf, currency))
}

const aRaid = `{"occurred":"2025-06-04","premises":"other"}`

func hexOf(hash [32]byte) string { return fmt.Sprintf("%x", hash) }
