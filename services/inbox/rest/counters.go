package rest

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/services/inbox/api"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// countTo is where badges end: exact below, "capped" from there on.
const countTo = 9999

// GetCounters implements api.ServerInterface.
func (s *Server) GetCounters(c *gin.Context) {
	do(c, http.StatusOK, func() (any, error) {
		p, ctx := httpapi.Caller(c), c.Request.Context()
		out := object{}
		for badge, of := range map[string]struct {
			view  string
			kinds []string
		}{
			"messages_unresponded": {"unresponded", []string{record.Messages}},
			"comments_unresponded": {"unresponded", []string{record.Comments}},
			"unassigned":           {"unassigned", []string{record.Messages, record.Comments}},
		} {
			n := 0
			for _, k := range of.kinds {
				counted, err := s.count(ctx, p, api.ListConversationsParams{View: view(of.view), Kind: kind(k)})
				if err != nil {
					return nil, err
				}
				n += counted
			}
			out[badge] = object{"count": min(n, countTo), "capped": n > countTo}
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

// count counts what the caller may see, up to one more than a badge shows.
func (s *Server) count(ctx context.Context, p *auth.Principal, q api.ListConversationsParams) (int, error) {
	l, err := s.listing(ctx, p, q)
	if err != nil {
		return 0, err
	}
	if l.exact {
		return s.Record.Conversations.CountLists(ctx, p.Tenant, l.groups[0], countTo+1)
	}
	n, cursor := 0, ""
	for n <= countTo {
		page, err := l.page(ctx, s.Record.Conversations, cursor, httpapi.MaxLimit)
		if err != nil {
			return 0, err
		}
		if n += len(page.Docs); page.Next == "" {
			break
		}
		cursor = page.Next
	}
	return n, nil
}
