package domain

import (
	"fmt"
	"strings"
	"testing"
)

// Rule 1 and 8: the first failure decides, and before the opening nothing counts.
func TestBeforeTheOpening(t *testing.T) {
	s := &story{t: t, register: NewRegister()}
	s.when(raid(1, "7")).then("refused not-open")
	s.when("junk", "", `{"a":`, "", "").then("refused not-open", "refused not-open")
	s.when("").then("refused not-open")
	s.when(strings.Replace(opening, "/ledger/office", karachi, 1)).then("refused wrong-source")
	s.when(strings.Replace(opening, `"rules":1`, `"rules":2`, 1)).then("refused bad-data").detail("data.rules", "rules 1")
	s.when(strings.Replace(opening, "Asia/Karachi", "Asia/Nowhere", 1)).then("refused bad-data").detail("data.zone", "Nowhere")
	s.when(raid(1, "7"), opening).then("refused not-open", "refused with-refused")
	s.when(opening, raid(1, "7")).then("accepted", "accepted")
	s.when(opening).then("duplicate 8:1")
	s.when(strings.Replace(opening, id(0), id(9), 1)).then("refused already-open")
}

func TestTheFirstFailureDecides(t *testing.T) {
	good := raid(1, "7")
	replace := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for _, c := range []struct{ name, line, want, field string }{
		{"no JSON", "raid!", "refused malformed", ""},
		{"half a line", good[:40], "refused malformed", ""},
		{"an array", "[" + good + "]", "refused malformed", ""},
		{"two objects", good + good, "refused malformed", ""},
		{"not UTF-8", replace("call-centre", "call-\xff"), "refused malformed", ""},
		{"NUL", replace("call-centre", "call-\x00"), "refused malformed", ""},
		{"a name twice", replace(`"premises"`, `"occurred":"2025","premises"`), "refused malformed", ""},
		{"a name twice, escaped", replace(`"premises"`, `"\u006fccurred":"2025","premises"`), "refused malformed", ""},
		{"an unknown name twice", replace(`"premises"`, `"x":1,"x":2,"premises"`), "refused malformed", ""},
		{"a name in another case", replace(`"premises"`, `"Occurred":"2025","premises"`), "refused malformed", ""},
		{"an attribute in another case", replace(`"source"`, `"Source":"/a/b","source"`), "refused malformed", ""},
		{"twice within an unknown member", replace(`"premises"`, `"x":{"y":{"z":1,"Z":2}},"premises"`), "refused malformed", ""},
		{"half a surrogate", replace("call-centre", `\ud83d`), "refused malformed", ""},
		{"syntax counts before attributes", replace(`"1.0"`, `"2.0"`) + "}", "refused malformed", ""},
		{"nested too deep", replace(`"premises"`, `"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`,"premises"`), "refused malformed", ""},
		{"specversion", replace(`"1.0"`, `"0.3"`), "refused bad-attribute", "specversion"},
		{"no id", replace(`"id":"`+id(1)+`",`, ""), "refused bad-attribute", "id"},
		{"id in capitals", replace(id(1), "A0000000-0000-4000-8000-000000000001"), "refused bad-attribute", "id"},
		{"id a number", replace(`"`+id(1)+`"`, "7"), "refused bad-attribute", "id"},
		{"source without slash", replace(karachi, "nccia"), "refused bad-attribute", "source"},
		{"no subject", replace(`,"subject":"7"`, ""), "refused bad-attribute", "subject"},
		{"subject with a slash", replace(`"subject":"7"`, `"subject":"7/2025"`), "refused bad-attribute", "subject"},
		{"time that only Go reads", replace(`"data"`, `"time":"2025-06-03T2:10:00Z","data"`), "refused bad-attribute", "time"},
		{"a link of another kind", replace(`"premises"`, `"cases":["raid/nccia/karachi/6"],"premises"`), "refused bad-data", "data.cases"},
		{"time without offset", replace(`"data"`, `"time":"2025-06-03T22:10:00","data"`), "refused bad-attribute", "time"},
		{"attributes count before type", strings.Replace(replace("raid.conducted", "raid.dreamt"), `"1.0"`, `"0.3"`, 1), "refused bad-attribute", "specversion"},
		{"what only the office says", replace("raid.conducted", "agency.succeeded"), "refused wrong-source", "source"},
		{"unknown type", replace("raid.conducted", "raid.dreamt"), "unrecognised", "type"},
		{"data missing", replace(`,"data":{"occurred":"2025-06-03","premises":"call-centre"}`, ""), "refused bad-data", "data"},
		{"data a list", replace(`{"occurred":"2025-06-03","premises":"call-centre"}`, "[]"), "refused bad-data", "data"},
		{"no occurred", replace(`"occurred":"2025-06-03",`, ""), "refused bad-data", "data.occurred"},
		{"a day that is none", replace("2025-06-03", "2025-06-31"), "refused bad-data", "data.occurred"},
		{"premises", replace("call-centre", "tent"), "refused bad-data", "data.premises"},
		{"null", replace(`"call-centre"`, "null"), "refused bad-data", "data.premises"},
		{"a city empty", replace(`"premises"`, `"place":{"city":""},"premises"`), "refused bad-data", "data.place.city"},
		{"a country", replace(`"premises"`, `"place":{"country":"ZZ"},"premises"`), "refused bad-data", "data.place.country"},
		{"a synthetic that is no flag", replace(`"premises"`, `"synthetic":1,"premises"`), "refused bad-data", "data.synthetic"},
		{"a note too long", replace(`"premises"`, `"note":"`+strings.Repeat("n", 501)+`","premises"`), "refused bad-data", "data.note"},
		{"a list with the same twice", replace(`"premises"`, `"cases":["a","a"],"premises"`), "refused bad-data", "data.cases"},
		{"an empty list", replace(`"premises"`, `"cases":[],"premises"`), "refused bad-data", "data.cases"},
		{"a link that is none", replace(`"premises"`, `"cases":["a/b"],"premises"`), "refused bad-data", "data.cases"},
		{"unknown members are kept", replace(`"premises"`, `"x":{"y":[1.5e3,true,null,"é"]},"premises"`), "accepted", ""},
		{"extensions are kept", replace(`"data"`, `"signature":"c2ln","data"`), "accepted", ""},
		{"any order, any space", ` { "data" : {"premises":"call-centre", "occurred":"2025-06-03"},"subject":"7","type":"raid.conducted","source":"` + karachi + `","id":"` + id(1) + `","specversion":"1.0"} `, "accepted", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := given(t).when(c.line).then(c.want)
			if got := s.last[0].Field; got != c.field {
				t.Errorf("field %q, want %q (%s)", got, c.field, s.last[0].Detail)
			}
			if sorted, ok := dataFirst(c.line); ok {
				given(t).when(sorted).then(c.want)
			}
		})
	}
}

// dataFirst moves the data of a line that line wrote before the rest, where
// writers that sort their names have them.
func dataFirst(line string) (string, bool) {
	head, data, ok := strings.Cut(line, `,"data":`)
	if !ok || !strings.HasPrefix(head, "{") || !strings.HasSuffix(data, "}") {
		return "", false
	}
	return `{"data":` + strings.TrimSuffix(data, "}") + "," + head[1:] + "}", true
}

func TestCountsInEvents(t *testing.T) {
	arrest := func(persons string) string {
		return line(1, karachi, "arrest.made", "A1", `{"occurred":"2025","persons":`+persons+`,"nationality":["PK"]}`)
	}
	for persons, want := range map[string]string{
		`3`: "accepted", `0`: "accepted", `9007199254740991`: "accepted",
		`{"value":3,"qualifier":"at-least"}`: "accepted", `{"qualifier":"unknown"}`: "accepted", `{"value":3}`: "accepted",
		`1.0`: "refused malformed", `1e3`: "refused malformed", `03`: "refused malformed", `+3`: "refused malformed",
		`{"value":1.0}`: "refused malformed",
		`-1`:            "refused bad-data", `"3"`: "refused bad-data", `9007199254740992`: "refused bad-data",
		`99999999999999999999999999`: "refused bad-data", `null`: "refused bad-data", `""`: "refused bad-data",
		`{}`: "refused bad-data", `{"value":3,"qualifier":"at-most"}`: "refused bad-data",
		`{"value":3,"qualifier":"unknown"}`: "refused bad-data", `{"value":3,"qualifier":"many"}`: "refused bad-data",
	} {
		given(t).when(arrest(persons)).then(want)
		sorted, _ := dataFirst(arrest(persons))
		given(t).when(sorted).then(want)
		given(t, arrest("1")).when(correct(2, karachi, "arrest/nccia/karachi/A1", 1, `{"occurred":"2025","persons":`+persons+`,"nationality":["PK"]}`)).then(want)
	}
	given(t, arrest("1")).when(correct(2, karachi, "arrest/nccia/karachi/A1", 1, `{"occurred":"2025","persons":2,"nationality":["PK"],"Sex":"male","raid":"7"}`)).
		then("refused malformed").detail("data.replacement", "another letter case")
	given(t).when(line(1, karachi, "arrest.made", "A1", `{"occurred":"2025","nationality":["PK"]}`)).
		then("refused bad-data").detail("data.persons", "missing")
}

func TestAmountsInEvents(t *testing.T) {
	for amount, want := range map[string]string{
		`{"value":"250000.00","currency":"PKR"}`:                     "accepted",
		`{"value":"250000","currency":"PKR","qualifier":"at-least"}`: "accepted",
		`{"currency":"PKR","qualifier":"unknown"}`:                   "accepted",
		`{"value":"1647.001","currency":"USD"}`:                      "refused bad-data",
		`{"value":"1.2.3","currency":"USD"}`:                         "refused bad-data",
		`{"value":250000,"currency":"PKR"}`:                          "refused bad-data",
		`{"value":"1","currency":"XXQ"}`:                             "refused bad-data",
		`{"value":"1","currency":"PKR","qualifier":"at-most"}`:       "refused bad-data",
		`{"value":"1","currency":"PKR","qualifier":"unknown"}`:       "refused bad-data",
		`{"value":"99999999999999999999","currency":"PKR"}`:          "refused bad-data",
		`{"value":"","currency":"PKR","qualifier":"unknown"}`:        "refused bad-data",
		`{"value":"1","currency":"PKR","Value":"2"}`:                 "refused malformed",
	} {
		given(t).when(line(1, karachi, "recovery.made", "R1", `{"occurred":"2025","amount":`+amount+`}`)).then(want)
	}
}

func TestClaims(t *testing.T) {
	claim := func(rest string) string {
		return line(1, karachi, "figure.published", "C1", `{"document":{"ref":"report"},"publisher":"Nukta","published":"2025-08","period":"2024-01/2025-06","measure":"arrests"`+rest+`}`)
	}
	given(t).when(claim(`,"value":450`)).then("accepted")
	given(t).when(claim(`,"dimensions":{"city":"Karachi","class":"foreign"},"value":450,"qualifier":"at-most"`)).then("accepted")
	given(t).when(claim(`,"amount":{"value":"72000000","currency":"PKR"},"qualifier":"at-least"`)).then("accepted")
	given(t).when(claim(``)).then("refused bad-data")
	given(t).when(claim(`,"value":1,"amount":{"value":"1","currency":"PKR"}`)).then("refused bad-data")
	given(t).when(claim(`,"amount":{"value":"1","currency":"PKR","qualifier":"about"}`)).then("refused bad-data")
	given(t).when(claim(`,"value":1,"dimensions":{"city":"a","City":"b"}`)).then("refused malformed")
	given(t).when(claim(`,"value":1,"dimensions":{"the city":"a"}`)).then("refused bad-data")
	many := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprintf(`"d%d":"x"`, i))
		}
		return list
	}
	given(t).when(claim(`,"value":1,"dimensions":{` + strings.Join(many(maxList), ",") + `}`)).then("accepted")
	given(t).when(claim(`,"value":1,"dimensions":{`+strings.Join(many(maxList+1), ",")+`}`)).
		then("refused bad-data").detail("data.dimensions", "more than 100")
	given(t, claim(`,"value":450`)).
		when(correct(2, karachi, "figure/nccia/karachi/C1", 1, `{}`)).then("refused not-amendable").
		when(retract(3, karachi, "figure/nccia/karachi/C1", 1)).then("refused not-amendable")
}

// Rule 2: same source and id.
func TestDuplicates(t *testing.T) {
	good := raid(1, "7")
	s := given(t, good)
	s.when(good).then("duplicate 2:1")
	s.when(good, "", good).then("duplicate 2:1", "duplicate 2:1")
	s.when(strings.Replace(good, `,"data":`, `, "time":"2025-06-03T00:00:00Z","x":"y","data": `, 1)).then("duplicate 2:1")
	s.when(strings.Replace(good, `{"occurred":"2025-06-03",`, `{ "occurred":	"2025-06-03", `, 1)).then("duplicate 2:1")
	s.when(strings.Replace(good, "2025-06-03", "2025-06-04", 1)).then("refused conflicting-id").detail("id", "2:1")
	s.when(strings.Replace(good, `"subject":"7"`, `"subject":"8"`, 1)).then("refused conflicting-id")
	s.when(strings.Replace(good, "2025-06-03", "never", 1)).then("refused conflicting-id") // id counts before data
	s.when(strings.Replace(good, karachi, lahore, 1)).then("accepted")                     // an id belongs to its source
	// A refused event does not take its id.
	s.when(strings.Replace(raid(2, "9"), "2025-06-03", "never", 1)).then("refused bad-data")
	s.when(raid(2, "9")).then("accepted")
}

// Rule 3: a record has one first event.
func TestRecordExists(t *testing.T) {
	s := given(t, raid(1, "7"))
	s.when(raid(2, "7")).then("refused record-exists").detail("subject", id(1))
	s.when(strings.Replace(raid(2, "7"), karachi, lahore, 1)).then("accepted")
	s.when(retract(3, karachi, "raid/nccia/karachi/7", 1)).then("accepted")
	s.when(raid(4, "7")).then("refused record-exists").detail("subject", "a retraction")
	// Seizures and forfeitures are of one kind.
	s.when(line(5, karachi, "property.seized", "P1", `{"occurred":"2025","item":"cash"}`)).then("accepted")
	s.when(line(6, karachi, "property.forfeited", "P1", `{"occurred":"2025","item":"cash"}`)).then("refused record-exists")
}

func TestOneLossACaseAndCurrency(t *testing.T) {
	s := given(t, loss(1, "L1", "97-2025", "PKR"))
	s.when(loss(2, "L2", "97-2025", "PKR")).then("refused record-exists").detail("data.case", "loss/nccia/karachi/L1")
	s.when(loss(2, "L2", "case/nccia/karachi/97-2025", "PKR")).then("refused record-exists")
	s.when(loss(2, "L2", "case/nccia/lahore/97-2025", "PKR")).then("accepted")
	s.when(loss(3, "L3", "97-2025", "USD")).then("accepted")
	s.when(correct(4, karachi, "loss/nccia/karachi/L3", 3, `{"occurred":"2025","case":"97-2025","amount":{"value":"5","currency":"PKR"}}`)).
		then("refused record-exists").detail("data.replacement.case", "L1")
	// A retracted loss keeps its place; a corrected one gives it up.
	s.when(retract(5, karachi, "loss/nccia/karachi/L1", 1)).then("accepted")
	s.when(loss(6, "L4", "97-2025", "PKR")).then("refused record-exists")
	s.when(correct(7, karachi, "loss/nccia/karachi/L1", 5, `{"occurred":"2025","amount":{"value":"5","currency":"PKR"}}`)).then("accepted")
	s.when(loss(6, "L4", "97-2025", "PKR")).then("accepted")
	// What is refused with its submission leaves nothing behind.
	s.when(loss(8, "L5", "98-2025", "PKR"), raid(1, "x"), "", loss(9, "L6", "98-2025", "PKR")).
		then("refused with-refused", "refused conflicting-id", "accepted")
}

// Rule 4: amendments.
func TestAmendments(t *testing.T) {
	const name = "raid/nccia/karachi/7"
	s := given(t, raid(1, "7"))
	s.when(correct(2, karachi, "raid/nccia/karachi/8", 1, aRaid)).then("refused no-such-record")
	s.when(correct(2, karachi, name, 9, aRaid)).then("refused stale-amendment").detail("data.amends", id(1))
	s.when(correct(2, lahore, name, 1, aRaid)).then("refused not-authorised")
	s.when(correct(2, "/nccia/lahore", name, 1, aRaid)).then("accepted") // the agency, not the unit
	s.when(correct(3, karachi, name, 1, aRaid)).then("refused stale-amendment").detail("data.amends", id(2))
	s.when(correct(3, karachi, name, 2, `{"occurred":"2025-06-04"}`)).then("refused bad-data").detail("data.replacement.premises", "missing")
	s.when(correct(3, karachi, name, 1, `{"occurred":"2025-06-04"}`)).then("refused bad-data") // data count before amends
	s.when(correct(3, karachi, name, 2, `[]`)).then("refused bad-data").detail("data.replacement", "full new data")
	s.when(correct(3, karachi, name, 2, `{"a":1,"a":2}`)).then("refused malformed")
	s.when(retract(4, karachi, name, 2)).then("accepted")
	s.when(retract(5, karachi, name, 4)).then("refused not-amendable").detail("data.record", "retracted already")
	s.when(correct(6, karachi, name, 2, aRaid)).then("refused stale-amendment").detail("data.amends", "a retraction")
	s.when(correct(6, karachi, name, 4, aRaid)).then("accepted")
	if got := s.last[0].Change; got != Reinstated {
		t.Errorf("a correction of a retraction is a change of kind %d, want Reinstated", got)
	}
	got, ok := s.register.Lookup(RecordName{"raid", Diary{"nccia", "karachi"}, "7"})
	if !ok || got.Event.String() != id(6) || got.Retracted || got.Position != s.last[0].Position {
		t.Errorf("standing %+v", got)
	}
}

func TestSuccession(t *testing.T) {
	const name = "raid/nccia/karachi/7"
	s := given(t, raid(1, "7"))
	s.when(line(2, karachi, "agency.succeeded", "s1", `{"predecessor":"nccia","successor":"police","effective":"2025"}`)).then("refused wrong-source")
	s.when(correct(3, lahore, name, 1, aRaid)).then("refused not-authorised")
	s.when(succeed(2, "s1", "nccia", "bureau")).then("accepted")
	s.when(succeed(4, "s2", "bureau", "police")).then("accepted")
	s.when(correct(3, lahore, name, 1, aRaid)).then("accepted")  // the successor's successor
	s.when(correct(5, karachi, name, 3, aRaid)).then("accepted") // and still its own agency
	if got := s.register.Successor("nccia"); got != "police" {
		t.Errorf("successor %q", got)
	}
	// Undone, redone otherwise, and in a circle.
	s.when(retract(6, "/ledger/clerk", "agency/ledger/office/s2", 4)).then("refused not-authorised")
	s.when(retract(6, office, "agency/ledger/office/s2", 4)).then("accepted")
	s.when(correct(7, lahore, name, 5, aRaid)).then("refused not-authorised")
	s.when(succeed(8, "s3", "bureau", "nccia")).then("accepted")
	s.when(correct(7, lahore, name, 5, aRaid)).then("refused not-authorised")
	for _, agency := range []string{"nccia", "bureau"} {
		if got := s.register.Successor(agency); got != agency {
			t.Errorf("in a circle %q answers for %q", got, agency)
		}
	}
	s.when(succeed(9, "s4", "a", "a")).then("refused bad-data")
	// Of two successors of one agency, the one said last.
	s.when(succeed(10, "s5", "nccia", "police")).then("accepted")
	if got := s.register.Successor("nccia"); got != "police" {
		t.Errorf("successor said last %q", got)
	}
	// What is corrected of the first keeps its place: it does not come last.
	corrected := func(n int, amends int) string {
		return line(n, office, "record.corrected", "", fmt.Sprintf(`{"record":"agency/ledger/office/s1","amends":"%s","reason":"data-entry","replacement":{"predecessor":"nccia","successor":"bureau","effective":"2024"}}`, id(amends)))
	}
	s.when(corrected(11, 2)).then("accepted")
	if got := s.register.Successor("nccia"); got != "police" {
		t.Errorf("the effective day of the first is corrected, and %q answers", got)
	}
	s.when(retract(12, office, "agency/ledger/office/s1", 11)).then("accepted")
	s.when(corrected(13, 12)).then("accepted")
	if got := s.register.Successor("nccia"); got != "police" {
		t.Errorf("the first is reinstated, and %q answers", got)
	}
}

// Successions that go round take nobody over; what leads into a circle ends at
// its first agency.
func TestSuccessionsThatGoRound(t *testing.T) {
	s := Successors{"x": "a", "a": "b", "b": "c", "c": "a", "y": "z"}
	if circles := s.Straighten(); fmt.Sprint(circles) != "[[a b c]]" {
		t.Errorf("circles %v", circles)
	}
	for agency, want := range map[string]string{"x": "a", "a": "a", "b": "b", "c": "c", "y": "z", "z": "z"} {
		if got := s.Of(agency); got != want {
			t.Errorf("%s answers for %s, want %s", got, agency, want)
		}
	}
}

func TestMatches(t *testing.T) {
	match := func(n int, source, record, same string) string {
		return line(n, source, "record.matched", "", `{"record":"`+record+`","same_as":"`+same+`"}`)
	}
	a, b := "raid/nccia/karachi/7", "raid/police/lahore/7"
	s := given(t, raid(1, "7"), strings.Replace(raid(1, "7"), karachi, lahore, 1),
		line(2, karachi, "arrest.made", "7", `{"occurred":"2025","persons":1,"nationality":["PK"]}`))
	s.when(match(3, lahore, b, "raid/nccia/karachi/8")).then("refused no-such-record").detail("data.same_as", "8")
	s.when(match(3, lahore, "raid/police/lahore/8", a)).then("refused no-such-record").detail("data.record", "8")
	s.when(match(3, lahore, b, b)).then("refused bad-data").detail("data.same_as", "same diary")
	s.when(match(3, lahore, b, "arrest/nccia/karachi/7")).then("refused bad-data")
	s.when(match(3, karachi, b, a)).then("refused not-authorised")
	s.when(match(3, lahore, b, a)).then("accepted")
	if r := s.last[0]; r.Change != Matched || r.Record != 2 || r.SameAs != 1 {
		t.Errorf("match %d of %d and %d", r.Change, r.Record, r.SameAs)
	}
}

// Rule 5: a submission is accepted whole or not at all.
func TestSubmissionsStandOrFallTogether(t *testing.T) {
	s := given(t, raid(1, "1"))
	s.when(raid(2, "2"), raid(1, "1"), raid(3, "1"), raid(4, "4"), "", raid(5, "5")).
		then("refused with-refused", "duplicate 2:1", "refused record-exists", "refused with-refused", "accepted")
	for i, want := range []int{1, 1, 1, 1, 5} {
		if got := s.last[i].Submission; got != (Position{3, want}) {
			t.Errorf("line %d is of the submission at %s", i+1, got)
		}
	}
	s.when(raid(2, "2"), raid(1, "1"), raid(4, "4")).then("accepted", "duplicate 2:1", "accepted")
	// Later lines see the earlier ones of their submission.
	s.when(raid(6, "6"), correct(7, karachi, "raid/nccia/karachi/6", 6, aRaid), raid(6, "6")).
		then("accepted", "accepted", "duplicate 5:1")
	s.when(raid(8, "8"), correct(9, karachi, "raid/nccia/karachi/8", 8, aRaid), "junk").
		then("refused with-refused", "refused with-refused", "refused malformed")
	if _, ok := s.register.Lookup(RecordName{"raid", Diary{"nccia", "karachi"}, "8"}); ok {
		t.Error("a record of a refused submission stands")
	}
	// A line twice in a refused submission was accepted neither time.
	s.when(raid(8, "8"), raid(8, "8"), "junk").then("refused with-refused", "refused with-refused", "refused malformed")
	// An unrecognised line refuses nothing.
	s.when(raid(8, "8"), strings.Replace(raid(9, "9"), "conducted", "dreamt", 1)).then("accepted", "unrecognised")
}

// Rule 6: links refuse nothing.
func TestLinks(t *testing.T) {
	s := given(t)
	s.when(line(1, karachi, "arrest.made", "A", `{"occurred":"2025","raid":"none","cases":["case/police/lahore/9"],"persons":1,"nationality":["PK"]}`)).then("accepted")
	tie := `{"from":"arrest/nccia/karachi/A","to":"case/police/lahore/9"}`
	s.when(line(2, karachi, "record.linked", "", tie)).then("accepted")
	s.when(line(3, lahore, "record.linked", "", tie)).then("refused not-authorised")
	s.when(line(4, karachi, "record.unlinked", "", tie)).then("accepted")
}

// An entry on a diary's own subject holds that diary's events only.
func TestDiarySubjects(t *testing.T) {
	s := given(t)
	s.whenOn("ledger.diary.nccia.karachi", raid(1, "1")).then("accepted")
	s.whenOn("ledger.diary.police.lahore", raid(2, "2")).then("refused wrong-source").detail("source", "/police/lahore")
	s.whenOn("ledger.diary.police.lahore", strings.Replace(raid(2, "2"), "conducted", "dreamt", 1)).then("refused wrong-source") // source counts before type
	s.whenOn("ledger.diary.Police.lahore", raid(2, "2")).then("refused wrong-source")
	s.whenOn("elsewhere", raid(2, "2")).then("refused wrong-source")
	s.whenOn("ledger.diary.police.lahore", "junk").then("refused malformed")
}

func TestLimits(t *testing.T) {
	var many []string
	for i := range MaxLines + 1 {
		many = append(many, raid(i+1, "r"+id(i+1)))
	}
	s := given(t)
	s.when(many...).then("refused too-large").detail("", "1001 lines")
	s.when(many[:MaxLines]...)
	for _, r := range s.last {
		if r.Verdict != Accepted {
			t.Fatalf("%s %v", r.Position, r.Err())
		}
	}
	s.when(strings.Replace(raid(5000, "x"), `"premises"`, `"x":"`+strings.Repeat("y", MaxEntryBytes)+`","premises"`, 1)).
		then("refused too-large").detail("", "bytes")
	s.when("", " ", "\t").then("refused malformed").detail("", "no line")
}

// Apply and Check agree, and Check leaves no trace.
func TestCheckChangesNothing(t *testing.T) {
	s := given(t, raid(1, "1"), loss(2, "L1", "97", "PKR"))
	before := s.register.Hash()
	submission := strings.Join([]string{
		raid(3, "3"), loss(4, "L2", "98", "PKR"), succeed(5, "s", "nccia", "bureau"),
		correct(6, karachi, "raid/nccia/karachi/1", 1, aRaid), retract(7, karachi, "loss/nccia/karachi/L1", 2), raid(1, "1"),
	}, "\n")
	for range 3 {
		var got []string
		s.register.Check(Entry{Subject: EntrySubject, Payload: []byte(submission)}, func(r *Ruled) { got = append(got, ruling(*r)) })
		if want := "accepted accepted accepted accepted accepted duplicate 2:1"; strings.Join(got, " ") != want {
			t.Fatalf("check: %q", got)
		}
	}
	if s.register.Hash() != before || s.register.Last() != 3 || s.register.Successor("nccia") != "nccia" {
		t.Error("Check left a trace")
	}
	if got, _ := s.register.Lookup(RecordName{"raid", Diary{"nccia", "karachi"}, "1"}); got.Event.String() != id(1) {
		t.Error("Check amended a record")
	}
	s.when(submission).then("accepted", "accepted", "accepted", "accepted", "accepted", "duplicate 2:1")
}

func TestEntriesComeInOrder(t *testing.T) {
	s := given(t)
	if err := s.register.Apply(Entry{Number: 3, Subject: EntrySubject, Payload: []byte(raid(1, "1"))}, nil); err == nil {
		t.Error("an entry out of order was taken")
	}
}

// The state hash is part of the format: it may never change for these entries.
func TestStateHashIsForEver(t *testing.T) {
	s := given(t, raid(1, "7"))
	s.when(raid(1, "7"), raid(2, "7"), "", "junk")
	s.whenOn("ledger.diary.nccia.karachi", raid(3, "8"))
	const want = "6412dee2a7b804d7ba7db22cae525bf4d0d9651be777edd73e706c558b6dc31d"
	if got := hexOf(s.register.Hash()); got != want {
		t.Errorf("state hash %s, want %s", got, want)
	}
}
