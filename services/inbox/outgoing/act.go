package outgoing

import (
	"context"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// Change is what an action says: the new text and buttons of an edit, or a private reply.
type Change struct {
	Text        *string           `json:"text"`
	Interactive *interactiveInput `json:"interactive"`
}

// Act queues what is done to a message through its channel, in one commit of the message. What cannot succeed is refused there. A call that is
// repeated finds its action, whatever has changed since: repeated is true. An action is no answer: it assigns nothing, and a closed
// conversation stays as it is.
func (o *Outbox) Act(
	ctx context.Context, doc *record.Conversation, by Author, key Key, m *record.Message, kind event.ActionKind, in Change,
) (after *record.Message, repeated bool, err error) {
	if m.Action(key.ID) != nil {
		return m, true, nil
	}
	rules, err := o.rules(ctx, doc)
	if err != nil {
		return nil, false, err
	}
	at, below := o.at(), rules.Under(doc.Post)
	after, err = o.Record.Messages.Update(ctx, m.ID, func(m *record.Message) error {
		if repeated = m.Action(key.ID) != nil; repeated {
			return store.Unchanged
		}
		content, err := in.content(kind, m)
		if err != nil {
			return err
		}
		a := record.Action{ID: key.ID, Kind: kind, By: by.Actor, Content: content, Digest: key.Digest}
		return m.Act(a, doc.Dispatch(by.By, actWithin(below, kind, m.CreatedAt, at)), at, func(out event.Outbound) error {
			out.Content = o.sent(doc, below, out.Content)
			return named(rules.Admit(out, at.Time))
		})
	})
	return after, repeated, err
}

// actWithin is when an action that still waits for its channel expires: like a message, or when the channel does it no more.
func actWithin(rules channel.Rules, kind event.ActionKind, of, at event.Time) event.Time {
	by := at.Add(sendWithin)
	if until := rules.Send.Actions[kind].Until(of); !until.IsZero() && until.Before(by) {
		return until
	}
	return by
}

// content is what the message says after an edit, or the private reply; nil for the other kinds.
func (in Change) content(kind event.ActionKind, m *record.Message) (*event.Content, error) {
	switch kind {
	case event.ActionEdit:
		return in.edited(m.Content)
	case event.ActionPrivateReply:
		if in.Text == nil {
			return nil, fault.At("/text", "required", "a private reply says something")
		}
		return &event.Content{Type: event.Text, Text: *in.Text}, nil
	}
	return nil, nil
}

// edited is c with the new text and buttons; all else stays. The text of an interactive message is its body, where it has one.
func (in Change) edited(c event.Content) (*event.Content, error) {
	if in.Text == nil && in.Interactive == nil {
		return nil, fault.At("/text", "required", "give the new text, or the new interactive")
	}
	if in.Interactive != nil {
		if c.Interactive == nil {
			return nil, fault.At("/interactive", "not_applicable", "the message has no buttons that could be changed; give its new text")
		}
		c.Interactive = in.Interactive.interactive()
	}
	if in.Text == nil {
		return &c, nil
	}
	c.HTML = ""
	if v := c.Interactive; v != nil && v.Body != "" && in.Interactive == nil {
		with := *v
		with.Body, c.Interactive = *in.Text, &with
	} else {
		c.Text = *in.Text
	}
	return &c, nil
}
