package run

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/store"
)

// aged is a collection with documents of an earlier version.
type aged struct {
	left   atomic.Int64
	itself atomic.Int64 // how many a process has written anew
}

func (a *aged) Spec() store.Spec { return store.Spec{Name: "toys"} }

func (a *aged) Unlisted(_ context.Context, limit int) (int, error) {
	return int(min(a.left.Load(), int64(limit))), nil
}

func (a *aged) Relist(_ context.Context, progress func(int)) error {
	n := a.left.Swap(0)
	a.itself.Add(n)
	progress(int(n))
	return nil
}

// TestAProcessWaitsForTheMigration: while many documents of a server's store are of an earlier version, a process lives, is not ready and
// names the command; few it writes anew itself, and those of a store in the process all.
func TestAProcessWaitsForTheMigration(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		url    string
		left   int64
		waits  bool
		itself int64
	}{
		"none":           {"mongodb://x", 0, false, 0},
		"few":            {"mongodb://x", relistItself, false, relistItself},
		"many":           {"mongodb://x", relistItself + 1, true, 0},
		"in the process": {"sqlite:x", 10 * relistItself, false, 10 * relistItself},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProcess(t, &config.Config{ShutdownDrain: time.Second, StoreURL: tt.url})
			docs := &aged{}
			docs.left.Store(tt.left)
			var built atomic.Bool
			toys := Service{
				Name: "toys", Lists: func(store.DB) []store.Relister { return []store.Relister{docs} },
				New: func(context.Context, *Env) (*Parts, error) { built.Store(true); return &Parts{}, nil },
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			done := make(chan error, 1)
			go func() { done <- p.Run(ctx, toys) }()
			if tt.waits {
				bustest.Eventually(t, "it names the command", func() bool {
					code, body := get(p.Admin, "/readyz")
					return code == 503 && strings.Contains(body, "documents of toys") && strings.Contains(body, "tributary store migrate")
				})
				if built.Load() {
					t.Error("a service was built whose lists are not complete")
				}
				docs.left.Store(0)
			}
			bustest.Eventually(t, "it is ready", func() bool { code, _ := get(p.Admin, "/readyz"); return code == 200 })
			if n := docs.itself.Load(); n != tt.itself || !built.Load() {
				t.Errorf("it has written %d anew, want %d", n, tt.itself)
			}
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}
