package projections

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"roznamcha/domain"
)

// claim is a claim on a measure; says is its figure and, after blanks, what
// else: "≥500 city=Karachi on=2025-06". An amount ends in PKR.
func claim(source domain.Diary, subject, publisher, measure, says string) *domain.Event {
	data := &domain.FigurePublished{
		Common: domain.Common{Document: domain.Document{Ref: publisher + "'s paper"}}, Publisher: publisher,
		Published: period("2025-07-15"), Period: period("2025"), Measure: measure,
	}
	words := strings.Fields(says)
	figure := words[0]
	for sign, q := range map[string]domain.Qualifier{"≥": domain.AtLeast, "≤": domain.AtMost, "≈": domain.About} {
		if rest, ok := strings.CutPrefix(figure, sign); ok {
			figure, data.Qualifier = rest, q
		}
	}
	if amount, ok := strings.CutSuffix(figure, "PKR"); ok {
		var err error
		if data.Amount, err = domain.ParseAmount(amount, "PKR", domain.Exact); err != nil {
			panic(err)
		}
	} else if _, err := fmt.Sscan(figure, &data.Value); err != nil {
		panic(err)
	}
	for _, word := range words[1:] {
		name, value, _ := strings.Cut(word, "=")
		if name == "on" {
			data.Period = period(value)
		} else {
			data.Dimensions = append(data.Dimensions, domain.Dimension{Name: name, Value: value})
		}
	}
	return event(source, subject, data)
}

var press = domain.Diary{Agency: "desk", Unit: "press"}

// told is what is said of a claim: the ledger's interval and the verdict, then,
// and, after an arrow where they differ, now; and reasons and relations.
func told(h *Held) string {
	decimals := h.Currency.Decimals()
	say := func(g *Holding) string {
		text := g.LedgerText(decimals) + " " + g.Text(decimals)
		if g.Why != "" {
			text += " (" + g.Why + ")"
		}
		return text
	}
	text := say(&h.Then)
	if now := say(&h.Now); now != text {
		text += " → " + now
	}
	for i := range h.Others {
		text += " | " + h.Others[i].String()
	}
	return text
}

// holds writes claims, one entry each, and holds what is told of them against
// want: claim and told by turns.
func holds(t *testing.T, b *book, claims *Claims, want ...string) {
	t.Helper()
	for i := 0; i < len(want); i += 2 {
		measure, says, _ := strings.Cut(want[i], " ")
		b.write(claim(press, fmt.Sprint("c", i/2), "Paper", measure, says))
	}
	held := b.totals.Hold(claims, Select{})
	for i := 0; i < len(want); i += 2 {
		h := &held[len(held)-len(want)/2+i/2]
		h.Others = nil // a story of its own
		if got := told(h); got != want[i+1] {
			t.Errorf("%s\n is %s\nwant %s", want[i], got, want[i+1])
		}
	}
}

