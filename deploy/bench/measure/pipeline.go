package measure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/load"
	"github.com/tributaryhq/tributary/deploy/bench/report"
)

// trial is one run of the pipeline at a fixed rate.
type trial struct {
	rate         float64
	r            *load.Result
	lags         []int64 // five a second
	caught       time.Duration
	theirs, mine time.Duration
	p50, p99     time.Duration
	most         int64 // bytes in memory
}

const looks = 200 * time.Millisecond

// Pipeline finds the highest rate at which webhooks keep arriving and every message is in the inbox and on the event stream with
// a lag that does not grow: by short runs, then one long one. At the end the inbox is compared with what was acknowledged.
func (b *Bench) Pipeline(ctx context.Context) (t *report.Table, err error) {
	t = &report.Table{
		Title: "Pipeline", Header: []string{"messages/s", "for", "holds", "goal", "lag p50", "lag p99", "behind at the end", "caught up after", "CPU/message", "generator", "refused", "memory"},
		Note: "Open loop, WhatsApp, 2,000 conversations. A rate holds if all calls could be made in time, none was refused, and the number of messages that are " +
			"acknowledged but not yet on the event stream does not grow. *lag* is from the moment a webhook is due until its message is on the stream.",
	}
	s, w, err := b.fullWatched(ctx, "pipeline")
	if err != nil {
		return nil, err
	}
	defer b.done(s, &err)
	defer w.stream.Close()
	rate, err := b.search(ctx, t, w)
	if err != nil {
		return t, err
	}
	for try := 0; try < 3; try++ {
		x, err := b.attempt(ctx, w, rate, b.Confirm, "confirm")
		if err != nil {
			return t, err
		}
		b.trialRow(t, x, b.Confirm)
		if x.holds() {
			break
		}
		rate *= .85
	}
	w.stream.Close()
	found, err := inventory(ctx, s, w)
	if err != nil {
		return t, fmt.Errorf("compare the inbox: %w", err)
	}
	t.Note += fmt.Sprintf("\n\nAt the end: %s webhooks acknowledged, %s messages in the inbox, **%d lost, %d doubled**.",
		report.Thousands(w.acks.Load()), report.Thousands(int64(found.messages)), found.lost, found.doubled)
	b.say("%d acknowledged, %d in the inbox, %d lost, %d doubled", w.acks.Load(), found.messages, found.lost, found.doubled)
	if found.lost+found.doubled > 0 {
		err = errors.New("the inbox does not hold what was acknowledged")
	}
	return t, err
}

// search doubles the rate until it does not hold, and closes in from there.
func (b *Bench) search(ctx context.Context, t *report.Table, w *watched) (float64, error) {
	low, high := 0.0, 0.0
	for rate := 1500.0; high == 0 || high/low > 1.1; {
		x, err := b.attempt(ctx, w, rate, b.For, "search")
		if err != nil {
			return 0, err
		}
		b.trialRow(t, x, b.For)
		if x.holds() {
			low = rate
		} else {
			high = rate
		}
		switch {
		case high == 0:
			rate = low * 1.6
		case low == 0:
			rate = high / 2
		default:
			rate = (low + high) / 2
		}
		if rate < 50 || rate > 100_000 {
			return 0, fmt.Errorf("no rate holds, or all do: %.0f/s", rate)
		}
	}
	return low, nil
}

func (b *Bench) attempt(ctx context.Context, w *watched, rate float64, d time.Duration, why string) (*trial, error) {
	w.s.Settle(ctx, 20*time.Second)
	from := len(w.acked)
	x := &trial{rate: rate}
	m := measure(w.s)
	w.s.Profile(b.Profiles, fmt.Sprintf("pipeline-%s-%.0f", why, rate), d)
	stop, sampled := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(sampled)
		for tick := time.NewTicker(looks); ; {
			select {
			case <-stop:
				tick.Stop()
				return
			case <-tick.C:
				x.lags = append(x.lags, w.lag())
			}
		}
	}()
	var err error
	x.r, err = load.Open(ctx, w.job, 64, rate, d)
	close(stop)
	<-sampled
	ended := time.Now()
	if err = errors.Join(err, w.drained(ctx, 2*time.Minute)); err != nil {
		return nil, err
	}
	x.caught = time.Since(ended)
	x.theirs, x.mine, _ = m.read()
	_, x.most = w.s.Memory()
	l, _ := w.latencies(from) // none is missing: drain saw them
	x.p50, x.p99 = l.At(.5), l.At(.99)
	b.say("pipeline %.0f/s for %s: holds %t, %d behind at the end, p50 %s, p99 %s", rate, d, x.holds(), x.behind(), report.Milliseconds(x.p50), report.Milliseconds(x.p99))
	return x, nil
}

// holds judges a run: all calls were made in time and taken, and the number of messages on their way does not grow. It may be
// higher in the last third of the run than in the middle one by what arrives in a tenth of a second; medians, so that a hiccup
// is no trend.
func (x *trial) holds() bool {
	n := float64(x.r.OK + x.r.Bad())
	inTime := x.r.Took.Seconds() <= n/x.rate*1.02+.25
	return x.r.Bad() == 0 && inTime && x.growth() < x.rate/10
}

// growth is by how much the lag's median of the last third of the run is above that of the middle one.
func (x *trial) growth() float64 {
	third := len(x.lags) / 3
	if third == 0 {
		return 0
	}
	return median(x.lags[2*third:]) - median(x.lags[third:2*third])
}

func median(of []int64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return float64(sorted[len(sorted)/2])
}

// behind is how many messages were on their way at the end.
func (x *trial) behind() int64 {
	if len(x.lags) == 0 {
		return 0
	}
	return x.lags[len(x.lags)-1]
}

func (b *Bench) trialRow(t *report.Table, x *trial, d time.Duration) {
	holds, want := "no", ""
	if x.holds() {
		holds = "yes"
	}
	if d == b.Confirm {
		want = b.goal(x.holds() && x.rate >= 3000, "≥ 3,000 (aim 5,500)")
	}
	t.Add(x.rate, d, holds, want, x.p50, x.p99, x.behind(), x.caught, each(x.theirs, x.r.OK), each(x.mine, x.r.OK), x.r.Bad(), report.Bytes(x.most))
}
