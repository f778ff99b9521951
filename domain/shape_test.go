package domain

import (
	"regexp"
	"strings"
	"testing"
)

// What the shapes say of each value is held against Decode in
// cmd/roznamcha/internal/schema; here, that nothing is left undescribed.
func TestEveryMemberHasItsShape(t *testing.T) {
	for _, typ := range Types() {
		for _, m := range Describe(typ) {
			eachShape(m.Name, m.Shape, func(path string, s Shape) {
				if (s.JSON == "") == (s.Either == nil) {
					t.Errorf("%s: %s is neither of a JSON type nor a choice", typ, path)
				}
				if s.JSON == "array" && s.Element == nil {
					t.Errorf("%s: %s has no element", typ, path)
				}
				if _, err := regexp.Compile(s.Pattern); err != nil {
					t.Errorf("%s: %s: %v", typ, path, err)
				}
			})
		}
	}
}

func eachShape(path string, s Shape, visit func(path string, s Shape)) {
	visit(path, s)
	if s.Element != nil {
		eachShape(path+"[]", *s.Element, visit)
	}
	for _, m := range s.Members {
		eachShape(path+"."+m.Name, m.Shape, visit)
	}
	for _, each := range s.Either {
		eachShape(path, each, visit)
	}
}

func TestDescribedAttributesAreThoseThatAreRead(t *testing.T) {
	described := DescribeAttributes(TypeRaidConducted)
	var got []string
	for _, m := range described {
		got = append(got, m.Name)
	}
	for i := range attributeNames {
		name := attributeNames.at(i)
		if found := strings.Contains(" "+strings.Join(got, " ")+" ", " "+name+" "); found == (name == "data") {
			t.Errorf("%s: described %v", name, found)
		}
	}
	if len(described) != len(attributeNames)-1 {
		t.Errorf("describes %v, reads %v", got, attributeNames)
	}
}

func TestEveryZoneHasTheShapeOfOne(t *testing.T) {
	shape := regexp.MustCompile(zoneShape.Pattern)
	for name := range zoneFiles() {
		if !shape.MatchString(name) {
			t.Errorf("%s does not match %s", name, shape)
		}
	}
}

// An unknown amount may leave out its currency; an empty one is none.
func TestAnEmptyCurrencyIsNoCurrency(t *testing.T) {
	for currency, ok := range map[string]bool{"": true, `"currency":"PKR",`: true, `"currency":"",`: false} {
		line := `{"specversion":"1.0","id":"` + id(1) + `","source":"/nccia/karachi","type":"loss.alleged","subject":"L1","data":{"occurred":"2025","amount":{` + currency + `"qualifier":"unknown"}}}`
		if _, err := Decode(line); (err == nil) != ok {
			t.Errorf("%s: %v", line, err)
		}
	}
}
