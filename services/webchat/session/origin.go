package session

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/httpapi"
)

// origin lets pass pages that the channel allows, and our own. A call without an origin comes from no page: its token alone
// counts. So this keeps out browsers, not people.
func (s *server) origin(c *gin.Context) {
	from := c.GetHeader("Origin")
	h := c.Writer.Header()
	h.Add("Vary", "Origin")
	h.Set("Cache-Control", "no-store")
	if from == "" {
		return
	}
	if !s.allowed(channelOf(c), c.Request, from) {
		httpapi.Fail(c, errOrigin)
		return
	}
	h.Set("Access-Control-Allow-Origin", from)
	h.Set("Access-Control-Expose-Headers", "Retry-After")
	if c.Request.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", "GET, POST")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
		h.Set("Access-Control-Max-Age", "600")
	}
}

func (s *server) allowed(ch channel.Keyed, r *http.Request, from string) bool {
	matches := func(allowed string) bool { return channel.MatchesOrigin(allowed, from) }
	if matches(s.PublicURL) || slices.ContainsFunc(ch.Settings.List("allowed_origins"), matches) {
		return true
	}
	u, err := url.Parse(from)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}
