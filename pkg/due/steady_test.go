package due

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestASteadyClockNeverFalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var step time.Duration
		s := NewSteady(func() time.Time { return time.Now().Round(0).Add(step) })
		began := s.Now()
		after := func(what string, want time.Duration) {
			t.Helper()
			if got := s.Now().Sub(began.Time); got != want {
				t.Errorf("%s: %s after the beginning, want %s", what, got, want)
			}
		}
		time.Sleep(time.Second)
		after("with the wall clock", time.Second)
		step = -48 * time.Hour
		after("set back", time.Second)
		time.Sleep(time.Minute)
		after("while the wall clock is behind", time.Second+time.Minute)
		step = time.Hour
		after("set forward", time.Hour+time.Minute+time.Second)
		step = 0
		time.Sleep(time.Second)
		after("right again", time.Hour+time.Minute+2*time.Second)
		s.Learn(began.Add(2 * time.Hour))
		after("learned", 2*time.Hour)
		s.Learn(began.Add(time.Minute))
		after("learned what is past", 2*time.Hour)
	})
}
