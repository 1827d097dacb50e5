package run

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/store"
)

// lacking is a store without its indexes until they are made.
type lacking struct {
	store.DB
	made     atomic.Bool
	required atomic.Value // names
}

func (l *lacking) Require(ctx context.Context, specs ...store.Spec) error {
	var names []string
	for _, s := range specs {
		names = append(names, s.Name)
	}
	l.required.Store(strings.Join(names, " "))
	if l.made.Load() {
		return l.DB.Require(ctx, specs...)
	}
	return fmt.Errorf("%w: toys.by_colour", store.ErrMissing)
}

// TestAProcessWaitsForIndexes: it lives, is not ready and says why; once they are there it goes on by itself.
func TestAProcessWaitsForIndexes(t *testing.T) {
	t.Parallel()
	p := newProcess(t, &config.Config{ShutdownDrain: time.Second})
	db := &lacking{DB: p.Env.DB}
	p.Env.DB = db
	built := make(chan struct{})
	toys := Service{Name: "toys", Collections: []store.Spec{{Name: "toys"}}, New: func(context.Context, *Env) (*Parts, error) {
		close(built)
		return &Parts{}, nil
	}}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, toys) }()
	bustest.Eventually(t, "it says what is missing", func() bool {
		code, body := get(p.Admin, "/readyz")
		return code == 503 && strings.Contains(body, "toys.by_colour")
	})
	if code, _ := get(p.Admin, "/livez"); code != 200 {
		t.Errorf("livez is %d while it waits", code)
	}
	if names, _ := db.required.Load().(string); !strings.Contains(names, "toys") || !strings.Contains(names, "channels") {
		t.Errorf("required: %s", names)
	}
	select {
	case <-built:
		t.Error("a service was built without its indexes")
	default:
	}
	db.made.Store(true)
	<-built
	bustest.Eventually(t, "it is ready", func() bool { code, _ := get(p.Admin, "/readyz"); return code == 200 })
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestAProcessThatWaitsStops: a stop does not wait for indexes.
func TestAProcessThatWaitsStops(t *testing.T) {
	t.Parallel()
	p := newProcess(t, &config.Config{ShutdownDrain: time.Second})
	p.Env.DB = &lacking{DB: p.Env.DB}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	bustest.Eventually(t, "it waits", func() bool { code, _ := get(p.Admin, "/readyz"); return code == 503 })
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
