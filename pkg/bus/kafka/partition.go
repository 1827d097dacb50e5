package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
	"go.opentelemetry.io/otel/metric"
	"golang.org/x/sync/semaphore"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

const (
	recordWeight = 16 << 10 // a record in flight counts as at least so many bytes
	windowFactor = 64       // records above an unfinished one, in multiples of InFlight
	retryMin     = 50 * time.Millisecond
	retryMax     = time.Second
)

// partition reads one partition during one generation and hands its records to lanes.
type partition struct {
	*consumer
	topic      string
	id         int
	generation int32
	logger     *slog.Logger
	attrs      metric.MeasurementOption

	cursor    *cursor
	track     *tracker
	gate      *gate
	room      *semaphore.Weighted
	lanes     *lanes
	handle    bus.Handler
	committed int64        // used by the commit loop alone
	top       atomic.Int64 // the highest offset whose handler was called

	reading  context.Context // ends with the generation
	handling context.Context // ends when the drain is over
}

func newPartition(c *consumer, generation int32, source *fetcher, topic string, a kafka.PartitionAssignment) *partition {
	p := &partition{
		consumer: c, topic: topic, id: a.ID, generation: generation, committed: max(a.Offset, -1),
		logger: c.log.With("group", c.sub.Group, "topic", topic, "partition", a.ID),
		attrs:  attributes(destination.String(topic), partitionID.Int(a.ID), groupName.String(c.sub.Group)),
		track:  newTracker(windowFactor * c.sub.InFlight),
		room:   semaphore.NewWeighted(int64(c.sub.InFlight) * recordWeight),
	}
	p.gate = newGate(p.paused)
	p.lanes = &lanes{share: max(1, c.sub.InFlight/laneShare), most: together, work: p.work, recall: p.recall}
	p.cursor = &cursor{place: place{topic, a.ID}, source: source, offset: a.Offset, jumped: p.jumped}
	return p
}

// run returns when ctx, the generation, has ended and the partition has drained.
func (p *partition) run(ctx context.Context) {
	var abandon context.CancelFunc
	p.reading = ctx
	p.handling, abandon = context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	if !p.open(ctx) {
		return
	}
	release, ok := p.assign(ctx)
	if !ok {
		return
	}
	defer release()
	p.meter.add(p)
	defer p.meter.remove(p)
	defer p.gate.end()
	p.track.begin(p.cursor.offset)
	p.top.Store(p.cursor.offset - 1)
	p.read(ctx)
	p.drain(abandon)
}

// open finds out the first offset.
func (p *partition) open(ctx context.Context) bool {
	return p.insist(ctx, "open", func() error { return p.cursor.resolve(ctx) })
}

// assign asks the subscription for the handler of this partition. A failure is tried again: to give the partition back would
// only send it to a member that has the same store.
func (p *partition) assign(ctx context.Context) (release func(), ok bool) {
	if p.sub.Assign == nil {
		p.handle = p.sub.Handle
		return func() {}, true
	}
	ok = p.insist(ctx, "assign", func() (err error) {
		defer recovered(ctx, &err, p.logger)
		p.handle, release, err = p.sub.Assign(ctx, bus.Assignment{Topic: p.topic, Partition: p.id, Offset: p.cursor.offset, Generation: p.generation})
		return err
	})
	if release == nil {
		release = func() {}
	}
	return release, ok
}

// insist repeats f until it succeeds; false means that ctx ended first.
func (p *partition) insist(ctx context.Context, what string, f func() error) bool {
	for pause := gateMin; ctx.Err() == nil; pause = min(2*pause, gateMax) {
		err := f()
		if err == nil {
			return true
		}
		if ctx.Err() == nil {
			p.logger.WarnContext(ctx, "cannot "+what+" the partition, will try again", "error", describe(err), "cause", err)
		}
		sleep(ctx, nil, jitter(pause))
	}
	return false
}

// read hands out records until ctx ends. It reads nothing while the gate is shut.
func (p *partition) read(ctx context.Context) {
	for p.gate.wait(ctx) {
		var recs []record
		if !p.insist(ctx, "read", func() (err error) { recs, err = p.cursor.next(ctx); return err }) {
			return
		}
		p.track.saw(p.cursor.end)
		for _, r := range recs {
			if !p.take(ctx, r) {
				return
			}
		}
	}
}

// take puts a record on its lane as soon as there is room, or sets it aside if its lane has taken its share.
func (p *partition) take(ctx context.Context, r record) bool {
	if !p.concerns(r) {
		e, ok := p.note(ctx, r)
		if ok {
			p.track.mark(e)
		}
		return ok
	}
	lane, weight := laneOf(r), p.weigh(r)
	aside := p.lanes.full(lane)
	if !aside && p.room.Acquire(ctx, weight) != nil {
		return false
	}
	e, ok := p.note(ctx, r)
	switch {
	case !ok:
	case aside:
		p.lanes.setAside(lane, e)
	default:
		p.lanes.add(lane, item{record: r, entry: e, weight: weight})
	}
	return ok
}

// concerns reports whether a record is one of those that the subscription asked for. What is no event is for the dead letters.
func (p *partition) concerns(r record) bool {
	t := r.headers.Get(headerType)
	return len(p.sub.Types) == 0 || t == "" || slices.Contains(p.sub.Types, event.Type(t))
}

// note begins to track a record, once the tracker has room; false: ctx ended first.
func (p *partition) note(ctx context.Context, r record) (*entry, bool) {
	for {
		if e, ok := p.track.take(r.offset, r.time); ok {
			return e, true
		}
		select {
		case <-p.track.room:
		case <-ctx.Done():
			return nil, false
		}
	}
}

// drain waits for the handlers in progress and for what lies below them, cancels those that take too long, and in the end abandons
// them.
func (p *partition) drain(abandon func()) {
	defer p.track.seal()
	if p.lanes.wait(p.sub.Drain) {
		return
	}
	abandon()
	if !p.lanes.wait(abandonAfter) {
		p.logger.Error("a handler does not end: abandoned, its record will be read again", "drain", p.sub.Drain)
	}
}

func (p *partition) paused(shut bool) {
	n := int64(-1)
	if shut {
		n = 1
		p.logger.Warn("the store or the broker is away: the partition waits")
	} else {
		p.track.touch()
	}
	p.meter.paused.Add(context.Background(), n, p.attrs)
}

func (p *partition) jumped(from, to int64) {
	p.meter.jumps.Add(context.Background(), max(to-from, 1), p.attrs)
	p.logger.Error("offset jump: records are gone that this group has not read", "from", from, "to", to)
}

// lag is how far the partition is behind: unfinished records, and the age of the oldest that was read.
func (p *partition) lag(now time.Time) (records int64, age time.Duration) {
	low, oldest := p.track.low()
	if !oldest.IsZero() {
		age = max(now.Sub(oldest), 0)
	}
	return max(p.track.end()-low, 0), age
}

// newest asks the broker for the end of the partition, or returns -1.
func (p *partition) newest(ctx context.Context) int64 {
	ends, err := offsets(ctx, p.client, kafka.LastOffset, p.topic, p.id)
	if err != nil {
		return -1
	}
	return ends[p.id]
}

// recovered turns a panic into an error. The panic's value is not logged: it may quote what a customer wrote.
func recovered(ctx context.Context, err *error, log *slog.Logger) {
	if v := recover(); v != nil {
		log.ErrorContext(ctx, "panic", "type", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
		*err = fault.New(fault.Internal, "panic", "panic of type %T", v)
	}
}
