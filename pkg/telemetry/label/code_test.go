package label_test

import (
	"fmt"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/telemetry/label"
)

func TestAProvidersWordIsNoLabel(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		channel.CodeWindowClosed: channel.CodeWindowClosed, "send_expired": "send_expired", "": "",
		"131047": label.Other, "(#100) \"x\"\n": label.Other, "Window_Closed": label.Other,
	} {
		if got := label.Code(code); got != want {
			t.Errorf("%q became %q", code, got)
		}
	}
	seen := map[string]bool{}
	for i := range 10_000 {
		seen[label.Code(fmt.Sprint("provider_", i))] = true
	}
	if len(seen) != 1 {
		t.Errorf("%d series", len(seen))
	}
}
