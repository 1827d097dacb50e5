package profile

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Results of a look-up, as they are counted.
const (
	found     = "found"
	absent    = "absent"    // the provider tells nothing about them
	elsewhere = "elsewhere" // another replica has asked, or is asking
	refused   = "refused"   // the provider takes none of the channel's credentials
	throttled = "throttled"
	failed    = "failed"
	dropped   = "dropped" // too many wait
)

// metrics has no label of a tenant or channel.
type metrics struct {
	lookups metric.Int64Counter
	of      map[string]metric.MeasurementOption
}

func newMetrics(t event.ChannelType) *metrics {
	lookups, err := otel.Meter("tributary/profile").Int64Counter("tributary_profile_lookups", metric.WithDescription("look-ups of people by channel type and result"))
	if err != nil {
		otel.Handle(err)
	}
	m := &metrics{lookups: lookups, of: map[string]metric.MeasurementOption{}}
	for _, r := range []string{found, absent, elsewhere, refused, throttled, failed, dropped} {
		m.of[r] = metric.WithAttributeSet(attribute.NewSet(attribute.String("channel_type", string(t)), attribute.String("result", r)))
	}
	return m
}

func (m *metrics) count(result string) { m.lookups.Add(context.Background(), 1, m.of[result]) }
