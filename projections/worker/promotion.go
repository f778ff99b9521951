package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nats.go/micro"
)

// Promotion is the tables that readers are led to held against those of another
// version, each at the same entry.
type Promotion struct {
	// From and To are prefixes; From is "" where readers are led nowhere.
	From string `json:"from"`
	To   string `json:"to"`
	// Tables are those that readers are led to; none where nothing could be
	// compared.
	Tables []TableComparison `json:"tables"`
	// Moved tells that readers are led to To now.
	Moved bool `json:"moved"`

	kv       jetstream.KeyValue
	revision uint64 // of the pointer
}

// TableComparison is one table in two versions.
type TableComparison struct {
	Name string `json:"name"`
	// Entry is the one that both are of.
	Entry uint64 `json:"entry"`
	// Cells are those that are not the same.
	Cells []CellDifference `json:"cells,omitempty"`
}

// CellDifference is one cell in two versions; "" where one has no such cell.
type CellDifference struct {
	Row    string `json:"row"`
	Column string `json:"column"`
	Was    string `json:"was"`
	Is     string `json:"is"`
}

// Same tells that there was something to compare, and that no cell differs.
func (p *Promotion) Same() bool { return len(p.Tables) > 0 && p.Differences() == 0 }

// Differences is how many cells are not the same.
func (p *Promotion) Differences() (n int) {
	for _, t := range p.Tables {
		n += len(t.Cells)
	}
	return n
}

// ComparePromotion holds every table that readers are led to against what a
// worker of version says of the same entry, which one must be running. It
// changes nothing.
func ComparePromotion(ctx context.Context, nc *nats.Conn, version int) (*Promotion, error) {
	kv, err := openBucket(ctx, nc)
	if err != nil {
		return nil, err
	}
	p := &Promotion{To: Prefix(version), kv: kv}
	pointer, err := kv.Get(ctx, CurrentKey)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
	case err != nil:
		return nil, fmt.Errorf("key %s: %w", CurrentKey, err)
	default:
		p.revision = pointer.Revision()
		if isPrefix(string(pointer.Value())) {
			p.From = string(pointer.Value())
		}
	}
	if p.From == p.To {
		p.Moved = true
		return p, nil
	}
	if _, err := askVersion(ctx, nc, version, Request{Within: askTimeout.String()}); err != nil {
		return nil, err
	}
	if p.From == "" {
		return p, nil
	}
	keys, err := tableKeys(ctx, kv, p.From)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		name := strings.TrimPrefix(key, p.From+".")
		c, err := p.compare(ctx, nc, version, name)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", name, err)
		}
		p.Tables = append(p.Tables, c)
	}
	return p, nil
}

// compare holds one table against what a worker of version says.
func (p *Promotion) compare(ctx context.Context, nc *nats.Conn, version int, name string) (c TableComparison, err error) {
	old, found, err := p.kept(ctx, p.From, name)
	if err == nil && (!found || old.Stamp.Mark.IsZero()) {
		err = errors.New("there is none at its key now. Try: the same again, when a worker of that version has published it; or nats kv del it, where none keeps it any more")
	}
	if err != nil {
		return c, err
	}
	c = TableComparison{Name: name, Entry: old.Stamp.Mark.Entry}
	entry := strconv.FormatUint(c.Entry, 10)
	request := Request{Question: old.Stamp.Question, AsOf: entry, AtLeast: &entry, Within: askTimeout.String()}
	if old.Problem == "" {
		request.Columns = old.columns()
	}
	next, err := askVersion(ctx, nc, version, request)
	if err != nil {
		return c, err
	}
	was, is := old.cells(), next.cells()
	for key := range was {
		if is[key] != was[key] {
			c.Cells = append(c.Cells, CellDifference{key.row, key.column, was[key], is[key]})
		}
	}
	for key := range is {
		if _, ok := was[key]; !ok {
			c.Cells = append(c.Cells, CellDifference{key.row, key.column, "", is[key]})
		}
	}
	slices.SortFunc(c.Cells, func(a, b CellDifference) int {
		return strings.Compare(a.Row+"\x00"+a.Column, b.Row+"\x00"+b.Column)
	})
	return c, nil
}

// kept is the value at a key, read again.
func (p *Promotion) kept(ctx context.Context, prefix, name string) (v readValue, found bool, err error) {
	e, err := p.kv.Get(ctx, prefix+"."+name)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return v, false, nil
	case err != nil:
		return v, false, err
	}
	if json.Unmarshal(e.Value(), &v) != nil {
		return readValue{}, true, nil // a worker writes over it
	}
	return v, true, nil
}

