package sink

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"roznamcha/domain"
	"roznamcha/projections/sink/postgrestest"
)

// poison is how an engine is made to refuse, and how it is mended.
type poison struct{ spoil, mend string }

var poisons = map[string]poison{
	"a city that is refused": {
		spoil: `ALTER TABLE roznamcha.facts ADD CONSTRAINT no_lahore CHECK (city <> 'Lahore') NOT VALID`,
		mend:  `ALTER TABLE roznamcha.facts DROP CONSTRAINT no_lahore`,
	},
	"a deferred constraint": {
		spoil: `CREATE FUNCTION no_pkr() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.currency = 'PKR' THEN RAISE EXCEPTION 'no rupees'; END IF; RETURN NEW; END $$;
			CREATE CONSTRAINT TRIGGER no_pkr AFTER INSERT OR UPDATE ON roznamcha.facts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION no_pkr()`,
		mend: `DROP TRIGGER no_pkr ON roznamcha.facts`,
	},
	"a trigger that lacks a right": {
		spoil: `CREATE FUNCTION denied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.city = 'Karachi' THEN RAISE EXCEPTION 'no' USING ERRCODE = '42501'; END IF; RETURN NEW; END $$;
			CREATE TRIGGER denied BEFORE INSERT OR UPDATE ON roznamcha.facts FOR EACH ROW EXECUTE FUNCTION denied()`,
		mend: `DROP TRIGGER denied ON roznamcha.facts`,
	},
	"a number out of range": {
		spoil: `ALTER TABLE roznamcha.facts ADD CONSTRAINT small CHECK (quantity::smallint * 100::smallint >= 0) NOT VALID`,
		mend:  `ALTER TABLE roznamcha.facts DROP CONSTRAINT small`,
	},
	"nothing may be closed": {
		spoil: `ALTER TABLE roznamcha.facts ADD CONSTRAINT open CHECK (closed_entry IS NULL) NOT VALID; ALTER TABLE roznamcha.exceptions ADD CONSTRAINT open CHECK (closed_entry IS NULL) NOT VALID; ALTER TABLE roznamcha.successions ADD CONSTRAINT open CHECK (closed_entry IS NULL) NOT VALID`,
		mend:  `ALTER TABLE roznamcha.facts DROP CONSTRAINT open; ALTER TABLE roznamcha.exceptions DROP CONSTRAINT open; ALTER TABLE roznamcha.successions DROP CONSTRAINT open`,
	},
	"exceptions and entries": {
		spoil: `ALTER TABLE roznamcha.exceptions ADD CHECK (kind <> 'refused') NOT VALID; ALTER TABLE roznamcha.entries ADD CHECK (entry % 3 > 0) NOT VALID`,
		mend:  `ALTER TABLE roznamcha.exceptions DROP CONSTRAINT exceptions_kind_check; ALTER TABLE roznamcha.entries DROP CONSTRAINT entries_entry_check`,
	},
}

// What PostgreSQL refuses is parked, whatever the reason, and the rest goes on;
// amendments of what is parked come, at other starts; when the cause is gone, the
// tables are a fresh replay.
func TestPoisonInPostgres(t *testing.T) {
	server := postgrestest.Start(t)
	for name, p := range poisons {
		t.Run(name, func(t *testing.T) {
			where := server.Database()
			poisoned(t, where, func() { query(t, where, p.spoil) }, func() { query(t, where, p.mend) })
		})
	}
}

func TestPoisonInSQLite(t *testing.T) {
	for name, p := range map[string]poison{
		"a city that is refused": {
			spoil: `CREATE TRIGGER no BEFORE INSERT ON facts WHEN NEW.city = 'Lahore' BEGIN SELECT RAISE(ABORT, 'no Lahore'); END`,
			mend:  `DROP TRIGGER no`,
		},
		"nothing may be closed": {
			spoil: `CREATE TRIGGER no BEFORE UPDATE ON facts BEGIN SELECT RAISE(ABORT, 'no update'); END`,
			mend:  `DROP TRIGGER no`,
		},
		"entries": {
			spoil: `CREATE TRIGGER no BEFORE INSERT ON entries WHEN NEW.entry % 3 = 0 BEGIN SELECT RAISE(ABORT, 'no'); END`,
			mend:  `DROP TRIGGER no`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			where := t.TempDir() + "/facts.db"
			poisoned(t, where, func() { query(t, where, p.spoil) }, func() { query(t, where, p.mend) })
		})
	}
}

func poisoned(t *testing.T, where string, spoil, mend func()) {
	l := newLedger(t, "test")
	h := newHistory(t, l)
	h.entries(20)
	feed(t, l, where, Options{})
	spoil()
	for range 4 {
		h.entries(15)
		feed(t, l, where, Options{BatchRows: 1 + h.chance.IntN(200)})
	}
	parked, err := open(t, where).Parked(newContext(t))
	if err != nil || len(parked) == 0 {
		t.Fatalf("nothing is parked: %v", err)
	}
	for _, p := range parked {
		if p.Reason == "" || p.Entry == 0 || p.Entry > h.reg.Last() || p.Line == 0 {
			t.Errorf("parked: %+v", p)
		}
	}
	beside(t, dump(t, where), fresh(t, l), parked)
	for _, p := range parked { // what is parked is missing, and never doubled
		key := map[string]string{"facts": "fact", "exceptions": "exception", "successions": "succession", "entries": "entry"}[p.Table]
		if stands := query(t, where, fmt.Sprintf("SELECT * FROM %s%s WHERE %s = %d", prefix(where), p.Table, key, p.Number)); len(stands) > 0 {
			t.Errorf("row %d of %s is parked and stands: %v", p.Number, p.Table, stands)
		}
	}
	mend()
	h.entries(5)
	feed(t, l, where, Options{})
	same(t, l, where)
	if parked, err := open(t, where).Parked(newContext(t)); err != nil || len(parked) > 0 {
		t.Errorf("still parked: %v %v", parked, err)
	}
}

