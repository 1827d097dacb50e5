package channeltest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// eventID is how the host derives an event's id.
func eventID(ch channel.Keyed, e event.Inbound) string {
	return event.DeriveID("evt", ch.Tenant, ch.ID, string(e.Type), e.Ref)
}

// identity checks over all cases that an event's id says what happened: the same id only for the same event, and another one
// when a reaction is toggled or the peer is another.
func (r *runner) identity(t *testing.T) {
	type first struct {
		c    *golden
		body string
	}
	ids := map[string]first{}
	for _, res := range r.accepted {
		for _, e := range res.p.Events {
			id, body := eventID(res.c.ch, e), string(pretty(t, e))
			if was, ok := ids[id]; ok && was.body != body {
				t.Errorf("%s and %s have different events with one id: %s %s", was.c.path, res.c.path, e.Type, e.Ref)
			}
			ids[id] = first{res.c, body}
		}
	}
	if r.adapter.Info().Inbound.Reactions && !r.toggles() {
		t.Error("no two cases show one person adding and removing a reaction to one message, with different ids")
	}
	if r.peerScoped {
		for _, res := range r.accepted {
			r.otherPeer(t, res)
		}
	}
}

// toggles reports whether the cases hold a reaction that is added and taken back, as two events.
func (r *runner) toggles() bool {
	added := map[string]string{}
	for _, pass := range []bool{true, false} {
		for _, res := range r.accepted {
			for _, e := range res.p.Events {
				if e.Type != event.MessageReacted {
					continue
				}
				key, id := e.Peer+" "+e.Target, eventID(res.c.ch, e)
				if was, ok := added[key]; !pass && e.Reaction.Emoji == "" && ok && was != id {
					return true
				}
				if pass && e.Reaction.Emoji != "" {
					added[key] = id
				}
			}
		}
	}
	return false
}

// otherPeer sends the same body as if from somebody else.
func (r *runner) otherPeer(t *testing.T, res read) {
	t.Helper()
	for _, e := range res.p.Events {
		if e.Peer == "" {
			continue
		}
		id := e.Peer[strings.LastIndexByte(e.Peer, ':')+1:]
		other := flipLast(id)
		in := copied(res.in)
		in.Body = bytes.ReplaceAll(in.Body, []byte(id), []byte(other))
		p, err := r.adapter.Parse(res.c.ch, in)
		if err != nil || len(p.Events) != len(res.p.Events) {
			t.Errorf("%s: another peer gives %d events and %v", res.c.path, len(p.Events), err)
			return
		}
		for n, g := range p.Events {
			if was := res.p.Events[n]; g.Peer != was.Peer && g.Ref == was.Ref && g.Type == e.Type && !unscoped(g) {
				t.Errorf("%s: %s of another peer has the same Ref %s", res.c.path, g.Type, g.Ref)
			}
		}
	}
}

// unscoped events have ids of their own, not the number of a message in a chat.
func unscoped(e event.Inbound) bool {
	return e.Type != event.MessageReceived && e.Type != event.MessageEchoed && e.Type != event.MessageDeleted ||
		e.Content != nil && e.Content.Interaction != nil && e.Content.Interaction.Ack != ""
}
