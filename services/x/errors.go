package x

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// problem is a refusal (RFC 9457), or one in the form of the older API.
type problem struct {
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Type   string `json:"type"`
	Errors []struct {
		Message string `json:"message"`
		Detail  string `json:"detail"`
	} `json:"errors"`
}

func (p problem) words(status int) string {
	text := cmp.Or(p.Detail, p.Title)
	for _, e := range p.Errors {
		text = cmp.Or(text, e.Detail, e.Message)
	}
	return cmp.Or(text, "status "+strconv.Itoa(status))
}

// class is what an error means to us.
type class struct {
	kind fault.Kind
	code string
}

var statuses = map[int]class{
	400: {fault.Invalid, channel.CodeContentRejected},
	401: {fault.Denied, channel.CodeCredentials},
	402: {fault.Denied, "quota_exhausted"}, // the credits of the account are used up
	403: {fault.Gone, channel.CodeRecipientNotAllowed},
	404: {fault.Gone, channel.CodeRecipientUnknown},
	413: {fault.Invalid, channel.CodeMediaTooLarge},
	429: {fault.Throttled, channel.CodeRateLimited},
}

// refusal judges an answer that is no success. A 403 is about the recipient, who lets only some write, unless it speaks of the app.
func (p problem) refusal(resp channel.Response) error {
	c, ok := statuses[resp.Status]
	text := strings.ToLower(p.words(resp.Status))
	switch {
	case resp.Status >= 500 || resp.Status < 400:
		return unclear(resp.Status)
	case !ok:
		c = class{fault.Invalid, channel.CodeContentRejected}
	case resp.Status == 403 && (strings.Contains(text, "oauth") || strings.Contains(text, "not permitted") || strings.Contains(text, "app") || strings.Contains(p.Type, "client-forbidden")):
		c = class{fault.Denied, channel.CodePermission}
	}
	e := fault.New(c.kind, c.code, "X: %s", p.words(resp.Status))
	e.Provider = strconv.Itoa(resp.Status)
	if c.kind == fault.Throttled {
		e.After, e.Scope = wait(resp.Header), fault.ScopeChannel
	}
	return e
}

// wait is how long X wants us to hold back: until its limit is new, counted from when it answered.
func wait(h channel.Header) time.Duration {
	at, err := strconv.ParseInt(h.Get("X-Rate-Limit-Reset"), 10, 64)
	said, err2 := time.Parse(time.RFC1123, h.Get("Date"))
	if err != nil || err2 != nil {
		return 0
	}
	return max(0, time.Unix(at, 0).Sub(said))
}

// unclear is an answer that tells nothing about what became of the call.
func unclear(status int) error {
	e := fault.New(fault.Unknown, channel.CodeUnclear, "X answered with status %d and nothing that tells what became of the call", status)
	e.Provider = strconv.Itoa(status)
	return e
}
