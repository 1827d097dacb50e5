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
	Watch    func(func(event.Config)) // calls back for every change of configuration; may be nil
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

	mended mended
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
	w := &Worker{
		Deps: d, info: info, files: store.NewCollection[File](d.DB, Spec(info.Type), store.Facts(d.Facts)), hosts: newHosts(), mended: newMended(),
	}
	if d.Watch != nil {
		d.Watch(func(c event.Config) {
			if c.Entity == "channel" {
				w.mended.note(c.ID)
			}
		})
	}
	return w
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
	if end, ok := w.last(f, a, ferr); ok {
		return w.say(ctx, f, end)
	}
	return w.wait(ctx, f, ferr, w.next(ctx, f, 1, ferr))
}

// say publishes what became of a file that never waited: the record is done after it.
func (w *Worker) say(ctx context.Context, f *File, a event.Attachment) error {
	rec := w.record(f, a)
	if err := w.Bus.Publish(ctx, rec); err != nil {
		return &fault.Error{Kind: fault.Unavailable, Code: "unavailable", Err: err}
	}
	return nil
}

// hopeless reports whether it makes no sense to try again. What an operator can mend, a token above all, waits for as long as the
// provider has the file; our own mistakes end after a few tries.
func (w *Worker) hopeless(f *File, fe *fault.Error) bool {
	switch {
	case fe.Kind == fault.Gone, fe.Kind == fault.Invalid, ourGuard(fe):
		return true
	case fe.Kind == fault.Internal && f.Tries >= 5:
		return true
	}
	return w.expired(f)
}

func (w *Worker) expired(f *File) bool { return !w.Now().Before(f.Wanted.ExpiresAt.Time) }

// ourGuard reports whether our own rules for outgoing calls refused a call: no change of a channel mends that.
func ourGuard(fe *fault.Error) bool {
	return fe.Code == "egress_denied" || fe.Code == "redirect_denied"
}

func (w *Worker) backoff(tries int, fe *fault.Error) time.Duration {
	d := min(w.Timing.Backoff<<min(max(tries-1, 0), 20), w.Timing.MaxBackoff)
	return min(max(fe.After, d*3/4+rand.N(d/2+1)), due.Longest)
}

// next is when a file is tried again. A refusal that a change of the channel can mend holds the file for that channel; if the channel
// has changed since the try began, the try says nothing about the channel as it is now.
func (w *Worker) next(ctx context.Context, f *File, tries int, fe *fault.Error) time.Time {
	f.Refused = ""
	if fe.Kind != fault.Denied {
		return w.Now().Add(w.backoff(tries, fe))
	}
	f.Refused = f.Wanted.ChannelID
	if ch, err := w.Channels.Channel(ctx, f.Wanted.ChannelID); err == nil && ch.Version != f.version {
		return w.Now().Add(w.backoff(1, fe))
	}
	return w.Now().Add(w.backoff(tries, fe))
}
