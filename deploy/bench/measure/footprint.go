package measure

import (
	"context"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/load"
	"github.com/tributaryhq/tributary/deploy/bench/report"
)

// Footprint measures how long a start takes, and memory when nothing happens, under load, and some time after it.
func (b *Bench) Footprint(ctx context.Context) (t *report.Table, err error) {
	t = &report.Table{
		Title: "Start and memory", Header: []string{"what", "figure"},
		Note: "Start is from the exec of the process to `/readyz` answering 200. Memory is what is resident, of all processes measured.",
	}
	began := time.Now()
	s, err := b.full(ctx, "footprint")
	if err != nil {
		return nil, err
	}
	defer b.done(s, &err)
	t.Add("first start, with new data", time.Since(began))
	s.Settle(ctx, 20*time.Second)
	idle, _ := s.Memory()
	t.Add("memory, idle", report.Bytes(idle))
	to, err := s.Target(ctx, "whatsapp")
	if err != nil {
		return t, err
	}
	_, j, err := aim(to)
	if err != nil {
		return t, err
	}
	r, err := load.Closed(ctx, j, 64, 0, b.For, func() {})
	if err != nil {
		return t, err
	}
	now, _ := s.Memory()
	t.Add(fmt.Sprintf("memory, after %s of webhooks over 64 connections (%.0f/s)", b.For, r.Rate()), report.Bytes(now))
	t.Add("all of it worked off after", s.Settle(ctx, 2*time.Minute))
	now, most := s.Memory()
	t.Add("memory then", report.Bytes(now))
	t.Add("memory, at most", report.Bytes(most))
	if b.Outside {
		return t, nil
	}
	took, err := s.Restart(ctx)
	if err != nil {
		return t, err
	}
	t.Add(fmt.Sprintf("start with the data of %s messages", report.Thousands(int64(r.OK))), took)
	b.say("start %s, idle %s, under load %s", report.Milliseconds(took), report.Bytes(idle), report.Bytes(most))
	return t, nil
}
