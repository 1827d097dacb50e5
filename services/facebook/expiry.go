package facebook

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
)

// ExpiryRequest asks Meta until when the Page's token is valid: one that was made from a person's token ends, one of a system user need not.
func (Adapter) ExpiryRequest(ch channel.Keyed) (channel.Request, bool) {
	return meta.ExpiryRequest(ch.Channel), true
}

// ParseExpiry reads the answer.
func (Adapter) ParseExpiry(resp channel.Response, _ time.Time) (time.Time, error) {
	return classes.ParseExpiry(product, resp)
}
