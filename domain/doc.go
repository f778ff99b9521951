// Package domain owns what the ledger means: the events, the values they are
// made of, the line they are written in, and the register that rules on them.
//
// It leaves to its callers everything that touches the world. There is no
// NATS here, no clock, no randomness and no input or output: the same lines in
// the same order give the same rulings and the same hash on every machine.
//
// Where to start reading:
//
//   - event.go: the events, one Go struct per type; catalogue.go: their members
//   - period.go, amount.go, count.go, country.go, sum.go: values, their grammar
//     and how they add up
//   - scan.go, codec.go, decode.go, encode.go: the line, strict in and
//     canonical out; latest.go: what lines repeat; entry.go: many of them
//   - register.go, rules.go: the state machine that decides
//   - snapshot.go: the register in pieces that can be kept and read back, which
//     package piece writes and reads
//   - shape.go: what values look like, for those who do not decode
//   - ruling.go, code.go: what it decides, every reason for a refusal, its cure
package domain
