package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/cmd/roznamcha/internal/schema"
	"roznamcha/domain"
)

func (p *program) schemaCommand() *cobra.Command {
	var example, codes, asyncapi, csv bool
	cmd := &cobra.Command{
		Use:   "schema [TYPE]",
		Short: "Print what publishers build against",
		Long: `Print the JSON Schema (draft 2020-12) of the events of a type, with examples;
without a type, of any event.

--example prints only the example, a line that can be recorded; without a type
one of each, in an order in which a ledger that is open accepts them.
--codes prints every code that an answer can carry, what it means, its cure, and
whether the same event can be accepted later as it is (retry).
--asyncapi prints the recorder's service as an AsyncAPI 3.0 document.

Types: ` + typeList() + ".",
		Example: `  roznamcha schema arrest.made > arrest.made.json
  roznamcha schema raid.conducted --example | roznamcha record -
  roznamcha schema --codes
  roznamcha schema --asyncapi > asyncapi.json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.oneFormat(csv); err != nil {
				return err
			}
			if len(args) > 0 && (codes || asyncapi) {
				return wrong("--codes and --asyncapi are of all types. Try: leave out %s", args[0])
			}
			if csv && !codes {
				return wrong("--csv is for --codes: a schema is JSON. Try: roznamcha schema --codes --csv")
			}
			switch {
			case codes:
				return p.printCodes(csv)
			case asyncapi:
				return schema.AsyncAPI().Write(p.out)
			case len(args) == 0 && example:
				return printExamples(p.out)
			case len(args) == 0:
				return schema.AnyEvent().Write(p.out)
			}
			typ, ok := domain.ParseType(args[0])
			if !ok {
				return wrong("%s is no event type of rules version %d. Try: %s", args[0], domain.RulesVersion, strings.Join(nearTypes(args[0]), ", "))
			}
			if example {
				_, err := fmt.Fprintln(p.out, schema.ExamplesOf(typ)[0])
				return err
			}
			return schema.Event(typ).Write(p.out)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&example, "example", false, "print only the example, ready for roznamcha record -")
	flags.BoolVar(&codes, "codes", false, "print every code of an answer, with its cure")
	flags.BoolVar(&asyncapi, "asyncapi", false, "print the AsyncAPI document of the recorder's service")
	flags.BoolVar(&csv, "csv", false, "print CSV, with --codes")
	cmd.MarkFlagsMutuallyExclusive("example", "codes", "asyncapi")
	return cmd
}

// printExamples prints an example of every type but of the opening, which roznamcha
// open writes: each a submission of its own.
func printExamples(w io.Writer) error {
	_, err := fmt.Fprintln(w, strings.Join(schema.Examples()[1:], "\n\n"))
	return err
}

// printCodes prints every code that an answer can carry. For a person the cure
// stands below the meaning: side by side they are wider than a screen.
func (p *program) printCodes(csv bool) error {
	all := schema.Codes()
	if p.json {
		return print.JSON(p.out, all)
	}
	if csv {
		var rows [][]string
		for _, c := range all {
			rows = append(rows, []string{c.Code, c.Ruling, retryWord(c.Retry), c.Means, c.Cure})
		}
		return print.CSV(p.out, []string{"code", "ruling", "retry", "means", "cure"}, rows)
	}
	table := &print.Table{Columns: []print.Column{{Head: "code"}, {Head: "ruling"}, {Head: "retry"}, {Head: "means, and what to do"}}}
	for _, c := range all {
		table.Rows = append(table.Rows, []string{c.Code, c.Ruling, retryWord(c.Retry), c.Means}, []string{"", "", "", "→ " + c.Cure})
	}
	return table.Write(p.out)
}

func retryWord(retry bool) string {
	if retry {
		return "yes"
	}
	return "no"
}

// nearTypes are the types one of whose words begins as a word of name does; all
// of them where none does.
func nearTypes(name string) (near []string) {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r < 'a' || r > 'z' })
	var all []string
	for _, t := range domain.Types() {
		all = append(all, t.String())
		kind, verb, _ := strings.Cut(t.String(), ".")
		for _, word := range words {
			begin := word[:min(len(word), 4)]
			if strings.HasPrefix(kind, begin) || strings.HasPrefix(verb, begin) {
				near = append(near, t.String())
				break
			}
		}
	}
	if near == nil {
		return all
	}
	return near
}
