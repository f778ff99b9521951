package worker

import (
	"fmt"
)

// ContradictionError is the alarm that two workers say different things of the
// same entry. Stop: one of the programs is wrong.
type ContradictionError struct {
	Key   string
	Entry uint64
	// What differs: "state", or "value" where only the table does.
	What string
	// Theirs is its hash as kept at the key, Ours as this worker has it, in
	// hexadecimal.
	Theirs, Ours string
}

func (e *ContradictionError) Error() string {
	return fmt.Sprintf("key %s contradicts this worker: at entry %d its %s hashes to %.12s…, and here to %.12s…. Try: compare the programs of the workers (they must be of one build, or of different versions); then delete what is wrong with nats kv del %s %s",
		e.Key, e.Entry, e.What, e.Theirs, e.Ours, Bucket, e.Key)
}

// OtherQuestionError says that a key holds the answer to another question.
type OtherQuestionError struct{ Key string }

func (e *OtherQuestionError) Error() string {
	return fmt.Sprintf("key %s holds the answer to another question. Try: another name for this table; or, where nobody reads that one any more, nats kv del %s %s", e.Key, Bucket, e.Key)
}
