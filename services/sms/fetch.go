package sms

import (
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// MediaRequest asks for a file of an MMS.
func (Adapter) MediaRequest(ch channel.Channel, a event.Attachment, prev *channel.Response) (channel.Request, bool, error) {
	return channel.OneFetch(a, prev, tagFile, "the provider", of(ch).refusal)
}
