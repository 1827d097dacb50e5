package send

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// A row of an earlier version holds the message and not its calls, whose notes were text in their Tag: it is rendered anew, and sent.
func TestRowsOfEarlierVersionsAreSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	msg := text("ch_a", "ann", "a1", "first\n--\nsecond")
	w.post(msg)
	outbound, err := json.Marshal(msg)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	var ops []store.Op
	for part := range 2 {
		row := fmt.Sprintf(`{"_id":%q,"tenant":"acme","attempt_id":"a1","message_id":"msg_a1","channel_id":"ch_a","part":%d,"parts":2,"key":"ch_a|ann",
			"partition":0,"offset":0,"digest":"5f6a0c1e2b3d4f70","state":"waiting","waited":true,"send_by":%q,"tries":1,
			"error":{"kind":"throttled","code":"rate_limited","retryable":true},"outbound":%s,"open_offset":0,"created_at":%q,"updated_at":%q,"expires_at":%q}`,
			RowID("acme", "a1", part), part, event.At(now.Add(time.Hour)), outbound, event.At(now), event.At(now), event.At(now.Add(time.Hour)))
		ops = append(ops, store.Op{Kind: store.Insert, Collection: Spec(event.Telegram).Name, ID: RowID("acme", "a1", part), JSON: json.RawMessage(row), NewRev: new(int64)})
	}
	if err := errors.Join(w.db.Batch(t.Context(), ops)...); err != nil {
		t.Fatal(err)
	}
	w.finish()
	if diff := cmp.Diff([]string{"a1/0", "a1/1"}, w.provider.Order("ann")); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for part := range 2 {
		if got := w.statuses(partID("a1", part)); len(got) != 1 || got[0] != event.Accepted {
			t.Errorf("part %d: %v", part, got)
		}
	}
}
