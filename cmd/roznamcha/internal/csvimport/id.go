package csvimport

import (
	"crypto/sha1"

	"github.com/google/uuid"
)

// Namespace is the namespace of the ids of imported events (RFC 9562, section
// 5.5). It is part of the recipe and never changes.
var Namespace = uuid.MustParse("3ee08c7c-7fbe-4fd4-bd55-9b42e5fd595d")

// idMaker makes the ids of imported events: UUIDs of version 5 over
//
//	dataset 0x00 key 0x00 event
//
// where dataset and event are names that the mapping gives, and key is the
// row's key, or that of the record which is taken once. No part can hold a NUL,
// so no two triples have the same name. The same row gives the same id on every
// machine, which is why importing a file again adds nothing.
type idMaker struct {
	name   []byte // reused; begins with the namespace and the dataset
	prefix int
}

func newIDMaker(dataset string) idMaker {
	name := append(append(Namespace[:len(Namespace):len(Namespace)], dataset...), 0)
	return idMaker{name, len(name)}
}

// make is uuid.NewSHA1(Namespace, …) without its allocations.
func (m *idMaker) make(key, event string) uuid.UUID {
	m.name = append(append(append(m.name[:m.prefix], key...), 0), event...)
	sum := sha1.Sum(m.name)
	id := uuid.UUID(sum[:16])
	id[6] = id[6]&0x0f | 0x50 // version 5
	id[8] = id[8]&0x3f | 0x80 // the variant of RFC 9562
	return id
}
