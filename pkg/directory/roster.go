package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// The topic of configuration changes names every channel and key there is, and a channel's document has its claims and the hash of the
// secret by which it is named. So a process knows by itself which ids exist, and what strangers make up costs the store nothing.

const (
	rosterBatch = 200 // channels whose claims are read at once
	rosterRetry = time.Second
)

// heard are channels whose claims are to be read.
type heard struct {
	mu   sync.Mutex
	ids  map[string]bool
	more chan struct{}
}

func (h *heard) note(id string) {
	h.mu.Lock()
	if h.ids == nil {
		h.ids = map[string]bool{}
	}
	h.ids[id] = true
	h.mu.Unlock()
	select {
	case h.more <- struct{}{}:
	default:
	}
}

// take returns all ids that were noted.
func (h *heard) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	ids := slices.Collect(maps.Keys(h.ids))
	clear(h.ids)
	return ids
}

// Run follows the topic of configuration changes until ctx ends.
func (d *Directory) Run(ctx context.Context) error {
	caughtUp := make(chan struct{})
	var work sync.WaitGroup
	defer work.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work.Go(func() { d.readClaims(ctx, caughtUp) })
	return d.bus.Follow(ctx, event.TopicConfig, bus.Beginning, func(_ context.Context, m bus.Message) error {
		c, err := event.Decode[event.Config](m.Event)
		if err != nil {
			return fault.New(fault.Invalid, "bad_json", "%v", err)
		}
		d.Changed(c)
		return nil
	}, func() { close(caughtUp) })
}

// readClaims reads the claims of the channels that were heard of. Once it has read those of all that were in the topic at the start,
// an id that is not known does not exist.
func (d *Directory) readClaims(ctx context.Context, caughtUp <-chan struct{}) {
	for {
		all := false
		select {
		case <-caughtUp:
			all, caughtUp = true, nil
		case <-d.heard.more:
		case <-ctx.Done():
			return
		}
		if ids := d.heard.take(); d.noteClaims(ctx, ids) != nil {
			for _, id := range ids {
				d.heard.note(id)
			}
			if all {
				again := make(chan struct{})
				close(again)
				caughtUp = again
			}
			select {
			case <-time.After(rosterRetry):
			case <-ctx.Done():
				return
			}
			continue
		}
		if all {
			d.channels.all.Store(true)
			d.keys.all.Store(true)
			d.claims.all.Store(true)
			d.secrets.all.Store(true)
		}
	}
}

func (d *Directory) noteClaims(ctx context.Context, ids []string) error {
	for batch := range slices.Chunk(ids, rosterBatch) {
		raws, err := d.db.Get(ctx, Channels.Name, batch...)
		if err != nil {
			return fmt.Errorf("claims of channels: %w", err)
		}
		for _, raw := range raws {
			var doc struct {
				Type   event.ChannelType `json:"type"`
				Claims []string          `json:"claims"`
				Verify string            `json:"verify_hash"`
			}
			if raw.JSON == nil || json.Unmarshal(raw.JSON, &doc) != nil {
				continue // deleted, or of a newer version
			}
			for _, claim := range doc.Claims {
				d.claims.changed(claim, 0)
			}
			if doc.Verify != "" {
				d.secrets.changed(secretID(doc.Type, doc.Verify), 0)
			}
		}
	}
	return nil
}
