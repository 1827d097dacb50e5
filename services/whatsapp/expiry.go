package whatsapp

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
)

// ExpiryRequest asks Meta until when the access token is valid. Keys of 360dialog do not end.
func (Adapter) ExpiryRequest(ch channel.Keyed) (channel.Request, bool) {
	if dialog(ch.Channel) {
		return channel.Request{}, false
	}
	return meta.ExpiryRequest(ch.Channel), true
}

// ParseExpiry reads the answer.
func (Adapter) ParseExpiry(resp channel.Response, _ time.Time) (time.Time, error) {
	return classes.ParseExpiry(product, resp)
}
