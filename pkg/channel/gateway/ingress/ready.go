package ingress

import (
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// ready says of every file that came with the message itself that it is there, as the media worker says it of those it fetched, and of every
// file that stays at the provider where that is: whoever serves files hears of all of them in one way.
func (g *Ingress) ready(ch channel.Keyed, e *event.Inbound) (recs []event.Record) {
	if e.Content == nil {
		return nil
	}
	for _, a := range e.Content.Attachments {
		if (a.State != event.Ready || a.Blob == "") && a.State != event.Remote {
			continue
		}
		recs = append(recs, event.Record{Topic: event.TopicInbound, Key: event.Key(ch.ID, e.Peer), Event: event.New(
			event.DeriveID("evt", ch.Tenant, ch.ID, string(event.AttachmentReady), a.ID), event.AttachmentReady, g.Source, ch.Tenant, a.ID, e.ReceivedAt,
			event.Attached{ChannelID: ch.ID, ChannelType: ch.Type, Peer: e.Peer, Ref: e.Ref, Attachment: a})})
	}
	return recs
}
