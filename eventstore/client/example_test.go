package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/nats-io/nats.go"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/client"
	"roznamcha/eventstore/embedded"
)

// A unit's own program records a raid and what was recovered in it. Recording the
// same events again, as after a time limit, changes nothing.
func Example() {
	url, stop := exampleServer()
	defer stop()

	nc, err := nats.Connect(url)
	if err != nil {
		log.Fatal(err)
	}
	defer nc.Close()
	c := client.New(nc, domain.Diary{Agency: "nccia", Unit: "karachi"})

	occurred, err := domain.ParsePeriod("2025-06-03")
	if err != nil {
		log.Fatal(err)
	}
	amount, err := domain.ParseAmount("250000.00", "PKR", domain.Exact)
	if err != nil {
		log.Fatal(err)
	}
	common := domain.Common{Occurred: occurred, Place: domain.Location{Country: "PK", City: "Karachi"}}
	events := []*domain.Event{
		{Subject: "0007", Data: &domain.RaidConducted{Common: common, Premises: domain.CallCentre}},
		{Subject: "0007-R1", Data: &domain.RecoveryMade{Common: common, Raid: "0007", Amount: amount, Form: domain.Cash}},
	}

	for range 2 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		receipt, err := c.RecordEvents(ctx, events...)
		cancel()
		switch {
		case errors.Is(err, eventstore.ErrUnknownOutcome):
			fmt.Println("keep the events, and record them again later")
		case err != nil:
			fmt.Println("nothing was recorded:", err)
		case receipt.Err() != nil:
			fmt.Println("refused:", receipt.Err())
		}
		for _, r := range receipt.Rulings {
			fmt.Println(r.Verdict, r.Position, r.First)
		}
	}
	// Output:
	// accepted 2:1 0:0
	// accepted 2:2 0:0
	// duplicate 0:0 2:1
	// duplicate 0:0 2:2
}

// exampleServer runs what the example records in.
func exampleServer() (url string, stop func()) {
	dir, err := os.MkdirTemp("", "roznamcha")
	if err != nil {
		log.Fatal(err)
	}
	server, err := embedded.Start(dir, embedded.Options{})
	if err != nil {
		log.Fatal(err)
	}
	d, err := openDesk(context.Background(), server)
	if err != nil {
		log.Fatal(err)
	}
	if err := d.open(); err != nil {
		log.Fatal(err)
	}
	return server.URL(), func() {
		_ = d.recorder.Close()
		_ = server.Close()
		_ = os.RemoveAll(dir)
	}
}
