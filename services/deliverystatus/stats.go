package deliverystatus

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/deliverystatus/api"
)

// countMost bounds the work for one count.
const countMost = 100_000

var statuses = []event.DeliveryStatus{event.Queued, event.Unsure, event.Accepted, event.Sent, event.Failed, event.Delivered, event.Read}

// channels is where a channel is looked up.
type channels interface {
	Channel(ctx context.Context, id string) (channel.Keyed, error)
}

type server struct {
	attempts  *store.Collection[attempt]
	bus       bus.Bus
	waiting   *waiting // dead letters
	directory channels
	now       func() time.Time
}

// DeliveryStats implements api.ServerInterface.
func (s *server) DeliveryStats(c *gin.Context, params api.DeliveryStatsParams) {
	stats, err := s.stats(c.Request.Context(), httpapi.Caller(c), params)
	if err != nil {
		httpapi.Fail(c, httpapi.StoreError(err))
		return
	}
	c.JSON(http.StatusOK, stats)
}

func (s *server) stats(ctx context.Context, p *auth.Principal, params api.DeliveryStatsParams) (*api.DeliveryStats, error) {
	if err := p.Require(auth.ReportsRead); err != nil {
		return nil, err
	}
	ch, err := s.directory.Channel(ctx, params.ChannelId)
	if fault.Is(err, fault.Gone) || (err == nil && ch.Tenant != p.Tenant) {
		return nil, fault.New(fault.Gone, "not_found", "there is no channel %s", params.ChannelId)
	}
	if err != nil {
		return nil, err
	}
	to := s.now().UTC()
	if params.To != nil {
		to = params.To.UTC()
	}
	from := to.Add(-24 * time.Hour)
	if params.From != nil {
		from = params.From.UTC()
	}
	if !from.Before(to) {
		return nil, fault.At("/from", "out_of_range", "from must be before to")
	}
	out := &api.DeliveryStats{ChannelId: params.ChannelId, From: from, To: to, Counts: map[string]int{}}
	for _, status := range statuses {
		n, err := s.attempts.Count(ctx, store.Query{
			Where: []store.Eq{{Field: "tenant", Value: p.Tenant}, {Field: "channel_id", Value: params.ChannelId}, {Field: "status", Value: string(status)}},
			Range: &store.Range{Field: "at", From: event.At(from).String(), To: event.At(to).String()},
		}, countMost)
		if err != nil {
			return nil, err
		}
		out.Counts[string(status)] = n
		out.Capped = out.Capped || n == countMost
	}
	return out, nil
}
