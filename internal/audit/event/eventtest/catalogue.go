// Package eventtest gives tests Okta's own catalogue of event types.
package eventtest

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Catalogue is every type of event that Okta has published, as it stands in the directory
// OKTA_DATA; false when that is unset.
func Catalogue(t *testing.T) (types []string, there bool) {
	t.Helper()
	dir := os.Getenv("OKTA_DATA")
	if dir == "" {
		return nil, false
	}
	file, err := os.Open(filepath.Join(dir, "event-types.json.gz")) //nolint:gosec // the directory is the tester's
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Versions []struct {
			EventTypes []struct {
				ID string `json:"id"`
			} `json:"eventTypes"`
		} `json:"versions"`
	}
	if err := json.NewDecoder(unpacked).Decode(&read); err != nil {
		t.Fatal(err)
	}
	for _, version := range read.Versions {
		for _, known := range version.EventTypes {
			types = append(types, known.ID)
		}
	}
	return types, true
}
