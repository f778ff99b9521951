package domain

import "time"

// AppendEvent appends the canonical line of e to dst, without a line feed: the
// members in the catalogue's order, no white space, what is not given left out.
// The line has passed the strict rules, so Decode reads it back; an event that
// breaks them is an error (a *Refusal) and dst is returned unchanged.
func AppendEvent(dst []byte, e *Event) ([]byte, error) {
	if e == nil || e.Data == nil {
		return dst, &Refusal{BadData, "data", "is missing"}
	}
	if t := e.Data.Type(); t != e.Type {
		return dst, &Refusal{BadData, "data", "are those of " + t.String()}
	}
	start := len(dst)
	line := append(dst, `{"specversion":"1.0","id":"`...)
	line = append(line, e.ID.String()...)
	line = append(line, `","source":"`...)
	line = append(line, e.Source.String()...)
	line = append(line, `","type":"`...)
	line = append(line, e.Type.String()...)
	line = append(line, '"')
	if e.Subject != "" {
		line = append(line, `,"subject":`...)
		line = appendText(line, e.Subject)
	}
	if !e.Time.IsZero() {
		line = append(line, `,"time":"`...)
		line = e.Time.AppendFormat(line, time.RFC3339Nano)
		line = append(line, '"')
	}
	line = append(line, `,"data":`...)
	line = append(AppendData(line, e.Data), '}')
	rd := readers.Get().(*reader)
	defer readers.Put(rd)
	if _, err := rd.event(string(line[start:])); err != nil {
		return line[:start], err
	}
	return line, nil
}

// AppendData appends the canonical JSON object of data: the data member of an
// event, or a correction's replacement. It is not checked.
func AppendData(dst []byte, data Data) []byte {
	dst = append(dst, '{')
	b := &bodies[data.Type()]
	for i := range b.members {
		m := &b.members[i]
		if !m.given(data) {
			continue
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(dst, b.names[i].key...)
		dst = m.write(dst, data)
	}
	return append(dst, '}')
}
