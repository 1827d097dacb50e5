package store

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Bounds of an Applier.
const (
	clearEvery    = time.Second      // published facts are taken out of documents this often
	clearAfter    = 2 * time.Second  // without a write of the document
	clearAtOnce   = 256              // documents cleared in one batch
	publishers    = 64               // documents published at the same time
	queueLimit    = 10_000           // documents with work in memory; more are left to the sweeper
	publishTime   = 30 * time.Second // for one call of the Publisher
	publishAtOnce = 256              // facts of one call of the Publisher: so many are repeated if it fails
	drainTime     = 5 * time.Second  // for what is left when Run ends
)

// Applier applies facts: it inserts the records they imply, publishes them in the order of each document and takes them out
// again. A process has one, shared by its collections. Its state is only memory: whatever is lost with it, sweepers find.
type Applier struct {
	db        DB
	publisher Publisher
	log       *slog.Logger
	slots     chan struct{}

	mu      sync.Mutex
	sources map[string]*source
	queues  map[key]*queue
	base    context.Context // of work in the background; nil: Run is not running
	work    sync.WaitGroup
}

// NewApplier returns an applier that publishes with p. Logs name documents by collection and id, never by content.
func NewApplier(db DB, p Publisher, log *slog.Logger) *Applier {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Applier{
		db: db, publisher: p, log: log, slots: make(chan struct{}, publishers),
		sources: map[string]*source{}, queues: map[key]*queue{},
	}
}

func (a *Applier) register(s *source) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sources[s.spec.Name] != nil {
		panic("store: two collections named " + s.spec.Name + " on one applier")
	}
	a.sources[s.spec.Name] = s
}

// Run publishes, clears and sweeps until ctx ends; then it finishes what it can within 5 s. It sweeps at once, whatever its
// age, what an earlier process left. Updates work without Run, but then nothing is published.
func (a *Applier) Run(ctx context.Context) error {
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	a.start(base)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.clearUntil(ctx) })
	g.Go(func() error { return a.sweepUntil(ctx) })
	_ = g.Wait() // both end only with ctx
	a.drain(base, cancel)
	return nil
}

func (a *Applier) start(base context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.base = base
	for _, q := range a.queues {
		a.wake(q)
	}
}

func (a *Applier) drain(base context.Context, cancel context.CancelFunc) {
	bounded, stop := context.WithTimeout(base, drainTime)
	defer stop()
	if err := a.Flush(bounded); err != nil {
		a.log.WarnContext(base, "facts left to be swept by another process", "error", err)
	}
	a.mu.Lock()
	a.base = nil
	for _, q := range a.queues {
		if q.retry != nil {
			q.retry.Stop()
			q.retry = nil
		}
	}
	a.mu.Unlock()
	cancel()
	a.work.Wait()
}

// Flush applies and clears everything this process knows of, or returns why it cannot. It needs no Run.
func (a *Applier) Flush(ctx context.Context) error {
	for {
		all := a.snapshot()
		if len(all) == 0 {
			return nil
		}
		var g errgroup.Group
		g.SetLimit(publishers)
		for _, q := range all {
			g.Go(func() error { return a.finish(ctx, q) })
		}
		if err := errors.Join(g.Wait(), a.clear(ctx, all), ctx.Err()); err != nil {
			return err
		}
	}
}

func (a *Applier) snapshot() []*queue {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make([]*queue, 0, len(a.queues))
	for _, q := range a.queues {
		all = append(all, q)
	}
	return all
}

// published tells up to which fact this process has published the document's facts.
func (a *Applier) published(k key) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if q := a.queues[k]; q != nil {
		return q.published
	}
	return 0
}

// committed takes over a version that this process has just written: records now, the rest in the background. What fails here
// is tried again there, so the commit stands.
func (a *Applier) committed(ctx context.Context, v version) {
	recorded, err := a.recordAll(ctx, v)
	if err != nil {
		a.log.WarnContext(ctx, "records of facts not inserted yet", "collection", v.source.spec.Name, "id", v.raw.ID, "error", err)
	}
	a.add(v, recorded)
}
