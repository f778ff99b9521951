package projections

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"roznamcha/domain"
)

// alikes follow which records look alike in two diaries. Two records do where
//
//   - they are of one type, and that type adds to a total;
//   - they happened (a case: was registered) on one and the same single day;
//   - they name one city or, where neither names one, one subdivision, in one
//     country; a country that is not given is the ledger's own, and letter
//     case is not looked at.
//
// What else they say may differ: two stations that tell of one raid do not
// count alike. It is an offer, so it takes a record with one other at a time:
// a record looks like the first of another diary that has not been offered to
// its own diary yet, nor been matched with a record of it. So there are never
// more offers than records, every one of them can be taken as it stands, and
// two diaries that told of twenty alike actions are offered twenty matches and
// not four hundred. Where one diary tells of more than the other, the rest
// waits: it is offered as soon as an offer falls away. Where several records lose
// an offer to one line, they look again in the order in which they began to look
// as they do, each in its diaries by who told first.
//
// A record takes 16 bytes, a day, place, type and diary about 60, and an open
// offer some 200.
type alikes struct {
	home   domain.Country
	places map[alikePlace]uint32
	texts  []string // of places
	groups map[alikeKey]uint32
	// buckets by number; slots by number; 0 is none.
	buckets []alikeBucket
	slots   []alikeSlot
	slotOf  []uint32 // by record
	// from is where to look in a bucket for what is free for a diary: nothing
	// before that slot is.
	from map[bucketFor]uint32
	// offers are the open ones, by each of their two records.
	offers map[uint32][]offer
	// matched are the records that are one action, by each of them.
	matched map[uint32]*[]uint32
	// details are what is told of those that look alike, by what they have in
	// common.
	details map[alikeKey]uint32
}

// alikePlace is a city or else a subdivision, as it is compared.
type alikePlace struct {
	country domain.Country
	name    string
	city    bool
}

// alikeKey is what records that look alike have in common.
type alikeKey struct {
	place uint32
	day   domain.Day
	typ   domain.Type
}

// alikeBucket is what one diary has told under a key.
type alikeBucket struct {
	key         alikeKey
	diary       uint32 // the family of its records' names
	next        uint32 // the next diary's bucket of the key
	first, last uint32 // slots
}

// alikeSlot is a record's place in a bucket. A record that left its bucket
// leaves its slot behind.
type alikeSlot struct{ record, bucket, next uint32 }

// bucketFor is a bucket as a diary sees it.
type bucketFor struct{ bucket, diary uint32 }

// offer is an open exception, seen from one of its two records.
type offer struct {
	other     uint32
	exception int
}

func newAlikes() *alikes {
	return &alikes{
		places:  make(map[alikePlace]uint32),
		groups:  make(map[alikeKey]uint32),
		buckets: make([]alikeBucket, 1),
		slots:   make([]alikeSlot, 1),
		from:    make(map[bucketFor]uint32),
		offers:  make(map[uint32][]offer),
		matched: make(map[uint32]*[]uint32),
		details: make(map[alikeKey]uint32),
	}
}

// key is what r's fact has in common with those that look like it; false where
// it is too vague for that.
func (x *Exceptions) alikeKey(r *domain.Ruled) (k alikeKey, ok bool) {
	common := r.Fact.Shared()
	happened := common.Occurred
	if c, isCase := r.Fact.(*domain.CaseRegistered); isCase {
		happened = c.Registered
	}
	if happened.IsZero() {
		return k, false
	}
	from, to := happened.Days(x.zone)
	place := alikePlace{country: common.Place.Country, name: common.Place.City, city: true}
	if place.name == "" || place.name == domain.NotGiven {
		place.name, place.city = common.Place.Subdivision, false
	}
	if from != to || place.name == "" || place.name == domain.NotGiven {
		return k, false
	}
	return alikeKey{x.alikes.place(place), from, r.Fact.Type()}, true
}

// place is the number of p.
func (a *alikes) place(p alikePlace) uint32 {
	text := p.name
	p.name = folded(text)
	if p.country == "" {
		p.country = a.home
	}
	n, ok := a.places[p]
	if !ok {
		n = uint32(len(a.texts))
		p.name, p.country = strings.Clone(p.name), domain.Country(strings.Clone(string(p.country)))
		a.texts = append(a.texts, strings.Clone(text))
		a.places[p] = n
	}
	return n
}

// folded is a name of a place as it is compared: white space around it, letter
// case and how letters are composed are not looked at.
func folded(name string) string { return strings.ToLower(normalise(name)) }

