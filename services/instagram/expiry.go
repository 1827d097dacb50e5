package instagram

import (
	"encoding/json"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
)

// tokenPlace stands for the access token until Sign puts it there.
const tokenPlace = "{access_token}"

// longest is how many seconds of a token's life are told apart: more than a hundred years, and fewer than a time.Duration holds.
const longest = 4_000_000_000

// renewed is what Meta says of the long-lived token of an account.
type renewed struct {
	Token string        `json:"access_token"`
	Left  channel.Stamp `json:"expires_in"` // seconds
}

// ExpiryRequest renews the long-lived token of an account, which is then valid for 60 days more
// (https://developers.facebook.com/docs/instagram-platform/reference/refresh_access_token): the answer says how long. The token of a Page
// tells of itself.
func (Adapter) ExpiryRequest(ch channel.Keyed) (channel.Request, bool) {
	if throughPage(ch.Channel) {
		return meta.ExpiryRequest(ch.Channel), true
	}
	to := meta.Host(ch.Channel, usual(ch.Channel)) + "/refresh_access_token?grant_type=ig_refresh_token&access_token=" + tokenPlace
	return channel.Request{Method: "GET", URL: to, Tag: tagExpiry, Safe: true}, true
}

// ParseExpiry reads when the token ends. A refusal does not prove that it is no good, as Meta renews none that is younger than a day: that is
// for the calls that use it.
func (Adapter) ParseExpiry(resp channel.Response, at time.Time) (time.Time, error) {
	a, ok := readRenewed(resp)
	switch {
	case !ok:
		return classes.ParseExpiry(product, resp)
	case a.Left <= 0:
		return time.Time{}, meta.Unclear(product, resp.Status)
	}
	return at.Add(time.Duration(min(a.Left, longest)) * time.Second), nil
}

// readRenewed reads an answer that has a token; false for any other.
func readRenewed(resp channel.Response) (a renewed, ok bool) {
	err := json.Unmarshal(resp.Body, &a)
	return a, err == nil && resp.Status == 200 && a.Token != ""
}

// Renewable names the secret that the answer to the ExpiryRequest replaces.
func (Adapter) Renewable() string { return "access_token" }

// ParseRenewal reads the token that is valid from now on. A Page's is not renewed.
func (Adapter) ParseRenewal(resp channel.Response) string {
	if a, ok := readRenewed(resp); ok {
		return a.Token
	}
	return ""
}
