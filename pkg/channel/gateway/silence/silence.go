// Package silence knows how long nobody has written to the channels that the operator watches. These channels, and they alone, have series
// of their own among the metrics: the operator names them, so that there are few.
package silence

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

const (
	// Most is how many channels may be watched.
	Most = 100

	// LookEvery is how often processes tell each other what they have heard.
	LookEvery = time.Minute

	shortest = time.Minute // of what an operator may find long: no shorter time is told apart
	kept     = 30 * 24 * time.Hour
)

// Spec declares the collection of what was heard last; all services share it.
var Spec = store.Spec{Name: "channels_heard", Expires: true}

// heard is when somebody wrote to a channel for the last time, or when watching it began; its id is the channel's.
type heard struct {
	store.Meta
	Last event.Time `json:"last"`
}

// Parse reads which channels are watched: "<channel>=<duration>", from how much silence on the operator is told.
func Parse(entries []string) (map[string]time.Duration, error) {
	out := map[string]time.Duration{}
	for _, e := range entries {
		id, text, ok := strings.Cut(e, "=")
		d, err := time.ParseDuration(text)
		switch {
		case !ok || id == "" || err != nil || d < shortest:
			return nil, fmt.Errorf("%q: want <id of a channel>=<duration of at least %s>, such as ch_x=6h", e, shortest)
		case out[id] != 0:
			return nil, fmt.Errorf("%q: the channel is there twice", e)
		}
		out[id] = d
	}
	if len(out) > Most {
		return nil, fmt.Errorf("%d channels, at most %d can be watched", len(out), Most)
	}
	return out, nil
}

// Channels finds configured channels; directory.Directory is one.
type Channels interface {
	Channel(ctx context.Context, id string) (channel.Keyed, error)
}

// Deps is what a Watch works with.
type Deps struct {
	Type     event.ChannelType
	Allowed  map[string]time.Duration // by channel, of all types
	Channels Channels
	DB       store.DB
	Now      func() time.Time
	Log      *slog.Logger
}

// Watch watches the channels of one type.
type Watch struct {
	Deps
	docs *store.Collection[heard]

	mu   sync.Mutex
	last map[string]time.Time // by channel: when it was heard of
	show map[string]bool      // by channel: it is of this type, and enabled
	gone map[string]bool      // by channel: it was said that it is not there
}

// New returns a watch. It needs the collection [Spec].
func New(d Deps) *Watch {
	return &Watch{Deps: d, docs: store.NewCollection[heard](d.DB, Spec), last: map[string]time.Time{}, show: map[string]bool{}, gone: map[string]bool{}}
}

// Note notes an event of a channel. It returns at once.
func (w *Watch) Note(ch channel.Channel, e event.Inbound) {
	if e.Type != event.MessageReceived || w.Allowed[ch.ID] == 0 {
		return
	}
	w.hear(ch.ID, w.Now())
}

// hear notes that a channel was heard of at a time, and returns when it was last.
func (w *Watch) hear(id string, at time.Time) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if at.After(w.last[id]) {
		w.last[id] = at
	}
	return w.last[id]
}

// Look shares what this process has heard with the others, and learns what they have.
func (w *Watch) Look(ctx context.Context) error {
	for id := range w.Allowed {
		ch, err := w.Channels.Channel(ctx, id)
		absent := fault.Is(err, fault.Gone)
		if err != nil && !absent {
			return err
		}
		mine := !absent && ch.Type == w.Type
		if mine {
			if err := w.share(ctx, ch); err != nil {
				return err
			}
		}
		w.mu.Lock()
		w.show[id] = mine && ch.Enabled
		said := w.gone[id]
		w.gone[id] = absent
		w.mu.Unlock()
		if absent && !said {
			w.Log.WarnContext(ctx, "a channel that is to be watched is not there", "channel", id)
		}
	}
	return nil
}

// share brings the time at which a channel was last heard of into the store, and from there. One that is switched off is not silent.
func (w *Watch) share(ctx context.Context, ch channel.Keyed) error {
	now := w.Now()
	if !ch.Enabled {
		w.hear(ch.ID, now)
	}
	last := w.hear(ch.ID, time.Time{})
	doc, err := w.docs.Upsert(ctx, ch.ID, func() *heard { return &heard{Last: event.At(now)} }, func(d *heard) error {
		news := last.After(d.Last.Time)
		if !news && d.ExpiresAt.Time.After(now.Add(kept*9/10)) {
			return store.Unchanged
		}
		if news {
			d.Last = event.At(last)
		}
		d.Tenant, d.ExpiresAt = ch.Tenant, event.At(now.Add(kept))
		return nil
	})
	if err != nil {
		return err
	}
	w.hear(ch.ID, doc.Last.Time)
	return nil
}

// silent is how long nobody has written to each channel that is shown.
func (w *Watch) silent() map[string]time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]time.Duration{}
	for id, ok := range w.show {
		if ok {
			out[id] = max(0, w.Now().Sub(w.last[id]))
		}
	}
	return out
}

// Observe tells OpenTelemetry of it whenever it asks.
func (w *Watch) Observe(m metric.Meter) error {
	silence, err := m.Float64ObservableGauge("tributary.channel.silence", metric.WithUnit("s"),
		metric.WithDescription("How long nobody has written to a channel that the operator watches (TRIBUTARY_WATCHED_CHANNELS)."))
	if err != nil {
		return err
	}
	allowed, err := m.Float64ObservableGauge("tributary.channel.silence_allowed", metric.WithUnit("s"),
		metric.WithDescription("From which silence on the operator wants to be told of a channel."))
	if err != nil {
		return err
	}
	_, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for id, d := range w.silent() {
			of := metric.WithAttributes(attribute.String("channel", id), attribute.String("channel_type", string(w.Type)))
			o.ObserveFloat64(silence, d.Seconds(), of)
			o.ObserveFloat64(allowed, w.Allowed[id].Seconds(), of)
		}
		return nil
	}, silence, allowed)
	return err
}
