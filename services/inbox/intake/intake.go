// Package intake puts what channels report into the inbox's record: the consumer of tributary.inbound.
package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/inbox/chat"
)

// Channels is what intake asks about a channel; directory.Directory is one.
type Channels interface {
	Channel(ctx context.Context, id string) (channel.Keyed, error)
}

// Intake handles events of channels. Every handler may run again for the same event: ids are derived.
type Intake struct {
	Record   *chat.Record
	Channels Channels
	Typing   func(ctx context.Context, c *chat.Conversation, on bool) // passes through, leaves no trace
	Now      func() time.Time
}

// policy is what intake reads of a channel's behaviour.
type policy struct {
	Reopen            string `json:"reopen"`
	ReopenWithinHours int    `json:"reopen_within_hours"`
}

// Handle implements bus.Handler.
func (i *Intake) Handle(ctx context.Context, m bus.Message) error {
	switch m.Event.Type {
	case event.AttachmentReady, event.AttachmentFailed:
		a, err := event.Decode[event.Attached](m.Event)
		if err != nil {
			return poison(err)
		}
		return trouble(i.attached(ctx, m.Event.Tenant, a))
	}
	in, err := event.Decode[event.Inbound](m.Event)
	if err != nil {
		return poison(err)
	}
	in.Type = m.Event.Type
	if in.Peer == "" {
		return nil // news about the account: not about a person
	}
	ch, err := i.Channels.Channel(ctx, in.ChannelID)
	if err != nil && !fault.Is(err, fault.Gone) {
		return err // of a channel that was deleted meanwhile the message is kept all the same
	}
	return trouble(i.handle(ctx, m.Event.Tenant, ch, in))
}

func (i *Intake) handle(ctx context.Context, tenant string, ch channel.Keyed, in event.Inbound) error {
	p := chat.Person{
		Tenant: tenant, ChannelID: in.ChannelID, ChannelType: in.ChannelType, Peer: in.Peer, Aliases: in.Aliases, Post: in.Post,
		Profile: in.Sender, OUID: ch.OUID,
	}
	at := event.At(i.Now())
	if in.Type == event.ContactIdentified {
		return i.identified(ctx, p, in, at)
	}
	t, err := i.Record.Thread(ctx, p, at)
	if err != nil {
		return err
	}
	switch in.Type {
	case event.MessageReceived:
		return i.received(ctx, t, rules(ch), p, in, at)
	case event.MessageEchoed:
		return i.echoed(ctx, t, rules(ch), in, at)
	case event.MessageEdited, event.MessageDeleted, event.MessageReacted:
		return i.about(ctx, in, at)
	case event.ContactTyping:
		return i.typing(ctx, t, in)
	}
	return i.happened(ctx, t, in, at)
}

func rules(ch channel.Keyed) chat.Rules {
	var p policy
	if len(ch.Policy) > 0 {
		_ = json.Unmarshal(ch.Policy, &p) // admin has validated it; a field of a newer version is no reason to stop
	}
	return chat.Rules{Reopen: p.Reopen, Hours: p.ReopenWithinHours, OUID: ch.OUID}
}

func (i *Intake) received(ctx context.Context, t *chat.Thread, rules chat.Rules, p chat.Person, in event.Inbound, at event.Time) error {
	if in.Content == nil {
		return poison(fmt.Errorf("a message without content, ref %s", in.Ref))
	}
	m := message(t, in, chat.In, at)
	m.Sender = chat.Sender{Type: "contact", ID: t.ContactID}
	if in.Sender != nil {
		m.Sender.Name = in.Sender.Name
	}
	if err := i.quote(ctx, t, m); err != nil {
		return err
	}
	if _, _, err := i.Record.Received(ctx, t, rules, m, in.Content.Referral); err != nil {
		return err
	}
	if err := i.Record.Learn(ctx, t.ContactID, p.Profile, at); err != nil {
		return err
	}
	return i.unpark(ctx, in.ChannelID, m.ExternalIDs, at)
}

func message(t *chat.Thread, in event.Inbound, direction string, at event.Time) *chat.Message {
	m := &chat.Message{Direction: direction, Content: *in.Content, Ref: in.Ref, ProviderAt: in.ProviderAt, CreatedAt: at, Via: chat.Via{Kind: "channel"}}
	m.ID, m.Tenant = chat.MessageID(t.Tenant, t.ChannelID, in.Ref), t.Tenant
	if in.ExternalID != "" {
		m.ExternalIDs = []string{in.ExternalID}
	}
	return m
}

// quote finds our message behind the provider's id that is answered to.
func (i *Intake) quote(ctx context.Context, t *chat.Thread, m *chat.Message) error {
	q := m.Content.ReplyTo
	if q == nil || q.ExternalID == "" {
		return nil
	}
	target, err := i.Record.ByExternalID(ctx, m.Tenant, t.ChannelID, q.ExternalID)
	if err != nil || target == nil {
		return err // older than what we keep: the provider's id stands alone
	}
	q.MessageID = target.ID
	if q.Excerpt == "" {
		q.Excerpt = target.Excerpt()
	}
	return nil
}

func poison(err error) error { return fault.New(fault.Invalid, "bad_event", "%w", err) }

// trouble classifies what the record returned: what nobody classified is the store being away.
func trouble(err error) error {
	if err == nil {
		return nil
	}
	if fe, ok := errors.AsType[*fault.Error](err); ok && fe.Kind != fault.Internal {
		return err
	}
	return &fault.Error{Kind: fault.Unavailable, Code: "unavailable", Err: err}
}