func TestAClaimIsHeldAgainstWhatItSpeaksOf(t *testing.T) {
	claims := NewClaims()
	b := newBook(t, claims)
	b.write(
		raid(karachi, "1", "Karachi", "2025-02-03"), raid(karachi, "2", "Karachi", "2025-03"), raid(lahore, "3", "Lahore", "2025-03-04"),
		raid(lahore, "old", "Lahore", "2024-03-04"),
		arrest(karachi, "4", "Karachi", "2025-02-03", 40, "CN"), arrest(karachi, "5", "Karachi", "2025-02-04", 5, "PK"),
		recovery(karachi, "6", "Karachi", "2025-02-03", pkr(1000)),
	)
	holds(t, b, claims,
		"raids 3", "3 matches",
		"raids 5", "3 short by 2",
		"raids 2", "3 over by 1",
		"raids ≥3", "3 bound holds",
		"raids ≥4", "3 short by ≥ 1",
		"raids ≤3", "3 bound holds",
		"raids ≤2", "3 over by ≥ 1",
		"raids 2 city=Karachi", "2 matches",
		"raids 3 on=2024/2025-03-03", "2 to 3 not comparable (1 fact unplaced: only partly in the period, or undated)",
		"raids 0 city=Multan", "0 matches",
		"arrests ≈40 class=foreign", "40 matches",
		"arrests ≈50", "45 matches",
		"arrests ≈60", "45 short by ≥ 10",
		"arrests 40 class=foreign city=Karachi", "40 matches",
		"recovered 1000.00PKR", "1,000 matches",
		"recovered 1000.50PKR", "1,000 short by 0.50",
		"raids 1 month=2025-02", "1 matches",
		"raids 4 year=2025", "3 short by 1",
		"raids 4 year=2024-04/2025-03 on=2024/2025", "3 short by 1",
		"sites_targeted 63", "— not comparable (the ledger has no measure sites_targeted)",
		"raids 63.00PKR", "— not comparable (another unit: the figure is money, raids is a number)",
		"recovered 63", "— not comparable (another unit: the figure is a number, recovered is money)",
		"raids 63 district=South", "— not comparable (the ledger has no dimension district)",
		"arrests 63 class=alien", "— not comparable (no fact can have class alien)",
	)
}

func TestWhatMayBelongThereWidensTheLedgersSide(t *testing.T) {
	claims := NewClaims()
	b := newBook(t, claims)
	atLeast := func(d *domain.ArrestMade) { d.Persons.Qualifier = domain.AtLeast }
	about := func(d *domain.ArrestMade) { d.Persons.Qualifier = domain.About }
	unknown := func(d *domain.PersonDetained) { d.Persons = domain.Count{Qualifier: domain.Unknown} }
	nameless := func(d *domain.ArrestMade) { d.Place.City = "" }
	persons := func(n int64) *domain.ArrestMade {
		return &domain.ArrestMade{Common: common("Karachi", "2025-02"), Persons: domain.Count{N: n}, Nationality: []domain.Nationality{"CN"}}
	}
	abroad := func(d *domain.ArrestMade) { d.Place.Country = "AE" }
	b.write(
		event(karachi, "1", persons(10)), event(karachi, "2", persons(5), nameless),
		event(karachi, "3", persons(10), abroad, atLeast), event(karachi, "4", persons(500), about, func(d *domain.ArrestMade) { d.Place.Country = "CN" }),
		event(karachi, "5", &domain.PersonDetained{Common: common("Karachi", "2025"), Persons: domain.Count{N: 7}, Nationality: []domain.Nationality{"CN"}}),
		event(karachi, "6", &domain.PersonDetained{Common: common("Lahore", "2025"), Persons: domain.Count{N: 7}, Nationality: []domain.Nationality{"CN"}}, unknown),
		raid(karachi, "7", "Karachi", "unknown"), raid(karachi, "8", "Karachi", "2024"),
	)
	const noCity, unplaced = "may belong there: it names no city", "unplaced: only partly in the period, or undated"
	holds(t, b, claims,
		"arrests 10 city=Karachi country=PK", "10 to 15 not comparable (1 fact "+noCity+")",
		"arrests 16 city=Karachi country=PK", "10 to 15 short by ≥ 1",
		"arrests 9 city=Karachi country=PK", "10 to 15 over by ≥ 1",
		"arrests ≥10 city=Karachi country=PK", "10 to 15 bound holds",
		"arrests ≤12 city=Karachi country=PK", "10 to 15 not comparable (1 fact "+noCity+")",
		"arrests ≈200 city=Karachi country=PK", "10 to 15 short by ≥ 135",
		"arrests 10 country=AE", "≥ 10 not comparable (the ledger has only a lower bound)",
		"arrests ≥10 country=AE", "≥ 10 bound holds",
		"arrests 9 country=AE", "≥ 10 over by ≥ 1",
		"arrests 500 country=CN", "450 to 550 not comparable (the ledger has only an approximation)",
		"arrests ≈500 country=CN", "450 to 550 matches",
		"arrests ≈1000 country=CN", "450 to 550 not comparable (the ledger has only an approximation)",
		"arrests 551 country=CN", "450 to 550 short by ≥ 1",
		"detained 7 city=Karachi", "7 matches",
		"detained 7", "≥ 7 not comparable (1 fact of unknown number)",
		"raids 1 on=2024/2025", "1 to 2 not comparable (1 fact "+unplaced+")",
		"raids 1 on=2024-02", "0 to 2 not comparable (2 facts "+unplaced+")",
		"raids 3 on=../2024", "0 to 2 short by ≥ 1",
		"raids 1 on=../2024", "0 to 2 not comparable (open period: it does not say since when; 1 fact "+unplaced+")",
		"raids 1 on=2024/..", "0 to 2 not comparable (open period: it does not say until when; 1 fact "+unplaced+")",
		"raids 2 on=unknown", "0 to 2 not comparable (its period is not known)",
		"raids 1 on=2024 month=2024-02", "0 to 2 not comparable (2 facts may belong there: they lie in no one month)",
	)
}