// look finds a record's new version a bucket, the one that it is in if that
// still fits.
func (x *Exceptions) look(record uint32, r *domain.Ruled, place domain.Place) {
	key, ok := x.alikeKey(r)
	if was := x.alikes.bucketOf(record); was != 0 {
		if ok && x.alikes.buckets[was].key == key {
			return
		}
		x.leave(record, place)
	}
	if ok {
		x.alikes.enter(record, x.alikes.bucket(key, x.names.rows[record].family))
	}
	x.retell(record, place)
	if ok {
		x.seek(record, place)
	}
}

// vanish lets a record that was retracted look like none.
func (x *Exceptions) vanish(record uint32, place domain.Place) {
	x.leave(record, place)
	diary := x.names.rows[record].family
	x.alikes.reopen(record, diary)
	free := make(map[uint32][]uint32)
	for _, m := range x.alikes.group(record) { // the diary tells of it no more
		if m != record && x.alikes.bucketOf(m) != 0 {
			free[m] = []uint32{diary}
		}
	}
	x.seekAgain(free, place)
}

// leave takes a record out of its bucket, and its offers back.
func (x *Exceptions) leave(record uint32, place domain.Place) {
	a := x.alikes
	if a.bucketOf(record) == 0 {
		return
	}
	a.slotOf[record] = 0
	free := make(map[uint32][]uint32)
	for _, o := range slices.Clone(a.offers[record]) {
		x.withdraw(record, o, place)
		a.free(free, o.other, x.names.rows[record].family)
		a.free(free, record, x.names.rows[o.other].family)
	}
	x.seekAgain(free, place)
}

// match takes back what is no offer any more once two records are one action.
func (x *Exceptions) match(one, other uint32, place domain.Place) {
	x.alikes.unite(one, other)
	x.retell(one, place)
}

// retell takes back what was offered to any of the records that are one action
// with record, by a diary that has told of it already.
func (x *Exceptions) retell(record uint32, place domain.Place) {
	a := x.alikes
	group := a.group(record)
	if len(group) < 2 {
		return
	}
	free := make(map[uint32][]uint32)
	for _, m := range group {
		for _, o := range slices.Clone(a.offers[m]) {
			if x.tells(group, x.names.rows[o.other].family) {
				x.withdraw(m, o, place)
				if !slices.Contains(group, o.other) {
					a.free(free, o.other, x.names.rows[m].family)
				}
			}
		}
	}
	x.seekAgain(free, place)
}

// free notes that a diary is free again for a record, and for those that are the
// same, which its offer had kept from looking there.
func (a *alikes) free(free map[uint32][]uint32, record, diary uint32) {
	for _, m := range a.group(record) {
		if a.bucketOf(m) != 0 {
			free[m] = append(free[m], diary)
		}
	}
}

// tells tells whether one of the group stands in a diary.
func (x *Exceptions) tells(group []uint32, diary uint32) bool {
	return slices.ContainsFunc(group, func(m uint32) bool {
		return x.names.rows[m].family == diary && x.links.node(m).state == standing
	})
}

// taken tells whether a record has been offered to a diary, or told by it,
// itself or as one of those that are the same.
func (x *Exceptions) taken(record, diary uint32) bool {
	group := x.alikes.group(record)
	return x.tells(group, diary) || slices.ContainsFunc(group, func(m uint32) bool {
		return slices.ContainsFunc(x.alikes.offers[m], func(o offer) bool { return x.names.rows[o.other].family == diary })
	})
}

// seek offers a record to the first diary that has one free for it.
func (x *Exceptions) seek(record uint32, place domain.Place) {
	a := x.alikes
	own := &a.buckets[a.bucketOf(record)]
	for b := a.groups[own.key]; b != 0; b = a.buckets[b].next {
		if a.buckets[b].diary != own.diary && x.take(record, b, place) {
			return
		}
	}
}

// seekAgain lets records look again in the diaries that are free for them: the
// record first that began first to look as it does, in the diary first that told
// first. One that is left without any offer looks in all others.
func (x *Exceptions) seekAgain(free map[uint32][]uint32, place domain.Place) {
	a := x.alikes
	first := func(one, other uint32) int { return cmp.Compare(a.slotOf[one], a.slotOf[other]) }
	for _, record := range slices.SortedFunc(maps.Keys(free), first) {
		key := a.buckets[a.bucketOf(record)].key
		for b := a.groups[key]; b != 0; b = a.buckets[b].next {
			if slices.Contains(free[record], a.buckets[b].diary) {
				x.take(record, b, place)
			}
		}
		if len(a.offers[record]) == 0 {
			x.seek(record, place)
		}
	}
}

