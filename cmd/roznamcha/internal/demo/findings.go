package demo

import (
	"fmt"
	"strings"

	"roznamcha/projections"
)

// Findings are the most telling relations between claims, a line each: a slip,
// the same number under several periods, and one number for two measures.
func Findings(held []projections.Held) (lines []string) {
	slips := widest(held, func(r *projections.Relation) bool { return r.Kind == projections.Slip && r.Factor > 0 })
	if slips != nil {
		lines = append(lines, "the slip: "+tell(slips.claim)+" is "+slips.relation.String())
	}
	periods := widest(held, func(r *projections.Relation) bool { return r.Kind == projections.OtherPeriod })
	if periods != nil {
		told := []string{on(periods.claim)}
		for _, c := range periods.relation.Claims {
			told = append(told, on(c))
		}
		lines = append(lines, fmt.Sprintf("one number, %d periods: %s %s %s", len(told), periods.claim.What(), periods.claim.Figure(), strings.Join(told, ", ")))
	}
	units := widest(held, func(r *projections.Relation) bool { return r.Kind == projections.OtherMeasure })
	if units != nil {
		told := []string{tell(units.claim)}
		for _, c := range units.relation.Claims {
			told = append(told, tell(c))
		}
		lines = append(lines, "one number, two measures: "+strings.Join(told, ", "))
	}
	return lines
}

// found is a claim and how others relate to it.
type found struct {
	claim    *projections.Claim
	relation *projections.Relation
}

// widest is the first relation of a kind that has the most other claims.
func widest(held []projections.Held, is func(*projections.Relation) bool) (most *found) {
	for i := range held {
		for j := range held[i].Others {
			r := &held[i].Others[j]
			if is(r) && (most == nil || len(r.Claims) > len(most.relation.Claims)) {
				most = &found{held[i].Claim, r}
			}
		}
	}
	return most
}

func tell(c *projections.Claim) string {
	return c.Record.ID + " (" + c.Publisher + ") " + c.What() + " " + c.Figure()
}

func on(c *projections.Claim) string {
	return "on " + c.Period.String() + " (" + c.Record.ID + ", " + c.Publisher + ")"
}
