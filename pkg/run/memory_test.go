package run

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func TestMemoryIsGivenBackWhenLoadIsOver(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	for name, c := range map[string]struct {
		now   memory
		after uint64
		want  bool
	}{
		"at rest, with the memory of a load": {memory{held: 477 * mb, live: 43 * mb, cycles: 101}, 0, true},
		"under load":                         {memory{held: 477 * mb, live: 43 * mb, cycles: 140}, 0, false},
		"at rest, small":                     {memory{held: 140 * mb, live: 43 * mb, cycles: 101}, 0, false},
		"all of it lives":                    {memory{held: 477 * mb, live: 400 * mb, cycles: 101}, 0, false},
		"tried already":                      {memory{held: 240 * mb, live: 43 * mb, cycles: 101}, 230 * mb, false},
		"another load since":                 {memory{held: 477 * mb, live: 43 * mb, cycles: 101}, 230 * mb, true},
	} {
		if got := c.now.excessive(memory{cycles: 100}, c.after); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestAProcessAtRestHoldsLittle holds memory, drops it and waits a minute.
func TestAProcessAtRestHoldsLittle(t *testing.T) { //nolint:paralleltest // others' collections would count
	func() {
		ballast := make([][]byte, 300)
		for i := range ballast {
			ballast[i] = make([]byte, 1<<20)
			ballast[i][0] = 1
		}
		runtime.KeepAlive(ballast)
	}()
	runtime.GC() // as the runtime does every two minutes
	before := readMemory()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- giveBack(ctx) }()
		time.Sleep(2*giveBackEvery + time.Second) // in the bubble's time
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	if after := readMemory(); after.held+200<<20 > before.held {
		t.Errorf("held %d MB, then %d MB", before.held>>20, after.held>>20)
	}
}
