package rest

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// expiring is how long before its end a window is shown as ending.
const expiring = 2 * time.Hour

// window is a conversation's window as the API shows it.
func window(rules channel.Rules, w record.Window, now event.Time) object {
	end := rules.Window.Ends(w.LastInboundAt, w.FreeUntil)
	out := object{"state": "none", "expires_at": nil, "remaining_messages": nil, "allowed": []string{"any"}}
	if end.IsZero() {
		return out
	}
	out["opens_by"] = "customer_message"
	switch {
	case !now.Before(end):
		out["state"], out["reason"] = "expired", "the customer has not written for too long"
		if w.LastInboundAt.IsZero() {
			out["reason"] = "the customer has not written yet"
		}
		out["allowed"] = append([]string{}, rules.Window.Outside...)
	case now.Add(expiring).After(end):
		out["state"] = "expiring"
	default:
		out["state"] = "open"
	}
	if !w.LastInboundAt.IsZero() {
		out["expires_at"] = end
	}
	return out
}