func TestAClaimIsHeldAgainstTheLedgerOfItsEntryAndOfNow(t *testing.T) {
	claims := NewClaims()
	b := newBook(t, claims)
	first, second := raid(karachi, "1", "Karachi", "2025-02-03"), raid(lahore, "1", "Karachi", "2025-02-03")
	check := func(want ...string) {
		t.Helper()
		held := b.totals.Hold(claims, Select{})
		for i := range held {
			held[i].Others = nil
			if got := told(&held[i]); got != want[i] {
				t.Errorf("claim %d is %s\nwant %s", i, got, want[i])
			}
		}
	}
	b.write(claim(press, "a", "Paper", "raids", "2"))
	check("0 short by 2")
	b.write(first, second)
	b.write(claim(press, "b", "Paper", "raids", "2 city=Karachi"))
	check("0 short by 2 → 2 matches", "2 matches")
	b.write(match(second, first))
	b.write(claim(press, "c", "Paper", "raids", "1"))
	check("0 short by 2 → 1 short by 1", "2 matches → 1 short by 1", "1 matches")
	b.write(b.retract(first))
	b.write(b.retract(second))
	check("0 short by 2", "2 matches → 0 short by 2", "1 matches → 0 short by 1")
	held := b.totals.Hold(claims, Select{})
	if h := held[1]; h.Then.Entry != 4 || h.Now.Entry != 8 {
		t.Errorf("held as known at %d and %d, want 4 and 8", h.Then.Entry, h.Now.Entry)
	}
}

// A filter on who answers today is asked under the successions of each moment.
func TestAClaimOfASuccessor(t *testing.T) {
	claims := NewClaims()
	b := newBook(t, claims)
	b.write(raid(wing, "1", "Karachi", "2025-02-03"))
	b.write(claim(press, "a", "Paper", "raids", "1 successor=nccia"))
	b.write(event(domain.Office, "s", &domain.AgencySucceeded{Predecessor: "fia", Successor: "nccia", Effective: period("2025-04")}))
	if got := told(&b.totals.Hold(claims, Select{})[0]); got != "0 short by 1 → 1 matches" {
		t.Errorf("it is %s", got)
	}
}

// The ledger's own figure is a cell that it printed, with nothing that may
// belong there besides.
func TestAClaimOfTheLedgersOffice(t *testing.T) {
	claims := NewClaims()
	b := newBook(t, claims)
	b.write(raid(karachi, "1", "Karachi", "2025-02-03"), raid(karachi, "2", "", "2025-02-03"), raid(karachi, "3", "", "2024/2025"))
	own := func(subject, says string) { b.write(claim(domain.Office, subject, "the ledger", "raids", says)) }
	own("a", "1 city=Karachi")
	own("b", "2")
	own("c", "3 on=unknown")
	own("d", "1 city=not-given on=../2025-02")
	b.write(raid(karachi, "4", "Karachi", "2025-02-03"))
	want := []string{"1 matches → 2 over by 1", "2 matches → 3 over by 1", "3 matches → 4 over by 1", "1 matches"}
	for i, h := range b.totals.Hold(claims, Select{}) {
		if got := told(&h); got != want[i] {
			t.Errorf("claim %d is %s, want %s", i, got, want[i])
		}
	}
}

