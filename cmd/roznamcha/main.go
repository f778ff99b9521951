// Roznamcha is the program on top of the house: one command for each thing that
// a person does with a ledger of enforcement actions.
//
// A command is a file of its own, named after it, with more files beside it that
// begin with its name where one is not enough. Here are the flags that every
// command has, how an error is told, and the exit codes (0 done, 1 failed, 2 wrong
// use, 3 done with rejects or exceptions that were asked about). What several
// commands share besides:
//
//   - ledger.go, live.go, snapshot.go: getting at the ledger, and at projections that are current or start from a snapshot
//   - as_known.go, at_least.go, during.go: flags that say as known when, and of which period
//   - compose.go: an event as typed on the command line
//   - cite.go: what an answer was made from
//   - shell.go: a command that is told to be typed next
//   - metrics.go: metrics for a monitor
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/projections"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitWrong  = 2
	exitFound  = 3
)

func main() {
	// A reader that has seen enough (`| head`) is an error of the write, not
	// the end of the process: the embedded server is shut down first.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, &program{in: os.Stdin, out: &pipe{File: os.Stdout}, errs: os.Stderr}, os.Args[1:])
	stop()
	os.Exit(code)
}

// program is what the commands share: the flags of all, and where to print.
type program struct {
	dir string
	// dirGiven tells that --dir was typed.
	dirGiven bool
	nats     string
	context  string
	json     bool

	in   io.Reader
	out  io.Writer
	errs io.Writer
	// read is what a command has read and saves when its answer is out; nil for
	// nothing.
	read *projections.Snapshot
	// running is set when a command's own work begins: whatever goes wrong
	// before is wrong use.
	running bool
}

// run runs one command line and answers with its exit code.
func run(ctx context.Context, p *program, args []string) int {
	root := p.root()
	root.SetArgs(args)
	root.SetOut(p.out)
	root.SetErr(p.errs)
	cmd, err := root.ExecuteContextC(ctx)
	var found *foundError
	switch {
	case err == nil, errors.Is(err, errReaderGone):
		return exitDone
	case errors.As(err, &found):
		return exitFound
	case !p.running || isWrongUse(err):
		p.complain(cmd, err, cmd.CommandPath()+" --help")
		return exitWrong
	default:
		p.complain(cmd, err, "")
		return exitFailed
	}
}

// complain tells err in one paragraph. What an error says to try is printed as
// it is; else try, where there is something to try.
func (p *program) complain(cmd *cobra.Command, err error, try string) {
	message := strings.ReplaceAll(err.Error(), context.Canceled.Error(), "interrupted")
	if try != "" && !strings.Contains(message, "Try: ") {
		message += "\nTry: " + try
	}
	var lines []string
	for line := range strings.SplitSeq(message, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, print.Clean(line))
		}
	}
	fmt.Fprintf(p.errs, "%s: %s\n", cmd.CommandPath(), strings.Join(lines, "\n"))
}

// root is the whole command tree.
func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "roznamcha",
		Short: "A ledger of enforcement actions whose every number can be explained",
		Long: `Roznamcha keeps raids, arrests, cases and recoveries as events in an
append-only ledger on NATS JetStream, and replays them into running totals.

The ledger is kept by a server inside the program, in the data directory
(--dir), unless --nats or --context names a real server. Exit codes: 0 done,
1 failed, 2 wrong use, 3 done with rejects or exceptions.`,
		Example:           "  roznamcha demo",
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	flags := root.PersistentFlags()
	flags.StringVar(&p.dir, "dir", defaultDir(), "data `DIRECTORY` of the ledger; $ROZNAMCHA_DIR sets the default. With --nats or --context: where to keep the high-water file and the snapshot, if anywhere")
	flags.StringVar(&p.nats, "nats", "", "`URL` of a NATS server that keeps the ledger, instead of --dir")
	flags.StringVar(&p.context, "context", "", "`NAME` of a context of the nats command-line client, instead of --dir")
	flags.BoolVar(&p.json, "json", false, "print JSON")
	root.MarkFlagsMutuallyExclusive("nats", "context")
	for _, command := range []func() *cobra.Command{
		p.demoCommand, p.openCommand, p.serveCommand, p.recordCommand, p.amendCommand, p.importCommand,
		p.totalsCommand, p.explainCommand, p.diffCommand, p.claimsCommand, p.historyCommand, p.exceptionsCommand, p.auditCommand, p.replayCommand, p.statusCommand, p.workCommand, p.promoteCommand, p.benchCommand,
		p.schemaCommand, p.sinkCommand,
	} {
		cmd := command()
		work := cmd.RunE
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			p.running = true
			p.dirGiven = cmd.Flags().Changed("dir")
			if err := checkPlace(cmd); err != nil {
				return err
			}
			return work(cmd, args)
		}
		root.AddCommand(cmd)
	}
	return root
}

// checkPlace sees that a flag that says where the ledger is does say it: one
// that is empty, such as a shell variable that is not set, would mean another
// ledger.
func checkPlace(cmd *cobra.Command) error {
	for _, name := range []string{"dir", "nats", "context"} {
		if flag := cmd.Flags().Lookup(name); flag.Changed && flag.Value.String() == "" {
			return wrong("--%s is given and empty. Try: say where the ledger is, or leave --%s out", name, name)
		}
	}
	return nil
}

// defaultDir is the data directory where --dir does not say.
func defaultDir() string {
	if dir := os.Getenv("ROZNAMCHA_DIR"); dir != "" {
		return dir
	}
	return "roznamcha-data"
}

// foundError ends a command that did its work and found what it was asked
// about; it has been printed.
type foundError struct{}

func (*foundError) Error() string { return "done, with rejects or exceptions" }

// wrongUse is an error in what the person typed.
type wrongUse struct{ err error }

func (w *wrongUse) Error() string { return w.err.Error() }
func (w *wrongUse) Unwrap() error { return w.err }

func isWrongUse(err error) bool {
	var w *wrongUse
	return errors.As(err, &w)
}

// wrong makes a wrongUse of a message.
func wrong(format string, args ...any) error { return &wrongUse{fmt.Errorf(format, args...)} }

// version is the program's as in semantic versioning, as its build says: of the
// commit where there is no tag, and 0.0.0 where the build does not know.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && strings.HasPrefix(info.Main.Version, "v") {
		return info.Main.Version[1:]
	}
	return "0.0.0"
}

// pipe is standard output. Who read it and has gone has seen enough.
type pipe struct{ *os.File }

var errReaderGone = errors.New("nobody reads standard output any more")

func (p *pipe) Write(b []byte) (int, error) {
	n, err := p.File.Write(b)
	if errors.Is(err, syscall.EPIPE) {
		err = errReaderGone
	}
	return n, err
}

// note tells a person at a terminal something that is no part of the answer.
func (p *program) note(format string, args ...any) {
	if isTerminal(p.errs) {
		fmt.Fprintln(p.errs, print.Clean(fmt.Sprintf(format, args...)))
	}
}

// progress shows work that is counted in nouns to a person at a terminal.
func (p *program) progress(noun string) *print.Progress {
	if !isTerminal(p.errs) {
		return nil
	}
	return print.NewProgress(p.errs, noun)
}

// isTerminal tells whether what is written to w is read by a person.
func isTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}
