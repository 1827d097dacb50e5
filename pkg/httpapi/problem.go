package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// Problem is an error answer: application/problem+json (RFC 9457).
type Problem struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail,omitempty"`
	Code      string       `json:"code"`
	RequestID string       `json:"request_id,omitempty"`
	Errors    []FieldError `json:"errors,omitempty"`
	Retryable bool         `json:"retryable"`
	// Extra are further members, e.g. the id of the open conversation of a conversation_closed.
	Extra map[string]any `json:"-"`
}

// FieldError names one field that is wrong.
type FieldError struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

// Fields is an Invalid error about several fields at once.
type Fields []*fault.Error

// Error implements error.
func (f Fields) Error() string {
	if len(f) == 0 {
		return "invalid"
	}
	return f[0].Error()
}

// Unwrap classifies the whole as its first member.
func (f Fields) Unwrap() []error {
	out := make([]error, len(f))
	for i, e := range f {
		out[i] = e
	}
	return out
}

// Err returns f as an error, nil if there is none in it.
func (f Fields) Err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// Add appends an error about one field.
func (f *Fields) Add(pointer, code, format string, args ...any) {
	*f = append(*f, fault.At(pointer, code, format, args...))
}

var statusOf = map[fault.Kind]int{
	fault.Internal: http.StatusInternalServerError, fault.Invalid: http.StatusUnprocessableEntity, fault.Denied: http.StatusForbidden,
	fault.Gone: http.StatusNotFound, fault.Conflict: http.StatusConflict, fault.Throttled: http.StatusTooManyRequests,
	fault.Unavailable: http.StatusServiceUnavailable, fault.Window: http.StatusUnprocessableEntity, fault.Unknown: http.StatusBadGateway,
}

// generalOf is the code of an answer for an error whose own code is none that the catalogue has: codes of drivers and of rooms
// further inside are for the log.
var generalOf = map[fault.Kind]string{
	fault.Internal: "internal", fault.Invalid: "invalid", fault.Denied: "forbidden", fault.Gone: "not_found", fault.Conflict: "conflict",
	fault.Throttled: "rate_limited", fault.Unavailable: "unavailable", fault.Window: "window_closed", fault.Unknown: "provider_failed",
}

func catalogued(e *fault.Error) string {
	if Known(e.Code) && e.Kind != fault.Internal {
		return e.Code
	}
	return generalOf[e.Kind]
}

// Describe turns an error into the problem that is answered: a code of the catalogue, and the Detail that the error has for
// callers. What the error says besides (paths, addresses, a driver's words) stays inside; the request id leads to it in the log.
func Describe(err error) Problem {
	fe := fault.Of(err)
	p := Problem{Status: statusOf[fe.Kind], Code: catalogued(fe), Detail: fe.Detail, Retryable: fe.Kind.Retryable()}
	entry := catalogue[p.Code]
	if p.Title = entry.Title; entry.Status != 0 && p.Code == fe.Code {
		p.Status = entry.Status
	}
	p.Type = "/docs/errors#" + p.Code
	if fe.Kind == fault.Internal {
		p.Detail = "something went wrong on our side; the request id leads to the log"
		return p
	}
	if fields, ok := errors.AsType[Fields](err); ok {
		for _, f := range fields {
			p.Errors = append(p.Errors, FieldError{f.Pointer, catalogued(f), f.Detail})
		}
		p.Code, p.Type, p.Title, p.Detail = "invalid", "/docs/errors#invalid", catalogue["invalid"].Title, strconv.Itoa(len(fields))+" field(s) are not valid"
	} else if fe.Pointer != "" {
		p.Errors = []FieldError{{fe.Pointer, p.Code, p.Detail}}
	}
	p.Extra = fe.Extra
	return p
}

// MarshalJSON adds the further members.
func (p Problem) MarshalJSON() ([]byte, error) {
	type plain Problem
	b, err := json.Marshal(plain(p))
	if err != nil || len(p.Extra) == 0 {
		return b, err
	}
	m := map[string]any{}
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, err
	}
	for k, v := range p.Extra {
		m[k] = v
	}
	return json.Marshal(m)
}

// Fail answers with the problem that err is, and ends the request.
func Fail(c *gin.Context, err error) {
	if errors.Is(err, context.Canceled) && c.Request.Context().Err() != nil {
		c.AbortWithStatus(499) // the client went away; nobody reads this
		return
	}
	if errors.Is(err, context.DeadlineExceeded) && fault.KindOf(err) == fault.Internal {
		err = fault.New(fault.Unavailable, "timeout", "the answer took too long")
	}
	p := Describe(err)
	p.RequestID = RequestID(c)
	if p.Status >= 500 {
		slog.ErrorContext(c.Request.Context(), "request failed", "method", c.Request.Method, "route", c.FullPath(), "status", p.Status, "request_id", p.RequestID, "error", err)
	}
	if p.Status == http.StatusTooManyRequests || p.Status == http.StatusServiceUnavailable || fault.Of(err).After > 0 {
		after := fault.Of(err).After
		if after <= 0 {
			after = time.Second
		}
		c.Header("Retry-After", strconv.Itoa(int((after+time.Second-1)/time.Second)))
	}
	if p.Status == http.StatusUnauthorized {
		c.Header("WWW-Authenticate", `Bearer realm="tributary"`)
	}
	b, err := json.Marshal(p)
	if err != nil {
		c.AbortWithStatus(http.StatusInternalServerError)
		return
	}
	c.Abort()
	c.Data(p.Status, "application/problem+json", b)
}
