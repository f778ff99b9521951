package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"roznamcha/domain"
)

func TestComposeWritesTheCanonicalLine(t *testing.T) {
	now := time.Date(2025, 6, 4, 9, 0, 0, 0, time.FixedZone("", 5*3600))
	id := "0198a7c2-6f1e-7c3a-9d51-0c8f5a2b7e10"
	for _, c := range []struct {
		composition
		data string
	}{
		{
			composition{typ: "raid.conducted", subject: "0007", occurred: "2025-06-03", sets: []string{"place.country=PK", "place.city=Karachi", "premises=call-centre", "participants=fia,pta"}},
			`{"occurred":"2025-06-03","place":{"country":"PK","city":"Karachi"},"premises":"call-centre","participants":["fia","pta"]}`,
		},
		{
			composition{typ: "arrest.made", subject: "A", occurred: "2025-06", sets: []string{"persons=3", "nationality=CN", "synthetic=false"}},
			`{"occurred":"2025-06","persons":3,"nationality":["CN"]}`,
		},
		{
			composition{typ: "arrest.made", subject: "A", occurred: "2025-06", sets: []string{"persons.value=3", "persons.qualifier=at-least", `nationality=["CN","NG"]`}},
			`{"occurred":"2025-06","persons":{"value":3,"qualifier":"at-least"},"nationality":["CN","NG"]}`,
		},
		{
			composition{typ: "recovery.made", subject: "R", occurred: "unknown", sets: []string{"amount=250000.00 PKR about", "note=a = b"}},
			`{"occurred":"unknown","note":"a = b","amount":{"value":"250000.00","currency":"PKR","qualifier":"about"}}`,
		},
		{
			composition{typ: "property.seized", subject: "P", occurred: "2025", sets: []string{"amount=unknown PKR", "item=a van"}},
			`{"occurred":"2025","item":"a van","amount":{"currency":"PKR","qualifier":"unknown"}}`,
		},
		{
			composition{typ: "recovery.made", subject: "R", occurred: "2025", sets: []string{"amount=5 PKR exact"}},
			`{"occurred":"2025","amount":{"value":"5.00","currency":"PKR"}}`,
		},
	} {
		c.source, c.id = "/nccia/karachi", id
		got, err := c.line(now)
		want := `{"specversion":"1.0","id":"` + id + `","source":"/nccia/karachi","type":"` + c.typ + `","subject":"` + c.subject +
			`","time":"2025-06-04T09:00:00+05:00","data":` + c.data + `}`
		if err != nil || string(got) != want {
			t.Errorf("%v\ngot  %s, %v\nwant %s", c.sets, got, err, want)
		}
	}
}

func TestComposeRefusesWhatNobodyTypesOnPurpose(t *testing.T) {
	for set, want := range map[string]string{
		"premise=other":          `no member "premise"`,
		"place.town=Karachi":     `no member "place.town"`,
		"premises":               "want member=value",
		"=x":                     "want member=value",
		"occurred=2025":          "given twice",
		"occurred.x=2025":        "no object",
		".x=1":                   "no object",
		"participants=[fia":      "not JSON",
		"amount=five":            "want a value and a currency",
		"place={\"country\":\"P": "not JSON",
	} {
		c := composition{typ: "raid.conducted", source: "/nccia/karachi", subject: "1", occurred: "2025", sets: []string{"premises=other", set}}
		line, err := c.line(time.Now())
		if !isWrongUse(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("--set %s: got %s, %v; want an error with %q", set, line, err, want)
		}
	}
}

// TestComposeNamesAMisspeltMember, also where the event is refused without it.
func TestComposeNamesAMisspeltMember(t *testing.T) {
	c := composition{typ: "raid.conducted", source: "/nccia/karachi", subject: "1", occurred: "2025", sets: []string{"premise=other"}}
	line, err := c.line(time.Now())
	if want := `raid.conducted has no member "premise". Try: premises`; !isWrongUse(err) || err.Error() != want {
		t.Errorf("got %s, %v; want %s", line, err, want)
	}
}

// TestNearMembers: what is suggested is a member, with the path that --set takes.
func TestNearMembers(t *testing.T) {
	for _, typ := range domain.Types() {
		all := nearMembers(typ, "?")
		if !slices.Contains(all, "place.city") || slices.Contains(all, "place") || slices.Contains(all, "amount.value") {
			t.Errorf("%s: %q", typ, all)
		}
		for _, path := range all {
			if _, ok := shapeAt(domain.Describe(typ), strings.Split(path, ".")); !ok {
				t.Errorf("%s has no member %s", typ, path)
			}
		}
	}
}

// TestComposeWritesAMemberAsItsTypeTakesIt: of one name are text and numbers,
// and a replacement is of a type that only the register knows.
func TestComposeWritesAMemberAsItsTypeTakesIt(t *testing.T) {
	for _, c := range []struct{ typ, set, want string }{
		{"loss.alleged", "amount.value=25", `"value":"25`},
		{"figure.published", "value=25", `"value":25`},
		{"figure.published", "dimensions.city=25", `"city":"25"`},
		{"case.registered", "number=25", `"number":"25"`},
		{"record.corrected", "replacement.persons=3", `"persons":3`},
		{"record.corrected", "replacement.nationality=CN,PK", `["CN","PK"]`},
		{"record.corrected", "replacement.amount=25 PKR", `{"currency":"PKR","value":"25"}`},
		{"raid.invented", "persons=3", `"persons":3`},
	} {
		line, err := composition{typ: c.typ, source: "/a/b", sets: []string{c.set}}.line(time.Now())
		if err != nil || !strings.Contains(string(line), c.want) {
			t.Errorf("%s --set %s: %s, %v; want %s", c.typ, c.set, line, err, c.want)
		}
	}
}

// TestComposeLeavesTheRulingToTheRecorder: what can be written is submitted,
// with everything that was typed.
func TestComposeLeavesTheRulingToTheRecorder(t *testing.T) {
	for _, c := range []composition{
		{typ: "raid.invented", source: "/nccia/karachi", subject: "1", sets: []string{"x=typed"}},
		{typ: "raid.conducted", source: "nccia", subject: "1", sets: []string{"note=typed"}},
		{typ: "raid.conducted", source: "/nccia/karachi", subject: "1", occurred: "2025", sets: []string{"premises=typed"}},
		{typ: "record.corrected", source: "/nccia/karachi", sets: []string{"record=raid/nccia/karachi/1", "amends=0198a7c2-6f1e-7c3a-9d51-0c8f5a2b7e10", "reason=data-entry", `replacement={"a":"typed"}`}},
	} {
		line, err := c.line(time.Now())
		if err != nil || !strings.Contains(string(line), `"typed"`) || !strings.Contains(string(line), `"id":"`) {
			t.Errorf("%v: got %s, %v", c, line, err)
		}
	}
}
