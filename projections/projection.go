package projections

import "roznamcha/domain"

// Projection is a fold over rulings. Apply is handed every line of the ledger
// in order, with its ruling, from entry 1 on; what is in r is valid until Apply
// returns. One goroutine at a time may use a projection: a caller that asks
// while another applies must keep them apart.
type Projection interface {
	Apply(r *domain.Ruled)
}

// Onlooker is a projection that Replay also shows the register after every entry.
type Onlooker interface {
	Projection
	Look(reg *domain.Register)
}
