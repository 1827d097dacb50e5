package rest

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/api"
	"github.com/tributaryhq/tributary/services/inbox/chat"
)

// countTo is where badges end: exact below, "capped" from there on.
const countTo = 9999

// GetCounters implements api.ServerInterface.
func (s *Server) GetCounters(c *gin.Context) {
	do(c, http.StatusOK, func() (any, error) {
		p, ctx := httpapi.Caller(c), c.Request.Context()
		out := object{}
		for key, q := range map[string]api.ListConversationsParams{
			"messages_unresponded": {View: view("unresponded"), Kind: kind(chat.Messages)},
			"comments_unresponded": {View: view("unresponded"), Kind: kind(chat.Comments)},
			"unassigned":           {View: view("unassigned"), Kind: kind(chat.Messages)},
		} {
			n, err := s.count(ctx, p, q)
			if err != nil {
				return nil, err
			}
			out[key] = object{"count": min(n, countTo), "capped": n > countTo}
		}
		return out, nil
	})
}

func view(v string) *api.ListConversationsParamsView {
	x := api.ListConversationsParamsView(v)
	return &x
}

func kind(v string) *api.ListConversationsParamsKind {
	x := api.ListConversationsParamsKind(v)
	return &x
}

// count counts what the caller may see. Whoever sees everything is answered by the index alone.
func (s *Server) count(ctx context.Context, p *auth.Principal, q api.ListConversationsParams) (int, error) {
	l, err := s.listing(ctx, p, q)
	if err != nil {
		return 0, err
	}
	if p.May(auth.ReadAll) && p.OUID == "" && len(l.sources) == 1 && *q.View == "unassigned" {
		return s.Record.Conversations.Count(ctx, store.Query{Where: l.sources[0]}, countTo+1)
	}
	n, cursor := 0, ""
	for n <= countTo {
		docs, next, err := l.page(ctx, s.Record.Conversations, cursor, httpapi.MaxLimit)
		if err != nil {
			return 0, err
		}
		if n += len(docs); next == "" {
			break
		}
		cursor = next
	}
	return n, nil
}
