// Package embedded owns a NATS server inside this program and the data
// directory that it keeps its store in: one server to a directory, whichever
// programs want it.
//
// What is in the store is package eventstore's.
//
// # The directory
//
//	lock       held by the program that has the directory; who that is, in JSON
//	address    the token and the last port of a server that lets others in, in JSON
//	jetstream  the server's store
//
// What else is in it is its user's (the program keeps a high-water file there).
//
// The lock is the operating system's: it goes with the process, however that
// ends, so what a killed program left behind is no obstacle. The file stays
// when it is released, because a lock on a file that somebody else has removed
// would lock nobody out.
//
// A program that serves (Options.Serving) lets others in: they Dial. One that
// does not is gone in a moment, so others wait for it. Attach does whichever is
// right.
//
// # The address
//
// Who is let in knows the server's URL (Server.URL), and a program that serves
// the directory again is found there: the token is made once, and so long as
// nobody else has it the port stays too, unless another is asked for. One that
// serves nobody has neither, so that it is not mistaken for the other.
//
// A new token is made where the file address was deleted, and that is how one
// that became known is changed; the server that runs meanwhile keeps the one that
// it has. A directory that was moved, or is a copy, makes its own: what is meant
// for the one is never recorded in the other. A file that is damaged is refused
// rather than replaced, and one that others may read is closed to them.
//
// # When things go wrong
//
// Room refuses to record before the disk is full. Where something else fills it
// to the end, the server reads on and writes no more: it is restarted when there
// is room (wall.go). A store that has messages and cannot be opened is refused
// by Start, rather than that the server goes on without it.
//
// Known hole: where a disk fails at fsync and not at write, the entry that was
// on its way stands in the file and perhaps not on the disk. It is not
// acknowledged; but a server started again reads it, and so does a recorder.
// Nobody records meanwhile, and no restart is made, but a person's.
package embedded
