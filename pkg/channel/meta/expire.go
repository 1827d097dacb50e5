package meta

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// tagExpiry marks the call that asks until when a token is valid.
const tagExpiry = "expiry"

// tokenPlace stands for the token in the address of that call until [Authorize] puts it there.
const tokenPlace = "{access_token}"

// ExpiryRequest lets the token that authorizes the call tell of itself
// (https://developers.facebook.com/docs/graph-api/reference/debug_token).
func ExpiryRequest(ch channel.Channel) channel.Request {
	return channel.Request{Method: "GET", URL: Base(ch) + "/debug_token?input_token=" + tokenPlace, Tag: tagExpiry, Safe: true}
}

// named puts the token into the address of a call that asks about it.
func named(req channel.Request, token string) channel.Request {
	if req.Tag == tagExpiry {
		req.URL = strings.Replace(req.URL, tokenPlace, url.QueryEscape(token), 1)
	}
	return req
}

// ParseExpiry reads when the token ends; 0 means never. A refusal does not prove that the token is no good, as Meta does not let every
// token tell of itself: that is for the calls that use it.
func (c Classes) ParseExpiry(product string, resp channel.Response) (time.Time, error) {
	var a struct {
		Data *struct {
			Ends channel.Stamp `json:"expires_at"`
		} `json:"data"`
		Error *Problem `json:"error"`
	}
	err := json.Unmarshal(resp.Body, &a)
	switch {
	case resp.Status == 429 || resp.Status >= 500 || resp.Status < 400 && resp.Status != 200:
		return time.Time{}, c.Refusal(product, a.Error, resp)
	case resp.Status != 200 || a.Error != nil:
		return time.Time{}, fault.New(fault.Gone, "expiry_unknown", "Meta does not say how long the token is valid: %v", c.Refusal(product, a.Error, resp))
	case err != nil || a.Data == nil:
		return time.Time{}, Unclear(product, resp.Status)
	case a.Data.Ends <= 0:
		return time.Time{}, nil
	}
	return time.Unix(int64(a.Data.Ends), 0), nil
}
