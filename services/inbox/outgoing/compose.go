package outgoing

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/mediatype"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// compose makes a message of a draft. What the draft names is looked up.
func (o *Outbox) compose(ctx context.Context, doc *record.Conversation, by Author, in Draft) (*record.Message, error) {
	m := &record.Message{
		Direction: record.Out, CreatedAt: o.at(), Via: by.Via, Sender: by.Sender, Mentions: in.Mentions,
		Content: event.Content{
			Type: in.Type, Text: in.Text, HTML: in.HTML, Subject: in.Subject, Location: in.Location.location(), Contacts: in.cards(),
			Sticker:     in.Sticker.sticker(),
			Interactive: in.Interactive.interactive(), MessageTag: in.MessageTag, AsLink: in.AsLink,
		},
	}
	if in.Direction == record.Note {
		m.Direction = record.Note
	}
	var err error
	if m.Content.Attachments, err = o.findUploaded(ctx, doc, by, in.AttachmentIDs, "/attachment_ids/%d"); err != nil {
		return nil, err
	}
	if m.Content.Template, err = o.template(ctx, doc, by, in.Template); err != nil {
		return nil, err
	}
	if err := o.refer(ctx, doc, m, in); err != nil {
		return nil, err
	}
	if err := choose(&m.Content); err != nil {
		return nil, err
	}
	if m.Direction == record.Note && m.Content.Text == "" && len(m.Content.Attachments) == 0 {
		return nil, fault.At("/text", "required", "a note says something")
	}
	return m, nil
}

func typeOf(c event.Content) event.MessageType {
	switch {
	case c.Template != nil:
		return event.TemplateType
	case c.Interactive != nil:
		return event.InteractType
	case c.Reaction != nil:
		return event.ReactionType
	case len(c.Attachments) > 0:
		return c.Attachments[0].Type
	case c.Location != nil:
		return event.LocationType
	case c.Sticker != nil:
		return event.Sticker
	case len(c.Contacts) > 0:
		return event.ContactsType
	}
	return event.Text
}

// findUploaded returns the files with these ids, each uploaded by the author or sent in the conversation before. at is the pointer
// of the i-th id.
func (o *Outbox) findUploaded(ctx context.Context, doc *record.Conversation, by Author, ids []string, at string) ([]event.Attachment, error) {
	files, err := o.Record.Files.GetMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	var out []event.Attachment
	for i, f := range files {
		if f == nil || f.Tenant != by.Tenant || (!slices.Contains(f.Conversations, doc.ID) && f.UploadedBy != by.Actor.ID) {
			return nil, fault.At(fmt.Sprintf(at, i), "bad_value", "there is no attachment %s", ids[i])
		}
		if f.URL != "" {
			return nil, fault.At(fmt.Sprintf(at, i), "bad_value", "attachment %s is only shown, and nobody may keep or send it", ids[i])
		}
		out = append(out, event.Attachment{
			ID: f.ID, Type: f.Type, MIME: cmp.Or(mediatype.Canonical(f.MIME), mediatype.Unknown), Name: f.Name, Size: f.Size, SHA256: f.SHA256, Blob: f.Blob, State: event.Ready, Shape: f.Shape,
		})
	}
	return out, nil
}

// refer looks up the messages that the input names: the one answered, the one reacted to.
func (o *Outbox) refer(ctx context.Context, doc *record.Conversation, m *record.Message, in Draft) error {
	find := func(pointer, id string) (*record.Message, error) {
		t, err := o.Record.Messages.Get(ctx, id)
		if errors.Is(err, store.ErrNotFound) || (err == nil && t.ThreadID != doc.ThreadID) {
			return nil, fault.At(pointer, "bad_value", "there is no message %s in this thread", id)
		}
		if err == nil && len(t.ExternalIDs) == 0 {
			return nil, fault.At(pointer, "bad_value", "the provider has no id for message %s", id)
		}
		return t, err
	}
	if in.ReplyTo != "" {
		t, err := find("/reply_to", in.ReplyTo)
		if err != nil {
			return err
		}
		m.Content.ReplyTo = &event.Quote{MessageID: t.ID, ExternalID: t.ExternalIDs[0], Excerpt: t.Excerpt(), Token: t.Content.QuoteToken}
	}
	if in.Reaction != nil {
		t, err := find("/reaction/message_id", in.Reaction.MessageID)
		if err != nil {
			return err
		}
		m.Content.Reaction = &event.Reaction{Target: t.ExternalIDs[0], Emoji: in.Reaction.Emoji, Action: "add"}
		if in.Reaction.Emoji == "" {
			m.Content.Reaction.Action = "remove"
		}
	}
	return nil
}
