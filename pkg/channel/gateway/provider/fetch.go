package provider

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/egress"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Fetch makes a call whose answer may be a large file; the caller closes its body. Only hosts that the type names, and the
// channel's own api_base_url, see our credentials. account is whose breaker the call counts for.
func (c *Caller) Fetch(ctx context.Context, ch channel.Keyed, req channel.Request, account string, maxSize int64) (*egress.Download, error) {
	t, ok := c.Transports[scheme(req.URL)].(*HTTP)
	if !ok {
		return nil, fault.New(fault.Invalid, "no_transport", "media cannot be fetched over %q", scheme(req.URL))
	}
	if c.trusts(ch.Channel, req.URL) {
		token, err := c.token(ctx, ch)
		if err != nil {
			return nil, fmt.Errorf("provider token: %w", err)
		}
		ch.Token = token
		if req, err = c.sign(ch, req); err != nil {
			return nil, err
		}
	}
	r, err := t.request(ctx, ch.Tenant, req)
	if err != nil {
		return nil, err
	}
	return t.Client.Fetch(ctx, egress.Call{Account: account, Request: r, Timeout: left(ctx)}, maxSize)
}

// trusts reports whether a host may see the channel's credentials.
func (c *Caller) trusts(ch channel.Channel, rawURL string) bool {
	u, err := url.Parse(rawURL)
	if err != nil {
		return false
	}
	if own, err := url.Parse(ch.Settings.Text("api_base_url")); err == nil && own.Host != "" && own.Host == u.Host {
		return true
	}
	for _, h := range c.Adapter.Info().Inbound.MediaHosts {
		below, wild := strings.CutPrefix(h, "*")
		if u.Scheme == "https" && (u.Hostname() == h || wild && strings.HasSuffix(u.Hostname(), below)) {
			return true
		}
	}
	return false
}
