package rcs

import (
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Words of this channel for what platforms refuse or report, where those of package channel do not fit.
const (
	codeNoRCS   = "not_reachable_by_rcs" // no RCS on the phone, or the agent is not launched with its carrier: another channel may reach them
	codeExpired = "message_expired"      // it had not arrived by the time that was set for it, and was taken back
	codeOffline = "recipient_offline"
	codeUnsent  = "not_delivered"

	codeUnrevoked = "not_revoked" // it has arrived already, or the platform does not find it
)

// class is what an error means to us.
type class struct {
	kind fault.Kind
	code string
}

// fault is the error that a class is, with the platform's own code and words.
func (c class) fault(code, words string) *fault.Error {
	e := fault.New(c.kind, c.code, "the platform says: %s", words)
	e.Provider = code
	if c.kind == fault.Throttled {
		e.Scope = fault.ScopeChannel
	}
	return e
}

// statuses are what HTTP statuses mean where a platform has no codes of its own. Each says that nothing was done.
var statuses = map[int]class{
	400: {fault.Invalid, channel.CodeContentRejected},
	401: {fault.Denied, channel.CodeCredentials},
	403: {fault.Denied, channel.CodePermission},
	404: {fault.Gone, channel.CodeRecipientUnknown},
	413: {fault.Invalid, channel.CodeMediaTooLarge},
	415: {fault.Invalid, channel.CodeMediaRejected},
	429: {fault.Throttled, channel.CodeRateLimited},
}

// byStatus judges an answer by its status alone; nil for a success.
func byStatus(resp channel.Response, words string) error {
	c, known := statuses[resp.Status]
	switch {
	case resp.Status >= 200 && resp.Status < 300:
		return nil
	case !known || page(resp):
		return unclear(resp.Status)
	}
	e := c.fault(strconv.Itoa(resp.Status), words)
	if c.kind == fault.Throttled {
		e.After = after(resp.Header)
	}
	return e
}

// page reports whether an answer is a page for people: a proxy's, which says nothing about what became of the call.
func page(resp channel.Response) bool {
	start := strings.ToLower(strings.TrimSpace(string(resp.Body[:min(len(resp.Body), 64)])))
	return strings.HasPrefix(start, "<html") || strings.HasPrefix(start, "<!doctype")
}

// after is how long a platform wants us to hold back; zero if it does not say.
func after(h channel.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, 3600)) * time.Second
}

// unclear is an answer that tells nothing about what became of the call.
func unclear(status int) error {
	e := fault.New(fault.Unknown, channel.CodeUnclear, "the platform answered with status %d and nothing that tells what became of the call", status)
	e.Provider = strconv.Itoa(status)
	return e
}
