package routing

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/routing/api"
	"github.com/tributaryhq/tributary/services/routing/decide"
)

// server implements api.ServerInterface.
type server struct {
	decider   *decide.Decider
	directory *directory.Directory
	skills    *store.Collection[decide.Skill]
	now       func() time.Time
}

type object = map[string]any

func (s *server) at() event.Time { return event.At(s.now()) }

func do(c *gin.Context, status int, f func(ctx context.Context, p *auth.Principal) (any, error)) {
	v, err := f(c.Request.Context(), httpapi.Caller(c))
	if err != nil {
		httpapi.Fail(c, httpapi.StoreError(err))
		return
	}
	if v == nil {
		c.Status(status)
		return
	}
	c.JSON(status, v)
}

func gone(what, id string) error {
	return fault.New(fault.Gone, "not_found", "there is no %s %s", what, id)
}

// queue reads one of the tenant.
func (s *server) queue(ctx context.Context, p *auth.Principal, id string) (*decide.Queue, error) {
	q, err := s.decider.Queues.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) || (err == nil && (q.Tenant != p.Tenant || q.Deleted)) {
		return nil, gone("queue", id)
	}
	return q, err
}

// ListQueues implements api.ServerInterface.
func (s *server) ListQueues(c *gin.Context, _ api.ListQueuesParams) {
	do(c, http.StatusOK, func(ctx context.Context, p *auth.Principal) (any, error) {
		limit, err := httpapi.Limit(c)
		if err != nil {
			return nil, err
		}
		docs, next, prev, err := s.decider.Queues.Query(ctx, store.Query{
			Where: []store.Eq{{Field: "tenant", Value: p.Tenant}}, Order: "name", Limit: limit, Cursor: c.Query("cursor"),
		})
		if err != nil {
			return nil, err
		}
		out := []object{}
		for _, q := range docs {
			if !q.Deleted {
				out = append(out, showQueue(q))
			}
		}
		return httpapi.NewList(out, next, prev), nil
	})
}

type queueInput struct {
	Name     string   `json:"name"`
	OUID     string   `json:"ou_id,omitempty"`
	Skills   []string `json:"skills,omitempty"`
	AgentIDs []string `json:"agent_ids,omitempty"`
}

func (s *server) checkQueue(ctx context.Context, p *auth.Principal, in queueInput) error {
	if in.OUID != "" {
		if _, err := s.directory.Unit(ctx, p.Tenant, in.OUID); err != nil {
			return httpapi.Named(err, "/ou_id", "organization unit", in.OUID)
		}
	}
	if n := len([]rune(in.Name)); n < 1 || n > 128 {
		return fault.At("/name", "out_of_range", "a name has 1 to 128 characters")
	}
	return nil
}

// CreateQueue implements api.ServerInterface.
func (s *server) CreateQueue(c *gin.Context, _ api.CreateQueueParams) {
	do(c, http.StatusCreated, func(ctx context.Context, p *auth.Principal) (any, error) {
		if err := s.may(p); err != nil {
			return nil, err
		}
		key, err := httpapi.IdempotencyKey(c, false)
		if err != nil {
			return nil, err
		}
		var in queueInput
		if err := httpapi.Body(c, &in); err != nil {
			return nil, err
		}
		if err := s.checkQueue(ctx, p, in); err != nil {
			return nil, err
		}
		q := &decide.Queue{Name: in.Name, OUID: in.OUID, Skills: append([]string{}, in.Skills...), Version: 1, Digest: key.Digest, CreatedAt: s.at()}
		q.ID, q.Tenant = key.ID(c, "q"), p.Tenant
		s.announce(q)
		if err := s.decider.Queues.Insert(ctx, q); errors.Is(err, store.ErrExists) {
			if q, err = s.decider.Queues.Get(ctx, q.ID); err == nil {
				err = key.Repeat(c, q.Digest)
			}
			if err != nil {
				return nil, err
			}
		} else if err != nil {
			return nil, err
		}
		s.committed(directory.EntityQueue, q.ID, q.Version)
		return showQueue(q), s.join(ctx, p, q.ID, in.AgentIDs)
	})
}

