package domain

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// history is a random ledger: submissions of lines, good and bad. Amendments
// mostly name what stands, so that chains of them come about.
type history struct {
	t           *rapid.T
	shadow      *Register // of all submissions so far, one an entry
	submissions []string
	lines       []string // all so far, to repeat
	next        int      // for ids
}

func drawHistory(t *rapid.T) *history {
	h := &history{t: t, shadow: NewRegister()}
	opens := rapid.IntRange(0, 3).Draw(t, "lines before the opening")
	for i := range rapid.IntRange(5, 60).Draw(t, "submissions") {
		if i == opens {
			h.submit(opening)
			continue
		}
		var lines []string
		for range rapid.SampledFrom([]int{1, 1, 1, 1, 2, 3}).Draw(t, "lines") {
			lines = append(lines, h.line())
		}
		h.submit(strings.Join(lines, "\n"))
		h.lines = append(h.lines, lines...)
	}
	return h
}

func (h *history) submit(submission string) {
	h.submissions = append(h.submissions, submission)
	e := Entry{Number: h.shadow.Last() + 1, Subject: EntrySubject, Payload: []byte(submission)}
	if err := h.shadow.Apply(e, nil); err != nil {
		h.t.Fatal(err)
	}
}

func (h *history) pick(label string, of ...string) string {
	return rapid.SampledFrom(of).Draw(h.t, label)
}

func (h *history) line() string {
	h.next++
	n, source := h.next, h.pick("source", karachi, lahore, "/nccia/lahore")
	subject := h.pick("subject", "1", "2", "3")
	switch h.pick("what", "raid", "raid", "arrest", "case", "loss", "seized", "correct", "correct", "retract", "match", "link", "succeed", "again", "again", "conflict", "unknown", "junk", "wrong") {
	case "raid":
		return line(n, source, "raid.conducted", subject, aRaid)
	case "arrest":
		return line(n, source, "arrest.made", subject, fmt.Sprintf(`{"occurred":"2025","raid":"1","persons":%d,"nationality":["PK","CN"]}`, n))
	case "case":
		return line(n, source, "case.registered", subject, `{"registered":"2025-01/2025-02"}`)
	case "loss":
		return line(n, source, "loss.alleged", subject, `{"occurred":"2025","case":"`+h.pick("case", "1", "2")+`","amount":{"value":"10","currency":"`+h.pick("currency", "PKR", "USD")+`"}}`)
	case "seized":
		return line(n, source, h.pick("type", "property.seized", "property.forfeited"), subject, `{"occurred":"2025","item":"cash"}`)
	case "correct", "retract":
		return h.amendment(n, source)
	case "match":
		return line(n, source, "record.matched", "", `{"record":"`+h.record()+`","same_as":"`+h.record()+`"}`)
	case "link":
		return line(n, source, h.pick("type", "record.linked", "record.unlinked"), "", `{"from":"`+h.record()+`","to":"`+h.record()+`"}`)
	case "succeed":
		return succeed(n, subject, h.pick("predecessor", "nccia", "police", "bureau"), h.pick("successor", "nccia", "police", "bureau"))
	case "again":
		if len(h.lines) > 0 {
			return rapid.SampledFrom(h.lines).Draw(h.t, "again")
		}
		return opening
	case "conflict":
		return line(rapid.IntRange(1, n).Draw(h.t, "id"), source, "raid.conducted", subject, aRaid)
	case "unknown":
		return line(n, source, "raid.dreamt", subject, aRaid)
	case "junk":
		return h.pick("junk", "junk", "{}", `{"a":1,"a":2}`, "\x00", "\xff", "[]")
	}
	return line(n, source, "raid.conducted", subject, `{"occurred":"2025-02-30","premises":"other"}`)
}

// amendment names a record and, mostly, the event that is its current version.
func (h *history) amendment(n int, source string) string {
	name := h.record()
	amends := id(rapid.IntRange(1, n).Draw(h.t, "amends"))
	replacement := aRaid
	parsed, err := ParseRecordName(name)
	if err != nil {
		h.t.Fatal(err)
	}
	if standing, ok := h.shadow.Lookup(parsed); ok {
		if rapid.IntRange(0, 4).Draw(h.t, "stale") > 0 {
			amends = standing.Event.String()
		}
		switch standing.Type {
		case TypeLossAlleged:
			replacement = `{"occurred":"2025","case":"` + h.pick("case", "1", "2", "3") + `","amount":{"value":"11","currency":"PKR"}}`
		case TypeCaseRegistered:
			replacement = `{"registered":"2025-03"}`
		case TypePropertySeized, TypePropertyForfeited:
			replacement = `{"occurred":"2025","item":"gold"}`
		case TypeArrestMade:
			replacement = fmt.Sprintf(`{"occurred":"2024","persons":%d,"nationality":["CN"]}`, n)
		case TypeAgencySucceeded:
			source = office
			replacement = `{"predecessor":"police","successor":"bureau","effective":"2025"}`
		}
	}
	if h.pick("amendment", "correct", "correct", "retract") == "retract" {
		return strings.Replace(retract(n, source, name, 0), id(0), amends, 1)
	}
	return strings.Replace(correct(n, source, name, 0, replacement), id(0), amends, 1)
}

