package bench

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"time"

	"roznamcha/domain"
)

// firstDay is the day on which, and in the years after, everything here happens.
var firstDay = time.Date(2019, 1, 1, 9, 0, 0, 0, time.FixedZone("", 5*60*60))

// facts are what arrests can say, made once so that publishing spends no time
// on it.
type facts []struct {
	// tail is the line from the end of the subject on.
	tail    string
	persons int64
}

// manyFacts is how many there are: enough that no two neighbours are alike.
const manyFacts = 4096

// newFacts draws arrests from a seed: days of six years, ten cities, twelve
// nationalities; the line of one has about 320 bytes.
func newFacts(seed uint64) facts {
	places := []domain.Location{
		{Country: "PK", Subdivision: "Sindh", City: "Karachi"},
		{Country: "PK", Subdivision: "Punjab", City: "Lahore"},
		{Country: "PK", Subdivision: "Islamabad", City: "Islamabad"},
		{Country: "PK", Subdivision: "Punjab", City: "Rawalpindi"},
		{Country: "PK", Subdivision: "Punjab", City: "Faisalabad"},
		{Country: "PK", Subdivision: "Punjab", City: "Multan"},
		{Country: "PK", Subdivision: "Khyber Pakhtunkhwa", City: "Peshawar"},
		{Country: "PK", Subdivision: "Balochistan", City: "Quetta"},
		{Country: "PK", Subdivision: "Sindh", City: "Hyderabad"},
		{Country: "PK", Subdivision: "Punjab", City: "Sialkot"},
	}
	nationalities := []domain.Nationality{"PK", "CN", "NG", "PH", "BD", "LK", "MM", "ZW", "IN", "AF", "IR", "TR"}
	random := rand.New(rand.NewPCG(seed, 1))
	all := make(facts, manyFacts)
	for i := range all {
		at := firstDay.Add(time.Duration(random.IntN(6*365*24)) * time.Hour)
		day, err := domain.ParsePeriod(at.Format(time.DateOnly))
		if err != nil {
			panic(err) // the layout is the grammar's
		}
		arrest := &domain.ArrestMade{
			Common:      domain.Common{Occurred: day, Place: places[random.IntN(len(places))]},
			Persons:     domain.Count{N: 1 + int64(random.IntN(9))},
			Nationality: []domain.Nationality{nationalities[random.IntN(len(nationalities))]},
			Sex:         []domain.Sex{domain.Male, domain.Female}[random.IntN(2)],
		}
		tail := at.Add(8*time.Hour).AppendFormat([]byte(`","time":"`), time.RFC3339)
		tail = domain.AppendData(append(tail, `","data":`...), arrest)
		all[i].tail, all[i].persons = string(append(tail, '}')), arrest.Persons.N
	}
	return all
}

// meanBytes is how long a line is in the mean.
func (f facts) meanBytes() float64 {
	size := 0
	for i := range f {
		size += len(f[i].tail)
	}
	w := newWriter(f, 0)
	line, _ := w.next(nil)
	head := len(line) - len(f[mix(1)%manyFacts].tail)
	return float64(head) + float64(size)/float64(len(f))
}

// writer writes the events of one diary: arrests, each a record of its own with
// an id of its own. One goroutine uses it at a time.
type writer struct {
	diary domain.Diary
	facts facts
	// middle stands between id and the number in the subject.
	middle string
	// number is of this writer among all of the run, written of its events.
	number, written uint64

	// published is what of it was answered accepted.
	published
}

// published is how many events were, and what they add up to.
type published struct {
	events  int
	persons int64
}

func newWriter(f facts, number int) *writer {
	d := domain.Diary{Agency: fmt.Sprintf("agency-%02d", number%16), Unit: fmt.Sprintf("unit-%04d", number)}
	return &writer{
		diary:  d,
		facts:  f,
		middle: `","source":"` + d.String() + `","type":"` + domain.TypeArrestMade.String() + `","subject":"`,
		number: uint64(number),
	}
}

// next appends the line of the next event to dst; persons is what it adds.
func (w *writer) next(dst []byte) (line []byte, persons int64) {
	w.written++
	dst = append(dst, `{"specversion":"1.0","id":"`...)
	dst = appendID(dst, w.number, w.written)
	dst = append(dst, w.middle...)
	dst = appendNumber(dst, w.written)
	fact := &w.facts[mix(w.number<<40|w.written)%manyFacts]
	return append(dst, fact.tail...), fact.persons
}

// submission appends so many lines to dst, LF between.
func (w *writer) submission(dst []byte, events int) (lines []byte, persons int64) {
	for i := range events {
		if i > 0 {
			dst = append(dst, '\n')
		}
		var more int64
		dst, more = w.next(dst)
		persons += more
	}
	return dst, persons
}

// accept notes that so many events of so many persons were ruled accepted.
func (w *writer) accept(events int, persons int64) {
	w.events += events
	w.persons += persons
}

func newWriters(f facts, n int) []*writer {
	all := make([]*writer, n)
	for i := range all {
		all[i] = newWriter(f, i)
	}
	return all
}

// sumOf is what all of them have published.
func sumOf(writers []*writer) (all published) {
	for _, w := range writers {
		all.events += w.events
		all.persons += w.persons
	}
	return all
}

// appendID appends a UUID of version 7: a time that moves on with each event of
// the diary, and bits that look random and are no other event's.
func appendID(dst []byte, writer, event uint64) []byte {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], (uint64(firstDay.UnixMilli())+event)<<16|0x7000|writer>>12&0xfff)
	binary.BigEndian.PutUint64(id[8:], mix(writer<<40|event)>>2|1<<63)
	var text [36]byte
	hex.Encode(text[:], id[:4])
	hex.Encode(text[9:], id[4:6])
	hex.Encode(text[14:], id[6:8])
	hex.Encode(text[19:], id[8:10])
	hex.Encode(text[24:], id[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return append(dst, text[:]...)
}

// appendNumber appends n with at least eight digits.
func appendNumber(dst []byte, n uint64) []byte {
	if n >= 1e8 {
		return fmt.Append(dst, n)
	}
	var digits [8]byte
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i], n = '0'+byte(n%10), n/10
	}
	return append(dst, digits[:]...)
}

// mix scatters n over all 64 bits, no two alike (the finaliser of SplitMix64,
// Steele, Lea and Flood 2014).
func mix(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// opening is the event that opens the ledgers that are measured.
func opening() ([]byte, error) {
	e := &domain.Event{
		Source: domain.Office, Type: domain.TypeLedgerOpened, Subject: "bench", Time: firstDay,
		Data: &domain.LedgerOpened{Name: "bench", HomeCountry: "PK", Zone: "Asia/Karachi", Rules: domain.RulesVersion},
	}
	copy(e.ID[:], "roznamcha bench.")
	e.ID[6], e.ID[8] = 0x40|e.ID[6]&0x0f, 0x80|e.ID[8]&0x3f
	return domain.AppendEvent(nil, e)
}
