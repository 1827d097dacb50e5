package session

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

	atMost   = 8       // frames that a head holds
	bodiesOf = 4 << 10 // bytes of their bodies: what is written with every frame stays small
)

var (
	headSpec   = store.Spec{Name: "webchat_mailboxes", Expires: true}
	letterSpec = store.Spec{Name: "webchat_frames", Expires: true, Indexes: []store.Index{{Name: "by_mailbox", Fields: []string{"mailbox", "seq"}}}}
)

// mailboxes keep what was said to and by a visitor, in one gapless sequence: of one browser, or of one proved person in all
// their browsers.
//
// The head counts, and holds the newest frames; whoever finds it full files them as documents of their own first. So one
// compare-and-set decides about a frame's place, what the head does not hold is filed by then, and nothing that died in between
// leaves a hole.
type mailboxes struct {
	heads   *store.Collection[head]
	letters *store.Collection[letter]
	now     func() time.Time
}

type head struct {
	store.Meta
	Seq       int64    `json:"seq"`
	Newest    []letter `json:"newest,omitempty"`    // the oldest of them first
	Delivered int64    `json:"delivered,omitempty"` // up to here it was reported that a browser has them
}

// filed is the last place whose frame is a document of its own.
func (h *head) filed() int64 { return h.Seq - int64(len(h.Newest)) }

func (h *head) full() bool {
	bodies := 0
	for _, l := range h.Newest {
		bodies += len(l.Body)
	}
	return len(h.Newest) >= atMost || bodies >= bodiesOf
}

// letter is one frame in its place. Its id is derived from mailbox and key: the same key is the same frame.
type letter struct {
	store.Meta
	Mailbox string     `json:"mailbox"`
	Seq     int64      `json:"seq"`
	Message string     `json:"message,omitempty"` // of ours: the id that receipts name
	Peer    string     `json:"peer,omitempty"`    // of ours: the visitor it was addressed to
	Via     string     `json:"via,omitempty"`     // of the visitor: the socket that it came over
	Action  string     `json:"action,omitempty"`  // what is done to a message of ours: the action's id
	Body    string     `json:"body"`              // the frame, without its place
	Revised int        `json:"revised,omitempty"` // how often Body was changed
	At      event.Time `json:"at"`
}

func mailboxID(tenant, channelID, visitor, identity string) string {
	if identity != "" {
		return event.DeriveID("box", tenant, channelID, "user", identity)
	}
	return event.DeriveID("box", tenant, channelID, "visitor", visitor)
}

func letterID(mailbox, key string) string { return event.DeriveID("ltr", mailbox, key) }

// put gives l the next place of its mailbox; again tells that the key has one already, which is then returned. Up to the place
// looked the caller has found none, 0 if it has not looked.
func (m mailboxes) put(ctx context.Context, tenant, key string, l letter, looked int64) (placed letter, again bool, err error) {
	now := event.At(m.now())
	l.ID, l.Tenant, l.At, l.ExpiresAt = letterID(l.Mailbox, key), tenant, now, now.Add(letterFor)
	fresh := func() *head { h := &head{}; h.Tenant = tenant; return h }
	_, err = m.heads.Upsert(ctx, l.Mailbox, fresh, func(h *head) error {
		there, err := m.known(ctx, h, l.ID, looked)
		if err != nil {
			return err
		}
		if there != nil {
			placed, again = *there, true
			return store.Unchanged
		}
		if h.full() {
			if err := m.file(ctx, h.Newest); err != nil {
				return err
			}
			h.Newest = nil
		}
		h.Seq++
		l.Seq = h.Seq
		h.Newest, h.ExpiresAt, placed, again = append(h.Newest, l), now.Add(visitorFor), l, false
		return nil
	})
	if err != nil {
		return placed, false, fmt.Errorf("mailbox: %w", err)
	}
	return placed, again, nil
}

// file makes documents of frames. They may be filed already: by somebody who did not get as far as the head.
func (m mailboxes) file(ctx context.Context, ls []letter) error {
	docs := make([]*letter, len(ls))
	for i := range ls {
		docs[i] = &ls[i]
	}
	for i, err := range m.letters.InsertMany(ctx, docs...) {
		if errors.Is(err, store.ErrExists) {
			err = m.refile(ctx, ls[i])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// refile brings a frame that is filed up to date: it was filed before it was changed in the head.
func (m mailboxes) refile(ctx context.Context, l letter) error {
	if l.Revised == 0 {
		return nil
	}
	_, err := m.letters.Update(ctx, l.ID, func(there *letter) error {
		if there.Revised >= l.Revised {
			return store.Unchanged
		}
		there.Body, there.Revised = l.Body, l.Revised
		return nil
	})
	return err
}

// rewrite changes the body of the frame with that key, in the head, as a document of its own, or in both. It reports whether there is one.
func (m mailboxes) rewrite(ctx context.Context, mailbox, key string, change func(body string) string) (found bool, err error) {
	id := letterID(mailbox, key)
	_, err = m.heads.Update(ctx, mailbox, func(h *head) error {
		found = false
		for i := range h.Newest {
			if l := &h.Newest[i]; l.ID == id {
				l.Body, found = change(l.Body), true
				l.Revised++
				return nil
			}
		}
		return store.Unchanged
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, fmt.Errorf("mailbox: %w", err)
	}
	_, err = m.letters.Update(ctx, id, func(l *letter) error { l.Body = change(l.Body); l.Revised++; return nil })
	if errors.Is(err, store.ErrNotFound) {
		return found, nil
	}
	return err == nil, err
}

// known finds the frame with that id, if its place is behind looked. It is asked with the head as it was read: what it does not
// hold any more is filed by then.
func (m mailboxes) known(ctx context.Context, h *head, id string, looked int64) (*letter, error) {
	for i := range h.Newest {
		if h.Newest[i].ID == id {
			return &h.Newest[i], nil
		}
	}
	if h.filed() <= looked {
		return nil, nil
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
	return m.known(ctx, h, letterID(mailbox, key), 0)
}

// glance is find in the mailbox as this process last saw it: it may not find what another has put there since, behind the place
// looked; put does.
func (m mailboxes) glance(ctx context.Context, mailbox, key string) (l *letter, looked int64, err error) {
	h, err := orEmpty(m.heads.Recent(ctx, mailbox))
	if err != nil {
		return nil, 0, err
	}
	l, err = m.known(ctx, h, letterID(mailbox, key), 0)
	return l, h.Seq, err
}

// head returns the mailbox's head; an empty one if there is none yet.
func (m mailboxes) head(ctx context.Context, mailbox string) (*head, error) {
	return orEmpty(m.heads.Get(ctx, mailbox))
}

func orEmpty(h *head, err error) (*head, error) {
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
