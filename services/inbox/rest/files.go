package rest

import (
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/budget"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
)

// PublicFiles are the requests for public files that an address may make, and how many of them may name no file. Providers fetch from
// few addresses; what guesses tokens names none.
type PublicFiles struct{ all, wrong *budget.Limits }

// NewPublicFiles returns full budgets.
func NewPublicFiles(now func() time.Time) *PublicFiles {
	return &PublicFiles{
		all:   budget.New(budget.Rate{N: 200, Per: time.Second, Burst: 2000}, now),
		wrong: budget.New(budget.Rate{N: 10, Per: time.Second, Burst: 100}, now),
	}
}

// GetPublicFile implements api.ServerInterface: the file that a token names, for the provider that delivers it. It takes no credentials.
// A token that is forged, over, or of a file that is deleted gets one and the same answer.
func (s *Server) GetPublicFile(c *gin.Context, token string) {
	err := s.Public.all.Take(httpapi.Source(c))
	if err == nil {
		err = s.publicFile(c, token)
	}
	if err == nil {
		return
	}
	if fault.Is(err, fault.Gone) {
		err = fault.New(fault.Gone, "not_found", "there is no such file")
		if tooMany := s.Public.wrong.Take(httpapi.Source(c)); tooMany != nil {
			err = tooMany
		}
	}
	c.Header("Cache-Control", "no-store")
	httpapi.Fail(c, err)
}

func (s *Server) publicFile(c *gin.Context, token string) error {
	f, err := s.Files.Open(token)
	if err != nil {
		return err
	}
	body, is, err := s.Blob.Open(c.Request.Context(), f.Tenant, f.Key)
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // only read
	describe(c, f.MIME, f.Name, is)
	h := c.Writer.Header()
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Cache-Control", "public, max-age=86400, immutable")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("ETag", `"`+is.SHA256+`"`)
	httpapi.ServeFile(c, is.Changed, body)
	return nil
}
