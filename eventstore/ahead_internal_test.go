package eventstore

import (
	"context"
	"errors"
	"testing"

	"roznamcha/domain"
)

// What was handed over when the context ends, and is not visited for that, is an
// error: nobody may take it for all. The race is between its goroutines, so it is
// run often.
func TestAheadCutShortIsAnError(t *testing.T) {
	const rounds = 100
	cut := 0
	for range rounds {
		ctx, cancel := context.WithCancel(t.Context())
		visited, first := 0, make(chan struct{})
		a := startAhead(ctx, func(e domain.Entry) error {
			if visited++; visited == handfulEntries {
				close(first)
			}
			return nil
		})
		add := func(n int) (err error) {
			for i := 0; i < n && err == nil; i++ {
				err = a.add(domain.Entry{Payload: []byte("x")})
			}
			return err
		}
		if err := add(handfulEntries); err != nil {
			t.Fatal(err)
		}
		<-first
		cancel()
		err := a.end(add(handfulEntries))
		if visited == 2*handfulEntries {
			continue
		}
		cut++
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("%d of %d entries were visited, and the error is %v", visited, 2*handfulEntries, err)
		}
	}
	if t.Logf("cut short in %d of %d rounds", cut, rounds); cut == 0 {
		t.Error("it was never cut short: the test tests nothing")
	}
}
