package projections

import (
	"roznamcha/domain"
)

// fact is what a record adds to its measure, read from its data. Its strings
// are the event's.
type fact struct {
	measure Measure
	// texts are the values of the dimensions that have at most one, as written;
	// "" or domain.NotGiven where the fact does not have the dimension. Class
	// is left to the cell.
	texts [endOfStored]string
	// own is the diary's agency where the fact names none, and is taken for its
	// agency.
	own           string
	nationalities []domain.Nationality
	offences      []string
	// happened is when it counts: when a case was registered, and when anything
	// else occurred.
	happened domain.Period
	reported domain.Period
	// quantity is a count, or minor units of the currency.
	quantity  int64
	qualifier domain.Qualifier
}

// read fills f from data, recorded in diary own; false where such a record adds
// to no total.
func (f *fact) read(data domain.Data, own domain.Diary) bool {
	m := measureOf(data.Type())
	if m == 0 {
		return false
	}
	*f = fact{measure: m, quantity: 1}
	f.readCommon(data.Shared(), own)
	switch d := data.(type) {
	case *domain.RaidConducted:
		f.texts[Premises] = string(d.Premises)
	case *domain.PersonDetained:
		f.nationalities = d.Nationality
		f.count(d.Persons)
	case *domain.ArrestMade:
		f.nationalities = d.Nationality
		f.offences = d.Offences
		f.texts[Sex] = string(d.Sex)
		f.count(d.Persons)
	case *domain.CaseRegistered:
		f.happened = d.Registered
		f.offences = d.Offences
	case *domain.LossAlleged:
		f.amount(d.Amount)
	case *domain.RecoveryMade:
		f.texts[Form] = string(d.Form)
		f.amount(d.Amount)
	case *domain.PropertySeized:
		f.amount(d.Amount)
	case *domain.PropertyForfeited:
		f.amount(d.Amount)
	}
	return true
}

// readCommon reads who acted, where and when. A unit belongs to its agency: the
// diary's unit acted only if the diary's agency did.
func (f *fact) readCommon(c *domain.Common, own domain.Diary) {
	agency, unit := c.Agency, c.Unit
	if agency == "" {
		agency, f.own = own.Agency, own.Agency
	}
	if unit == "" && agency == own.Agency {
		unit = own.Unit
	}
	f.texts[Agency] = agency
	f.texts[Unit] = unit
	f.texts[Country] = string(c.Place.Country)
	f.texts[Subdivision] = c.Place.Subdivision
	f.texts[City] = c.Place.City
	f.texts[Operation] = c.Operation
	f.happened = c.Occurred
	f.reported = c.Reported
}

func (f *fact) count(c domain.Count) {
	f.quantity, f.qualifier = c.N, c.Qualifier
}

// amount reads an amount; one that is not given is unknown.
func (f *fact) amount(a domain.Amount) {
	f.quantity, f.qualifier = a.Minor, a.Qualifier
	f.texts[Currency] = string(a.Currency)
	if a == (domain.Amount{}) {
		f.qualifier = domain.Unknown
	}
}
