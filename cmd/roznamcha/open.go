package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
)

func (p *program) openCommand() *cobra.Command {
	var opening domain.LedgerOpened
	var country string
	var replicas int
	cmd := &cobra.Command{
		Use:   "open --name NAME --country CODE --zone ZONE",
		Short: "Open a new ledger",
		Long: `Open a new ledger: its first entry says what it is called, which country is the
home country (whose nationals are national), and in which zone its days are.
None of that can be changed later. A ledger that is open already with the same
data is left as it is.

On a server of your own (--nats, --context) the stream LEDGER is created there,
ledger-safe; let that server sync always, or acknowledged is not on disk.`,
		Example: `  roznamcha open --name karachi --country PK --zone Asia/Karachi`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opening.HomeCountry, opening.Rules = domain.Country(country), domain.RulesVersion
			event, err := openingEvent(&opening)
			if err != nil {
				return &wrongUse{err}
			}
			return p.withSession(cmd.Context(), func(ctx context.Context, s *session) error {
				l, err := s.create(ctx, replicas)
				if err != nil {
					return err
				}
				was, err := openLedger(ctx, l, event)
				if err != nil {
					return err
				}
				return p.printOpened(was, event)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opening.Name, "name", "", "what the ledger is called; stands in every citation")
	flags.StringVar(&country, "country", "", "home country, ISO 3166-1 `CODE`")
	flags.StringVar(&opening.Zone, "zone", "", "IANA time `ZONE` of its days")
	flags.IntVar(&replicas, "replicas", 1, "on how many servers of a cluster each entry is kept")
	for _, name := range []string{"name", "country", "zone"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flag is defined above
		}
	}
	return cmd
}

// openingEvent is the event that opens a ledger; the error says what is wrong
// with its data.
func openingEvent(data *domain.LedgerOpened) (*domain.Event, error) {
	if _, err := domain.ParseCountry(string(data.HomeCountry)); err != nil {
		return nil, fmt.Errorf("--country: %w", err)
	}
	if _, err := domain.LoadZone(data.Zone); err != nil {
		return nil, fmt.Errorf("--zone: %w", err)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	event := &domain.Event{ID: id, Source: domain.Office, Type: domain.TypeLedgerOpened, Subject: "ledger", Time: time.Now().Truncate(time.Second), Data: data}
	_, err = domain.AppendEvent(nil, event)
	return event, err
}

// openLedger opens l with event, and tells whether it was open already. It is
// an error if it was opened with other data.
func openLedger(ctx context.Context, l *eventstore.Ledger, event *domain.Event) (was bool, err error) {
	line, err := domain.AppendEvent(nil, event)
	if err != nil {
		return false, err
	}
	tail, err := l.Tail(ctx)
	if err != nil {
		return false, err
	}
	first := tail == 0
	if first {
		_, err := l.AppendFirst(ctx, line)
		// The loser of a race, and who does not know, look at what is there.
		first = err == nil
		if err != nil && !errors.Is(err, eventstore.ErrNotEmpty) && !errors.Is(err, eventstore.ErrUnknownOutcome) {
			return false, err
		}
	}
	recorder, err := eventstore.NewRecorder(ctx, l, eventstore.RecorderConfig{})
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, recorder.Close()) }() // it writes the high-water file
	receipt, err := recorder.Record(ctx, line)
	if err != nil {
		return false, err
	}
	var refusal *domain.Refusal
	if !errors.As(receipt.Err(), &refusal) {
		return !first && receipt.Rulings[0].Verdict == domain.Duplicate, nil
	}
	if refusal.Code != domain.AlreadyOpen {
		return false, refusal
	}
	recorder.View(func(reg *domain.Register) {
		err = differs(reg.Opened(), event.Data.(*domain.LedgerOpened))
	})
	return true, err
}

// differs says in what the ledger that is open is another one than wanted.
func differs(is, want *domain.LedgerOpened) error {
	for _, member := range []struct{ name, is, want string }{
		{"name", is.Name, want.Name},
		{"country", string(is.HomeCountry), string(want.HomeCountry)},
		{"zone", is.Zone, want.Zone},
	} {
		if member.is != member.want {
			return fmt.Errorf("the ledger is open already, with %s %q, not %q; that cannot be changed. Try: another --dir or server for another ledger", member.name, member.is, member.want)
		}
	}
	return nil
}

// printOpened says that the ledger is open.
func (p *program) printOpened(was bool, event *domain.Event) error {
	data := event.Data.(*domain.LedgerOpened)
	if p.json {
		return print.JSON(p.out, struct {
			*openedJSON
			WasOpen bool `json:"was_open"`
		}{newOpenedJSON(data), was})
	}
	state := "is open"
	if was {
		state = "is open already"
	}
	_, err := fmt.Fprintf(p.out, "ledger %s %s · home country %s · zone %s · rules %d\n", print.Clean(data.Name), state, data.HomeCountry, data.Zone, data.Rules)
	return err
}

// openedJSON is how a ledger was opened, for programs.
type openedJSON struct {
	Name    string `json:"name"`
	Country string `json:"country"`
	Zone    string `json:"zone"`
	Rules   int    `json:"rules"`
}

func newOpenedJSON(o *domain.LedgerOpened) *openedJSON {
	return &openedJSON{o.Name, string(o.HomeCountry), o.Zone, o.Rules}
}
