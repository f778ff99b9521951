// Package client owns recording from a program of one's own: it asks the
// recorder's service over NATS, in one call, and asks again by itself for as long
// as that is safe and of use. It leaves to its caller the connection, and which
// events there are (package domain).
//
//	nc, err := nats.Connect("nats://ledger.example:4222", nats.UserCredentials("karachi.creds"),
//		nats.CustomInboxPrefix("_INBOX_karachi"))
//	…
//	c := client.New(nc, domain.Diary{Agency: "nccia", Unit: "karachi"})
//	occurred, err := domain.ParsePeriod("2025-06-03")
//	…
//	raid := &domain.Event{Subject: "0007", Data: &domain.RaidConducted{
//		Common:   domain.Common{Occurred: occurred, Place: domain.Location{Country: "PK", City: "Karachi"}},
//		Premises: domain.CallCentre,
//	}}
//	ctx, cancel := context.WithTimeout(ctx, time.Minute)
//	defer cancel()
//	receipt, err := c.RecordEvents(ctx, raid)
//	switch {
//	case errors.Is(err, eventstore.ErrUnknownOutcome):
//		// Keep raid, and record it again later: its id is in it.
//	case err != nil:
//		// Nothing was recorded; the error says what to do.
//	case receipt.Err() != nil:
//		// Refused, a *domain.Refusal: the same again is refused again, mostly.
//	default:
//		// Durable, for ever: receipt.Rulings[0].Position.
//	}
//
// The package's example is that, run.
//
// # What travels together
//
// While requests of a client are on their way, what its other callers hand in
// gathers into the next one, up to an entry's limits. Each submission still stands
// or falls alone. There is no timer: a lone caller waits for nobody. A program
// with many callers should share one Client.
//
// # What is asked again
//
// No recorder there, no connection, no answer in time, a recorder that is busy or
// does not know: the same bytes are asked again after a pause that grows to a
// second, until the caller's context ends. The register rules what was recorded
// before a duplicate, so asking again is always safe; what the retry cannot help
// (a refusal, a full disk, an alarm, no permission, a connection that was closed) is
// answered at once.
package client
