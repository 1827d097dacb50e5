package record

import (
	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/event"
)

// snoozeTimer is the kind of the timer that wakes a conversation.
const snoozeTimer = "snooze"

// Timers returns the runner of the conversations' timers.
func (r *Store) Timers(now func() event.Time) *due.Runner[Conversation] {
	return due.Runner[Conversation]{
		Docs: r.Conversations, Now: now,
		Of: func(c *Conversation) (string, *due.Timers) { return c.ID, &c.Timers },
		Kinds: map[string]due.Kind[Conversation]{
			snoozeTimer: {Most: due.AnyTime, Fire: wake},
		},
	}.New()
}

func wake(c *Conversation, _ due.Timer, at event.Time) error {
	if c.Status != Snoozed {
		return nil
	}
	return c.Snooze(event.Time{}, event.Actor{Kind: "automation", ID: "snooze"}, at)
}
