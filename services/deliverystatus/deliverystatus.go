// Package deliverystatus judges what became of outbound messages: it joins send results, receipts, watermarks and
// echoes, in whatever order they come, into statuses that only move forward (promise P6, docs/models/receipts.pml).
package deliverystatus

import (
	"context"
	_ "embed"
	"time"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/deliverystatus/api"
)

//go:embed openapi.yaml
var openapi []byte

const source = "deliverystatus"

// Service is deliverystatus.
var Service = run.Service{Name: source, Collections: collections, New: New}

// New builds the service.
func New(ctx context.Context, env *run.Env) (*run.Parts, error) {
	if err := env.DB.Require(ctx, collections...); err != nil {
		return nil, err
	}
	unclaimed, err := otel.Meter("tributary/deliverystatus").Int64Counter("tributary_receipts_unclaimed",
		metric.WithDescription("receipts of messages that no attempt is known of"))
	if err != nil {
		return nil, err
	}
	applier := store.NewApplier(env.DB, env.Bus, env.Log)
	j := &judge{
		receipts:   store.NewCollection[receipt](env.DB, receiptSpec, store.Recall()),
		attempts:   store.NewCollection[attempt](env.DB, attemptSpec, store.Facts(applier), store.Recall()),
		watermarks: store.NewCollection[watermark](env.DB, watermarkSpec),
		now:        env.Now, unclaimed: unclaimed,
	}
	spec, err := httpapi.LoadSpec(openapi)
	if err != nil {
		return nil, err
	}
	s := &server{attempts: j.attempts, bus: env.Bus, waiting: newWaiting(env.Bus, env.DB, env.Now), directory: env.Directory, now: env.Now}
	if err := s.waiting.observe(otel.Meter("tributary/deliverystatus")); err != nil {
		return nil, err
	}
	return &run.Parts{
		Routes: func(r gin.IRouter) {
			api.RegisterHandlersWithOptions(r.Group("", httpapi.Guard(env.Auth, spec)...), s, api.GinServerOptions{ErrorHandler: httpapi.BadParameter})
		},
		Consumers: []bus.Subscription{
			{Group: "tributary-deliverystatus", Topics: []string{event.TopicReceipts}, Handle: j.handle, AtOnce: atOnce},
			{Group: "tributary-deliverystatus-echoes", Topics: []string{event.TopicInbound}, Types: []event.Type{event.MessageEchoed}, Handle: j.handle, AtOnce: atOnce, Linger: 50 * time.Millisecond},
		},
		Loops: []run.Loop{{Name: "facts", Run: applier.Run}, run.Promptly("dead letters", lookEvery, env.Log, s.waiting.look)},
	}, nil
}

// atOnce is enough for the store to commit many writes together, and leaves the processors to others as well.
const atOnce = 64
