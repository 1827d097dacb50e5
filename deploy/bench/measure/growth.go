package measure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/load"
	"github.com/tributaryhq/tributary/deploy/bench/report"
	"github.com/tributaryhq/tributary/deploy/bench/stand"
	"github.com/tributaryhq/tributary/deploy/bench/stream"
	"github.com/tributaryhq/tributary/deploy/bench/target"
)

// Growth measures what a message and a list cost as the number of conversations grows a hundredfold.
func (b *Bench) Growth(ctx context.Context) (t *report.Table, err error) {
	t = &report.Table{
		Title: "Growth", Header: []string{"conversations", "new ones/s", "CPU/new one", "accepted/s", "CPU/message", "list p50", "list p99", "list of a queue p50", "memory"},
		Note: "Everybody writes once: *new ones* is how fast conversations come to be, until the last is on the event stream. Then webhooks for conversations chosen evenly among all, " +
			"over 16 connections, and everything that becomes of them; and the first page (25) of `GET /v1/conversations`, whole and of one queue.",
	}
	s, err := b.full(ctx, "growth")
	if err != nil {
		return nil, err
	}
	defer b.done(s, &err)
	to, err := s.Target(ctx, "whatsapp")
	if err != nil {
		return t, err
	}
	there := 0
	for _, n := range []int{max(1, b.Grown/100), b.Grown} {
		g := &grown{s: s, to: *to, people: n}
		if err := g.grow(ctx, there); err != nil {
			return t, err
		}
		if err := g.fill(ctx); err != nil {
			return t, err
		}
		if err := g.use(ctx, b); err != nil {
			return t, err
		}
		there = n
		now, _ := s.Memory()
		t.Add(n, g.made, g.madeCPU, g.accepted, g.cpu, g.list.At(.5), g.list.At(.99), g.ofQueue.At(.5), report.Bytes(now))
		b.say("%d conversations: %s CPU per message, list p50 %s", n, report.Milliseconds(g.cpu), report.Milliseconds(g.list.At(.5)))
	}
	return t, nil
}

// inQueue is how many conversations wait in the queue whose list is measured.
const inQueue = 50

// fill makes a queue and puts some of the first conversations into it.
func (g *grown) fill(ctx context.Context) error {
	var made struct {
		ID string `json:"id"`
	}
	if err := g.s.Call(ctx, "routing", "POST", "/v1/queues", nil, map[string]any{"name": fmt.Sprintf("Bench %d", g.people)}, &made); err != nil {
		return err
	}
	g.queue = made.ID
	var p page[struct {
		ID string `json:"id"`
	}]
	if err := g.s.Call(ctx, "inbox", "GET", "/v1/conversations?limit=200", nil, nil, &p); err != nil {
		return err
	}
	for _, c := range p.Data[:min(len(p.Data), inQueue)] {
		if err := g.s.Call(ctx, "inbox", "POST", "/v1/conversations/"+c.ID+"/assign", nil, map[string]any{"queue_id": made.ID}, nil); err != nil {
			return err
		}
	}
	return nil
}

// grown is a stand with so many conversations.
type grown struct {
	s      *stand.Stand
	to     target.Target
	people int
	queue  string

	made, accepted float64
	madeCPU, cpu   time.Duration
	list, ofQueue  load.Latencies
}

// grow has everybody from the there-th on write once.
func (g *grown) grow(ctx context.Context, there int) (err error) {
	g.to.People = g.people
	w := &watched{s: g.s}
	if w.plan, w.job, err = aim(&g.to); err != nil {
		return err
	}
	w.job.Next.Store(int64(there))
	if w.stream, err = stream.Open(ctx, g.s.URL("inbox"), stand.Key); err != nil {
		return err
	}
	defer w.stream.Close()
	w.job.OK = func(int64, time.Time, []byte) { w.acks.Add(1) }
	m, n := measure(g.s), g.people-there
	for left := n; left > 0 && err == nil; left = n - int(w.acks.Load()) { // in pieces: the broker takes no more than 512 MB unread
		_, err = load.Open(ctx, w.job, 64, 5000, time.Duration(min(left, 5000))*time.Second/5000)
		err = errors.Join(err, w.drained(ctx, 3*time.Minute))
	}
	theirs, _, took := m.read()
	g.made, g.madeCPU = float64(n)/took.Seconds(), each(theirs, n)
	return err
}

// use measures messages to all conversations, and lists.
func (g *grown) use(ctx context.Context, b *Bench) error {
	_, j, err := aim(&g.to)
	if err != nil {
		return err
	}
	scattered := j.Caller
	j.Caller = func() load.Caller { return spread{scattered(), int64(g.people)} }
	g.s.Settle(ctx, time.Minute)
	m := measure(g.s)
	g.s.Profile(b.Profiles, fmt.Sprintf("growth-%d", g.people), 2*b.For)
	var acked counter
	j.OK = acked.ok
	r, err := load.Closed(ctx, j, 16, 0, b.For, func() {})
	if err != nil {
		return err
	}
	g.s.Settle(ctx, time.Minute)
	theirs, _, _ := m.read()
	g.accepted, g.cpu = r.Rate(), each(theirs, int(acked.n.Load()))
	if g.list, err = g.pages(ctx, "limit=25"); err == nil {
		g.ofQueue, err = g.pages(ctx, "limit=25&queue_id="+g.queue)
	}
	return err
}

// spread makes calls in an order that jumps: neighbours in time are no neighbours in the store.
type spread struct {
	load.Caller
	people int64
}

func (s spread) Request(k int64) []byte {
	return s.Caller.Request(k/s.people*s.people + k%s.people*7919%s.people)
}

func (g *grown) pages(ctx context.Context, query string) (l load.Latencies, err error) {
	for range 200 {
		began := time.Now()
		var p page[any]
		if err := g.s.Call(ctx, "inbox", http.MethodGet, "/v1/conversations?"+query, nil, nil, &p); err != nil {
			return nil, err
		}
		if len(p.Data) == 0 {
			return nil, fmt.Errorf("the list of %s is empty", query)
		}
		l = append(l, time.Since(began))
	}
	l.Sort()
	return l, nil
}
