package ingress

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/telemetry/logctx"
)

// The verdicts on a call, as the journal has them.
const (
	accepted   = "accepted"
	handshake  = "handshake"
	unparsable = "unparsable"
	ignored    = "ignored"
	replayed   = "replayed"
)

// batch is what a call becomes: one journal record per channel and all its events, published together.
type batch struct {
	records []event.Record
	verdict string // of the whole call
	reply   channel.Reply
	oldest  event.Time // the provider's time of its oldest event
	joined  []string   // messages put together from parts, which are published with it
	seen    []seen
}

// seen is an event of a call, and whose channel it is for.
type seen struct {
	ch channel.Channel
	e  *event.Inbound
}

// accept translates a verified call for each of its channels and makes everything durable, in one step. A call that was addressed to one
// channel may turn out to be for others of the same app as well.
func (g *Ingress) accept(
	ctx context.Context, in channel.Inbound, chs []channel.Keyed, dropped map[string]int, addressed bool,
) (channel.Reply, error) {
	leave, err := g.gate.enter(len(in.Body))
	if err != nil {
		return channel.Reply{}, err
	}
	defer leave()
	if len(chs) == 1 {
		ctx = logctx.With(ctx, logctx.About{Tenant: chs[0].Tenant, Channel: chs[0].ID})
	}
	b := batch{verdict: ignored}
	parsed, perr := g.Adapter.Parse(chs[0], in)
	if addressed && parsed.Ignored[channel.OtherAccount] > 0 {
		if chs, err = g.beside(ctx, chs[0], in); err != nil {
			return channel.Reply{}, err
		}
	}
	shared, err := g.sharedBody(ctx, in, chs)
	if err != nil {
		return channel.Reply{}, err
	}
	for i, ch := range chs {
		if i > 0 {
			parsed, perr = g.Adapter.Parse(ch, in)
		}
		if err := g.translate(ctx, &b, ch, in, parsed, perr, callNotes{dropped: once(dropped, i), body: shared}); err != nil {
			return channel.Reply{}, err
		}
	}
	if b.verdict == handshake { // carries nothing: its journal entry may be lost, the provider's patience may not
		ctx, cancel := context.WithTimeout(ctx, g.Limits.Publish)
		defer cancel()
		if err := g.Bus.Publish(ctx, b.records...); err != nil {
			g.Log.WarnContext(ctx, "handshake not journaled", "channel", chs[0].ID, "error", err)
		}
	} else if err := g.commit(ctx, &b); err != nil {
		return channel.Reply{}, err
	}
	g.links.published(b.records)
	g.settle(ctx, b.joined)
	if g.Seen != nil && b.verdict != spooled {
		for _, s := range b.seen {
			g.Seen(s.ch, *s.e)
		}
	}
	g.metrics.received(ctx, b.verdict)
	if !b.oldest.IsZero() {
		g.metrics.took(ctx, g.Now().Sub(b.oldest.Time))
	}
	return b.reply, nil
}

// commit publishes everything, or puts it into the spool where the provider would not call again.
func (g *Ingress) commit(ctx context.Context, b *batch) error {
	if !g.info.Inbound.Retries && g.spool.behind(ctx) {
		return g.keep(ctx, b) // behind what already waits there, so that the order is ours
	}
	pctx, cancel := context.WithTimeout(ctx, g.Limits.Publish)
	err := g.Bus.Publish(pctx, b.records...)
	cancel()
	if err == nil {
		return nil
	}
	if g.info.Inbound.Retries {
		return &fault.Error{Kind: fault.Unavailable, Code: "unavailable", After: 2 * time.Second, Err: fmt.Errorf("publish: %w", err)}
	}
	g.Log.WarnContext(ctx, "kafka is away, the call goes into the spool", "type", g.info.Type, "error", err)
	return g.keep(ctx, b)
}

func (g *Ingress) keep(ctx context.Context, b *batch) error {
	ctx, cancel := context.WithTimeout(ctx, g.Limits.Spool)
	defer cancel()
	if err := g.spool.put(ctx, b.records); err != nil {
		return &fault.Error{Kind: fault.Unavailable, Code: "unavailable", After: 2 * time.Second, Err: fmt.Errorf("spool: %w", err)}
	}
	b.verdict = spooled
	return nil
}

// once lets the notes about a call stand in the first channel's journal record only.
func once(m map[string]int, i int) map[string]int {
	if i > 0 || len(m) == 0 {
		return nil
	}
	return maps.Clone(m)
}
