package channel

import (
	"strings"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// OneFetch is the MediaRequest of types whose media is a URL that wants the account's credentials: it is asked once, and the answer is the
// file. The provider is named in errors; refusal judges an answer that is neither the file nor says that it is gone.
func OneFetch(a event.Attachment, prev *Response, tag, provider string, refusal func(Response) error) (req Request, done bool, err error) {
	switch {
	case prev == nil && !strings.HasPrefix(a.MediaRef, "http"):
		return Request{}, false, fault.New(fault.Gone, CodeMediaGone, "the message named no file")
	case prev == nil:
		return Request{Method: "GET", URL: a.MediaRef, Tag: tag, Safe: true}, false, nil
	case prev.Status == 200:
		return Request{}, true, nil
	case prev.Status == 404 || prev.Status == 410:
		return Request{}, false, fault.New(fault.Gone, CodeMediaGone, "%s has the file no more", provider)
	}
	return Request{}, false, refusal(*prev)
}
