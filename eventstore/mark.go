package eventstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Mark is a kept place: an entry, and the SHA-256 of its payload, so that the
// same number in a ledger that went back is not taken for it. The zero Mark is
// the place before the first entry. In JSON it is
// {"entry":12,"sha256":"64 small hexadecimal digits"}.
type Mark struct {
	Entry uint64
	Hash  [sha256.Size]byte
}

// IsZero tells whether m is before the first entry.
func (m Mark) IsZero() bool { return m == Mark{} }

type markJSON struct {
	Entry  uint64 `json:"entry"`
	SHA256 string `json:"sha256"`
}

// MarshalJSON writes the form above.
func (m Mark) MarshalJSON() ([]byte, error) {
	return json.Marshal(markJSON{m.Entry, hex.EncodeToString(m.Hash[:])})
}

// UnmarshalJSON reads the form above.
func (m *Mark) UnmarshalJSON(b []byte) error {
	var in markJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	hash, err := hex.DecodeString(in.SHA256)
	if err != nil || len(hash) != sha256.Size || in.Entry == 0 {
		return fmt.Errorf("%s is no kept place: want an entry's number and its SHA-256", clip(b))
	}
	*m = Mark{Entry: in.Entry, Hash: [sha256.Size]byte(hash)}
	return nil
}

// clip is the beginning of b, for a message.
func clip(b []byte) []byte { return b[:min(len(b), 200)] }

// Holds tells whether the ledger has everything up to m, and m itself as it
// was: *GapError or *WentBackError where not. It asks the server, and reads the
// one entry; that those before have the same bytes only a replay tells.
func (l *Ledger) Holds(ctx context.Context, m Mark) error {
	if err := l.checkStands(ctx, m.Entry+1); err != nil || m.IsZero() {
		return err
	}
	return persist(ctx, func() (further bool, err error) {
		return false, l.session(ctx, start{entry: m.Entry}, func(found message) error {
			switch {
			case found.entry != m.Entry:
				return &GapError{m.Entry, found.entry}
			case sha256.Sum256(found.msg.Data) != m.Hash:
				return &WentBackError{m.Entry, m.Entry}
			}
			return errDone
		})
	})
}
