package domain

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Currency is a code of ISO 4217, such as "PKR". The zero Currency is none.
type Currency string

// currenciesByDecimals are the codes with a minor unit in list one of ISO 4217
// as published on 2026-01-01 by its maintenance agency
// (https://www.six-group.com, "ISO currency codes"), by the decimals of the
// minor unit. The table is part of the rules: a code that comes later comes
// with a higher rules version.
var currenciesByDecimals = [...]string{
	0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
	2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD " +
		"BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP " +
		"DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF " +
		"IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL " +
		"MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR " +
		"NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP " +
		"SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD " +
		"USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG " +
		// Withdrawn since 2020 (list three); what was done in them is still
		// being recorded.
		"ANG BGN CUC HRK SLL ZWL",
	3: "BHD IQD JOD KWD LYD OMR TND",
	4: "CLF UYW",
}

// currenciesWithout have a code and no minor unit: metals, baskets, and the
// codes for tests and for no currency.
const currenciesWithout = "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX"

type currencyInfo struct {
	code     Currency
	decimals int
}

var currencies = func() map[string]currencyInfo {
	table := make(map[string]currencyInfo)
	for decimals, codes := range currenciesByDecimals {
		for code := range strings.FieldsSeq(codes) {
			table[code] = currencyInfo{Currency(code), decimals}
		}
	}
	return table
}()

// ParseCurrency reads a code of ISO 4217 that has a minor unit, in capitals.
// The result keeps no part of s.
func ParseCurrency(s string) (Currency, error) {
	if info, ok := currencies[s]; ok {
		return info.code, nil
	}
	upper := strings.ToUpper(s)
	switch {
	case s == "":
		return "", errors.New("no currency. Try: PKR or USD")
	case upper != s && currencies[upper].code != "":
		return "", fmt.Errorf("currency %q: codes are written in capitals. Try: %s", clip(s), upper)
	case slices.Contains(strings.Fields(currenciesWithout), s):
		return "", fmt.Errorf("currency %q: it has no minor unit to hold an amount in. Try: the worth in PKR or USD", s)
	}
	return "", fmt.Errorf("currency %q: not a code of ISO 4217 that is in use. Try: PKR or USD", clip(s))
}

// Decimals is how many decimals the minor unit of c has: 2 for PKR, 0 for JPY,
// 3 for KWD; 0 for the zero Currency.
func (c Currency) Decimals() int { return currencies[string(c)].decimals }
