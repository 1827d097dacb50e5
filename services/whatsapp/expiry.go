package whatsapp

import (
	"encoding/json"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// tokenPlace stands for the access token until Sign puts it there.
const tokenPlace = "{access_token}"

// ExpiryRequest lets the access token tell of itself (https://developers.facebook.com/docs/graph-api/reference/debug_token). Keys of
// 360dialog do not end.
func (Adapter) ExpiryRequest(ch channel.Keyed) (channel.Request, bool) {
	if dialog(ch.Channel) {
		return channel.Request{}, false
	}
	return channel.Request{Method: "GET", URL: base(ch.Channel) + "/debug_token?input_token=" + tokenPlace, Tag: tagExpiry, Safe: true}, true
}

// ParseExpiry reads when the token ends; 0 means never. A refusal does not prove that the token is no good, as Meta does not let every token
// tell of itself: that is for the calls that use it.
func (Adapter) ParseExpiry(resp channel.Response, _ time.Time) (time.Time, error) {
	var a struct {
		answer
		Data *struct {
			Ends channel.Stamp `json:"expires_at"`
		} `json:"data"`
	}
	err := json.Unmarshal(resp.Body, &a)
	switch {
	case resp.Status == 429 || resp.Status >= 500 || resp.Status < 400 && resp.Status != 200:
		return time.Time{}, a.refusal(resp)
	case resp.Status != 200 || a.Error != nil:
		return time.Time{}, fault.New(fault.Gone, "expiry_unknown", "Meta does not say how long the token is valid: %v", a.refusal(resp))
	case err != nil || a.Data == nil:
		return time.Time{}, meta.Unclear(product, resp.Status)
	case a.Data.Ends <= 0:
		return time.Time{}, nil
	}
	return time.Unix(int64(a.Data.Ends), 0), nil
}
