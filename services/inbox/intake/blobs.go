package intake

import (
	"context"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// Blobs keeps the files of messages for as long as the messages refer to them; blob.Store does.
type Blobs interface {
	Hold(ctx context.Context, tenant, owner string, keys ...string) error
	Release(ctx context.Context, tenant string, keys ...string) error
}

// hold keeps the files of a content that is about to become a message's. An event that was read so late that its files are
// collected is taken without them.
func (i *Intake) hold(ctx context.Context, tenant, messageID string, c event.Content) error {
	return unlessGone(i.Blobs.Hold(ctx, tenant, messageID, record.Blobs(c)...))
}

// forget takes away the files of a message that its sender deletes: those that came with it, and nobody else's.
func (i *Intake) forget(ctx context.Context, m *record.Message) error {
	if m.Via.Kind != "channel" && m.Via.Kind != "echo" {
		return nil
	}
	for _, a := range m.Content.Attachments {
		if err := i.Record.Files.Delete(ctx, a.ID); err != nil {
			return err
		}
	}
	return nil
}
