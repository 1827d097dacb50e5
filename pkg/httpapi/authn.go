package httpapi

import (
	"context"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
)

func timeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, d)
}

// Authenticator says who holds a bearer token.
type Authenticator interface {
	Authenticate(ctx context.Context, bearer string) (*auth.Principal, error)
}

// Authenticate lets only known callers pass; handlers find them with [Caller].
func Authenticate(a Authenticator) gin.HandlerFunc {
	return func(c *gin.Context) {
		token, ok := strings.CutPrefix(c.GetHeader("Authorization"), "Bearer ")
		if !ok || token == "" {
			Fail(c, auth.ErrUnauthenticated)
			return
		}
		p, err := a.Authenticate(c.Request.Context(), token)
		if err != nil {
			Fail(c, err)
			return
		}
		c.Request = c.Request.WithContext(auth.With(c.Request.Context(), p))
		c.Next()
	}
}

// Caller is who makes the request. Behind [Authenticate] it is never nil.
func Caller(c *gin.Context) *auth.Principal { return auth.From(c.Request.Context()) }

// Require lets only callers with a permission pass.
func Require(x auth.Permission) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := Caller(c).Require(x); err != nil {
			Fail(c, err)
			return
		}
		c.Next()
	}
}
