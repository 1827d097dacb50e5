package cache

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"
)

const pending = 64 // signals that wait for a slow watcher; more are dropped

// Notify wakes whoever watches topic. A signal may get lost, and says nothing but "look": the truth is elsewhere.
func (c *Cache) Notify(ctx context.Context, topic string, payload []byte) error {
	return classify("notify", c.client.Publish(ctx, prefix+"signal:"+topic, payload).Err())
}

// Watch returns the payloads of signals of topic; the channel is closed when ctx ends. A nil payload means that signals may have
// been missed (it is the first that comes, and comes again after every reconnection): look yourself.
func (c *Cache) Watch(ctx context.Context, topic string) <-chan []byte {
	return c.hub.watch(ctx, prefix+"signal:"+topic)
}

// hub shares one connection among all watches of a process.
type hub struct {
	client redis.UniversalClient
	life   context.Context
	end    context.CancelFunc
	ended  sync.WaitGroup

	mu       sync.Mutex
	pubsub   *redis.PubSub // nil until the first watch
	watchers map[string]map[*watcher]struct{}
}

type watcher struct{ signals chan []byte }

func newHub(c redis.UniversalClient) *hub {
	h := &hub{client: c, watchers: map[string]map[*watcher]struct{}{}}
	h.life, h.end = context.WithCancel(context.Background())
	return h
}

func (h *hub) watch(ctx context.Context, topic string) <-chan []byte {
	w := &watcher{signals: make(chan []byte, pending)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.life.Err() != nil {
		close(w.signals)
		return w.signals
	}
	if h.pubsub == nil {
		h.pubsub = h.client.Subscribe(h.life)
		all := h.pubsub.ChannelWithSubscriptions()
		h.ended.Go(func() { h.run(all) })
	}
	if h.watchers[topic] == nil {
		h.watchers[topic] = map[*watcher]struct{}{}
		h.subscribe(h.pubsub.Subscribe, topic)
	} else {
		w.send(nil)
	}
	h.watchers[topic][w] = struct{}{}
	h.ended.Go(func() {
		select {
		case <-ctx.Done():
		case <-h.life.Done():
		}
		h.leave(topic, w)
	})
	return w.signals
}

// subscribe changes what the connection listens to. A failure is made good by go-redis when it reconnects.
func (h *hub) subscribe(change func(context.Context, ...string) error, topic string) {
	ctx, cancel := context.WithTimeout(h.life, timeout)
	defer cancel()
	if err := change(ctx, topic); err != nil && h.life.Err() == nil {
		warn("signals come late", err)
	}
}

func (h *hub) leave(topic string, w *watcher) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.watchers[topic], w)
	close(w.signals)
	if len(h.watchers[topic]) == 0 {
		delete(h.watchers, topic)
		if h.life.Err() == nil {
			h.subscribe(h.pubsub.Unsubscribe, topic)
		}
	}
}

func (h *hub) run(all <-chan any) {
	for m := range all {
		switch m := m.(type) {
		case *redis.Subscription:
			if m.Kind == "subscribe" {
				h.send(m.Channel, nil)
			}
		case *redis.Message:
			h.send(m.Channel, []byte(m.Payload))
		}
	}
}

func (h *hub) send(topic string, payload []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.watchers[topic] {
		w.send(payload)
	}
}

func (w *watcher) send(payload []byte) {
	select {
	case w.signals <- payload:
	default: // it has enough to look at
	}
}

func (h *hub) close() {
	h.end()
	h.mu.Lock()
	if h.pubsub != nil {
		_ = h.pubsub.Close()
	}
	h.mu.Unlock()
	h.ended.Wait()
}
