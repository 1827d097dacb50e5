package measure

import (
	"testing"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/load"
)

func TestWhetherARateHolds(t *testing.T) {
	t.Parallel()
	result := func(ok, refused int, took time.Duration) *load.Result {
		return &load.Result{OK: ok, Refused: map[int]int{503: refused}, Took: took}
	}
	flat, growing, late := make([]int64, 50), make([]int64, 50), make([]int64, 50)
	for i := range flat {
		flat[i], growing[i], late[i] = 40+int64(i%7), int64(i)*60, 40
	}
	late[48], late[49] = 900, 900
	tests := map[string]struct {
		x    trial
		want bool
	}{
		"steady":           {trial{rate: 1000, r: result(10_000, 0, 10*time.Second), lags: flat}, true},
		"the lag grows":    {trial{rate: 1000, r: result(10_000, 0, 10*time.Second), lags: growing}, false},
		"one is refused":   {trial{rate: 1000, r: result(9_999, 1, 10*time.Second), lags: flat}, false},
		"calls came late":  {trial{rate: 1000, r: result(10_000, 0, 11*time.Second), lags: flat}, false},
		"a hiccup at last": {trial{rate: 1000, r: result(10_000, 0, 10*time.Second), lags: late}, true},
		"a small backlog":  {trial{rate: 10_000, r: result(100_000, 0, 10*time.Second), lags: growing[:30]}, true},
		"nothing was seen": {trial{rate: 1000, r: result(10_000, 0, 10*time.Second)}, true},
	}
	for name, tt := range tests {
		if got := tt.x.holds(); got != tt.want {
			t.Errorf("%s: %t, growth %.1f, behind %d", name, got, tt.x.growth(), tt.x.behind())
		}
	}
}
