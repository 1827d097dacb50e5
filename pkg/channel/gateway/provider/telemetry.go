package provider

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/telemetry/label"
	"github.com/tributaryhq/tributary/pkg/telemetry/logctx"
)

const scope = "github.com/tributaryhq/tributary/pkg/channel/gateway/provider"

// observer tells OpenTelemetry of calls to providers, whatever carries them: by ids, never by content, URL or header.
type observer struct {
	tracer   trace.Tracer
	duration metric.Float64Histogram
}

// Observe begins to tell OpenTelemetry of the channels whose credentials fail; calls are told of in any case.
func (c *Caller) Observe() *Caller {
	if err := c.failing.observe(otel.Meter(scope), c.Adapter.Info().Type, c.Now); err != nil {
		otel.Handle(err)
	}
	return c
}

// observe returns the observer, made when the first call is.
func (l *lazy) observe() *observer {
	l.once.Do(func() { l.observer = newObserver() })
	return l.observer
}

// lazy lets a Caller be a value without one.
type lazy struct {
	once     sync.Once
	observer *observer
}

func newObserver() *observer {
	h, err := otel.Meter(scope).Float64Histogram("tributary.provider.call.duration", metric.WithUnit("s"),
		metric.WithDescription("Calls to providers by channel type and what went wrong, from the signing of a request to the end of its answer."))
	if err != nil {
		otel.Handle(err)
	}
	return &observer{tracer: otel.Tracer(scope), duration: h}
}

// begin opens the span of a call; done ends it.
func (o *observer) begin(ctx context.Context, ch channel.Keyed, a About) (context.Context, func(channel.Response, error)) {
	start := time.Now()
	ctx = logctx.With(ctx, logctx.About{Tenant: ch.Tenant, Channel: ch.ID})
	ctx, span := o.tracer.Start(ctx, "call "+string(ch.Type), trace.WithSpanKind(trace.SpanKindClient))
	if span.IsRecording() {
		span.SetAttributes(attribute.String("channel_type", string(ch.Type)), attribute.String("tributary.channel.id", ch.ID))
		for key, id := range map[string]string{"tributary.message.id": a.Message, "tributary.attempt.id": a.Attempt} {
			if id != "" {
				span.SetAttributes(attribute.String(key, id))
			}
		}
	}
	return ctx, func(resp channel.Response, err error) { o.end(ctx, span, ch.Type, time.Since(start), resp, err) }
}

func (o *observer) end(ctx context.Context, span trace.Span, t event.ChannelType, took time.Duration, resp channel.Response, err error) {
	attrs := []attribute.KeyValue{attribute.String("channel_type", string(t))}
	switch {
	case err != nil:
		attrs = append(attrs, attribute.String("error.type", fault.KindOf(err).String()))
		span.SetStatus(codes.Error, fault.Of(err).Code)
	case resp.Status > 0:
		attrs = append(attrs, attribute.Int("http.response.status_code", label.Status(resp.Status)))
	}
	o.duration.Record(ctx, took.Seconds(), metric.WithAttributes(attrs...))
	if span.IsRecording() {
		span.SetAttributes(attrs...)
	}
	span.End()
}
