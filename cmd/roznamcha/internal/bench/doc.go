// Package bench owns the measurements of what the ledger does: how fast events
// are recorded and replayed, each beside what the server alone does with the
// same bytes, in the same run and the same sync mode, in turns; how fast they
// are caught up on, and what they take on disk and in memory. It leaves to its
// caller how the figures are printed, and gives no verdict on them.
//
// Everything runs in this process and shares its cores: servers, recorder,
// service, publishers. A publisher waits for its receipt and looks at the
// ruling; what was recorded is replayed at the end and must be what was
// published, to the person, or there are no figures at all.
//
// Where to start reading:
//
//   - run.go: the order of things, and the names of all measurements
//   - result.go: what comes out
//   - append.go: single events by many publishers; bulk submissions
//   - replay.go, start.go: reading what is there
//   - event.go: the events, the same for a seed on every machine
//   - server.go, machine.go: where it runs
package bench
