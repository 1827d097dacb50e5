package rest

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/api"
)

// ConversationRouting implements api.ServerInterface.
func (s *Server) ConversationRouting(c *gin.Context, id api.ID, _ api.ConversationRoutingParams) {
	do(c, http.StatusOK, func() (any, error) {
		p, ctx := httpapi.Caller(c), c.Request.Context()
		limit, err := httpapi.Limit(c)
		if err != nil {
			return nil, err
		}
		if _, err := s.conversation(ctx, p, id); err != nil {
			return nil, err
		}
		docs, next, prev, err := s.Record.Decisions.Query(ctx, store.Query{
			Where: []store.Eq{{Field: "conversation_id", Value: id}}, Order: "at", Desc: true, Limit: limit, Cursor: c.Query("cursor"),
		})
		if err != nil {
			return nil, err
		}
		out := make([]object, len(docs))
		for i, d := range docs {
			out[i] = object{"id": d.ID, "at": d.At, "epoch": d.Epoch, "action": d.Action, "outcome": d.Outcome, "reasons": append([]event.Reason{}, d.Reasons...)}
			if d.AgentID != "" {
				out[i]["agent_id"] = d.AgentID
			}
			if d.QueueID != "" {
				out[i]["queue_id"] = d.QueueID
			}
		}
		return httpapi.NewList(out, next, prev), nil
	})
}
