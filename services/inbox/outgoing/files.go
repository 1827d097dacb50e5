package outgoing

import (
	"context"
	"slices"

	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
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

// namedFiles returns the ids of the uploaded files that a message sends.
func namedFiles(c event.Content) (ids []string) {
	for _, a := range c.Attachments {
		ids = append(ids, a.ID)
	}
	if c.Template == nil {
		return ids
	}
	for _, component := range c.Template.Components {
		for _, param := range component.Parameters {
			if param.Attachment != nil && param.Attachment.ID != "" {
				ids = append(ids, param.Attachment.ID)
			}
		}
	}
	return ids
}
