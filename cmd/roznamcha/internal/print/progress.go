package print

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Progress shows how far long work is, on one line of a terminal: done, of how
// much, how fast, how much longer. It is a line of its own because go-pretty's
// progress writer runs a goroutine that redraws by a timer, also after an
// error has been printed, and cannot count rows against a total in bytes.
//
// A nil *Progress shows nothing: what a command has whose standard error is no
// terminal.
type Progress struct {
	mu      sync.Mutex
	w       io.Writer
	noun    string
	now     func() time.Time
	started time.Time
	drawn   time.Time
	shown   bool
}

// redraw is the least time between two drawings, and patience the time that
// work may take before it is long.
const (
	redraw   = 100 * time.Millisecond
	patience = 400 * time.Millisecond
)

// NewProgress starts the clock of work that is counted in nouns.
func NewProgress(w io.Writer, noun string) *Progress {
	return &Progress{w: w, noun: noun, now: time.Now, started: time.Now()}
}

// Update tells that done are done, and what part of the work that is, from 0
// to 1; a part of 0 or less is not known.
func (p *Progress) Update(done int64, part float64) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if now.Sub(p.started) < patience || now.Sub(p.drawn) < redraw {
		return
	}
	p.drawn, p.shown = now, true
	fmt.Fprintf(p.w, "\r%s\x1b[K", progressLine(done, part, p.noun, now.Sub(p.started)))
}

// Done wipes the line.
func (p *Progress) Done() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		p.shown = false
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// progressLine is "120,000 rows · 22 % · 61,000/s · 7 s left".
func progressLine(done int64, part float64, noun string, elapsed time.Duration) string {
	line := Count(done) + " " + noun
	if part > 0 {
		line += fmt.Sprintf(" · %.0f %%", min(part, 1)*100)
	}
	seconds := elapsed.Seconds()
	line += " · " + Count(int64(float64(done)/seconds)) + "/s"
	if part > 0 && part < 1 {
		line += " · " + Duration(time.Duration(seconds*(1-part)/part*float64(time.Second))) + " left"
	}
	return line
}

// Duration writes d as a person says it: "3 ms", "1.4 s", "12 s", "3 min 20 s".
func Duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", max(d.Round(time.Millisecond).Milliseconds(), 1))
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds()))
	default:
		d = d.Round(time.Second)
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
}