// askVersion asks a worker of a version. Where there is no table the value says
// why.
func askVersion(ctx context.Context, nc *nats.Conn, version int, request Request) (v readValue, err error) {
	body, err := marshal(request)
	if err != nil {
		return v, err
	}
	ask, cancel := context.WithTimeout(ctx, 2*askTimeout)
	defer cancel()
	reply, err := nc.RequestWithContext(ask, VersionSubject(version), body)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return v, fmt.Errorf("no worker of version %d answers. Try: start one, and wait until roznamcha status shows it without a lag", version)
	case err != nil:
		return v, fmt.Errorf("ask a worker of version %d: %w", version, err)
	}
	switch reply.Header.Get(micro.ErrorCodeHeader) {
	case "":
		return v, json.Unmarshal(reply.Data, &v)
	case CodeTooLarge, CodeWrong: // what such a worker keeps at the key, too
		var a answerJSON
		err = json.Unmarshal(reply.Data, &a)
		return readValue{Problem: a.Error.Detail}, err
	}
	return v, fmt.Errorf("a worker of version %d answers: %s", version, reply.Header.Get(micro.ErrorHeader))
}

// Move leads readers to the new version: when every table that was compared is
// there at least as new as the one that they leave, and unless the pointer was moved
// since it was read. Until the pointer moves, at once and for all, readers have
// the old version, which this touches nowhere. Which version is a step ahead at
// that moment is chance, as it is between any two workers.
func (p *Promotion) Move(ctx context.Context) error {
	for _, t := range p.Tables {
		err := p.awaitTable(ctx, t.Name)
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("the new version is not there, or older than entry %d. Try: a worker of that version with this table", t.Entry)
		}
		if err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
	}
	var err error
	if p.revision == 0 {
		_, err = p.kv.Create(ctx, CurrentKey, []byte(p.To))
	} else {
		_, err = p.kv.Update(ctx, CurrentKey, []byte(p.To), p.revision)
	}
	switch {
	case errors.Is(err, jetstream.ErrKeyRevisionMismatch), errors.Is(err, jetstream.ErrKeyExists):
		return fmt.Errorf("key %s was moved meanwhile. Try: the same again, which compares with what is there now", CurrentKey)
	case err != nil:
		return fmt.Errorf("key %s: %w. Try: the same again, which tells whether it was moved", CurrentKey, err)
	}
	p.Moved = true
	return nil
}

// awaitTable waits until the new version of a table is as new as the old one.
func (p *Promotion) awaitTable(ctx context.Context, name string) error {
	for {
		old, _, err := p.kept(ctx, p.From, name)
		if err != nil {
			return err
		}
		next, found, err := p.kept(ctx, p.To, name)
		switch {
		case err != nil:
			return err
		case next.Problem != "" && old.Problem == "":
			return errors.New(next.Problem)
		case found && next.Stamp.Question != old.Stamp.Question:
			return &OtherQuestionError{p.To + "." + name}
		case found && next.Stamp.Mark.Entry >= old.Stamp.Mark.Entry:
			return nil
		}
		select {
		case <-time.After(changeEvery / 2):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// readValue is a value as any program reads it.
type readValue struct {
	Stamp   Stamp     `json:"stamp"`
	Problem string    `json:"problem"`
	Columns []readCol `json:"columns"`
	Rows    []readRow `json:"rows"`
	Total   readRow   `json:"total"`
	// Unplaced is nil where there is none.
	Unplaced *readRow `json:"unplaced"`
}

type readCol struct {
	Column   string `json:"column"`
	Currency string `json:"currency"`
}

type readRow struct {
	Labels []string `json:"labels"`
	Cells  []struct {
		Text string `json:"text"`
	} `json:"cells"`
}

// columns are those of a value as a question names them: which they are may
// have been left to what the ledger had.
func (v *readValue) columns() string {
	names := make([]string, len(v.Columns))
	for i, c := range v.Columns {
		names[i] = c.Column
	}
	return strings.Join(slices.Compact(names), ",")
}

type cellName struct{ row, column string }

// cells are the texts of a value by the names of their rows and columns.
func (v *readValue) cells() map[cellName]string {
	cells := map[cellName]string{}
	if v.Problem != "" {
		cells[cellName{"problem", ""}] = v.Problem
	}
	add := func(name string, row readRow) {
		for i, c := range row.Cells {
			column := strings.TrimSpace(v.Columns[i].Column + " " + v.Columns[i].Currency)
			cells[cellName{name, column}] = c.Text
		}
	}
	for _, row := range v.Rows {
		add(strings.Join(row.Labels, " · "), row)
	}
	if len(v.Columns) > 0 {
		add("total", v.Total)
	}
	if v.Unplaced != nil {
		add("unplaced", *v.Unplaced)
	}
	return cells
}
