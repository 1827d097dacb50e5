package line

import (
	"net/url"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// stillPreparing is how long to wait for a file that LINE has taken but not converted yet.
const stillPreparing = 2 * time.Second

// MediaRequest asks for the content of a message, once: the answer is the file. LINE keeps it for a time that it does not say.
func (Adapter) MediaRequest(ch channel.Channel, a event.Attachment, prev *channel.Response) (channel.Request, bool, error) {
	switch {
	case prev == nil && !digits(a.MediaRef):
		return channel.Request{}, false, fault.New(fault.Gone, channel.CodeMediaGone, "the message named no file")
	case prev == nil:
		return channel.Request{Method: "GET", URL: dataHost(ch) + "/v2/bot/message/" + url.PathEscape(a.MediaRef) + "/content", Tag: tagContent, Safe: true}, false, nil
	case prev.Status == 200:
		return channel.Request{}, true, nil
	case prev.Status == 202:
		e := fault.New(fault.Unavailable, "media_preparing", "LINE is still preparing the file")
		e.After = stillPreparing
		return channel.Request{}, false, e
	case prev.Status == 404 || prev.Status == 410:
		return channel.Request{}, false, fault.New(fault.Gone, channel.CodeMediaGone, "LINE has the file no more")
	}
	return channel.Request{}, false, refusal(*prev)
}
