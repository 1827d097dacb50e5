package media

import (
	"context"
	"errors"
	"sync"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// wakePage is how many refused files are made due at once.
const wakePage = 200

// mended is the set of channels that changed and whose refused files have not been made due yet.
type mended struct {
	mu  *sync.Mutex
	of  map[string]bool
	any chan struct{}
}

func newMended() mended {
	return mended{mu: &sync.Mutex{}, of: map[string]bool{}, any: make(chan struct{}, 1)}
}

func (m mended) add(channelID string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of[channelID] = true
}

func (m mended) note(channelID string) {
	m.add(channelID)
	select {
	case m.any <- struct{}{}:
	default:
	}
}

func (m mended) take() (ids []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id := range m.of {
		ids = append(ids, id)
	}
	clear(m.of)
	return ids
}

// wake makes the files due that the provider refused for a channel which has changed since. Every replica does it. What a process
// that ends leaves undone is tried after its back-off.
func (w *Worker) wake(ctx context.Context) error {
	var errs []error
	for _, id := range w.mended.take() {
		if err := w.wakeOf(ctx, id); err != nil {
			errs = append(errs, err)
			w.mended.add(id) // for the next look
		}
	}
	return errors.Join(errs...)
}

func (w *Worker) wakeOf(ctx context.Context, channelID string) error {
	now := event.At(w.Now())
	for {
		files, _, _, err := w.files.Query(ctx, store.Query{
			Where: []store.Eq{{Field: "refused", Value: channelID}}, Range: &store.Range{Field: "next_at", From: now.String(), FromExcl: true}, Limit: wakePage,
		})
		if err != nil || len(files) == 0 {
			return err
		}
		for _, f := range files {
			if err := w.change(ctx, f, func(f *File) { f.NextAt = now }); err != nil && !errors.Is(err, errTaken) {
				return err
			}
		}
	}
}
