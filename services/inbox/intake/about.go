package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// How long something waits for the message it is about, and an echo for the send that it may be.
const (
	parkedFor = 10 * time.Minute
	echoFor   = 60 * time.Second
)

// about handles edits, deletions, reactions and comments that are hidden. They may come before their message: then they are parked, and whoever
// adds the message looks for them; both look after they have written, so that neither can miss the other.
func (i *Intake) about(ctx context.Context, tenant string, in event.Inbound, at event.Time) error {
	if in.Type == event.MessageEdited && in.Content == nil {
		return poison(fmt.Errorf("an edit without content, ref %s", in.Ref))
	}
	m, err := i.target(ctx, tenant, in, in.Target)
	if err != nil {
		return err
	}
	if m != nil {
		return i.apply(ctx, m, in, at)
	}
	waiting := record.Parked{Target: in.Target, Event: in}
	if in.Type == event.MessageEdited { // it says all that the message says
		waiting.DueAt = at.Add(echoFor)
	}
	if err := i.park(ctx, tenant, waiting, at); err != nil {
		return err
	}
	return i.Unpark(ctx, tenant, in.ChannelID, in.Target)
}

// target finds the message that an event is about by its provider id; nil if it is not in. A message whose commit is done may still have
// to be recorded.
func (i *Intake) target(ctx context.Context, tenant string, in event.Inbound, externalID string) (*record.Message, error) {
	m, err := i.Record.ByExternalID(ctx, tenant, in.ChannelID, externalID)
	if err != nil || m != nil || in.Peer == "" {
		return m, err
	}
	p := record.Person{Tenant: tenant, ChannelID: in.ChannelID, ChannelType: in.ChannelType, Peer: in.Peer, Aliases: in.Aliases, Post: in.Post}
	if err := i.Record.Recorded(ctx, p); err != nil {
		return nil, err
	}
	return i.Record.ByExternalID(ctx, tenant, in.ChannelID, externalID)
}

// park keeps something for the message it is about. An echo has a time at which it is a message itself, and is never
// dropped.
func (i *Intake) park(ctx context.Context, tenant string, p record.Parked, at event.Time) error {
	p.ID, p.Tenant, p.ChannelID, p.CreatedAt = event.DeriveID("prk", tenant, p.Event.ChannelID, string(p.Event.Type), p.Event.Ref), tenant, p.Event.ChannelID, at
	if p.DueAt.IsZero() {
		p.ExpiresAt = at.Add(parkedFor)
	}
	err := i.Record.Parked.Insert(ctx, &p)
	if errors.Is(err, store.ErrExists) {
		return nil
	}
	return err
}

// unparked applies what waits for a message that has just been added.
func (i *Intake) unparked(ctx context.Context, m *record.Message, at event.Time) error {
	if len(m.Content.Attachments) > 0 {
		if err := i.Unpark(ctx, m.Tenant, m.ChannelID, ofRef(m.Ref)); err != nil {
			return err
		}
	}
	return i.Unpark(ctx, m.Tenant, m.ChannelID, m.ExternalIDs...)
}

// ofRef is the target of what names a message by the occurrence it came from.
func ofRef(ref string) string { return "ref:" + ref }

// Unpark applies what waits for messages of a channel, after these targets have become known: provider ids, mostly.
func (i *Intake) Unpark(ctx context.Context, tenant, channelID string, targets ...string) error {
	for _, target := range targets {
		for {
			n, err := i.unpark(ctx, tenant, channelID, target)
			if err != nil {
				return err
			}
			if n < parkedPage {
				break
			}
		}
	}
	return nil
}

const parkedPage = 100

