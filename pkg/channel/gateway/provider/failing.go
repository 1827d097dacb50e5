package provider

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Why the credentials of a channel fail.
const (
	denied  = "denied"  // the provider refuses them
	renewal = "renewal" // its token cannot be renewed, and ends
)

const failingFor = time.Hour // without another failure a channel is not counted any more: it may have been deleted, or not be used

// failing are the channels of this process whose credentials fail, by why.
type failing struct {
	mu sync.Mutex
	of map[string]map[string]time.Time // the last failure, by cause and channel
}

// note remembers how it went with a channel: that it failed for a cause, or that it did not.
func (f *failing) note(ch, cause string, failed bool, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !failed:
		delete(f.of[cause], ch)
	case f.of[cause] == nil:
		if f.of == nil {
			f.of = map[string]map[string]time.Time{}
		}
		f.of[cause] = map[string]time.Time{ch: now}
	default:
		f.of[cause][ch] = now
	}
}

// count is how many channels have failed for a cause lately.
func (f *failing) count(cause string, now time.Time) (n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for ch, at := range f.of[cause] {
		if now.Sub(at) > failingFor {
			delete(f.of[cause], ch)
			continue
		}
		n++
	}
	return n
}

// observe tells OpenTelemetry of the counts whenever it asks, also that there is nothing to tell.
func (f *failing) observe(m metric.Meter, t event.ChannelType, now func() time.Time) error {
	gauge, err := m.Int64ObservableGauge("tributary.provider.credentials_failing",
		metric.WithDescription("Channels whose credentials the provider refuses, or whose token cannot be renewed, by channel type and cause."))
	if err != nil {
		return err
	}
	_, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, cause := range []string{denied, renewal} {
			o.ObserveInt64(gauge, f.count(cause, now()), metric.WithAttributes(attribute.String("channel_type", string(t)), attribute.String("cause", cause)))
		}
		return nil
	}, gauge)
	return err
}
