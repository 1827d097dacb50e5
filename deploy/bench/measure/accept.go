package measure

import (
	"context"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/load"
	"github.com/tributaryhq/tributary/deploy/bench/report"
	"github.com/tributaryhq/tributary/deploy/bench/stand"
)

// Accept measures accepted/s: signed webhooks with unique ids, answered 2xx after acks=all; with the consumers running, and with
// the channel's service alone on broker and store.
func (b *Bench) Accept(ctx context.Context) (*report.Table, error) {
	t := &report.Table{
		Title: "Webhooks accepted", Header: []string{"channel", "consumers", "conns", "accepted/s", "goal", "p50", "p95", "p99", "CPU/webhook", "goal", "generator", "refused"},
		Note: fmt.Sprintf("Signed webhooks with unique ids, answered 2xx after acks=all; %s each after %s. CPU is of all processes measured, stores included; "+
			"with the consumers running that is also everything which becomes of the messages meanwhile. *generator* is the tool's own CPU per webhook on the same cores. "+
			"A message of the web chat has a place in the visitor's mailbox before it is acknowledged: store writes that the others do not have.", b.For, b.Warm),
	}
	for _, running := range []bool{false, true} {
		if !running && b.Cluster != nil { // a release has all of them
			continue
		}
		for _, typ := range b.Channels {
			if err := b.accept(ctx, t, typ, running); err != nil {
				return t, fmt.Errorf("accept %s: %w", typ, err)
			}
		}
	}
	return t, nil
}

func (b *Bench) accept(ctx context.Context, t *report.Table, typ string, running bool) (err error) {
	var s *stand.Stand
	if running {
		s, err = b.full(ctx, "accept-"+typ)
	} else {
		s, err = b.part(ctx, "accept-"+typ+"-alone", "admin", typ)
	}
	if err != nil {
		return err
	}
	defer b.done(s, &err)
	to, err := s.Target(ctx, typ)
	if err != nil {
		return err
	}
	if !running {
		if err := s.End("admin"); err != nil { // it was needed to make the channel
			return err
		}
	}
	_, j, err := aim(to)
	if err != nil {
		return err
	}
	for _, conns := range b.Conns {
		s.Settle(ctx, time.Minute)
		var m *meter
		r, err := load.Closed(ctx, j, conns, b.Warm, b.For, func() {
			m = measure(s)
			s.Profile(b.Profiles, fmt.Sprintf("accept-%s-%t-%d", typ, running, conns), b.For)
		})
		if err != nil {
			return err
		}
		theirs, mine, _ := m.read()
		b.acceptRow(t, typ, running, conns, r, each(theirs, r.OK), each(mine, r.OK))
	}
	return nil
}

func (b *Bench) acceptRow(t *report.Table, typ string, running bool, conns int, r *load.Result, theirs, mine time.Duration) {
	consumers, want, cost := "stopped", "", ""
	if running {
		consumers = "running"
	}
	switch {
	case conns == 16:
		want = b.goal(r.Rate() >= 3000, "≥ 3,000")
	case conns == 64:
		want = b.goal(r.Rate() >= 6000 && r.Lat.At(.99) < 20*time.Millisecond, "≥ 6,000, p99 < 20 ms")
	}
	if !running {
		cost = b.goal(theirs <= 250*time.Microsecond, "≤ 0.25 ms")
	}
	t.Add(typ, consumers, conns, r.Rate(), want, r.Lat.At(.5), r.Lat.At(.95), r.Lat.At(.99), theirs, cost, mine, r.Bad())
	b.say("%s, consumers %s, %d connections: %.0f/s, p99 %s, CPU %s", typ, consumers, conns, r.Rate(), report.Milliseconds(r.Lat.At(.99)), report.Milliseconds(theirs))
}
