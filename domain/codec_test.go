package domain

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// The golden files hold, for every event type, lines that we once minted. They
// are only ever added to: each must decode for ever and encode to itself.
func TestGoldenLinesAreForEver(t *testing.T) {
	for _, typ := range Types() {
		t.Run(typ.String(), func(t *testing.T) {
			file, err := os.Open(filepath.Join("testdata", "golden", typ.String()+".jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			full := false // one line at least gives every member
			for lines := bufio.NewScanner(file); lines.Scan(); {
				line := lines.Text()
				e, err := Decode(line)
				if err != nil {
					t.Fatalf("%v\n%s", err, line)
				}
				if e.Type != typ {
					t.Errorf("a line of %s", e.Type)
				}
				again, err := AppendEvent(nil, e)
				if err != nil {
					t.Fatal(err)
				}
				if string(again) != line {
					t.Errorf("encodes to\n%s\nwas\n%s", again, line)
				}
				missing := 0
				for _, m := range bodies[typ].members {
					if !m.given(e.Data) {
						missing++
					}
				}
				full = full || missing == 0 || typ == TypeFigurePublished && missing == 1
			}
			if !full {
				t.Error("no golden line gives every member")
			}
		})
	}
}

// pinned is, for each event type, how many golden lines there were when they
// were last counted, and how their SHA-256 begins: lines may come behind them.
var pinned = map[Type]struct {
	lines int
	hash  string
}{
	TypeAgencySucceeded:   {1, "fe85dc595c6f0b92"},
	TypeArrestMade:        {2, "1433dcde5a50d64f"},
	TypeCaseRegistered:    {2, "490fd01a9dcfbc83"},
	TypeFigurePublished:   {3, "3118deb2b0876a64"},
	TypeLedgerOpened:      {2, "690a671acabb051c"},
	TypeLossAlleged:       {2, "46b61fc995ca89fc"},
	TypePersonDetained:    {2, "a78552c989d1d79c"},
	TypePropertyForfeited: {2, "1ef861b9307842c5"},
	TypePropertySeized:    {2, "be2447128ca5d301"},
	TypeRaidConducted:     {2, "2b4fab4a4c256ff5"},
	TypeRecordCorrected:   {2, "4c6c03d255d2e0a5"},
	TypeRecordLinked:      {1, "4968788c9a3330b6"},
	TypeRecordMatched:     {1, "c7ece7358fcc9d66"},
	TypeRecordRetracted:   {1, "ef94021407a7d7ef"},
	TypeRecordUnlinked:    {1, "7ea1a0d87b0c2680"},
	TypeRecoveryMade:      {2, "8bab8b548c2c9973"},
}

func TestGoldenLinesAreOnlyAddedTo(t *testing.T) {
	for _, typ := range Types() {
		text, err := os.ReadFile(filepath.Join("testdata", "golden", typ.String()+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(string(text), "\n")
		want := pinned[typ]
		if want.lines == 0 || len(lines)-1 < want.lines {
			t.Errorf("%s has %d golden lines, had %d", typ, len(lines)-1, want.lines)
			continue
		}
		sum := sha256.Sum256([]byte(strings.Join(lines[:want.lines], "")))
		if got := hex.EncodeToString(sum[:8]); got != want.hash {
			t.Errorf("the first %d golden lines of %s hash to %s, did to %s", want.lines, typ, got, want.hash)
		}
	}
}

// What we mint and read back is what we meant, whatever the order of names.
func TestDecodeTakesNamesInAnyOrder(t *testing.T) {
	line := `{"specversion":"1.0","id":"` + id(1) + `","source":"/nccia/karachi","type":"arrest.made","subject":"A1","time":"2025-06-03T22:10:00+05:00","data":{"occurred":"2025-06-03","place":{"country":"PK","city":"Karachi"},"raid":"0007","persons":3,"nationality":["CN","PK"]}}`
	other := `{"data":{"nationality":["CN","PK"],"persons":{"value":3},"raid":"0007","place":{"city":"Kar\u0061chi","country":"PK"},"occurred":"2025-06-03"},"time":"2025-06-03T22:10:00+05:00","subject":"A1","type":"arrest.made","source":"/nccia/karachi","id":"` + id(1) + `","specversion":"1.0"}`
	a, err := Decode(line)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Decode(other)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("\n%+v\n%+v", a, b)
	}
	if minted, err := AppendEvent(nil, b); err != nil || string(minted) != line {
		t.Errorf("minted %s, %v", minted, err)
	}
}

func TestWhatBreaksTheRulesIsNotMinted(t *testing.T) {
	e, _ := Decode(raid(1, "7"))
	for name, spoil := range map[string]func(*Event){
		"another type's data": func(e *Event) { e.Data = new(ArrestMade) },
		"no data":             func(e *Event) { e.Data = nil },
		"no subject":          func(e *Event) { e.Subject = "" },
		"no source":           func(e *Event) { e.Source = Diary{} },
		"no date":             func(e *Event) { e.Data.Shared().Occurred = Period{} },
		"not UTF-8":           func(e *Event) { e.Data.Shared().Place.City = "\xff" },
		"a control character": func(e *Event) { e.Data.Shared().Place.City = "a\x01b" },
	} {
		spoilt := *e
		data := *e.Data.(*RaidConducted)
		spoilt.Data = &data
		spoil(&spoilt)
		var refusal *Refusal
		if line, err := AppendEvent([]byte("kept"), &spoilt); !errors.As(err, &refusal) || string(line) != "kept" {
			t.Errorf("%s: minted %s, %v", name, line, err)
		}
	}
}

func TestCompact(t *testing.T) {
	for in, want := range map[string]string{
		` { "a" : [ 1 , "x y\" z" ] , "b":"\\" } `: `{"a":[1,"x y\" z"],"b":"\\"}`,
		"{\"a\":\t1}\r": `{"a":1}`,
		`{"a":"b"}`:     `{"a":"b"}`,
	} {
		got, err := Compact(nil, []byte(in))
		if err != nil || string(got) != want {
			t.Errorf("Compact(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, broken := range []string{`{"a":"b`, `{"a":1 2}`, "{\"a\":1\t0}", `{"a":t rue}`, `{"a":- 1}`, `{"a":1 000}`} {
		if got, err := Compact(nil, []byte(broken)); err == nil {
			t.Errorf("%s was compacted to %s", broken, got)
		}
	}
}

// What is malformed, or of another kind, is told with what stands in its place.
func TestWhatIsWantedIsToldWithWhatStandsThere(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{`{"spec`, "\ufeff{\"spec", "malformed: want {, got U+FEFF"},
		{`{"spec`, `["spec`, "malformed: want {, got ["},
		{`{"spec`, `{spec`, "malformed: want a string, got s"},
		{`{"spec`, `{` + "\u201cspec", "malformed: want a string, got U+201C"},
		{`7"}`, `7",}`, "malformed: want a string, got }"},
		{`"subject":`, `"subject"=`, "malformed: want a colon, got ="},
		{`"subject":`, `"subject" "s":`, `malformed: want a colon, got "`},
		{`,"subject"`, ` "subject"`, `malformed: want a comma or }, got "`},
		{`}`, ``, "malformed: want a comma or }, got the end"},
		{`"7"`, `["7" "8"]`, `malformed: want a comma or ], got "`},
		{`"7"`, `'7'`, "malformed: want a value, got '"},
		{`"7"`, `True`, "malformed: want a value, got T"},
		{`"7"`, `nil`, "malformed: want a value, got n"},
		{`"7"`, `1.`, "malformed: want a digit, got }"},
		{`}`, `},`, "malformed: want nothing after the object, got ,"},
		{`"7"`, "\"7\r", `malformed: a line ends within a string: close it, or write \n`},
		{`"7"`, "\"7\x00", "malformed: a control character in a string: write it as an escape"},
		{`{`, "", `malformed: want {, got "`},
		{`{"specversion":"1.0","subject":"7"}`, "", "malformed: want {, got the end"},
		{`{"spec`, "\xff{\"spec", "malformed: not UTF-8"},
		{`"7"`, `7`, "bad-attribute: subject: want a string, got a number"},
		{`"7"`, `-7`, "bad-attribute: subject: want a string, got a number"},
		{`"7"`, `["7"]`, "bad-attribute: subject: want a string, got a list"},
		{`"7"`, `{}`, "bad-attribute: subject: want a string, got an object"},
		{`"7"`, `null`, "bad-attribute: subject: want a string, got null"},
		{`"7"`, `true`, "bad-attribute: subject: want a string, got true or false"},
		{`"7"`, `7x`, "malformed: want a comma or }, got x"},
	} {
		line := strings.Replace(`{"specversion":"1.0","subject":"7"}`, c.old, c.new, 1)
		if _, err := Decode(line); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", line, err, c.want)
		}
	}
	arrest := `{"specversion":"1.0","id":"` + id(1) + `","source":"/nccia/karachi","type":"arrest.made","subject":"A1","data":{"occurred":"2025-06-03","persons":3,"nationality":["CN"]}}`
	for old, c := range map[string]struct{ new, want string }{
		`3,`:     {`"3",`, "bad-data: data.persons: want a whole number, got a string"},
		`["CN"]`: {`"CN"`, "bad-data: data.nationality: want a list, got a string"},
		`"CN"`:   {`1`, "bad-data: data.nationality: want a string, got a number"},
		`]}`:     {`],"synthetic":"true"}`, "bad-data: data.synthetic: want true or false, got a string"},
		`]}}`:    {`],"place":"Karachi"}}`, "bad-data: data.place: want an object, got a string"},
	} {
		if _, err := Decode(strings.Replace(arrest, old, c.new, 1)); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.new, err, c.want)
		}
	}
}

// Every code has its meaning and its cure, and nothing else has.
func TestEveryCodeIsExplained(t *testing.T) {
	codes := []Code{NotOpen, TooLarge, Malformed, BadAttribute, WrongSource, UnknownType, ConflictingID, BadData, AlreadyOpen, RecordExists, NoSuchRecord, NotAmendable, StaleAmendment, NotAuthorised, WithRefused}
	if len(codes) != len(CodeInfos) {
		t.Errorf("%d codes, %d explained", len(codes), len(CodeInfos))
	}
	for _, code := range codes {
		if info := code.Info(); info.Means == "" || info.Cure == "" {
			t.Errorf("%s is not explained", code)
		}
	}
}

// FuzzDecode holds the codec to what every reader relies on: it never panics,
// what it accepts it mints again, and that is stable; compaction changes nothing
// that is read.
func FuzzDecode(f *testing.F) {
	files, _ := filepath.Glob(filepath.Join("testdata", "golden", "*.jsonl"))
	for _, file := range files {
		lines, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for line := range bytes.Lines(lines) {
			f.Add(string(bytes.TrimSpace(line)))
		}
	}
	f.Add(strings.Replace(raid(1, "7"), "7", `\ud83d\ude00`, 1))
	f.Fuzz(func(t *testing.T, line string) {
		e, err := Decode(line)
		compacted, compactErr := Compact(nil, []byte(line))
		if err != nil {
			if _, err := Decode(string(compacted)); err == nil && compactErr == nil {
				t.Fatalf("refused, but compacted it is an event: %s", compacted)
			}
			return
		}
		if compactErr != nil {
			t.Fatalf("decodes, but does not compact: %v", compactErr)
		}
		again, err := Decode(string(compacted))
		if err != nil || !reflect.DeepEqual(withoutRaw(e), withoutRaw(again)) {
			t.Fatalf("compacted, it reads otherwise: %v\n%s", err, compacted)
		}
		minted, err := AppendEvent(nil, e)
		if err != nil {
			t.Fatalf("accepted, but not minted: %v", err)
		}
		back, err := Decode(string(minted))
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := AppendEvent(nil, back); !bytes.Equal(again, minted) {
			t.Fatalf("minted twice\n%s\n%s", minted, again)
		}
	})
}

// withoutRaw leaves out the bytes of a replacement, which keep their spaces.
func withoutRaw(e *Event) Event {
	if c, ok := e.Data.(*RecordCorrected); ok {
		data := *c
		data.raw = ""
		out := *e
		out.Data = &data
		return out
	}
	return *e
}

// FuzzRegister feeds anything to an open register: it always rules, on the same
// lines always the same, and Check says beforehand what Apply will say.
func FuzzRegister(f *testing.F) {
	f.Add(raid(1, "7") + "\n" + raid(1, "7") + "\n\njunk")
	f.Add(raid(1, "7") + "\n\n" + correct(2, karachi, "raid/nccia/karachi/7", 1, aRaid) + "\n\n" + retract(3, karachi, "raid/nccia/karachi/7", 2))
	f.Add(loss(1, "L", "9", "PKR") + "\n" + loss(2, "M", "9", "PKR") + "\n\n" + succeed(3, "s", "nccia", "b"))
	f.Fuzz(func(t *testing.T, payload string) {
		hash := func() ([32]byte, []string) {
			r := NewRegister()
			var checked, ruled []string
			if err := r.Apply(Entry{Number: 1, Subject: EntrySubject, Payload: []byte(opening)}, nil); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(payload, "\n\n") {
				r.Check(Entry{Subject: EntrySubject, Payload: []byte(payload)}, func(l *Ruled) { checked = append(checked, ruling(*l)) })
			}
			if err := r.Apply(Entry{Number: 2, Subject: EntrySubject, Payload: []byte(payload)}, func(l *Ruled) { ruled = append(ruled, ruling(*l)) }); err != nil {
				t.Fatal(err)
			}
			// A duplicate within the entry is told by its place there.
			if len(checked) == 1 && !reflect.DeepEqual(checked, ruled) {
				t.Fatalf("checked %q, ruled %q", checked, ruled)
			}
			return r.Hash(), ruled
		}
		h1, r1 := hash()
		h2, r2 := hash()
		if h1 != h2 || !reflect.DeepEqual(r1, r2) {
			t.Fatalf("ruled %q, then %q", r1, r2)
		}
	})
}
