package routing

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/routing/api"
	"github.com/tributaryhq/tributary/services/routing/decide"
)

// agent reads one; who was never seen by routing has the defaults.
func (s *server) agent(ctx context.Context, p *auth.Principal, id string) (*decide.Agent, directory.Named, error) {
	who, err := s.directory.Agent(ctx, p.Tenant, id)
	if fault.Is(err, fault.Gone) {
		return nil, who, gone("agent", id)
	}
	if err != nil {
		return nil, who, err
	}
	a, err := s.decider.Agents.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return decide.NewAgent(p.Tenant, id, s.at()), who, nil
	}
	return a, who, err
}

// ListAgents implements api.ServerInterface.
func (s *server) ListAgents(c *gin.Context, params api.ListAgentsParams) {
	do(c, http.StatusOK, func(ctx context.Context, p *auth.Principal) (any, error) {
		limit, err := httpapi.Limit(c)
		if err != nil {
			return nil, err
		}
		q := store.Query{Where: []store.Eq{{Field: "tenant", Value: p.Tenant}}, Order: "created_at", Limit: limit, Cursor: c.Query("cursor")}
		if params.QueueId != nil {
			q.Where, q.Order = append(q.Where, store.Eq{Field: "queue_ids", Value: *params.QueueId}), ""
		}
		docs, next, prev, err := s.decider.Agents.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		out := []object{}
		for _, a := range docs {
			who, err := s.directory.Agent(ctx, p.Tenant, a.ID)
			if fault.Is(err, fault.Gone) {
				continue // the user was deleted
			}
			if err != nil {
				return nil, err
			}
			shown, err := s.showAgent(ctx, p, a, who)
			if err != nil {
				return nil, err
			}
			out = append(out, shown)
		}
		return httpapi.NewList(out, next, prev), nil
	})
}

// GetAgent implements api.ServerInterface.
func (s *server) GetAgent(c *gin.Context, id api.ID) {
	do(c, http.StatusOK, func(ctx context.Context, p *auth.Principal) (any, error) {
		a, who, err := s.agent(ctx, p, id)
		if err != nil {
			return nil, err
		}
		return s.showAgent(ctx, p, a, who)
	})
}

type agentInput struct {
	Limit    int      `json:"limit"`
	QueueIDs []string `json:"queue_ids"`
	Skills   []string `json:"skills"`
}

// PatchAgent implements api.ServerInterface.
func (s *server) PatchAgent(c *gin.Context, id api.ID) {
	do(c, http.StatusOK, func(ctx context.Context, p *auth.Principal) (any, error) {
		raw, err := httpapi.Raw(c)
		if err == nil {
			err = s.may(p)
		}
		if err != nil {
			return nil, err
		}
		if _, _, err := s.agent(ctx, p, id); err != nil {
			return nil, err
		}
		err = s.change(ctx, p.Tenant, id, func(a *decide.Agent) error {
			in := agentInput{a.Limit, a.QueueIDs, a.Skills}
			if err := httpapi.MergePatch(&in, raw); err != nil {
				return err
			}
			if in.Limit < 0 || in.Limit > 1000 {
				return fault.At("/limit", "out_of_range", "0 to 1000 conversations at once")
			}
			for i, q := range in.QueueIDs {
				if _, err := s.queue(ctx, p, q); err != nil {
					return httpapi.Named(err, "/queue_ids/"+strconv.Itoa(i), "queue", q)
				}
			}
			a.Limit, a.QueueIDs, a.Skills = in.Limit, append([]string{}, in.QueueIDs...), append([]string{}, in.Skills...)
			return nil
		})
		if err != nil {
			return nil, err
		}
		a, who, err := s.agent(ctx, p, id)
		if err != nil {
			return nil, err
		}
		return s.showAgent(ctx, p, a, who)
	})
}

// SetPresence implements api.ServerInterface. Agents set their own; those who set up routing may set anybody's.
func (s *server) SetPresence(c *gin.Context, id api.ID) {
	do(c, http.StatusOK, func(ctx context.Context, p *auth.Principal) (any, error) {
		if p.AgentID != id && !p.May(auth.RoutingWrite) {
			return nil, fault.New(fault.Denied, "forbidden", "an agent sets its own presence")
		}
		var in struct {
			State  string `json:"state"`
			Reason string `json:"reason"`
			Lease  int    `json:"lease_seconds"`
		}
		if err := httpapi.Body(c, &in); err != nil {
			return nil, err
		}
		if _, _, err := s.agent(ctx, p, id); err != nil {
			return nil, err
		}
		lease := cmp.Or(time.Duration(in.Lease)*time.Second, decide.LeaseTime)
		if _, err := s.decider.Appear(ctx, p.Tenant, id, in.State, in.Reason, lease); err != nil {
			return nil, err
		}
		a, who, err := s.agent(ctx, p, id)
		if err != nil {
			return nil, err
		}
		return s.showAgent(ctx, p, a, who)
	})
}

// showAgent hides the presence of others from agents; supervisors, administrators and keys see it.
func (s *server) showAgent(ctx context.Context, p *auth.Principal, a *decide.Agent, who directory.Named) (object, error) {
	visible := p.May(auth.ReadAll) || p.AgentID == a.ID
	out := object{
		"id": a.ID, "name": who.Name, "limit": a.Limit, "load": len(a.Holds), "queue_ids": a.QueueIDs, "skills": a.Skills,
		"presence": nil, "presence_visible": visible,
	}
	if who.OUID != "" {
		out["ou_id"] = who.OUID
	}
	if !visible {
		return out, nil
	}
	state := object{"state": "offline"}
	pr, err := s.decider.Presences.Get(ctx, a.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if err == nil && pr.There(s.at()) {
		state = object{"state": pr.State, "reason": pr.Reason, "since": pr.Since, "lease_ends": pr.LeaseEnds}
	}
	out["presence"] = state
	return out, nil
}
