package feed

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/event"
)

// lateKept is how many conversations are remembered as changed late.
const lateKept = 1 << 16

// learnPause is how long to wait after Kafka could not be asked for the newest events.
const learnPause = time.Second

// late remembers the conversations whose changes came with a time further behind this process's steady clock than
// clocks of replicas differ: the clock of their writer was set back, or they were held up. By their own times they are
// before what a poller has already passed.
type late struct {
	clock *due.Steady
	most  int // remembered

	mu    sync.Mutex
	came  map[string]event.Time // when the newest late change of a conversation came
	floor event.Time            // what came until then is not remembered singly
}

// note compares an event's time with the clock.
func (l *late) note(m bus.Message) {
	now := l.clock.Now()
	if !m.Event.Time.Before(now.Add(-due.Skew)) {
		l.clock.Learn(m.Event.Time)
		return
	}
	e, err := event.Decode[event.Stream](m.Event)
	if err != nil || e.ConversationID == "" {
		return // of a newer version, or not of a conversation
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.came) >= l.most {
		clear(l.came)
		l.floor = now
	}
	l.came[e.ConversationID] = now
}

// learnTime takes over the time of every partition's newest event: this process may have started with a clock that is
// behind. It tries until it has them or ctx ends.
func (h *Hub) learnTime(ctx context.Context) {
	for h.learnTimeOnce(ctx) != nil {
		select {
		case <-ctx.Done():
			return
		case <-time.After(learnPause):
		}
	}
}

func (h *Hub) learnTimeOnce(ctx context.Context) error {
	ends, err := h.bus.Ends(ctx, event.TopicStream)
	if err != nil {
		return err
	}
	for partition, end := range ends {
		if end == 0 {
			continue
		}
		newest, err := h.bus.ReadFrom(ctx, event.TopicStream, partition, end-1, 1)
		if err != nil && !errors.Is(err, bus.ErrTrimmed) {
			return err
		}
		for _, m := range newest {
			h.late.clock.Learn(m.Event.Time)
		}
	}
	return nil
}

// ChangedSince reports whether a conversation, last changed at a time by its writer's clock, may have changed since.
// Clocks of replicas may differ by [due.Skew], and may have been set back: the answer is yes rather than no.
func (h *Hub) ChangedSince(conversation string, changed, since event.Time) bool {
	since = since.Add(-due.Skew)
	if !changed.Before(since) {
		return true
	}
	h.late.mu.Lock()
	defer h.late.mu.Unlock()
	came, ok := h.late.came[conversation]
	return (ok && !came.Before(since)) || (!h.late.floor.IsZero() && !h.late.floor.Before(since))
}
