package projections

import (
	"maps"
	"slices"
	"strings"

	"roznamcha/domain"
)

// Memos keep which records name a memo, in a bit a record of the ledger.
type Memos struct {
	given []uint64
}

// Apply folds one ruling in.
func (m *Memos) Apply(r *domain.Ruled) {
	if r.Verdict != domain.Accepted || r.Fact == nil {
		return
	}
	switch d := r.Fact.(type) {
	case *domain.RecoveryMade:
		m.set(r.Record, d.Memo)
	case *domain.PropertySeized:
		m.set(r.Record, d.Memo)
	case *domain.PropertyForfeited:
		m.set(r.Record, d.Memo)
	}
}

// set keeps whether a record's version has a memo. One that is said not to be
// given is none.
func (m *Memos) set(record domain.RecordID, memo string) {
	word, bit := int(record/64), uint64(1)<<(record%64)
	for word >= len(m.given) {
		m.given = append(m.given, 0)
	}
	m.given[word] &^= bit
	if memo = strings.TrimSpace(memo); memo != "" && memo != domain.NotGiven {
		m.given[word] |= bit
	}
}

// has tells whether a record names a memo.
func (m *Memos) has(record domain.RecordID) bool {
	word := int(record / 64)
	return word < len(m.given) && m.given[word]&(1<<(record%64)) != 0
}

// MissingMemos are the facts that were asked about and name no memo.
type MissingMemos struct {
	Asked
	// Found are in the order in which they came to count.
	Found []MissingMemo `json:"found"`
	// Sums is what they come to, a line a currency in alphabetic order; those
	// of unknown amount and of no currency are of currency "".
	Sums []MemoSum `json:"sums"`
}

// MissingMemo is a fact that names no memo.
type MissingMemo struct {
	Finding
	// Value is a decimal string, "" where it is not known.
	Value     string          `json:"value,omitempty"`
	Qualifier string          `json:"qualifier"`
	Currency  domain.Currency `json:"currency,omitempty"`
	// Amount is all that for a person, as a cell of a table prints it.
	Amount string `json:"-"`
}

// MemoSum is what the facts of one currency come to.
type MemoSum struct {
	Currency domain.Currency `json:"currency,omitempty"`
	Facts    int             `json:"facts"`
	// Value is the sum of those that are known, a decimal string, and Unknown
	// how many are not; Lower and Approximate are the flags of the sum.
	Value       string `json:"value"`
	Unknown     int64  `json:"unknown,omitempty"`
	Lower       bool   `json:"lower,omitempty"`
	Approximate bool   `json:"approximate,omitempty"`
	// Amount is all that for a person, as a cell of a table prints it.
	Amount string `json:"-"`
}

// WithoutMemo finds the facts of a measure (Recovered, Seized or Forfeited)
// that name no memo; of matched reports of one fact, a memo that any of them
// that stands names is enough. m and reg must have read the same entries.
// Errors as in Query.
func (t *Totals) WithoutMemo(q Query, measure Measure, m *Memos, reg *domain.Register) (*MissingMemos, error) {
	a, err := t.asked(q, []Column{{Measure: measure}})
	if err != nil {
		return nil, err
	}
	out := &MissingMemos{Found: []MissingMemo{}, Sums: []MemoSum{}}
	sums := make(memoSums)
	a.each(func(n uint32, r *row) {
		for _, record := range t.reports(r.record) {
			if m.has(record) {
				return
			}
		}
		part := t.part(n, r, q.Clock)
		if sumErr := sums.add(measure, &part); sumErr != nil {
			err = sumErr
		}
		found := MissingMemo{Finding: a.finding(n, r, reg), Qualifier: part.Qualifier.String(), Currency: part.Currency, Amount: part.Cell(part.Currency.Decimals())}
		if part.Qualifier != domain.Unknown {
			found.Value = domain.FormatMinor(part.Quantity, part.Currency.Decimals())
		}
		out.Found = append(out.Found, found)
	})
	out.Asked, out.Sums = a, sums.list()
	return out, err
}

// memoSums are sums by currency.
type memoSums map[domain.Currency]*memoSum

type memoSum struct {
	domain.Sum
	facts int
}

// add adds one fact of a measure; an error where 64 bits are too few.
func (s memoSums) add(measure Measure, part *Part) error {
	one := s[part.Currency]
	if one == nil {
		one = new(memoSum)
		s[part.Currency] = one
	}
	one.facts++
	if one.Add(part.Quantity, part.Qualifier) != nil {
		return overflow(measure, string(part.Currency))
	}
	return nil
}

// list is the sums in order.
func (s memoSums) list() []MemoSum {
	list := []MemoSum{}
	for _, currency := range slices.Sorted(maps.Keys(s)) {
		one := s[currency]
		list = append(list, MemoSum{
			Currency: currency, Facts: one.facts,
			Value: domain.FormatMinor(one.Value, currency.Decimals()), Unknown: one.Unknown, Lower: one.Lower, Approximate: one.Approximate,
			Amount: one.Format(currency.Decimals()),
		})
	}
	return list
}
