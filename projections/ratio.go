package projections

import (
	"math/bits"
	"strconv"
)

// Ratio is part over whole in per cent, such as "30.2 %", rounded half up to
// one decimal. It is computed with whole numbers, and only where both are exact
// and of one unit; else text is "" and why says what is in the way, such as
// "two lower bounds".
func Ratio(part, whole Cell) (text, why string) {
	one, other := part.doubt(), whole.doubt()
	switch {
	case part.Currency != whole.Currency && part.Facts > 0 && whole.Facts > 0:
		return "", "two units"
	case one == "a lower bound" && other == one:
		return "", "two lower bounds"
	case one == "an approximation" && other == one:
		return "", "two approximations"
	case one != "" && other != "" && one != other:
		return "", one + " over " + other
	case one != "":
		return "", one
	case other != "":
		return "", other
	case whole.Sum.Value == 0:
		return "", "nothing to divide by"
	}
	return perMille(uint64(part.Sum.Value), uint64(whole.Sum.Value))
}

// perMille is part over whole in per cent with one decimal; no sum is negative.
func perMille(part, whole uint64) (text, why string) {
	high, low := bits.Mul64(part, 1000)
	low, carry := bits.Add64(low, whole/2, 0) // half up: a half of an odd whole is never reached
	high += carry
	if high >= whole {
		return "", "too large to print"
	}
	tenths, _ := bits.Div64(high, low, whole)
	return strconv.FormatUint(tenths/10, 10) + "." + strconv.FormatUint(tenths%10, 10) + " %", ""
}
