package send

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/telemetry/label"
)

// metrics has no label of a tenant, channel or conversation.
type metrics struct {
	typ       attribute.KeyValue
	outcomes  metric.Int64Counter
	waiting   metric.Int64Counter
	limited   metric.Int64Counter
	breakers  metric.Int64UpDownCounter
	published metric.MeasurementOption
}

func newMetrics(t event.ChannelType) *metrics {
	meter := otel.Meter("tributary/send")
	counter := func(name, what string) metric.Int64Counter {
		c, err := meter.Int64Counter(name, metric.WithDescription(what))
		if err != nil {
			otel.Handle(err)
		}
		return c
	}
	breakers, err := meter.Int64UpDownCounter("tributary_breaker_state", metric.WithDescription("breakers of channels that are not closed, by state"))
	if err != nil {
		otel.Handle(err)
	}
	typ := attribute.String("channel_type", string(t))
	for _, state := range []string{"open", "half-open"} { // an alert compares with what was there before
		breakers.Add(context.Background(), 0, metric.WithAttributes(typ, attribute.String("state", state)))
	}
	return &metrics{
		typ:       typ,
		outcomes:  counter("tributary_outbound_status", "parts of messages by outcome and code"),
		waiting:   counter("tributary_outbound_waited", "parts that had to wait"),
		limited:   counter("tributary_provider_ratelimited", "calls that a provider refused because of a limit"),
		breakers:  breakers,
		published: metric.WithAttributeSet(attribute.NewSet(typ)),
	}
}

// Settled implements dispatch.Metrics.
func (m *metrics) Settled(ctx context.Context, s dispatch.State, code string) {
	m.outcomes.Add(ctx, 1, metric.WithAttributes(m.typ, attribute.String("status", string(s)), attribute.String("code", label.Code(code))))
}

// Waited implements dispatch.Metrics.
func (m *metrics) Waited(ctx context.Context) { m.waiting.Add(ctx, 1, m.published) }

// Throttled implements dispatch.Metrics.
func (m *metrics) Throttled(ctx context.Context) { m.limited.Add(ctx, 1, m.published) }

// Breaker implements dispatch.Metrics: a channel's breaker went from one state to another; closed ones are not counted.
func (m *metrics) Breaker(from, to string) {
	for state, n := range map[string]int64{from: -1, to: 1} {
		if state != "closed" {
			m.breakers.Add(context.Background(), n, metric.WithAttributes(m.typ, attribute.String("state", state)))
		}
	}
}
