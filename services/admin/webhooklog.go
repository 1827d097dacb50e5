package admin

import (
	"context"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/services/admin/api"
)

// How much of the journal one look reads: the partition may hold calls of other channels in between.
const (
	journalStep = 500
	journalMost = 20_000
)

// WebhookLog implements api.ServerInterface.
func (s *server) WebhookLog(c *gin.Context, id api.ID, _ api.WebhookLogParams) {
	ctx := c.Request.Context()
	limit, err := httpapi.Limit(c)
	if err == nil {
		err = httpapi.Caller(c).Require(auth.WebhookLogRead)
	}
	if err == nil {
		_, err = s.channel(ctx, httpapi.Caller(c).Tenant, id)
	}
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	calls, err := s.journal(ctx, id, limit)
	if err != nil {
		httpapi.Fail(c, &fault.Error{Kind: fault.Unavailable, Code: "unavailable", Err: err})
		return
	}
	c.JSON(http.StatusOK, gin.H{"data": calls})
}

// journal reads the channel's partition backwards until it has enough.
func (s *server) journal(ctx context.Context, id string, limit int) ([]map[string]any, error) {
	partition, err := s.bus.PartitionOf(ctx, event.TopicWebhooks, id)
	if err != nil {
		return nil, err
	}
	ends, err := s.bus.Ends(ctx, event.TopicWebhooks)
	if err != nil {
		return nil, err
	}
	out := []map[string]any{}
	for end := ends[partition]; end > 0 && len(out) < limit && ends[partition]-end < journalMost; end -= journalStep {
		from := max(0, end-journalStep)
		ms, err := s.bus.ReadFrom(ctx, event.TopicWebhooks, partition, from, int(end-from))
		trimmed := errors.Is(err, bus.ErrTrimmed)
		if trimmed { // the log begins in between, or behind
			ms, err = s.bus.ReadFrom(ctx, event.TopicWebhooks, partition, bus.Oldest, journalStep)
		}
		if err != nil {
			return nil, err
		}
		for i := len(ms) - 1; i >= 0 && len(out) < limit; i-- {
			if ms[i].Key == id && ms[i].Offset < end {
				out = append(out, showCall(ms[i]))
			}
		}
		if trimmed {
			break
		}
	}
	return out, nil
}

func showCall(m bus.Message) map[string]any {
	w, err := event.Decode[event.Webhook](m.Event)
	if err != nil {
		return map[string]any{"id": m.Event.ID, "at": m.Event.Time, "method": "", "path": "", "verdict": "unreadable", "position": position(m)}
	}
	out := map[string]any{
		"id": m.Event.ID, "at": w.At, "method": w.Method, "path": w.Path, "verdict": w.Verdict, "reason": w.Reason,
		"events": append([]string{}, w.Events...), "position": position(m),
	}
	if len(w.Dropped) > 0 {
		out["dropped"] = w.Dropped
	}
	return out
}

// position is where the journal has a call.
func position(m bus.Message) map[string]any {
	return map[string]any{"partition": m.Partition, "offset": m.Offset}
}
