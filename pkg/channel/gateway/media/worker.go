// Package media fetches the files of inbound messages before their provider forgets them, and says what became of them on
// tributary.inbound.
//
// A file is fetched as soon as its record is read, if its host has room; otherwise, and after every failure, it waits as a
// document in the store until it is due. So no lane waits for a dead host, and nothing is lost with a process. Fetching twice is
// harmless: bytes are kept by their content, and the word about an attachment has a derived id.
package media

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/egress"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Channels finds configured channels; directory.Directory is one.
type Channels interface {
	Channel(ctx context.Context, id string) (channel.Keyed, error)
}

// Deps is what a Worker works with.
type Deps struct {
	Adapter  channel.Guarded
	Source   string // of the events: the service's name
	Channels Channels
	Bus      bus.Producer
	DB       store.DB
	Facts    *store.Applier // must run
	Blobs    *blob.Store
	Egress   *egress.Client
	Caller   *provider.Caller
	Now      func() time.Time
	Log      *slog.Logger
	Timing   Timing
}

// Timing bounds waits. Zero values mean the defaults.
type Timing struct {
	Backoff    time.Duration // after the first failure; doubles; default 2 s
	MaxBackoff time.Duration // default 10 min
	Fetch      time.Duration // for one file; default 2 min
	Poll       time.Duration // between looks for files that are due; default 1 s
}

const (
	perHost   = 8         // files at once from one host
	atOnce    = 64        // files at once in this process
	maxSize   = 100 << 20 // bytes of a file, where the type does not say
	finalFor  = 24 * time.Hour
	waitingOn = 24 * time.Hour // a file without an expiry is given up then
)

// Worker fetches for the channels of one type.
type Worker struct {
	Deps
	info  channel.Info
	files *store.Collection[File]
	hosts *hosts
}

// New returns a worker. [Worker.Subscription] and [Worker.Run] do the work.
func New(d Deps) *Worker {
	for _, f := range []struct {
		v *time.Duration
		d time.Duration
	}{{&d.Timing.Backoff, 2 * time.Second}, {&d.Timing.MaxBackoff, 10 * time.Minute}, {&d.Timing.Fetch, 2 * time.Minute}, {&d.Timing.Poll, time.Second}} {
		if *f.v == 0 {
			*f.v = f.d
		}
	}
	info := d.Adapter.Info()
	return &Worker{Deps: d, info: info, files: store.NewCollection[File](d.DB, Spec(info.Type), store.Facts(d.Facts)), hosts: newHosts()}
}

// Subscription is the worker's group on its topic.
func (w *Worker) Subscription() bus.Subscription {
	return bus.Subscription{
		Group: "tributary-" + string(w.info.Type) + "-media", Topics: []string{event.TopicMedia(w.info.Type)},
		Handle: w.handle, Deadline: w.Timing.Fetch + time.Minute,
	}
}

// handle fetches a file at once, or lets it wait.
func (w *Worker) handle(ctx context.Context, m bus.Message) error {
	want, err := event.Decode[event.WantedMedia](m.Event)
	if err != nil || want.Attachment.ID == "" {
		return fault.New(fault.Invalid, "bad_json", "no wanted media: %v", err)
	}
	f := w.file(m.Event.Tenant, want)
	leave := w.hosts.enter(f.Host)
	if leave == nil || w.Egress.Tripped(account(f.Host)) {
		leave.done()
		return w.wait(ctx, f, nil, w.Now())
	}
	defer leave.done()
	a, ferr := w.fetch(ctx, f)
	switch {
	case ferr == nil:
		return w.say(ctx, f, a)
	case w.hopeless(f, ferr):
		return w.say(ctx, f, lost(f, ferr))
	}
	return w.wait(ctx, f, ferr, w.Now().Add(w.backoff(1, ferr)))
}

// say publishes what became of a file that never waited: the record is done after it.
func (w *Worker) say(ctx context.Context, f *File, a event.Attachment) error {
	rec := w.record(f, a)
	if err := w.Bus.Publish(ctx, rec); err != nil {
		return &fault.Error{Kind: fault.Unavailable, Code: "unavailable", Err: err}
	}
	return nil
}

// hopeless reports whether it makes no sense to try again.
func (w *Worker) hopeless(f *File, fe *fault.Error) bool {
	switch fe.Kind {
	case fault.Gone, fault.Invalid:
		return true
	case fault.Denied, fault.Internal: // credentials may be mended, and our mistakes too, but not for ever
		if f.Tries >= 5 || fe.Code == "egress_denied" || fe.Code == "redirect_denied" {
			return true
		}
	}
	return !w.Now().Before(f.Wanted.ExpiresAt.Time)
}

func (w *Worker) backoff(tries int, fe *fault.Error) time.Duration {
	d := min(w.Timing.Backoff<<min(max(tries-1, 0), 20), w.Timing.MaxBackoff)
	return min(max(fe.After, d*3/4+rand.N(d/2+1)), due.Longest)
}
