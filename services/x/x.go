// Package x translates between direct messages on X and the gateway: webhooks of the X Activity API and of the older Account Activity API,
// and the X API v2 (https://docs.x.com/x-api).
package x

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// Adapter is the X channel.
type Adapter struct{}

var _ interface {
	channel.Adapter
	channel.AppLevel
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

// Named lists the accounts that a call is for: an app has few webhooks, so that its accounts share one. A call that names none is of those
// who wrote, or were written to. X's check of a URL names nobody: the URL is that of one of the channels.
func (Adapter) Named(in channel.Inbound) (out []channel.Lookup) {
	var l look
	if err := json.Unmarshal(in.Body, &l); in.Method == "GET" || err != nil && !channel.Malformed(err) {
		return nil
	}
	seen := map[channel.Opaque]bool{}
	for _, id := range l.accounts() {
		if len(out) < channel.MaxNamed && id != "" && !seen[id] {
			seen[id] = true
			out = append(out, channel.Lookup{Setting: "user_id", Value: string(id)})
		}
	}
	return out
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
