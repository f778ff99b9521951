package projections

import (
	"roznamcha/domain"
	"roznamcha/domain/piece"
)

// amendmentsVersion is as totalsLayout.
const amendmentsVersion = 1

func (a *Amendments) keptAs() (string, int) { return "amendments", amendmentsVersion }

func (a *Amendments) reset() { *a = *NewAmendments() }

func (a *Amendments) join(*domain.Register) error { return nil }

// snapshot: amendments only grow at their end, so nothing is held.
func (a *Amendments) snapshot() keptPart {
	series := a.series(0)
	return &inSeries{small: piece.AppendLens(nil, series), series: series}
}

func (a *Amendments) restore(from source, records int) error {
	return readSeries(from, a.series(uint32(records)), func(*piece.Reader) {})
}

// series are the words and the amendments; records is how many the register has,
// for what is read.
func (a *Amendments) series(records uint32) []piece.Series {
	all := a.all
	return []piece.Series{
		piece.Texts(a.words.all, a.words.add),
		{
			Len: len(all), Each: eachPiece,
			Append: func(dst []byte, from, to int) []byte {
				for i := range all[from:to] {
					one := &all[from+i]
					dst = appendColumn(appendPlaces(dst, []domain.Place{one.at}), []domain.RecordID{one.record, one.sameAs})
					dst = append(appendColumn(dst, []uint32{one.source, one.reason, one.authority}), byte(one.kind))
				}
				return dst
			},
			Read: func(in *piece.Reader, from, to int) {
				for range to - from {
					one := amended{
						at: domain.Place(in.Uint64()), record: domain.RecordID(in.Uint32()), sameAs: domain.RecordID(in.Uint32()),
						source: in.Uint32(), reason: in.Uint32(), authority: in.Uint32(), kind: ChangeKind(in.Uint8()),
					}
					if !a.holds(&one, domain.RecordID(records)) {
						in.Fail(errNowhere)
						return
					}
					a.all = append(a.all, one)
				}
			},
		},
	}
}

// holds tells whether one has words that are there, and names records below an
// end.
func (a *Amendments) holds(one *amended, end domain.RecordID) bool {
	words := uint32(len(a.words.all))
	there := func(record domain.RecordID) bool { return record < end || record == domain.NoRecord }
	return max(one.source, one.reason, one.authority) < words && one.kind < endOfChangeKinds && there(one.record) && there(one.sameAs)
}
