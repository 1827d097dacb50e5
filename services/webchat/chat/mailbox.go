package chat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

const (
	letterFor = 90 * 24 * time.Hour // kept for history
	maxReplay = 500                 // frames behind; whoever is further behind reads the history
	batch     = 100
)

var (
	headSpec   = store.Spec{Name: "webchat_mailboxes", Expires: true}
	letterSpec = store.Spec{Name: "webchat_frames", Expires: true, Indexes: []store.Index{{Name: "by_mailbox", Fields: []string{"mailbox", "seq"}}}}
)

// mailboxes keep what was said to and by a visitor, in one gapless sequence: of one browser, or of one proved person in all
// their browsers.
//
// Two documents make a frame's place. The head counts, and holds the newest frame; whoever adds the next one files the newest
// as a document of its own first. So one compare-and-set decides about the place, every older frame is filed by then, and
// nothing that died in between leaves a hole.
type mailboxes struct {
	heads   *store.Collection[head]
	letters *store.Collection[letter]
	now     func() time.Time
}

type head struct {
	store.Meta
	Seq       int64   `json:"seq"`
	Newest    *letter `json:"newest"`
	Delivered int64   `json:"delivered,omitempty"` // up to here it was reported that a browser has them
}

// letter is one frame in its place. Its id is derived from mailbox and key: the same key is the same frame.
type letter struct {
	store.Meta
	Mailbox string     `json:"mailbox"`
	Seq     int64      `json:"seq"`
	Message string     `json:"message,omitempty"` // of ours: the id that receipts name
	Peer    string     `json:"peer,omitempty"`    // of ours: the visitor it was addressed to
	Via     string     `json:"via,omitempty"`     // of the visitor: the socket that it came over
	Body    string     `json:"body"`              // the frame, without its place
	At      event.Time `json:"at"`
}

func mailboxID(tenant, channelID, visitor, identity string) string {
	if identity != "" {
		return event.DeriveID("box", tenant, channelID, "user", identity)
	}
	return event.DeriveID("box", tenant, channelID, "visitor", visitor)
}

func letterID(mailbox, key string) string { return event.DeriveID("ltr", mailbox, key) }

// put gives l the next place of its mailbox; again tells that the key has one already, which is then returned.
func (m mailboxes) put(ctx context.Context, tenant, key string, l letter) (placed letter, again bool, err error) {
	now := event.At(m.now())
	l.ID, l.Tenant, l.At, l.ExpiresAt = letterID(l.Mailbox, key), tenant, now, now.Add(letterFor)
	fresh := func() *head { h := &head{}; h.Tenant = tenant; return h }
	_, err = m.heads.Upsert(ctx, l.Mailbox, fresh, func(h *head) error {
		there, err := m.known(ctx, h, l.ID)
		if err != nil {
			return err
		}
		if there != nil {
			placed, again = *there, true
			return store.Unchanged
		}
		if h.Newest != nil {
			if err := m.letters.Insert(ctx, h.Newest); err != nil && !errors.Is(err, store.ErrExists) {
				return err
			}
		}
		h.Seq++
		l.Seq = h.Seq
		next := l
		h.Newest, h.ExpiresAt, placed, again = &next, now.Add(visitorFor), l, false
		return nil
	})
	if err != nil {
		return placed, false, fmt.Errorf("mailbox: %w", err)
	}
	return placed, again, nil
}

// known finds the frame with that id. It is asked with the head as it was read: what was the newest before is filed by then.
func (m mailboxes) known(ctx context.Context, h *head, id string) (*letter, error) {
	if h.Newest != nil && h.Newest.ID == id {
		return h.Newest, nil
	}
	l, err := m.letters.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return l, err
}

// find returns the frame with that key, nil if there is none.
func (m mailboxes) find(ctx context.Context, mailbox, key string) (*letter, error) {
	h, err := m.head(ctx, mailbox)
	if err != nil {
		return nil, err
	}
	return m.known(ctx, h, letterID(mailbox, key))
}

// head returns the mailbox's head; an empty one if there is none yet.
func (m mailboxes) head(ctx context.Context, mailbox string) (*head, error) {
	h, err := m.heads.Get(ctx, mailbox)
	if errors.Is(err, store.ErrNotFound) {
		return &head{}, nil
	}
	return h, err
}

// last is the newest place.
func (m mailboxes) last(ctx context.Context, mailbox string) (int64, error) {
	h, err := m.head(ctx, mailbox)
	if err != nil {
		return 0, fmt.Errorf("mailbox: %w", err)
	}
	return h.Seq, nil
}
