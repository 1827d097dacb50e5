package channel

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A provider's word in the name of a counter is bounded, and holds nothing that a metric or a log could trip over.
func TestIgnoredIsCountedByFitNames(t *testing.T) {
	t.Parallel()
	var p Parsed
	for _, detail := range []string{"", "", "brandNew", "a b\n\"c\"", "ü", strings.Repeat("x", 1000)} {
		p.Ignore("event", detail)
	}
	want := map[string]int{"event": 2, "event:brandNew": 1, "event:a_b__c_": 1, "event:_": 1, "event:" + strings.Repeat("x", maxLabel): 1}
	if diff := cmp.Diff(want, p.Ignored); diff != "" {
		t.Error(diff)
	}
}
