package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"roznamcha/cmd/roznamcha/internal/demo"
	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

// demoClaims is the second demo: what was published about one set of figures,
// held against the ledger.
func (p *program) demoClaims(ctx context.Context, csv bool) error {
	press, report, err := demo.LoadPress()
	if err != nil {
		return err
	}
	submissions, err := press.Submissions(report)
	if err != nil {
		return err
	}
	if err := p.recordAll(ctx, report.Opening(), submissions); err != nil {
		return err
	}
	// From here on everything comes from the stream.
	return p.withLedger(ctx, func(ctx context.Context, l *eventstore.Ledger) error {
		totals, claims := projections.NewTotals(), projections.NewClaims()
		reg, stats, err := p.replay(ctx, l, projections.AsOf{}, totals, claims)
		if err != nil {
			return err
		}
		held := totals.Hold(claims, projections.Select{})
		r := newClaimReport(held, cite(reg, stats), totals.Zone().String())
		if p.json || csv {
			return r.write(p.out, p.json, csv)
		}
		return p.printDemoClaims(r, stats)
	})
}

func (p *program) printDemoClaims(r *claimReport, stats projections.Stats) error {
	var b bytes.Buffer
	if err := r.print(&b, demo.Findings(r.held)...); err != nil {
		return err
	}
	fmt.Fprintf(&b, "%s · synthetic, made from one report's sums and restated once: what matches that report matches by construction\n", replayLine(stats))
	fmt.Fprintln(&b, print.Clean(r.citation.String()))
	name, dir := ownName(), " --dir "+shellWord(p.dir)
	fmt.Fprintf(&b, "try: %s\n", strings.Join([]string{
		name + " claims --measure alleged" + dir,
		name + " claims --publisher Nukta --as-of 7" + dir,
		name + " explain alleged" + dir,
		name + " diff 7.." + dir,
		name + " totals cases,alleged,recovered --as-of 7" + dir,
	}, "\n     "))
	_, err := p.out.Write(b.Bytes())
	return err
}
