package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Object is a JSON object whose members keep their order. Values are Objects,
// lists ([]any and []string), strings, whole numbers and truth values.
type Object []Field

// Field is one member of an Object.
type Field struct {
	Name  string
	Value any
}

// add puts a member behind the others, where its value says something: not "",
// 0, or an empty list or object.
func (o *Object) add(name string, value any) {
	switch v := value.(type) {
	case string:
		if v == "" {
			return
		}
	case int64:
		if v == 0 {
			return
		}
	case []string:
		if len(v) == 0 {
			return
		}
	case []any:
		if len(v) == 0 {
			return
		}
	case Object:
		if len(v) == 0 {
			return
		}
	}
	*o = append(*o, Field{name, value})
}

// width is how many bytes a printed line has at most, where it can be broken.
const width = 100

// Write prints o as indented JSON: what fits on a line stands on one.
func (o Object) Write(w io.Writer) error {
	var p printer
	p.value(o, 0)
	p.out.WriteByte('\n')
	_, err := w.Write(p.out.Bytes())
	return err
}

// Line prints o on one line.
func (o Object) Line() string {
	var p printer
	p.flat(o, ",", ":")
	return p.out.String()
}

// printer writes JSON values.
type printer struct{ out bytes.Buffer }

// value writes v, whose lines are indented by depth steps.
func (p *printer) value(v any, depth int) {
	column := p.out.Len() - (bytes.LastIndexByte(p.out.Bytes(), '\n') + 1)
	var flat printer
	flat.flat(v, ", ", ": ")
	elements := elementsOf(v)
	if column+flat.out.Len() < width || len(elements) == 0 {
		p.out.Write(flat.out.Bytes())
		return
	}
	open, end := brackets(v)
	p.out.WriteByte(open)
	filled := false // scalars stand beside each other
	for i, e := range elements {
		if i > 0 {
			p.out.WriteByte(',')
		}
		var next printer
		next.flat(e.Value, ", ", ": ")
		column := p.out.Len() - (bytes.LastIndexByte(p.out.Bytes(), '\n') + 1)
		if filled && column+next.out.Len()+2 < width {
			p.out.WriteByte(' ')
		} else {
			p.out.WriteString("\n" + strings.Repeat("  ", depth+1))
		}
		filled = open == '[' && elementsOf(e.Value) == nil
		if open == '{' {
			p.text(e.Name)
			p.out.WriteString(": ")
		}
		p.value(e.Value, depth+1)
	}
	p.out.WriteString("\n" + strings.Repeat("  ", depth))
	p.out.WriteByte(end)
}

// flat writes v on one line.
func (p *printer) flat(v any, comma, colon string) {
	switch v := v.(type) {
	case string:
		p.text(v)
		return
	case int64:
		p.out.WriteString(strconv.FormatInt(v, 10))
		return
	case bool:
		p.out.WriteString(strconv.FormatBool(v))
		return
	case nil:
		p.out.WriteString("null")
		return
	}
	open, end := brackets(v)
	p.out.WriteByte(open)
	for i, e := range elementsOf(v) {
		if i > 0 {
			p.out.WriteString(comma)
		}
		if open == '{' {
			p.text(e.Name)
			p.out.WriteString(colon)
		}
		p.flat(e.Value, comma, colon)
	}
	p.out.WriteByte(end)
}

// text writes a JSON string.
func (p *printer) text(s string) {
	enc := json.NewEncoder(&p.out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always can be
	p.out.Truncate(p.out.Len() - 1)
}

func brackets(v any) (open, end byte) {
	if _, ok := v.(Object); ok {
		return '{', '}'
	}
	return '[', ']'
}

// elementsOf is the members of an object, the elements of a list without their
// names, nil of what has none.
func elementsOf(v any) (elements []Field) {
	switch v := v.(type) {
	case Object:
		return v
	case []any:
		for _, e := range v {
			elements = append(elements, Field{Value: e})
		}
	case []string:
		for _, e := range v {
			elements = append(elements, Field{Value: e})
		}
	case string, int64, bool, nil:
	default:
		panic(fmt.Sprintf("schema: a %T in a document", v)) // the tests print every document
	}
	return elements
}

// parseObject reads a JSON object with its members in order. Numbers must be
// whole.
func parseObject(line string) (Object, error) {
	dec := json.NewDecoder(strings.NewReader(line))
	dec.UseNumber()
	v, err := parseValue(dec)
	if err != nil {
		return nil, err
	}
	o, ok := v.(Object)
	if !ok {
		return nil, errors.New("want an object")
	}
	return o, nil
}

func parseValue(dec *json.Decoder) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		o := Object{}
		for dec.More() {
			name, err := dec.Token()
			if err != nil {
				return nil, err
			}
			value, err := parseValue(dec)
			if err != nil {
				return nil, err
			}
			o = append(o, Field{name.(string), value})
		}
		_, err := dec.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			value, err := parseValue(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err := dec.Token()
		return list, err
	}
	if n, ok := token.(json.Number); ok {
		return n.Int64()
	}
	return token, nil
}
