package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/csvimport"
	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
)

func (p *program) importCommand() *cobra.Command {
	var mapping, rejects, reason, authority string
	var amend bool
	var joined map[string]string
	var initial bool
	var dryRun int
	cmd := &cobra.Command{
		Use:   "import --map MAPPING FILE.csv[.gz]",
		Short: "Record the rows of somebody else's CSV file",
		Long: `Record the rows of a CSV file, compressed with gzip or not, as events. The
MAPPING is a file that says what a row means, or the name of one that comes with
the program (` + strings.Join(csvimport.Presets(), ", ") + `).

  --init       prints a first mapping for a file, to be filled in by hand
  --dry-run N  prints the events of the first N rows and records nothing
  --amend      corrects the records of rows that changed since an earlier import

A row is recorded whole or not at all. Rows that cannot become events go to a
rejects file with line, column, value and reason, and the import goes on.
Importing a file again adds nothing, also after an import that was stopped half
way; a row that changed since is rejected. The exit code is 3 where a row was
rejected.

With --amend a row that changed becomes a correction of its record, for --reason
and by --authority; --dry-run N then prints what the first N rows would add.
What an import told last counts: a row that is the same since leaves corrections
by others alone, one that changed goes over them, and that is counted. Records of
rows that are no more in the file stay. A row that no longer gives an event whose
record stands, or now names another record, is rejected: retract what is not
right any more, then import again. Without --amend that is not noticed.

The rejects file replaces that of an earlier import and no other file;
where nothing is rejected, one that is there is left alone, and told of.`,
		Example: `  roznamcha import --init arrests.csv > arrests.toml
  roznamcha import --map us-ice-arrests --dry-run 3 arrests.csv
  roznamcha import --map us-ice-arrests arrests.csv
  roznamcha import --map us-ice-arrests --amend --reason data-entry arrests.csv`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := args[0]
			if initial {
				text, err := csvimport.InitFile(path)
				if err != nil {
					return err
				}
				_, err = p.out.Write(text)
				return err
			}
			if mapping == "" {
				return wrong("--map is missing: the file that says what a row means. Try: roznamcha import --init %s, or one of %s", shellWord(path), strings.Join(csvimport.Presets(), ", "))
			}
			opts := csvimport.Options{Joined: joined, Rejects: cmp.Or(rejects, rejectsName(path))}
			var rulings func(*domain.Ruled)
			if amend {
				if err := cmp.Or(checkReason(reason), checkAuthority(authority)); err != nil {
					return err
				}
				opts.Amend = &csvimport.Amend{Reason: domain.Reason(reason), Authority: authority}
				rulings = opts.Amend.Rulings
			} else if cmd.Flags().Changed("reason") || authority != "" {
				return wrong("--reason and --authority are of corrections. Try: with --amend")
			}
			m, err := loadMapping(mapping)
			if err != nil {
				return err
			}
			im, err := csvimport.Open(m, path, opts)
			if err != nil {
				return err
			}
			defer im.Close()
			dry := cmd.Flags().Changed("dry-run")
			if dry && !amend {
				return p.dryRun(im, dryRun, rowsEvents)
			}
			return p.withLedger(cmd.Context(), func(ctx context.Context, l *eventstore.Ledger) error {
				return p.withRulings(ctx, l, rulings, func(r *eventstore.Recorder) error {
					if dry {
						return p.dryRun(im, dryRun, func(row *csvimport.Row) ([][]byte, int, *csvimport.Reject) { return opts.Amend.Foresee(r, row) })
					}
					return p.runImport(ctx, im, r, opts)
				})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&mapping, "map", "", "`MAPPING` file, or the name of one that comes with the program")
	flags.BoolVar(&initial, "init", false, "print a first mapping for the file")
	flags.IntVar(&dryRun, "dry-run", 0, "print the events of the first `N` rows and record nothing")
	flags.BoolVar(&amend, "amend", false, "correct the records of rows that changed since an earlier import")
	flags.StringVar(&reason, "reason", string(domain.LateInformation), "with --amend: the `REASON` of the corrections")
	flags.StringVar(&authority, "authority", "", "with --amend: the `ORDER` or officer behind the corrections")
	flags.StringVar(&rejects, "rejects", "", "`FILE` for the rows that were not imported (default NAME.rejects.csv here)")
	flags.StringToStringVar(&joined, "join", nil, "`NAME=FILE`: where a second file is that the mapping joins")
	flags.Lookup("join").DefValue = "" // nothing to tell
	cmd.MarkFlagsMutuallyExclusive("init", "map")
	cmd.MarkFlagsMutuallyExclusive("init", "dry-run")
	cmd.MarkFlagsMutuallyExclusive("init", "amend")
	return cmd
}

// loadMapping reads a mapping file or, where there is none of that name, the
// mapping that comes with the program.
func loadMapping(name string) (*csvimport.Mapping, error) {
	if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) && slices.Contains(csvimport.Presets(), name) {
		return csvimport.Preset(name)
	}
	return csvimport.LoadMapping(name)
}

// rejectsName is where the rejects of a file go: into the working directory,
// which can be written more often than where the file is.
func rejectsName(path string) string {
	base := strings.TrimSuffix(filepath.Base(path), ".gz")
	return strings.TrimSuffix(base, ".csv") + ".rejects.csv"
}

// rowsEvents are the events of a row.
func rowsEvents(row *csvimport.Row) (lines [][]byte, corrections int, reject *csvimport.Reject) {
	for _, submission := range append(slices.Clone(row.Once), row.Submission) {
		if len(submission) > 0 {
			lines = append(lines, submission)
		}
	}
	return lines, 0, nil
}

// dryRun prints what the first n rows would add, which events tells.
func (p *program) dryRun(im *csvimport.Import, n int, events func(*csvimport.Row) (lines [][]byte, corrections int, reject *csvimport.Reject)) error {
	if n < 1 {
		return wrong("--dry-run %d: want a number of rows. Try: --dry-run 10", n)
	}
	var counts csvimport.Counts
	for counts.Rows < n {
		row, err := im.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		var lines [][]byte
		var corrections int
		if row.Reject == nil {
			lines, corrections, row.Reject = events(&row)
		}
		if counts.Add(&row); corrections > 0 {
			counts.Amended++
		}
		if row.Reject != nil {
			fmt.Fprintln(p.errs, print.Clean(row.Reject.Error()))
		}
		for _, line := range lines {
			if _, err := fmt.Fprintf(p.out, "%s\n", line); err != nil {
				return err
			}
		}
	}
	p.note("%s: %d rejected, %d without an event, %d to be amended; nothing was recorded", print.Plural(counts.Rows, "row"), counts.Rejected, counts.NoEvent, counts.Amended)
	if counts.Rejected > 0 {
		return &foundError{}
	}
	return nil
}

// runImport imports the file and reports.
func (p *program) runImport(ctx context.Context, im *csvimport.Import, r *eventstore.Recorder, opts csvimport.Options) error {
	// An import makes much garbage on machines that have other things to do: it
	// gets a third of Go's usual room. $GOGC says otherwise.
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(33))
	}
	progress := p.progress("rows")
	opts.Progress = func(at csvimport.Progress) {
		progress.Update(int64(at.Rows), float64(at.BytesRead)/float64(max(at.BytesSize, 1)))
	}
	start := time.Now()
	counts, err := csvimport.Run(ctx, im, r, opts)
	progress.Done()
	if err != nil {
		return err
	}
	if err := p.printImport(importReport{im.Path(), counts, opts.Rejects, time.Since(start), peakMemory()}); err != nil {
		return err
	}
	if counts.Rejected > 0 {
		return &foundError{}
	}
	return nil
}