// Its table says as known when, by which clock and of which time.
func TestACellOfAPublishedTable(t *testing.T) {
	claims := NewClaims()
	b := newBook(t, claims)
	b.write(
		raid(karachi, "1", "Karachi", "2025-02-03"), raid(karachi, "2", "", "unknown"),
		event(karachi, "3", &domain.RaidConducted{Common: common("Lahore", "2024/2025"), Premises: domain.CallCentre}, func(d *domain.RaidConducted) { d.Reported = period("2025-03") }),
	)
	publish := func(subject, says string, entry uint64, mend ...func(*Query)) {
		t.Helper()
		q := Query{Columns: []Column{{Measure: Raids}}, AsOf: entry}
		for _, m := range mend {
			m(&q)
		}
		table, err := b.totals.Query(q)
		if err != nil {
			t.Fatal(err)
		}
		e := claim(domain.Office, subject, "test", "raids", says)
		e.Data.Shared().Document.Locator = PublicationOf(q, table).Locator()
		b.write(e)
	}
	b.write(raid(karachi, "4", "Karachi", "2025-02-03"))
	publish("a", "3 on=../2025-07-01", 2)                                                 // all that there is, the undated too
	publish("b", "1 on=../2025-02-28", 2, during("../2025-02-28"))                        // as long as it says
	publish("c", "1 on=2025-03 clock=reported", 2, func(q *Query) { q.Clock = Reported }) //
	publish("d", "2 on=../2025-07-01 year=not-given", 3, func(q *Query) { q.YearStarts = 7 })
	forged := claim(domain.Office, "f", "test", "raids", "4 on=../2025-07-01")
	forged.Data.Shared().Document.Locator = (Publication{Query{Columns: []Column{{Measure: Raids}}}, 99, "", hexHash("")}).Locator()
	b.write(forged)
	b.write(raid(karachi, "5", "", "2025-06/2025-07"))
	want := []string{"3 matches → 5 over by 2", "1 matches → 2 over by 1", "1 matches", "2 matches → 3 over by 1", "2 short by 2"}
	for i, h := range b.totals.Hold(claims, Select{}) {
		h.Others = nil
		if got := told(&h); got != want[i] {
			t.Errorf("claim %d is %s, want %s", i, got, want[i])
		}
	}
}

// What came to count in several entries and counts no more from one on is known
// at each of them.
func TestRowsThatCloseTogether(t *testing.T) {
	claims := NewClaims()
	b := newBook(t, claims)
	one, two, three := raid(karachi, "1", "Karachi", "2025-02-03"), raid(karachi, "2", "Karachi", "2025-02-03"), arrest(karachi, "3", "Karachi", "2025-02-03", 5, "CN")
	b.write(one)
	b.write(claim(press, "a", "Paper", "raids", "1"))
	b.write(three, two)
	b.write(claim(press, "b", "Paper", "raids", "2"), claim(press, "c", "Paper", "arrests", "5"))
	b.write(b.retract(one), b.retract(two), b.retract(three))
	for i, h := range b.totals.Hold(claims, Select{}) {
		if h.Then.Verdict != Matches || h.Now.Verdict != Short || h.Now.Ledger != (Interval{}) {
			t.Errorf("claim %d is %s", i, told(&h))
		}
	}
}