// beside holds what stands beside the parked rows: everything else, as it must.
func beside(t *testing.T, got, want []string, parked []Parked) {
	t.Helper()
	isParked := make(map[string]bool)
	for _, p := range parked {
		isParked[fmt.Sprintf("%s %d", p.Table, p.Number)] = true
	}
	others := func(lines []string) (left []string) {
		for _, line := range lines {
			if key, _, _ := strings.Cut(line, "|"); !isParked[key] {
				left = append(left, line)
			}
		}
		return left
	}
	differ(t, others(got), others(want))
}

// A row that somebody deleted is missed when it is closed, parked, and put in
// again at the next start.
func TestDeletedRow(t *testing.T) {
	onEach(t, func(t *testing.T, empty func() string) {
		l, where := newLedger(t, "test"), empty()
		id := uuid.NewSHA1(uuid.Nil, []byte("raid"))
		raid := &domain.RaidConducted{Common: domain.Common{Occurred: period("2025")}, Premises: domain.OtherPremises}
		write(t, l, lineOf(t, diaries[0], "7", id, raid))
		feed(t, l, where, Options{})
		query(t, where, "DELETE FROM "+prefix(where)+"facts")
		name := domain.RecordName{Kind: "raid", Diary: diaries[0], ID: "7"}
		write(t, l, lineOf(t, diaries[0], "", uuid.NewSHA1(uuid.Nil, []byte("retraction")), &domain.RecordRetracted{Record: name, Amends: id, Reason: domain.DataEntry}))
		feed(t, l, where, Options{})
		parked, err := open(t, where).Parked(newContext(t))
		if err != nil || len(parked) != 1 || parked[0].Entry != 3 || parked[0].Reason != errMissing.Error() {
			t.Errorf("parked: %+v, %v", parked, err)
		}
		feed(t, l, where, Options{})
		same(t, l, where)
	})
}

// Where a row cannot even be parked, nothing of the transaction stands, and the
// error says so.
func TestNothingCanBeParked(t *testing.T) {
	onEach(t, func(t *testing.T, empty func() string) {
		l, where := newLedger(t, "test"), empty()
		feed(t, l, where, Options{})
		before := dump(t, where)
		if isPostgres(where) {
			query(t, where, `ALTER TABLE roznamcha.facts ADD CHECK (false); ALTER TABLE roznamcha.parked ADD CHECK (false)`)
		} else {
			query(t, where, `CREATE TRIGGER no BEFORE INSERT ON facts BEGIN SELECT RAISE(ABORT, 'no'); END; CREATE TRIGGER never BEFORE INSERT ON parked BEGIN SELECT RAISE(ABORT, 'never'); END`)
		}
		write(t, l, lineOf(t, diaries[0], "7", uuid.NewSHA1(uuid.Nil, []byte("raid")), &domain.RaidConducted{Common: domain.Common{Occurred: period("2025")}, Premises: domain.OtherPremises}))
		_, err := open(t, where).Feed(newContext(t), l, Options{Once: true})
		if err == nil || !strings.Contains(err.Error(), "row 0 of facts (position 2:1) is refused") || !strings.Contains(err.Error(), "cannot be parked") {
			t.Errorf("%v", err)
		}
		differ(t, dump(t, where), before)
	})
}

// Where every row is refused the sink says so, writes less at a time, and parks
// them all.
func TestEveryRowIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, empty func() string) {
		l, where := newLedger(t, "test"), empty()
		feed(t, l, where, Options{})
		if isPostgres(where) {
			query(t, where, `ALTER TABLE roznamcha.facts ADD CONSTRAINT no CHECK (false) NOT VALID`)
		} else {
			query(t, where, `CREATE TRIGGER no BEFORE INSERT ON facts BEGIN SELECT RAISE(ABORT, 'no'); END`)
		}
		newHistory(t, l).entries(150)
		var said []string
		feed(t, l, where, Options{BatchRows: 5000, Say: func(s string) { said = append(said, s) }})
		if all := strings.Join(said, "\n"); !strings.Contains(all, "it refuses many rows") || !strings.Contains(all, "writing 200 rows at a time") {
			t.Errorf("it says %q", said)
		}
		if n := query(t, where, `SELECT count(*) > 100 FROM `+prefix(where)+`parked`)[0][0]; n != "t" && n != "1" {
			t.Error("few rows are parked")
		}
		query(t, where, map[bool]string{true: `ALTER TABLE roznamcha.facts DROP CONSTRAINT no`, false: `DROP TRIGGER no`}[isPostgres(where)])
		feed(t, l, where, Options{})
		same(t, l, where)
	})
}

// What is wrong with a table is no fault of its rows: nothing is parked.
func TestTableIsBroken(t *testing.T) {
	onEach(t, func(t *testing.T, empty func() string) {
		l, where := newLedger(t, "test"), empty()
		feed(t, l, where, Options{})
		query(t, where, `ALTER TABLE `+prefix(where)+`entries RENAME COLUMN recorded TO written`)
		newHistory(t, l).entries(5)
		if _, err := open(t, where).Feed(newContext(t), l, Options{Once: true}); err == nil || !strings.Contains(err.Error(), "recorded") {
			t.Errorf("%v", err)
		}
		if n := query(t, where, `SELECT count(*) FROM `+prefix(where)+`parked`)[0][0]; n != "0" {
			t.Errorf("%s rows are parked", n)
		}
		query(t, where, `ALTER TABLE `+prefix(where)+`entries RENAME COLUMN written TO recorded`)
		feed(t, l, where, Options{})
		same(t, l, where)
	})
}
