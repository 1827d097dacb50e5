package decide

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
)

// What other services read of agents and queues is what routing writes.
func TestOthersReadWhatRoutingWrites(t *testing.T) {
	t.Parallel()
	q := &Queue{Name: "North", OUID: "ou_1", Skills: []string{"x"}, Deleted: true}
	q.ID, q.Tenant = "q_1", "t"
	a := NewAgent("t", "agt_1", event.At(time.Now()))
	a.QueueIDs = []string{"q_1"}
	for _, tc := range []struct {
		doc  any
		want directory.Named
	}{
		{q, directory.Named{ID: "q_1", Tenant: "t", Name: "North", OUID: "ou_1", Deleted: true}},
		{a, directory.Named{ID: "agt_1", Tenant: "t", Queues: []string{"q_1"}}},
	} {
		b, err := json.Marshal(tc.doc)
		if err != nil {
			t.Fatal(err)
		}
		var got directory.Named
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%T: %s", tc.doc, d)
		}
	}
}
