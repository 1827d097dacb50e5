package channel

import (
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

func TestWindowEnds(t *testing.T) {
	t.Parallel()
	wrote := event.At(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	day := Duration(24 * time.Hour)
	for name, c := range map[string]struct {
		window            Window
		wrote, free, want event.Time
	}{
		"always":                     {Window{Kind: "none"}, wrote, event.Time{}, event.Time{}},
		"inbound":                    {Window{Kind: "inbound", For: day}, wrote, event.Time{}, wrote.Add(24 * time.Hour)},
		"inbound, a longer entry":    {Window{Kind: "inbound", For: day}, wrote, wrote.Add(72 * time.Hour), wrote.Add(72 * time.Hour)},
		"inbound, a shorter entry":   {Window{Kind: "inbound", For: day}, wrote, wrote.Add(time.Hour), wrote.Add(24 * time.Hour)},
		"inbound, no message so far": {Window{Kind: "inbound", For: day}, event.Time{}, event.Time{}, neverOpen},
		"reply":                      {Window{Kind: "reply"}, wrote, event.Time{}, event.Time{}},
		"reply, no message so far":   {Window{Kind: "reply"}, event.Time{}, event.Time{}, neverOpen},
	} {
		if got := c.window.Ends(c.wrote, c.free); !got.Equal(c.want.Time) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
