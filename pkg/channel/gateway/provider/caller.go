// Package provider makes the calls to providers: it signs an adapter's request just before each try, carries it over the
// transport of its URL's scheme, keeps provider tokens fresh and logs calls without their secrets.
package provider

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/fileurl"
)

// Transport carries signed requests of one URL scheme. Its errors tell whether anything left this machine: Unavailable means
// that surely nothing did, everything else is taken as unknown. It must send nothing after ctx has ended.
type Transport interface {
	Do(ctx context.Context, ch channel.Keyed, req channel.Request) (channel.Response, error)
}

// Caller makes calls for the channels of one type.
type Caller struct {
	Adapter    channel.Guarded
	Transports map[string]Transport // by URL scheme
	Tokens     *Tokens              // nil for types without provider tokens
	Log        *CallLog             // may be nil
	Files      *fileurl.URLs        // nil: requests have no places for them
	Now        func() time.Time
	redactors  redactors
	failing    failing
	lazy       lazy // the observer of calls
}

// carry signs req, with the token that ch has, and makes the call, which is for a. The error is Sign's or the transport's. What it returns, answer
// or error, is without the channel's secrets: whoever reads it may pass it on.
func (c *Caller) carry(ctx context.Context, ch channel.Keyed, req channel.Request, a About) (channel.Response, error) {
	hide := c.redactors.find(ch)
	ctx, done := c.lazy.observe().begin(ctx, ch, a)
	resp, err := c.exchange(ctx, ch, req)
	resp, err = hide.answer(resp), hide.fault(err)
	done(resp, err)
	return resp, err
}

func (c *Caller) exchange(ctx context.Context, ch channel.Keyed, req channel.Request) (channel.Response, error) {
	if len(req.State) > channel.MaxState {
		return channel.Response{}, fault.New(fault.Invalid, "state_too_large", "the state of the call has %d bytes, at most %d are kept", len(req.State), channel.MaxState)
	}
	signed, err := c.sign(ch, req)
	if err != nil {
		return channel.Response{}, err
	}
	t := c.Transports[scheme(signed.URL)]
	if t == nil {
		return channel.Response{}, fault.New(fault.Invalid, "no_transport", "no transport for %q", scheme(signed.URL))
	}
	if err := ctx.Err(); err != nil { // no byte leaves after the deadline
		return channel.Response{}, &fault.Error{Kind: fault.Unavailable, Code: "too_late", Err: err}
	}
	resp, err := t.Do(ctx, ch, signed)
	resp.Tag = req.Tag
	return resp, err
}

func (c *Caller) sign(ch channel.Keyed, req channel.Request) (channel.Request, error) {
	signed, err := c.Adapter.Sign(ch, req, c.Now(), nonce())
	if err != nil {
		return signed, fmt.Errorf("sign: %w", notSent(err))
	}
	return signed, nil
}

// notSent makes an error that nobody classified a final one: nothing was sent, and trying again would not help.
func notSent(err error) error {
	if k := fault.KindOf(err); k == fault.Internal || k == fault.Unknown {
		return &fault.Error{Kind: fault.Invalid, Code: "sign_failed", Err: err}
	}
	return err
}

func scheme(url string) string {
	s, _, _ := strings.Cut(url, ":")
	return s
}

func nonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}