// unpark handles one page, and tells how much of it is gone.
func (i *Intake) unpark(ctx context.Context, tenant, channelID, target string) (done int, err error) {
	q := store.Query{Where: []store.Eq{{Field: "channel_id", Value: channelID}, {Field: "target", Value: target}}, Order: "created_at", Limit: parkedPage}
	waiting, _, _, err := i.Record.Parked.Query(ctx, q)
	if err != nil || len(waiting) == 0 {
		return 0, err
	}
	m, err := i.target(ctx, tenant, waiting[0].Event, target)
	if err != nil {
		return 0, err
	}
	for _, p := range waiting {
		switch {
		case p.Attached != nil:
			err = i.attach(ctx, p.Tenant, *p.Attached)
		case m == nil:
			continue
		case p.Event.Type != event.MessageEchoed:
			err = i.apply(ctx, m, p.Event, p.CreatedAt)
		}
		if err == nil {
			err = i.Record.Parked.Delete(ctx, p.ID)
		}
		if err != nil {
			return done, err
		}
		done++
	}
	return done, nil
}

// apply changes a message. Its new files are held before, those that it refers to no more are released afterwards.
func (i *Intake) apply(ctx context.Context, m *record.Message, in event.Inbound, at event.Time) error {
	var err error
	switch in.Type {
	case event.MessageEdited:
		err = i.hold(ctx, m.Tenant, m.ID, *in.Content)
	case event.MessageDeleted:
		err = i.forget(ctx, m)
	}
	if err != nil {
		return err
	}
	var before []string
	m, err = i.Record.Messages.Update(ctx, m.ID, func(m *record.Message) error {
		before = record.Blobs(m.Content)
		by := event.Actor{Kind: "contact", ID: m.ContactID}
		if in.Echo {
			by = event.Actor{Kind: "user"}
		}
		fresh := false
		switch in.Type {
		case event.MessageEdited:
			fresh = m.Edit(*in.Content, in.Ref, when(in, at))
		case event.MessageDeleted:
			fresh = m.Delete(in.Ref, by, when(in, at))
		case event.MessageReacted:
			who, emoji := m.ContactID, ""
			if in.Sender != nil && in.Sender.Author != "" {
				who = in.Sender.Author
			}
			if in.Reaction != nil {
				emoji = in.Reaction.Emoji
			}
			fresh = m.React(who, emoji, in.Ref, by, when(in, at))
		case event.MessageHidden:
			hidden := in.Hidden != nil && *in.Hidden
			fresh = m.Hide(hidden, in.Ref+":"+strconv.FormatInt(in.ReceivedAt.UnixMilli(), 10), by, when(in, at))
		}
		if !fresh {
			return store.Unchanged
		}
		return nil
	})
	if err != nil {
		return err
	}
	if in.Type == event.MessageDeleted && m.Direction == record.In {
		if err := i.Record.Withdraw(ctx, m); err != nil {
			return err
		}
	}
	kept := record.Blobs(m.Content)
	return i.Blobs.Release(ctx, m.Tenant, slices.DeleteFunc(before, func(key string) bool { return slices.Contains(kept, key) })...)
}

// attached takes over what became of a file. Should that be known before the message is there, it is parked.
func (i *Intake) attached(ctx context.Context, tenant string, a event.Attached) error {
	err := i.attach(ctx, tenant, a)
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	p := record.Parked{Target: ofRef(a.Ref), Attached: &a, Event: event.Inbound{Type: event.AttachmentReady, ChannelID: a.ChannelID, Ref: a.Attachment.ID}}
	if err := i.park(ctx, tenant, p, event.At(i.Now())); err != nil {
		return err
	}
	if _, err := i.Record.Messages.Get(ctx, record.MessageID(tenant, a.ChannelID, a.Ref)); err != nil {
		return unlessMissing(err)
	}
	return i.Unpark(ctx, tenant, a.ChannelID, ofRef(a.Ref))
}

