package admin

import (
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/services/admin/api"
)

// TestChannel implements api.ServerInterface.
func (s *server) TestChannel(c *gin.Context, id api.ID) { s.redirect(c, id, "test") }

// SimulateChannel implements api.ServerInterface.
func (s *server) SimulateChannel(c *gin.Context, id api.ID) { s.redirect(c, id, "simulate") }

// ReplayChannel implements api.ServerInterface.
func (s *server) ReplayChannel(c *gin.Context, id api.ID) { s.redirect(c, id, "replay") }

// redirect sends a caller with an operation to the channel's own service, which has its adapter. The address has no host: the
// caller stays on this one, so that clients send their credentials again.
func (s *server) redirect(c *gin.Context, id, operation string) {
	p := httpapi.Caller(c)
	if err := p.Require(auth.ChannelsWrite); err != nil {
		httpapi.Fail(c, err)
		return
	}
	doc, err := s.channel(c.Request.Context(), p.Tenant, id)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	c.Header("Location", "/webhooks/"+string(doc.Type)+"/"+url.PathEscape(doc.ID)+"/~"+operation)
	c.Status(http.StatusTemporaryRedirect)
}
