package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

// liveTotals are projections that a recorder keeps current. They belong to the
// recorder's reader; who else looks at them does so within recorder.View.
type liveTotals struct {
	recorder   *eventstore.Recorder
	totals     *projections.Totals
	exceptions *projections.Exceptions
	amendments *projections.Amendments // for the snapshot
	stats      projections.Stats
	query      projections.Query
	// changed is set when a ruling came and taken back when it was shown.
	changed atomic.Bool
}

func newLive(q projections.Query) *liveTotals {
	return &liveTotals{totals: projections.NewTotals(), exceptions: projections.NewExceptions(), amendments: projections.NewAmendments(), query: q}
}

func (live *liveTotals) apply(r *domain.Ruled) {
	live.totals.Apply(r)
	live.exceptions.Apply(r)
	live.amendments.Apply(r)
	live.stats.Apply(r)
	live.changed.Store(true)
}

// kept is what a snapshot holds of it.
func (live *liveTotals) kept() []projections.Kept {
	return []projections.Kept{live.totals, live.exceptions, live.amendments}
}

// last is the number of the last entry.
func (live *liveTotals) last() (entry uint64) {
	live.recorder.View(func(reg *domain.Register) { entry = reg.Last() })
	return entry
}

// liveView is what is shown of it at one moment.
type liveView struct {
	Table      *projections.Table           `json:"table"`
	Exceptions []projections.ExceptionCount `json:"exceptions"`
}

func (live *liveTotals) view() (v liveView, err error) {
	live.recorder.View(func(reg *domain.Register) {
		if v.Table, err = live.totals.Query(live.query); err == nil {
			v.Table.Cite(reg)
			v.Exceptions = live.exceptions.Counts(0)
		}
	})
	return v, err
}

// standing is how many exceptions stand.
func (v liveView) standing() (n int) {
	for _, c := range v.Exceptions {
		n += c.Standing
	}
	return n
}

// How often a change is shown at most: to a person, and as a line.
const (
	drawEvery = 200 * time.Millisecond
	lineEvery = time.Second
)

// showLive shows the totals as they are and whenever they have changed, until
// ctx or the recorder ends; then it does not wait for who reads them.
func (p *program) showLive(ctx context.Context, live *liveTotals, aside *asides) error {
	show, every := p.logLive, lineEvery
	if isTerminal(p.out) && !p.json {
		screen := &screen{out: p.out, aside: aside}
		show, every = screen.draw, drawEvery
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	shown := make(chan error, 1)
	for first := true; ; first = false {
		if live.changed.Swap(false) || first {
			v, err := live.view()
			if err != nil {
				return err
			}
			go func() { shown <- show(v) }()
			select {
			case err := <-shown:
				if err != nil {
					return err
				}
			case <-ctx.Done(): // nobody may be reading
				return nil
			case <-live.recorder.Done():
				return live.recorder.Err()
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-live.recorder.Done():
			return live.recorder.Err()
		case <-ticker.C:
		}
	}
}

// logLive prints one line: the entry, the totals, how many exceptions.
func (p *program) logLive(v liveView) error {
	if p.json {
		return print.JSONLine(p.out, v)
	}
	parts := []string{fmt.Sprintf("entry %d", v.Table.Citation.Entry)}
	if recorded := v.Table.Citation.Recorded; !recorded.IsZero() {
		parts = append(parts, recorded.UTC().Format(time.RFC3339))
	}
	for i, c := range v.Table.Columns {
		name := c.Label
		if c.Group != "" {
			name = strings.TrimPrefix(c.Label+" "+c.Group, "all ")
		}
		parts = append(parts, name+" "+v.Table.Total.Cells[i].Text)
	}
	parts = append(parts, print.Plural(v.standing(), "exception"))
	_, err := fmt.Fprintln(p.out, print.Clean(strings.Join(parts, " · ")))
	return err
}

// asides are what serve says beside the totals, on standard error.
type asides struct {
	errs io.Writer
	said atomic.Bool // something since the totals were drawn
}

func (a *asides) Write(b []byte) (int, error) {
	a.said.Store(true)
	return a.errs.Write(b)
}

// screen draws the totals over what it has drawn before, unless something was
// said since.
type screen struct {
	out   io.Writer
	aside *asides
	lines int // that stand on the screen
}

func (s *screen) draw(v liveView) error {
	var b strings.Builder
	if err := printTotals(&b, v.Table); err != nil {
		return err
	}
	b.WriteString(print.Plural(v.standing(), "exception"))
	if v.standing() > 0 {
		b.WriteString(": roznamcha exceptions tells which")
	}
	b.WriteString("\n")
	up := ""
	if s.lines > 0 && !s.aside.said.Load() {
		up = fmt.Sprintf("\x1b[%dA\x1b[J", s.lines)
	}
	s.lines = rowsOf(b.String(), s.width())
	s.aside.said.Store(false)
	_, err := fmt.Fprint(s.out, up+b.String())
	return err
}

// width is how many columns the terminal has; 0 where it does not say.
func (s *screen) width() int {
	if f, ok := s.out.(interface{ Fd() uintptr }); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return width
		}
	}
	return 0
}

// rowsOf is how many rows of a terminal shown takes, with lines that are too
// long for it wrapped.
func rowsOf(shown string, width int) (rows int) {
	for line := range strings.Lines(shown) {
		rows++
		if columns := text.StringWidthWithoutEscSequences(strings.TrimSuffix(line, "\n")); width > 0 && columns > width {
			rows += (columns - 1) / width
		}
	}
	return rows
}
