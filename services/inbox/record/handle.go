package record

import (
	"slices"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Handle is a reply handle that has not been used up. A message takes one use of it in the same commit in which it is queued, so that no
// handle is sent twice (docs/models/outbound.pml, TAKE). A use is never given back: what became of it, only the provider knows.
type Handle struct {
	Token string     `json:"token"`
	Until event.Time `json:"until"`
	Left  int        `json:"left"` // uses
}

const (
	keptHandles  = 16              // of a conversation: those that expire last
	handleMargin = 5 * time.Second // before it expires a handle is not taken any more: the call has to arrive in time
)

// learn adds the handle that came with a message. A handle that is known already, or has no token, use or time, changes nothing.
func (w *Window) learn(h *event.ReplyHandle, at event.Time) {
	if h == nil || h.Token == "" || h.Uses < 1 || !at.Before(h.Until) {
		return
	}
	if slices.ContainsFunc(w.Handles, func(k Handle) bool { return k.Token == h.Token }) {
		return
	}
	handles := append(slices.Clone(w.Handles), Handle{Token: h.Token, Until: h.Until, Left: h.Uses})
	slices.SortStableFunc(handles, func(a, b Handle) int { return a.Until.Compare(b.Until.Time) })
	w.Handles = handles[max(0, len(handles)-keptHandles):]
}

// lasts reports whether the handle can still be taken.
func (h Handle) lasts(at event.Time) bool { return at.Add(handleMargin).Before(h.Until) }

// take uses the handle that expires first, and drops those that have expired. It returns the zero Handle if there is none.
func (w *Window) take(at event.Time) (taken Handle) {
	var left []Handle
	for _, h := range w.Handles {
		if !h.lasts(at) {
			continue
		}
		if taken.Token == "" {
			taken = h
			h.Left--
		}
		if h.Left > 0 {
			left = append(left, h)
		}
	}
	w.Handles = left
	return taken
}