func TestWhatOtherClaimsHaveToDoWithOne(t *testing.T) {
	claims := NewClaims()
	b := newBook(t, claims)
	for i, says := range []string{
		"arrests 450", "arrests ≥500", "arrests 450 city=Karachi", "arrests 450 on=2024/2025-06", "arrests 4500", "raids 450",
		"arrests ≈452", "arrests ≤9 city=Lahore", "arrests 9 city=Lahore on=2025-01/2025-12", "detained 9 city=Lahore", "arrests 45 on=2025-06",
		"arrests 4500 on=2023", "alleged 450.00PKR",
	} {
		measure, figure, _ := strings.Cut(says, " ")
		b.write(claim(press, string(rune('a'+i)), "Paper", measure, figure))
	}
	want := []string{
		"contradicted by b (Paper) ≥ 500, g (Paper) ≈ 452 | exactly a tenth of e (Paper) 4,500 | the same number for another period: d (Paper) 2024/2025-06 | the same number for another measure: f (Paper) raids",
		"contradicted by a (Paper) 450, g (Paper) ≈ 452",
		"",
		"exactly a tenth of e (Paper) 4,500 | the same number for another period: a (Paper) 2025",
		"contradicted by g (Paper) ≈ 452 | exactly 10 times a (Paper) 450, d (Paper) 450",
		"the same number for another measure: a (Paper) arrests",
		"contradicted by a (Paper) 450, b (Paper) ≥ 500, e (Paper) 4,500",
		"", "", "",
		"", // the year has ten times the month's: no wonder
		"", "",
	}
	held := b.totals.Hold(claims, Select{})
	for i, h := range held {
		var texts []string
		for _, o := range h.Others {
			texts = append(texts, o.String())
		}
		if got := strings.Join(texts, " | "); got != want[i] {
			t.Errorf("of %s %s is told %s\nwant %s", h.What(), h.Figure(), got, want[i])
		}
	}
	// 4,500 on 2024/2025-06 and 450 on 2025: neither is part of the other. 4,500
	// on 2023 has no day in common.
	b.write(claim(press, "x", "Paper", "arrests", "4500 on=2024-06/2025-06"))
	held = b.totals.Hold(claims, Select{})
	if got := held[len(held)-1].Others[0]; got.Kind != Slip || len(got.Claims) != 2 || got.Factor != 10 {
		t.Errorf("of 4,500 on other days is told %s", got.String())
	}
}

func TestManyOtherClaimsAreCounted(t *testing.T) {
	claims := NewClaims()
	b := newBook(t, claims)
	for i := range 6 {
		b.write(claim(domain.Diary{Agency: "desk", Unit: fmt.Sprint("u", i%2)}, fmt.Sprint(i/2), "Paper", "raids", fmt.Sprint(i+1)))
	}
	want := "contradicted by desk/u1/0 (Paper) 2, desk/u0/1 (Paper) 3, desk/u1/1 (Paper) 4 and 2 more"
	if got := b.totals.Hold(claims, Select{})[0].Others[0]; got.String() != want {
		t.Errorf("%s\nwant %s", got.String(), want)
	}
}

// What the ledger's office says in two tables contradicts itself where it was
// restated; that its tables overlap is no slip.
func TestTheOfficesClaimsContradictOnly(t *testing.T) {
	claims := NewClaims()
	b := newBook(t, claims)
	b.write(claim(domain.Office, "a", "the ledger", "raids", "530"), claim(domain.Office, "b", "the ledger", "raids", "540"),
		claim(domain.Office, "c", "the ledger", "cases", "530"), claim(domain.Office, "d", "the ledger", "raids", "530 on=2024/2025"), claim(domain.Office, "e", "the ledger", "raids", "53"))
	held := b.totals.Hold(claims, Select{})
	for i, want := range []string{"contradicted by b (the ledger) 540, e (the ledger) 53", "contradicted by a (the ledger) 530, e (the ledger) 53", "", "", "contradicted by a (the ledger) 530, b (the ledger) 540"} {
		var texts []string
		for _, o := range held[i].Others {
			texts = append(texts, o.String())
		}
		if got := strings.Join(texts, " | "); got != want {
			t.Errorf("claim %d: %q, want %q", i, got, want)
		}
	}
}

