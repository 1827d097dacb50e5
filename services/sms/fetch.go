package sms

import (
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// MediaRequest asks for a file of an MMS with the account's credentials, once: the answer is the file.
func (Adapter) MediaRequest(ch channel.Channel, a event.Attachment, prev *channel.Response) (channel.Request, bool, error) {
	switch {
	case prev == nil && !strings.HasPrefix(a.MediaRef, "http"):
		return channel.Request{}, false, fault.New(fault.Gone, channel.CodeMediaGone, "the message named no file")
	case prev == nil:
		return channel.Request{Method: "GET", URL: a.MediaRef, Tag: tagFile, Safe: true}, false, nil
	case prev.Status == 200:
		return channel.Request{}, true, nil
	case prev.Status == 404 || prev.Status == 410:
		return channel.Request{}, false, fault.New(fault.Gone, channel.CodeMediaGone, "the provider has the file no more")
	}
	return channel.Request{}, false, of(ch).refusal(*prev)
}
