package session

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/store"
)

// join takes what a visitor heard and said before they proved who they are into the mailbox of that person, the newest batch of
// it, under the same keys: joined again, or repeated by the browser, it stays one frame.
func (s *server) join(ctx context.Context, ch channel.Keyed, v *visitor) (*visitor, error) {
	from := mailboxID(ch.Tenant, ch.ID, v.Visitor, "")
	h, err := s.head(ctx, from)
	if err != nil {
		return nil, err
	}
	ls, _, err := s.before(ctx, from, h.Seq+1, batch)
	if err != nil {
		return nil, err
	}
	for _, l := range ls {
		if err := s.carryOver(ctx, v, l); err != nil {
			return nil, err
		}
	}
	return s.visitors.Update(ctx, v.ID, func(v *visitor) error { v.Joined = true; return nil })
}

// carryOver gives one frame, and the files that it shows, a place in the visitor's mailbox.
func (s *server) carryOver(ctx context.Context, v *visitor, l *letter) error {
	if l.Action != "" {
		return nil // the message is carried over as it is now
	}
	var shown struct {
		ClientID    string `json:"clientId"`
		Attachments []struct {
			ID string `json:"id"`
		} `json:"attachments"`
	}
	_ = json.Unmarshal([]byte(l.Body), &shown) // our own frame; one of a newer version shows no files to us
	for _, a := range shown.Attachments {
		f, err := s.files.Get(ctx, fileID(l.Mailbox, a.ID))
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		copied := &file{Public: f.Public, Type: f.Type, MIME: f.MIME, Name: f.Name, Size: f.Size, SHA256: f.SHA256, Blob: f.Blob}
		copied.ID, copied.Tenant, copied.ExpiresAt = fileID(v.Mailbox, a.ID), f.Tenant, f.ExpiresAt
		if err := s.files.Insert(ctx, copied); err != nil && !errors.Is(err, store.ErrExists) {
			return err
		}
	}
	key := ofMessage(l.Message)
	if l.Message == "" {
		key = ofVisitor(v.Visitor, shown.ClientID)
	}
	_, _, err := s.put(ctx, v.Tenant, key, letter{Mailbox: v.Mailbox, Message: l.Message, Peer: l.Peer, Body: l.Body}, 0)
	return err
}
