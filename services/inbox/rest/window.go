package rest

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// expiring is how long before its end a window is shown as ending.
const expiring = 2 * time.Hour

// closedBecause says in words why a window is closed.
var closedBecause = map[string]string{
	channel.NeverOpened: "the customer has not written yet",
	channel.Expired:     "the customer has not written for too long",
	channel.UsedUp:      "all messages have been sent that the provider allows until the customer writes again",
}

// window is a conversation's window as the API shows it.
func window(rules channel.Rules, w record.Window, now event.Time) object {
	out := object{"state": "none", "expires_at": nil, "remaining_messages": nil, "allowed": []string{"any"}}
	if len(rules.Window.Opens) == 0 {
		return out
	}
	s := rules.Window.State(w.Opened(), now.Time)
	if s.Open() && s.Until.IsZero() && s.Left == nil {
		return out // open for good
	}
	out["opens_by"], out["state"] = "customer_message", "open"
	switch {
	case !s.Open():
		out["state"], out["reason"] = "expired", closedBecause[s.Closed]
		out["allowed"] = append([]string{}, rules.Window.Outside...)
	case !s.Until.IsZero() && now.Add(expiring).After(s.Until):
		out["state"] = "expiring"
	}
	if !s.Until.IsZero() {
		out["expires_at"] = s.Until
	}
	if s.Left != nil {
		out["remaining_messages"] = *s.Left
	}
	return out
}
