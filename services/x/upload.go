package x

import (
	"cmp"
	"net/url"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// piece is how many bytes of a file go in one call.
const piece = 4 * mib

// again is how long to wait before asking once more about a file that X is still reading, if X does not say.
const again = 2 * time.Second

// uploading is how far the upload of the message's file has got.
type uploading struct {
	Media string `json:"media"`
	Sent  int64  `json:"sent"` // bytes
	Piece int    `json:"piece"`
}

// categories are X's words for files of direct messages; those of posts are refused.
func category(a event.Attachment) string {
	switch {
	case a.Type == event.Video:
		return "dm_video"
	case a.MIME == "image/gif":
		return "dm_gif"
	}
	return "dm_image"
}

// begin announces a file. Nobody sees an upload, so that each of its calls may be repeated.
func begin(ch channel.Channel, a event.Attachment) (channel.Request, error) {
	switch {
	case a.Blob == "" || a.Size <= 0:
		return channel.Request{}, fault.At("/attachments/0", "attachment_empty", "X takes files by upload only, and the attachment has none")
	case category(a) == "dm_image" && a.Size > 5*mib:
		return channel.Request{}, fault.At("/attachments/0", channel.CodeMediaTooLarge, "a picture on X has at most 5 MiB, only GIFs have 15")
	}
	req := channel.PostJSON(api(ch)+"/2/media/upload/initialize", struct {
		Kind     string `json:"media_type"`
		Bytes    int64  `json:"total_bytes"`
		Category string `json:"media_category"`
	}{a.MIME, a.Size, category(a)}, tagBegin)
	req.Safe = true
	return req, nil
}

// next is the call after so much was sent: a further piece, or the end.
func (u uploading) next(ch channel.Channel, a event.Attachment) channel.Request {
	base := api(ch) + "/2/media/upload/" + url.PathEscape(u.Media)
	if u.Sent >= a.Size {
		return channel.Request{Method: "POST", URL: base + "/finalize", Tag: tagFinish, State: channel.State(u), Safe: true}
	}
	n := min(piece, a.Size-u.Sent)
	return channel.Request{
		Method: "POST", URL: base + "/append", Tag: tagAppend, State: channel.State(u), Safe: true,
		Form: []channel.Part{
			{Name: "segment_index", Value: strconv.Itoa(u.Piece)},
			{Name: "media", Blob: a.Blob, File: cmp.Or(a.Name, "file"), MIME: "application/octet-stream", Offset: u.Sent, Len: n},
		},
	}
}

// waiting asks later whether X has read the file.
func (u uploading) waiting(ch channel.Channel, seconds int64) channel.Request {
	after := time.Duration(seconds) * time.Second
	return channel.Request{
		Method: "GET", URL: api(ch) + "/2/media/upload?command=STATUS&media_id=" + url.QueryEscape(u.Media), Tag: tagProgress, State: channel.State(u), Safe: true,
		After: cmp.Or(after, again),
	}
}
