// Package x translates between direct messages on X and the gateway: webhooks of the X Activity API and of the older Account Activity API,
// and the X API v2 (https://docs.x.com/x-api).
package x

import (
	"cmp"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// Adapter is the X channel.
type Adapter struct{}

var _ interface {
	channel.Adapter
	channel.MediaFetcher
	channel.Profiler
	channel.Setup
} = Adapter{}

// signatureHeader carries "sha256=" and the base64 HMAC-SHA256 of the body under the app's consumer secret.
const signatureHeader = "X-Twitter-Webhooks-Signature"

// Verify checks the signature over the raw body. A GET carries nothing to verify but the challenge that Parse answers.
func (Adapter) Verify(ch channel.Keyed, in channel.Inbound) error {
	if in.Method == "GET" {
		return nil
	}
	sum, ok := strings.CutPrefix(in.Header.Get(signatureHeader), "sha256=")
	if !ok {
		return channel.ErrForged
	}
	return channel.HMACSHA256Base64(in.Body, sum, ch.Secrets["consumer_secret"])
}

// Sign adds OAuth 1.0a credentials: the app's, and those of the account.
func (Adapter) Sign(ch channel.Keyed, req channel.Request, at time.Time, nonce string) (channel.Request, error) {
	auth, err := authorization(req.Method, req.URL, at, nonce, ch.Secrets.Current)
	if err != nil {
		return req, err
	}
	if req.Header = req.Header.Clone(); req.Header == nil {
		req.Header = channel.Header{}
	}
	req.Header.Set("Authorization", auth)
	return req, nil
}

// api is where the API is, without a slash at the end.
func api(ch channel.Channel) string {
	return cmp.Or(strings.TrimSuffix(ch.Settings.Text("api_base_url"), "/"), "https://api.x.com")
}
