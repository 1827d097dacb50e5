package wechat

import (
	"cmp"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// longest is how long a voice message may last, in milliseconds.
const longest = 60_000

// kinds are WeChat's names of what files can be.
var kinds = map[event.MessageType]string{event.Image: "image", event.Audio: "voice", event.Video: "video"}

// filePart is a file as a message. WeChat takes files by upload only, never by URL.
func filePart(to string, a event.Attachment, at string) (part, error) {
	kind, known := kinds[a.Type]
	switch {
	case !known:
		return part{}, fault.At(at, "media_not_supported", "WeChat takes no attachment of type %s; send it as a link", a.Type)
	case a.Blob == "":
		return part{}, fault.At(at, "attachment_empty", "WeChat takes files by upload only, and the attachment has none")
	case a.Type == event.Audio && a.DurationMs > longest:
		return part{}, fault.At(at, "media_too_long", "a voice message on WeChat lasts 60 s at most, this one lasts %d s", a.DurationMs/1000)
	}
	p := part{body: customer{To: to, Kind: kind}, file: &a}
	p.body.fill("")
	return p, nil
}

// fill names the uploaded file.
func (c *customer) fill(id string) {
	m := &media{ID: id}
	switch c.Kind {
	case "image":
		c.Image = m
	case "voice":
		c.Voice = m
	case "video":
		c.Video = m
	}
}

// uploading is the state of an upload: which part it is for.
type uploading struct {
	Part int `json:"part"`
}

// upload puts a file at WeChat for three days. Nobody sees it, so it may be repeated.
func upload(ch channel.Channel, a event.Attachment, n int) channel.Request {
	return channel.Request{
		Method: "POST", URL: api(ch) + "/cgi-bin/media/upload?type=" + kinds[a.Type], Tag: tagUpload, State: channel.State(uploading{n}), Safe: true,
		Form: []channel.Part{{Name: "media", Blob: a.Blob, File: cmp.Or(a.Name, kinds[a.Type]), MIME: a.MIME}},
	}
}
