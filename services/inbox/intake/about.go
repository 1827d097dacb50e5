package intake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/chat"
)

// How long something waits for the message it is about (channels/meta-telegram-line.md §8.4), and an echo for the send that
// it may be (architecture §7, Receipts).
const (
	parkedFor = 10 * time.Minute
	echoFor   = 60 * time.Second
)

// about handles edits, deletions and reactions. They may come before their message: then they are parked, and whoever adds
// the message looks for them; both look after they have written, so that neither can miss the other.
func (i *Intake) about(ctx context.Context, in event.Inbound, at event.Time) error {
	m, err := i.Record.ByExternalID(ctx, "", in.ChannelID, in.Target)
	if err != nil {
		return err
	}
	if m != nil {
		return i.apply(ctx, m.ID, in, at)
	}
	if err := i.park(ctx, in, at, event.Time{}); err != nil {
		return err
	}
	return i.unpark(ctx, in.ChannelID, []string{in.Target}, at)
}

func (i *Intake) park(ctx context.Context, in event.Inbound, at, due event.Time) error {
	p := &chat.Parked{ChannelID: in.ChannelID, Target: in.Target, Event: in, DueAt: due, CreatedAt: at}
	p.ID = event.DeriveID("prk", in.ChannelID, string(in.Type), in.Ref)
	p.ExpiresAt = at.Add(parkedFor)
	if !due.IsZero() {
		p.ExpiresAt = event.Time{} // an echo is never dropped
	}
	err := i.Record.Parked.Insert(ctx, p)
	if errors.Is(err, store.ErrExists) {
		return nil
	}
	return err
}

// unpark applies what waits for messages with these provider ids.
func (i *Intake) unpark(ctx context.Context, channelID string, externalIDs []string, at event.Time) error {
	for _, id := range externalIDs {
		q := store.Query{Where: []store.Eq{{Field: "channel_id", Value: channelID}, {Field: "target", Value: id}}, Order: "created_at", Limit: 100}
		waiting, _, _, err := i.Record.Parked.Query(ctx, q)
		if err != nil || len(waiting) == 0 {
			return err
		}
		m, err := i.Record.ByExternalID(ctx, "", channelID, id)
		if err != nil || m == nil {
			return err
		}
		for _, p := range waiting {
			if p.Event.Type != event.MessageEchoed {
				if err := i.apply(ctx, m.ID, p.Event, at); err != nil {
					return err
				}
			}
			if err := i.Record.Parked.Delete(ctx, p.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (i *Intake) apply(ctx context.Context, messageID string, in event.Inbound, at event.Time) error {
	when := in.ProviderAt
	if when.IsZero() {
		when = at
	}
	_, err := i.Record.Messages.Update(ctx, messageID, func(m *chat.Message) error {
		by := event.Actor{Kind: "contact", ID: m.ContactID}
		fresh := false
		switch in.Type {
		case event.MessageEdited:
			if in.Content == nil {
				return poison(fmt.Errorf("an edit without content, ref %s", in.Ref))
			}
			fresh = m.Edit(*in.Content, in.Ref, when)
		case event.MessageDeleted:
			fresh = m.Delete(in.Ref, by, when)
		case event.MessageReacted:
			who, emoji := in.Peer, ""
			if in.Sender != nil && in.Sender.Author != "" {
				who = in.Sender.Author
			}
			if in.Reaction != nil {
				emoji = in.Reaction.Emoji
			}
			fresh = m.React(who, emoji, in.Ref, by, when)
		}
		if !fresh {
			return store.Unchanged
		}
		return nil
	})
	return err
}

// attached takes over what became of a file. Its record comes behind the message's, so the message is there.
func (i *Intake) attached(ctx context.Context, tenant string, a event.Attached) error {
	at := event.At(i.Now())
	m, err := i.Record.Messages.Update(ctx, chat.MessageID(tenant, a.ChannelID, a.Ref), func(m *chat.Message) error {
		if !m.Attach(a.Attachment, at) {
			return store.Unchanged
		}
		return nil
	})
	if err != nil || a.Attachment.State != event.Ready {
		return err
	}
	f := &chat.File{
		ConversationID: m.ConversationID, Type: a.Attachment.Type, MIME: a.Attachment.MIME, Name: a.Attachment.Name, Size: a.Attachment.Size,
		SHA256: a.Attachment.SHA256, Blob: a.Attachment.Blob, CreatedAt: at,
	}
	f.ID, f.Tenant = a.Attachment.ID, tenant
	if err := i.Record.Files.Insert(ctx, f); err != nil && !errors.Is(err, store.ErrExists) {
		return err
	}
	return nil
}

// echoed handles a message that the business sent from another client, or that we sent ourselves and the provider repeats.
// While a send of ours has no provider id yet, the echo may be that one: it waits, at most a minute.
func (i *Intake) echoed(ctx context.Context, t *chat.Thread, rules chat.Rules, in event.Inbound, at event.Time) error {
	if in.Content == nil {
		return poison(fmt.Errorf("an echo without content, ref %s", in.Ref))
	}
	known, err := i.Record.ByExternalID(ctx, t.Tenant, in.ChannelID, in.ExternalID)
	if err != nil || known != nil {
		return err
	}
	anonymous, err := i.Record.Anonymous(ctx, t)
	if err != nil {
		return err
	}
	if anonymous {
		in.Target = in.ExternalID
		return i.park(ctx, in, at, at.Add(echoFor))
	}
	return i.native(ctx, t, rules, in, at)
}

// native adds a message of the provider's own app.
func (i *Intake) native(ctx context.Context, t *chat.Thread, rules chat.Rules, in event.Inbound, at event.Time) error {
	m := message(t, in, chat.Out, at)
	m.Sender, m.Via, m.Status = chat.Sender{Type: "native_app"}, chat.Via{Kind: "echo"}, event.Sent
	if in.Sender != nil {
		m.Sender.Name = in.Sender.Name
	}
	if _, _, err := i.Record.Echoed(ctx, t, rules, m); err != nil {
		return err
	}
	return i.unpark(ctx, in.ChannelID, m.ExternalIDs, at)
}

// Due adds the echoes whose minute is over. Every replica may do so at once.
func (i *Intake) Due(ctx context.Context) error {
	now := event.At(i.Now())
	q := store.Query{Range: &store.Range{Field: "due_at", To: now.String()}, Limit: 100}
	due, _, _, err := i.Record.Parked.Query(ctx, q)
	if err != nil {
		return err
	}
	for _, p := range due {
		if err := i.resolve(ctx, p, now); err != nil {
			return err
		}
	}
	return nil
}

func (i *Intake) resolve(ctx context.Context, p *chat.Parked, at event.Time) error {
	in := p.Event
	known, err := i.Record.ByExternalID(ctx, "", in.ChannelID, in.ExternalID)
	if err != nil {
		return err
	}
	if known == nil {
		ch, err := i.Channels.Channel(ctx, in.ChannelID)
		if err != nil {
			return err
		}
		person := chat.Person{Tenant: ch.Tenant, ChannelID: in.ChannelID, ChannelType: in.ChannelType, Peer: in.Peer, Aliases: in.Aliases, Post: in.Post, OUID: ch.OUID}
		t, err := i.Record.Thread(ctx, person, at)
		if err != nil {
			return err
		}
		if err := i.native(ctx, t, rules(ch), in, at); err != nil {
			return err
		}
	}
	return i.Record.Parked.Delete(ctx, p.ID)
}
