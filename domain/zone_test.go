package domain

import (
	"archive/zip"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// zone loads a zone that exists.
func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestEveryZoneLoads(t *testing.T) {
	for name, file := range zoneFiles() {
		r, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil { // checks its CRC
			t.Errorf("%s: %v", name, err)
		}
		if z := zone(t, name); z.String() != name {
			t.Errorf("zone %s calls itself %s", name, z)
		}
	}
	if n := len(zoneFiles()); n < 590 {
		t.Errorf("%d zones, want the whole database", n)
	}
}

func TestZonesComeFromTheProgramAlone(t *testing.T) {
	embedded := zoneFiles
	defer func() { zoneFiles = embedded }()
	zoneFiles = func() map[string]*zip.File { return nil }
	if z, err := LoadZone("Asia/Karachi"); err == nil {
		t.Errorf("with no zones in the program, %s comes from the machine", z)
	}
}

func TestZonesHaveTheirPast(t *testing.T) {
	karachi := zone(t, "Asia/Karachi")
	for _, c := range []struct {
		at     time.Time
		name   string
		offset int // hours
	}{
		{time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC), "PKT", 5},
		{time.Date(2008, 7, 1, 0, 0, 0, 0, time.UTC), "PKST", 6}, // summer time
		{time.Date(2040, 7, 1, 0, 0, 0, 0, time.UTC), "PKT", 5},
	} {
		if name, offset := c.at.In(karachi).Zone(); name != c.name || offset != c.offset*3600 {
			t.Errorf("at %s Karachi has %s, %d s", c.at, name, offset)
		}
	}
}

// The zones are part of the rules: where this fails, another release of them came
// in, which can move an instant of an old entry to another day. Raise RulesVersion.
func TestTheZonesAreThoseOfTheRules(t *testing.T) {
	const rules1 = "8f55634d05f8bca1f7bc7c69c5933428c69357e0bdf565e5ba224e3f88ff12e8"
	if is := fmt.Sprintf("%x", sha256.Sum256([]byte(zoneData))); RulesVersion != 1 || is != rules1 {
		t.Errorf("rules %d with the zones %s", RulesVersion, is)
	}
}

func TestNoZone(t *testing.T) {
	for _, c := range []struct{ name, try string }{
		{"", "Try: a name such as Asia/Karachi or UTC"},
		{"Local", "Try: a name such as Asia/Karachi or UTC"},
		{"Asia", "Try: a name such as Asia/Karachi or UTC"},
		{"../etc/passwd", "Try: a name such as Asia/Karachi or UTC"},
		{"asia/karachi", "Try: Asia/Karachi"},
		{"Karachi", "Try: Asia/Karachi"},
		{"new york", "Try: America/New_York"},
		{"utc", "Try: UTC"},
		{"louisville", "Try: America/Kentucky/Louisville"}, // and not America/Louisville
	} {
		z, err := LoadZone(c.name)
		if err == nil {
			t.Errorf("LoadZone(%q) = %s", c.name, z)
		} else if !strings.HasSuffix(err.Error(), c.try) {
			t.Errorf("LoadZone(%q): %v, want … %s", c.name, err, c.try)
		}
	}
}

func TestZonesLoadAtOnce(t *testing.T) {
	var loading sync.WaitGroup
	for range 8 {
		loading.Go(func() {
			if _, err := LoadZone("Asia/Karachi"); err != nil {
				t.Error(err)
			}
		})
	}
	loading.Wait()
}
