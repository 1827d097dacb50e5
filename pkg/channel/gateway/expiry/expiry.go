// Package expiry asks providers until when the credentials of channels are valid, where a provider says so, and tells operators how long
// the first of them has left. Where the same call makes them valid for longer, it keeps what replaces them.
//
// A provider is asked once a day for each channel, and once more when the channel changes. What it said is kept in the store, so that
// replicas share it and a start asks for nothing that is known.
package expiry

import (
	"context"
	"log/slog"
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
	// LookEvery is how often a process looks whom to ask, for the first time so long after its start.
	LookEvery = 10 * time.Minute

	askAgain = 24 * time.Hour // after an answer
	tryAgain = time.Hour      // after none
	callFor  = 10 * time.Second
	kept     = 7 * 24 * time.Hour
	warnFrom = 14 * 24 * time.Hour        // before the end
	forever  = 100 * 365 * 24 * time.Hour // an end that is later is none
)

// Spec declares the collection of what providers said; all services share it.
var Spec = store.Spec{Name: "credential_ends", Expires: true}

// end is until when the credentials of a channel are valid; its id is the channel's.
type end struct {
	store.Meta
	Version int64      `json:"version"`        // of the channel that was asked about
	AskAt   event.Time `json:"ask_at"`         // again
	Until   event.Time `json:"until,omitzero"` // zero: they do not end, or it is not known
}

// Channels lists the enabled channels of a type; directory.Directory is one.
type Channels interface {
	Of(ctx context.Context, t event.ChannelType) ([]channel.Keyed, error)
}

// Asker makes the calls; provider.Caller is one.
type Asker interface {
	Ask(ctx context.Context, ch channel.Keyed, req channel.Request, read func(channel.Response) error) error
}

// Renewals keep credentials that were renewed; provider.Tokens is one.
type Renewals interface {
	Renew(ctx context.Context, ch channel.Keyed, credential string, until time.Time) error
}

// Deps is what a Worker works with.
type Deps struct {
	Adapter  channel.Guarded // with an Expirer
	Channels Channels
	Caller   Asker
	Renewed  Renewals // nil for types whose credentials are not renewed
	DB       store.DB
	Now      func() time.Time
	Log      *slog.Logger
}

// Worker asks for the channels of one type.
type Worker struct {
	Deps
	docs *store.Collection[end]

	mu    sync.Mutex
	first time.Time // the end that comes first; zero: none is known
}

// New returns a worker. It needs the collection [Spec].
func New(d Deps) *Worker { return &Worker{Deps: d, docs: store.NewCollection[end](d.DB, Spec)} }

// Look asks for all channels of which it is time to, one after the other.
func (w *Worker) Look(ctx context.Context) error {
	chs, err := w.Channels.Of(ctx, w.Adapter.Info().Type)
	if err != nil {
		return err
	}
	ids := make([]string, len(chs))
	for i, ch := range chs {
		ids[i] = ch.ID
	}
	known, err := w.docs.GetMany(ctx, ids)
	if err != nil {
		return err
	}
	var first time.Time
	for i, ch := range chs {
		until, err := w.of(ctx, ch, known[i])
		if err != nil {
			return err
		}
		if !until.IsZero() && (first.IsZero() || until.Before(first)) {
			first = until
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.first = first
	return nil
}

// of is when the credentials of a channel end, as it is known, or as the provider says now. The error is the store's, or that ctx has ended.
func (w *Worker) of(ctx context.Context, ch channel.Keyed, known *end) (time.Time, error) {
	now := w.Now()
	if known != nil && known.Version == ch.Version && now.Before(known.AskAt.Time) {
		return known.Until.Time, nil
	}
	req, ok := w.Adapter.Expirer.ExpiryRequest(ch)
	if !ok {
		return time.Time{}, nil
	}
	again := askAgain
	until, err := w.ask(ctx, ch, req)
	switch {
	case ctx.Err() != nil:
		return time.Time{}, ctx.Err()
	case err == nil && until.Sub(now) > forever, fault.Is(err, fault.Gone), fault.Is(err, fault.Invalid):
		until = time.Time{}
	case err != nil: // nothing new is known
		until, again = time.Time{}, tryAgain
		if known != nil && known.Version == ch.Version {
			until = known.Until.Time
		}
	}
	if err != nil {
		w.Log.DebugContext(ctx, "the provider does not say when credentials end", "channel", ch.ID, "error", err)
	}
	if left := until.Sub(now); !until.IsZero() && left < warnFrom {
		w.Log.WarnContext(ctx, "credentials of a channel end", "tenant", ch.Tenant, "channel", ch.ID, "until", until.UTC(), "left", left.Round(time.Minute))
	}
	_, err = w.docs.Upsert(ctx, ch.ID, func() *end { return &end{} }, func(d *end) error {
		d.Tenant, d.Version, d.AskAt, d.Until, d.ExpiresAt = ch.Tenant, ch.Version, event.At(now.Add(again)), event.Time{}, event.At(now.Add(kept))
		if !until.IsZero() {
			d.Until = event.At(until)
		}
		return nil
	})
	return until, err
}

func (w *Worker) ask(ctx context.Context, ch channel.Keyed, req channel.Request) (until time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	renewed := ""
	err = w.Caller.Ask(ctx, ch, req, func(resp channel.Response) (err error) {
		until, err = w.Adapter.Expirer.ParseExpiry(resp, w.Now())
		if err == nil && w.Adapter.Renewer != nil {
			renewed = w.Adapter.Renewer.ParseRenewal(resp)
		}
		return err
	})
	if err == nil && renewed != "" {
		err = w.Renewed.Renew(ctx, ch, renewed, until)
	}
	return until, err
}

// left is how long it is to the end that comes first; less than 0 once that has come. false if none is known.
func (w *Worker) left() (time.Duration, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.first.Sub(w.Now()), !w.first.IsZero()
}

// Observe tells OpenTelemetry of it whenever it asks. While no end is known there is nothing to tell.
func (w *Worker) Observe(m metric.Meter) error {
	of := metric.WithAttributes(attribute.String("channel_type", string(w.Adapter.Info().Type)))
	_, err := m.Float64ObservableGauge("tributary.provider.credentials_left", metric.WithUnit("s"),
		metric.WithDescription("Until the first of the credentials ends of which the provider says when they do, by channel type; below 0 once they have."),
		metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
			if left, ok := w.left(); ok {
				o.Observe(left.Seconds(), of)
			}
			return nil
		}))
	return err
}
