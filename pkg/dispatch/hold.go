package dispatch

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// hold is what the other side's throttling holds back of a scope. A refused row waits by itself in any case, and the other
// rows of its key behind it. Times are of the monotonic clock.
type hold struct {
	until time.Time // no call of the scope before it
	probe bool      // after it one call at a time, until one is not throttled

	suspect string    // the key of the newest refusal that did not name its scope,
	lasting time.Time // and until when it lasts
}

// refuse notes a throttled call. A limit whose scope is not named is taken for the key's own, until another
// key is refused while it lasts.
func (h *hold) refuse(key string, scope fault.Scope, until, now time.Time) {
	switch scope {
	case fault.ScopePeer:
		return
	case fault.ScopeChannel, fault.ScopeAccount:
	default:
		if alone := h.suspect == "" || h.suspect == key || !now.Before(h.lasting); alone && !h.probe {
			h.suspect, h.lasting = key, until
			return
		}
	}
	h.probe = true
	if until.After(h.until) {
		h.until = until
	}
}

// left returns how long the scope is still held.
func (h *hold) left(now time.Time) time.Duration { return h.until.Sub(now) }
