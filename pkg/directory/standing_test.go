package directory

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

func TestAHoldIsAskedAtEveryChangeAtItsEndAndEveryThirtySeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := New(nil, nil, nil, time.Now)
		errOver := errors.New("revoked")
		var asked atomic.Int64
		var over atomic.Bool
		var until atomic.Pointer[time.Time]
		until.Store(&time.Time{})
		ask := func(context.Context) (time.Time, error) {
			asked.Add(1)
			if over.Load() {
				return time.Time{}, errOver
			}
			return *until.Load(), nil
		}
		want := func(n int64, when string) {
			t.Helper()
			synctest.Wait()
			if got := asked.Load(); got != n {
				t.Fatalf("%s: asked %d times, want %d", when, got, n)
			}
		}
		ctx, end := d.Hold(t.Context(), ask, "key_1", "t1")
		want(1, "at the start")
		d.Changed(event.Config{Entity: EntityAPIKey, ID: "key_2"})
		want(1, "a change of another key")
		d.Changed(event.Config{Entity: EntityTenant, ID: "t1"})
		want(2, "a change of the tenant")
		time.Sleep(30 * time.Second)
		want(3, "without a change")
		soon := time.Now().Add(31 * time.Second)
		until.Store(&soon)
		d.Changed(event.Config{Entity: EntityAPIKey, ID: "key_1"})
		want(4, "a change of the key")
		over.Store(true)
		time.Sleep(26 * time.Second)
		synctest.Wait()
		if !errors.Is(context.Cause(ctx), errOver) {
			t.Errorf("the hold goes on: %v", context.Cause(ctx))
		}
		n := asked.Load()
		d.Changed(event.Config{Entity: EntityAPIKey, ID: "key_1"})
		time.Sleep(time.Minute)
		want(n, "after its end")
		end()
		if len(d.holds.byID) != 0 {
			t.Errorf("left behind: %v", d.holds.byID)
		}
		over.Store(false)
		ends := time.Now().Add(3 * time.Second)
		until.Store(&ends)
		ctx, end = d.Hold(t.Context(), func(ctx context.Context) (time.Time, error) {
			if !time.Now().Before(ends) {
				return time.Time{}, errOver
			}
			return ask(ctx)
		}, "key_1")
		defer end()
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if !errors.Is(context.Cause(ctx), errOver) {
			t.Errorf("a hold outlives its own end: %v", context.Cause(ctx))
		}
	})
}
