package expiry

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// office is a provider, its adapter and the directory: what it says of each channel, and how often it was asked.
type office struct {
	channel.Adapter
	chs   []channel.Keyed
	says  map[string]time.Time
	fails map[string]error
	asked map[string]int
}

func (*office) Info() channel.Info { return channel.Info{Type: event.Line} }

func (o *office) Of(context.Context, event.ChannelType) ([]channel.Keyed, error) { return o.chs, nil }

func (o *office) ExpiryRequest(ch channel.Keyed) (channel.Request, bool) {
	return channel.Request{URL: ch.ID}, ch.ID != "ch_endless"
}

func (o *office) ParseExpiry(resp channel.Response, _ time.Time) (time.Time, error) {
	return o.says[string(resp.Body)], o.fails[string(resp.Body)]
}

func (o *office) Ask(_ context.Context, _ channel.Keyed, req channel.Request, read func(channel.Response) error) error {
	o.asked[req.URL]++
	return read(channel.Response{Body: []byte(req.URL)})
}

func keyed(id string, version int64) channel.Keyed {
	return channel.Keyed{Channel: channel.Channel{ID: id, Tenant: "t1", Type: event.Line, Version: version}}
}

// TestTheFirstEndOfCredentials goes through days of a platform: what is known before and after, and who is asked.
func TestTheFirstEndOfCredentials(t *testing.T) {
	t.Parallel()
	now := time.Now().Truncate(time.Second)
	const day = 24 * time.Hour
	o := &office{says: map[string]time.Time{}, fails: map[string]error{}, asked: map[string]int{}}
	db := storetest.New(t, Spec)
	fresh := func() *Worker {
		return New(Deps{Adapter: channel.Guard(o), Channels: o, Caller: o, DB: db, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)})
	}
	w := fresh()
	look := func(when string, want time.Duration, known bool, asked ...string) {
		t.Helper()
		clear(o.asked)
		if err := w.Look(t.Context()); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if left, ok := w.left(); ok != known || ok && left != want {
			t.Errorf("%s: %s (%t), want %s (%t)", when, left, ok, want, known)
		}
		for _, id := range asked {
			if o.asked[id] != 1 {
				t.Errorf("%s: %s was asked for %d times", when, id, o.asked[id])
			}
			delete(o.asked, id)
		}
		if len(o.asked) > 0 {
			t.Errorf("%s: asked for %v as well", when, o.asked)
		}
	}
	look("without channels", 0, false)
	o.chs = []channel.Keyed{keyed("ch_endless", 1), keyed("ch_never", 1), keyed("ch_silent", 1)}
	o.says["ch_never"] = now.AddDate(150, 0, 0)
	o.fails["ch_silent"] = fault.New(fault.Gone, "expiry_unknown", "no word")
	look("none that ends", 0, false, "ch_never", "ch_silent")
	o.chs = append(o.chs, keyed("ch_late", 1), keyed("ch_soon", 1))
	o.says["ch_late"], o.says["ch_soon"] = now.Add(50*day), now.Add(10*day)
	look("two that end", 10*day, true, "ch_late", "ch_soon")
	w = fresh()
	look("after a start", 10*day, true)
	now = now.Add(day + time.Hour)
	o.fails["ch_soon"] = errors.New("no answer")
	look("a day later, one is away", 9*day-time.Hour, true, "ch_never", "ch_silent", "ch_late", "ch_soon")
	now = now.Add(tryAgain)
	look("an hour later", 9*day-2*time.Hour, true, "ch_soon")
	delete(o.fails, "ch_soon")
	o.chs[4].Version, o.says["ch_soon"] = 2, now.Add(60*day)
	look("a new token", 49*day-2*time.Hour, true, "ch_soon")
	now = now.Add(20 * time.Hour)
	o.chs[4].Version, o.fails["ch_soon"] = 3, errors.New("no answer")
	o.chs = append(o.chs[:3], o.chs[4])
	look("a token of which nothing is known, and the other channel is gone", 0, false, "ch_soon")
	now = now.Add(2 * time.Hour)
	delete(o.fails, "ch_soon")
	o.says["ch_soon"] = now.Add(-time.Hour)
	look("it has ended", -time.Hour, true, "ch_soon")
}

// exchange is an office whose answers renew the credential, and what was kept of them.
type exchange struct {
	*office
	kept  map[string]string
	fails error
}

func (*exchange) Renewable() string { return "access_token" }

func (*exchange) ParseRenewal(resp channel.Response) string { return "renewed-" + string(resp.Body) }

func (x *exchange) Renew(_ context.Context, ch channel.Keyed, credential string, until time.Time) error {
	if x.fails == nil {
		x.kept[ch.ID] = credential + " " + time.Until(until).Round(time.Hour).String()
	}
	return x.fails
}

// TestRenewalsAreKept: what an answer renews is kept until its end; where it cannot be kept, or the provider says nothing, it is asked again.
func TestRenewalsAreKept(t *testing.T) {
	t.Parallel()
	now := time.Now().Truncate(time.Second)
	o := &office{says: map[string]time.Time{"ch_a": now.Add(60 * 24 * time.Hour)}, fails: map[string]error{"ch_b": fault.New(fault.Gone, "expiry_unknown", "no word")}, asked: map[string]int{}}
	o.chs = []channel.Keyed{keyed("ch_a", 1), keyed("ch_b", 1)}
	x := &exchange{office: o, kept: map[string]string{}, fails: errors.New("the store is away")}
	w := New(Deps{Adapter: channel.Guard(x), Channels: o, Caller: o, Renewed: x, DB: storetest.New(t, Spec), Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)})
	for _, when := range []struct {
		after time.Duration
		fails error
		asked int
	}{{0, x.fails, 1}, {tryAgain, nil, 2}, {time.Hour, nil, 2}} {
		now, x.fails = now.Add(when.after), when.fails
		if err := w.Look(t.Context()); err != nil || o.asked["ch_a"] != when.asked || o.asked["ch_b"] != 1 {
			t.Errorf("after %s: asked %v, %v", when.after, o.asked, err)
		}
	}
	if len(x.kept) != 1 || x.kept["ch_a"] != "renewed-ch_a 1440h0m0s" {
		t.Errorf("kept %v", x.kept)
	}
}
