package projections

import "roznamcha/domain"

// Fates are what became of each version of every record. They take 8 bytes a
// record, and some 40 for each version that was amended.
type Fates struct {
	current []domain.Place // by record
	ended   map[domain.Place]Fate
}

// Fate is what became of a version, or of a retraction.
type Fate struct {
	// State is "stands", "corrected", "retracted" or "reinstated"; "" for a line
	// that made no version.
	State string `json:"state"`
	// By is the position of the amendment; zero where it stands.
	By domain.Position `json:"by,omitzero"`
}

// String is the state, and by what: "corrected 5:1".
func (f Fate) String() string {
	if f.By.IsZero() {
		return f.State
	}
	return f.State + " " + f.By.String()
}

// NewFates are the fates of no version.
func NewFates() *Fates { return &Fates{ended: make(map[domain.Place]Fate)} }

// Apply folds one ruling in.
func (f *Fates) Apply(r *domain.Ruled) {
	if !makesVersion(r) {
		return
	}
	for int(r.Record) >= len(f.current) {
		f.current = append(f.current, 0)
	}
	if r.Change != domain.Created {
		f.ended[f.current[r.Record]] = Fate{changeWords[r.Change], r.Position}
	}
	f.current[r.Record] = r.Position.Place()
}

// Of is what became of the version that a line made, as known after the last
// line that was applied.
func (f *Fates) Of(r *domain.Ruled) Fate {
	if !makesVersion(r) {
		return Fate{}
	}
	if fate, ok := f.ended[r.Position.Place()]; ok {
		return fate
	}
	return Fate{State: "stands"}
}

// makesVersion tells whether a line changed what stands of a record.
func makesVersion(r *domain.Ruled) bool {
	switch r.Change {
	case domain.Created, domain.Corrected, domain.Retracted, domain.Reinstated:
		return r.Verdict == domain.Accepted
	}
	return false
}
