// Package wechat translates between WeChat Official Accounts and the gateway: pushes in XML, plain or encrypted, and the API for
// customer service messages (https://developers.weixin.qq.com/doc/service/en/). It covers talks of an account with its followers.
package wechat

import (
	"cmp"
	"net/url"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// Adapter is the WeChat channel.
type Adapter struct{}

var _ interface {
	channel.Adapter
	channel.MediaFetcher
	channel.Profiler
	channel.Setup
	channel.SetupReader
	channel.TokenSource
} = Adapter{}

// fresh is how far the time that a push names may be from ours. WeChat repeats a push within 15 s; the rest is for clocks.
const fresh = 5 * time.Minute

// Verify checks the signature in the query. That of an encrypted push covers the body; that of a plain one covers the query only, so that
// nothing but its age bounds a replay. A channel with an AES key takes nothing that is not encrypted with it.
func (Adapter) Verify(ch channel.Keyed, in channel.Inbound) error {
	if at := stamp(in.Query.Get("timestamp")).Time().Time; at.Before(in.At.Add(-fresh)) || at.After(in.At.Add(fresh)) {
		return channel.ErrForged
	}
	if in.Method == "GET" || !keyed(ch) {
		return signed(ch, in.Query, in.Query.Get("signature"))
	}
	if in.Query.Get("encrypt_type") != "aes" {
		return channel.ErrForged
	}
	e, err := readEnvelope(in.Body)
	if err != nil || e.Encrypted == "" {
		return channel.ErrForged
	}
	if err := signed(ch, in.Query, in.Query.Get("msg_signature"), e.Encrypted); err != nil {
		return err
	}
	_, err = open(ch, e.Encrypted)
	return err
}

// keyed reports whether the channel has an AES key.
func keyed(ch channel.Keyed) bool { return ch.Secrets.Current("encoding_aes_key") != "" }

// Sign adds the access token. Calls are never encrypted, whatever the mode of the pushes.
func (Adapter) Sign(ch channel.Keyed, req channel.Request, _ time.Time, _ string) (channel.Request, error) {
	if req.Tag == tagFile {
		return req, nil // a file's own address, which is signed already
	}
	u, query, _ := strings.Cut(req.URL, "?")
	if query != "" {
		query += "&"
	}
	req.URL = u + "?" + query + "access_token=" + url.QueryEscape(ch.Token)
	return req, nil
}

// api is where the API is, without a slash at the end.
func api(ch channel.Channel) string {
	return cmp.Or(strings.TrimSuffix(ch.Settings.Text("api_base_url"), "/"), "https://api.weixin.qq.com")
}
