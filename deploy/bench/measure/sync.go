package measure

import (
	"context"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/load"
	"github.com/tributaryhq/tributary/deploy/bench/report"
	"github.com/tributaryhq/tributary/deploy/bench/stand"
)

// Sync measures what waiting for the disk costs: accepted/s of one process with TRIBUTARY_KAFKA_SYNC on and off, in turns.
func (b *Bench) Sync(ctx context.Context) (*report.Table, error) {
	t := &report.Table{
		Title:  "What waiting for the disk costs",
		Header: []string{"conns", "accepted/s, sync on", "p99", "CPU/webhook", "accepted/s, sync off", "p99", "CPU/webhook", "on : off"},
		Note: fmt.Sprintf("Webhooks of one channel type, everything in one process on the broker in the process; %s each after %s, both settings in turns. "+
			"With sync on, an answer waits until the records are on the disk.", b.For, b.Warm),
	}
	if b.Outside {
		return t, nil // servers outside have settings of their own
	}
	for _, conns := range b.Conns {
		var on, off synced
		for setting, to := range map[string]*synced{"on": &on, "off": &off} {
			if err := b.sync(ctx, setting, conns, to); err != nil {
				return t, fmt.Errorf("sync %s, %d connections: %w", setting, conns, err)
			}
		}
		t.Add(conns, on.rate, on.p99, on.cpu, off.rate, off.p99, off.cpu, fmt.Sprintf("%.2f", on.rate/max(off.rate, 1)))
		b.say("%d connections: %.0f/s with sync on, %.0f/s with it off", conns, on.rate, off.rate)
	}
	return t, nil
}

// synced is what one setting gives.
type synced struct {
	rate     float64
	p99, cpu time.Duration
}

func (b *Bench) sync(ctx context.Context, setting string, conns int, out *synced) (err error) {
	dir, err := b.fresh("sync-" + setting)
	if err != nil {
		return err
	}
	s, err := stand.One(ctx, b.Bin, dir, "TRIBUTARY_KAFKA_SYNC="+setting)
	if err != nil {
		return err
	}
	defer b.done(s, &err)
	to, err := s.Target(ctx, b.Channels[0])
	if err != nil {
		return err
	}
	_, j, err := aim(to)
	if err != nil {
		return err
	}
	var m *meter
	r, err := load.Closed(ctx, j, conns, b.Warm, b.For, func() { m = measure(s) })
	if err != nil {
		return err
	}
	theirs, _, _ := m.read()
	out.rate, out.p99, out.cpu = r.Rate(), r.Lat.At(.99), each(theirs, r.OK)
	return nil
}
