package line

import (
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// mediaObject is a file by its URL, which LINE fetches after it has answered.
func mediaObject(a event.Attachment, at string) (any, error) {
	url := a.URL
	if a.Blob != "" {
		url = channel.BlobURL(a.Blob)
	}
	if url == "" {
		return nil, fault.At(at, "attachment_empty", "the attachment has neither a file nor a URL")
	}
	switch a.Type {
	case event.Image, event.Video:
		return struct {
			Type    string `json:"type"`
			URL     string `json:"originalContentUrl"`
			Preview string `json:"previewImageUrl"`
		}{string(a.Type), url, url}, nil
	}
	return nil, fault.At(at+"/type", "media_not_supported", "LINE takes no %s", a.Type)
}
