package ingress

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// mediaFor is how long we try to fetch media where the provider promises nothing.
const mediaFor = 24 * time.Hour

// translate appends the journal record of a call for one channel, and behind it everything that the call said, in its order.
func (g *Ingress) translate(ctx context.Context, b *batch, ch channel.Keyed, in channel.Inbound, p channel.Parsed, perr error, n callNotes) error {
	n.verdict = verdictOf(p, perr)
	if n.as != "" {
		n.verdict = n.as
	}
	if perr != nil {
		n.reason = perr.Error()
	}
	waiting, err := g.join(ctx, b, ch, &p)
	if err != nil {
		return fmt.Errorf("channel %s: %w", ch.ID, err)
	}
	if waiting && n.as == "" {
		n.verdict = accepted
	}
	at := len(b.records)
	b.records = append(b.records, event.Record{})
	for i := range p.Events {
		e := &p.Events[i]
		if e.Ref == "" { // nothing verified is dropped, whatever the adapter forgot
			e.Ref = "body:" + event.Hash(string(in.Body), strconv.Itoa(i))
		}
		e.ChannelID, e.ChannelType, e.ReceivedAt = ch.ID, ch.Type, event.At(in.At)
		recs, err := g.records(ctx, ch, e)
		if err != nil {
			return fmt.Errorf("channel %s: %w", ch.ID, err)
		}
		n.events = append(n.events, recs[0].Event.ID)
		b.records = append(b.records, recs...)
		b.seen = append(b.seen, seen{ch.Channel, e})
		if b.oldest.IsZero() || !e.ProviderAt.IsZero() && e.ProviderAt.Before(b.oldest) {
			b.oldest = e.ProviderAt
		}
	}
	journal, err := g.journal(ctx, ch, in, p, n)
	if err != nil {
		return fmt.Errorf("channel %s: %w", ch.ID, err)
	}
	b.records[at] = journal
	b.conclude(n.verdict, p.Reply)
	return nil
}

func verdictOf(p channel.Parsed, err error) string {
	switch {
	case err != nil:
		return unparsable
	case len(p.Events) > 0:
		return accepted
	case p.Handshake:
		return handshake
	}
	return ignored
}

var weight = map[string]int{ignored: 0, handshake: 1, unparsable: 2, accepted: 3}

// conclude lets the weightiest verdict of the channels be that of the call, and the first answer its answer.
func (b *batch) conclude(verdict string, r channel.Reply) {
	if weight[verdict] > weight[b.verdict] {
		b.verdict = verdict
	}
	if b.reply.Status == 0 && len(b.reply.Body) == 0 && len(b.reply.Header) == 0 {
		b.reply = r
	}
}

// records turns one event into its record and one wanted record for each file that the provider still has.
func (g *Ingress) records(ctx context.Context, ch channel.Keyed, e *event.Inbound) ([]event.Record, error) {
	wanted, err := g.attachments(ctx, ch, e)
	if err != nil {
		return nil, err
	}
	if err := g.slim(ctx, ch, e); err != nil {
		return nil, err
	}
	topic := event.TopicInbound
	if e.Type == event.ReceiptReceived || e.Type == event.ReceiptWatermark {
		topic = event.TopicReceipts
	}
	id := event.DeriveID("evt", ch.Tenant, ch.ID, string(e.Type), e.Ref)
	ev := event.New(id, e.Type, g.Source, ch.Tenant, ch.ID, e.ReceivedAt, e)
	if len(ev.Data) > maxData {
		short, err := g.fold(ctx, ch, e, ev.Data)
		if err != nil {
			return nil, err
		}
		ev = event.New(id, e.Type, g.Source, ch.Tenant, ch.ID, e.ReceivedAt, short)
	}
	if !utf8.Valid(ev.Data) { // a provider's object, which goes along as it came
		ev.Data = bytes.ToValidUTF8(ev.Data, []byte("\ufffd"))
	}
	recs := make([]event.Record, 0, 1+len(wanted))
	recs = append(recs, event.Record{Topic: topic, Key: event.Key(ch.ID, e.Peer), Event: ev})
	if link, ok := g.links.link(ch, g.Source, e); ok {
		recs = append(recs, link)
	}
	recs = append(recs, g.ready(ch, e)...)
	for _, w := range wanted {
		recs = append(recs, event.Record{Topic: event.TopicMedia(ch.Type), Key: w.Attachment.ID, Event: event.New(
			event.DeriveID("evt", ch.Tenant, ch.ID, string(event.MediaWanted), w.Attachment.ID), event.MediaWanted, g.Source, ch.Tenant, w.Attachment.ID, e.ReceivedAt, w)})
	}
	return recs, nil
}

// attachments gives every file its derived id and says which are still to be fetched.
func (g *Ingress) attachments(ctx context.Context, ch channel.Keyed, e *event.Inbound) ([]event.WantedMedia, error) {
	if e.Content == nil {
		return nil, nil
	}
	var wanted []event.WantedMedia
	keep := g.info.Inbound.MediaFor
	if keep == 0 {
		keep = channel.Duration(mediaFor)
	}
	for i := range e.Content.Attachments {
		a := &e.Content.Attachments[i]
		a.ID = event.DeriveID("att", ch.Tenant, ch.ID, string(e.Type), e.Ref, strconv.Itoa(i))
		switch {
		case a.Bytes != nil:
			if err := g.unpack(ctx, ch, a); err != nil {
				return nil, err
			}
		case a.State == event.Remote && a.URL != "":
			a.Until = e.ReceivedAt.Add(time.Duration(keep))
		case a.MediaRef != "" || a.URL != "":
			a.State = event.Pending
			wanted = append(wanted, event.WantedMedia{
				ChannelID: ch.ID, Peer: e.Peer, Ref: e.Ref, Index: i, Attachment: *a, ExpiresAt: e.ReceivedAt.Add(time.Duration(keep)),
			})
		case a.Blob == "": // also what stays at the provider, which says nowhere where
			a.State, a.Error = event.Lost, &event.Error{Kind: "gone", Code: "no_media", Title: "The provider named no file"}
		}
	}
	return wanted, nil
}
