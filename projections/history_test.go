package projections

import (
	"slices"
	"strings"
	"testing"

	"roznamcha/domain"
)

func TestHistory(t *testing.T) {
	name := domain.RecordName{Kind: "raid", Diary: karachi, ID: "7"}
	h, other := NewHistory(name), NewHistory(domain.RecordName{Kind: "raid", Diary: karachi, ID: "8"})
	b := newBook(t, h, other)
	first := raid(karachi, "7", "Karachi", "2025-06-03")
	b.write(first)
	b.lines(b.line(first))                                       // 3: a duplicate
	b.lines(b.line(raid(karachi, "7", "Karachi", "2025-06-04"))) // 4: record-exists
	stale := b.retract(first)                                    // as if written now
	moved := raid(karachi, "7", "Lahore", "2025-06-03").Data.(*domain.RaidConducted)
	moved.Premises = domain.SoftwareHouse
	moved.Place.Country = ""
	b.write(b.amend(first, &domain.RecordCorrected{Replacement: moved, Reason: domain.WrongPlace, Authority: "Order 5"}))
	b.lines(b.line(stale)) // 6: stale
	b.write(b.retract(first))
	if log := h.Log(); !log.Exists || !log.Retracted {
		t.Errorf("retracted, it stands as %+v", log)
	}
	b.write(b.correct(first, first.Data))
	b.write(raid(lahore, "9", "Lahore", "2025-06-03"))
	b.write(match(first, raid9()))
	b.write(&domain.Event{Source: lahore, Data: &domain.RecordLinked{From: raid9().Record(), To: name}})
	b.write(&domain.Event{Source: lahore, Data: &domain.RecordUnlinked{From: raid9().Record(), To: name}})

	var got []string
	for _, i := range h.Log().Items {
		line := i.Position.String() + " " + i.What
		for _, more := range []string{string(i.Reason), i.Authority, string(i.Code), i.From, i.To} {
			if more != "" {
				line += " · " + more
			}
		}
		if !i.First.IsZero() {
			line += " · first " + i.First.String()
		}
		for _, c := range i.Changes {
			line += " · " + c.Member + ": " + c.Old + " → " + c.New
		}
		got = append(got, line)
	}
	want := unindent(`
		2:1 created · occurred:  → "2025-06-03" · place.country:  → "PK" · place.city:  → "Karachi" · premises:  → "call-centre"
		3:1 duplicate · first 2:1
		4:1 refused · record-exists
		5:1 corrected · wrong-place · Order 5 · place.city: "Karachi" → "Lahore" · premises: "call-centre" → "software-house" · place.country: "PK" → 
		6:1 refused · source-withdrew · stale-amendment
		7:1 retracted · source-withdrew
		8:1 reinstated · data-entry · place.country:  → "PK" · place.city: "Lahore" → "Karachi" · premises: "software-house" → "call-centre"
		10:1 matched · raid/nccia/karachi/7 · raid/nccia/lahore/9
		11:1 linked · raid/nccia/lahore/9 · raid/nccia/karachi/7
		12:1 unlinked · raid/nccia/lahore/9 · raid/nccia/karachi/7`)
	if got := unindent(strings.Join(got, "\n")); got != want {
		t.Errorf("the history is\n%s\nwant\n%s", got, want)
	}
	standing, _ := b.reg.Lookup(name)
	if log := h.Log(); !log.Exists || log.Retracted || log.Current != standing.Event {
		t.Errorf("it stands as %+v, the register has %+v", log, standing)
	}
	if log := other.Log(); log.Exists || len(log.Items) != 0 {
		t.Errorf("another record has %+v", log)
	}
}

// A count is a number, or an object with one: what did not change is not told.
func TestHistoryOfACount(t *testing.T) {
	first := arrest(karachi, "1", "Karachi", "2025-06-03", 3, "CN")
	h := NewHistory(domain.RecordName{Kind: "arrest", Diary: karachi, ID: "1"})
	b := newBook(t, h)
	b.write(first)
	for _, persons := range []domain.Count{{N: 3, Qualifier: domain.AtLeast}, {N: 4}, {Qualifier: domain.Unknown}} {
		data := *first.Data.(*domain.ArrestMade)
		data.Persons = persons
		b.write(b.correct(first, &data))
	}
	var got []string
	for _, i := range h.Log().Items[1:] {
		for _, c := range i.Changes {
			got = append(got, c.Member+": "+c.Old+" → "+c.New)
		}
	}
	want := []string{
		`persons.qualifier:  → "at-least"`,
		`persons.value: 3 → 4`, `persons.qualifier: "at-least" → `,
		`persons.qualifier:  → "unknown"`, `persons.value: 4 → `,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func raid9() *domain.Event {
	e := raid(lahore, "9", "Lahore", "2025-06-03")
	e.Type = domain.TypeRaidConducted
	return e
}

// A version lies where its dates do in the ledger's zone; a retraction, and what
// was never asked about, nowhere.
func TestHistoryDuring(t *testing.T) {
	name := domain.RecordName{Kind: "raid", Diary: karachi, ID: "7"}
	june, plain := NewHistoryDuring(name, During{Period: period("2025-06")}), NewHistory(name)
	b := newBook(t, june, plain)
	first := raid(karachi, "7", "", "2025-06-30T18:30:00Z")
	b.write(first)
	b.lines(b.line(first)) // a duplicate
	b.write(b.correct(first, raid(karachi, "7", "", "2025-06-30T19:30:00Z").Data))
	if got := june.Log().Placing; got != Outside {
		t.Errorf("half an hour into July in Karachi it lies %s of June", got)
	}
	b.write(b.retract(first))
	if log := june.Log(); log.Placing != 0 {
		t.Errorf("retracted, it lies %s", log.Placing)
	}
	b.write(b.correct(first, raid(karachi, "7", "", "2025").Data))
	var got []string
	for i, item := range june.Log().Items {
		got = append(got, item.What+" "+item.Placing.String())
		if other := plain.Log().Items[i]; other.Placing != 0 {
			t.Errorf("without a period, %s %s", other.What, other.Placing)
		}
	}
	want := "created inside, duplicate , corrected outside, retracted , reinstated unplaced"
	if got := strings.Join(got, ", "); got != want || june.Log().Placing != Unplaced {
		t.Errorf("it was %s and is %s; want %s", got, june.Log().Placing, want)
	}
}
