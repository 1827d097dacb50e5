package standalone

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestOtherProcessesKnowEveryKey: the list that pkg/run takes for keys of others is the one that the services declare.
func TestOtherProcessesKnowEveryKey(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../pkg/run/elsewhere.txt")
	if err != nil {
		t.Fatal(err)
	}
	if want := Program().Keys(); !slices.Equal(strings.Fields(string(b)), want) {
		t.Errorf("pkg/run/elsewhere.txt has %q, the services declare %q: run make generate", strings.Fields(string(b)), want)
	}
}
