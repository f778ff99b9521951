package domain

import "testing"

func TestQualifierWords(t *testing.T) {
	for q, word := range map[Qualifier]string{
		Exact: "exact", AtLeast: "at-least", About: "about", Unknown: "unknown", AtMost: "at-most",
	} {
		if q.String() != word {
			t.Errorf("qualifier %d is written %q, want %q", q, q, word)
		}
		if got, ok := ParseQualifier(word); !ok || got != q {
			t.Errorf("%q is read as %d, %t", word, got, ok)
		}
	}
	for _, word := range []string{"", "Exact", "atleast", "at_least", "at-least "} {
		if q, ok := ParseQualifier(word); ok {
			t.Errorf("%q is read as %s", word, q)
		}
	}
	if got := Qualifier(200).String(); got != "" {
		t.Errorf("no qualifier is written %q", got)
	}
}
