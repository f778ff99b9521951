// Package schema owns what publishers build against: the JSON Schema of every
// event type, a tested example of each, every code that an answer can carry,
// and the AsyncAPI document of the recorder's service.
//
// It makes them from the catalogue (domain.Describe) and keeps nothing of it a
// second time. What it adds is prose (words.go), the rules of a type that no
// single member shows (beyond in event.go) and the examples (examples.jsonl,
// which in their order are a small ledger). Tests hold all of it against
// domain.Decode, a register and a running service, in both directions.
//
// The schemas keep to what draft 2020-12 and draft 07 of JSON Schema read
// alike, but for $defs: AsyncAPI 3.0 has the older one.
package schema
