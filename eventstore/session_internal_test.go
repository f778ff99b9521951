package eventstore

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// TestParseMessage has both forms of the reply subject, as in the servers' ADR
// 15; the tests on a server see the first only.
func TestParseMessage(t *testing.T) {
	at := time.Date(2026, 11, 22, 16, 20, 31, 7, time.UTC)
	for _, reply := range []string{
		"$JS.ACK.LEDGER.abc.1.42.7.1795364431000000007.9",
		"$JS.ACK._.accounthash.LEDGER.abc.1.42.7.1795364431000000007.9",
		"$JS.ACK.domain.accounthash.LEDGER.abc.1.42.7.1795364431000000007.9.random",
		"$JS.ACK.domain.accounthash.LEDGER.abc.1.42.7.1795364431000000007.9.ran.dom.and.more",
	} {
		m, err := parseMessage(&nats.Msg{Reply: reply})
		if err != nil || m.entry != 42 || !m.time.Equal(at) {
			t.Errorf("%s: got entry %d, %v, %v", reply, m.entry, m.time, err)
		}
	}
	for _, reply := range []string{"", "_INBOX.a.b", "$JS.ACK.LEDGER.abc.1.42.7.1795364431000000007", "$JS.ACK.LEDGER.abc.1.x.7.1795364431000000007.9", "........", "..............."} {
		if m, err := parseMessage(&nats.Msg{Reply: reply}); err == nil {
			t.Errorf("%q: got %+v, want an error", reply, m)
		}
	}
}

// TestRecordedNeverRunsBack: no server in these tests has a clock that does, so
// the times are made up.
func TestRecordedNeverRunsBack(t *testing.T) {
	at := func(second int) time.Time { return time.Unix(int64(second), 0).UTC() }
	p := place{next: 1, recorded: at(5)}
	for i, test := range []struct{ server, want int }{{4, 5}, {10, 10}, {8, 10}, {10, 10}, {12, 12}} {
		if e := p.entry(message{entry: uint64(i + 1), time: at(test.server), msg: new(nats.Msg)}); !e.Recorded.Equal(at(test.want)) {
			t.Errorf("entry %d at second %d: recorded %v, want second %d", e.Number, test.server, e.Recorded, test.want)
		}
	}
}
