package outgoing

import (
	"context"
	"errors"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/fileurl"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// Check refuses a message that cannot succeed, before a conversation is opened for it: doc is the conversation that it would go
// into, as far as it is known.
func (o *Outbox) Check(ctx context.Context, doc *record.Conversation, by Author, in Draft) error {
	m, err := o.compose(ctx, doc, by, in)
	if err != nil {
		return err
	}
	check, err := o.checker(ctx, doc, by, m)
	if err != nil || check == nil {
		return err
	}
	_, err = check(doc)
	return err
}

// checker returns a function that refuses a message which cannot succeed (P8). It is called inside the Update, with the conversation
// as it is then; it does no I/O. It is nil for a note.
func (o *Outbox) checker(
	ctx context.Context, doc *record.Conversation, by Author, m *record.Message,
) (func(*record.Conversation) (record.Dispatch, error), error) {
	if m.Direction == record.Note {
		return nil, nil
	}
	rules, err := o.rules(ctx, doc)
	if err != nil {
		return nil, err
	}
	rules = rules.Under(doc.Post)
	content := o.sent(doc, rules, m.Content)
	return func(c *record.Conversation) (record.Dispatch, error) {
		d, w := o.dispatch(c, rules, by, m, content)
		out := event.Outbound{Peer: d.Peer, Content: content}
		return d, outside(named(rules.Check(out, w)), rules.Window.Outside)
	}, nil
}

// sent is the content of a message as its channel sends it.
func (o *Outbox) sent(doc *record.Conversation, rules channel.Rules, c event.Content) event.Content {
	return rules.Linked(c, func(a event.Attachment) string { return o.Files.Link(fileurl.Of(doc.Tenant, a)) })
}

// dispatch returns what the next attempt of a message needs, and what the window allows it. The content is the message's as it is sent.
func (o *Outbox) dispatch(
	c *record.Conversation, rules channel.Rules, by Author, m *record.Message, content event.Content,
) (record.Dispatch, channel.WindowState) {
	d, w := c.Dispatch(by.By, m.CreatedAt.Add(sendWithin)), c.Window.State(rules.Window, m, o.at())
	d.WindowUntil = w.End()
	if rules.Counts(content) {
		d.Needs, d.Rules = w.Needs(rules.Parts(content)), rules.Window
	}
	return d, w
}

// rules returns what the conversation's channel can do. A channel that is switched off and a contact that is blocked are refused.
func (o *Outbox) rules(ctx context.Context, doc *record.Conversation) (channel.Rules, error) {
	ch, err := o.Directory.Channel(ctx, doc.ChannelID)
	if fault.Is(err, fault.Gone) || (err == nil && !ch.Enabled) {
		return channel.Rules{}, fault.New(fault.Conflict, "channel_disabled", "the channel is switched off or gone")
	}
	if err != nil {
		return channel.Rules{}, err
	}
	contact, err := o.Record.Contacts.Get(ctx, doc.ContactID)
	if err == nil && contact.Blocked {
		return channel.Rules{}, fault.New(fault.Conflict, "recipient_blocked", "the contact is blocked")
	}
	if err == nil {
		switch why := contact.Unreachable(doc.ThreadID); why {
		case "":
		case record.OptedOut:
			return channel.Rules{}, fault.New(fault.Conflict, "recipient_opted_out",
				"the recipient wants no messages on this channel; you can write again once they have written that they do (START)")
		default:
			return channel.Rules{}, fault.New(fault.Conflict, "recipient_unreachable",
				"the provider reported that this recipient is %s; you can write again after their next message", why)
		}
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return channel.Rules{}, err
	}
	return o.Directory.Rules(ctx, ch.Channel)
}

// named gives a refusal the pointer of the field as the author of the draft named it.
func named(err error) error {
	fe, ok := errors.AsType[*fault.Error](err)
	if !ok || fe.Pointer == "" {
		return err
	}
	out := *fe
	switch field := strings.Split(fe.Pointer, "/")[1:]; field[0] {
	case "attachments":
		out.Pointer = "/" + strings.Join(append([]string{"attachment_ids"}, field[1:min(2, len(field))]...), "/")
	case "reaction":
		out.Pointer = strings.Replace(fe.Pointer, "/target", "/message_id", 1)
	}
	return &out
}

// outside adds to a closed window's refusal what the channel still takes.
func outside(err error, allowed []string) error {
	if !fault.Is(err, fault.Window) {
		return err
	}
	closed := *fault.Of(err)
	closed.Extra = map[string]any{"allowed": append([]string{}, allowed...)}
	return &closed
}

// Closed returns the refusal of what only an open conversation takes, with the id of the thread's open one, if any.
func (o *Outbox) Closed(ctx context.Context, c *record.Conversation) error {
	err := fault.New(fault.Conflict, "conversation_closed", "the conversation is closed; start another one or reopen it")
	t, tErr := o.Record.Threads.Get(ctx, c.ThreadID)
	if tErr != nil {
		return err
	}
	if tail, tailErr := o.Record.Tail(ctx, t); tailErr == nil && tail != nil && tail.Status != record.Closed {
		err.Extra = map[string]any{"open_conversation_id": tail.ID}
	}
	return err
}
