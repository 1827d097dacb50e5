package httpapi

import (
	"context"
	"sync/atomic"
	"testing"
)

// The writer of a request is another's as soon as its handler has returned.
func TestNothingTouchesTheWriterAfterItsRequest(t *testing.T) {
	t.Parallel()
	for range 1000 {
		ctx, cancel := context.WithCancel(t.Context())
		var over atomic.Bool
		stop := onEnd(ctx, func() {
			if over.Load() {
				t.Error("called after the request")
			}
		})
		go cancel()
		stop()
		over.Store(true)
	}
}
