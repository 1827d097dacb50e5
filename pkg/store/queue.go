package store

import (
	"context"
	"errors"
	"time"
)

// queue is a document whose facts are on their way.
type queue struct {
	version   // the newest that is known
	added     time.Time
	until     int64 // facts up to here are ours to publish: they were pending in a version that we wrote or swept
	recorded  int64 // records not in order are in, up to this fact
	published int64 // published by this process, up to this fact
	tries     int   // failures in a row
	retry     *time.Timer
	over      chan struct{} // closed when whoever works on it stops; nil: nobody does
}

// todo returns what is ours to publish and not yet published.
func (q *queue) todo() []Fact {
	facts := behind(q.pending, q.published)
	for i, f := range facts {
		if f.Seq > q.until {
			return facts[:i]
		}
	}
	return facts
}

// add makes the facts of v ours to publish. It reports whether there was room.
func (a *Applier) add(v version, recorded int64) (*queue, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	q := a.queues[v.key()]
	switch {
	case q == nil && len(v.pending) == 0:
		return nil, true
	case q == nil && len(a.queues) >= queueLimit:
		return nil, false
	case q == nil:
		q = &queue{version: v}
		a.queues[v.key()] = q
	case q.raw.Rev < v.raw.Rev:
		q.version = v
	}
	q.added = time.Now()
	q.until = max(q.until, v.last())
	q.recorded = max(q.recorded, recorded)
	a.tidy(q)
	a.wake(q)
	return q, true
}

// tidy forgets a document of which nothing is left to do.
func (a *Applier) tidy(q *queue) {
	if q.over == nil && len(q.todo()) == 0 && (len(q.pending) == 0 || q.pending[0].Seq > q.published) {
		if q.retry != nil {
			q.retry.Stop()
		}
		delete(a.queues, q.key())
	}
}

// wake starts work on q in the background, unless somebody is at it or it waits after a failure. It holds the lock.
func (a *Applier) wake(q *queue) {
	if a.base == nil || q.over != nil || q.retry != nil || len(q.todo()) == 0 {
		return
	}
	base, over := a.base, make(chan struct{})
	q.over = over
	a.work.Go(func() {
		a.slots <- struct{}{}
		defer func() { <-a.slots }()
		a.end(q, a.drive(base, q))
	})
}

// end gives q back: forgets it, or lets it be tried again later.
func (a *Applier) end(q *queue, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	close(q.over)
	q.over = nil
	if err == nil {
		q.tries = 0
		a.tidy(q)
		a.wake(q) // a version may have come between the last look and now
		return
	}
	q.tries++
	a.log.Warn("facts not published yet", "collection", q.source.spec.Name, "id", q.raw.ID, "tries", q.tries, "error", err)
	if a.base != nil && q.retry == nil {
		q.retry = time.AfterFunc(backoff(q.tries), func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			q.retry = nil
			if a.queues[q.key()] == q {
				a.wake(q)
			}
		})
	}
}

// finish applies q in the caller's goroutine, or waits for who is at it, until nothing is left to publish.
func (a *Applier) finish(ctx context.Context, q *queue) error {
	for {
		a.mu.Lock()
		over, left := q.over, len(q.todo()) > 0
		if over == nil && left {
			q.over = make(chan struct{})
		}
		a.mu.Unlock()
		switch {
		case over == nil && !left:
			return nil
		case over == nil:
			err := a.drive(ctx, q)
			a.end(q, err)
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-over:
		}
	}
}

// settle applies what is pending in raw, and returns when that is done.
func (a *Applier) settle(ctx context.Context, s *source, raw Raw) error {
	v, err := versionOf(s, raw)
	if err != nil {
		return err
	}
	q, ok := a.add(v, 0)
	if !ok {
		return errors.New("too many documents with pending facts in this process")
	}
	if q == nil {
		return nil
	}
	return a.finish(ctx, q)
}
