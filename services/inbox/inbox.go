// Package inbox is the record of all conversations: it takes what channels report, what agents do and what routing decides,
// numbers it, and tells everybody. It alone writes tributary.outbound.*.
package inbox

import (
	"context"
	_ "embed"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/budget"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fileurl"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/api"
	"github.com/tributaryhq/tributary/services/inbox/feed"
	"github.com/tributaryhq/tributary/services/inbox/intake"
	"github.com/tributaryhq/tributary/services/inbox/outgoing"
	"github.com/tributaryhq/tributary/services/inbox/record"
	"github.com/tributaryhq/tributary/services/inbox/rest"
	"github.com/tributaryhq/tributary/services/inbox/updates"
)

//go:embed openapi.yaml
var openapi []byte

// Service is inbox.
var Service = run.Service{Name: record.Source, Collections: collections, Lists: record.Listed, New: New}

var collections = append([]store.Spec{provider.CallSpec}, record.Specs...)

// New builds the service.
func New(ctx context.Context, env *run.Env) (*run.Parts, error) {
	if err := env.DB.Require(ctx, collections...); err != nil {
		return nil, err
	}
	to := feed.Keyed{Bus: env.Bus, Types: env.Directory}
	docs := record.New(env.DB, feed.Fanout{To: to}, env.Log)
	hub := feed.NewHub(to, env.Now)
	calls := func(ctx context.Context, tenant, attempt string) ([]provider.Call, error) {
		return provider.Calls(ctx, env.DB, tenant, attempt)
	}
	files := fileurl.New(env.Sealer, env.PublicURL, env.Now)
	outbox := &outgoing.Outbox{Record: docs, Directory: env.Directory, Blob: env.Blob, Files: files, Now: env.Now}
	server := &rest.Server{
		Record: docs, Directory: env.Directory, Outbox: outbox, Calls: calls, Blob: env.Blob, Cache: env.Cache, Bus: to, Hub: hub,
		Log: env.Log, Now: env.Now, Stopping: env.Stopping,
		Files: files, Public: rest.NewPublicFiles(env.Now),
		Uploads: rest.NewUploads(rest.DefaultUploads, env.Now), Streams: budget.NewShares(streamsAll, streamsCaller),
	}
	in := &intake.Intake{Record: docs, Channels: env.Directory, Blobs: env.Blob, Now: env.Now, Metrics: intake.NewMetrics(), Typing: func(ctx context.Context, c *record.Conversation, on bool) {
		server.Typing(ctx, c, event.Actor{Kind: "contact", ID: c.ContactID}, on)
	}}
	decided := &updates.Consumer{Record: docs, Now: env.Now, Send: outbox.Decided, Known: in.Unpark}
	spec, err := httpapi.LoadSpec(openapi)
	if err != nil {
		return nil, err
	}
	return &run.Parts{
		Routes: func(r gin.IRouter) {
			api.RegisterHandlersWithOptions(r.Group("", guard(env.Auth, spec)...), server, api.GinServerOptions{ErrorHandler: httpapi.BadParameter})
		},
		Consumers: []bus.Subscription{
			{Group: "tributary-inbox", Topics: []string{event.TopicInbound}, Handle: in.Handle, Together: in.Together, AtOnce: atOnce},
			{Group: "tributary-inbox-assignments", Topics: []string{event.TopicAssignments}, Handle: decided.Decision, AtOnce: atOnce},
			{Group: "tributary-inbox-status", Topics: []string{event.TopicMessageStatus}, Handle: decided.Status, AtOnce: atOnce},
		},
		Loops: []run.Loop{
			{Name: "facts", Run: docs.Applier.Run},
			{Name: "stream", Run: hub.Run},
			run.Every("echoes", 2*time.Second, env.Log, in.Due),
			run.Every("files", time.Minute, env.Log, func(ctx context.Context) error { return env.Blob.Collect(ctx, docs.RefersTo) }),
			run.Every("lists", relistEvery, env.Log, func(ctx context.Context) error { return docs.Conversations.Relist(ctx, func(int) {}) }),
			run.Every("timers", time.Second/2, env.Log, docs.Timers(due.NewSteady(env.Now).Now).Fire),
		},
	}, nil
}

// atOnce is enough for the store to commit many writes together, and leaves the processors to webhooks and callers as well.
const atOnce = 256

// Event streams at a time: of a process, and of one caller.
const (
	streamsAll    = 10_000
	streamsCaller = 64
)

// relistEvery is how soon a conversation is in the lists again that a process of an earlier version has written, while both run.
const relistEvery = 5 * time.Second

// guard is the usual one, but uploads may be large and streams long.
func guard(a httpapi.Authenticator, spec *httpapi.Spec) []gin.HandlerFunc {
	return []gin.HandlerFunc{
		unless(large, httpapi.LimitBody(httpapi.MaxBody)), only(large, httpapi.LimitBody(rest.MaxUpload+1<<20)),
		unless(long, httpapi.Deadline(30*time.Second)), unless(public, httpapi.Authenticate(a)), unless(public, httpapi.LimitRate(httpapi.DefaultRate)),
		spec.Validate(),
	}
}

func large(c *gin.Context) bool { return c.FullPath() == "/v1/attachments" }

func long(c *gin.Context) bool {
	return large(c) || c.FullPath() == "/v1/events" || c.FullPath() == "/v1/events/ws" || c.FullPath() == "/v1/attachments/:id" || c.FullPath() == "/v1/attachments/:id/preview" || public(c)
}

// public reports whether a path takes no credentials.
func public(c *gin.Context) bool { return c.FullPath() == fileurl.Path+":token" }

func only(when func(*gin.Context) bool, h gin.HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		if when(c) {
			h(c)
		}
	}
}

func unless(when func(*gin.Context) bool, h gin.HandlerFunc) gin.HandlerFunc {
	return only(func(c *gin.Context) bool { return !when(c) }, h)
}
