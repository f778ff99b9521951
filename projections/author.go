package projections

import (
	"cmp"
	"slices"
	"strings"

	"roznamcha/domain"
)

// Authors keep who amended what, and why: every accepted correction,
// retraction, reinstatement, match, link and unlink, in 40 bytes each beside
// the names of their records.
type Authors struct {
	names *names
	all   []authored
	words values // diaries, references, reasons and authorities
}

// authored is one amendment; its texts are numbers of words.
type authored struct {
	at                           domain.Place
	record, other                uint32 // names; other is the second of a match or link
	diary, by, reason, authority uint32
	kind                         AuthoredKind
}

// AuthoredKind is what an amendment did.
type AuthoredKind uint8

const (
	correcting AuthoredKind = iota
	retracting
	reinstating
	matching
	linking
	unlinking
	endOfAuthoredKinds
)

var authoredWords = [endOfAuthoredKinds]string{"correction", "retraction", "reinstatement", "match", "link", "unlink"}

// String is the kind's word, such as "correction".
func (k AuthoredKind) String() string { return authoredWords[k] }

// MarshalText writes the kind's word.
func (k AuthoredKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// NewAuthors are the authors of no entry.
func NewAuthors() *Authors { return &Authors{names: newNames()} }

// Apply folds one ruling in.
func (a *Authors) Apply(r *domain.Ruled) {
	if r.Verdict != domain.Accepted {
		return
	}
	var made authored
	var reason domain.Reason
	var authority string
	two := func(kind AuthoredKind, record, other domain.RecordName) {
		made.kind, made.record, made.other = kind, a.names.number(record), a.names.number(other)
	}
	switch data := r.Event.Data.(type) {
	case *domain.RecordCorrected:
		made.kind, made.record = correcting, a.names.number(r.Name)
		if r.Change == domain.Reinstated {
			made.kind = reinstating
		}
		reason, authority = data.Reason, data.Authority
	case *domain.RecordRetracted:
		made.kind, made.record = retracting, a.names.number(r.Name)
		reason, authority = data.Reason, data.Authority
	case *domain.RecordMatched:
		two(matching, data.Record, data.SameAs)
	case *domain.RecordLinked:
		two(linking, data.From, data.To)
	case *domain.RecordUnlinked:
		two(unlinking, data.From, data.To)
	default:
		return
	}
	made.at = r.Position.Place()
	made.diary, made.by = a.words.number(r.Event.Source.String()), a.words.number(r.Event.Data.Shared().By)
	made.reason, made.authority = a.words.number(string(reason)), a.words.number(authority)
	a.all = append(a.all, made)
}

// word is the text of a number; "" for 0.
func (a *Authors) word(n uint32) string {
	if n == 0 {
		return ""
	}
	return a.words.texts[n]
}

// Authored are the amendments that were asked about.
type Authored struct {
	Asked
	// Amendments is how many there are, of so many Records: a match or a link
	// is of both of its records.
	Amendments int `json:"amendments"`
	// Rows are by diary, reference and reason, Total is all of them.
	Rows  []AuthoredRow `json:"rows"`
	Total AuthoredRow   `json:"total"`
	// Records are those that were amended, the most often amended first.
	Records []AuthoredRecord `json:"records"`
	// List is each amendment, in the order of the ledger.
	List []AuthoredOne `json:"list"`
}

// AuthoredRow is the amendments of one author for one reason.
type AuthoredRow struct {
	// Diary is whom the amendment comes from, By the reference that it gives
	// of who wrote it, Reason its reason; "" where there is none.
	Diary  string        `json:"diary,omitempty"`
	By     string        `json:"by,omitempty"`
	Reason domain.Reason `json:"reason,omitempty"`
	// The rest is how many there are of each kind, and of how many records.
	Corrections    int `json:"corrections"`
	Retractions    int `json:"retractions"`
	Reinstatements int `json:"reinstatements"`
	Matches        int `json:"matches"`
	Links          int `json:"links"`
	Unlinks        int `json:"unlinks"`
	Records        int `json:"records"`

	records map[uint32]bool
}

// AuthoredRecord is how often a record was amended.
type AuthoredRecord struct {
	Record     string `json:"record"`
	Amendments int    `json:"amendments"`
	// First and Last are the positions of the first and the last of them.
	First domain.Position `json:"first"`
	Last  domain.Position `json:"last"`
}

// AuthoredOne is one amendment.
type AuthoredOne struct {
	Position domain.Position `json:"position"`
	Kind     AuthoredKind    `json:"kind"`
	Record   string          `json:"record"`
	// Other is the second record of a match or a link.
	Other     string        `json:"other,omitempty"`
	Diary     string        `json:"diary"`
	By        string        `json:"by,omitempty"`
	Reason    domain.Reason `json:"reason,omitempty"`
	Authority string        `json:"authority,omitempty"`
}

// Authored counts amendments by author and reason. With a period or filters an
// amendment fits them if the version of its record before it does, or the one
// after it: what was moved out of a month is of that month too. Of a match or a
// link, one record that fits as it then was is enough (a record that came after
// its link, as it came), and what adds to no total (a succession) fits none.
// Asked counts records. a and reg must have read the same entries. Errors as in
// Query.
func (t *Totals) Authored(q Query, a *Authors, reg *domain.Register) (*Authored, error) {
	asked, err := t.asked(q, everyMeasure())
	if err != nil {
		return nil, err
	}
	out := &Authored{Rows: []AuthoredRow{}, Records: []AuthoredRecord{}, List: []AuthoredOne{}}
	fitting := t.fitting(&asked, a, reg)
	rows := make(map[[3]uint32]*AuthoredRow)
	records := make(map[uint32]*AuthoredRecord)
	for _, made := range a.all {
		if !fitting.fits(&made) {
			continue
		}
		key := [3]uint32{made.diary, made.by, made.reason}
		if rows[key] == nil {
			rows[key] = &AuthoredRow{Diary: a.word(made.diary), By: a.word(made.by), Reason: domain.Reason(a.word(made.reason))}
		}
		rows[key].add(&made)
		out.Total.add(&made)
		out.List = append(out.List, a.one(&made))
		a.touch(records, &made)
	}
	for _, row := range rows {
		out.Rows = append(out.Rows, *row)
	}
	slices.SortFunc(out.Rows, func(a, b AuthoredRow) int {
		return cmp.Or(strings.Compare(a.Diary, b.Diary), strings.Compare(a.By, b.By), cmp.Compare(a.Reason, b.Reason))
	})
	for _, record := range records {
		out.Records = append(out.Records, *record)
	}
	slices.SortFunc(out.Records, func(a, b AuthoredRecord) int {
		return cmp.Or(b.Amendments-a.Amendments, cmp.Compare(a.First.Place(), b.First.Place()), strings.Compare(a.Record, b.Record))
	})
	out.Amendments, out.Asked = len(out.List), asked
	return out, nil
}

// fitting tells which amendments are asked about.
type fitting struct {
	asked *Asked
	// versions are the rows of the records that were amended, by the numbers of
	// their names and in the order in which they came to stand.
	versions map[uint32][]uint32
	// narrowed is false where everything is asked about.
	narrowed bool
}

// fitting makes ready to tell which amendments are asked about, and counts each
// of their records once: as its version that fits best.
func (t *Totals) fitting(asked *Asked, a *Authors, reg *domain.Register) *fitting {
	f := &fitting{asked, make(map[uint32][]uint32), !asked.plan.Query.Period.IsZero() || len(asked.Where) > 0}
	named := make(map[domain.RecordID]uint32)
	best := make(map[uint32]bearing)
	for _, made := range a.all {
		for _, name := range []uint32{made.record, made.other} {
			if there, ok := reg.Lookup(a.names.name(name)); ok {
				named[there.ID] = name
			}
		}
	}
	for n := range t.rows.len {
		if name, ok := named[t.rows.at(n).record]; ok {
			f.versions[name] = append(f.versions[name], n)
		}
	}
	for _, made := range a.all {
		for _, name := range []uint32{made.record, made.other} {
			best[name] = max(best[name], f.bearing(name, made.at))
		}
	}
	for _, b := range best {
		asked.count(b)
	}
	return f
}

// fits tells whether an amendment is asked about.
func (f *fitting) fits(made *authored) bool {
	return !f.narrowed || f.bearing(made.record, made.at) == isAsked || made.other != 0 && f.bearing(made.other, made.at) == isAsked
}

// bearing is what a record has to do with the question at a place: by the
// version before it or the one that it made, whichever fits better.
func (f *fitting) bearing(name uint32, at domain.Place) (b bearing) {
	rows, versions := &f.asked.plan.totals.rows, f.versions[name]
	after, made := slices.BinarySearchFunc(versions, at, func(n uint32, at domain.Place) int { return cmp.Compare(rows.at(n).opened, at) })
	of := versions[max(0, after-1):after]
	if made || after == 0 && len(versions) > 0 { // the one that it made, or that came after it
		of = versions[max(0, after-1) : after+1]
	}
	for _, n := range of {
		version := rows.at(n)
		b = max(b, f.asked.bearing(&version))
	}
	return b
}

// add counts one amendment.
func (r *AuthoredRow) add(made *authored) {
	kinds := [endOfAuthoredKinds]*int{&r.Corrections, &r.Retractions, &r.Reinstatements, &r.Matches, &r.Links, &r.Unlinks}
	*kinds[made.kind]++
	if r.records == nil {
		r.records = make(map[uint32]bool)
	}
	r.records[made.record] = true
	if made.other != 0 {
		r.records[made.other] = true
	}
	r.Records = len(r.records)
}

// touch counts an amendment with each of its records.
func (a *Authors) touch(records map[uint32]*AuthoredRecord, made *authored) {
	for _, name := range slices.Compact([]uint32{made.record, made.other}) {
		if name == 0 {
			continue
		}
		at := made.at.Position()
		one := records[name]
		if one == nil {
			one = &AuthoredRecord{Record: a.names.name(name).String(), First: at}
			records[name] = one
		}
		one.Amendments, one.Last = one.Amendments+1, at
	}
}

// one is an amendment in full.
func (a *Authors) one(made *authored) AuthoredOne {
	one := AuthoredOne{
		Position: made.at.Position(), Kind: made.kind, Record: a.names.name(made.record).String(),
		Diary: a.word(made.diary), By: a.word(made.by), Reason: domain.Reason(a.word(made.reason)), Authority: a.word(made.authority),
	}
	if made.other != 0 {
		one.Other = a.names.name(made.other).String()
	}
	return one
}
