package ingress

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
)

// Position names a journal record.
type Position struct {
	Partition int   `json:"partition"`
	Offset    int64 `json:"offset"`
}

// replay is the operation ~replay {partition, offset}: a journaled call is translated again, after a fix (promise P2). Ids are
// derived, so what was understood the first time does not happen twice.
func (g *Ingress) replay(ctx context.Context, ch channel.Keyed, body []byte) (any, error) {
	var at Position
	if err := httpapi.Decode(body, &at); err != nil {
		return nil, err
	}
	ids, err := g.Replay(ctx, ch, at)
	return gin.H{"events": ids}, err
}

// Replay translates a journaled call of the channel again and returns the ids of its events.
func (g *Ingress) Replay(ctx context.Context, ch channel.Keyed, at Position) ([]string, error) {
	w, err := g.journaled(ctx, ch, at)
	if err != nil {
		return nil, err
	}
	in := channel.Inbound{Method: w.Method, Path: w.Path, Query: w.Query, Header: w.Header, Body: w.Body, At: w.At.Time}
	parsed, err := g.Adapter.Parse(ch, in)
	if err != nil {
		return nil, fault.New(fault.Invalid, "unparsable", "the call can still not be understood: %v", err)
	}
	var b batch
	if err := g.translate(ctx, &b, ch, in, parsed, nil, callNotes{as: replayed, body: w.BodyBlob}); err != nil {
		return nil, err
	}
	if err := g.commit(ctx, &b); err != nil {
		return nil, err
	}
	g.metrics.received(ctx, replayed)
	return b.events(), nil
}

// events are the ids of what a call gave rise to.
func (b *batch) events() []string {
	ids := []string{}
	for _, r := range b.records {
		if r.Event.Type != event.WebhookReceived {
			ids = append(ids, r.Event.ID)
		}
	}
	return ids
}

var errNotThere = fault.New(fault.Gone, "not_found", "there is no such call in the channel's journal")

// journaled reads one record of the channel's journal, with its body.
func (g *Ingress) journaled(ctx context.Context, ch channel.Keyed, at Position) (w event.Webhook, err error) {
	if own, err := g.Bus.PartitionOf(ctx, event.TopicWebhooks, ch.ID); err != nil {
		return w, fmt.Errorf("journal: %w", away(err))
	} else if at.Partition != own || at.Offset < 0 {
		return w, errNotThere
	}
	ms, err := g.Bus.ReadFrom(ctx, event.TopicWebhooks, at.Partition, at.Offset, 1)
	if errors.Is(err, bus.ErrTrimmed) {
		return w, fault.New(fault.Gone, "trimmed", "the journal does not reach back that far")
	}
	if err != nil {
		return w, fmt.Errorf("journal: %w", away(err))
	}
	if len(ms) == 0 || ms[0].Offset != at.Offset || ms[0].Event.Type != event.WebhookReceived || ms[0].Event.Tenant != ch.Tenant {
		return w, errNotThere
	}
	if w, err = event.Decode[event.Webhook](ms[0].Event); err != nil {
		return w, err
	}
	if w.ChannelID != ch.ID {
		return event.Webhook{}, errNotThere
	}
	if w.BodyBlob != "" {
		owner := ownerOf(ch.Tenant, w.BodyBlob)
		if err := g.Blobs.Keep(ctx, owner, w.BodyBlob, g.Now().Add(blob.InTransit)); err != nil { // for the record of the replay
			return w, fmt.Errorf("journal body: %w", err)
		}
		if w.Body, err = g.kept(ctx, owner, w.BodyBlob); err != nil {
			return w, fmt.Errorf("journal body: %w", err)
		}
	}
	return w, nil
}

func (g *Ingress) kept(ctx context.Context, tenant, key string) ([]byte, error) {
	r, _, err := g.Blobs.Open(ctx, tenant, key)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	return io.ReadAll(io.LimitReader(r, g.info.Inbound.MaxBody))
}
