package projections

import (
	"fmt"
	"strings"
	"testing"

	"roznamcha/domain"
)

// numbersInASnapshot is what the numbers in a snapshot file mean, below the version
// of the part that has them.
const numbersInASnapshot = `format 1
rules 1
register 1
  types 0 = none, ledger.opened, raid.conducted, person.detained, arrest.made, case.registered, loss.alleged, recovery.made, property.seized, property.forfeited, figure.published, agency.succeeded, record.corrected, record.retracted, record.linked, record.unlinked, record.matched
totals 258
  measures 1 = raids, detained, arrests, cases, alleged, recovered, seized, forfeited
  dimensions 1 = agency, unit, country, subdivision, city, premises, nationality, class, sex, offence, form, operation, currency
  qualifiers 0 = exact, at-least, about, unknown, at-most
exceptions 2
  kinds 0 = refused, unrecognised, dangling-link, link-to-retracted, dated-ahead, look-alike, sequence-gap
  codes 0 = not-open, too-large, malformed, bad-attribute, wrong-source, unknown-type, conflicting-id, bad-data, already-open, record-exists, no-such-record, not-amendable, stale-amendment, not-authorised, with-refused
  states 0 = 0, 1, 2
amendments 1
  kinds 0 = new fact, correction, retraction, reinstatement, match, succession, succession corrected, succession undone, succession redone
`

// A snapshot keeps codes, types and the like as their places in the program's
// lists: a list in another order, or with something new in the middle, gives old
// files another meaning. Where this fails, raise the version above the line that
// changed (snapshotFormat, registerVersion, totalsLayout, exceptionsVersion,
// amendmentsVersion), and only then write here what is.
func TestTheNumbersInASnapshotMeanWhatTheyDid(t *testing.T) {
	var is strings.Builder
	version := func(name string, n int) { fmt.Fprintf(&is, "%s %d\n", name, n) }
	kept := func(k Kept) { version(k.keptAs()) }
	list := func(what string, from int, words []string) {
		fmt.Fprintf(&is, "  %s %d = %s\n", what, from, strings.Join(words, ", "))
	}
	version("format", snapshotFormat)
	version("rules", domain.RulesVersion)
	version(registerPart, registerVersion)
	types := []string{"none"}
	for _, typ := range domain.Types() {
		if int(typ) != len(types) {
			t.Errorf("%s is %d, in the place of %d", typ, typ, len(types))
		}
		types = append(types, typ.String())
	}
	list("types", 0, types)
	kept(NewTotals())
	list("measures", 1, measureWords[1:])
	list("dimensions", 1, dimensionWords[1:endOfStored])
	var qualifiers []string
	for q := domain.Exact; q <= domain.AtMost; q++ {
		qualifiers = append(qualifiers, q.String())
	}
	list("qualifiers", 0, qualifiers)
	kept(NewExceptions())
	list("kinds", 0, exceptionWords[:])
	var codes []string
	for _, info := range domain.CodeInfos {
		codes = append(codes, string(info.Code))
	}
	list("codes", 0, codes)
	list("states", 0, []string{fmt.Sprint(absent), fmt.Sprint(standing), fmt.Sprint(retracted)})
	kept(NewAmendments())
	list("kinds", 0, changeKindWords[:])
	if is.String() != numbersInASnapshot {
		t.Errorf("the numbers in a snapshot mean\n%s\nand not\n%s", is.String(), numbersInASnapshot)
	}
}