// take offers a record the first of a bucket that is free for it.
func (x *Exceptions) take(record, bucket uint32, place domain.Place) bool {
	a := x.alikes
	if x.taken(record, a.buckets[bucket].diary) {
		return false
	}
	seen := bucketFor{bucket, x.names.rows[record].family}
	at := a.from[seen]
	if at == 0 {
		at = a.buckets[bucket].first
	}
	for ; ; at = a.slots[at].next {
		a.from[seen] = at
		found := a.slots[at].record
		if a.slotOf[found] == at && !x.taken(found, seen.diary) {
			x.offer(record, found, place)
			return true
		}
		if a.slots[at].next == 0 {
			return false
		}
	}
}

// offer raises the exception that two records look alike, on the one that was
// told later.
func (x *Exceptions) offer(one, other uint32, place domain.Place) {
	a := x.alikes
	if a.slotOf[one] < a.slotOf[other] {
		one, other = other, one
	}
	key := a.buckets[a.bucketOf(one)].key
	row := exceptionRow{opened: place, record: one, link: other, exceptionSort: exceptionSort{kind: LookAlike}}
	row.detail = x.alikeDetail(key)
	i := x.raise(row, nil)
	a.offers[one] = append(a.offers[one], offer{other, i})
	a.offers[other] = append(a.offers[other], offer{one, i})
}

// alikeDetail is the number of the detail of all that look alike under a key.
func (x *Exceptions) alikeDetail(key alikeKey) uint32 {
	n, ok := x.alikes.details[key]
	if !ok {
		n = uint32(len(x.details))
		x.details = append(x.details, "both on "+key.day.String()+" in "+x.alikes.texts[key.place])
		x.alikes.details[key] = n
	}
	return n
}

// withdraw settles an offer; both diaries may look at both records again.
func (x *Exceptions) withdraw(record uint32, o offer, place domain.Place) {
	a := x.alikes
	x.settle(o.exception, place)
	a.forget(record, o.exception)
	a.forget(o.other, o.exception)
	a.reopen(record, x.names.rows[o.other].family)
	a.reopen(o.other, x.names.rows[record].family)
}

// reopen lets a diary look again at all of the buckets of a record and of those
// that are the same.
func (a *alikes) reopen(record, diary uint32) {
	for _, m := range a.group(record) {
		delete(a.from, bucketFor{a.bucketOf(m), diary})
	}
}

func (a *alikes) forget(record uint32, exception int) {
	left := slices.DeleteFunc(a.offers[record], func(o offer) bool { return o.exception == exception })
	if len(left) == 0 {
		delete(a.offers, record)
	} else {
		a.offers[record] = left
	}
}

// bucketOf is the bucket that a record is in.
func (a *alikes) bucketOf(record uint32) uint32 {
	if int(record) >= len(a.slotOf) {
		return 0
	}
	return a.slots[a.slotOf[record]].bucket
}

// bucket is that of a diary under a key.
func (a *alikes) bucket(key alikeKey, diary uint32) uint32 {
	last := uint32(0)
	for b := a.groups[key]; b != 0; b = a.buckets[b].next {
		if a.buckets[b].diary == diary {
			return b
		}
		last = b
	}
	b := uint32(len(a.buckets))
	a.buckets = append(a.buckets, alikeBucket{key: key, diary: diary})
	if last == 0 {
		a.groups[key] = b
	} else {
		a.buckets[last].next = b
	}
	return b
}

// enter puts a record at the end of a bucket.
func (a *alikes) enter(record, bucket uint32) {
	for int(record) >= len(a.slotOf) {
		a.slotOf = append(a.slotOf, 0)
	}
	at := uint32(len(a.slots))
	a.slots = append(a.slots, alikeSlot{record: record, bucket: bucket})
	a.slotOf[record] = at
	if b := &a.buckets[bucket]; b.first == 0 {
		b.first, b.last = at, at
	} else {
		a.slots[b.last].next, b.last = at, at
	}
}

// group is record and what was matched with it.
func (a *alikes) group(record uint32) []uint32 {
	if g := a.matched[record]; g != nil {
		return *g
	}
	return []uint32{record}
}

// unite makes one action of two records and all that they were matched with.
func (a *alikes) unite(one, other uint32) {
	group := a.group(one)
	if slices.Contains(group, other) {
		return
	}
	group = append(slices.Clone(group), a.group(other)...)
	for _, m := range group {
		a.matched[m] = &group
	}
}
