package store

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/tributaryhq/tributary/pkg/fault"
)

func TestFault(t *testing.T) {
	t.Parallel()
	own := errors.New("own")
	for name, tt := range map[string]struct {
		err  error
		kind fault.Kind
	}{
		"not found":  {fmt.Errorf("things x: %w", ErrNotFound), fault.Gone},
		"exists":     {ErrExists, fault.Conflict},
		"conflict":   {ErrConflict, fault.Conflict},
		"cursor":     {ErrCursor, fault.Invalid},
		"no index":   {ErrNoIndex, fault.Internal},
		"too large":  {fmt.Errorf("things x: %w", ErrTooLarge), fault.Invalid},
		"away":       {fmt.Errorf("things x: %w", Away(context.DeadlineExceeded)), fault.Unavailable},
		"classified": {fault.New(fault.Denied, "no", "%w", ErrNotFound), fault.Denied},
		"our own":    {own, fault.Internal},
	} {
		got := Fault(tt.err)
		if fault.KindOf(got) != tt.kind || !errors.Is(got, tt.err) {
			t.Errorf("%s: %v is %s, want %s", name, got, fault.KindOf(got), tt.kind)
		}
	}
	if Fault(nil) != nil || Away(nil) != nil {
		t.Error("no error became one")
	}
}