// may: queues and agents are changed by those who may set up routing, or by administrators of users.
// announce makes a change of a queue known: to everybody who caches queues, and to the decider.
func (s *server) announce(q *decide.Queue) {
	directory.Tell(&q.Meta, decide.Source, directory.EntityQueue, q.Version, false, s.at())
	q.Emit(event.TopicRouting, q.Tenant, s.decider.Due(q))
}

func (s *server) may(p *auth.Principal) error { return p.Require(auth.RoutingWrite) }

// join makes agents members of a queue.
func (s *server) join(ctx context.Context, p *auth.Principal, queueID string, agentIDs []string) error {
	for i, id := range agentIDs {
		if _, err := s.directory.Agent(ctx, p.Tenant, id); err != nil {
			return httpapi.Named(err, "/agent_ids/"+strconv.Itoa(i), "agent", id)
		}
		err := s.change(ctx, p.Tenant, id, func(a *decide.Agent) error {
			if slices.Contains(a.QueueIDs, queueID) {
				return store.Unchanged
			}
			a.QueueIDs = append(a.QueueIDs, queueID)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// change alters an agent and tells the decider and every directory.
func (s *server) change(ctx context.Context, tenant, id string, f func(*decide.Agent) error) error {
	at := s.at()
	a, err := s.decider.Agents.Upsert(ctx, id, func() *decide.Agent { return decide.NewAgent(tenant, id, at) }, func(a *decide.Agent) error {
		if err := f(a); err != nil {
			return err
		}
		a.Version++
		a.Emit(event.TopicRouting, tenant, decide.Changed(tenant, id, "settings", at))
		directory.Tell(&a.Meta, decide.Source, directory.EntityAgent, a.Version, false, at)
		return nil
	})
	if err != nil {
		return err
	}
	s.committed(directory.EntityAgent, id, a.Version)
	return nil
}

// committed lets this process use the new version at once, and nothing older. It must be in the store by then.
func (s *server) committed(entity, id string, version int64) {
	s.directory.Changed(event.Config{Entity: entity, ID: id, Version: version})
}

// GetQueue implements api.ServerInterface.
func (s *server) GetQueue(c *gin.Context, id api.ID) {
	do(c, http.StatusOK, func(ctx context.Context, p *auth.Principal) (any, error) {
		q, err := s.queue(ctx, p, id)
		if err != nil {
			return nil, err
		}
		return showQueue(q), nil
	})
}

// PatchQueue implements api.ServerInterface.
func (s *server) PatchQueue(c *gin.Context, id api.ID) {
	do(c, http.StatusOK, func(ctx context.Context, p *auth.Principal) (any, error) {
		raw, err := httpapi.Raw(c)
		if err == nil {
			err = s.may(p)
		}
		if err != nil {
			return nil, err
		}
		if _, err := s.queue(ctx, p, id); err != nil {
			return nil, err
		}
		var in queueInput
		q, err := s.decider.Queues.Update(ctx, id, func(q *decide.Queue) error {
			in = queueInput{Name: q.Name, OUID: q.OUID, Skills: q.Skills}
			if err := httpapi.MergePatch(&in, raw); err != nil {
				return err
			}
			if err := s.checkQueue(ctx, p, in); err != nil {
				return err
			}
			q.Name, q.OUID, q.Skills = in.Name, in.OUID, append([]string{}, in.Skills...)
			q.Version++
			s.announce(q)
			return nil
		})
		if err != nil {
			return nil, err
		}
		s.committed(directory.EntityQueue, id, q.Version)
		return showQueue(q), s.join(ctx, p, id, in.AgentIDs)
	})
}

// DeleteQueue implements api.ServerInterface.
func (s *server) DeleteQueue(c *gin.Context, id api.ID) {
	do(c, http.StatusNoContent, func(ctx context.Context, p *auth.Principal) (any, error) {
		if err := s.may(p); err != nil {
			return nil, err
		}
		if _, err := s.queue(ctx, p, id); err != nil {
			return nil, err
		}
		q, err := s.decider.Queues.Update(ctx, id, func(q *decide.Queue) error {
			q.Deleted = true
			q.Version++
			s.announce(q)
			return nil
		})
		if err != nil {
			return nil, err
		}
		s.committed(directory.EntityQueue, id, q.Version)
		return nil, nil
	})
}

// QueueStatus implements api.ServerInterface.
func (s *server) QueueStatus(c *gin.Context, id api.ID) {
	do(c, http.StatusOK, func(ctx context.Context, p *auth.Principal) (any, error) {
		if _, err := s.queue(ctx, p, id); err != nil {
			return nil, err
		}
		return s.decider.Status(ctx, p.Tenant, id)
	})
}

// ListSkills implements api.ServerInterface.
func (s *server) ListSkills(c *gin.Context, _ api.ListSkillsParams) {
	do(c, http.StatusOK, func(ctx context.Context, p *auth.Principal) (any, error) {
		limit, err := httpapi.Limit(c)
		if err != nil {
			return nil, err
		}
		docs, next, prev, err := s.skills.Query(ctx, store.Query{
			Where: []store.Eq{{Field: "tenant", Value: p.Tenant}}, Order: "name", Limit: limit, Cursor: c.Query("cursor"),
		})
		if err != nil {
			return nil, err
		}
		out := []object{}
		for _, d := range docs {
			out = append(out, object{"id": d.ID, "name": d.Name})
		}
		return httpapi.NewList(out, next, prev), nil
	})
}

// CreateSkill implements api.ServerInterface. A skill's name is its identity: created again, it is the same.
func (s *server) CreateSkill(c *gin.Context, _ api.CreateSkillParams) {
	do(c, http.StatusCreated, func(ctx context.Context, p *auth.Principal) (any, error) {
		if err := s.may(p); err != nil {
			return nil, err
		}
		var in struct {
			Name string `json:"name"`
		}
		if err := httpapi.Body(c, &in); err != nil {
			return nil, err
		}
		d := &decide.Skill{Name: in.Name, CreatedAt: s.at()}
		d.ID, d.Tenant = event.DeriveID("skl", p.Tenant, in.Name), p.Tenant
		if err := s.skills.Insert(ctx, d); err != nil && !errors.Is(err, store.ErrExists) {
			return nil, err
		}
		return object{"id": d.ID, "name": d.Name}, nil
	})
}

// SimulateRouting implements api.ServerInterface.
func (s *server) SimulateRouting(c *gin.Context) {
	do(c, http.StatusOK, func(ctx context.Context, p *auth.Principal) (any, error) {
		var in struct {
			QueueID string `json:"queue_id"`
		}
		if err := httpapi.Body(c, &in); err != nil {
			return nil, err
		}
		q, err := s.queue(ctx, p, in.QueueID)
		if err != nil {
			return nil, httpapi.Named(err, "/queue_id", "queue", in.QueueID)
		}
		agent, reasons, err := s.decider.Simulate(ctx, q)
		if err != nil {
			return nil, err
		}
		out := object{"agent_id": nil, "reasons": append([]event.Reason{}, reasons...)}
		if agent != "" {
			out["agent_id"] = agent
		}
		return out, nil
	})
}

func showQueue(q *decide.Queue) object {
	out := object{"id": q.ID, "name": q.Name, "skills": append([]string{}, q.Skills...), "version": q.Version, "created_at": q.CreatedAt}
	if q.OUID != "" {
		out["ou_id"] = q.OUID
	}
	return out
}
