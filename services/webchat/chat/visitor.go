package chat

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	Visitor  string     `json:"visitor"`
	Identity string     `json:"identity,omitempty"`
	Mailbox  string     `json:"mailbox"`
	SeenAt   event.Time `json:"seen_at"`
}

func visitorID(tenant, channelID, visitor string) string {
	return event.DeriveID("vst", tenant, channelID, visitor)
}

// errStranger says that a visitor must get another id.
var errStranger = errors.New("not this visitor")

// admit finds the visitor that a browser says it is, or makes one. An id that we did not give, or that has proved to be
// somebody whom this browser does not prove to be, is not used again. made tells that the visitor is new.
func (s *server) admit(ctx context.Context, ch channel.Keyed, said, identity string, fresh func() error) (*visitor, error) {
	now := event.At(s.Now())
	if said != "" {
		v, err := s.visitors.Update(ctx, visitorID(ch.Tenant, ch.ID, said), func(v *visitor) error {
			if v.Identity != "" && v.Identity != identity {
				return errStranger
			}
			v.Identity, v.Mailbox = identity, mailboxID(ch.Tenant, ch.ID, v.Visitor, identity)
			v.SeenAt, v.ExpiresAt = now, now.Add(visitorFor)
			return nil
		})
		if !errors.Is(err, store.ErrNotFound) && !errors.Is(err, errStranger) {
			return v, err
		}
	}
	if err := fresh(); err != nil {
		return nil, err
	}
	v := &visitor{Visitor: random("vis_"), Identity: identity, SeenAt: now}
	v.ID, v.Tenant, v.ExpiresAt = visitorID(ch.Tenant, ch.ID, v.Visitor), ch.Tenant, now.Add(visitorFor)
	v.Mailbox = mailboxID(ch.Tenant, ch.ID, v.Visitor, identity)
	if err := s.visitors.Insert(ctx, v); err != nil {
		return nil, fmt.Errorf("visitor: %w", err)
	}
	return v, nil
}
