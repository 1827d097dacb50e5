package measure

import (
	"context"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/load"
	"github.com/tributaryhq/tributary/deploy/bench/report"
)

// EndToEnd measures how long it takes from a webhook being due to its message being on the event stream, at fixed rates.
func (b *Bench) EndToEnd(ctx context.Context) (t *report.Table, err error) {
	const d = 20 * time.Second
	t = &report.Table{
		Title: "End to end", Header: []string{"messages/s", "p50", "p95", "p99", "max", "goal", "CPU/message", "generator", "refused", "missing"},
		Note: fmt.Sprintf("Open loop for %s, WhatsApp, 2,000 conversations: from the moment a webhook is due until its message is on the event stream.", d),
	}
	s, w, err := b.fullWatched(ctx, "endtoend")
	if err != nil {
		return nil, err
	}
	defer b.done(s, &err)
	defer w.stream.Close()
	for _, rate := range b.Rates {
		s.Settle(ctx, 20*time.Second)
		from, m := len(w.acked), measure(s)
		s.Profile(b.Profiles, fmt.Sprintf("endtoend-%d", rate), d)
		r, err := load.Open(ctx, w.job, 64, float64(rate), d)
		if err == nil {
			_, err = w.drain(ctx, 30*time.Second) // what is left then is missing
		}
		if err != nil {
			return t, err
		}
		theirs, mine, _ := m.read()
		l, missing := w.latencies(from)
		want := ""
		if rate == 500 {
			want = b.goal(l.At(.5) < 15*time.Millisecond && l.At(.99) < 60*time.Millisecond, "p50 < 15 ms, p99 < 60 ms")
		}
		t.Add(rate, l.At(.5), l.At(.95), l.At(.99), l.At(1), want, each(theirs, r.OK), each(mine, r.OK), r.Bad(), missing)
		b.say("end to end at %d/s: p50 %s, p99 %s", rate, report.Milliseconds(l.At(.5)), report.Milliseconds(l.At(.99)))
	}
	return t, nil
}
