// Package routing decides who gets a conversation: skill queues, agents with presence and a limit, least loaded first.
package routing

import (
	"context"
	_ "embed"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/routing/api"
	"github.com/tributaryhq/tributary/services/routing/decide"
)

//go:embed openapi.yaml
var openapi []byte

// Service is routing.
var Service = run.Service{Name: decide.Source, Collections: decide.Specs, New: New}

// New builds the service.
func New(ctx context.Context, env *run.Env) (*run.Parts, error) {
	if err := env.DB.Require(ctx, decide.Specs...); err != nil {
		return nil, err
	}
	applier := store.NewApplier(env.DB, env.Bus, env.Log)
	facts := store.Facts(applier)
	d := &decide.Decider{
		Agents:    store.NewCollection[decide.Agent](env.DB, directory.Agents, facts),
		Presences: store.NewCollection[decide.Presence](env.DB, decide.PresenceSpec, facts),
		Queues:    store.NewCollection[decide.Queue](env.DB, directory.Queues, facts),
		Routed:    store.NewCollection[decide.Routed](env.DB, decide.RoutedSpec, facts),
		Directory: env.Directory, To: env.Bus, Now: env.Now, Log: env.Log, Repairs: decide.NewRepairs(),
		Partition: func(ctx context.Context, tenant string) (int, error) {
			return env.Bus.PartitionOf(ctx, event.TopicRouting, tenant)
		},
	}
	s := &server{decider: d, directory: env.Directory, skills: store.NewCollection[decide.Skill](env.DB, decide.SkillSpec), now: env.Now}
	spec, err := httpapi.LoadSpec(openapi)
	if err != nil {
		return nil, err
	}
	return &run.Parts{
		Routes: func(r gin.IRouter) {
			api.RegisterHandlersWithOptions(r.Group("", httpapi.Guard(env.Auth, spec)...), s, api.GinServerOptions{ErrorHandler: httpapi.BadParameter})
		},
		Consumers: []bus.Subscription{
			{Group: "tributary-routing-copier", Topics: []string{event.TopicConversations}, Types: decide.Copied, Handle: decide.Copier{To: env.Bus}.Handle},
			{Group: "tributary-routing-config", Topics: []string{event.TopicConfig}, Handle: decide.Copier{To: env.Bus}.Configured},
			{Group: "tributary-routing", Topics: []string{event.TopicRouting}, Assign: d.Assign},
		},
		Loops: []run.Loop{
			{Name: "facts", Run: applier.Run},
			run.Every("leases", time.Second, env.Log, d.Expire),
			run.Every("offers", 2*time.Second, env.Log, d.Repeat),
		},
	}, nil
}
