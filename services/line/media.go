package line

import (
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// mediaObject is a file by its URL, which LINE fetches after it has answered.
func mediaObject(a event.Attachment, at string) (any, error) {
	url, preview := a.URL, a.URL
	if a.Blob != "" {
		url = channel.BlobURL(a.Blob)
		preview = url
	}
	if a.Preview != "" {
		preview = channel.BlobURL(a.Preview)
	}
	if url == "" {
		return nil, fault.At(at, "attachment_empty", "the attachment has neither a file nor a URL")
	}
	if a.Type == event.Audio {
		if a.DurationMs <= 0 {
			return nil, fault.At(at, "media_duration_unknown", "LINE needs to know how long audio lasts, and this file does not show it; convert it to MP3 or M4A")
		}
		return struct {
			Type     string `json:"type"`
			URL      string `json:"originalContentUrl"`
			Duration int64  `json:"duration"` // milliseconds
		}{"audio", url, a.DurationMs}, nil
	}
	return struct {
		Type    string `json:"type"`
		URL     string `json:"originalContentUrl"`
		Preview string `json:"previewImageUrl"`
	}{string(a.Type), url, preview}, nil // an image or a video: the channel takes no others
}
