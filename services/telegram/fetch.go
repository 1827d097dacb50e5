package telegram

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// MediaRequest leads from a file id to a path, and from there to the file. Telegram's own server gives at most 20 MB.
func (Adapter) MediaRequest(ch channel.Channel, a event.Attachment, prev *channel.Response) (channel.Request, bool, error) {
	switch {
	case prev == nil && a.MediaRef == "":
		return channel.Request{}, false, fault.New(fault.Gone, channel.CodeMediaGone, "the message named no file")
	case prev == nil && a.Size > maxDownload && ch.Settings.Text("api_base_url") == "":
		return channel.Request{}, false, tooLarge(a.Size)
	case prev == nil:
		return channel.Request{Method: "GET", URL: host(ch) + "/bot" + tokenPlace + "/getFile?file_id=" + url.QueryEscape(a.MediaRef),
			Tag: tagLookup, Safe: true}, false, nil
	case prev.Tag == tagLookup:
		req, err := download(ch, prev)
		return req, false, err
	case prev.Tag == tagFile && prev.Status == 200:
		return channel.Request{}, true, nil
	}
	return channel.Request{}, false, trouble(*prev)
}

// download reads the path. The token stands in this URL too: it is for nobody but the host.
func download(ch channel.Channel, prev *channel.Response) (channel.Request, error) {
	var a answer
	var f struct {
		Path string `json:"file_path"`
	}
	if err := json.Unmarshal(prev.Body, &a); err != nil || !a.OK || prev.Status != 200 {
		if a.says("file is too big") {
			return channel.Request{}, tooLarge(0)
		}
		return channel.Request{}, trouble(*prev)
	}
	if err := json.Unmarshal(a.Result, &f); err != nil || f.Path == "" {
		return channel.Request{}, fault.New(fault.Unavailable, channel.CodeUnavailable, "Telegram named no path for the file")
	}
	if strings.HasPrefix(f.Path, "/") {
		return channel.Request{}, fault.New(fault.Invalid, "media_local", "the Bot API server keeps files on its own disk; start it without --local")
	}
	segments := strings.Split(f.Path, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	return channel.Request{Method: "GET", URL: host(ch) + "/file/bot" + tokenPlace + "/" + strings.Join(segments, "/"), Tag: tagFile, Safe: true}, nil
}

func tooLarge(size int64) error {
	if size == 0 {
		return fault.New(fault.Invalid, channel.CodeMediaTooLarge, "Telegram gives bots files up to 20 MB; this one is larger")
	}
	return fault.New(fault.Invalid, channel.CodeMediaTooLarge, "Telegram gives bots files up to 20 MB; this one has %d bytes", size)
}

// trouble judges a failed look-up or download. Both may be repeated.
func trouble(resp channel.Response) error {
	a := answer{}
	_ = json.Unmarshal(resp.Body, &a) // what stands between answers in other ways
	a.Code = resp.Status
	switch {
	case resp.Status == 429:
		return a.refusal(resp)
	case a.class().kind == fault.Denied && (resp.Status != 404 || resp.Tag == tagLookup): // a path that is not there has expired
		return fault.New(fault.Denied, a.class().code, "Telegram refused a call for a file with status %d", resp.Status)
	case resp.Status == 400 && !a.says("temporarily unavailable"):
		return fault.New(fault.Gone, channel.CodeMediaGone, "Telegram does not know the file: %s", a.Description)
	}
	return fault.New(fault.Unavailable, channel.CodeUnavailable, "the file came with status %d", resp.Status)
}
