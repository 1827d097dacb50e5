package channel

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Guarded is an adapter whose panics are errors: what a stranger or a provider sends may make one call fail, never the process.
// The fields are the optional interfaces, guarded as well; nil where the adapter does not implement one. The host calls adapters
// through this type alone. [Guard] makes one.
type Guarded struct {
	Adapter
	AppLevel     AppLevel
	MediaFetcher MediaFetcher
	TokenSource  TokenSource
	Setup        Setup
	SetupReader  SetupReader
	Profiler     Profiler
	Expirer      Expirer
	Renewer      Renewer
}

// Guard returns a with its optional interfaces found.
func Guard(a Adapter) Guarded {
	g := Guarded{Adapter: guardedAdapter{a}}
	if o, ok := a.(AppLevel); ok {
		g.AppLevel = guardedAppLevel{o}
	}
	if o, ok := a.(MediaFetcher); ok {
		g.MediaFetcher = guardedMediaFetcher{o}
	}
	if o, ok := a.(TokenSource); ok {
		g.TokenSource = guardedTokenSource{o}
	}
	if o, ok := a.(Setup); ok {
		g.Setup = guardedSetup{o}
	}
	if o, ok := a.(SetupReader); ok {
		g.SetupReader = guardedSetupReader{o}
	}
	if o, ok := a.(Profiler); ok {
		g.Profiler = guardedProfiler{o}
	}
	if o, ok := a.(Expirer); ok {
		g.Expirer = guardedExpirer{o}
	}
	if o, ok := a.(Renewer); ok {
		g.Renewer = guardedRenewer{o}
	}
	return g
}

type guardedAdapter struct{ Adapter }

// Verify returns ErrForged for every error and every panic, so that a stranger does not learn what was expected.
func (g guardedAdapter) Verify(ch Keyed, in Inbound) (err error) {
	defer func() {
		if recover() != nil || err != nil {
			err = ErrForged
		}
	}()
	return g.Adapter.Verify(ch, in)
}

func (g guardedAdapter) Parse(ch Keyed, in Inbound) (p Parsed, err error) {
	defer recoverAs(&err, fault.Invalid, "unparsable")
	return g.Adapter.Parse(ch, in)
}

func (g guardedAdapter) Render(ch Channel, msg event.Outbound) (reqs []Request, err error) {
	defer recoverAs(&err, fault.Internal, "render_failed")
	return g.Adapter.Render(ch, msg)
}

func (g guardedAdapter) Sign(ch Keyed, req Request, at time.Time, nonce string) (signed Request, err error) {
	defer recoverAs(&err, fault.Invalid, "sign_failed")
	return g.Adapter.Sign(ch, req, at, nonce)
}

// Settle returns an error of kind Unknown for a panic: the provider may have taken the message.
func (g guardedAdapter) Settle(ch Channel, msg event.Outbound, req Request, resp Response) (o Outcome, err error) {
	defer recoverAs(&err, fault.Unknown, "unreadable_answer")
	return g.Adapter.Settle(ch, msg, req, resp)
}

type guardedAppLevel struct{ AppLevel }

// Named returns nothing for a call that makes the adapter panic.
func (g guardedAppLevel) Named(in Inbound) (named []Lookup) {
	var err error
	defer recoverAs(&err, fault.Invalid, "unparsable")
	return g.AppLevel.Named(in)
}

type guardedMediaFetcher struct{ MediaFetcher }

func (g guardedMediaFetcher) MediaRequest(ch Channel, a event.Attachment, prev *Response) (req Request, done bool, err error) {
	defer recoverAs(&err, fault.Internal, "media_request_failed")
	return g.MediaFetcher.MediaRequest(ch, a, prev)
}

type guardedTokenSource struct{ TokenSource }

func (g guardedTokenSource) TokenRequest(ch Keyed, at time.Time, nonce string) (req Request, err error) {
	defer recoverAs(&err, fault.Internal, "token_request_failed")
	return g.TokenSource.TokenRequest(ch, at, nonce)
}

func (g guardedTokenSource) ParseToken(resp Response) (token string, lifetime time.Duration, err error) {
	defer recoverAs(&err, fault.Internal, "unreadable_answer")
	return g.TokenSource.ParseToken(resp)
}

type guardedSetupReader struct{ SetupReader }

func (g guardedSetupReader) ParseSetup(resp Response) (err error) {
	defer recoverAs(&err, fault.Unknown, CodeUnclear)
	return g.SetupReader.ParseSetup(resp)
}

type guardedSetup struct{ Setup }

func (g guardedSetup) SetupRequests(ch Keyed, webhookURL string) (reqs []Request, err error) {
	defer recoverAs(&err, fault.Internal, "setup_failed")
	return g.Setup.SetupRequests(ch, webhookURL)
}

type guardedProfiler struct{ Profiler }

// ProfileRequest returns no call where the adapter panics.
func (g guardedProfiler) ProfileRequest(ch Channel, who Who) (req Request, ok bool) {
	var err error
	defer recoverAs(&err, fault.Internal, "profile_request_failed")
	return g.Profiler.ProfileRequest(ch, who)
}

func (g guardedProfiler) ParseProfile(ch Channel, who Who, resp Response) (p event.Profile, err error) {
	defer recoverAs(&err, fault.Unknown, "unreadable_answer")
	return g.Profiler.ParseProfile(ch, who, resp)
}

type guardedExpirer struct{ Expirer }

// ExpiryRequest returns no call where the adapter panics.
func (g guardedExpirer) ExpiryRequest(ch Keyed) (req Request, ok bool) {
	var err error
	defer recoverAs(&err, fault.Internal, "expiry_request_failed")
	return g.Expirer.ExpiryRequest(ch)
}

func (g guardedExpirer) ParseExpiry(resp Response, at time.Time) (until time.Time, err error) {
	defer recoverAs(&err, fault.Unknown, "unreadable_answer")
	return g.Expirer.ParseExpiry(resp, at)
}

type guardedRenewer struct{ Renewer }

// Renewable returns no key where the adapter panics.
func (g guardedRenewer) Renewable() (key string) {
	var err error
	defer recoverAs(&err, fault.Internal, "renewable_failed")
	return g.Renewer.Renewable()
}

// ParseRenewal returns nothing for an answer that makes the adapter panic.
func (g guardedRenewer) ParseRenewal(resp Response) (credential string) {
	var err error
	defer recoverAs(&err, fault.Unknown, "unreadable_answer")
	return g.Renewer.ParseRenewal(resp)
}

// recoverAs makes a panic of the adapter an error of that kind and code; a deferred call. The error says where the adapter
// panicked, and not with what: the value of a panic may repeat a message or a secret.
func recoverAs(err *error, kind fault.Kind, code string) {
	if recover() != nil {
		*err = &fault.Error{Kind: kind, Code: code, Detail: "the adapter panicked", Err: fmt.Errorf("panic at %s", panicked())}
	}
}

// panicked returns the function and line that a recovered panic came from.
func panicked() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "runtime.") || !more {
			return fmt.Sprintf("%s:%d", f.Function, f.Line)
		}
	}
}
