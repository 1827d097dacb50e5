package run

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// fickle is a bus whose brokers may refuse us, and whose subscriptions may stand still.
type fickle struct {
	bus.Bus
	refused, stuck atomic.Bool
}

func (f *fickle) Partitions(ctx context.Context, topic string) (int, error) {
	if f.refused.Load() {
		return 0, fault.New(fault.Unavailable, "broker_denied", "wrong password")
	}
	return f.Bus.Partitions(ctx, topic)
}

func (f *fickle) Alive() error {
	if f.stuck.Load() {
		return errors.New("group toys makes no progress")
	}
	return nil
}

// TestProbes: the start is over once, calls may come from then until the stop, and only a process that stands still is replaced.
func TestProbes(t *testing.T) {
	t.Parallel()
	p := newProcess(t, &config.Config{ShutdownDrain: time.Minute})
	b := &fickle{Bus: p.Env.Bus}
	p.Env.Bus = b
	inside, finish := make(chan struct{}), make(chan struct{})
	toys := Service{Name: "toys", New: func(context.Context, *Env) (*Parts, error) {
		return &Parts{Routes: func(r gin.IRouter) {
			r.GET("/v1/toys", func(c *gin.Context) { c.Status(204) })
			r.GET("/v1/slow-toys", func(c *gin.Context) { close(inside); <-finish; c.Status(204) })
		}}, nil
	}}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	b.refused.Store(true)
	go func() { done <- p.Run(ctx, toys) }()
	for _, state := range []struct {
		name                    string
		begin                   func()
		livez, startupz, readyz int
		says                    string // those that are not 200
	}{
		{"the brokers refuse us from the start", func() {}, 200, 503, 503, "wrong password"},
		{"they take us", func() { b.refused.Store(false) }, 200, 200, 200, ""},
		{"they refuse us later", func() { b.refused.Store(true) }, 200, 200, 200, ""},
		{"a group stands still", func() { b.stuck.Store(true) }, 503, 200, 200, "group toys"},
		{"it goes on", func() { b.stuck.Store(false) }, 200, 200, 200, ""},
		{"the process stops", func() {
			go get(p.Public, "/v1/slow-toys")
			<-inside
			stop()
		}, 200, 200, 503, "stopping"},
	} {
		state.begin()
		want := map[string]int{"/livez": state.livez, "/startupz": state.startupz, "/readyz": state.readyz}
		bustest.Eventually(t, state.name, func() bool {
			for path, status := range want {
				if code, body := get(p.Admin, path); code != status || code != 200 && !strings.Contains(body, state.says) {
					return false
				}
			}
			return true
		})
		if code, _ := get(p.Public, "/v1/toys"); code != 204 && ctx.Err() == nil {
			t.Errorf("%s: calls are answered %d", state.name, code)
		}
	}
	close(finish)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
