package record_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// TestWindowsThatEarlierVersionsKeptAreRead reads conversations that have the end of a free entry, and no anchors.
func TestWindowsThatEarlierVersionsKeptAreRead(t *testing.T) {
	t.Parallel()
	at := event.At(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC))
	message := channel.Anchor{Kind: channel.ByMessage, At: at}
	for written, want := range map[string]channel.Anchors{
		`{}`: nil,
		`{"last_inbound_at":"2026-11-20T12:00:00.000Z","last_inbound_id":"msg_1","sent":3}`:                             {message},
		`{"free_until":"2026-11-23T12:00:00.000Z"}`:                                                                     {{Kind: channel.ByFreeEntry, Until: at.Add(72 * time.Hour)}},
		`{"last_inbound_at":"2026-11-20T12:00:00.000Z","free_until":"2026-11-23T12:00:00.000Z","anchors":null}`:         {{Kind: channel.ByFreeEntry, Until: at.Add(72 * time.Hour)}, message},
		`{"last_inbound_at":"2026-11-20T12:00:00.000Z","anchors":[{"kind":"message","at":"2026-11-01T00:00:00.000Z"}]}`: {message},
	} {
		var w record.Window
		if err := json.Unmarshal([]byte(written), &w); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, w.Opened()); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", written, diff)
		}
	}
}
