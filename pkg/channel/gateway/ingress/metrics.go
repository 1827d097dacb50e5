package ingress

import (
	"context"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// Results of a call besides the verdicts.
const (
	forged      = "forged"
	unknown     = "unknown_channel"
	tooLarge    = "too_large"
	malformed   = "malformed"
	overloaded  = "overloaded"
	unavailable = "unavailable"
	spooled     = "spooled"
)

// metrics are counters whose attributes are made once: nothing is allocated for a call.
type metrics struct {
	calls      metric.Int64Counter
	signatures metric.Int64Counter
	latency    metric.Float64Histogram
	of         map[string]metric.MeasurementOption
	typ        metric.MeasurementOption
}

func newMetrics(channelType string) *metrics {
	meter := otel.Meter("tributary/ingress")
	m := &metrics{of: map[string]metric.MeasurementOption{}}
	var err error
	if m.calls, err = meter.Int64Counter("tributary_webhook_received", metric.WithDescription("Webhooks by channel type and result.")); err != nil {
		otel.Handle(err)
	}
	if m.signatures, err = meter.Int64Counter("tributary_webhook_signature_failures", metric.WithDescription("Webhooks whose origin could not be proved.")); err != nil {
		otel.Handle(err)
	}
	if m.latency, err = meter.Float64Histogram("tributary_ingest_latency", metric.WithUnit("s"), metric.WithDescription("From the provider's time of an event to its acknowledgement by Kafka.")); err != nil {
		otel.Handle(err)
	}
	typ := attribute.String("channel_type", channelType)
	m.typ = metric.WithAttributeSet(attribute.NewSet(typ))
	for _, r := range []string{accepted, handshake, unparsable, ignored, replayed, forged, unknown, tooLarge, malformed, overloaded, unavailable, spooled} {
		m.of[r] = metric.WithAttributeSet(attribute.NewSet(typ, attribute.String("result", r)))
		m.calls.Add(context.Background(), 0, m.of[r]) // a rate begins at the first one only if there was none before
	}
	m.signatures.Add(context.Background(), 0, m.typ)
	return m
}

func (m *metrics) received(ctx context.Context, result string) {
	m.calls.Add(ctx, 1, m.of[result])
	if result == forged {
		m.signature(ctx)
	}
}

func (m *metrics) signature(ctx context.Context) { m.signatures.Add(ctx, 1, m.typ) }

func (m *metrics) took(ctx context.Context, d time.Duration) {
	m.latency.Record(ctx, max(0, d.Seconds()), m.typ)
}

func resultOf(err error) string {
	fe := fault.Of(err)
	switch {
	case fe == errBusy:
		return overloaded
	case fe == errUnknown:
		return unknown
	case fe.Kind == fault.Denied:
		return forged
	case fe.Code == "body_too_large":
		return tooLarge
	case fe.Kind == fault.Invalid:
		return malformed
	}
	return unavailable
}
