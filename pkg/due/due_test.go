package due

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

func TestSleepEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		if !Sleep(ctx, 59*time.Second) || time.Since(began) != 59*time.Second {
			t.Errorf("slept for %s", time.Since(began))
		}
		if Sleep(ctx, time.Hour) || time.Since(began) != time.Minute {
			t.Errorf("slept on until %s", time.Since(began))
		}
		if !Sleep(ctx, 0) {
			t.Error("no time is over at once")
		}
	})
}

func TestWhatIsDueAndHowLongIsLeft(t *testing.T) {
	t.Parallel()
	now := event.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	for name, tc := range map[string]struct {
		ahead, most time.Duration
		passed      bool
		left        time.Duration
	}{
		"over":                         {-time.Second, time.Minute, true, 0},
		"now":                          {0, time.Minute, true, 0},
		"soon":                         {30 * time.Second, time.Minute, false, 30 * time.Second},
		"as far as allowed":            {time.Minute, time.Minute, false, time.Minute},
		"by another's clock":           {time.Minute + 5*time.Second, time.Minute, false, time.Minute},
		"set back by an hour":          {time.Hour, time.Minute, true, time.Minute},
		"set back by two days":         {48 * time.Hour, time.Minute, true, time.Minute},
		"set on by two days":           {-48 * time.Hour, time.Minute, true, 0},
		"nothing is allowed":           {time.Second, 0, false, 0},
		"a rule that makes no sense":   {time.Second, -time.Hour, true, 0},
		"no skew changes what is over": {-Skew, time.Minute, true, 0},
	} {
		at := now.Add(tc.ahead)
		if got := Passed(at, now, tc.most); got != tc.passed {
			t.Errorf("%s: passed %t, want %t", name, got, tc.passed)
		}
		if got := Left(at.Time, now.Time, tc.most); got != tc.left {
			t.Errorf("%s: %s left, want %s", name, got, tc.left)
		}
	}
}
