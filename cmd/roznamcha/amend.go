package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

func (p *program) amendCommand() *cobra.Command {
	var a amending
	cmd := &cobra.Command{
		Use: "amend correct RECORD --set MEMBER=VALUE… [--unset MEMBER…] --reason REASON\n" +
			"  roznamcha amend retract RECORD --reason REASON\n" +
			"  roznamcha amend reinstate RECORD --reason REASON\n" +
			"  roznamcha amend link FROM TO\n" +
			"  roznamcha amend unlink FROM TO\n" +
			"  roznamcha amend match RECORD SAME_AS",
		Short: "Correct, retract, reinstate, link or match a record",
		Long: `Put right what the ledger says of a record. Nothing is erased: what was known
before stays, and --as-of prints it. A record is named kind/agency/unit/id.

  correct    replaces the members that --set gives, as record takes them, and
             leaves out those of --unset; all else stays as it is
  retract    takes the record out of the totals
  reinstate  brings a retracted record back, with the data that it had
  link       ties a record to another, such as an arrest to its later case;
             unlink takes that back
  match      says that two records, of two diaries, are one action: both stay,
             the one recorded first counts. It cannot be taken back; retracting
             that one lets the other count

The cells of the totals that it changes are printed before it is recorded; they
are those of the dimensions that change, or of --by. --dry-run records nothing.

The amendment is of the version that stands now. With --amends it is of the
version that you have looked at (roznamcha history prints its id), and refused
if that is not the current one any more. It comes from the record's own diary;
a successor's is given with --source.

Reasons: ` + strings.Join(reasonWords(), ", ") + `.`,
		Example: `  roznamcha amend correct raid/nccia/karachi/0007 --set place.city=Lahore --reason wrong-place --dry-run
  roznamcha amend correct arrest/nccia/karachi/0007-A1 --set persons=4 --reason late-information --authority 'order 12/2025'
  roznamcha amend retract recovery/nccia/karachi/0007-R1 --reason duplicate
  roznamcha amend reinstate recovery/nccia/karachi/0007-R1 --reason data-entry --by form
  roznamcha amend link recovery/nccia/karachi/0007-R1 arrest/nccia/karachi/0007-A1
  roznamcha amend match raid/nccia/karachi/0007 raid/nccia/lahore/0031`,
		Args:                  cobra.MinimumNArgs(2),
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.parse(cmd, args); err != nil {
				return err
			}
			return p.withLedger(cmd.Context(), func(ctx context.Context, l *eventstore.Ledger) error {
				seen := newForeseen(&a)
				return p.withRulings(ctx, l, seen.apply, func(r *eventstore.Recorder) error {
					return p.amend(ctx, r, seen, &a)
				})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&a.sets, "set", nil, "`MEMBER=VALUE` of the record's new data; may be given often")
	flags.StringArrayVar(&a.unsets, "unset", nil, "`MEMBER` that the new data do not have; may be given often")
	flags.StringVar(&a.reason, "reason", "", "why: a `REASON` of the catalogue")
	flags.StringVar(&a.authority, "authority", "", "the `ORDER` or officer behind it")
	flags.StringVar(&a.amends, "amends", "", "`ID` of the version that is amended; the current one without")
	flags.StringVar(&a.source, "source", "", "`DIARY` that writes; the record's own without")
	flags.StringVar(&a.by, "by", "", "show the change by up to three `DIMENSIONS`")
	flags.BoolVar(&a.dryRun, "dry-run", false, "show what would change, and record nothing")
	return cmd
}

// reasonWords are the reasons of an amendment.
func reasonWords() []string {
	shape, _ := shapeAt(domain.Describe(domain.TypeRecordCorrected), []string{"reason"})
	return shape.Words
}

// checkReason sees that a reason is one of the catalogue's.
func checkReason(reason string) error {
	if !slices.Contains(reasonWords(), reason) {
		return wrong("--reason %q is no reason of the catalogue. Try: %s", reason, strings.Join(reasonWords(), ", "))
	}
	return nil
}

// mostAuthority is how many bytes the catalogue gives an authority.
const mostAuthority = 256

// checkAuthority sees that an authority can be recorded.
func checkAuthority(authority string) error {
	if len(authority) > mostAuthority {
		return wrong("--authority has %d bytes, and at most %d can be recorded. Try: the number of the order", len(authority), mostAuthority)
	}
	return nil
}

// amending is an amendment as typed on the command line.
type amending struct {
	action string
	// record is what is amended; other is the second record of a link or match.
	record, other domain.RecordName
	diary         domain.Diary // that writes
	dimensions    []projections.Dimension

	sets, unsets                          []string
	reason, authority, amends, source, by string
	dryRun                                bool
}

// amendments are the actions, and the flags that each has besides --source,
// --by and --dry-run.
var amendments = map[string][]string{
	"correct":   {"set", "unset", "reason", "authority", "amends"},
	"retract":   {"reason", "authority", "amends"},
	"reinstate": {"set", "unset", "reason", "authority", "amends"},
	"link":      {},
	"unlink":    {},
	"match":     {},
}

// ties tells whether the action is about two records.
func (a *amending) ties() bool {
	return a.action == "link" || a.action == "unlink" || a.action == "match"
}

// parse reads the arguments and looks at the flags; any error is wrong use.
func (a *amending) parse(cmd *cobra.Command, args []string) (err error) {
	a.action = args[0]
	takes, known := amendments[a.action]
	if !known {
		return wrong("there is no amendment %q. Try: correct, retract, reinstate, link, unlink or match", a.action)
	}
	for _, name := range []string{"set", "unset", "reason", "authority", "amends"} {
		if cmd.Flags().Changed(name) && !slices.Contains(takes, name) {
			return wrong("a %s takes no --%s", a.action, name)
		}
	}
	want := 2
	if a.ties() {
		want = 3
	}
	if len(args) != want {
		return wrong("%s takes %s. Try: roznamcha amend --help", a.action, print.Plural(want-1, "record"))
	}
	if a.record, err = domain.ParseRecordName(args[1]); err != nil {
		return &wrongUse{err}
	}
	if a.diary = a.record.Diary; a.source != "" {
		if a.diary, err = domain.ParseDiary(a.source); err != nil {
			return wrong("--source: %w", err)
		}
	}
	if a.dimensions, err = projections.ParseDimensions(a.by); err != nil {
		return wrong("--by: %w", err)
	}
	if a.ties() {
		if a.other, err = domain.ParseRecordName(args[2]); err != nil {
			return &wrongUse{err}
		}
		if a.other == a.record {
			return wrong("%s %s with itself: a %s is of two records. Try: roznamcha amend --help", a.action, a.record, a.action)
		}
		return nil
	}
	if a.amends != "" {
		if _, err := domain.ParseEventID(a.amends); err != nil {
			return wrong("--amends: %w. Try: roznamcha history %s, which prints it", err, a.record)
		}
	}
	switch {
	case a.action == "correct" && len(a.sets)+len(a.unsets) == 0:
		return wrong("nothing is corrected. Try: --set place.city=Lahore, or --unset MEMBER")
	case a.reason == "":
		return wrong("--reason is missing. Try: %s", strings.Join(reasonWords(), ", "))
	}
	return cmp.Or(checkReason(a.reason), checkAuthority(a.authority))
}

// amend shows what the amendment changes, and records it.
func (p *program) amend(ctx context.Context, r *eventstore.Recorder, seen *foreseen, a *amending) error {
	var line []byte
	var err error
	var stands string
	r.View(func(reg *domain.Register) {
		if stands = seen.stands(reg, a); stands != "" {
			return
		}
		if line, err = a.line(reg, seen, time.Now()); err == nil {
			err = seen.foresee(reg, line)
		}
		if err == nil && a.action == "match" {
			seen.says = append(seen.says, seen.counting(reg, a)...)
		}
	})
	if err != nil {
		return err
	}
	if stands != "" {
		return p.printStands(a, seen.last, stands)
	}
	out := amended{amending: a, line: line, log: seen.history.Log(), known: seen.last, says: seen.says}
	out.changed, out.unsaid = seen.changed(a)
	if a.action == "correct" && len(out.item().Changes) == 0 {
		return fmt.Errorf("%s says that already: there is nothing to correct. Try: roznamcha history %s", a.record, a.record)
	}
	if !p.json {
		if err := out.print(p.out); err != nil {
			return err
		}
	}
	if a.dryRun {
		return p.printAmended(&out, nil)
	}
	receipt, err := r.Record(ctx, line)
	if err != nil {
		return err
	}
	if err := receipt.Err(); err != nil {
		return refusal(err)
	}
	return p.printAmended(&out, &receipt.Rulings[0])
}

// refusal is what the register refuses, with what to try.
func refusal(err error) error {
	if r, ok := err.(*domain.Refusal); ok {
		return fmt.Errorf("%s", cured(r, r.Code))
	}
	return err
}

// line is the amendment as a line of the ledger.
func (a *amending) line(reg *domain.Register, seen *foreseen, now time.Time) ([]byte, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	event := map[string]any{"specversion": "1.0", "id": id, "source": a.diary.String(), "time": now.Format(time.RFC3339)}
	if a.ties() {
		event["type"], event["data"] = a.tie(reg, seen)
	} else if event["type"], event["data"], err = a.version(reg, seen); err != nil {
		return nil, err
	}
	var typed bytes.Buffer
	enc := json.NewEncoder(&typed)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(event); err != nil {
		return nil, err
	}
	line := bytes.TrimSpace(typed.Bytes())
	e, err := domain.Decode(string(line))
	if err != nil {
		return line, nil // the register says what is wrong with it
	}
	return domain.AppendEvent(nil, e)
}

// tie is the type and the data of a link, its end, or a match.
func (a *amending) tie(reg *domain.Register, seen *foreseen) (string, map[string]string) {
	for _, name := range []domain.RecordName{a.record, a.other} {
		stands, ok := reg.Lookup(name)
		switch {
		case a.action != "link":
		case !ok:
			seen.says = append(seen.says, name.String()+" is not in the ledger: the link is an exception until it is")
		case stands.Retracted && name == a.other:
			seen.says = append(seen.says, name.String()+" is retracted: the link is an exception while it is")
		}
	}
	from, to := a.record.String(), a.other.String()
	switch a.action {
	case "link":
		return domain.TypeRecordLinked.String(), map[string]string{"from": from, "to": to}
	case "unlink":
		return domain.TypeRecordUnlinked.String(), map[string]string{"from": from, "to": to}
	}
	return domain.TypeRecordMatched.String(), map[string]string{"record": from, "same_as": to}
}

// version is the type and the data of what takes the place of the record's
// current version.
func (a *amending) version(reg *domain.Register, seen *foreseen) (string, map[string]any, error) {
	stands, ok := reg.Lookup(a.record)
	if !ok {
		return "", nil, refusal(&domain.Refusal{Code: domain.NoSuchRecord, Field: "record", Detail: fmt.Sprintf("%q is not in the ledger", a.record)})
	}
	data := map[string]any{"record": a.record.String(), "amends": stands.Event.String(), "reason": a.reason}
	if a.amends != "" {
		data["amends"] = a.amends
	}
	if a.authority != "" {
		data["authority"] = a.authority
	}
	if a.action == "retract" {
		return domain.TypeRecordRetracted.String(), data, nil
	}
	if data["amends"] == stands.Event.String() { // or the register says what stands
		switch reinstates := a.action == "reinstate"; {
		case reinstates && !stands.Retracted:
			return "", nil, fmt.Errorf("%s stands: only what is retracted is reinstated. Try: roznamcha amend correct %s", a.record, a.record)
		case !reinstates && stands.Retracted:
			return "", nil, fmt.Errorf("%s is retracted: a correction would bring it back. Try: roznamcha amend reinstate %s, which takes --set too", a.record, a.record)
		}
	}
	replacement, err := a.replacement(stands.Type, seen.data)
	data["replacement"] = replacement
	return domain.TypeRecordCorrected.String(), data, err
}

// replacement is the data of the version that stands, or stood before its
// retraction, with what --set and --unset change.
func (a *amending) replacement(typ domain.Type, stands []byte) (map[string]any, error) {
	data := make(map[string]any)
	dec := json.NewDecoder(bytes.NewReader(stands))
	dec.UseNumber()
	if err := dec.Decode(&data); err != nil {
		return nil, err
	}
	given := make(map[string]any)
	for _, set := range a.sets {
		if err := setMember(typ, given, set); err != nil {
			return nil, err
		}
	}
	if err := checkKnown(typ, given); err != nil {
		return nil, err
	}
	for _, set := range a.sets {
		path, _, _ := strings.Cut(set, "=")
		if err := putMember(data, path, memberAt(given, path)); err != nil {
			return nil, err
		}
	}
	for _, path := range a.unsets {
		if memberAt(given, path) != nil {
			return nil, wrong("--set and --unset both name %s", path)
		}
		if memberAt(data, path) == nil {
			return nil, wrong("--unset %s: %s has no such member. Try: roznamcha history %s, which prints all", path, a.record, a.record)
		}
		dropMember(data, path)
	}
	return data, nil
}

// memberAt is the member of data at a path such as place.city; nil where there
// is none.
func memberAt(data map[string]any, path string) any {
	name, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		return data[name]
	}
	inner, _ := data[name].(map[string]any)
	return memberAt(inner, rest)
}

// putMember gives data the member at path, in the place of any that is there.
func putMember(data map[string]any, path string, value any) error {
	name, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		data[name] = value
		return nil
	}
	inner, ok := data[name].(map[string]any)
	if !ok {
		if data[name] != nil {
			return wrong("--set %s: %s is a single value. Try: --set %s=VALUE", path, name, name)
		}
		inner = make(map[string]any)
		data[name] = inner
	}
	return putMember(inner, rest, value)
}

// dropMember takes the member at path out of data, and what is empty then.
func dropMember(data map[string]any, path string) {
	name, rest, deeper := strings.Cut(path, ".")
	inner, ok := data[name].(map[string]any)
	if deeper && ok {
		dropMember(inner, rest)
	}
	if !deeper || len(inner) == 0 {
		delete(data, name)
	}
}
