// Package intake puts what channels report into the inbox's record: the consumer of tributary.inbound.
package intake

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// Channels is what intake asks about a channel; directory.Directory is one.
type Channels interface {
	Channel(ctx context.Context, id string) (channel.Keyed, error)
	Type(ctx context.Context, t event.ChannelType) (channel.Info, error)
	Tenant(ctx context.Context, id string) (directory.Tenant, error)
}

// Intake handles events of channels. Every handler may run again for the same event: ids are derived.
type Intake struct {
	Record   *record.Store
	Channels Channels
	Blobs    Blobs
	Typing   func(ctx context.Context, c *record.Conversation, on bool) // passes through, leaves no trace
	Now      func() time.Time
	Metrics  *Metrics // nil: nothing is told
}

// Together handles messages of one person that wait one behind the other, in one commit. It returns how many of the first it has
// done: none if they are no such messages, or after any trouble, which [Intake.Handle] meets again.
func (i *Intake) Together(ctx context.Context, ms []bus.Message) (done int) {
	ins := alike(ms)
	if len(ins) < 2 {
		return 0
	}
	if err := i.handle(ctx, ms[0].Event.Tenant, ins...); err != nil {
		return 0
	}
	return len(ins)
}

// alike decodes those of the first messages that are from one person, by the same ids and under the same post. A referral is
// about the conversation that its message opens, so that what carries one is handled alone; and what is quoted must be in before
// the message that quotes it.
func alike(ms []bus.Message) (ins []event.Inbound) {
	for _, m := range ms {
		in, err := event.Decode[event.Inbound](m.Event)
		in.Type = m.Event.Type
		if err != nil || in.Type != event.MessageReceived || in.Peer == "" || in.Content == nil || in.Content.Referral != nil {
			return ins
		}
		if len(ins) > 0 && (m.Event.Tenant != ms[0].Event.Tenant || !sameThread(ins[0], in) || quotes(in, ins)) {
			return ins
		}
		ins = append(ins, in)
	}
	return ins
}

func quotes(in event.Inbound, before []event.Inbound) bool {
	q := in.Content.ReplyTo
	return q != nil && slices.ContainsFunc(before, func(b event.Inbound) bool { return b.ExternalID == q.ExternalID })
}

func sameThread(a, b event.Inbound) bool {
	post := func(in event.Inbound) string {
		if in.Post == nil {
			return ""
		}
		return in.Post.ID
	}
	return a.ChannelID == b.ChannelID && a.Peer == b.Peer && post(a) == post(b) && slices.Equal(a.Aliases, b.Aliases)
}

// Handle implements bus.Handler.
func (i *Intake) Handle(ctx context.Context, m bus.Message) error {
	switch m.Event.Type {
	case event.AttachmentReady, event.AttachmentFailed:
		a, err := event.Decode[event.Attached](m.Event)
		if err != nil {
			return poison(err)
		}
		return store.Fault(i.attached(ctx, m.Event.Tenant, a))
	}
	in, err := event.Decode[event.Inbound](m.Event)
	if err != nil {
		return poison(err)
	}
	in.Type = m.Event.Type
	if in.Peer == "" {
		return nil // news about the account: not about a person
	}
	return i.handle(ctx, m.Event.Tenant, in)
}

// handle handles one event, or several that are [alike].
func (i *Intake) handle(ctx context.Context, tenant string, ins ...event.Inbound) error {
	ch, err := i.Channels.Channel(ctx, ins[0].ChannelID)
	if err != nil && !fault.Is(err, fault.Gone) {
		return err // of a channel that was deleted meanwhile the message is kept all the same
	}
	return store.Fault(i.handleFor(ctx, tenant, ch, ins))
}

func (i *Intake) handleFor(ctx context.Context, tenant string, ch channel.Keyed, ins []event.Inbound) error {
	in := ins[len(ins)-1]
	at := event.At(i.Now())
	p, err := i.person(ctx, tenant, ch, in, at)
	if err != nil {
		return err
	}
	if in.Type == event.ContactIdentified {
		return i.identified(ctx, p, in, at)
	}
	switch in.Type {
	case event.MessageEdited, event.MessageDeleted, event.MessageReacted, event.MessageHidden:
		if err := i.about(ctx, tenant, in, at); err != nil {
			return err
		}
		return i.Record.Opens(ctx, p, opens(in, at))
	}
	t, err := i.Record.Thread(ctx, p, at)
	if err != nil {
		return err
	}
	switch in.Type {
	case event.MessageReceived:
		return i.received(ctx, t, ch, ins, at)
	case event.MessageEchoed:
		return i.echoed(ctx, t, rules(ch), in, at)
	case event.ContactTyping:
		return i.typing(ctx, t, in)
	}
	return i.happened(ctx, t, in, at)
}

