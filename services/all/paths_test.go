package all_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/httpapi"
)

// A gateway or Ingress routes by prefix alone, so a prefix has one owner.
func TestEveryPathPrefixHasOneOwner(t *testing.T) {
	t.Parallel()
	docs, err := filepath.Glob("../*/openapi.yaml")
	if err != nil || len(docs) == 0 {
		t.Fatalf("no documents (%v)", err)
	}
	owner := map[string]string{}
	var all [][]byte
	for _, path := range docs {
		service := filepath.Base(filepath.Dir(path))
		doc, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, doc)
		spec, err := httpapi.LoadSpec(doc)
		if err != nil {
			t.Fatalf("%s: %v", service, err)
		}
		for p := range spec.Doc.Paths.Map() {
			parts := strings.SplitN(p, "/", 4)
			prefix := strings.Join(parts[:min(3, len(parts))], "/")
			if other, taken := owner[prefix]; taken && other != service {
				t.Errorf("%s belongs to %s and %s", prefix, other, service)
			}
			owner[prefix] = service
		}
	}
	merged, err := httpapi.Merge(all...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := httpapi.LoadSpec(merged); err != nil {
		t.Errorf("the merged document is not valid: %v", err)
	}
}
