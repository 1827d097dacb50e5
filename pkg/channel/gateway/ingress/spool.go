package ingress

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/lease"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/telemetry/traceparent"
)

const (
	spoolPoll  = time.Second // how often a replica looks whether anything waits
	spoolBatch = 20
)

// spool keeps calls that Kafka could not take and whose provider will not repeat them. They are published in the order of
// their arrival by whichever replica has the lease. While anything waits, later calls go behind it.
type spool struct {
	calls   *store.Collection[spooledCall]
	leases  *lease.Leases
	name    string
	bus     bus.Producer
	now     func() time.Time
	log     *slog.Logger
	timeout time.Duration
	// patience is how long a look at the store may take while a call waits for its answer.
	patience time.Duration
	wake     chan struct{}

	mu      sync.Mutex
	waiting bool
	writing int   // puts under way
	begun   int64 // puts ever begun
	last    int64 // unix ns of the newest id, so that ids of one process rise
}

// spooledCall is everything that one call gave rise to.
type spooledCall struct {
	store.Meta
	At      event.Time      `json:"at"`
	Records json.RawMessage `json:"records"`
}

// Specs declares what an ingress of the type keeps: its spool, and the leases.
func Specs(t event.ChannelType) []store.Spec {
	return []store.Spec{{Name: "spool_" + string(t), Indexes: []store.Index{{Name: "by_time", Fields: []string{"at"}}}}, lease.Spec}
}

func newSpool(d Deps, t event.ChannelType) *spool {
	return &spool{
		calls: store.NewCollection[spooledCall](d.DB, Specs(t)[0]), leases: lease.New(d.DB, d.Now), name: "spool " + string(t),
		bus: d.Bus, now: d.Now, log: d.Log, timeout: d.Limits.Publish, patience: d.Limits.Spool, wake: make(chan struct{}, 1),
	}
}

// active reports whether anything waits: then whatever comes now must wait behind it.
func (s *spool) active() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting || s.writing > 0
}

// behind reports whether what comes now must wait behind something, also of another replica: that was acknowledged first
// (promise P4). It costs a read of an index, on channels whose provider does not retry; a store that does not answer cannot
// be asked, and then Kafka is better than nothing.
func (s *spool) behind(ctx context.Context) bool {
	if s.active() {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	docs, err := s.page(ctx, 1)
	return err == nil && len(docs) > 0
}

// put keeps records, and the span of the call that they are from, until they can be published. It returns once they are safe.
func (s *spool) put(ctx context.Context, recs []event.Record) error {
	recs = slices.Clone(recs)
	for i := range recs {
		recs[i].Trace = traceparent.Of(ctx)
	}
	b, err := json.Marshal(recs)
	if err != nil {
		return err
	}
	newest, err := s.newest(ctx)
	if err != nil {
		return err
	}
	at := s.begin(newest)
	doc := &spooledCall{At: event.At(time.Unix(0, at)), Records: b}
	doc.ID = fmt.Sprintf("%020d_%s", at, random())
	err = s.calls.Insert(ctx, doc)
	s.end(err == nil)
	return err
}

// newest returns the time of the newest call that waits, zero if there is none. What comes after it goes behind it, whatever the
// clocks of the replicas say (promise P4).
func (s *spool) newest(ctx context.Context) (int64, error) {
	docs, _, _, err := s.calls.Query(ctx, store.Query{Order: "at", Desc: true, Limit: 1})
	if err != nil || len(docs) == 0 {
		return 0, err
	}
	digits, _, _ := strings.Cut(docs[0].ID, "_")
	return strconv.ParseInt(digits, 10, 64)
}

func (s *spool) begin(newest int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing++
	s.begun++
	s.last = max(s.last+1, newest+1, s.now().UnixNano())
	return s.last
}

func (s *spool) end(kept bool) {
	s.mu.Lock()
	s.writing--
	s.waiting = s.waiting || kept
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run publishes what waits in the spool, until ctx ends.
func (g *Ingress) Run(ctx context.Context) error {
	if g.info.Inbound.Retries {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(spoolPoll)
	defer tick.Stop()
	for {
		if err := g.spool.look(ctx); err != nil && ctx.Err() == nil {
			g.Log.WarnContext(ctx, "spool", "type", g.info.Type, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-g.spool.wake:
		}
	}
}

// look finds out whether anything waits, and drains it unless another replica is at it.
func (s *spool) look(ctx context.Context) error {
	s.mu.Lock()
	begun := s.begun
	s.mu.Unlock()
	docs, err := s.page(ctx, 1)
	if err != nil {
		return err
	}
	if len(docs) == 0 {
		s.rest(begun)
		return nil
	}
	s.mu.Lock()
	s.waiting = true
	s.mu.Unlock()
	_, err = s.leases.Try(ctx, s.name, func(ctx context.Context, _ int64) error { return s.drain(ctx) })
	return err
}

// rest ends the waiting, unless something came after the look that found nothing.
func (s *spool) rest(begun int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writing == 0 && s.begun == begun {
		s.waiting = false
	}
}

func (s *spool) drain(ctx context.Context) error {
	for ctx.Err() == nil {
		docs, err := s.page(ctx, spoolBatch)
		if err != nil || len(docs) == 0 {
			return err
		}
		for _, d := range docs {
			if err := s.publish(ctx, d); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *spool) publish(ctx context.Context, d *spooledCall) error {
	var recs []event.Record
	if err := json.Unmarshal(d.Records, &recs); err != nil {
		return fmt.Errorf("spooled call %s: %w", d.ID, err) // cannot be: we wrote it; it stays, and is seen in the log
	}
	pctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := s.bus.Publish(pctx, recs...); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return s.calls.Delete(ctx, d.ID)
}

func (s *spool) page(ctx context.Context, n int) ([]*spooledCall, error) {
	docs, _, _, err := s.calls.Query(ctx, store.Query{Order: "at", Limit: n})
	return docs, err
}
