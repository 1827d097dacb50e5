package intake

import (
	"context"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// Metrics are by channel type: there may be any number of tenants, channels and people.
type Metrics struct {
	latency    metric.Float64Histogram
	duplicates metric.Int64Counter
}

// NewMetrics returns the metrics of a process.
func NewMetrics() *Metrics {
	m := &Metrics{}
	meter := otel.Meter("github.com/tributaryhq/tributary/services/inbox/intake")
	var err error
	if m.latency, err = meter.Float64Histogram("tributary.e2e.latency", metric.WithUnit("s"),
		metric.WithDescription("From the webhook to the message in the inbox, by channel type.")); err != nil {
		otel.Handle(err)
	}
	if m.duplicates, err = meter.Int64Counter("tributary.inbound.duplicates",
		metric.WithDescription("Messages that were in the inbox already, by channel type.")); err != nil {
		otel.Handle(err)
	}
	return m
}

// received tells of messages that are in the record now. One that was there before stands in no conversation that it was put into.
func (m *Metrics) received(ctx context.Context, ins []event.Inbound, ms []*record.Message, now time.Time) {
	if m == nil {
		return
	}
	typ := metric.WithAttributes(attribute.String("channel_type", string(ins[0].ChannelType)))
	for n, msg := range ms {
		if msg.Inbound == 0 {
			m.duplicates.Add(ctx, 1, typ)
			continue
		}
		m.latency.Record(ctx, max(0, now.Sub(ins[n].ReceivedAt.Time).Seconds()), typ)
	}
}
