package domain

import (
	"fmt"
	"strings"
)

// Country is a country's code: two letters of ISO 3166-1, XK for Kosovo (which
// ISO leaves to its users to assign), or the four letters of ISO 3166-3 for
// one that is no more, such as SUHH for the Soviet Union. Two letters never
// name a withdrawn country: CS was Czechoslovakia and then Serbia and
// Montenegro. The zero Country is none.
type Country string

// currentCountries are all 249 codes of ISO 3166-1 alpha-2, and XK.
const currentCountries = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ " +
	"BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR " +
	"CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR " +
	"GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU " +
	"ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ " +
	"LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ " +
	"MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF " +
	"PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI " +
	"SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR " +
	"TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW " +
	"XK"

// formerCountries are all 31 codes of ISO 3166-3. Each begins with the two
// letters that the country had. The tables are part of the rules: a code that
// comes later comes with a higher rules version.
const formerCountries = "AIDJ ANHH BQAQ BUMM BYAA CSHH CSXX CTKI DDDE DYBJ FQHH FXFR GEHH HVBF JTUM " +
	"MIUM NHVU NQAQ NTHH PCHH PUUM PZPA RHZW SKIN SUHH TPTL VDVN WKUM YDYE YUCS " +
	"ZRCD"

// countriesOfTwo holds the current codes at 26 × first + second letter.
var countriesOfTwo = func() (table [26 * 26]Country) {
	for code := range strings.FieldsSeq(currentCountries) {
		table[26*int(code[0]-'A')+int(code[1]-'A')] = Country(code)
	}
	return table
}()

var countriesOfFour = func() map[string]Country {
	table := make(map[string]Country)
	for code := range strings.FieldsSeq(formerCountries) {
		table[code] = Country(code)
	}
	return table
}()

// lookUpCountry is "" where there is no country of that code.
func lookUpCountry(s string) Country {
	if len(s) != 2 {
		return countriesOfFour[s]
	}
	first, second := s[0]-'A', s[1]-'A'
	if first >= 26 || second >= 26 {
		return ""
	}
	return countriesOfTwo[26*int(first)+int(second)]
}

// ParseCountry reads a country's code, in capitals. The result keeps no part
// of s.
func ParseCountry(s string) (Country, error) {
	if country := lookUpCountry(s); country != "" {
		return country, nil
	}
	return "", fmt.Errorf("country %q: %s", clip(s), countryProblem(s))
}

// countryProblem says why s is no country's code.
func countryProblem(s string) string {
	upper := strings.ToUpper(s)
	if upper != s && lookUpCountry(upper) != "" {
		return "codes are written in capitals. Try: " + upper
	}
	var former []string
	for code := range strings.FieldsSeq(formerCountries) {
		if len(s) == 2 && strings.HasPrefix(code, s) {
			former = append(former, code)
		}
	}
	if former != nil {
		return "withdrawn, and two letters can mean several. Try: " + strings.Join(former, " or ")
	}
	return "no code of ISO 3166. Try: two letters such as PK, or four such as SUHH for a country that is no more"
}

// Nationality is what a source says of somebody's: a country's code, or one of
// the words below.
type Nationality string

// The nationalities that name no country.
const (
	// Stateless: of no country.
	Stateless Nationality = "stateless"
	// ForeignNationality: not of the home country, and not known of which.
	ForeignNationality Nationality = "foreign"
	// UnknownNationality: the source says that it does not know.
	UnknownNationality Nationality = "unknown"
)

// ParseNationality reads a country's code, "stateless", "foreign" or
// "unknown". The result keeps no part of s.
func ParseNationality(s string) (Nationality, error) {
	if country := lookUpCountry(s); country != "" {
		return Nationality(country), nil
	}
	for _, word := range [...]Nationality{Stateless, ForeignNationality, UnknownNationality} {
		if s == string(word) {
			return word, nil
		}
	}
	return "", fmt.Errorf("nationality %q: %s, or: stateless, foreign, unknown", clip(s), countryProblem(s))
}

// Class is whether somebody is a national of the ledger's home country. It is
// derived and never stored.
type Class uint8

// The classes.
const (
	UnknownClass Class = iota
	National
	Foreign
)

var classWords = [...]string{"unknown", "national", "foreign"}

// String is "national", "foreign" or "unknown".
func (c Class) String() string { return classWords[c] }

// ClassOf is National if any of the list is home, else Foreign if any is a
// country, stateless or foreign, else UnknownClass. An empty list is
// UnknownClass: what was not given, the caller must tell apart.
func ClassOf(home Country, list []Nationality) Class {
	class := UnknownClass
	for _, n := range list {
		switch n {
		case Nationality(home):
			return National
		case UnknownNationality:
		default:
			class = Foreign
		}
	}
	return class
}
