package channeltest

import (
	"encoding/json"
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
		Error *shownError `json:"error,omitempty"`
	}
	req, asked := e.ExpiryRequest(c.ch)
	if out.Asked = asked; asked {
		r.shows(t, c, 1, req)
		if !req.Safe {
			t.Error("a request that only asks must be safe to repeat")
		}
		until, err := e.ParseExpiry(c.response(t, 1, req.Tag), c.at)
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
