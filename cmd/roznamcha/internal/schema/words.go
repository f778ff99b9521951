package schema

import "roznamcha/domain"

// typeWords say what happened where an event of a type is recorded.
var typeWords = map[domain.Type]string{
	domain.TypeLedgerOpened:      "The ledger was opened: its first event, only from /ledger/office. roznamcha open writes it.",
	domain.TypeRaidConducted:     "A raid was conducted. Counts one raid.",
	domain.TypePersonDetained:    "Persons were held without arrest. Counts them.",
	domain.TypeArrestMade:        "Persons were arrested. Counts them, as national, foreign or unknown.",
	domain.TypeCaseRegistered:    "A case (FIR) was registered. Counts one case, by registered.",
	domain.TypeLossAlleged:       "What victims are said to have lost. One a case and currency; a new estimate amends it.",
	domain.TypeRecoveryMade:      "Money or worth was recovered.",
	domain.TypePropertySeized:    "An item was seized.",
	domain.TypePropertyForfeited: "A court took an item for good.",
	domain.TypeFigurePublished:   "A claim: a figure that somebody published. It adds to no total and cannot be amended, only contradicted by another.",
	domain.TypeAgencySucceeded:   "An agency took over from another. Only from /ledger/office.",
	domain.TypeRecordCorrected:   "A record is corrected: all its data are replaced, and the old reading stays in the ledger. One that amends a retraction brings the record back.",
	domain.TypeRecordRetracted:   "A record is retracted: out of the totals from here on.",
	domain.TypeRecordLinked:      "A record is tied to another, such as an arrest to its later FIR. Adds to no total.",
	domain.TypeRecordUnlinked:    "A link is taken back.",
	domain.TypeRecordMatched:     "Two records in two diaries are one action. Both stay; the one recorded first counts.",
}

// dataWords say of the data of a type what its schema cannot.
var dataWords = map[domain.Type]string{
	domain.TypeFigurePublished: "Has either a value or an amount; the qualifier stands beside it.",
	domain.TypeAgencySucceeded: "An agency does not succeed itself: predecessor and successor differ.",
}

// attributeWords say what the CloudEvents attributes mean here, where their
// grammar does not.
var attributeWords = map[string]string{
	"type":            "The event type, such as raid.conducted.",
	"subject":         "The record's id in its diary. The record.* events, which speak of another record, need none.",
	"time":            "When the event was written, by its writer's clock. No rule and no total depends on it.",
	"datacontenttype": "Data are JSON.",
}

// sharedWords say what a member means that several types have.
var sharedWords = map[string]string{
	"occurred":  "When it happened, as its source claims. No day is ever invented: what is not known is unknown.",
	"reported":  "When its source first wrote or published it.",
	"place":     "Where it happened. Each part is left out where it is not given.",
	"agency":    "The agency that acted, if not the diary's own.",
	"unit":      "The unit that acted, if not the diary's own.",
	"operation": "The name of the operation that it was part of.",
	"document":  "The paper that says so.",
	"by":        "Who wrote the event, as an opaque reference; never a name.",
	"synthetic": "True for what was made from a published sum, not from a report of the single action.",
	"note":      "No rule and no total depends on it.",

	"raid":        "The raid that it was part of.",
	"case":        "The case that it belongs to.",
	"cases":       "The cases that came of it.",
	"persons":     "How many persons. There is no default: blank is not 1.",
	"nationality": "The nationalities among them. National if any is the home country.",
	"offences":    "The offences, in the source's words.",
	"item":        "What it is.",
	"memo":        "The number of the memo.",
	"amount":      "The amount; left out where the source gives none.",
	"record":      "The record that it is about.",
	"amends":      "The id of the event that is the record's current version; otherwise the event is refused as stale-amendment.",
	"reason":      "Why the record is amended.",
	"authority":   "The order or officer behind it.",
	"from":        "The record that the link starts from; its agency says so.",
	"to":          "The record that it leads to.",
}

// memberWords say what a member of one type means.
var memberWords = map[domain.Type]map[string]string{
	domain.TypeLedgerOpened: {
		"name":  "What the ledger is called; stands in every citation.",
		"home":  "The home country: its nationals are national.",
		"zone":  "The time zone in which an instant has its day.",
		"rules": "The version of the register's rules.",
	},
	domain.TypeRaidConducted: {
		"premises":     "What was raided.",
		"participants": "Agencies that took part; they add nothing.",
	},
	domain.TypeArrestMade: {
		"sex":    "The sex of those arrested, where it is one.",
		"person": "An opaque random reference, where one person was arrested: it lets a source say that it was the same person. Never a name.",
	},
	domain.TypeCaseRegistered: {
		"registered": "When the case was registered.",
		"number":     "The case's number as printed, such as 97/2025.",
		"station":    "The police station.",
		"raids":      "The raids that led to it.",
	},
	domain.TypeLossAlleged:  {"amount": "What is said to be lost.", "basis": "What the figure rests on, such as complaints."},
	domain.TypeRecoveryMade: {"amount": "What was recovered.", "form": "What it was recovered in."},
	domain.TypePropertyForfeited: {
		"seizure": "The property record of the seizure.",
	},
	domain.TypeFigurePublished: {
		"publisher":  "Who published it.",
		"published":  "When it was published.",
		"document":   "Where it was published.",
		"worded":     "The figure as printed.",
		"period":     "What time the figure speaks of.",
		"measure":    "The publisher's measure in the ledger's words, such as arrests; it need not be one that the ledger has.",
		"dimensions": "What narrows it, such as city: Karachi.",
		"value":      "The figure, where it is not money.",
		"amount":     "The figure, where it is money; without a qualifier of its own.",
		"qualifier":  "How the figure is meant; exact where it is left out, never unknown.",
	},
	domain.TypeRecordCorrected: {"replacement": "The record's full new data, as data of the record's own type (see its schema); the register refuses what does not fit."},
	domain.TypeRecordMatched:   {"record": "One of the two; its agency says so.", "same_as": "The other one, of another diary."},
	domain.TypeAgencySucceeded: {
		"predecessor": "The agency that was.",
		"successor":   "The agency that took over: it may amend its predecessor's records.",
		"effective":   "From when on.",
	},
}

// partWords say what the members of a named shape mean.
var partWords = map[string]map[string]string{
	"place": {
		"country": "ISO 3166.", "subdivision": "A province or state, in the source's words.",
		"city": "In the source's words.", "site": "In the source's words.",
	},
	"document": {"ref": "Its number or title.", "locator": "Where to find it.", "sha256": "SHA-256 of its bytes."},
}