func TestClaimsThatSyntheticFactsWereMadeFrom(t *testing.T) {
	claims := NewClaims()
	b := newBook(t, claims)
	synthetic := raid(karachi, "1", "Karachi", "2025-02-03")
	synthetic.Data.Shared().Synthetic = true
	synthetic.Data.Shared().Document.Ref = "Paper's paper"
	recorded := arrest(karachi, "2", "Karachi", "2025-02-03", 3, "CN")
	recorded.Data.Shared().Document.Ref = "Other's paper"
	b.write(synthetic, recorded)
	b.write(claim(press, "a", "Paper", "raids", "1"), claim(press, "b", "Paper", "arrests", "3"), claim(press, "c", "Paper", "sites", "1"),
		claim(press, "d", "Other", "arrests", "3"), claim(press, "e", "Third", "raids", "1"))
	want := []bool{true, false, true, false, false}
	for i, h := range b.totals.Hold(claims, Select{}) {
		if h.Made != want[i] {
			t.Errorf("claim %s: made %v, want %v", h.Record.ID, h.Made, want[i])
		}
	}
}

func TestOnlySomeClaimsAreHeld(t *testing.T) {
	claims := NewClaims()
	b := newBook(t, claims)
	b.write(claim(press, "a", "Paper", "raids", "1"), claim(press, "b", "Other", "raids", "2 city=Karachi"), claim(press, "c", "Other", "recovered", "2.00PKR on=2024"))
	where := func(s string) []Filter {
		f, err := ParseFilters(s)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, c := range []struct {
		by   Select
		want string
	}{
		{Select{}, "a b c"},
		{Select{Publisher: "Other"}, "b c"},
		{Select{Measure: "raids"}, "a b"},
		{Select{Where: where("city=Karachi|Lahore")}, "b"},
		{Select{Where: where("city=not-given")}, "a c"},
		{Select{Where: where("currency=PKR")}, "c"},
		{Select{Period: period("2025")}, "a b"},
		{Select{Period: period("2025-07"), Clock: Reported}, "a b c"},
		{Select{Period: period("2025-08"), Clock: Reported}, ""},
	} {
		var got []string
		for _, h := range b.totals.Hold(claims, c.by) {
			got = append(got, h.Record.ID)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v holds %v, want %s", c.by, got, c.want)
		}
	}
	// What is not held still contradicts.
	if h := b.totals.Hold(claims, Select{Measure: "raids", Publisher: "Paper"}); len(h) != 1 || h[0].Contradicted() != true {
		t.Errorf("the first claim is %+v", h)
	}
}

// A sum over 64 bits is more than any claim says, and no error.
func TestSumsThatOverflowAreOpen(t *testing.T) {
	claims := NewClaims()
	b := newBook(t, claims)
	huge := domain.Amount{Minor: math.MaxInt64 - 5, Currency: "PKR"}
	b.write(recovery(karachi, "1", "Karachi", "2025-02-03", huge), recovery(karachi, "2", "Karachi", "2025-02-03", huge), recovery(karachi, "3", "", "2025-02-03", huge))
	holds(t, b, claims,
		"recovered 7.00PKR", "≥ 92,233,720,368,547,758.07 over by ≥ 92,233,720,368,547,751.07",
		"recovered ≥7.00PKR city=Karachi", "≥ 92,233,720,368,547,758.07 bound holds",
		"recovered 7.00PKR city=Lahore", "0 to 92,233,720,368,547,758.02 not comparable (1 fact may belong there: it names no city)",
	)
}

// What the ledger says to a claim is what counting all over says, at every
// entry, for claims on whatever there is.
func TestClaimsAgreeWithARecount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel()
		h := &historian{rt: t, book: &book{t: t, reg: domain.NewRegister(), totals: NewTotals()}}
		h.ps = []Projection{h.totals, m}
		h.entry([]string{"junk"})
		h.entry([]string{h.line(event(domain.Office, "l", &domain.LedgerOpened{Name: "l", HomeCountry: "PK", Zone: "Asia/Karachi", Rules: 1}))})
		for range rapid.IntRange(1, 25).Draw(t, "entries") {
			h.write()
		}
		claims := NewClaims()
		for range rapid.IntRange(1, 100).Draw(t, "claims") { // several scans' worth
			claims.all = append(claims.all, someClaim(t, h))
		}
		slices.SortStableFunc(claims.all, func(a, b Claim) int { return int(a.Position.Entry) - int(b.Position.Entry) })
		for _, held := range h.totals.Hold(claims, Select{}) {
			for _, g := range []Holding{held.Then, held.Now} {
				if !g.Asked {
					t.Fatalf("%s was not asked: %s", held.What(), g.Why)
				}
				want := m.interval(held.Claim, g.Entry)
				if got := g.Ledger; got.Low != want.Low || got.Open != want.Open || !got.Open && got.High != want.High {
					t.Errorf("%s on %s at entry %d: the ledger says %+v, counting says %+v", held.What(), held.Period, g.Entry, got, want)
				}
			}
		}
	})
}

