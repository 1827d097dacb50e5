package measure

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/load"
	"github.com/tributaryhq/tributary/deploy/bench/report"
	"github.com/tributaryhq/tributary/deploy/bench/stand"
	"github.com/tributaryhq/tributary/deploy/bench/wire"
)

// modes are how tables call the modes of the chart.
var modes = map[string]string{"standalone": "One process", "distributed": "A Deployment per service"}

// onCluster lists the measurements of the chart's releases, one mode after the other: a release is there for all of its mode.
func (b *Bench) onCluster() (out []Measurement) {
	for _, mode := range b.Modes {
		for _, m := range []Measurement{
			{"install", "from helm install to the first accepted webhook", b.Install},
			{"memory", "of each pod, idle and loaded", b.Pods},
			{"accept", "webhooks accepted a second through the Service", b.Accept},
			{"endtoend", "webhook to event stream at fixed rates, through the Service", b.EndToEnd},
			{"upgrade", "what an upgrade of every pod costs in availability", b.Upgrades},
		} {
			measure := m.Run
			m.Run = func(ctx context.Context) (*report.Table, error) {
				b.mode = mode
				t, err := measure(ctx)
				if t != nil {
					t.Title = modes[mode] + ": " + t.Title
				}
				return t, err
			}
			out = append(out, m)
		}
	}
	return out
}

// release is that of the mode; one of another is removed.
func (b *Bench) release(ctx context.Context) (*stand.Release, error) {
	if modes[b.mode] == "" {
		return nil, fmt.Errorf("there is no mode %q", b.mode)
	}
	if b.released != nil && b.released.Mode == b.mode {
		return b.released, nil
	}
	if err := b.Close(); err != nil {
		return nil, err
	}
	dir, err := b.fresh(b.mode)
	if err != nil {
		return nil, err
	}
	b.released, err = b.Cluster.Install(ctx, b.mode, dir)
	return b.released, err
}

// Close removes what the measurements have left for those that come.
func (b *Bench) Close() error {
	if b.released == nil {
		return nil
	}
	r := b.released
	b.released = nil
	return r.Stop()
}

// Install measures how long it takes until a new release accepts a webhook.
func (b *Bench) Install(ctx context.Context) (*report.Table, error) {
	r, err := b.release(ctx)
	if err != nil {
		return nil, err
	}
	t := &report.Table{
		Title: "From install to the first webhook", Header: []string{"what", "figure"},
		Note: "From the call of `helm install`, which with a Deployment per service also makes topics and indexes, over a channel made through the API, to " +
			"the first webhook that is answered 2xx. The node has the image, and Secrets and volume are there.",
	}
	t.Add("`helm install` to the first accepted webhook", r.Took)
	b.say("%s: first webhook after %s", r.Mode, report.Milliseconds(r.Took))
	return t, nil
}

