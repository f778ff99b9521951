// Package domain owns what the ledger means: the events, the values they are
// made of, the line they are written in, and the register that rules on them.
//
// It leaves to its callers everything that touches the world. There is no
// NATS here, no clock, no randomness and no input or output: the same lines in
// the same order give the same rulings and the same hash on every machine.
//
// Where to start reading:
//
//   - event.go: the catalogue, one Go struct per event type
//   - period.go, amount.go, country.go: the values and their grammar
//   - decode.go, encode.go: the line, strict in and canonical out
//   - register.go: the state machine that decides
//   - code.go: every reason for which a line is refused, and its cure
package domain
