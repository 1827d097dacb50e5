package outgoing

import (
	"context"
	"errors"
	"strings"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
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
	ch, err := o.Directory.Channel(ctx, doc.ChannelID)
	if fault.Is(err, fault.Gone) || (err == nil && !ch.Enabled) {
		return nil, fault.New(fault.Conflict, "channel_disabled", "the channel is switched off or gone")
	}
	if err != nil {
		return nil, err
	}
	info, err := o.Directory.Type(ctx, doc.ChannelType)
	if err != nil {
		return nil, err
	}
	contact, err := o.Record.Contacts.Get(ctx, doc.ContactID)
	if err == nil && contact.Blocked {
		return nil, fault.New(fault.Conflict, "recipient_blocked", "the contact is blocked")
	}
	if err == nil {
		if why := contact.Unreachable(doc.ThreadID); why != "" {
			return nil, fault.New(fault.Conflict, "recipient_unreachable",
				"the provider reported that this recipient is %s; you can write again after their next message", why)
		}
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return func(c *record.Conversation) (record.Dispatch, error) {
		d := c.Dispatch(by.By, m.CreatedAt.Add(sendWithin), info.Window.Ends(c.Window.LastInboundAt, c.Window.FreeUntil))
		out := event.Outbound{Content: m.Content, WindowUntil: d.WindowUntil}
		return d, outside(info.Check(out, o.Now()), info.Window.Outside)
	}, nil
}

// outside adds to a closed window's refusal what the channel still takes, and gives pointers of files as the caller named them.
func outside(err error, allowed []string) error {
	if fe, ok := errors.AsType[*fault.Error](err); ok && strings.HasPrefix(fe.Pointer, "/attachments/") {
		named := *fe
		named.Pointer = "/attachment_ids/" + strings.Split(fe.Pointer, "/")[2] // as the caller named it
		return &named
	}
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
