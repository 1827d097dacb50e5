package provider

import (
	"context"
	"fmt"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Setup is what came of telling a provider where its webhooks go.
type Setup struct {
	OK    bool        `json:"ok"`
	Calls []SetupCall `json:"calls"` // none: the type has nothing that we could set up or try
}

// SetupCall is one call of it, without secrets.
type SetupCall struct {
	Method string       `json:"method"`
	URL    string       `json:"url"`
	Status int          `json:"status,omitempty"`
	Answer string       `json:"answer,omitempty"`
	Error  *event.Error `json:"error,omitempty"`
}

// Setup registers the channel's webhook with its provider, and so tries its credentials. It stops at the first call that fails.
func (c *Caller) Setup(ctx context.Context, ch channel.Keyed, webhookURL string) (Setup, error) {
	s := c.Adapter.Setup
	if s == nil {
		return Setup{OK: true, Calls: []SetupCall{}}, nil
	}
	reqs, err := s.SetupRequests(ch, webhookURL)
	if err != nil {
		return Setup{}, fmt.Errorf("channel %s: %w", ch.ID, err)
	}
	out := Setup{OK: true, Calls: []SetupCall{}}
	for _, req := range reqs {
		call := c.try(ctx, ch, req)
		out.Calls = append(out.Calls, call)
		if call.Error != nil {
			out.OK = false
			break
		}
	}
	return out, nil
}

func (c *Caller) try(ctx context.Context, ch channel.Keyed, req channel.Request) SetupCall {
	token, err := c.token(ctx, ch)
	ch.Token = token
	hide := c.redactors.find(ch)
	call := SetupCall{Method: req.Method, URL: hide.text(req.URL)}
	var resp channel.Response
	if err == nil {
		resp, err = c.carry(ctx, ch, req, About{})
	}
	call.Status, call.Answer = resp.Status, hide.text(text(resp.Body))
	switch {
	case err != nil:
	case resp.Status < 200 || resp.Status > 299:
		err = fault.New(fault.Denied, "setup_refused", "the provider answered with status %d", resp.Status)
	case c.Adapter.SetupReader != nil:
		err = c.Adapter.SetupReader.ParseSetup(resp)
	}
	if err != nil {
		call.Error = fault.Of(hide.fault(err)).Shown()
	}
	return call
}
