package telegram

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// MediaRequest leads from a file id to a path, and from there to the file. A file that is known to be larger than the channel's server
// gives is not asked for.
func (Adapter) MediaRequest(ch channel.Channel, a event.Attachment, prev *channel.Response) (channel.Request, bool, error) {
	switch {
	case prev == nil && a.MediaRef == "":
		return channel.Request{}, false, fault.New(fault.Gone, channel.CodeMediaGone, "the message named no file")
	case prev == nil && a.Size > most(ch):
		return channel.Request{}, false, tooLarge(ch, a.Size)
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
			return channel.Request{}, tooLarge(ch, 0)
		}
		return channel.Request{}, trouble(*prev)
	}
	if err := json.Unmarshal(a.Result, &f); err != nil || f.Path == "" {
		return channel.Request{}, fault.New(fault.Unavailable, channel.CodeUnavailable, "Telegram named no path for the file")
	}
	segments, err := below(ch, f.Path)
	if err != nil {
		return channel.Request{}, err
	}
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	return channel.Request{Method: "GET", URL: host(ch) + "/file/bot" + tokenPlace + "/" + strings.Join(segments, "/"), Tag: tagFile, Safe: true}, nil
}

// below returns the path of a file in the bot's folder of the server. In local mode the server names it on its own disk,
// <working directory>/<token>/<kind>/<file>; the web server before it serves the last two under the same URL as Telegram does, and what
// is before them, with the token, is not for URLs.
func below(ch channel.Channel, path string) ([]string, error) {
	if !strings.HasPrefix(path, "/") {
		return strings.Split(path, "/"), nil
	}
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	switch n := len(segments); {
	case ch.Settings.Text("server") != "local":
		return nil, fault.New(fault.Invalid, "media_local", "the Bot API server names files on its own disk, so it was started with --local; set the channel's server to local")
	case n < 3 || !folderOfBot.MatchString(segments[n-3]):
		return nil, fault.New(fault.Invalid, "media_local", "the Bot API server named a file that is in no folder of a bot")
	default:
		return segments[n-2:], nil
	}
}

// folderOfBot is a token, whose colon is another character where file names take none.
var folderOfBot = regexp.MustCompile(`^[0-9]+[:~]`)

// most is the largest file that is fetched for a channel, in bytes.
func most(ch channel.Channel) int64 { return Adapter{}.Info().For(ch.Settings).MaxMedia }

func tooLarge(ch channel.Channel, size int64) error {
	limit := most(ch) / mib
	switch {
	case size > 0 && host(ch) != telegramHost:
		return fault.New(fault.Invalid, channel.CodeMediaTooLarge, "files up to %d MB are fetched from this Bot API server; this one has %d bytes", limit, size)
	case size > 0:
		return fault.New(fault.Invalid, channel.CodeMediaTooLarge, "Telegram gives bots files up to %d MB; this one has %d bytes", limit, size)
	case host(ch) != telegramHost:
		return fault.New(fault.Invalid, channel.CodeMediaTooLarge, "the Bot API server gives no file of this size; start it with --local and set the channel's server to local")
	}
	return fault.New(fault.Invalid, channel.CodeMediaTooLarge, "Telegram gives bots files up to %d MB; this one is larger", limit)
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
