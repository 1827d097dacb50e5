package line

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// tokenPlace stands for the channel access token until Sign puts it there.
const tokenPlace = "{channel_access_token}"

// longest is how many seconds of a token's life are told apart: more than a hundred years, and fewer than a time.Duration holds.
const longest = 4_000_000_000

// ExpiryRequest asks how long the channel access token is valid. Tokens v2.1, which are JSON Web Tokens, have an endpoint of their own
// (https://developers.line.biz/en/reference/messaging-api/#channel-access-token).
func (Adapter) ExpiryRequest(ch channel.Keyed) (channel.Request, bool) {
	if strings.HasPrefix(ch.Secrets.Current("channel_access_token"), "eyJ") {
		return channel.Request{Method: "GET", URL: apiHost(ch.Channel) + "/oauth2/v2.1/verify?access_token=" + tokenPlace, Tag: tagExpiry, Safe: true}, true
	}
	return channel.Request{
		Method: "POST", URL: apiHost(ch.Channel) + "/v2/oauth/verify", Header: channel.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body: []byte("access_token=" + tokenPlace), Tag: tagExpiry, Safe: true,
	}, true
}

// ParseExpiry reads the seconds that are left. A refusal does not prove that the token is no good: that is for the calls that use it.
func (Adapter) ParseExpiry(resp channel.Response, at time.Time) (time.Time, error) {
	switch {
	case resp.Status == 429 || resp.Status >= 500 || resp.Status < 400 && resp.Status != 200:
		return time.Time{}, refusal(resp)
	case resp.Status != 200:
		return time.Time{}, fault.New(fault.Gone, "expiry_unknown", "LINE does not say how long the token is valid: %s", answerOf(resp).words(resp.Status))
	}
	var a struct {
		Client channel.Opaque `json:"client_id"`
		Left   channel.Stamp  `json:"expires_in"`
	}
	switch err := json.Unmarshal(resp.Body, &a); {
	case err != nil || a.Client == "":
		return time.Time{}, fault.New(fault.Unknown, channel.CodeUnclear, "LINE answered with something that says nothing of a token")
	case a.Left <= 0:
		return time.Time{}, nil
	}
	return at.Add(time.Duration(min(a.Left, longest)) * time.Second), nil
}
