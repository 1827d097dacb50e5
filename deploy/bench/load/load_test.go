package load_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/load"
)

type get struct{}

func (get) Request(int64) []byte {
	return []byte("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
}

func job(t *testing.T, h http.HandlerFunc) load.Job {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return load.Job{Base: s.URL, Caller: func() load.Caller { return get{} }, Next: new(atomic.Int64)}
}

// A server that stalls is charged for every call that was due meanwhile, not for the one that met it.
func TestAnOpenLoopDoesNotForgetWhoHadToWait(t *testing.T) {
	t.Parallel()
	var once sync.Once
	stall := make(chan struct{})
	j := job(t, func(http.ResponseWriter, *http.Request) {
		once.Do(func() { time.AfterFunc(300*time.Millisecond, func() { close(stall) }) })
		<-stall
	})
	var told atomic.Int64
	j.OK = func(int64, time.Time, []byte) { told.Add(1) }
	r, err := load.Open(context.Background(), j, 1, 100, 500*time.Millisecond)
	if err != nil || r.OK != 50 || told.Load() != 50 || r.Bad() != 0 {
		t.Fatalf("%+v, told of %d, %v", r, told.Load(), err)
	}
	if p50 := r.Lat.At(.5); p50 < 20*time.Millisecond { // 30 of 50 were due while it stood still
		t.Errorf("p50 %s", p50)
	}
	if p99 := r.Lat.At(.99); p99 < 250*time.Millisecond {
		t.Errorf("p99 %s", p99)
	}
}

func TestAClosedLoopCountsOnlySuccess(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	j := job(t, func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1)%2 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	warmed := make(chan struct{})
	r, err := load.Closed(context.Background(), j, 4, 50*time.Millisecond, 200*time.Millisecond, func() { close(warmed) })
	if err != nil || r.OK == 0 || r.Refused[503] == 0 || r.OK != len(r.Lat) || int64(r.OK+r.Bad()) >= n.Load() {
		t.Errorf("%d taken, %v refused of %d, %v", r.OK, r.Refused, n.Load(), err)
	}
	select {
	case <-warmed:
	default:
		t.Error("nobody was told that it is warm")
	}
	if !slices.IsSorted(r.Lat) || r.Rate() <= 0 {
		t.Error("latencies are not sorted, or there is no rate")
	}
	if (load.Latencies{}).At(.5) != 0 || (load.Latencies{1, 2, 3}).At(1) != 3 {
		t.Error("quantiles")
	}
}
