package due

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestAMarkSaysHowLongAgo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m Mark
		if m.Since() < 100*365*24*time.Hour {
			t.Errorf("a mark that was never set was set %s ago", m.Since())
		}
		m.Set()
		time.Sleep(time.Minute)
		if m.Since() != time.Minute {
			t.Errorf("%s ago, want a minute", m.Since())
		}
	})
}