// someClaim is a claim on what a column has, at an entry.
func someClaim(t *rapid.T, h *historian) Claim {
	column := h.column(t)
	c := Claim{
		Position: domain.Position{Entry: rapid.Uint64Range(1, h.reg.Last()).Draw(t, "entry"), Line: 1},
		Record:   domain.RecordName{Kind: "figure", Diary: rapid.SampledFrom([]domain.Diary{press, press, domain.Office}).Draw(t, "diary"), ID: uuid.NewString()},
		Period:   period(rapid.SampledFrom([]string{"2025", "2025-01", "2024/2025", "../2025-02", "2025-02/..", "2025-02-03", "unknown"}).Draw(t, "period")),
		Measure:  column.Measure.String(), Value: rapid.Int64Range(0, 20).Draw(t, "value"),
	}
	if column.Measure.IsAmount() {
		c.Currency = rapid.SampledFrom([]domain.Currency{"PKR", "USD"}).Draw(t, "currency")
	}
	if rapid.IntRange(0, 3).Draw(t, "by the other clock") == 0 {
		c.Dimensions = append(c.Dimensions, domain.Dimension{Name: "clock", Value: "reported"})
	}
	for _, f := range column.Filters {
		text := strings.SplitN(f.String(), "=", 2)
		c.Dimensions = append(c.Dimensions, domain.Dimension{Name: text[0], Value: text[1]})
	}
	return c
}

// interval counts what the ledger says to c, as known after an entry.
func (m *model) interval(c *Claim, entry uint64) Interval {
	w := m.entries[entry]
	first, last := c.Period.Days(m.zone)
	q, _ := c.question(m.zone)
	i := Interval{}
	for _, r := range w.counting() {
		if measureOf(r.data.Type()) != q.measure {
			continue
		}
		from, to, dated := m.when(r, q.clock)
		if dated && (to < first || from > last) {
			continue
		}
		whole := c.Period.IsUnknown() || dated && from >= first && to <= last
		may := true
		for _, f := range q.filters {
			values := w.values(r, f.Dimension)
			if f.Dimension.isTime() {
				values = nil
				unit := (calendar{1}).unit(f.Dimension, span{from, to})
				if unit != noUnit {
					values = []string{(calendar{1}).label(f.Dimension, unit)}
				}
			}
			passes := f.allows(values)
			may = may && (passes || len(values) == 0)
			whole = whole && passes
		}
		n, k, _ := quantity(r)
		part := Interval{Low: n, High: n, Open: k == domain.AtLeast}
		switch k {
		case domain.About:
			part = about(n)
		case domain.Unknown:
			part = Interval{Open: true}
		}
		if c.isOwn() && k == domain.About {
			part = Interval{Low: n, High: n}
		}
		switch {
		case !may || c.isOwn() && !whole:
			continue
		case whole:
			i.Low += part.Low
		}
		i.High += part.High
		i.Open = i.Open || part.Open
	}
	if !c.isOwn() && (first == domain.MinDay || last == domain.MaxDay) {
		i.Low = 0
	}
	return i
}
