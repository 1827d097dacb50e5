package deliverystatus

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/services/deliverystatus/api"
)

// redriveLimit is how many dead letters one call publishes unless it says otherwise.
const redriveLimit = 100

// ListDeadLetters implements api.ServerInterface.
func (s *server) ListDeadLetters(c *gin.Context, params api.ListDeadLettersParams) {
	p := httpapi.Caller(c)
	limit, err := httpapi.Limit(c)
	if err == nil {
		err = p.Require(auth.DeadLetters)
	}
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	f := bus.Filter{Tenant: p.Tenant, Topic: text(params.Topic), Reason: text(params.Reason)}
	letters, err := bus.DeadLetters(c.Request.Context(), s.bus, f, limit+1)
	if err != nil {
		httpapi.Fail(c, brokerError(err))
		return
	}
	c.JSON(http.StatusOK, api.DeadLetters{Data: show(letters[:min(len(letters), limit)]), HasMore: len(letters) > limit})
}

// RedriveDeadLetters implements api.ServerInterface.
func (s *server) RedriveDeadLetters(c *gin.Context) {
	p := httpapi.Caller(c)
	var in api.Redrive
	err := p.Require(auth.DeadLetters)
	if err == nil {
		err = httpapi.Body(c, &in)
	}
	if err == nil && in.Ids == nil && in.Topic == nil && in.Reason == nil {
		err = fault.New(fault.Invalid, "required", "say which: ids, topic or reason")
	}
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	f := bus.Filter{Tenant: p.Tenant, Topic: text(in.Topic), Reason: text(in.Reason)}
	if in.Ids != nil {
		f.IDs = *in.Ids
	}
	limit, dry := redriveLimit, in.DryRun != nil && *in.DryRun
	if in.Limit != nil {
		limit = *in.Limit
	}
	done, err := bus.Redrive(c.Request.Context(), s.bus, f, limit, dry)
	if err != nil {
		err = brokerError(err)
	}
	if !dry {
		if noted := s.waiting.note(c.Request.Context(), done.Published); err == nil && noted != nil {
			err = httpapi.StoreError(noted)
		}
	}
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	c.JSON(http.StatusOK, api.Redriven{Published: show(done.Published), Skipped: show(done.Skipped), DryRun: dry})
}

// show tells where letters come from and why they died. Keys and payloads belong to customers.
func show(letters []bus.Message) []api.DeadLetter {
	out := make([]api.DeadLetter, len(letters))
	for i, m := range letters {
		out[i] = api.DeadLetter{
			Id: m.Event.ID, Type: string(m.Event.Type), Source: &m.Event.Source, Topic: m.Dead.Topic, Partition: m.Dead.Partition, Offset: m.Dead.Offset,
			Group: m.Dead.Group, Reason: api.DeadReason(m.Dead.Reason), Error: m.Dead.Error, Attempts: m.Dead.Attempts, Size: len(m.Event.Data),
			FirstFailedAt: m.Dead.FirstFailed.UTC(), DiedAt: m.Time.UTC(),
		}
	}
	return out
}

func text[T ~string](p *T) string {
	if p == nil {
		return ""
	}
	return string(*p)
}

// brokerError says that what failed is the broker, unless it is known better.
func brokerError(err error) error {
	if fault.KindOf(err) != fault.Internal {
		return err
	}
	return &fault.Error{Kind: fault.Unavailable, Code: "unavailable", Err: err}
}
