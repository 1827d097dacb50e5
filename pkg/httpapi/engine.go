// Package httpapi is what all our HTTP interfaces share: the gin engine, problem+json, authentication, request validation,
// cursors, idempotent creates, If-Match and limits.
package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/tributaryhq/tributary/pkg/fault"
)

const requestIDKey = "request_id"

// MaxBody is the largest JSON body of the API, in bytes. Uploads and webhooks have limits of their own.
const MaxBody = 1 << 20

// New returns the engine of a public listener. Addresses that proxies of the given networks report are believed.
func New(trusted ...netip.Prefix) *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.ContextWithFallback = true
	e.HandleMethodNotAllowed = true
	_ = e.SetTrustedProxies(nil) // nil always works; [Client] is what handlers ask
	e.Use(identify, recovery, func(c *gin.Context) { c.Set(clientKey, Forwarded(c.Request, trusted)) }, receive, decodable)
	e.NoRoute(func(c *gin.Context) { Fail(c, fault.New(fault.Gone, "not_found", "there is no such path")) })
	e.NoMethod(func(c *gin.Context) {
		if allow := c.Writer.Header().Get("Allow"); hasToken(c.Writer.Header(), "Allow", http.MethodGet) && !hasToken(c.Writer.Header(), "Allow", http.MethodHead) {
			c.Header("Allow", allow+", "+http.MethodHead) // see [Handler]
		}
		Fail(c, fault.New(fault.Invalid, "method_not_allowed", "%s does not take %s", c.Request.URL.Path, c.Request.Method))
	})
	return e
}

func identify(c *gin.Context) {
	id := c.GetHeader("X-Request-Id")
	if len(id) == 0 || len(id) > 128 {
		id = "req_" + uuid.Must(uuid.NewV7()).String()
	}
	c.Set(requestIDKey, id)
	h := c.Writer.Header()
	h.Set("X-Request-Id", id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	c.Next()
}

// RequestID is the id of the request under way; it is in the answer's X-Request-Id and in problems.
func RequestID(c *gin.Context) string { return c.GetString(requestIDKey) }

func recovery(c *gin.Context) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(v) // net/http's own way to drop a connection
		}
		slog.ErrorContext(c.Request.Context(), "panic", "route", c.FullPath(), "request_id", RequestID(c), "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		if !c.Writer.Written() {
			Fail(c, fault.New(fault.Internal, "internal", "panic"))
		}
		c.Abort()
	}()
	c.Next()
}

// LimitBody cuts request bodies at n bytes; reading further fails with body_too_large.
func LimitBody(n int64) gin.HandlerFunc {
	return func(c *gin.Context) {
		if c.Request.ContentLength > n {
			Fail(c, TooLarge(n))
			return
		}
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, n)
		c.Next()
	}
}

// TooLarge is the error for a body over n bytes.
func TooLarge(n int64) error {
	return fault.New(fault.Invalid, "body_too_large", "the body may have at most %d bytes", n)
}

// Deadline bounds the work for a request.
func Deadline(d time.Duration) gin.HandlerFunc {
	return func(c *gin.Context) {
		ctx, cancel := context.WithTimeout(c.Request.Context(), d)
		defer cancel()
		c.Request = c.Request.WithContext(ctx)
		c.Next()
	}
}
