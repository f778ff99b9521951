package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"roznamcha/domain"
)

// composition is one event as typed on the command line.
type composition struct {
	typ, source, subject, occurred, id string
	sets                               []string // member=value, see setMember
}

// listMembers of data are written on the command line with commas between.
var listMembers = map[string]bool{"nationality": true, "offences": true, "participants": true, "cases": true, "raids": true}

// numberMembers of data are numbers where they look like one.
var numberMembers = map[string]bool{"persons": true, "value": true, "rules": true}

// line is the event as a line of the ledger, in its canonical form where the
// rules know one. The error is wrong use: what the rules say about a line that
// can be written, the recorder tells.
func (c composition) line(now time.Time) ([]byte, error) {
	id := c.id
	if id == "" {
		minted, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		id = minted.String()
	}
	data := map[string]any{}
	if c.occurred != "" {
		data["occurred"] = c.occurred
	}
	for _, set := range c.sets {
		if err := setMember(data, set); err != nil {
			return nil, err
		}
	}
	if typ, ok := domain.ParseType(c.typ); ok {
		if err := checkKnown(typ, data); err != nil {
			return nil, err
		}
	}
	event := map[string]any{
		"specversion": "1.0", "id": id, "source": c.source, "type": c.typ,
		"time": now.Format(time.RFC3339), "data": data,
	}
	if c.subject != "" {
		event["subject"] = c.subject
	}
	var typed bytes.Buffer
	enc := json.NewEncoder(&typed)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(event); err != nil {
		return nil, err
	}
	e, err := domain.Decode(strings.TrimSpace(typed.String()))
	if err != nil || e.Type == domain.TypeRecordCorrected {
		return bytes.TrimSpace(typed.Bytes()), nil
	}
	return domain.AppendEvent(nil, e)
}

// setMember puts "name=value" into data. Dots in a name lead into a member:
// place.city=Karachi. A value is text; lists are written with commas between,
// amounts as "250000.00 PKR" with a qualifier after it if they have one, and
// whatever begins with { or [ is JSON.
func setMember(data map[string]any, set string) error {
	path, text, ok := strings.Cut(set, "=")
	names := strings.Split(path, ".")
	last := names[len(names)-1]
	if !ok || last == "" {
		return wrong("--set %s: want member=value. Try: --set place.city=Karachi", set)
	}
	value, err := memberValue(last, text)
	if err != nil {
		return wrong("--set %s: %w", set, err)
	}
	for _, name := range names[:len(names)-1] {
		inner, ok := data[name].(map[string]any)
		if !ok {
			if _, taken := data[name]; taken || name == "" {
				return wrong("--set %s: %q is no object that a member could stand in", set, name)
			}
			inner = map[string]any{}
			data[name] = inner
		}
		data = inner
	}
	if _, taken := data[last]; taken {
		return wrong("--set %s: the member is given twice", set)
	}
	data[last] = value
	return nil
}

// memberValue is text as the member of that name is written in JSON.
func memberValue(name, text string) (any, error) {
	switch {
	case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["):
		if !json.Valid([]byte(text)) {
			return nil, errors.New("this is not JSON")
		}
		return json.RawMessage(text), nil
	case listMembers[name]:
		return strings.Split(text, ","), nil
	case numberMembers[name] && isDigits(text):
		return json.Number(text), nil
	case name == "synthetic" && (text == "true" || text == "false"):
		return text == "true", nil
	case name == "amount":
		return amountValue(text)
	}
	return text, nil
}

// amountValue reads "250000.00 PKR", "72000000 PKR at-least" and "unknown PKR".
func amountValue(text string) (any, error) {
	words := strings.Fields(text)
	switch {
	case len(words) == 2 && words[0] == domain.Unknown.String():
		return map[string]any{"currency": words[1], "qualifier": words[0]}, nil
	case len(words) == 2:
		return map[string]any{"value": words[0], "currency": words[1]}, nil
	case len(words) == 3:
		return map[string]any{"value": words[0], "currency": words[1], "qualifier": words[2]}, nil
	}
	return nil, errors.New("want a value and a currency, and a qualifier if it has one. Try: --set amount='250000.00 PKR'")
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// memberPaths are the members that data of some type have, as --set takes them.
var memberPaths = []string{
	"occurred", "reported", "place.country", "place.subdivision", "place.city", "place.site", "agency", "unit",
	"operation", "document.ref", "document.locator", "document.sha256", "by", "synthetic", "note",
	"name", "home", "zone", "rules", "premises", "participants", "cases", "raid", "persons", "nationality", "sex",
	"offences", "person", "registered", "number", "station", "raids", "case", "amount", "basis", "form", "memo",
	"item", "seizure", "publisher", "published", "worded", "period", "measure", "dimensions", "value", "qualifier",
	"record", "amends", "replacement", "reason", "authority", "from", "to", "same_as", "predecessor", "successor", "effective",
}

// checkKnown finds a member of data that the type does not have: it would be
// kept and ignored, which nobody types on purpose. What a correction replaces
// is the register's to know.
func checkKnown(typ domain.Type, data map[string]any, parents ...string) error {
	for _, name := range slices.Sorted(maps.Keys(data)) {
		path := append(slices.Clip(parents), name)
		if inner, ok := data[name].(map[string]any); ok && name != "replacement" {
			if err := checkKnown(typ, inner, path...); err != nil {
				return err
			}
			continue
		}
		if !known(typ, path) {
			return wrong("%s has no member %q. Try: %s", typ, strings.Join(path, "."), strings.Join(nearMembers(typ, name), ", "))
		}
	}
	return nil
}

// known asks the rules whether data of a type have the member at path: they
// complain of what can be no member's value, and ignore what is no member.
func known(typ domain.Type, path []string) bool {
	value := "[[]]"
	for _, name := range slices.Backward(path) {
		quoted, _ := json.Marshal(name) // a string always can be
		value = "{" + string(quoted) + ":" + value + "}"
	}
	_, err := domain.Decode(`{"specversion":"1.0","id":"00000000-0000-7000-8000-000000000000","source":"/a/b","type":"` + typ.String() + `","subject":"1","data":` + value + `}`)
	var refusal *domain.Refusal
	return errors.As(err, &refusal) && strings.HasPrefix(refusal.Field+".", "data."+strings.Join(path, ".")+".")
}

// nearMembers are the members of a type whose last name begins as name does;
// all of them where none does.
func nearMembers(typ domain.Type, name string) (near []string) {
	var all []string
	for _, path := range memberPaths {
		if !known(typ, strings.Split(path, ".")) {
			continue
		}
		all = append(all, path)
		last := path[strings.LastIndex(path, ".")+1:]
		if strings.HasPrefix(last, strings.ToLower(name[:min(len(name), 2)])) {
			near = append(near, path)
		}
	}
	if near == nil {
		return all
	}
	return near
}
