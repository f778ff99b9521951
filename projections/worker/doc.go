// Package worker owns keeping tables of totals current for other programs: it
// folds a ledger, publishes tables into a key-value bucket of JetStream and
// answers questions over NATS. It leaves to its caller the connection, the
// ledger and which tables; what a table says belongs to package projections.
//
//	ledger ─► fold ─┬─► tables ─► bucket ◄─► the other workers
//	                └─► answers to questions
//
// A worker needs to publish and subscribe to the subjects of its buckets and
// JetStream's, to the ledger's stream, and to totals.> as a service.
//
// # Many workers, none elected
//
// Workers are deterministic, so any number may run at once. Each watches the
// bucket, and publishes a table only over an older one: the stamp that is there
// (stamp.go) names the entry, and the write is made on the condition that the
// revision that was seen is still the last one. Who loses writes nothing. So
// what is at a key never goes back, whoever is stopped, killed or late.
//
// A table is published when its cells have changed, at most every 200 ms (and
// for at most a fifth of a worker's time); when only the entry moved, each
// second. Who published last goes first, the others a moment later, so that
// while all run there is one write where there could be many.
//
// # What stops a worker
//
// A stamp of the same entry with another state hash, or the same state with
// other cells, is a contradiction: one of the programs is wrong. A stamp whose
// entry the ledger does not hold with the same bytes says that the ledger went
// back. Either way the worker ends, and touches nothing.
//
// What a program that runs on can mend is no alarm: a server that is away, a table
// that there is no room for, a bucket whose settings would lose tables
// (BucketError). Status.Trouble says so until it is mended.
//
// # Versions
//
// Keys begin with the projection and its version (Prefix), and the key
// totals.current names the prefix that readers should follow. A new version is
// built beside the old one and takes its place by Promotion (promotion.go); for a
// second after that either may answer a question. Where somebody deletes the
// pointer, or writes what is no prefix, the workers put it back (pointer.go);
// where none of them has seen it and there are several versions, they ask for a
// person.
//
// # Who runs
//
// Workers are asked how they stand, and answer (Workers). In a second bucket each
// leaves how it stood last, so that one that was killed can be told of
// (attendance.go).
//
// # Known holes
//
// A table that is larger than the server carries is not published: its key says
// so. That a contradiction is seen for certain takes that two workers come to
// the same entry within some thousands of entries of each other. Where the
// bucket is deleted the workers make it again, and nothing tells what stood in
// it before. One that is emptied or given other settings behind its back is
// noticed within a minute, or with the next table. A worker that was cut off while
// readers were led elsewhere, and comes back when the pointer has been deleted,
// and no worker of the other version runs, puts it back to where it saw it. A
// watch of another program that was cut with its server may be silent for a
// quarter of a minute after that is back, unless it watches anew.
package worker
