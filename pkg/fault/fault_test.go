package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tributaryhq/tributary/pkg/fault"
)

func TestErrorsAreClassifiedThroughTheirWrappers(t *testing.T) {
	t.Parallel()
	denied := fmt.Errorf("channel ch_1: %w", fault.New(fault.Denied, "forged", "no match"))
	for name, tc := range map[string]struct {
		err  error
		kind fault.Kind
		text string
	}{
		"wrapped":      {denied, fault.Denied, "denied"},
		"unclassified": {errors.New("oops"), fault.Internal, "internal"},
		"field":        {fault.At("/text", "too_long", "x"), fault.Invalid, "invalid"},
	} {
		if got := fault.KindOf(tc.err); got != tc.kind || got.String() != tc.text || !fault.Is(tc.err, tc.kind) {
			t.Errorf("%s: kind %s", name, got)
		}
	}
	if fault.KindOf(nil) == fault.Internal || fault.Is(nil, fault.KindOf(nil)) || fault.Of(nil) != nil {
		t.Error("no error has a kind")
	}
	if !fault.Throttled.Retryable() || fault.Unknown.Retryable() {
		t.Error("an unknown outcome must not be retried, a throttled call may")
	}
}
