package channel

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// neverOpen is the end of a window that no message of the customer has opened yet: long past, and not zero.
var neverOpen = event.At(time.Unix(1, 0))

// Ends returns when the business may write no more, by the time of the customer's newest message and the end of a free entry; zero
// times where there was none. A zero result means that the window does not end.
func (w Window) Ends(lastInbound, freeUntil event.Time) event.Time {
	switch {
	case w.Kind != "inbound" && w.Kind != "reply":
		return event.Time{}
	case lastInbound.IsZero():
		return neverOpen
	case w.Kind == "reply":
		return event.Time{}
	}
	end := lastInbound.Add(time.Duration(w.For))
	if freeUntil.After(end) {
		end = freeUntil
	}
	return end
}