func rules(ch channel.Keyed) record.Rules { return record.RulesOf(ch.Channel) }

// opens is what an event opens the channel's window with, beside being a message; nil if it does not.
func opens(in event.Inbound, at event.Time) channel.Anchors {
	if in.OpensWindow == "" {
		return nil
	}
	return channel.Anchors{{Kind: in.OpensWindow, At: when(in, at)}}
}

// when is when it happened, by the provider's clock if that is not ahead of ours.
func when(in event.Inbound, at event.Time) event.Time {
	if in.ProviderAt.IsZero() || in.ProviderAt.After(at) {
		return at
	}
	return in.ProviderAt
}

func unlessGone(err error) error {
	if fault.Is(err, fault.Gone) {
		return nil
	}
	return err
}

func (i *Intake) received(ctx context.Context, t *record.Thread, ch channel.Keyed, ins []event.Inbound, at event.Time) error {
	rules := rules(ch)
	ms := make([]*record.Message, len(ins))
	for n, in := range ins {
		if in.Content == nil {
			return poison(fmt.Errorf("a message without content, ref %s", in.Ref))
		}
		m := message(t, in, record.In, at)
		if err := i.hold(ctx, m.Tenant, m.ID, m.Content); err != nil {
			return err
		}
		m.Handle, m.Tap, m.Standby = in.ReplyHandle, in.Tap, in.Standby
		var err error
		if m.Sender, err = i.sender(ctx, t, in); err != nil {
			return err
		}
		if err := i.quote(ctx, t, m); err != nil {
			return err
		}
		rules.Opened = rules.Opened.Open(opens(in, at)...)
		ms[n] = m
	}
	settings, err := i.Channels.Tenant(ctx, t.Tenant)
	if unlessGone(err) != nil {
		return err
	}
	rules.Wakes = settings.Settings.SnoozeWakesOnMessage
	if rules.Acks, err = i.acks(ctx, ch, ins); err != nil {
		return err
	}
	if _, err := i.Record.Received(ctx, t, rules, ms...); err != nil {
		return err
	}
	i.Metrics.received(ctx, ins, ms, i.Now())
	for _, m := range ms {
		if err := i.unparked(ctx, m, at); err != nil {
			return err
		}
	}
	return nil
}

// sender is who of the thread's peer wrote a message. A member of a group whom the message does not name has the name that was learned.
func (i *Intake) sender(ctx context.Context, t *record.Thread, in event.Inbound) (s record.Sender, err error) {
	s = record.Sender{Type: "contact", ID: t.ContactID}
	if in.Sender == nil {
		return s, nil
	}
	if s.Name, s.Author = in.Sender.Name, in.Sender.Author; s.Name == "" && s.Author != "" {
		s.Name, err = i.Record.MemberName(ctx, t.Tenant, t.ChannelID, s.Author)
	}
	return s, err
}

// acks reports whether the channel takes an acknowledgement, if one of the messages wants one.
func (i *Intake) acks(ctx context.Context, ch channel.Keyed, ins []event.Inbound) (bool, error) {
	if !slices.ContainsFunc(ins, func(in event.Inbound) bool { return in.Content.Acknowledged() }) {
		return false, nil
	}
	info, err := i.Channels.Type(ctx, ins[0].ChannelType)
	return err == nil && info.For(ch.Settings).Carries(record.Ack), unlessGone(err)
}

func message(t *record.Thread, in event.Inbound, direction string, at event.Time) *record.Message {
	m := &record.Message{Direction: direction, Content: *in.Content, Ref: in.Ref, ProviderAt: in.ProviderAt, CreatedAt: at, Via: record.Via{Kind: "channel"}}
	m.ID, m.Tenant = record.MessageID(t.Tenant, t.ChannelID, in.Ref), t.Tenant
	if in.ExternalID != "" {
		m.ExternalIDs = []string{in.ExternalID}
	}
	return m
}

// quote finds our message behind the provider's id that is answered to.
func (i *Intake) quote(ctx context.Context, t *record.Thread, m *record.Message) error {
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
