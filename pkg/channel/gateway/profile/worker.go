// Package profile asks providers who the people are that write to a channel, where a provider says so only when it is asked.
//
// A look-up begins once the event that shows somebody is on Kafka. It delays no answer to a webhook and blocks no lane, and what waits
// for its turn is in memory: a process that ends forgets it, and the person's next event asks again. What was learned is an event of
// its own on tributary.inbound, which the inbox projects. An answer is remembered for a day, by all replicas.
package profile

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/cache"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// Channels finds configured channels; directory.Directory is one.
type Channels interface {
	Channel(ctx context.Context, id string) (channel.Keyed, error)
}

// Asker makes the calls; provider.Caller is one.
type Asker interface {
	Ask(ctx context.Context, ch channel.Keyed, req channel.Request, read func(channel.Response) error) error
}

// Deps is what a Worker works with.
type Deps struct {
	Adapter  channel.Guarded // with a Profiler
	Source   string          // of the events: the service's name
	Channels Channels
	Bus      bus.Producer
	Caller   Asker
	Cache    *cache.Cache // shared by all replicas; nil: each process remembers for itself
	Now      func() time.Time
	Log      *slog.Logger
	Timing   Timing
}

// Timing bounds waits. Zero values mean the defaults.
type Timing struct {
	Found      time.Duration // how long an answer is remembered; default 24 h
	Absent     time.Duration // how long it is remembered that the provider tells nothing about somebody; default 6 h
	Elsewhere  time.Duration // how long a process believes that another replica asks; default 1 min
	Refused    time.Duration // after which a channel whose credentials were refused may ask again, unless it changes before; default 10 min
	Backoff    time.Duration // after the first failure; doubles; default 1 s
	MaxBackoff time.Duration // default 10 min
	Call       time.Duration // for one call; default 10 s
}

func (t *Timing) fill() {
	for _, f := range []struct {
		v *time.Duration
		d time.Duration
	}{
		{&t.Found, 24 * time.Hour}, {&t.Absent, 6 * time.Hour}, {&t.Elsewhere, time.Minute}, {&t.Refused, 10 * time.Minute},
		{&t.Backoff, time.Second}, {&t.MaxBackoff, 10 * time.Minute}, {&t.Call, 10 * time.Second},
	} {
		if *f.v == 0 {
			*f.v = f.d
		}
	}
}

const (
	peopleKept   = 50_000 // people of whom a process remembers that they were asked for
	channelsKept = 1_000  // channels whose pace a process remembers
	lineLength   = 256    // people who wait at one channel; more are asked for when they write again
	inAll        = 8_192  // people who wait in a process
	atOnce       = 32     // calls in a process
)

// Worker looks up the people of the channels of one type.
type Worker struct {
	Deps
	info    channel.Info
	asked   *lru.Cache[string, time.Time] // by person: until when nobody asks for them
	paces   *lru.Cache[string, *pace]     // by channel
	places  chan struct{}
	wake    chan struct{}
	metrics *metrics

	mu      sync.Mutex
	lines   map[string]*line // by channel: those with people who wait
	waiting int
}

// line is the people who wait at one channel. They are asked for one after the other.
type line struct {
	people []person
	served bool
}

// person is somebody to be asked for.
type person struct {
	tenant, channelID string
	who               channel.Who
	post              *event.Post // of the thread in which they were seen
	tries             int
}

// key names the person in all replicas.
func (p person) key() string { return event.Hash(p.tenant, p.channelID, p.who.Peer, p.who.Author) }

// New returns a worker; [Worker.Run] does the work.
func New(d Deps) *Worker {
	d.Timing.fill()
	info := d.Adapter.Info()
	return &Worker{
		Deps: d, info: info, asked: keep[time.Time](peopleKept), paces: keep[*pace](channelsKept), places: make(chan struct{}, atOnce),
		wake: make(chan struct{}, 1), metrics: newMetrics(info.Type), lines: map[string]*line{},
	}
}

func keep[V any](n int) *lru.Cache[string, V] {
	c, err := lru.New[string, V](n)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return c
}

// Note notes an event of a channel that is on Kafka: whom it shows is looked up, unless that was done lately. It returns at once.
func (w *Worker) Note(ch channel.Channel, in event.Inbound) {
	for _, who := range shown(in) {
		w.want(ch, person{tenant: ch.Tenant, channelID: ch.ID, who: who, post: in.Post})
	}
}

// arrivals are the memberships of somebody who is there.
var arrivals = []string{"followed", "unblocked", "joined"}

// shown are the peer of an event and, in a group, who of it did it.
func shown(in event.Inbound) []channel.Who {
	arrived := in.Type == event.ContactMembership && in.Membership != nil && slices.Contains(arrivals, in.Membership.State)
	if in.Peer == "" || in.Type != event.MessageReceived && !arrived {
		return nil
	}
	out := []channel.Who{{Peer: in.Peer}}
	if in.Sender != nil && in.Sender.Author != "" {
		out = append(out, channel.Who{Peer: in.Peer, Author: in.Sender.Author})
	}
	return out
}

func (w *Worker) want(ch channel.Channel, p person) {
	key, now := p.key(), w.Now()
	if until, ok := w.asked.Get(key); ok && now.Before(until) {
		return
	}
	if _, ok := w.Adapter.Profiler.ProfileRequest(ch, p.who); !ok {
		return
	}
	if !w.enqueue(p) {
		w.metrics.count(dropped)
		return
	}
	w.asked.Add(key, now.Add(w.Timing.Found))
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// enqueue puts a person at the end of the channel's line; false if it is full.
func (w *Worker) enqueue(p person) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.lines[p.channelID]
	if w.waiting >= inAll || l != nil && len(l.people) >= lineLength {
		return false
	}
	if l == nil {
		l = &line{}
		w.lines[p.channelID] = l
	}
	l.people = append(l.people, p)
	w.waiting++
	return true
}

// again puts a person back to the front of the line.
func (w *Worker) again(l *line, p person) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l.people = slices.Insert(l.people, 0, p)
	w.waiting++
}

// next takes the first of a line. A line that is empty ends.
func (w *Worker) next(id string, l *line) (p person, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(l.people) == 0 {
		delete(w.lines, id)
		return p, false
	}
	p = l.people[0]
	l.people = l.people[1:]
	w.waiting--
	return p, true
}

// Run looks up who waits, until ctx ends and the calls under way have.
func (w *Worker) Run(ctx context.Context) error {
	var busy sync.WaitGroup
	defer busy.Wait()
	for {
		for id, l := range w.unserved() {
			busy.Go(func() { w.serve(ctx, id, l) })
		}
		select {
		case <-ctx.Done():
			return nil
		case <-w.wake:
		}
	}
}

// unserved returns the lines that nobody is at, for the caller to serve.
func (w *Worker) unserved() map[string]*line {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]*line{}
	for id, l := range w.lines {
		if !l.served {
			l.served = true
			out[id] = l
		}
	}
	return out
}
