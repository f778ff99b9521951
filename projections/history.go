package projections

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"roznamcha/domain"

	"github.com/google/uuid"
)

// History is everything that the ledger holds on one record.
type History struct {
	name   domain.RecordName
	during During
	zone   *time.Location
	log    HistoryLog
	data   []dataMember // of the version that stands, or that was retracted
	// matched are the pairs of records of the ledger that were matched.
	matched [][2]domain.RecordID
}

// HistoryLog is what a History has found.
type HistoryLog struct {
	// Exists tells whether the record was ever accepted; Retracted whether it
	// counts no more. Current is the event that an amendment must name.
	Exists    bool      `json:"exists"`
	Retracted bool      `json:"retracted"`
	Current   uuid.UUID `json:"current,omitzero"`
	// Placing is where the version that stands lies to the period that was asked
	// about; zero where none stands, or none was asked about.
	Placing Placing `json:"placing,omitzero"`
	// Items are in the order of the ledger.
	Items []HistoryItem `json:"items"`
}

// HistoryItem is one line that is about the record.
type HistoryItem struct {
	Position domain.Position `json:"position"`
	Recorded time.Time       `json:"recorded"`
	// What is what the line did: created, corrected, retracted, reinstated,
	// linked, unlinked, matched, duplicate, or refused.
	What   string    `json:"what"`
	Event  uuid.UUID `json:"event,omitzero"`
	Source string    `json:"source,omitempty"`
	Type   string    `json:"type,omitempty"`
	// Reason and Authority are those of an amendment.
	Reason    domain.Reason `json:"reason,omitempty"`
	Authority string        `json:"authority,omitempty"`
	// Changes are the members of the record's data that are different from
	// here on; all of them, at its first version.
	Changes []Change `json:"changes,omitempty"`
	// Placing is where the version that stands from here on lies to the period
	// that was asked about; zero for a line that made none.
	Placing Placing `json:"placing,omitzero"`
	// From and To are the ends of a link, or of a match.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// First is where a duplicate's event was accepted.
	First domain.Position `json:"first,omitzero"`
	// Code and Detail say why an attempt was refused.
	Code   domain.Code `json:"code,omitempty"`
	Detail string      `json:"detail,omitempty"`
}

// Change is one member of a record's data that changed. Old and New are JSON
// values, "" where it was, or is, not given.
type Change struct {
	Member string `json:"member"`
	Old    string `json:"old,omitempty"`
	New    string `json:"new,omitempty"`
}

// NewHistory is the history of one record before the first entry.
func NewHistory(name domain.RecordName) *History { return NewHistoryDuring(name, During{}) }

// NewHistoryDuring is NewHistory that tells of each version where it lies to a
// period. All are kept: what left a period, and why, is part of its history.
func NewHistoryDuring(name domain.RecordName, during During) *History {
	return &History{name: name, during: during, zone: time.UTC, log: HistoryLog{Items: []HistoryItem{}}}
}

// Log is what was found so far.
func (h *History) Log() HistoryLog { return h.log }

// CountsAs is the record that totals count the record as, and the others that are
// one action with it, in the order in which they were recorded: itself and none
// where it was not matched, and none at all where all of them are retracted. reg
// must have read the same entries.
func (h *History) CountsAs(reg *domain.Register) (counts domain.RecordName, others []domain.RecordName) {
	own, ok := reg.Lookup(h.name)
	if !ok {
		return counts, nil
	}
	group := []domain.RecordID{own.ID}
	for i := 0; i < len(group); i++ {
		for _, pair := range h.matched {
			for side, id := range pair {
				if id == group[i] && !slices.Contains(group, pair[1-side]) {
					group = append(group, pair[1-side])
				}
			}
		}
	}
	slices.Sort(group)
	for _, id := range group {
		one := reg.Record(id)
		if counts.IsZero() && !one.Retracted {
			counts = one.Name
		}
		if id != own.ID {
			others = append(others, one.Name)
		}
	}
	return counts, others
}

// Apply folds one ruling in.
func (h *History) Apply(r *domain.Ruled) {
	if r.Event == nil {
		return
	}
	switch r.Verdict {
	case domain.Accepted:
		h.accepted(r)
	case domain.Duplicate:
		if h.holds(r.First) {
			item := h.item(r, "duplicate")
			item.First = r.First
			h.log.Items = append(h.log.Items, item)
		}
	case domain.Refused:
		if h.about(r.Event) {
			item := h.item(r, "refused")
			item.Code, item.Detail = r.Code, detailOf(r)
			item.readAmendment(r.Event.Data)
			h.log.Items = append(h.log.Items, item)
		}
	}
}

