package record

import (
	"context"
	"slices"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Opened returns what opened the window, the customer's newest message included, and what earlier versions kept.
func (w Window) Opened() channel.Anchors {
	as := freeEntry(w.Anchors, w.FreeUntil)
	if w.LastInboundAt.IsZero() {
		return as
	}
	return as.Open(channel.Anchor{Kind: channel.ByMessage, At: w.LastInboundAt})
}

// freeEntry adds the end of a free entry to the anchors, as earlier versions kept it.
func freeEntry(as channel.Anchors, until event.Time) channel.Anchors {
	if until.IsZero() {
		return as
	}
	return as.Open(channel.Anchor{Kind: channel.ByFreeEntry, Until: until})
}

// Window is the thread's before it has a conversation: what has opened it.
func (t *Thread) Window() Window { return Window{Anchors: freeEntry(t.Anchors, t.FreeUntil)} }

// open notes what has opened the window beside the customer's messages.
func (w *Window) open(as channel.Anchors) {
	if len(as) > 0 {
		w.keep(freeEntry(w.Anchors, w.FreeUntil).Open(as...))
	}
}

// keep replaces what opened the window, in the form of this version.
func (w *Window) keep(as channel.Anchors) { w.Anchors, w.FreeUntil = as, event.Time{} }

// State returns what the conversation's window allows an attempt of a message, by the rules of its channel. Only the first attempt goes
// out by a reply handle; another one leaves out what has arrived.
func (w Window) State(rules channel.Window, m *Message, now event.Time) channel.WindowState {
	s := rules.State(w.Opened(), now.Time)
	switch {
	case len(m.Attempts) > 0:
		s.Free = len(m.arrived())
	case slices.ContainsFunc(w.Handles, func(h Handle) bool { return h.lasts(now) }):
		s.Free = 1
	}
	return s
}

// Use takes the places that an attempt needs, in the commit that queues it or in one before (docs/models/windows.pml, TAKE).
func (c *Conversation) Use(d Dispatch, attempt string, at event.Time) {
	if d.Needs > 0 {
		c.Window.keep(d.Rules.Take(c.Window.Opened(), at.Time, attempt, d.Needs))
	}
}

// used is how many places of the window an attempt has surely or perhaps used: one for every part that the provider may have.
func (a Attempt) used() int {
	parts := map[int]bool{}
	for _, s := range a.Steps {
		if s.Status != event.Queued && s.Status != event.Failed {
			parts[s.Part] = true
		}
	}
	return len(parts)
}

// Settled takes over in the window that the outcome of an attempt is known: places that it provably did not use are free again, in its
// conversation and in those that follow, to which the anchors went on (docs/models/windows.pml, BACK).
func (r *Store) Settled(ctx context.Context, m *Message, attempt string) error {
	i := slices.IndexFunc(m.Attempts, func(a Attempt) bool { return a.ID == attempt })
	if i < 0 || m.Attempts[i].Places == 0 || m.Attempts[i].Status == event.Queued {
		return nil
	}
	a := m.Attempts[i]
	at := a.Steps[len(a.Steps)-1].At
	for id := m.ConversationID; id != ""; {
		c, err := r.Conversations.Update(ctx, id, func(c *Conversation) error {
			anchors, changed := c.Window.Opened().Settle(attempt, a.used(), at)
			if !changed {
				return store.Unchanged
			}
			c.Window.keep(anchors)
			return nil
		})
		if err != nil {
			return err
		}
		id = c.Next
	}
	return nil
}
