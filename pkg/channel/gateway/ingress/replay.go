package ingress

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
)

// replaySuffix is where a journaled call of a channel is read again, below the channel's own webhook.
const replaySuffix = "/~replay"

// Position names a journal record.
type Position struct {
	Partition int   `json:"partition"`
	Offset    int64 `json:"offset"`
}

// replay answers POST /webhooks/{type}/{channel}/~replay {partition, offset}: an operator lets a journaled call be translated
// again, after a fix (promise P2). Ids are derived, so what was understood the first time does not happen twice.
func (g *Ingress) replay(c *gin.Context, id string) {
	p := auth.From(c.Request.Context())
	if p == nil {
		httpapi.Fail(c, auth.ErrUnauthenticated)
		return
	}
	var at Position
	if err := json.NewDecoder(http.MaxBytesReader(c.Writer, c.Request.Body, 1<<10)).Decode(&at); err != nil {
		httpapi.Fail(c, fault.At("", "bad_json", "want {\"partition\": n, \"offset\": n}"))
		return
	}
	events, err := g.Replay(c.Request.Context(), p, id, at)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"events": events})
}

// Replay translates a journaled call of the principal's channel again and returns the ids of its events.
func (g *Ingress) Replay(ctx context.Context, p *auth.Principal, id string, at Position) ([]string, error) {
	if err := p.Require(auth.ChannelsWrite); err != nil {
		return nil, err
	}
	ch, err := g.channel(ctx, id)
	if err != nil {
		return nil, err
	}
	if ch.Tenant != p.Tenant {
		return nil, errUnknown
	}
	w, err := g.journaled(ctx, ch, at)
	if err != nil {
		return nil, err
	}
	in := channel.Inbound{Method: w.Method, Path: w.Path, Query: w.Query, Header: w.Header, Body: w.Body, At: w.At.Time}
	parsed, err := g.parse(ch, in)
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
	ids := []string{}
	for _, r := range b.records {
		if r.Event.Type != event.WebhookReceived {
			ids = append(ids, r.Event.ID)
		}
	}
	return ids, nil
}

// journaled reads one record of the channel's journal, with its body.
func (g *Ingress) journaled(ctx context.Context, ch channel.Keyed, at Position) (w event.Webhook, err error) {
	ms, err := g.Bus.ReadFrom(ctx, event.TopicWebhooks, at.Partition, at.Offset, 1)
	if errors.Is(err, bus.ErrTrimmed) {
		return w, fault.New(fault.Gone, "trimmed", "the journal does not reach back that far")
	}
	if err != nil {
		return w, fmt.Errorf("journal: %w", away(err))
	}
	if len(ms) == 0 || ms[0].Offset != at.Offset || ms[0].Event.Type != event.WebhookReceived || ms[0].Event.Tenant != ch.Tenant {
		return w, errUnknown
	}
	if w, err = event.Decode[event.Webhook](ms[0].Event); err != nil {
		return w, err
	}
	if w.ChannelID != ch.ID {
		return event.Webhook{}, errUnknown
	}
	if w.BodyBlob != "" {
		if w.Body, err = g.kept(ctx, w.BodyBlob); err != nil {
			return w, fmt.Errorf("journal body: %w", err)
		}
	}
	return w, nil
}

func (g *Ingress) kept(ctx context.Context, key string) ([]byte, error) {
	r, _, err := g.Blobs.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	return io.ReadAll(io.LimitReader(r, g.info.Inbound.MaxBody))
}
