// Package eventstore owns where the ledger is kept: one JetStream stream that
// nothing is ever taken out of, how entries get into it and how they are read
// back, and the recorder, which answers for what it took.
//
// It leaves to its callers which server that is and who may reach it
// (Connect, or a connection of their own; package embedded runs a server), and
// to package domain what an entry means.
//
// Where to start reading:
//
//   - connect.go, ledger.go, stream.go, status.go: reaching a server, opening the stream and refusing an unsafe one, and how it stands
//   - append.go: one entry in, durable when acknowledged
//   - read.go, ahead.go, session.go, clock.go: entries out, in order, without a gap
//   - recorder.go, door.go, queue.go, receipt.go: submissions in, receipts out
//   - subject.go, request.go, reply.go, code.go: where the recorder's service is asked and what, and what it answers; package client asks it
//   - leader.go: which server is believed
//   - mark.go, highwater.go: kept places, and seeing that the ledger never goes back
//   - bucket.go: key-value buckets beside the ledger, for those who keep what can be made again
//   - errors.go: what can go wrong, sorted by what the caller does next
//
// # Writing
//
// Submissions that arrive while one entry is being written go together into
// the next. There is no timer: a lone publisher waits for one write to disk
// and a hundred share one. Who hands in many at once says so (Recorder.Gather),
// and they go into few entries.
//
//	submission ─► door ─► queue ─► appender ─► stream ─► reader ─► receipt
//
// The door answers at once what the state read so far decides: a refusal, or
// that everything is a duplicate. The rest is appended without any
// expectation, and its receipt is the ruling that the recorder's own reader
// makes when it comes to that entry. So a receipt says what every later replay
// says. Several recorders may write to one ledger: a refusal that depends on
// what was read so far is given only after reading up to the ledger's end.
//
// An append whose outcome is unknown (no answer, connection lost) is made
// again with the same bytes until it is known; the register rules what was
// already there a duplicate, and the receipt carries its first position.
//
// # Known holes
//
// The server's sync setting cannot be asked for over the network: an external
// server must be told to sync always, or an acknowledged entry can be lost
// with the power. EntryAt trusts that no server's clock ever ran back by more
// than a minute. The stream's configuration is checked when it is opened, not
// again while it is read. The high-water file tells of a shorter ledger and of
// another last entry; that an entry before has other bytes of the same length
// and a mended checksum, only who kept a later state hash can tell. It lies
// beside the store, and where both are put back from an older copy nobody
// notices: restore the store alone.
//
// A server that puts copies of one append in another order (a cluster between
// two leaders) could refuse the first, which is answered, and accept a later
// one. It takes an outcome that was unknown twice.
package eventstore
