package rcs

import (
	"strconv"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// MediaRequest asks the platform for a file, once: the answer is the file.
func (Adapter) MediaRequest(ch channel.Channel, a event.Attachment, prev *channel.Response) (channel.Request, bool, error) {
	k, ok := of(ch).(keeper)
	switch {
	case prev == nil && (!ok || a.MediaRef == ""):
		return channel.Request{}, false, fault.New(fault.Gone, channel.CodeMediaGone, "the message named no file")
	case prev == nil:
		req := k.download(ch, a.MediaRef)
		req.Method, req.Tag, req.Safe = "GET", tagFile, true
		return req, false, nil
	case prev.Status == 200:
		return channel.Request{}, true, nil
	}
	e := fault.New(fault.Unavailable, channel.CodeUnavailable, "the file came with status %d", prev.Status)
	e.Provider = strconv.Itoa(prev.Status)
	switch prev.Status {
	case 404, 410:
		e.Kind, e.Code = fault.Gone, channel.CodeMediaGone
	case 401, 403:
		e.Kind, e.Code = fault.Denied, channel.CodeCredentials
	}
	return channel.Request{}, false, e
}