// importReport is what became of a file.
type importReport struct {
	path    string
	counts  csvimport.Counts
	rejects string
	took    time.Duration
	memory  int64 // the most that the process had, in bytes; 0 is not known
}

// speed is how fast it went, and with how much memory.
func (r *importReport) speed() string {
	s := print.Duration(r.took) + " · " + print.Count(int64(float64(r.counts.Rows)/r.took.Seconds())) + " rows/s"
	if r.memory > 0 {
		s += " · " + print.Count(r.memory>>20) + " MiB of memory at most"
	}
	return s
}

// sees says where rejects are. Those of an earlier import are left alone by one
// that rejects nothing, and must not be taken for its own.
func (r *importReport) sees() string {
	if r.counts.Rejected > 0 {
		return "see " + r.rejects
	}
	if _, err := os.Stat(r.rejects); err == nil {
		return r.rejects + " is of an earlier import"
	}
	return ""
}

func (p *program) printImport(r importReport) error {
	c := r.counts
	if p.json {
		if c.Rejected == 0 {
			r.rejects = ""
		}
		return print.JSON(p.out, struct {
			File               string         `json:"file"`
			Rows               int            `json:"rows"`
			Recorded           int            `json:"recorded"`
			Amended            int            `json:"amended"`
			AmendedOver        int            `json:"amended_over"`
			Duplicates         int            `json:"duplicates"`
			NoEvent            int            `json:"no_event"`
			Rejected           int            `json:"rejected"`
			ChangedSinceImport int            `json:"changed_since_import"`
			Differs            int            `json:"differs"`
			Events             int            `json:"events"`
			Corrections        int            `json:"corrections"`
			ByReason           map[string]int `json:"by_reason,omitempty"`
			Rejects            string         `json:"rejects,omitempty"`
			Took               time.Duration  `json:"took_ns"`
			MaxRSS             int64          `json:"max_rss_bytes,omitempty"`
		}{r.path, c.Rows, c.Recorded, c.Amended, c.AmendedOver, c.Duplicates, c.NoEvent, c.Rejected, c.ChangedSinceImport, c.Differs, c.Events, c.Corrections, c.ByReason, r.rejects, r.took, r.memory})
	}
	table := &print.Table{Columns: []print.Column{{Head: "rows"}, {Head: print.Count(c.Rows), Number: true}, {Head: r.path}}}
	add := func(what string, n int, says string) {
		table.Rows = append(table.Rows, []string{what, print.Count(n), says})
	}
	add("recorded", c.Recorded, "as "+print.Plural(c.Events-c.Corrections, "event"))
	if c.Amended > 0 {
		says := "changed since an earlier import, by " + print.Plural(c.Corrections, "correction")
		if c.AmendedOver > 0 {
			says += "; " + print.Count(c.AmendedOver) + " over what others had corrected"
		}
		add("amended", c.Amended, says)
	}
	add("duplicates", c.Duplicates, "recorded before")
	add("without event", c.NoEvent, "the mapping takes nothing from them")
	add("rejected", c.Rejected, r.sees())
	if c.Differs > 0 {
		add("differing", c.Differs, "say something else of a record than its first row; the first counts")
	}
	for _, reason := range byNumber(c.ByReason) {
		add("", c.ByReason[reason], reason)
	}
	table.Rows = append(table.Rows, []string{"took", "", r.speed()})
	return table.Write(p.out)
}

// byNumber are the reasons, the most frequent first.
func byNumber(reasons map[string]int) []string {
	var list []string
	for reason := range reasons {
		list = append(list, reason)
	}
	slices.SortFunc(list, func(a, b string) int {
		return cmp.Or(cmp.Compare(reasons[b], reasons[a]), cmp.Compare(a, b))
	})
	return list
}
