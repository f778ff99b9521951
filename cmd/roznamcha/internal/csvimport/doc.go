// Package csvimport owns the way from somebody else's CSV file to submissions:
// the mapping that says what a row means, the reading of the file, the rows
// that cannot be read, and the run that hands the rest to a recorder.
//
// It leaves to its caller which ledger that is, and what is printed.
//
// Where to start reading:
//
//   - mapping.go, document.go: a mapping, and what is wrong in it
//   - value.go, template.go, condition.go, date.go, number.go: how a value is made
//   - catalogue.go: what an event can be given
//   - file.go, csv.go: the file, and its rows
//   - bind.go, import.go: rows to events
//   - run.go, reject.go: events to the recorder, and what became of them
//   - amend.go: corrections of what changed since an earlier import
//   - init.go: a first mapping from a header
//
// # A mapping
//
// A mapping is a TOML file; texts stand in quotes, so NO is a text and 007 is
// not 7. A key that is not known here is an error, with its line.
//
//	dataset = "city-arrests"      # event ids are made of it; never change it
//	source  = "/police/{station|slug}"
//	key     = "{id}"              # tells a row from all others of the file
//
//	[[event]]                     # a row can give several, each with a name
//	name    = "arrest"            # event ids are made of it; never change it
//	type    = "arrest.made"
//	subject = "{id}"
//	when    = { column = "status", not = "void" }
//
//	[event.data]
//	occurred      = { column = "date", date = "DD/MM/YYYY" }
//	persons       = 1
//	nationality   = { column = "nation", values = "nation", blank = "unknown" }
//	place.country = "PK"
//	place.city    = "{city}"
//
//	[values.nation]
//	"Chinese"   = "CN"
//	"Pakistani" = "PK"
//
// The keys of the file, all but the first three optional:
//
//	dataset, source, key   as above. source is a diary, and may stand in an event too
//	delimiter              "," unless told; ";", "\t", "|"
//	header_line            the line with the names of the columns, 1 unless told
//	blanks                 texts that mean blank in every column: ["-", "N/A"]
//	date, pivot, zone      how dates are written, unless a value says otherwise
//	decimal, thousands, signs, round   how numbers are; "." and no thousands unless told
//	[derive]               columns made of others, used like columns: name = value
//	[values.NAME]          a table from the file's words to the ledger's
//	[join.NAME]            a second file
//	[[event]]              what a row gives
//
// A template is text with columns in braces, {column} or {column|change|…},
// where the changes are upper, lower, squeeze (white space to one space),
// nospace and slug (São Paulo to sao-paulo). White space around a column's text
// is always taken away. {{ and }} are braces, {#row} is the number of the row.
//
// A value is a template, a constant, or a table that begins with one column or
// one template (from) and says what is done to its text, in this order:
//
//	column = "…" | from = "…{column}…"
//	match      = '^(\d+)'    a regular expression (RE2); its first group, or all of it, is the text
//	unmatched  = "reject"    or "blank": what a text comes to that does not match
//	text       = ["upper"]   changes, as in templates
//	values     = "NAME"      the text goes through that table
//	fold       = true        letter case and runs of white space do not matter there
//	unlisted   = "reject"    or "keep", "omit": what a text comes to that the table does not have
//	default    = "…"         or this text instead
//	blank      = "omit"      or "reject", "unknown", "not-given": what a blank comes to;
//	                         what the catalogue requires is rejected unless told, all else omitted
//	date       = "DD/MM/YYYY"   or several, of which the first that gives a real date counts;
//	                         "period" is the ledger's own grammar, which is meant where there is none
//	pivot      = 1950        the first of the hundred years that YY can mean
//	zone       = "Asia/Karachi"   whose clock a time without offset is of
//	decimal, thousands, signs, round   round is "half-even", "half-up" or "down"
//	currency   = "USD"       of an amount; a template
//	qualifier  = "at-least"  of a count or amount; a template
//	split      = ";"         between the members of a list
//
// In a table of values the key "" is what a blank comes to. Nothing is rounded,
// guessed or filled in unless the mapping says so.
//
// A condition (when) has a column or from, and of these any number that must
// all hold: is, not (a text or a list), blank (true or false), match, unmatch.
// An array of conditions must hold all together; { any = […] } and { all = […] }
// nest. A row whose events all have unmet conditions gives none, and is counted.
//
// # A second file
//
//	[join.office]
//	file    = "offices.csv"       # relative to the mapping
//	key     = "{code}"            # over the second file
//	on      = "{office_code}"     # over the row
//	missing = "reject"            # or "blank": what a row comes to whose key is not there
//	several = "error"             # or "first": what a key on several rows comes to
//
// Its columns are {office.name} and so on. It is held in memory whole.
//
// # A record that stands on several rows
//
// An event with once = "{case_no}" has its id from that text instead of the
// row's key, and is taken from the first row that has it. It is a submission of
// its own: what is wrong with it in the ledger is not the row's fault. A later
// row that says something else of it is no error; such rows are counted
// (Counts.Differs), in this file and against what an earlier import recorded.
//
// # Ids
//
// The id of an imported event is a UUID of version 5 in Namespace over
//
//	dataset 0x00 key 0x00 event
//
// so importing a file again adds nothing, also after it was stopped half way,
// and a row that changed since is refused by the ledger (conflicting-id) and
// told of as changed since import. An id belongs to its source: a source made
// of a column that can change makes a changed row another record, which counts
// twice unless Options.Amend is there to see it.
//
// # Rows that changed
//
// With Options.Amend a row that says something else than an import told last of
// its records becomes corrections of them, in one submission with what is new in
// the row. What an import told last is the row's own event, or the latest
// correction that an import made of it, which its id shows: a UUID of version 5
// in the namespace of the row's own event's id, over the id of the version that
// is amended (16 bytes) and the SHA-256 of the new data in canonical form. So
//
//   - importing an edition again adds nothing, also after it was stopped half way
//   - a row that goes back to what it said before is corrected again
//   - a correction that somebody else made stays until the row changes; then the
//     row goes over it, and is counted (Counts.AmendedOver)
//   - a row that changed and whose record is retracted is rejected
//   - a record that the row's own event did not make is not touched
//   - a row that no longer gives one of its events, whose record stands, is
//     rejected: whether that is to be retracted, a person says. Without
//     Options.Amend such a row is not noticed
//   - a row whose source, subject or type changed, so that its event would make a
//     second record, is rejected while the first one stands
//
// A record taken once is corrected to what the file's first row tells of it; the
// row is rejected where that cannot be done. A record taken once that no row
// tells of any more stays.
// Records of rows that are no more in the file stay as they are.
//
// # What cannot be read
//
// A row is imported whole or not at all. Rejected, each with its line, column,
// value and reason, are rows that cannot be cut (a quote that is not closed, too
// many fields, more than 1 MiB), that hold NUL bytes, or invalid UTF-8 where the
// mapping reads them, whose values do not fit, that lack what is required, and
// that have the key of an earlier row and say something else. A damaged row
// costs itself and no other: reading begins anew on the next line.
//
// The import stops where the file cannot be read on, such as a compressed file
// that ends in the middle: the row that is cut off is not taken, those before
// are whole, and the error says so. Such a file can be imported again when it
// is complete.
package csvimport
