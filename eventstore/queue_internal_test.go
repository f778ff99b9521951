package eventstore

import (
	"errors"
	"testing"

	"roznamcha/domain"
)

// sentBatch is a queue with one submission, sent and acknowledged as entry 2.
func sentBatch(t *testing.T) (*queue, *batch, *Pending) {
	t.Helper()
	q, p := newQueue(10, 1000), new(Pending)
	if room, err := q.add(&desk{entry: domain.Entry{Payload: []byte("line")}}, 1, p); room != nil || err != nil {
		t.Fatal(room, err)
	}
	b, _ := q.take()
	q.sending(b, []byte("line"))
	if err := q.acknowledged(b, 2); err != nil {
		t.Fatal(err)
	}
	return q, b, p
}

// An acknowledgement of a number that the reader has passed, and which was
// something else, is the alarm: numbers are given a second time.
func TestAnAcknowledgementBehindTheReader(t *testing.T) {
	q, p := newQueue(10, 1000), new(Pending)
	if room, err := q.add(&desk{entry: domain.Entry{Payload: []byte("line")}}, 1, p); room != nil || err != nil {
		t.Fatal(room, err)
	}
	b, _ := q.take()
	q.sending(b, []byte("line"))
	q.passed(Mark{Entry: 7}, nil, nil)
	var back *WentBackError
	if err := q.acknowledged(b, 6); !errors.As(err, &back) || back.Had != 6 {
		t.Errorf("got %v", err)
	}
}

// A receipt that was given out stays as it is when a copy of its entry comes
// later.
func TestAReceiptStays(t *testing.T) {
	q, b, p := sentBatch(t)
	q.passed(Mark{Entry: 2}, b, []LineRuling{{Ruling: domain.Ruling{Verdict: domain.Accepted}}})
	q.passed(Mark{Entry: 3}, b, []LineRuling{{Ruling: domain.Ruling{Verdict: domain.Duplicate}}})
	receipt, err := p.receipt()
	if err != nil || receipt.Rulings[0].Verdict != domain.Accepted {
		t.Errorf("receipt %v, %v", receipt, err)
	}
	if q.lines != 0 || q.bytes != 0 {
		t.Errorf("%d lines and %d bytes are left in an empty queue", q.lines, q.bytes)
	}
}

// An entry number that was acknowledged for other bytes is the alarm.
func TestAnAcknowledgedNumberHasItsBytes(t *testing.T) {
	q, b, _ := sentBatch(t)
	if got, err := q.match(domain.Entry{Number: 2, Subject: domain.EntrySubject, Payload: []byte("line")}); got != b || err != nil {
		t.Errorf("its own entry: %v, %v", got, err)
	}
	var back *WentBackError
	if _, err := q.match(domain.Entry{Number: 2, Subject: domain.EntrySubject, Payload: []byte("other")}); !errors.As(err, &back) {
		t.Errorf("another entry under its number: %v, want the alarm", err)
	}
}
