package demo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"roznamcha/domain"
)

func events(t *testing.T) (list []*domain.Event, lines []string) {
	t.Helper()
	r, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	opening, err := Lines([]*domain.Event{r.Opening()})
	if err != nil {
		t.Fatal(err)
	}
	submissions, err := r.Submissions()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range append([][]byte{opening}, submissions...) {
		for line := range strings.SplitSeq(string(s), "\n") {
			e, err := domain.Decode(line)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			list, lines = append(list, e), append(lines, line)
		}
	}
	return list, lines
}

// TestEventsCloseToTheReport recounts the events by hand.
func TestEventsCloseToTheReport(t *testing.T) {
	list, _ := events(t)
	if len(list) != 138 {
		t.Errorf("%d events, want 138", len(list))
	}
	ids := map[uuid.UUID]bool{}
	raids := map[string]int64{}
	arrests := map[string]int64{}
	types := map[domain.Type]int{}
	for _, e := range list {
		if ids[e.ID] {
			t.Errorf("%s %s: id %s is used twice", e.Type, e.Subject, e.ID)
		}
		ids[e.ID] = true
		types[e.Type]++
		switch data := e.Data.(type) {
		case *domain.RaidConducted:
			raids[data.Place.City]++
			if data.Premises != domain.NotGiven || data.Agency != domain.NotGiven || !data.Synthetic || data.Occurred.String() != "2024-01/2025-06" {
				t.Errorf("raid %s says more than the report: %+v", e.Subject, data)
			}
		case *domain.ArrestMade:
			arrests[string(data.Nationality[0])+" "+data.Place.City] += data.Persons.N
		}
	}
	for city, want := range map[string]int64{"Karachi": 19, "Islamabad": 17, "Lahore": 11, "Rawalpindi": 8, "Faisalabad": 7, "Multan": 1} {
		if raids[city] != want {
			t.Errorf("%d raids in %s, want %d", raids[city], city, want)
		}
	}
	for who, want := range map[string]int64{"PK ": 195, "foreign Islamabad": 183, "foreign Faisalabad": 72} {
		if arrests[who] != want {
			t.Errorf("arrests of %s: %d, want %d", who, arrests[who], want)
		}
	}
	for typ, want := range map[domain.Type]int{
		domain.TypeLedgerOpened: 1, domain.TypeAgencySucceeded: 1, domain.TypeRaidConducted: 63, domain.TypeArrestMade: 3,
		domain.TypeCaseRegistered: 53, domain.TypeLossAlleged: 1, domain.TypeRecoveryMade: 1, domain.TypeFigurePublished: 15,
	} {
		if types[typ] != want {
			t.Errorf("%d events of %s, want %d", types[typ], typ, want)
		}
	}
}

// TestEventsNeverChange holds the bytes: a table hash that somebody wrote down
// stays true.
func TestEventsNeverChange(t *testing.T) {
	_, lines := events(t)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	const want = "1be31c2ea889c232a72d5df64b3b5bcea11f5229d9533b20500d9afa67cf81b1"
	if got := hex.EncodeToString(sum[:]); got != want {
		t.Errorf("the demo's events have hash %s, want %s", got, want)
	}
}

// TestClaimsAreThePublishedOnes compares with the file that the claims were
// taken from.
func TestClaimsAreThePublishedOnes(t *testing.T) {
	file, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "..", "shared", "data", "published_claims.json"))
	if err != nil {
		t.Skip("the published claims are not beside the checkout (../shared/data): ", err)
	}
	var published []struct {
		ID        string `json:"claim_id"`
		Measure   string
		Value     int64
		Qualifier string
		URL       string
		Dims      map[string]string
	}
	if err := json.NewDecoder(bytes.NewReader(file)).Decode(&published); err != nil {
		t.Fatal(err)
	}
	measures := map[string]string{"sites_targeted": "raids", "arrests": "arrests", "firs": "cases", "fraud_alleged": "alleged", "recovered": "recovered"}
	qualifiers := map[string]domain.Qualifier{"exact": domain.Exact, "greater_than": domain.AtLeast, "just_over": domain.AtLeast}
	classes := map[string]string{"PK": "national", "foreign": "foreign"}
	claims := map[string]*domain.FigurePublished{}
	list, _ := events(t)
	for _, e := range list {
		if data, ok := e.Data.(*domain.FigurePublished); ok {
			claims[e.Subject] = data
		}
	}
	for _, p := range published[:15] {
		c := claims[p.ID]
		if c == nil {
			t.Errorf("claim %s is missing", p.ID)
			continue
		}
		value := c.Value
		if c.Amount.Currency != "" {
			value = c.Amount.Minor / 100
		}
		dims := map[string]string{}
		for _, d := range c.Dimensions {
			dims[d.Name] = d.Value
		}
		if c.Measure != measures[p.Measure] || value != p.Value || c.Qualifier != qualifiers[p.Qualifier] || c.Document.Locator != p.URL ||
			dims["city"] != p.Dims["city"] || dims["class"] != classes[p.Dims["nationality"]] {
			t.Errorf("claim %s is %s %d %s %v, published as %+v", p.ID, c.Measure, value, c.Qualifier, dims, p)
		}
	}
}
