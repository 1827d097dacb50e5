package ingress

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// deadlines is a Kafka that stands still, and remembers for how long it was waited for.
type deadlines struct {
	recorder
	left []time.Duration
}

func (d *deadlines) Publish(ctx context.Context, _ ...event.Record) error {
	until, ok := ctx.Deadline()
	if !ok {
		d.left = append(d.left, -1)
		return context.DeadlineExceeded
	}
	d.left = append(d.left, time.Until(until))
	return context.DeadlineExceeded
}

// A provider that gives up after a time is answered before that, also while Kafka stands still: 503 where it calls again, and
// 200 where it does not, because the call is in the spool.
func TestACallIsAnsweredBeforeItsProviderGivesUp(t *testing.T) {
	t.Parallel()
	for name, retries := range map[string]bool{"calls again": true, "does not call again": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const patience = 2 * time.Second
			still := &deadlines{}
			r := newRig(t, func(i *channel.Info) { i.Inbound.Retries, i.Inbound.AnswerWithin = retries, channel.Duration(patience) },
				func(d *Deps) { d.Bus, d.Limits = still, Limits{} })
			want := http.StatusOK
			if retries {
				want = http.StatusServiceUnavailable
			}
			if got := r.post("/webhooks/telegram/ch_a", r.ch, body(t, events(message("m1", "hi")))).Code; got != want {
				t.Errorf("%d, want %d", got, want)
			}
			if len(still.left) != 1 || still.left[0] <= 0 || still.left[0] > patience/2 {
				t.Errorf("Kafka was waited for %v: want once, and at most half of %s", still.left, patience)
			}
			if all := r.Limits.Publish + r.Limits.Spool; r.Limits.Request >= patience || all >= r.Limits.Request {
				t.Errorf("a call may take %s, of it %s for Kafka and store: want less than %s", r.Limits.Request, all, patience)
			}
		})
	}
}
