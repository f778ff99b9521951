package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

// amended is what is told of an amendment.
type amended struct {
	*amending
	line    []byte
	log     projections.HistoryLog  // with the amendment as its last item
	known   uint64                  // the entry as known at which it was foreseen
	changed *projections.Difference // nil where it cannot be told
	unsaid  string                  // of the changes; "" for nothing
	says    []string                // of the records that are tied
}

// item is the amendment in the record's history.
func (a *amended) item() projections.HistoryItem { return a.log.Items[len(a.log.Items)-1] }

// print prints what it changes for a person.
func (a *amended) print(w io.Writer) error {
	item := a.item()
	for i, says := range append([]string{a.record.String() + " " + item.What}, historySays(item)...) {
		if i > 0 {
			says = "  " + says
		}
		if _, err := fmt.Fprintln(w, print.Clean(says)); err != nil {
			return err
		}
	}
	for _, says := range a.says {
		if _, err := fmt.Fprintln(w, print.Clean(says)); err != nil {
			return err
		}
	}
	var notes []string
	switch {
	case a.changed == nil:
	case len(a.changed.Cells) == 0 && a.unsaid == "":
		notes = append(notes, fmt.Sprintf("no cell of the totals changes, as known at entry %d", a.known))
	case len(a.changed.Cells) > 0:
		if _, err := fmt.Fprintf(w, "changes of the totals%s, as known at entry %d\n", a.placed(), a.known); err != nil {
			return err
		}
		if err := a.grid().Write(w); err != nil {
			return err
		}
		notes = a.changed.Notes()
	}
	if a.unsaid != "" {
		notes = append(notes, a.unsaid)
	}
	for _, note := range notes {
		if _, err := fmt.Fprintln(w, print.Clean(note)); err != nil {
			return err
		}
	}
	return nil
}

// placed says of which period the totals are, and by which clock; "" where they
// are of any time by when it occurred.
func (a *amended) placed() string {
	after := a.changed.After
	if after.Clock == projections.Occurred && after.Period == "" {
		return ""
	}
	return strings.TrimRight(", "+after.Clock.String()+" "+after.Period, " ")
}

// grid is the cells that change.
func (a *amended) grid() *print.Table {
	grid := &print.Table{}
	for _, by := range a.changed.After.By {
		grid.Columns = append(grid.Columns, print.Column{Head: by.String()})
	}
	if len(grid.Columns) == 0 {
		grid.Columns = append(grid.Columns, print.Column{})
	}
	labels := len(grid.Columns)
	grid.Columns = append(grid.Columns, print.Column{Head: "column"}, print.Column{Head: "was", Number: true}, print.Column{Head: "is", Number: true})
	for i := range a.changed.Cells {
		row, _ := cellRow(&a.changed.Cells[i], labels)
		grid.Rows = append(grid.Rows, row)
	}
	return grid
}

// amendedJSON is what is told of an amendment to programs.
type amendedJSON struct {
	Record  string               `json:"record"`
	What    string               `json:"what"`
	Changes []projections.Change `json:"changes,omitempty"`
	// KnownAt is the entry as known at which Cells are what they were.
	KnownAt uint64 `json:"known_at"`
	// Asked is the table that they are of, and Unsaid what they do not say; the
	// first is null where the second says why there are none.
	Asked  *askedJSON `json:"asked"`
	Unsaid string     `json:"unsaid,omitempty"`
	// Says is what is to be told of the records that are tied.
	Says  []string        `json:"says,omitempty"`
	Cells []changedJSON   `json:"cells"`
	Event json.RawMessage `json:"event"`
	// Receipt is the ruling; nothing was recorded where there is none.
	Receipt *lineJSON `json:"receipt,omitempty"`
}

// json is what is told, without a receipt.
func (a *amended) json() amendedJSON {
	item := a.item()
	out := amendedJSON{Record: a.record.String(), What: item.What, Changes: item.Changes, KnownAt: a.known, Unsaid: a.unsaid, Says: a.says, Cells: []changedJSON{}, Event: a.line}
	if a.changed == nil {
		return out
	}
	out.Asked = askedOf(a.changed.After)
	for _, c := range a.changed.Cells {
		out.Cells = append(out.Cells, newChangedJSON(&c))
	}
	return out
}

// printStands tells that there is nothing to record.
func (p *program) printStands(a *amending, known uint64, stands string) error {
	if p.json {
		return print.JSON(p.out, amendedJSON{Record: a.record.String(), What: "nothing", KnownAt: known, Says: []string{stands}, Cells: []changedJSON{}})
	}
	_, err := fmt.Fprintf(p.out, "%s: nothing to record\n", print.Clean(stands))
	return err
}

// printAmended prints the receipt, nil where nothing was recorded.
func (p *program) printAmended(a *amended, ruling *eventstore.LineRuling) error {
	if p.json {
		out := a.json()
		if ruling != nil {
			line := lineOf(ruling.Position, ruling.Recorded, ruling.Ruling, "")
			line.ID = ruling.ID.String()
			out.Receipt = &line
		}
		return print.JSON(p.out, out)
	}
	if ruling == nil {
		_, err := fmt.Fprintln(p.out, "nothing was recorded")
		return err
	}
	if ruling.Position.Entry != a.known+1 {
		fmt.Fprintf(p.errs, "others recorded meanwhile, so cells may be different. Try: roznamcha diff %d..%d\n", ruling.Position.Entry-1, ruling.Position.Entry)
	}
	_, err := fmt.Fprintf(p.out, "%s\t%s\t%s\t%s\n", ruling.Position, stamp(ruling.Recorded), rulingText(ruling.Ruling), ruling.ID)
	return err
}
