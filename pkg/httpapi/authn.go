package httpapi

import (
	"context"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
)

// Authenticator says who holds a bearer token.
type Authenticator interface {
	Authenticate(ctx context.Context, bearer string) (*auth.Principal, error)
}

// Authenticate lets only known callers pass; handlers find them with [Caller].
func Authenticate(a Authenticator) gin.HandlerFunc {
	return func(c *gin.Context) {
		token, err := credentials(c)
		if err == nil && token == "" {
			err = auth.ErrUnauthenticated
		}
		if err != nil {
			Fail(c, err)
			return
		}
		p, err := a.Authenticate(c.Request.Context(), token)
		if err != nil {
			Fail(c, err)
			return
		}
		c.Request = c.Request.WithContext(auth.With(c.Request.Context(), p))
		c.Set(againKey, func(ctx context.Context) (*auth.Principal, error) { return a.Authenticate(ctx, token) })
		c.Next()
	}
}

const againKey = "authenticate_again"

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

// credentials are the caller's token: what the request names itself, else the session that its browser holds.
func credentials(c *gin.Context) (token string, err error) {
	if token := bearer(c); token != "" {
		return token, nil
	}
	return session(c)
}

// bearer finds the token: in the header Authorization or, because browsers cannot set that on a WebSocket, as a subprotocol
// "bearer.<token>". Never in the URL, which ends up in logs.
func bearer(c *gin.Context) string {
	if token := BearerOf(c); token != "" {
		return token
	}
	if !strings.EqualFold(c.GetHeader("Upgrade"), "websocket") {
		return ""
	}
	for proto := range strings.SplitSeq(c.GetHeader("Sec-WebSocket-Protocol"), ",") {
		if token, ok := strings.CutPrefix(strings.TrimSpace(proto), "bearer."); ok {
			return token
		}
	}
	return ""
}

// BearerOf is the token in the header Authorization; "" if there is none. The scheme's name is written in any case (RFC 9110 §11.1).
func BearerOf(c *gin.Context) string {
	scheme, token, _ := strings.Cut(c.GetHeader("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