func (h *history) record() string {
	kind := h.pick("kind", "raid", "raid", "arrest", "case", "loss", "property", "agency")
	if kind == "agency" {
		return "agency/ledger/office/" + h.pick("subject", "1", "2", "3")
	}
	return kind + h.pick("diary", karachi, lahore) + "/" + h.pick("subject", "1", "2", "3")
}

// cut joins the submissions to entries at random.
func (h *history) cut() (entries []string) {
	for i, s := range h.submissions {
		if i > 0 && rapid.Bool().Draw(h.t, "joined") {
			entries[len(entries)-1] += "\n\n" + s
		} else {
			entries = append(entries, s)
		}
	}
	return entries
}

// replay rules on entries and returns the rulings line by line, with positions
// told as line numbers in the whole ledger, since those do not depend on the cut.
func replay(t *rapid.T, entries []string) (*Register, []string) {
	r := NewRegister()
	lineOf, accepted := make(map[Position]int), make(map[Position]bool)
	var rulings []string
	var chain [sha256.Size]byte
	for i, payload := range entries {
		e := Entry{Number: uint64(i + 1), Subject: EntrySubject, Payload: []byte(payload)}
		var text []byte
		if err := r.Apply(e, func(l *Ruled) {
			lineOf[l.Position] = len(rulings)
			text = appendRuling(text, l)
			told := fmt.Sprint(l.Verdict, l.Code, l.Field, l.Change, l.Record, l.Name, l.SameAs)
			if l.Verdict == Accepted {
				accepted[l.Position] = true
			}
			if l.Verdict == Duplicate && !accepted[l.First] {
				t.Fatalf("%s is a duplicate of %s, which was not accepted", l.Position, l.First)
			}
			if l.Verdict == Duplicate {
				told += fmt.Sprint(" of line ", lineOf[l.First])
			}
			if l.Fact != nil {
				told += string(AppendData(nil, l.Fact))
			}
			rulings = append(rulings, told)
		}); err != nil {
			t.Fatal(err)
		}
		chain = chained(chain, e, text)
		if r.Hash() != chain {
			t.Fatalf("the state hash of entry %d is not what its documentation says", e.Number)
		}
	}
	return r, rulings
}

// chained is the state hash as Register.Hash documents it, written again.
func chained(before [32]byte, e Entry, rulings []byte) [32]byte {
	h := sha256.New()
	h.Write(before[:])
	for _, n := range []uint64{1, e.Number, uint64(len(e.Subject))} {
		_ = binary.Write(h, binary.BigEndian, n)
	}
	h.Write([]byte(e.Subject))
	payload := sha256.Sum256(e.Payload)
	h.Write(payload[:])
	h.Write(rulings)
	return [32]byte(h.Sum(nil))
}

// standings is everything the register knows of its records.
func standings(r *Register) (list []string) {
	for i := range r.records.len {
		s := r.Record(RecordID(i))
		found, ok := r.Lookup(s.Name)
		if !ok || found != s {
			list = append(list, "lost: "+s.Name.String())
		}
		list = append(list, fmt.Sprint(s.ID, s.Name, s.Type, s.Event, s.Retracted))
	}
	for _, agency := range []string{"nccia", "police", "bureau"} {
		list = append(list, agency+" → "+r.Successor(agency))
	}
	return list
}

// Rule 9: what is decided depends on the sequence of lines alone, however they
// are cut into entries, and the hash on the entries alone.
func TestRulingsDependOnTheLinesAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		one, rulings := replay(t, h.submissions)
		entries := h.cut()
		other, again := replay(t, entries)
		if !slices.Equal(rulings, again) {
			for i := range rulings {
				if rulings[i] != again[i] {
					t.Fatalf("line %d, one submission an entry: %s\ncut otherwise: %s", i+1, rulings[i], again[i])
				}
			}
			t.Fatal("rulings differ in number")
		}
		if a, b := standings(one), standings(other); !slices.Equal(a, b) {
			t.Fatalf("standings differ\n%q\n%q", a, b)
		}
		third, _ := replay(t, entries)
		if third.Hash() != other.Hash() {
			t.Fatal("the same entries gave two hashes")
		}
		if one.Hash() != h.shadow.Hash() {
			t.Fatal("visiting the rulings changed the hash")
		}
	})
}

// What Check says is what Apply says next, and it leaves no trace.
func TestCheckIsApplyWithoutATrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		checked, plain := NewRegister(), NewRegister()
		for i, s := range h.submissions {
			var foretold, told []string
			for range 2 {
				foretold = nil
				checked.Check(Entry{Subject: EntrySubject, Payload: []byte(s)}, func(l *Ruled) {
					foretold = append(foretold, fmt.Sprint(l.Verdict, l.Code, l.Field, l.Change, l.Record))
				})
			}
			e := Entry{Number: uint64(i + 1), Subject: EntrySubject, Payload: []byte(s)}
			if err := checked.Apply(e, func(l *Ruled) { told = append(told, fmt.Sprint(l.Verdict, l.Code, l.Field, l.Change, l.Record)) }); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(foretold, told) {
				t.Fatalf("foretold %q, told %q", foretold, told)
			}
			if err := plain.Apply(e, nil); err != nil {
				t.Fatal(err)
			}
			if checked.Hash() != plain.Hash() || !slices.Equal(standings(checked), standings(plain)) {
				t.Fatalf("Check of submission %d left a trace", i+1)
			}
		}
	})
}