// Pods measures the memory of each pod, when nothing happens and under load.
func (b *Bench) Pods(ctx context.Context) (*report.Table, error) {
	r, err := b.release(ctx)
	if err != nil {
		return nil, err
	}
	t := &report.Table{
		Title: "Memory of each pod", Header: []string{"pod", "idle", "loaded"},
		Note: fmt.Sprintf("Resident, the larger one where there are two: after the install, and at most during %s of webhooks over 64 connections and until all of it was worked off.", b.For),
	}
	r.Settle(ctx, time.Minute)
	idle := r.Memory()
	j, err := aimed(ctx, r)
	if err != nil {
		return t, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	most := maps.Clone(idle)
	var looking sync.WaitGroup
	done := make(chan struct{})
	looking.Go(func() {
		for over := false; !over; {
			select {
			case <-done:
				over = true // once more
			case <-time.After(500 * time.Millisecond):
			}
			for pod, now := range r.Memory() {
				most[pod] = max(most[pod], now)
			}
		}
	})
	_, err = load.Closed(ctx, j, 64, 0, b.For, func() {})
	if err == nil {
		r.Settle(ctx, 2*time.Minute)
	}
	close(done)
	looking.Wait()
	for _, pod := range slices.Sorted(maps.Keys(idle)) {
		t.Add(pod, report.Bytes(idle[pod]), report.Bytes(most[pod]))
	}
	return t, err
}

// every is how often a call is due while versions roll.
const every = 50 * time.Millisecond

// Upgrades measures for how long webhooks are not accepted while every pod is replaced.
func (b *Bench) Upgrades(ctx context.Context) (*report.Table, error) {
	r, err := b.release(ctx)
	if err != nil {
		return nil, err
	}
	t := &report.Table{
		Title: "Upgrades", Header: []string{"upgrade", "took", "webhooks", "not accepted", "answers of those", "unavailable", "longest"},
		Note: fmt.Sprintf("`helm upgrade` that replaces every pod. A webhook is due every %s, over a connection of its own, and has 5 s; *unavailable* is the time in which "+
			"those that were due were not accepted; answer 0 is none. Providers send them again.", every),
	}
	j, err := aimed(ctx, r)
	if err != nil {
		return t, err
	}
	for round := 1; round <= 2; round++ {
		r.Settle(ctx, time.Minute)
		p := probe(j)
		began := time.Now()
		err := r.Upgrade(ctx, round)
		took := time.Since(began)
		calls := p.end()
		if err != nil {
			return t, err
		}
		failed, total, longest := outages(calls)
		t.Add(round, took, len(calls), failed, strings.TrimPrefix(fmt.Sprint(p.other), "map"), total, longest)
		b.say("%s: upgrade %d took %s, unavailable %s", r.Mode, round, report.Milliseconds(took), report.Milliseconds(total))
	}
	return t, nil
}

// aimed is what to call of a release.
func aimed(ctx context.Context, r *stand.Release) (load.Job, error) {
	to, err := r.Target(ctx, "whatsapp")
	if err != nil {
		return load.Job{}, err
	}
	_, j, err := aim(to)
	return j, err
}

// prober makes a call over a new connection every now and then, whatever became of those before.
type prober struct {
	stop  chan struct{}
	calls sync.WaitGroup
	mu    sync.Mutex
	taken []bool      // by the time at which they were due
	other map[int]int // answers of those that were not, by status; 0: none came
}

func probe(j load.Job) *prober {
	p := &prober{stop: make(chan struct{}), other: map[int]int{}}
	p.calls.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-p.stop:
				return
			case <-tick.C:
			}
			p.mu.Lock()
			p.taken = append(p.taken, false)
			p.mu.Unlock()
			p.calls.Go(func() {
				status := answer(j)
				p.mu.Lock()
				defer p.mu.Unlock()
				if p.taken[i] = status/100 == 2; !p.taken[i] {
					p.other[status]++
				}
			})
		}
	})
	return p
}

// answer makes a call and returns its status; 0 if no answer came.
func answer(j load.Job) int {
	c, err := wire.New(j.Base, 5*time.Second)
	if err != nil {
		return 0
	}
	defer c.Close() //nolint:errcheck // the call is over
	status, _, err := c.Do(j.Caller().Request(j.Next.Add(1) - 1))
	if err != nil {
		return 0
	}
	return status
}

// end waits for the calls under way, and tells of each whether it was accepted.
func (p *prober) end() []bool {
	close(p.stop)
	p.calls.Wait()
	return p.taken
}

// outages are how many calls were not accepted, how long that was in all, and at most at a time.
func outages(taken []bool) (failed int, total, longest time.Duration) {
	var now time.Duration
	for _, ok := range taken {
		if ok {
			now = 0
			continue
		}
		failed++
		now += every
		total += every
		longest = max(longest, now)
	}
	return failed, total, longest
}

var errNoCluster = errors.New("--cluster and TRIBUTARY_TEST_CLUSTER_TAG belong together: make bench-cluster sets both")

// OnCluster has the chart measured on a cluster.
func (b *Bench) OnCluster(scripts, tag string, modes []string) error {
	if scripts == "" || tag == "" {
		return errNoCluster
	}
	b.Cluster, b.Modes, b.Outside = &stand.Cluster{Scripts: scripts, Tag: tag}, modes, true
	return nil
}