// accepted takes down an event that touches the record.
func (h *History) accepted(r *domain.Ruled) {
	if opened, ok := r.Fact.(*domain.LedgerOpened); ok {
		h.zone = opened.Location()
	}
	switch data := r.Event.Data.(type) {
	case *domain.RecordLinked:
		h.tied(r, "linked", data.From, data.To)
		return
	case *domain.RecordUnlinked:
		h.tied(r, "unlinked", data.From, data.To)
		return
	case *domain.RecordMatched:
		h.matched = append(h.matched, [2]domain.RecordID{r.Record, r.SameAs})
		h.tied(r, "matched", data.Record, data.SameAs)
		return
	}
	if r.Name != h.name || r.Change == domain.NoChange {
		return
	}
	item := h.item(r, changeWords[r.Change])
	item.readAmendment(r.Event.Data)
	if r.Fact != nil {
		data := membersOf(r.Fact)
		item.Changes = changes(h.data, data)
		h.data = data
		item.Placing = h.placing(r.Fact)
	}
	h.log.Placing = item.Placing
	h.log.Exists, h.log.Retracted, h.log.Current = true, r.Change == domain.Retracted, r.Event.ID
	h.log.Items = append(h.log.Items, item)
}

// placing is where a version lies to the period; zero without one.
func (h *History) placing(fact domain.Data) Placing {
	if h.during.IsZero() {
		return 0
	}
	from, to := h.during.date(fact).Days(h.zone)
	return h.during.place(span{from, to}, h.zone)
}

var changeWords = [...]string{
	domain.Created:    "created",
	domain.Corrected:  "corrected",
	domain.Retracted:  "retracted",
	domain.Reinstated: "reinstated",
}

// tied takes down a link or a match of which the record is one end.
func (h *History) tied(r *domain.Ruled, what string, from, to domain.RecordName) {
	if from == h.name || to == h.name {
		item := h.item(r, what)
		item.From, item.To = from.String(), to.String()
		h.log.Items = append(h.log.Items, item)
	}
}

// item is a line, as far as every line is alike.
func (h *History) item(r *domain.Ruled, what string) HistoryItem {
	return HistoryItem{
		Position: r.Position,
		Recorded: r.Recorded,
		What:     what,
		Event:    r.Event.ID,
		Source:   r.Event.Source.String(),
		Type:     r.Event.Type.String(),
	}
}

// readAmendment takes down why a record was amended, and by whose order.
func (i *HistoryItem) readAmendment(data domain.Data) {
	switch d := data.(type) {
	case *domain.RecordCorrected:
		i.Reason, i.Authority = d.Reason, strings.Clone(d.Authority)
	case *domain.RecordRetracted:
		i.Reason, i.Authority = d.Reason, strings.Clone(d.Authority)
	}
	i.Reason = domain.Reason(strings.Clone(string(i.Reason)))
}

// holds tells whether an accepted event at p is in the history.
func (h *History) holds(p domain.Position) bool {
	return slices.ContainsFunc(h.log.Items, func(i HistoryItem) bool { return i.Position == p && i.Code == "" })
}

// about tells whether a refused event would have touched the record. What was
// refused before its data were read can only be known by its subject.
func (h *History) about(e *domain.Event) bool {
	switch d := e.Data.(type) {
	case *domain.RecordCorrected:
		return d.Record == h.name
	case *domain.RecordRetracted:
		return d.Record == h.name
	case *domain.RecordLinked:
		return d.From == h.name || d.To == h.name
	case *domain.RecordUnlinked:
		return d.From == h.name || d.To == h.name
	case *domain.RecordMatched:
		return d.Record == h.name || d.SameAs == h.name
	}
	return e.Type.MakesRecord() && e.Record() == h.name
}

// dataMember is one member of data: its path, such as "place.city", and its value
// as JSON.
type dataMember struct{ path, value string }

// membersOf are the members of data in the catalogue's order.
func membersOf(data domain.Data) []dataMember {
	return appendMembers(nil, "", domain.AppendData(nil, data))
}

// appendMembers appends the members of a JSON object, those of an object within
// it under their paths.
func appendMembers(list []dataMember, prefix string, object []byte) []dataMember {
	dec := json.NewDecoder(bytes.NewReader(object))
	_, _ = dec.Token() // the bytes are the codec's own: an object, and sound
	for dec.More() {
		name, _ := dec.Token()
		path := prefix + name.(string)
		var value json.RawMessage
		_ = dec.Decode(&value)
		if value[0] == '{' {
			list = appendMembers(list, path+".", value)
			continue
		}
		list = append(list, dataMember{path, string(value)})
	}
	return list
}

// withValues are members in which those that others have as objects with a value,
// as counts are written that have a qualifier, are told by their value, too.
func withValues(members, others []dataMember) []dataMember {
	members = slices.Clone(members)
	for i := range members {
		inner := members[i].path + "."
		if slices.ContainsFunc(others, func(m dataMember) bool { return strings.HasPrefix(m.path, inner) }) {
			members[i].path = inner + "value"
		}
	}
	return members
}

// changes are the members in which two data differ: those of the new one in
// its order, then those that it no longer has.
func changes(old, new []dataMember) (list []Change) {
	old, new = withValues(old, new), withValues(new, old)
	value := func(members []dataMember, path string) string {
		i := slices.IndexFunc(members, func(m dataMember) bool { return m.path == path })
		if i < 0 {
			return ""
		}
		return members[i].value
	}
	for _, m := range new {
		if was := value(old, m.path); was != m.value {
			list = append(list, Change{m.path, was, m.value})
		}
	}
	for _, m := range old {
		if value(new, m.path) == "" {
			list = append(list, Change{Member: m.path, Old: m.value})
		}
	}
	return list
}
