package admin

import (
	"context"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
)

// reference is one place of a policy that names something of service routing.
type reference struct {
	pointer, what, id string
	find              func(ctx context.Context, tenant, id string) error
}

// references lists what the policy names, empty ids included.
func (s *server) references(p policy) []reference {
	queue := func(ctx context.Context, tenant, id string) error {
		_, err := s.directory.Queue(ctx, tenant, id)
		return err
	}
	calendar := func(ctx context.Context, tenant, id string) error {
		_, err := s.directory.Calendar(ctx, tenant, id)
		return err
	}
	bot := func(ctx context.Context, tenant, id string) error {
		_, err := s.directory.Bot(ctx, tenant, id)
		return err
	}
	coded := func(ctx context.Context, tenant, code string) error {
		_, err := s.directory.BotByAccessCode(ctx, tenant, code)
		return err
	}
	out := []reference{{"/queue_id", "queue", p.QueueID, queue}, {"/calendar_id", "calendar", p.CalendarID, calendar}}
	r := p.Routing
	if r == nil {
		r = &routing{}
	}
	l := r.LastAgent
	if l == nil {
		l = &lastAgent{}
	}
	return append(out,
		reference{"/routing/bot_id", "bot", r.BotID, bot},
		reference{"/routing/access_code", "bot with the access code", r.AccessCode, coded},
		reference{"/routing/last_agent/fallback_queue_id", "queue", l.FallbackQueueID, queue},
	)
}

// checkReferences refuses a policy that names what the tenant does not have. A name that the channel has already is left alone:
// what was deleted since counts as none, and must not stand in the way of other changes.
func (s *server) checkReferences(ctx context.Context, tenant string, old, in policy, bad *httpapi.Fields) error {
	before := s.references(old)
	for i, r := range s.references(in) {
		if r.id == "" || r.id == before[i].id {
			continue
		}
		err := httpapi.Named(r.find(ctx, tenant, r.id), r.pointer, r.what, r.id)
		if fault.Is(err, fault.Invalid) {
			*bad = append(*bad, fault.Of(err))
		} else if err != nil {
			return err
		}
	}
	return nil
}
