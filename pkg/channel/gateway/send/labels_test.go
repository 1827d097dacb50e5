package send

import (
	"fmt"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

func TestAProvidersWordIsNoLabel(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		channel.CodeWindowClosed: channel.CodeWindowClosed, "send_expired": "send_expired", "131047": "other", "(#100) \"x\"\n": "other", "Window_Closed": "other",
	} {
		if got := codeLabel(&event.Error{Code: code}); got != want {
			t.Errorf("%q became %q", code, got)
		}
	}
	if got := codeLabel(nil); got != "" {
		t.Errorf("no error became %q", got)
	}
	seen := map[string]bool{}
	for i := range 10_000 {
		seen[codeLabel(&event.Error{Code: fmt.Sprint("provider_", i)})] = true
	}
	if len(seen) != 1 {
		t.Errorf("%d series", len(seen))
	}
}
