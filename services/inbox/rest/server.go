// Package rest is the inbox's HTTP interface for agent apps.
package rest

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/budget"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/cache"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/fileurl"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/feed"
	"github.com/tributaryhq/tributary/services/inbox/outgoing"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// Server implements api.ServerInterface.
type Server struct {
	Record    *record.Store
	Directory *directory.Directory
	Calls     func(ctx context.Context, tenant, attemptID string) ([]provider.Call, error) // redacted provider calls of an attempt
	Outbox    *outgoing.Outbox
	Blob      *blob.Store
	Cache     *cache.Cache
	Bus       bus.Bus
	Hub       *feed.Hub
	Log       *slog.Logger
	Now       func() time.Time
	Uploads   *Uploads
	Files     *fileurl.URLs
	Public    *PublicFiles
	Streams   *budget.Shares  // of each caller, at a time
	Stopping  <-chan struct{} // closed when the process begins to stop
}

func (s *Server) at() event.Time { return event.At(s.Now()) }

// do answers with what f returns, or with the problem that its error is.
func do(c *gin.Context, status int, f func() (any, error)) {
	v, err := f()
	if err != nil {
		httpapi.Fail(c, httpapi.StoreError(err))
		return
	}
	c.JSON(status, v)
}

// errOr returns err, or otherwise if there is none.
func errOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

func gone(what, id string) error {
	return fault.New(fault.Gone, "not_found", "there is no %s %s", what, id)
}

// conversation reads one that the caller may see; to others it is not there.
func (s *Server) conversation(ctx context.Context, p *auth.Principal, id string) (*record.Conversation, error) {
	c, err := s.Record.Conversations.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, gone("conversation", id)
	}
	if err != nil {
		return nil, err
	}
	ok, err := s.visible(ctx, p, c)
	if err == nil && !ok {
		err = gone("conversation", id)
	}
	return c, err
}

// visible decides by tenant, then organization unit where that is enforced, then role: all, or own and team.
func (s *Server) visible(ctx context.Context, p *auth.Principal, c *record.Conversation) (bool, error) {
	if c.Tenant != p.Tenant {
		return false, nil
	}
	inside, err := s.inUnit(ctx, p, c.OUID)
	if err != nil || !inside {
		return false, err
	}
	return p.May(auth.ReadAll) || (p.May(auth.Read) && involved(p, c)), nil
}

// involved reports whether the caller holds the conversation, is of the team that has it, or took part in it before it was closed, or
// whether no team and no agent has it. What it decides, [Server.scopes] names as lists.
func involved(p *auth.Principal, c *record.Conversation) bool {
	switch {
	case p.AgentID != "" && c.AssigneeID == p.AgentID:
		return true
	case c.Status == record.Closed && tookPart(p, c), c.IsFree():
		return true
	}
	return c.QueueID != "" && slices.Contains(p.Queues, c.QueueID)
}

func tookPart(p *auth.Principal, c *record.Conversation) bool {
	return p.AgentID != "" && slices.Contains(c.Agents, p.AgentID)
}

// inUnit reports whether isolation lets the caller see things of a unit: those of the own unit and of units below it.
func (s *Server) inUnit(ctx context.Context, p *auth.Principal, ouID string) (bool, error) {
	isolated, err := s.isolated(ctx, p)
	if err != nil {
		return false, err
	}
	if !isolated || p.OUID == ouID {
		return true, nil
	}
	if ouID == "" {
		return false, nil
	}
	u, err := s.Directory.Unit(ctx, p.Tenant, ouID)
	if fault.Is(err, fault.Gone) {
		return false, nil
	}
	return slices.Contains(u.Path, p.OUID), err
}

// isolated reports whether the caller sees only things of a unit and those below it.
func (s *Server) isolated(ctx context.Context, p *auth.Principal) (bool, error) {
	t, err := s.Directory.Tenant(ctx, p.Tenant)
	if fault.Is(err, fault.Gone) {
		return false, nil // a tenant without settings isolates nothing
	}
	return err == nil && t.Settings.EnforceOUIsolation && p.OUID != "", err
}

// message reads one of a conversation that the caller may see.
func (s *Server) message(ctx context.Context, p *auth.Principal, id string) (*record.Message, *record.Conversation, error) {
	m, err := s.Record.Messages.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) || (err == nil && m.Tenant != p.Tenant) {
		return nil, nil, gone("message", id)
	}
	if err != nil {
		return nil, nil, err
	}
	c, err := s.conversation(ctx, p, m.ConversationID)
	if fault.Is(err, fault.Gone) {
		return nil, nil, gone("message", id)
	}
	return m, c, err
}

// reads reports whether the caller may read conversations and people at all; an API key for something else may not.
func reads(p *auth.Principal) error {
	if p.May(auth.ReadAll) {
		return nil
	}
	return p.Require(auth.Read)
}

// contact reads one of the caller's tenant and unit.
func (s *Server) contact(ctx context.Context, p *auth.Principal, id string) (*record.Contact, error) {
	if err := reads(p); err != nil {
		return nil, err
	}
	c, err := s.Record.Contacts.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) || (err == nil && c.Tenant != p.Tenant) {
		return nil, gone("contact", id)
	}
	if err != nil {
		return nil, err
	}
	inside, err := s.inUnit(ctx, p, c.OUID)
	if err == nil && !inside {
		err = gone("contact", id)
	}
	return c, err
}
