package all_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

// TestTimesAreInTheProvidersUnit: a time in the wrong unit lies in 1970 or in the year 50,000. Every golden case of every channel
// type is looked at; no recorded call is older than the types are.
func TestTimesAreInTheProvidersUnit(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../*/testdata/inbound/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	from, to := time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	seen := map[string]int{}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range txtar.Parse(b).Files {
			if f.Name != "want.json" {
				continue
			}
			var want struct {
				Events []struct {
					ProviderAt time.Time `json:"provider_at"`
				} `json:"events"`
			}
			if err := json.Unmarshal(f.Data, &want); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			for _, e := range want.Events {
				if e.ProviderAt.IsZero() {
					continue
				}
				seen[filepath.Base(filepath.Dir(filepath.Dir(filepath.Dir(path))))]++
				if e.ProviderAt.Before(from) || e.ProviderAt.After(to) {
					t.Errorf("%s: %s", path, e.ProviderAt)
				}
			}
		}
	}
	types, _ := filepath.Glob("../*/testdata/inbound")
	if len(seen) != len(types) {
		t.Errorf("times of %v, %d types have cases", seen, len(types))
	}
}
