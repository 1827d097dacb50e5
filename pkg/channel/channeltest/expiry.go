package channeltest

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// expiry shows what the provider is asked about a channel's credentials, and what its answer says.
func (r *runner) expiry(t *testing.T, c *golden) {
	e, ok := r.adapter.(channel.Expirer)
	if !ok {
		t.Fatal("the adapter is no Expirer")
	}
	r.seen["expiry"] = true
	var out struct {
		Asked bool        `json:"asked"`
		Until *time.Time  `json:"until,omitempty"` // without it they do not end
		New   string      `json:"new,omitempty"`   // the credential that the answer has
		Error *shownError `json:"error,omitempty"`
	}
	req, asked := e.ExpiryRequest(c.ch)
	if out.Asked = asked; asked {
		r.shows(t, c, 1, req)
		if !req.Safe {
			t.Error("a request that only asks must be safe to repeat")
		}
		resp := c.response(t, 1, req.Tag)
		until, err := e.ParseExpiry(resp, c.at)
		if renews, ok := r.adapter.(channel.Renewer); ok && err == nil {
			out.New = renews.ParseRenewal(resp)
			r.renews(t, renews)
		}
		switch {
		case err != nil:
			out.Error = showError("expiry", err)
		case !until.IsZero():
			until = until.UTC()
			out.Until = &until
		}
		r.expiries(t, e)
	}
	c.want(t, "outcome.json", pretty(t, out))
}

// renews checks that what is renewed is a secret of the form, and that no answer breaks the reading.
func (r *runner) renews(t *testing.T, e channel.Renewer) {
	t.Helper()
	if !slices.ContainsFunc(r.adapter.Info().Settings, func(f channel.Field) bool { return f.Secret && f.Key == e.Renewable() }) {
		t.Errorf("%s, which is renewed, is no secret of the channel", e.Renewable())
	}
	for _, body := range junk {
		if got := e.ParseRenewal(channel.Response{Status: 200, Header: channel.Header{}, Body: body}); got != "" {
			t.Errorf("%.20q has the credential %q", body, got)
		}
	}
}

// expiries reads what a broken provider might say. Only a success says when credentials end, or that they do not, and what a proxy or a
// provider in trouble says is not the provider's word.
func (r *runner) expiries(t *testing.T, e channel.Expirer) {
	t.Helper()
	for _, status := range []int{200, 204, 301, 400, 401, 403, 404, 429, 500, 503} {
		for _, body := range append([][]byte{[]byte("<html>oops</html>")}, junk...) {
			until, err := e.ParseExpiry(channel.Response{Status: status, Header: channel.Header{}, Body: body}, At)
			told := fault.Is(err, fault.Gone) || fault.Is(err, fault.Invalid)
			switch {
			case err == nil && (status != 200 || !json.Valid(body)):
				t.Errorf("status %d with %.20q says %s", status, body, until)
			case told && (status >= 500 || status < 300 && !json.Valid(body)):
				t.Errorf("status %d with %.20q is %v: that would be remembered", status, body, err)
			}
		}
	}
}
