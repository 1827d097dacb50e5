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

func TestCallersReadNothingOfInnerErrors(t *testing.T) {
	t.Parallel()
	inner := errors.New("open /var/lib/tributary/secret: permission denied")
	for name, tc := range map[string]struct {
		err  *fault.Error
		want string
	}{
		"a text":             {fault.New(fault.Invalid, "x", "at most %d", 3), "at most 3"},
		"an inner error":     {fault.New(fault.Invalid, "x", "not readable: %w", inner), "not readable"},
		"printed":            {fault.New(fault.Invalid, "x", "file %v of %d", inner, 3), "file  of 3"},
		"nothing else":       {fault.New(fault.Invalid, "x", "%w", inner), ""},
		"one of its own":     {fault.New(fault.Invalid, "x", "no: %w", fmt.Errorf("z: %w", fault.At("/a", "y", "too long"))), "no: too long"},
		"one of a literal":   {fault.New(fault.Invalid, "x", "no: %w", &fault.Error{Kind: fault.Gone, Err: inner}), "no"},
		"a literal":          {&fault.Error{Kind: fault.Gone, Code: "x", Err: inner}, ""},
		"a cause":            {fault.Because(inner, fault.Unavailable, "x", "the file store is away"), "the file store is away"},
		"later":              {fault.Later("x", 3, "too many"), "too many"},
		"a text with a sign": {fault.New(fault.Invalid, "x", "100%% of it"), "100% of it"},
	} {
		if tc.err.Detail != tc.want {
			t.Errorf("%s: %q, want %q", name, tc.err.Detail, tc.want)
		}
	}
	if err := fault.Because(inner, fault.Unavailable, "x", "away"); !errors.Is(err, inner) || err.Error() != "unavailable (x): away: "+inner.Error() {
		t.Errorf("the log reads %q", err)
	}
}
