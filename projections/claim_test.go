package projections

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"roznamcha/domain"
)

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// claim is a claim on a measure; says is its figure and, after blanks, what
// else: "≥500 city=Karachi on=2025-06". An amount ends in its currency.
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
	if amount, currency := strings.TrimRight(figure, letters), strings.Trim(figure, "0123456789."); currency != "" {
		var err error
		if data.Amount, err = domain.ParseAmount(amount, currency, domain.Exact); err != nil {
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
		b.write(claim(press, fmt.Sprint("c", b.reg.Last()), "Paper", measure, says))
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
		"arrests 500 country=CN", "≈ 450 to 550 not comparable (the ledger has only an approximation)",
		"arrests ≈500 country=CN", "≈ 450 to 550 matches",
		"arrests ≈1000 country=CN", "≈ 450 to 550 not comparable (the ledger has only an approximation)",
		"arrests 551 country=CN", "≈ 450 to 550 short by ≥ 1",
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

// An amount in a currency that the ledger has not seen there is no smaller or
// larger than what it has in another.
func TestAClaimInAnotherCurrencyIsNotComparable(t *testing.T) {
	claims := NewClaims()
	b := newBook(t, claims)
	recovered := func(id, city, occurred string, a domain.Amount) { b.write(recovery(karachi, id, city, occurred, a)) }
	usd := func(dollars int64) domain.Amount { return domain.Amount{Minor: 100 * dollars, Currency: "USD"} }
	recovered("1", "Karachi", "2025-02-03", pkr(72_000_000))
	holds(t, b, claims,
		"recovered 60000000.00USD", "— not comparable (another unit: the ledger has it in PKR)",
		"recovered 60000000.00USD city=Karachi", "— not comparable (another unit: the ledger has it in PKR)",
		"recovered 60000000.00USD city=Lahore", "0 short by 60,000,000",
		"recovered 60000000.00USD on=2024", "0 short by 60,000,000",
		"alleged 60000000.00USD", "0 short by 60,000,000",
		"recovered 60000000.00PKR", "72,000,000 over by 12,000,000",
	)
	recovered("2", "", "2025-02-03", domain.Amount{Minor: 500, Currency: "EUR"})
	recovered("3", "Lahore", "2025-02-03", usd(5))
	recovered("4", "Multan", "2025/2026", usd(7))
	holds(t, b, claims,
		"recovered 60000000.00USD city=Karachi", "— not comparable (another unit: the ledger has it in EUR, PKR)",
		"recovered 60000000.00USD", "5 to 12 short by ≥ 59,999,988",
		"recovered 9.00USD city=Multan", "0 to 7 short by ≥ 2",
		"recovered 9.00EUR city=Multan", "0 to 5 short by ≥ 4",
		"recovered 9.00SAR city=Multan", "— not comparable (another unit: the ledger has it in EUR, USD)",
	)
	recovered("5", "Karachi", "2025-02-03", domain.Amount{Qualifier: domain.Unknown})
	holds(t, b, claims,
		"recovered 9.00EUR city=Karachi", "≥ 0 not comparable (2 facts may belong there: they name no city or currency)",
		"recovered 9.00SAR city=Karachi", "— not comparable (another unit: the ledger has it in EUR, PKR; 1 fact may belong there: it names no currency)",
	)
	// As known before there was any, and after it was retracted.
	first := recovery(karachi, "6", "Quetta", "2025-02-03", pkr(5))
	b.write(first)
	b.write(claim(press, "then", "Paper", "recovered", "9.00SAR city=Quetta"))
	b.write(b.retract(first))
	recovered("7", "Quetta", "2025-02-03", usd(3))
	held := b.totals.Hold(claims, Select{})
	if got := [2]string{held[len(held)-1].Then.Why, held[len(held)-1].Now.Why}; got != [2]string{"another unit: the ledger has it in EUR, PKR", "another unit: the ledger has it in EUR, USD"} {
		t.Errorf("then and now %q", got)
	}
}

// What is said to be unknown, or foreign, may be what a claim speaks of.
func TestWhatIsSaidToBeUnknownMayBelongThere(t *testing.T) {
	claims := NewClaims()
	b := newBook(t, claims)
	sex := func(s domain.Sex) func(*domain.ArrestMade) { return func(d *domain.ArrestMade) { d.Sex = s } }
	arrested := func(id string, n int64, s domain.Sex, nationalities ...domain.Nationality) {
		e := arrest(karachi, id, "Karachi", "2025-02-03", n, nationalities...)
		sex(s)(e.Data.(*domain.ArrestMade))
		b.write(e)
	}
	arrested("1", 71, domain.UnknownSex, domain.ForeignNationality)
	arrested("2", 78, domain.UnknownSex, "PK")
	arrested("3", 5, domain.UnknownSex, domain.UnknownNationality)
	const one, two, three = "1 fact may belong there: it leaves ", "2 facts may belong there: they leave ", "3 facts may belong there: they leave "
	holds(t, b, claims,
		"arrests 48 nationality=CN", "0 to 76 not comparable ("+two+"nationality open)",
		"arrests 80 nationality=CN", "0 to 76 short by ≥ 4",
		"arrests 80 class=national", "78 to 83 not comparable ("+one+"class open)",
		"arrests 84 class=national", "78 to 83 short by ≥ 1",
		"arrests 73 class=foreign", "71 to 76 not comparable ("+one+"class open)",
		"arrests 18 sex=female", "0 to 154 not comparable ("+three+"sex open)",
		"arrests 80 nationality=PK", "78 to 83 not comparable ("+one+"nationality open)",
		"arrests 71 nationality=foreign", "71 to 76 not comparable ("+one+"nationality open)",
		"arrests 76 nationality=foreign|unknown", "76 matches",
		"arrests 5 nationality=unknown", "5 matches",
		"arrests 5 class=unknown", "5 matches",
		"arrests 154 sex=unknown", "154 matches",
		"arrests 0 sex=not-given", "0 matches",
		"arrests 0 nationality=not-given", "0 matches",
		"arrests 83 class=national|unknown", "83 matches",
		"arrests 18 sex=female nationality=CN", "0 to 76 not comparable ("+two+"nationality or sex open)",
		"arrests 18 sex=female city=Lahore", "0 short by 18",
	)
	arrested("4", 3, "", "CN", domain.UnknownNationality)
	arrested("5", 2, domain.Female, "CN", "NP")
	b.write(event(karachi, "6", &domain.PersonDetained{Common: common("", "2025"), Persons: domain.Count{N: 7}, Nationality: []domain.Nationality{domain.ForeignNationality}}))
	holds(t, b, claims,
		"arrests 48 nationality=CN", "5 to 81 not comparable ("+two+"nationality open)",
		"arrests 48 nationality=NP", "2 to 81 not comparable (3 facts may belong there: they leave nationality open)",
		"arrests 48 nationality=stateless", "0 to 79 not comparable (3 facts may belong there: they leave nationality open)",
		"arrests 90 nationality=PK", "78 to 86 short by ≥ 4",
		"arrests 18 sex=female", "2 to 159 not comparable (4 facts may belong there: they name no sex or leave sex open)",
		"detained 1 nationality=CN city=Karachi", "0 to 7 not comparable (1 fact may belong there: it names no city or leaves nationality open)",
		"detained 8 nationality=CN city=Karachi", "0 to 7 short by ≥ 1",
	)
	// The tables go on saying what the facts say.
	shows(t, b.ask("arrests[nationality=CN],arrests[class=national]", "", ""), `
		arrests nationality=CN | arrests national
		total | 5 | 78
	`)
}

// A figure that is about a number is no exact one, were it not round.
func TestAboutIsNeverExact(t *testing.T) {
	claims := NewClaims()
	b := newBook(t, claims)
	about := func(d *domain.ArrestMade) { d.Persons.Qualifier = domain.About }
	arrested := func(id, city string, n int64, mend ...func(*domain.ArrestMade)) {
		e := arrest(karachi, id, city, "2025-02-03", n, "CN")
		for _, m := range mend {
			m(e.Data.(*domain.ArrestMade))
		}
		b.write(e)
	}
	arrested("1", "Karachi", 45, about)
	arrested("2", "Lahore", 45)
	holds(t, b, claims,
		"arrests 46 city=Karachi", "≈ 44 to 46 not comparable (the ledger has only an approximation)",
		"arrests 45 city=Karachi", "≈ 44 to 46 not comparable (the ledger has only an approximation)",
		"arrests 47 city=Karachi", "≈ 44 to 46 short by ≥ 1",
		"arrests ≈45 city=Karachi", "≈ 44 to 46 matches",
		"arrests ≈46 city=Lahore", "45 matches",
		"arrests ≈47 city=Lahore", "45 short by ≥ 1",
		"arrests ≈0 city=Multan", "0 matches",
		"arrests 91", "≈ 89 to 91 not comparable (the ledger has only an approximation)",
		"arrests ≥92", "≈ 89 to 91 short by ≥ 1",
	)
	arrested("3", "Karachi", 10, func(d *domain.ArrestMade) { d.Persons.Qualifier = domain.AtLeast })
	holds(t, b, claims,
		"arrests 50 city=Karachi", "≳ 54 over by ≥ 4",
		"arrests ≥54 city=Karachi", "≳ 54 bound holds",
	)
}

// A cell of the ledger's own that prints ≈ n is about n.
func TestAnApproximateCellOfThePublishedTable(t *testing.T) {
	claims := NewClaims()
	b := newBook(t, claims)
	add := func(id string, n int64) {
		b.write(event(karachi, id, &domain.ArrestMade{Common: common("Karachi", "2025-02-03"), Persons: domain.Count{N: n, Qualifier: domain.About}, Nationality: []domain.Nationality{"CN"}}))
	}
	add("1", 500)
	add("2", 40)
	b.write(claim(domain.Office, "a", "the ledger", "arrests", "≈540"))
	add("3", 2)
	b.write(claim(domain.Office, "b", "the ledger", "arrests", "≈542"))
	want := []string{"≈ 535 to 545 matches → ≈ 541 to 543 matches", "≈ 541 to 543 matches"}
	for i, h := range b.totals.Hold(claims, Select{}) {
		h.Others = nil
		if got := told(&h); got != want[i] {
			t.Errorf("claim %d is %s, want %s", i, got, want[i])
		}
	}
}

// Where nobody says since when or until when, the same words may be of two
// periods: only one document speaks of one.
func TestOpenPeriodsDoNotContradict(t *testing.T) {
	claims := NewClaims()
	b := newBook(t, claims)
	for i, one := range [][2]string{
		{"Dawn", "raids 40 on=../2026-02-02"}, {"Geo", "raids 50 on=../2026-02-02"}, {"Dawn", "raids 60 on=../2026-02-02"},
		{"Dawn", "cases 40 on=unknown"}, {"Geo", "cases 41 on=unknown"}, {"Geo", "cases 40 on=unknown"},
		{"Dawn", "arrests 40 on=2025/.."}, {"Geo", "arrests 41 on=2025/.."}, {"Geo", "arrests 40 on=2025/.."}, {"Geo", "arrests 40 on=2024/2025"}, {"Geo", "arrests 40 on=2025/2026"},
		{"Dawn", "detained 450 on=../2025"}, {"Geo", "detained 4500 on=../2025"}, {"Geo", "detained 4500 on=../2026"}, {"TV", "raids 60 on=2024/2026-02-02"},
		{"TV", "arrests 40 on=unknown"}, {"Geo", "recovered 40.00PKR on=unknown"}, {"Dawn", "seized 40.00PKR on=unknown"}, {"Geo", "seized 40.00PKR on=unknown"},
	} {
		measure, figure, _ := strings.Cut(one[1], " ")
		b.write(claim(press, string(rune('a'+i)), one[0], measure, figure))
	}
	want := []string{
		"contradicted by c (Dawn) 60", "", "contradicted by a (Dawn) 40",
		"", "contradicted by f (Geo) 40", "contradicted by e (Geo) 41",
		"the same number for another period: j (Geo) 2024/2025", "contradicted by i (Geo) 40", "contradicted by h (Geo) 41 | the same number for another period: j (Geo) 2024/2025",
		"the same number for another period: g (Dawn) 2025/.., i (Geo) 2025/.., k (Geo) 2025/2026", "the same number for another period: j (Geo) 2024/2025",
		"exactly a tenth of m (Geo) 4,500", "exactly 10 times l (Dawn) 450 | the same number for another period: n (Geo) ../2026", "the same number for another period: m (Geo) ../2025", "",
		"", "the same number for another measure: s (Geo) seized", "", "the same number for another measure: q (Geo) recovered",
	}
	held := b.totals.Hold(claims, Select{})
	for i, h := range held {
		var texts []string
		for _, o := range h.Others {
			texts = append(texts, o.String())
		}
		if got := strings.Join(texts, " | "); got != want[i] {
			t.Errorf("of %s %s %s on %s (%s) is told %q\nwant %q", h.Record.ID, h.What(), h.Figure(), h.Period, h.Publisher, got, want[i])
		}
	}
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
	want := []bool{true, false, false, false, false}
	for i, h := range b.totals.Hold(claims, Select{}) {
		if h.Made != want[i] {
			t.Errorf("claim %s: made %v, want %v", h.Record.ID, h.Made, want[i])
		}
	}
}

// A document whose claims lack the measure of the facts made from it calls that
// something else; a correction from elsewhere, or a retraction, ends the making.
func TestFactsMadeOfAClaimUntilTheyAreReplaced(t *testing.T) {
	claims := NewClaims()
	b := newBook(t, claims)
	synthetic := func(ref string) *domain.RaidConducted {
		return &domain.RaidConducted{Common: domain.Common{Occurred: period("2025-02"), Synthetic: true, Document: domain.Document{Ref: ref}}, Premises: domain.CallCentre}
	}
	first := event(karachi, "1", synthetic("Paper's paper"))
	b.write(first)
	b.write(claim(press, "a", "Paper", "sites", "1"), claim(press, "b", "Paper", "arrests", "1"), claim(press, "c", "Other", "raids", "1"))
	check := func(want string) {
		t.Helper()
		got := ""
		for _, h := range b.totals.Hold(claims, Select{}) {
			if h.Made {
				got += h.Record.ID
			}
		}
		if got != want {
			t.Errorf("facts were made of %q, want %q", got, want)
		}
	}
	check("a")
	b.write(b.correct(first, synthetic("Other's paper")))
	check("c")
	b.write(b.retract(first))
	check("")
	b.write(b.correct(first, synthetic("Paper's paper")))
	check("a")
}

// A value that no fact has may be misspelt.
func TestWhatNoFactHasIsTold(t *testing.T) {
	claims := NewClaims()
	b := newBook(t, claims)
	b.write(raid(karachi, "1", "Karachi", "2025-02-03"))
	b.write(claim(press, "a", "Paper", "raids", "2 city=karachi"), claim(press, "b", "Paper", "raids", "1 city=Karachi"), claim(press, "c", "Paper", "arrests", "1 sex=female"))
	for i, want := range []string{"[no fact has city karachi]", "[]", "[]"} {
		if got := fmt.Sprint(b.totals.Hold(claims, Select{})[i].Unheard); got != want {
			t.Errorf("of claim %d is told %s, want %s", i, got, want)
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
// entry, for claims on whatever there is; and the verdict is what the numbers
// say that both allow.
func TestClaimsAgreeWithARecount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, claims := newModel(), NewClaims()
		h := &historian{rt: t, book: &book{t: t, reg: domain.NewRegister(), totals: NewTotals()}}
		h.ps = []Projection{h.totals, m, claims}
		h.entry([]string{"junk"})
		h.entry([]string{h.line(event(domain.Office, "l", &domain.LedgerOpened{Name: "l", HomeCountry: "PK", Zone: "Asia/Karachi", Rules: 1}))})
		told := 0
		for range rapid.IntRange(1, 25).Draw(t, "entries") {
			h.write()
			for range rapid.IntRange(0, 8).Draw(t, "claims") { // up to several scans' worth
				h.entry([]string{h.line(someClaim(t, h, told))})
				told++
			}
		}
		list := h.totals.Hold(claims, Select{})
		if len(list) != told {
			t.Fatalf("%d claims are held, want %d", len(list), told)
		}
		for _, held := range list {
			for _, g := range []Holding{held.Then, held.Now} {
				want, asked := m.interval(held.Claim, g.Entry)
				if g.Asked != asked {
					t.Fatalf("%s on %s at entry %d: asked %v (%s), want %v", held.What(), held.Period, g.Entry, g.Asked, g.Why, asked)
				}
				if got := g.Ledger; asked && (got.Low != want.Low || got.Open != want.Open || !got.Open && got.High != want.High) {
					t.Errorf("%s on %s at entry %d: the ledger says %+v, counting says %+v", held.What(), held.Period, g.Entry, got, want)
				}
				if says := verdictOf(held.Claim, want, asked); g.Verdict != says.Verdict || g.By != says.By || g.Exactly != says.Exactly || (g.Verdict == NotComparable) != (g.Why != "") {
					t.Errorf("%s %s against %+v is %s (%s), want %+v", held.What(), held.Figure(), want, g.Text(0), g.Why, says)
				}
			}
		}
	})
}

// someClaim is a claim on what a column has, as it is recorded.
func someClaim(t *rapid.T, h *historian, n int) *domain.Event {
	column := h.column(t)
	if rapid.IntRange(0, 3).Draw(t, "on a person") == 0 {
		text := rapid.SampledFrom([]string{"sex=female", "class=national", "class=foreign|unknown", "nationality=foreign", "nationality=PK", "nationality=stateless|PK"}).Draw(t, "of")
		filters, err := ParseFilters(text)
		if err != nil {
			panic(err)
		}
		column = Column{Arrests, filters}
	}
	data := &domain.FigurePublished{
		Publisher: "Paper", Published: period("2025"), Common: domain.Common{Document: domain.Document{Ref: "paper"}},
		Period:    period(rapid.SampledFrom([]string{"2025", "2025-01", "2024/2025", "../2025-02", "2025-02/..", "2025-02-03", "unknown"}).Draw(t, "period")),
		Measure:   column.Measure.String(),
		Qualifier: rapid.SampledFrom([]domain.Qualifier{domain.Exact, domain.Exact, domain.AtLeast, domain.AtMost, domain.About}).Draw(t, "qualifier"),
	}
	value := rapid.Int64Range(0, 20).Draw(t, "value")
	if column.Measure.IsAmount() {
		data.Amount = domain.Amount{Minor: 150 * value, Currency: domain.Currency(rapid.SampledFrom(someCurrencies).Draw(t, "currency"))}
	} else {
		data.Value = value
	}
	if rapid.IntRange(0, 3).Draw(t, "by the other clock") == 0 {
		data.Dimensions = append(data.Dimensions, domain.Dimension{Name: "clock", Value: "reported"})
	}
	for _, f := range column.Filters {
		name, value, _ := strings.Cut(f.String(), "=")
		data.Dimensions = append(data.Dimensions, domain.Dimension{Name: name, Value: value})
	}
	return event(rapid.SampledFrom([]domain.Diary{press, press, domain.Office}).Draw(t, "diary"), fmt.Sprint("claim-", n), data)
}

// verdictOf asks of every number, up to one above all ends, whether the claim and
// the ledger allow it.
func verdictOf(c *Claim, ledger Interval, asked bool) (h Holding) {
	if !asked {
		return h
	}
	unit := int64(1)
	for c.Value > 0 && c.Value%(10*unit) == 0 {
		unit *= 10
	}
	claimed := func(n int64) bool {
		switch c.Qualifier {
		case domain.AtLeast:
			return n >= c.Value
		case domain.AtMost:
			return n <= c.Value
		case domain.About:
			return 2*max(n-c.Value, c.Value-n) <= max(unit, 2)
		}
		return n == c.Value
	}
	meet, inside, low, high := false, true, int64(-1), int64(-1) // of the ledger's
	least, most := int64(-1), int64(-1)                          // of the claim's
	for n := range 2*c.Value + max(ledger.Low, ledger.High) + 10 {
		if ledger.has(n) {
			if low < 0 {
				low = n
			}
			high, inside = n, inside && claimed(n)
		}
		if claimed(n) {
			if least < 0 {
				least = n
			}
			most, meet = n, meet || ledger.has(n)
		}
	}
	switch bound := c.Qualifier == domain.AtLeast || c.Qualifier == domain.AtMost; {
	case meet && inside && bound:
		h.Verdict = BoundHolds
	case meet && inside:
		h.Verdict = Matches
	case !meet && high < least:
		h.Verdict, h.By = Short, least-high
	case !meet:
		h.Verdict, h.By = Over, low-most
	}
	h.Exactly = low == high && least == most
	return h
}

// interval counts what the ledger says to c, as known after an entry; asked is
// false where that is in another currency.
func (m *model) interval(c *Claim, entry uint64) (i Interval, asked bool) {
	w := m.entries[entry]
	first, last := c.Period.Days(m.zone)
	q, _ := c.question(m.zone)
	inUnit, inOther, approximate := false, false, false
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
			may = may && (passes || len(values) == 0 || f.allows(meant(f.Dimension, values)))
			whole = whole && passes
		}
		n, k, currency := quantity(r)
		if may && c.Currency != "" && currency != "" {
			inUnit = inUnit || currency == string(c.Currency)
			inOther = inOther || currency != string(c.Currency)
		}
		whole = whole && currency == string(c.Currency)
		may = may && (currency == "" || currency == string(c.Currency))
		part := Interval{Low: n, High: n, Open: k == domain.AtLeast}
		switch k {
		case domain.About:
			part = about(n)
		case domain.Unknown:
			part = Interval{Open: true}
		}
		if c.isOwn() && k == domain.About {
			part, approximate = Interval{Low: n, High: n}, approximate || whole
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
	if approximate {
		open := i.Open
		i = about(i.Low)
		i.Open = open
	}
	return i, c.isOwn() || inUnit || !inOther
}

// meant are the values that some may stand for that leave it open.
func meant(d Dimension, values []string) (list []string) {
	all := map[Dimension][]string{
		Nationality: {"CN", "NG", "stateless", "foreign", "PK"}, Class: {"national", "foreign"}, Sex: {"female", "male", "other"},
	}[d]
	for _, v := range values {
		switch {
		case v == "unknown":
			list = append(list, all...)
		case v == "foreign" && d == Nationality:
			list = append(list, all[:3]...)
		}
	}
	if list == nil {
		return []string{"none"}
	}
	return list
}
