package schema

import (
	"reflect"
	"testing"

	"roznamcha/domain"
)

// Every type and every member is explained, and there are no words for what is
// not there.
func TestWordsAreOfTheCatalogue(t *testing.T) {
	shared := map[string]int{}
	for _, typ := range domain.Types() {
		if typeWords[typ] == "" {
			t.Errorf("%s is not explained", typ)
		}
		members := map[string]bool{}
		for _, m := range domain.Describe(typ) {
			members[m.Name] = true
			own := memberWords[typ][m.Name]
			if own == "" {
				shared[m.Name]++
			}
			if own == "" && sharedWords[m.Name] == "" {
				t.Errorf("%s: %s is not explained", typ, m.Name)
			}
		}
		for name := range memberWords[typ] {
			if !members[name] {
				t.Errorf("%s has no %s to explain", typ, name)
			}
		}
	}
	for name := range sharedWords {
		if shared[name] < 2 {
			t.Errorf("%s is explained for several types, and %d have it", name, shared[name])
		}
	}
	for typ := range typeWords {
		if typ.String() == "" {
			t.Errorf("words for type %d, which is none", typ)
		}
	}
}

// A name stands for one shape, and the words for its members are theirs.
func TestAShapeHasItsNameAlone(t *testing.T) {
	named := map[string]domain.Shape{}
	var visit func(s domain.Shape)
	visit = func(s domain.Shape) {
		if was, known := named[s.Name]; known && s.Name != "" && !reflect.DeepEqual(was, s) {
			t.Errorf("two shapes are called %s", s.Name)
		}
		named[s.Name] = s
		for _, m := range s.Members {
			visit(m.Shape)
		}
		for _, each := range s.Either {
			visit(each)
		}
		if s.Element != nil {
			visit(*s.Element)
		}
	}
	for _, typ := range domain.Types() {
		for _, m := range domain.Describe(typ) {
			visit(m.Shape)
		}
		for _, m := range domain.DescribeAttributes(typ) {
			visit(m.Shape)
		}
	}
	for shape, words := range partWords {
		for _, m := range named[shape].Members {
			if words[m.Name] == "" {
				t.Errorf("%s.%s is not explained", shape, m.Name)
			}
		}
		if len(words) != len(named[shape].Members) {
			t.Errorf("%s has %d members, %d are explained", shape, len(named[shape].Members), len(words))
		}
	}
	for _, taken := range []string{"event", "envelope", "reply", "result", "position"} {
		if _, ok := named[taken]; ok {
			t.Errorf("a shape is called %s, which is another definition", taken)
		}
	}
}
