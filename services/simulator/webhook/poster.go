// Package webhook sends the webhooks of the simulated providers: later, in the background, again if they are not taken, and in
// order where the provider keeps one.
package webhook

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/pkg/fault"
)

const (
	workers  = 128
	maxQueue = 500_000
	maxTries = 30
	firstGap = 100 * time.Millisecond // doubled with every try; providers begin with seconds and go on for days
	maxGap   = 5 * time.Second
	timeout  = 20 * time.Second
)

// Call is a webhook, ready to be sent.
type Call struct {
	Method string // POST if empty
	URL    string
	Header http.Header
	Body   []byte
}

// Post is a webhook to be sent.
type Post struct {
	Make  func() Call // called once, when it is due
	Key   string      // those of one key are sent one after the other, each after the one before was taken; "": in no order
	After time.Duration

	About About
	Told  func(Tried) // called after every try, if it is there
}

// About is what a webhook tells, for people who look on.
type About struct {
	Kind    string // text, button … of a person, or delivered, read … of a message
	Peer    string // the person
	Message string // the provider's id of the message
}

// Tried is one try to send a webhook.
type Tried struct {
	Call   *Call
	Result Result
	Try    int // from 1
	At     time.Time
	Took   time.Duration
}

// Result is what a webhook was answered with.
type Result struct {
	Status int    // 0: no answer
	Error  string // why there was none
}

// OK reports whether the webhook was taken.
func (r Result) OK() bool { return r.Status >= 200 && r.Status < 300 }

// Stats is what became of all webhooks.
type Stats struct {
	Pending   int   `json:"pending"`   // waiting, or to be sent again
	Taken     int64 `json:"taken"`     // answered with 2xx
	Refused   int64 `json:"refused"`   // tries that were not
	Abandoned int64 `json:"abandoned"` // given up after the last try
	Dropped   int64 `json:"dropped"`   // never queued: too many were waiting
}

// ErrFull is returned when too many webhooks wait.
var ErrFull = fault.New(fault.Throttled, "overloaded", "too many webhooks are waiting to be sent")

// Poster needs Run.
type Poster struct {
	Client *http.Client
	Log    *slog.Logger

	mu    sync.Mutex
	due   queue
	busy  map[string][]*task // by key: what waits behind the one under way
	stats Stats
	seq   int64
	wake  chan struct{}
}

type task struct {
	Post
	call  *Call
	at    time.Time
	seq   int64
	tries int
	held  bool // its key is its own already
	first chan Result
}

// New returns a poster that sends through client.
func New(client *http.Client, log *slog.Logger) *Poster {
	return &Poster{Client: client, Log: log, busy: map[string][]*task{}, wake: make(chan struct{}, 1)}
}

// Post sends in the background.
func (p *Poster) Post(post Post) error { return p.add(&task{Post: post}) }

// Deliver sends and waits for the answer to the first try; further tries follow in the background.
func (p *Poster) Deliver(ctx context.Context, post Post) Result {
	t := &task{Post: post, first: make(chan Result, 1)}
	if err := p.add(t); err != nil {
		return Result{Error: err.Error()}
	}
	select {
	case r := <-t.first:
		return r
	case <-ctx.Done():
		return Result{Error: "still waiting to be sent"}
	}
}

// Stats counts since the start.
func (p *Poster) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stats
}

// Waiting counts the webhooks of keys that begin with prefix and that are not under way.
func (p *Poster) Waiting(prefix string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, behind := range p.busy {
		if strings.HasPrefix(key, prefix) {
			n += len(behind)
		}
	}
	for _, t := range p.due {
		if t.Key != "" && strings.HasPrefix(t.Key, prefix) {
			n++
		}
	}
	return n
}

func (p *Poster) add(t *task) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stats.Pending >= maxQueue {
		p.stats.Dropped++
		return ErrFull
	}
	p.stats.Pending++
	p.push(t, t.After)
	return nil
}

// push needs the lock.
func (p *Poster) push(t *task, after time.Duration) {
	p.seq++
	t.at, t.seq = time.Now().Add(after), p.seq
	heap.Push(&p.due, t)
	if p.due[0] == t {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
}

// Run sends until ctx ends; what waits then is never sent.
func (p *Poster) Run(ctx context.Context) error {
	work := make(chan *task)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for t := range work {
				p.try(ctx, t)
			}
		})
	}
	defer wg.Wait()
	defer close(work)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		t, wait := p.next()
		if t != nil {
			select {
			case work <- t:
			case <-ctx.Done():
				return nil
			}
			continue
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-p.wake:
		case <-ctx.Done():
			return nil
		}
	}
}

// next takes what is due, or tells how long there is nothing.
func (p *Poster) next() (*task, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.due) > 0 {
		if wait := time.Until(p.due[0].at); wait > 0 {
			return nil, wait
		}
		t := heap.Pop(&p.due).(*task)
		if t.Key == "" || t.held {
			return t, 0
		}
		if behind, busy := p.busy[t.Key]; busy {
			p.busy[t.Key] = append(behind, t)
			continue
		}
		p.busy[t.Key], t.held = nil, true
		return t, 0
	}
	return nil, time.Hour
}

func (p *Poster) try(ctx context.Context, t *task) {
	if t.call == nil {
		c := t.Make()
		t.call = &c
	}
	began := time.Now()
	r, after := p.send(ctx, t.call)
	t.tries++
	if t.Told != nil {
		t.Told(Tried{Call: t.call, Result: r, Try: t.tries, At: began, Took: time.Since(began)})
	}
	if t.first != nil && t.tries == 1 {
		t.first <- r
	}
	if ctx.Err() != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case r.OK():
		p.stats.Taken++
	case t.tries < maxTries && t.call.URL != "":
		p.stats.Refused++
		p.push(t, max(after, min(firstGap<<min(t.tries-1, 10), maxGap)))
		return
	default:
		p.stats.Refused++
		p.stats.Abandoned++
		p.Log.WarnContext(ctx, "a simulated webhook was never taken", "status", r.Status, "error", r.Error, "tries", t.tries)
	}
	p.stats.Pending--
	p.release(t.Key)
}

// release lets the next one of a key go. It needs the lock.
func (p *Poster) release(key string) {
	if key == "" {
		return
	}
	behind := p.busy[key]
	if len(behind) == 0 {
		delete(p.busy, key)
		return
	}
	next := behind[0]
	p.busy[key] = behind[1:]
	next.held = true
	p.push(next, 0)
}

func (p *Poster) send(ctx context.Context, c *Call) (r Result, after time.Duration) {
	if c.URL == "" {
		return Result{Error: "the account has no webhook URL"}, 0
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, cmp.Or(c.Method, http.MethodPost), c.URL, bytes.NewReader(c.Body))
	if err != nil {
		return Result{Error: "the webhook URL is no URL"}, 0
	}
	if c.Header != nil {
		req.Header = c.Header.Clone()
	}
	resp, err := p.Client.Do(req)
	if err != nil {
		return Result{Error: err.Error()}, 0
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n > 0 {
		after = min(time.Duration(n)*time.Second, maxGap)
	}
	return Result{Status: resp.StatusCode}, after
}

// queue is a heap by time.
type queue []*task

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].seq < q[j].seq
	}
	return q[i].at.Before(q[j].at)
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*task)) }
func (q *queue) Pop() any {
	old := *q
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return t
}
