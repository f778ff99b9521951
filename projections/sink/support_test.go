package sink

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/embedded"
	"roznamcha/projections"
	"roznamcha/projections/sink/postgrestest"
)

// patience is how long a test waits for what must come. It is a limit on a
// broken program, not on a slow machine.
const patience = 2 * time.Minute

// onEach runs a test on SQLite and on PostgreSQL; empty names a new database.
func onEach(t *testing.T, test func(t *testing.T, empty func() string)) {
	t.Run("sqlite", func(t *testing.T) {
		n := 0
		test(t, func() string {
			n++
			return filepath.Join(t.TempDir(), fmt.Sprintf("some facts %d.db", n))
		})
	})
	t.Run("postgres", func(t *testing.T) { test(t, postgrestest.Start(t).Database) })
}

func newContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// newLedger is a real ledger with the opening.
func newLedger(t testing.TB, name string) *eventstore.Ledger {
	t.Helper()
	_, l := newServedLedger(t, name)
	return l
}

func newServedLedger(t testing.TB, name string) (*nats.Conn, *eventstore.Ledger) {
	t.Helper()
	server, err := embedded.Start(t.TempDir(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	l, err := eventstore.Create(newContext(t), nc, 1)
	if err != nil {
		t.Fatal(err)
	}
	write(t, l, lineOf(t, domain.Office, name, uuid.NewSHA1(uuid.Nil, []byte(name)), &domain.LedgerOpened{Name: name, HomeCountry: "PK", Zone: "Asia/Karachi", Rules: 1}))
	return nc, l
}

// write appends an entry.
func write(t testing.TB, l *eventstore.Ledger, lines ...string) {
	t.Helper()
	if _, err := l.Append(newContext(t), []byte(strings.Join(lines, "\n"))); err != nil {
		t.Fatal(err)
	}
}

func lineOf(t testing.TB, source domain.Diary, subject string, id uuid.UUID, data domain.Data) string {
	t.Helper()
	line, err := domain.AppendEvent(nil, &domain.Event{ID: id, Source: source, Subject: subject, Type: data.Type(), Data: data})
	if err != nil {
		t.Fatal(err)
	}
	return string(line)
}

// open opens a database for the length of the test.
func open(t testing.TB, where string) *Database {
	t.Helper()
	db, err := Open(newContext(t), where, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// feed feeds a database up to the ledger's end.
func feed(t testing.TB, l *eventstore.Ledger, where string, o Options) Place {
	t.Helper()
	db, err := Open(newContext(t), where, true)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	o.Once = true
	place, err := db.Feed(newContext(t), l, o)
	if err != nil {
		t.Fatal(err)
	}
	return place
}

// history writes random entries: facts of every kind, amendments, retractions,
// matches, successions, links, duplicates and junk.
type history struct {
	t      testing.TB
	l      *eventstore.Ledger
	chance *rand.Rand
	reg    *domain.Register // of what was written
	sent   []string
	names  []domain.RecordName
	types  []domain.Type
	n      int
}

func newHistory(t testing.TB, l *eventstore.Ledger) *history {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	h := &history{t: t, l: l, chance: rand.New(rand.NewPCG(seed, 0)), reg: domain.NewRegister()}
	h.read()
	return h
}

// read rules on what was written meanwhile.
func (h *history) read() {
	h.t.Helper()
	err := h.l.Read(newContext(h.t), h.reg.Last()+1, 1<<53, func(e domain.Entry) error { return h.reg.Apply(e, nil) })
	if err != nil {
		h.t.Fatal(err)
	}
}

// entries writes n entries.
func (h *history) entries(n int) {
	h.t.Helper()
	for range n {
		var lines []string
		for range 1 + h.chance.IntN(5) {
			for range 1 + h.chance.IntN(3) {
				lines = append(lines, h.line())
			}
			lines = append(lines, "")
		}
		write(h.t, h.l, lines...)
		h.read()
	}
}

func pick[V any](h *history, values ...V) V { return values[h.chance.IntN(len(values))] }

var diaries = []domain.Diary{{Agency: "nccia", Unit: "karachi"}, {Agency: "nccia", Unit: "lahore"}, {Agency: "fia", Unit: "ccw"}}

func (h *history) line() string {
	h.n++
	kind := h.chance.IntN(20)
	id := uuid.NewSHA1(uuid.Nil, fmt.Append(nil, h.n))
	keep := func(source domain.Diary, subject string, data domain.Data) string {
		line := lineOf(h.t, source, subject, id, data)
		h.sent = append(h.sent, line)
		return line
	}
	switch {
	case kind == 0:
		return pick(h, "junk", `{"specversion":"1.0","id":"`+id.String()+`","source":"/nccia/karachi","type":"raid.dreamt","subject":"1","data":{}}`)
	case kind == 1 && len(h.sent) > 0:
		return pick(h, h.sent...)
	case kind <= 7 && len(h.names) > 0:
		i := h.chance.IntN(len(h.names))
		standing, ok := h.reg.Lookup(h.names[i])
		if !ok {
			standing.Name, standing.Event = h.names[i], id
		}
		if !standing.Retracted && h.chance.IntN(2) == 0 {
			return keep(standing.Name.Diary, "", &domain.RecordRetracted{Record: standing.Name, Amends: standing.Event, Reason: domain.CourtOrder})
		}
		return keep(standing.Name.Diary, "", &domain.RecordCorrected{Record: standing.Name, Amends: standing.Event, Replacement: h.data(h.types[i]), Reason: domain.UnitError})
	case kind <= 10 && len(h.names) > 0:
		i := h.chance.IntN(len(h.names))
		for range 20 {
			if j := h.chance.IntN(len(h.names)); h.types[j] == h.types[i] {
				return keep(h.names[i].Diary, "", &domain.RecordMatched{Record: h.names[i], SameAs: h.names[j]})
			}
		}
	case kind == 11 && len(h.names) > 0:
		return keep(diaries[0], "", &domain.RecordLinked{From: pick(h, h.names...), To: domain.RecordName{Kind: "case", Diary: diaries[0], ID: "nowhere"}})
	}
	source, typ := pick(h, diaries...), pick(h, domain.Types()[1:9]...)
	if kind == 12 {
		source, typ = domain.Office, domain.TypeAgencySucceeded
	}
	subject := fmt.Sprint(h.chance.IntN(500))
	h.names, h.types = append(h.names, domain.RecordName{Kind: typ.Kind(), Diary: source, ID: subject}), append(h.types, typ)
	return keep(source, subject, h.data(typ))
}

func period(s string) domain.Period {
	p, err := domain.ParsePeriod(s)
	if err != nil {
		panic(err)
	}
	return p
}

// data is random data of a type.
func (h *history) data(typ domain.Type) domain.Data {
	when := []string{"2024-12-31", "2025-01-31T20:00:00Z", "2025-02", "2025-02-03", "2025-01/2025-02", "2025", "unknown", "../2025-02", "2025-02/..", "2031-01-15"}
	c := domain.Common{
		Occurred:  period(pick(h, when...)),
		Place:     domain.Location{Country: pick[domain.Country](h, "", "PK", "AE"), City: pick(h, "", "Karachi", "Lahore", "M\u00e1laga", `O'Brien "\`), Subdivision: pick(h, "", "Sindh")},
		Agency:    pick(h, "", "", "police", domain.NotGiven),
		Operation: pick(h, "", "Grey"),
	}
	if h.chance.IntN(2) == 0 {
		c.Reported = period(pick(h, when...))
	}
	qualifier := pick(h, domain.Exact, domain.Exact, domain.AtLeast, domain.About, domain.Unknown)
	number, currency := h.chance.Int64N(1000), pick[domain.Currency](h, "PKR", "USD", "JPY", "KWD")
	if qualifier == domain.Unknown {
		number, currency = 0, pick(h, "", currency)
	}
	persons := domain.Count{N: number, Qualifier: qualifier}
	amount := domain.Amount{Minor: number, Currency: currency, Qualifier: qualifier}
	nationality := pick(h, []domain.Nationality{"PK"}, []domain.Nationality{"CN", "NG"}, []domain.Nationality{"foreign"}, []domain.Nationality{"unknown"})
	offences := pick(h, nil, []string{"fraud"}, []string{"fraud", `forgery, "grave"`})
	switch typ {
	case domain.TypeRaidConducted:
		return &domain.RaidConducted{Common: c, Premises: pick(h, domain.CallCentre, domain.OtherPremises, domain.NotGiven)}
	case domain.TypePersonDetained:
		return &domain.PersonDetained{Common: c, Persons: persons, Nationality: nationality}
	case domain.TypeArrestMade:
		return &domain.ArrestMade{Common: c, Persons: persons, Nationality: nationality, Sex: pick(h, "", domain.Female), Offences: offences, Raid: domain.Link(pick(h, "", "1", "2"))}
	case domain.TypeCaseRegistered:
		return &domain.CaseRegistered{Common: c, Registered: period(pick(h, when...)), Offences: offences}
	case domain.TypeLossAlleged:
		return &domain.LossAlleged{Common: c, Amount: amount}
	case domain.TypeRecoveryMade:
		return &domain.RecoveryMade{Common: c, Amount: amount, Form: pick(h, "", domain.Cash)}
	case domain.TypePropertySeized:
		return &domain.PropertySeized{Common: c, Item: "x", Amount: amount}
	case domain.TypeAgencySucceeded:
		who := pick(h, [2]string{"nccia", "anf"}, [2]string{"fia", "nccia"}, [2]string{"police", "ito"}, [2]string{"anf", "ito"}, [2]string{"anf", "fia"}, [2]string{"fia", "anf"})
		return &domain.AgencySucceeded{Predecessor: who[0], Successor: who[1], Effective: period(pick(h, "2025", "2025-02-03", "unknown"))}
	}
	return &domain.PropertyForfeited{Common: c, Item: "x", Amount: pick(h, amount, domain.Amount{})}
}

// fresh is what the tables must hold, by a replay from entry 1.
func fresh(t testing.TB, l *eventstore.Ledger) (lines []string) {
	t.Helper()
	totals, exceptions, recorded := projections.NewTotals(), projections.NewExceptions(), &recordedTimes{}
	reg, stats, err := projections.Replay(newContext(t), l, projections.ReplayOptions{}, totals, exceptions, recorded)
	if err != nil {
		t.Fatal(err)
	}
	hash := reg.Hash()
	add := func(table string, values ...any) {
		text := make([]string, len(values))
		for i, v := range values {
			text[i] = fmt.Sprint(v)
		}
		lines = append(lines, table+" "+strings.Join(text, "|"))
	}
	lines = append(lines, recorded.lines...)
	end := func(p domain.Position) (entry, line string) {
		if p.IsZero() {
			return "", ""
		}
		return fmt.Sprint(p.Entry), fmt.Sprint(p.Line)
	}
	for n := range totals.Versions() {
		v := totals.Version(n)
		day := func(d domain.Day) string { return strings.TrimSuffix(d.String(), "..") }
		row := []any{n, reg.Record(v.Record).Name, totals.CellMeasure(v.Cell), v.Quantity, v.Qualifier, day(v.OccurredFrom), day(v.OccurredTo), day(v.ReportedFrom), day(v.ReportedTo)}
		if v.Qualifier == domain.Unknown {
			row[3] = ""
		}
		decimals := 0
		for d := projections.Agency; d <= projections.Currency; d++ {
			values := slices.Collect(totals.CellValues(v.Cell, d))
			row = append(row, strings.Join(values, ";"))
			if d == projections.Currency && len(values) > 0 {
				decimals = domain.Currency(values[0]).Decimals()
			}
		}
		straddles := map[bool]int{true: 1}[totals.CellStraddles(v.Cell)]
		closedEntry, closedLine := end(v.Closed)
		add("facts", append(row, decimals, straddles, v.Opened.Entry, v.Opened.Line, closedEntry, closedLine)...)
	}
	for n := range totals.Successions() {
		s := totals.Succession(n)
		closedEntry, closedLine := end(s.Closed)
		add("successions", n, s.Predecessor, s.Successor, reg.Record(s.Record).Name, s.Opened.Entry, s.Opened.Line, closedEntry, closedLine)
	}
	for n := range exceptions.Raised() {
		x := exceptions.At(n)
		name := func(n domain.RecordName) string {
			if n.IsZero() {
				return ""
			}
			return n.String()
		}
		refused := ""
		if x.Lines > 0 {
			refused = fmt.Sprint(x.Lines)
		}
		closedEntry, closedLine := end(x.Settled)
		add("exceptions", n, x.Kind, x.Code, name(x.Record), name(x.Link), refused, x.Detail, x.Opened.Entry, x.Opened.Line, closedEntry, closedLine)
	}
	add("place", stats.Entries, fmt.Sprintf("%x", hash), totals.Opened().Name, totals.Opened().Zone)
	return lines
}

// recordedTimes is a line an entry.
type recordedTimes struct {
	lines []string
	at    projections.Stats
}

func (r *recordedTimes) Apply(ruled *domain.Ruled) {
	if ruled.Position.Entry != r.at.Entries {
		r.at = projections.Stats{}
		r.lines = append(r.lines, "")
	}
	r.at.Apply(ruled)
	r.lines[len(r.lines)-1] = fmt.Sprintf("entries %d|%s|%d|%d|%d|%d|%d", r.at.Entries, inMicros(r.at.Recorded), r.at.Lines, r.at.Accepted, r.at.Duplicates, r.at.Refused, r.at.Unrecognised)
}

const dimensionColumns = `agency, unit, country, subdivision, city, premises, %s, class, sex, %s, form, operation, currency`

// dump is what the tables hold.
func dump(t testing.TB, where string) []string {
	t.Helper()
	nationality, offence, recorded, straddles, prefix := `nationality`, `offence`, `recorded`, `straddles`, ``
	if isPostgres(where) {
		nationality, offence, straddles, prefix = `array_to_string(nationality, ';')`, `array_to_string(offence, ';')`, `straddles::int`, `roznamcha.`
		recorded = `to_char(recorded AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')`
	} else {
		list := `(SELECT group_concat(value, ';') FROM json_each(%s))`
		nationality, offence = fmt.Sprintf(list, nationality), fmt.Sprintf(list, offence)
	}
	dimensions := fmt.Sprintf(dimensionColumns, nationality, offence)
	standing := `, opened_entry, opened_line, closed_entry, closed_line FROM ` + prefix
	var lines []string
	for _, q := range [][2]string{
		{"entries", `SELECT entry, ` + recorded + `, lines, accepted, duplicates, refused, unrecognised FROM ` + prefix + `entries ORDER BY entry`},
		{"facts", `SELECT fact, record, measure, quantity, qualifier, occurred_from, occurred_to, reported_from, reported_to, ` + dimensions + `, decimals, ` + straddles + standing + `facts ORDER BY fact`},
		{"successions", `SELECT succession, predecessor, successor, record` + standing + `successions ORDER BY succession`},
		{"exceptions", `SELECT exception, kind, code, record, link, lines, detail` + standing + `exceptions ORDER BY exception`},
		{"place", `SELECT entry, state, ledger, zone FROM ` + prefix + `place`},
	} {
		for _, row := range query(t, where, q[1]) {
			if q[0] == "entries" && !isPostgres(where) {
				at, err := time.Parse(time.RFC3339Nano, row[1])
				if err != nil {
					t.Fatal(err)
				}
				row[1] = inMicros(at)
			}
			lines = append(lines, q[0]+" "+strings.Join(row, "|"))
		}
	}
	return lines
}

// inMicros is a time as PostgreSQL keeps it.
func inMicros(t time.Time) string {
	return (*postgres)(nil).moment(t).(time.Time).UTC().Format("2006-01-02T15:04:05.000000")
}

func isPostgres(where string) bool { return strings.HasPrefix(where, "postgres:") }

// query asks a database on a connection of its own, as another program would;
// NULL is "".
func query(t testing.TB, where, text string) [][]string {
	t.Helper()
	rows, err := tryQuery(t, where, text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return rows
}

func tryQuery(t testing.TB, where, text string) (list [][]string, err error) {
	if isPostgres(where) {
		conn, err := pgx.Connect(newContext(t), where)
		if err != nil {
			return nil, err
		}
		defer conn.Close(newContext(t))
		results, err := conn.PgConn().Exec(newContext(t), text).ReadAll()
		for _, r := range results {
			for _, row := range r.Rows {
				list = append(list, texts(row))
			}
		}
		return list, err
	}
	db, err := sql.Open("sqlite", "file:"+strings.ReplaceAll(where, " ", "%20")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.Query(text)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	for rows.Next() {
		values, into := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		err = errors.Join(err, rows.Scan(into...))
		list = append(list, texts(values))
	}
	return list, errors.Join(err, rows.Err())
}

func texts[B ~[]byte](row []B) []string {
	list := make([]string, len(row))
	for i := range row {
		list[i] = string(row[i])
	}
	return list
}

// same holds the tables against a fresh replay, row for row; nothing is parked.
func same(t testing.TB, l *eventstore.Ledger, where string) {
	t.Helper()
	for _, row := range query(t, where, "SELECT tab, number, reason FROM "+prefix(where)+"parked") {
		t.Errorf("parked: %v", row)
	}
	differ(t, dump(t, where), fresh(t, l))
}

func differ(t testing.TB, got, want []string) {
	t.Helper()
	var b bytes.Buffer
	shown := 0
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w && shown < 5 {
			shown++
			fmt.Fprintf(&b, "\nis   %s\nmust %s", g, w)
		}
	}
	if shown > 0 {
		t.Fatalf("%d rows, want %d:%s", len(got), len(want), b.String())
	}
}

// waitUntil waits for a condition.
func waitUntil(t testing.TB, what string, done func() bool) {
	t.Helper()
	for began := time.Now(); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatalf("%s: still waiting after %v", what, patience)
		}
	}
}

// merge sorts lines.
func merge(lines []string) []string {
	slices.Sort(lines)
	return lines
}
