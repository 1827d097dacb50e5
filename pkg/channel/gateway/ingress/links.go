package ingress

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// Every receipt of a person with several ids names them all. Which of them the inbox has is remembered for a day, of so many people.
const (
	linksKept = 10_000
	linksFor  = 24 * time.Hour
)

// links remembers which ids the inbox was told to be one person's, so that not every receipt does so again. Forgetting costs an event
// that changes nothing.
type links struct {
	told *lru.Cache[string, time.Time] // event id → when
	now  func() time.Time
}

func newLinks(now func() time.Time) *links {
	told, err := lru.New[string, time.Time](linksKept)
	if err != nil {
		panic(err) // only a size below one is refused
	}
	return &links{told: told, now: now}
}

// link is the event by which the inbox learns that the ids of a receipt are one person's; false if it has learned it already. The
// inbox does not read receipts.
func (l *links) link(ch channel.Keyed, source string, e *event.Inbound) (event.Record, bool) {
	if e.Type != event.ReceiptReceived || e.Peer == "" || len(e.Aliases) == 0 {
		return event.Record{}, false
	}
	ids := append([]string{e.Peer}, e.Aliases...)
	in := event.Inbound{
		Type: event.ContactIdentified, ChannelID: e.ChannelID, ChannelType: e.ChannelType, Ref: "receipt:" + event.Hash(ids...),
		Peer: e.Peer, Aliases: e.Aliases, ProviderAt: e.ProviderAt, ReceivedAt: e.ReceivedAt, Post: e.Post,
		Identity: &event.Identity{Old: []string{}, New: ids, Reason: "receipt"},
	}
	id := event.DeriveID("evt", ch.Tenant, ch.ID, string(in.Type), in.Ref)
	if at, ok := l.told.Get(id); ok && l.now().Sub(at) < linksFor {
		return event.Record{}, false
	}
	told := event.New(id, in.Type, source, ch.Tenant, ch.ID, e.ReceivedAt, in)
	return event.Record{Topic: event.TopicInbound, Key: event.Key(ch.ID, e.Peer), Event: told}, true
}

// published notes what was told, once it cannot be lost any more.
func (l *links) published(recs []event.Record) {
	for _, r := range recs {
		if r.Event.Type == event.ContactIdentified && r.Topic == event.TopicInbound {
			l.told.Add(r.Event.ID, l.now())
		}
	}
}
