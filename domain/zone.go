package domain

import (
	"archive/zip"
	_ "embed"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"
	"time"
)

// zoneData is release 2025c of the IANA Time Zone Database, which is in the
// public domain (https://www.iana.org/time-zones), as compiled in the file
// lib/time/zoneinfo.zip of the Go 1.26 distribution. It is part of the rules:
// a newer release can move an instant to another day.
//
//go:embed zoneinfo.zip
var zoneData string

// zoneFiles are the zones by name.
var zoneFiles = sync.OnceValue(func() map[string]*zip.File {
	archive, err := zip.NewReader(strings.NewReader(zoneData), int64(len(zoneData)))
	if err != nil {
		panic("domain: zoneinfo.zip: " + err.Error()) // it is compiled in, and a test reads it
	}
	files := make(map[string]*zip.File, len(archive.File))
	for _, file := range archive.File {
		if !strings.HasSuffix(file.Name, "/") {
			files[file.Name] = file
		}
	}
	return files
})

// LoadZone is the IANA time zone of that name, such as "Asia/Karachi" or
// "UTC". Its rules come from within the program and never from the machine,
// so that an instant has the same day everywhere. Names are as IANA spells
// them; "" and "Local" are none.
func LoadZone(name string) (*time.Location, error) {
	file := zoneFiles()[name]
	if file == nil {
		return nil, fmt.Errorf("zone %q: not an IANA time zone. Try: %s", clip(name), similarZone(name))
	}
	r, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("zone %q: %w", name, err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("zone %q: %w", name, err)
	}
	zone, err := time.LoadLocationFromTZData(name, data)
	if err != nil {
		return nil, fmt.Errorf("zone %q: %w", name, err)
	}
	return zone, nil
}

// Location is the zone of the ledger that o opens. The codec takes no other than
// LoadZone knows; of an o that it did not read, that may be UTC.
func (o *LedgerOpened) Location() *time.Location {
	if zone, err := LoadZone(o.Zone); err == nil {
		return zone
	}
	return time.UTC
}

// similarZone is what the writer of name may have meant: a zone in other
// letters, or one of that city.
func similarZone(name string) string {
	wanted := strings.ReplaceAll(name, " ", "_")
	similar := ""
	for zone := range zoneFiles() {
		if strings.EqualFold(zone, wanted) {
			return zone
		}
		// The least of several, so that the advice is always the same.
		if strings.EqualFold(path.Base(zone), wanted) && (similar == "" || zone < similar) {
			similar = zone
		}
	}
	if similar == "" {
		return "a name such as Asia/Karachi or UTC"
	}
	return similar
}
