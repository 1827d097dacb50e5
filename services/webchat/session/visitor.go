package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// visitorFor is how long a visitor who does not come back is known.
const visitorFor = 400 * 24 * time.Hour

var visitorSpec = store.Spec{Name: "webchat_visitors", Expires: true}

// visitor is one browser that once began a session. Who it has proved to be never changes: with another proof it is another
// visitor, so that two people who share a browser stay two.
type visitor struct {
	store.Meta
	Visitor  string     `json:"visitor"`          // its public id, which agents, integrations and journals show
	Secret   string     `json:"secret,omitempty"` // SHA-256 of what the browser alone has; empty: of the first versions, which gave none
	Identity string     `json:"identity,omitempty"`
	Mailbox  string     `json:"mailbox"`
	Joined   bool       `json:"joined,omitempty"` // what was said before the proof is in the person's mailbox
	SeenAt   event.Time `json:"seen_at"`
}

func visitorID(tenant, channelID, visitor string) string {
	return event.DeriveID("vst", tenant, channelID, visitor)
}

// claimed is who a browser says it is, and what it shows for it.
type claimed struct {
	visitor  string // public
	secret   string
	identity string // proved
	session  bool   // it holds a session of that visitor
}

// isOf reports whether a browser has shown that it is the visitor: by the secret, by a session that is still good, or as the very
// person who the visitor has proved to be. The id alone shows nothing, also of visitors that never got a secret.
func (b claimed) isOf(v *visitor) bool {
	if v.Identity != "" && v.Identity != b.identity {
		return false
	}
	return b.session || v.Identity != "" || v.Secret != "" && auth.MatchAPIKey(b.secret, v.Secret)
}

// errStranger says that a visitor must get another id.
var errStranger = errors.New("not this visitor")

// admit finds the visitor that a browser has shown to be, or makes one. secret is what the browser must keep from now on; it is
// empty for a visitor that got its secret before.
func (s *server) admit(ctx context.Context, ch channel.Keyed, b claimed, fresh func() error) (v *visitor, secret string, err error) {
	now, made := event.At(s.Now()), random("vsec_")
	if b.visitor != "" {
		v, err := s.visitors.Update(ctx, visitorID(ch.Tenant, ch.ID, b.visitor), func(v *visitor) error {
			if !b.isOf(v) {
				return errStranger
			}
			if secret = ""; v.Secret == "" {
				secret, v.Secret = made, auth.HashAPIKey(made)
			}
			v.Identity, v.Mailbox = b.identity, mailboxID(ch.Tenant, ch.ID, v.Visitor, b.identity)
			v.SeenAt, v.ExpiresAt = now, now.Add(visitorFor)
			return nil
		})
		if err == nil && v.Identity != "" && !v.Joined {
			v, err = s.join(ctx, ch, v)
		}
		if !errors.Is(err, store.ErrNotFound) && !errors.Is(err, errStranger) {
			return v, secret, err
		}
	}
	if err := fresh(); err != nil {
		return nil, "", err
	}
	v = &visitor{Visitor: random("vis_"), Secret: auth.HashAPIKey(made), Identity: b.identity, Joined: b.identity != "", SeenAt: now}
	v.ID, v.Tenant, v.ExpiresAt = visitorID(ch.Tenant, ch.ID, v.Visitor), ch.Tenant, now.Add(visitorFor)
	v.Mailbox = mailboxID(ch.Tenant, ch.ID, v.Visitor, b.identity)
	if err := s.visitors.Insert(ctx, v); err != nil {
		return nil, "", fmt.Errorf("visitor: %w", err)
	}
	return v, made, nil
}
