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
	typ, known := domain.ParseType(c.typ)
	for _, set := range c.sets {
		if err := setMember(typ, data, set); err != nil {
			return nil, err
		}
	}
	if known {
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

// setMember puts "name=value" into data of a type. Dots in a name lead into a member:
// place.city=Karachi. A value is text; lists are written with commas between,
// amounts as "250000.00 PKR" with a qualifier after it if they have one, and
// whatever begins with { or [ is JSON.
func setMember(typ domain.Type, data map[string]any, set string) error {
	path, text, ok := strings.Cut(set, "=")
	names := strings.Split(path, ".")
	last := names[len(names)-1]
	if !ok || last == "" {
		return wrong("--set %s: want member=value. Try: --set place.city=Karachi", set)
	}
	value, err := memberValue(shapeIn(typ, names), text)
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

// memberValue is text as a member of that shape is written in JSON.
func memberValue(shape domain.Shape, text string) (any, error) {
	isWhole := func(s domain.Shape) bool { return s.JSON == "integer" }
	switch {
	case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["):
		if !json.Valid([]byte(text)) {
			return nil, errors.New("this is not JSON")
		}
		return json.RawMessage(text), nil
	case shape.JSON == "array":
		return strings.Split(text, ","), nil
	case (isWhole(shape) || slices.ContainsFunc(shape.Either, isWhole)) && isDigits(text):
		return json.Number(text), nil
	case shape.JSON == "boolean" && (text == "true" || text == "false"):
		return text == "true", nil
	case shape.Name == "amount":
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
		if _, known := shapeAt(domain.Describe(typ), path); !known {
			return wrong("%s has no member %q. Try: %s", typ, strings.Join(path, "."), strings.Join(nearMembers(typ, name), ", "))
		}
	}
	return nil
}

// shapeIn is the shape of the member at path in data of typ; where it has none,
// and in a replacement, whose type the register knows, that in any type.
func shapeIn(typ domain.Type, path []string) domain.Shape {
	if len(path) > 1 && path[0] == "replacement" {
		path = path[1:]
	}
	for _, t := range append([]domain.Type{typ}, domain.Types()...) {
		if shape, ok := shapeAt(domain.Describe(t), path); ok {
			return shape
		}
	}
	return domain.Shape{}
}

// shapeAt is the shape of the member at path; false where there is none.
func shapeAt(members []domain.Member, path []string) (domain.Shape, bool) {
	for _, m := range members {
		if m.Name != path[0] || m.Absent {
			continue
		}
		if len(path) == 1 {
			return m.Shape, true
		}
		for _, s := range append([]domain.Shape{m.Shape}, m.Shape.Either...) {
			if s.JSON == "object" && s.Element != nil && len(path) == 2 {
				return *s.Element, true // of any name
			}
			if shape, ok := shapeAt(s.Members, path[1:]); ok {
				return shape, true
			}
		}
	}
	return domain.Shape{}, false
}

// nearMembers are the members of a type whose last name begins as name does;
// all of them where none does.
func nearMembers(typ domain.Type, name string) (near []string) {
	all := memberPaths(domain.Describe(typ), "")
	for _, path := range all {
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

// memberPaths are the members as --set takes them: those of a member of several
// parts in its place.
func memberPaths(members []domain.Member, parent string) (paths []string) {
	for _, m := range members {
		if m.Shape.Members != nil {
			paths = append(paths, memberPaths(m.Shape.Members, parent+m.Name+".")...)
		} else {
			paths = append(paths, parent+m.Name)
		}
	}
	return paths
}
