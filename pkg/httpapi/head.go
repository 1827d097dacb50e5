package httpapi

import (
	"context"
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"
)

const eventStream = "text/event-stream; charset=utf-8"

type headKey struct{}

// Handler answers HEAD as GET is answered (RFC 9110 §9.3.2); the server drops the body. What streams says its headers alone.
func Handler(engine http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			r = r.WithContext(context.WithValue(r.Context(), headKey{}, true)) // a copy: the server's own stays a HEAD
			r.Method = http.MethodGet
		}
		engine.ServeHTTP(w, r)
	})
}

// isHead reports whether a request that is handled as GET came as HEAD.
func isHead(r *http.Request) bool { return r.Context().Value(headKey{}) != nil }

// streams reports whether an operation answers with a stream that has no end of its own.
func streams(op *openapi3.Operation) bool {
	ok := op.Responses.Value("200")
	return ok != nil && ok.Value.Content["text/event-stream"] != nil
}
