package wechat

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// MediaRequest asks for a file by its id. The answer is the file, or JSON: an error, or where a video is.
func (Adapter) MediaRequest(ch channel.Channel, a event.Attachment, prev *channel.Response) (channel.Request, bool, error) {
	switch {
	case prev == nil && a.MediaRef == "":
		return channel.Request{}, false, fault.New(fault.Gone, channel.CodeMediaGone, "the message named no file")
	case prev == nil:
		return channel.Request{Method: "GET", URL: api(ch) + "/cgi-bin/media/get?media_id=" + url.QueryEscape(a.MediaRef), Tag: tagMedia, Safe: true}, false, nil
	case prev.Status == 200 && !told(*prev):
		return channel.Request{}, true, nil
	case prev.Tag == tagFile:
		return channel.Request{}, false, fault.New(fault.Unavailable, channel.CodeUnavailable, "the file came with status %d", prev.Status)
	}
	if err := refusal(*prev); err != nil {
		return channel.Request{}, false, err
	}
	var v struct {
		URL string `json:"video_url"`
	}
	if err := json.Unmarshal(prev.Body, &v); err != nil || !strings.HasPrefix(v.URL, "http") {
		return channel.Request{}, false, fault.New(fault.Gone, channel.CodeMediaGone, "WeChat answered with something that is no file")
	}
	return channel.Request{Method: "GET", URL: v.URL, Tag: tagFile, Safe: true}, false, nil
}

// told reports whether an answer is JSON, which WeChat marks as plain text as well.
func told(resp channel.Response) bool {
	is := resp.Header.Get("Content-Type")
	return (strings.HasPrefix(is, "application/json") || strings.HasPrefix(is, "text/plain")) && json.Valid(resp.Body)
}
