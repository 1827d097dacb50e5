package ingress

import (
	"context"
	"slices"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/join"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// join keeps the parts among the events of a call, and puts the messages that are whole with them in their place. It reports whether a part
// waits for others.
func (g *Ingress) join(ctx context.Context, b *batch, ch channel.Keyed, p *channel.Parsed) (waiting bool, err error) {
	if !g.info.Inbound.InParts || !slices.ContainsFunc(p.Events, func(e event.Inbound) bool { return e.Piece != nil }) {
		return false, nil
	}
	var events []event.Inbound
	for _, e := range p.Events {
		if e.Piece == nil {
			events = append(events, e)
			continue
		}
		t, err := g.joins.Take(ctx, ch.Channel, e)
		if err != nil {
			return false, away(err)
		}
		waiting = waiting || len(t.Events) == 0
		events = append(events, t.Events...)
		if t.ID != "" {
			b.joined = append(b.joined, t.ID)
		}
	}
	p.Events = events
	return waiting, nil
}

// settle says that messages put together from parts are published. One that is not told is published again, as the same one.
func (g *Ingress) settle(ctx context.Context, ids []string) {
	for _, id := range ids {
		if err := g.joins.Published(ctx, id); err != nil {
			g.Log.WarnContext(ctx, "a message put together from parts will be published again", "type", g.info.Type, "error", err)
		}
	}
}

// Join publishes messages that have waited long enough for their last part, but for those of a channel that is gone.
func (g *Ingress) Join(ctx context.Context) error {
	due, err := g.joins.Due(ctx)
	if err != nil {
		return err
	}
	for _, m := range due {
		if err := g.joinNow(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (g *Ingress) joinNow(ctx context.Context, m *join.Message) error {
	ch, err := g.Channels.Channel(ctx, m.ChannelID)
	gone := fault.Is(err, fault.Gone)
	if err != nil && !gone {
		return err
	}
	t, err := g.joins.Close(ctx, m.ID)
	if err != nil {
		return err
	}
	if gone {
		return g.joins.Published(ctx, m.ID)
	}
	var records []event.Record
	for i := range t.Events {
		e := &t.Events[i]
		e.ChannelID, e.ChannelType, e.ReceivedAt = ch.ID, ch.Type, event.At(g.Now())
		recs, err := g.records(ctx, ch, e)
		if err != nil {
			return err
		}
		records = append(records, recs...)
	}
	ctx, cancel := context.WithTimeout(ctx, g.Limits.Publish)
	defer cancel()
	if err := g.Bus.Publish(ctx, records...); err != nil {
		return err
	}
	return g.joins.Published(ctx, m.ID)
}
