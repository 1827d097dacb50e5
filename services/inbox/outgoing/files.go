package outgoing

import (
	"context"
	"slices"

	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/mediatype"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// share shows the files of a message to all who may see its conversation, and holds them for the message.
func (o *Outbox) share(ctx context.Context, doc *record.Conversation, m *record.Message) error {
	if err := o.Blob.Hold(ctx, doc.Tenant, m.ID, record.Blobs(m.Content)...); fault.Is(err, fault.Gone) {
		return fault.At("/attachment_ids", "bad_value", "an attachment is no longer there: a file that is not sent within %s is deleted; upload it again", blob.Unused)
	} else if err != nil {
		return err
	}
	for _, id := range namedFiles(m.Content) {
		_, err := o.Record.Files.Update(ctx, id, func(f *record.File) error {
			if slices.Contains(f.Conversations, doc.ID) {
				return store.Unchanged
			}
			f.Conversations, f.ExpiresAt = append(f.Conversations, doc.ID), event.Time{}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// voice is what a sender chooses for audio that is played like a message which was spoken.
const voice event.MessageType = "voice"

// kinds are what a sender may choose for files.
var kinds = []event.MessageType{event.Image, event.Audio, event.Video, event.Document, event.Sticker, voice}

// choose gives a message its type, and its files the kind that its author chose for them. Without a choice the message is what its
// parts are.
func choose(c *event.Content) error {
	if !slices.Contains(kinds, c.Type) {
		if c.Type == "" {
			c.Type = typeOf(*c)
		}
		return nil
	}
	if len(c.Attachments) == 0 {
		return fault.At("/attachment_ids", "required", "a message of type %s sends a file; name an uploaded one", c.Type)
	}
	chosen := c.Type
	if chosen == voice {
		c.Type = event.Audio
	}
	for i := range c.Attachments {
		a := &c.Attachments[i]
		is, ok := mediatype.Sent(a.MIME, c.Type)
		if !ok {
			return fault.At("/type", "bad_value", "the file %s is of the type %s, which cannot be sent as %s; choose document or leave the type out",
				a.ID, a.MIME, chosen)
		}
		a.Type, a.MIME, a.Voice = c.Type, is, chosen == voice
	}
	return nil
}

// namedFiles returns the ids of the uploaded files that a message sends.
func namedFiles(c event.Content) (ids []string) {
	for _, a := range c.Files() {
		if a.ID != "" {
			ids = append(ids, a.ID)
		}
	}
	return ids
}
