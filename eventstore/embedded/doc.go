// Package embedded owns a NATS server inside this program and the data
// directory that it keeps its store in: one server to a directory, whichever
// programs want it.
//
// What is in the store is package eventstore's.
//
// # The directory
//
//	lock       held by the program that has the directory; who that is, in JSON
//	jetstream  the server's store
//
// The lock is the operating system's: it goes with the process, however that
// ends, so what a killed program left behind is no obstacle. The file stays
// when it is released, because a lock on a file that somebody else has removed
// would lock nobody out.
//
// A program that serves (Options.Serving) lets others in: they Dial. One that
// does not is gone in a moment, so others wait for it. Attach does whichever is
// right.
package embedded
