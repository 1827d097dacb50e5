package feed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// kept is how many events of a partition a replica holds in memory; whoever is further behind reads the log.
const kept = 4096

// Hub holds the newest events of tributary.stream, so that many browsers can read on from wherever they are. A slow one
// falls behind and costs nothing; it catches up from the log.
type Hub struct {
	bus   bus.Bus
	mu    sync.Mutex
	tapes map[int]*tape
	ready chan struct{}
	late  late
}

type tape struct {
	events []bus.Message // contiguous in the log's order
	moved  chan struct{} // closed and replaced when something is added
}

// NewHub returns a hub; [Hub.Run] fills it. now is the wall clock.
func NewHub(b bus.Bus, now func() time.Time) *Hub {
	return &Hub{
		bus: b, tapes: map[int]*tape{}, ready: make(chan struct{}),
		late: late{clock: due.NewSteady(now), most: lateKept, came: map[string]event.Time{}},
	}
}

// Run follows the topic until ctx ends.
func (h *Hub) Run(ctx context.Context) error {
	h.learnTime(ctx)
	once := sync.OnceFunc(func() { close(h.ready) })
	return h.bus.Follow(ctx, event.TopicStream, bus.End, func(_ context.Context, m bus.Message) error {
		h.add(m)
		return nil
	}, once)
}

func (h *Hub) add(m bus.Message) {
	h.late.note(m)
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.tape(m.Partition)
	if len(t.events) >= kept {
		t.events = slices.Clone(t.events[kept/4:])
	}
	t.events = append(t.events, m)
	close(t.moved)
	t.moved = make(chan struct{})
}

func (h *Hub) tape(partition int) *tape {
	t := h.tapes[partition]
	if t == nil {
		t = &tape{moved: make(chan struct{})}
		h.tapes[partition] = t
	}
	return t
}

// Position is a place in the log of a tenant's events; its text is the resume token.
type Position struct {
	Partition int
	Offset    int64 // of the last event seen
}

// String returns partition:offset.
func (p Position) String() string { return fmt.Sprintf("%d:%d", p.Partition, p.Offset) }

// ErrResync says that the position is not kept any more: the client reads the state anew.
var ErrResync error = fault.New(fault.Gone, "resync", "the position is older than what is kept")

// Start returns the position of a tenant's newest event.
func (h *Hub) Start(ctx context.Context, tenant string) (Position, error) {
	select {
	case <-h.ready:
	case <-ctx.Done():
		return Position{}, ctx.Err()
	}
	partition, err := h.bus.PartitionOf(ctx, event.TopicStream, tenant)
	if err != nil {
		return Position{}, err
	}
	ends, err := h.bus.Ends(ctx, event.TopicStream)
	if err != nil {
		return Position{}, err
	}
	return Position{partition, ends[partition] - 1}, nil
}

// Resume reads a token. ErrResync: it is none of this tenant's, or of a log that began anew.
func (h *Hub) Resume(ctx context.Context, tenant, token string) (Position, error) {
	now, err := h.Start(ctx, tenant)
	if err != nil {
		return Position{}, err
	}
	a, b, _ := strings.Cut(token, ":")
	partition, err1 := strconv.Atoi(a)
	offset, err2 := strconv.ParseInt(b, 10, 64)
	if errors.Join(err1, err2) != nil || partition != now.Partition || offset > now.Offset || offset < -1 {
		return now, ErrResync
	}
	return Position{partition, offset}, nil
}

// Next returns the events behind a position, waiting for the first; all tenants of the partition are among them.
func (h *Hub) Next(ctx context.Context, p Position) ([]bus.Message, error) {
	for {
		events, moved, err := h.behind(ctx, p)
		if err != nil || len(events) > 0 {
			return events, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-moved:
		}
	}
}

// Behind returns the next events behind a position, none if this replica knows of none yet; all tenants of the
// partition are among them.
func (h *Hub) Behind(ctx context.Context, p Position) ([]bus.Message, error) {
	events, _, err := h.behind(ctx, p)
	return events, err
}

func (h *Hub) behind(ctx context.Context, p Position) (events []bus.Message, moved <-chan struct{}, err error) {
	events, covered, moved := h.held(p)
	if len(events) > 0 || covered {
		return events, moved, nil
	}
	events, err = h.bus.ReadFrom(ctx, event.TopicStream, p.Partition, p.Offset+1, 500)
	if errors.Is(err, bus.ErrTrimmed) {
		err = ErrResync
	}
	return events, moved, err
}

// held returns what memory has behind a position. covered says that memory reaches back to it: then there is nothing
// else to read now, else the log has to be asked.
func (h *Hub) held(p Position) (events []bus.Message, covered bool, moved <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.tape(p.Partition)
	if len(t.events) == 0 || t.events[0].Offset > p.Offset+1 {
		return nil, false, t.moved
	}
	i, _ := slices.BinarySearchFunc(t.events, p.Offset+1, func(m bus.Message, o int64) int { return int(m.Offset - o) })
	return t.events[i:len(t.events):len(t.events)], true, t.moved
}