func unlessMissing(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

func (i *Intake) attach(ctx context.Context, tenant string, a event.Attached) error {
	at, id := event.At(i.Now()), record.MessageID(tenant, a.ChannelID, a.Ref)
	if err := i.hold(ctx, tenant, id, event.Content{Attachments: []event.Attachment{a.Attachment}}); err != nil {
		return err
	}
	m, err := i.Record.Messages.Update(ctx, id, func(m *record.Message) error {
		if !m.Attach(a.Attachment, at) {
			return store.Unchanged
		}
		return nil
	})
	if err != nil || a.Attachment.State != event.Ready && a.Attachment.State != event.Remote || !m.Has(a.Attachment.ID) {
		return err
	}
	f := &record.File{
		Conversations: []string{m.ConversationID}, Type: a.Attachment.Type, MIME: a.Attachment.MIME, Name: a.Attachment.Name, Size: a.Attachment.Size,
		SHA256: a.Attachment.SHA256, Blob: a.Attachment.Blob, CreatedAt: at, Shape: a.Attachment.Shape,
	}
	f.ID, f.Tenant = a.Attachment.ID, tenant
	if a.Attachment.State == event.Remote {
		f.URL, f.ExpiresAt = a.Attachment.URL, a.Attachment.Until
	}
	if err := i.Record.Files.Insert(ctx, f); err != nil && !errors.Is(err, store.ErrExists) {
		return err
	}
	return nil
}

// echoed handles a message that the business sent from another client, or that we sent ourselves and the provider
// repeats. While a send of ours has no provider id yet, the echo may be that one: it waits, at most a minute.
func (i *Intake) echoed(ctx context.Context, t *record.Thread, rules record.Rules, in event.Inbound, at event.Time) error {
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
		return i.park(ctx, t.Tenant, record.Parked{Target: in.ExternalID, Event: in, DueAt: at.Add(echoFor)}, at)
	}
	return i.native(ctx, t, rules, in, at)
}

// native adds a message of the provider's own app.
func (i *Intake) native(ctx context.Context, t *record.Thread, rules record.Rules, in event.Inbound, at event.Time) error {
	m := message(t, in, record.Out, at)
	if err := i.hold(ctx, m.Tenant, m.ID, m.Content); err != nil {
		return err
	}
	m.Sender, m.Via, m.Status, m.Standby = record.Sender{Type: "native_app"}, record.Via{Kind: "echo"}, event.Sent, in.Standby
	if in.Sender != nil {
		m.Sender.Name = in.Sender.Name
	}
	if _, _, err := i.Record.Echoed(ctx, t, rules, m); err != nil {
		return err
	}
	return i.unparked(ctx, m, at)
}

// Due adds the echoes whose minute is over. Every replica may do so at once.
func (i *Intake) Due(ctx context.Context) error {
	now := event.At(i.Now())
	due, err := i.Record.Parked.Due(ctx, "due_at", now, echoFor, 100)
	if err != nil {
		return err
	}
	for _, p := range due {
		err = errors.Join(err, i.resolve(ctx, p, now)) // one that cannot be added now holds up no other
	}
	return err
}

// resolve adds what has waited for its message in vain: an echo is a message of the native app, an edit all that is known of a
// message that never came.
func (i *Intake) resolve(ctx context.Context, p *record.Parked, at event.Time) error {
	in, edit := p.Event, p.Event.Type == event.MessageEdited
	if edit {
		in.Ref, in.ExternalID = in.Target, in.Target
	}
	known, err := i.Record.ByExternalID(ctx, p.Tenant, in.ChannelID, in.ExternalID)
	if err != nil {
		return err
	}
	if known == nil {
		if err := i.add(ctx, p.Tenant, in, at); err != nil {
			return err
		}
	}
	if edit { // the message is marked as edited, too
		return i.Unpark(ctx, p.Tenant, in.ChannelID, in.Target)
	}
	return i.Record.Parked.Delete(ctx, p.ID)
}

// add adds the message of an echo or of an edit.
func (i *Intake) add(ctx context.Context, tenant string, in event.Inbound, at event.Time) error {
	ch, err := i.Channels.Channel(ctx, in.ChannelID)
	if unlessGone(err) != nil {
		return err
	}
	p, err := i.person(ctx, tenant, ch, in, at)
	if err != nil {
		return err
	}
	t, err := i.Record.Thread(ctx, p, at)
	if err != nil {
		return err
	}
	if in.Type == event.MessageEchoed || in.Echo {
		return i.native(ctx, t, rules(ch), in, at)
	}
	return i.received(ctx, t, ch, []event.Inbound{in}, at)
}
