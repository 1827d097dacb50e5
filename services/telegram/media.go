package telegram

import (
	"fmt"
	"strings"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// form says how files of one kind are sent, and which of them may stand in one album.
type form struct {
	method, field, album string
	caption              bool
}

func formOf(a event.Attachment) form {
	mime, _, _ := strings.Cut(a.MIME, ";")
	switch {
	case a.Type == event.Video && a.Animated, mime == "image/gif" && a.Type != event.Document:
		return form{"sendAnimation", "animation", "", true}
	case a.Type == event.Image:
		return form{"sendPhoto", "photo", "visual", true}
	case a.Type == event.Video:
		return form{"sendVideo", "video", "visual", true}
	case a.Type == event.Audio && a.Voice:
		return form{"sendVoice", "voice", "", true}
	case a.Type == event.Audio:
		return form{"sendAudio", "audio", "audio", true}
	case a.Type == event.Sticker:
		return form{"sendSticker", "sticker", "", false}
	}
	return form{"sendDocument", "document", "document", true}
}

// mediaParts sends files that may stand together as albums of 2 to 10, all others alone. The text is the caption of the first;
// a sticker takes none, so then it is left over and follows as a message of its own.
func mediaParts(as []event.Attachment, text string) (parts []method, left string, err error) {
	for n, a := range as {
		if a.Blob == "" && a.MediaRef == "" && a.URL == "" {
			return nil, "", fault.At(fmt.Sprintf("/attachments/%d", n), "attachment_empty", "the attachment has neither a file nor a URL")
		}
	}
	for start := 0; start < len(as); {
		end := albumEnd(as, start)
		var caption *string
		if start == 0 && formOf(as[0]).caption {
			caption = new(string)
			*caption, text = text, ""
		}
		if end-start > 1 {
			parts = append(parts, albumPart(as[start:end], caption))
		} else {
			parts = append(parts, singlePart(as[start], caption))
		}
		start = end
	}
	return parts, text, nil
}

// albumEnd finds how far the files from start on may stand together.
func albumEnd(as []event.Attachment, start int) int {
	kind, end := formOf(as[start]).album, start+1
	for kind != "" && end < len(as) && end-start < 10 && formOf(as[end]).album == kind {
		end++
	}
	return end
}

func singlePart(a event.Attachment, caption *string) method {
	f := formOf(a)
	p := method{name: f.method, caption: caption}
	if caption != nil {
		p.set("caption", *caption)
	}
	p.file(f.field, a)
	return p
}

func albumPart(as []event.Attachment, caption *string) method {
	type item struct {
		Type    string `json:"type"`
		Media   string `json:"media"`
		Caption string `json:"caption,omitempty"`
	}
	p := method{name: "sendMediaGroup", caption: caption}
	var items []item
	for n, a := range as {
		ref, part := reference(a, fmt.Sprintf("file%d", n))
		if part != nil {
			p.files = append(p.files, *part)
		}
		items = append(items, item{Type: formOf(a).field, Media: ref})
		if n == 0 && caption != nil {
			items[0].Caption = *caption
		}
	}
	p.set("media", items)
	return p
}
