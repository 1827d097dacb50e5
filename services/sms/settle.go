package sms

import (
	"strconv"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Settle reads the answer in the provider's way.
func (Adapter) Settle(ch channel.Channel, _ event.Outbound, _ channel.Request, resp channel.Response) (channel.Outcome, error) {
	return of(ch).settle(resp)
}

// class is what an error means to us.
type class struct {
	kind fault.Kind
	code string
}

// statuses are what answers of the providers' APIs mean by their HTTP status, where no code of their own says more.
var statuses = map[int]class{
	400: {fault.Invalid, channel.CodeContentRejected},
	401: {fault.Denied, channel.CodeCredentials},
	402: {fault.Denied, channel.CodeAccountRestricted}, // no money left
	403: {fault.Denied, channel.CodePermission},
	404: {fault.Denied, channel.CodePermission}, // no such account
	422: {fault.Invalid, channel.CodeContentRejected},
	429: {fault.Throttled, channel.CodeRateLimited},
}

// error is an error of the class.
func (c class) error(provider, format string, args ...any) *fault.Error {
	e := fault.New(c.kind, c.code, format, args...)
	e.Provider = provider
	if c.kind == fault.Throttled {
		e.Scope = fault.ScopeChannel
	}
	return e
}

// refused is what an answer means by its status alone. A status of success or of a broken server tells nothing about what became of the call.
func refused(name string, status int, words string) error {
	if c, ok := statuses[status]; ok {
		return c.error(strconv.Itoa(status), "%s: %s", name, words)
	}
	if status >= 400 && status < 500 {
		return class{fault.Invalid, channel.CodeContentRejected}.error(strconv.Itoa(status), "%s: %s", name, words)
	}
	return unclear(name, status)
}

// unclear is an answer that tells nothing about what became of the call.
func unclear(name string, status int) error {
	return class{fault.Unknown, channel.CodeUnclear}.error(strconv.Itoa(status), "%s answered with status %d and nothing that tells what became of the call", name, status)
}
