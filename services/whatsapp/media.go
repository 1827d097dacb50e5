package whatsapp

import (
	"fmt"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// outMedia is a file of a message: by the id of an upload, or by a public link.
type outMedia struct {
	ID       string `json:"id,omitempty"`
	Link     string `json:"link,omitempty"`
	Caption  string `json:"caption,omitempty"`
	Filename string `json:"filename,omitempty"`
	Voice    bool   `json:"voice,omitempty"`
}

// mediaParts makes each attachment a part but one that is the header of an interactive message. The text is the first one's caption; where that kind takes none, it is left over
// and follows as a message of its own.
func mediaParts(c event.Content, text string) (parts []part, left string, err error) {
	header := sending.HeaderMedia(c)
	for n, a := range c.Attachments {
		if n == 0 && header != nil {
			continue
		}
		m, files, err := reference(a, fmt.Sprintf("/attachments/%d", n))
		if err != nil {
			return nil, "", err
		}
		if n == 0 && sending.Media[a.Type].Caption {
			m.Caption, text = text, ""
		}
		if a.Type == event.Document {
			m.Filename = a.Name
		}
		m.Voice = a.Type == event.Audio && a.Voice
		b := outgoing{}
		if err := b.attach(a.Type, m); err != nil {
			return nil, "", err
		}
		parts = append(parts, part{body: b, files: files})
	}
	return parts, text, nil
}

// reference says where Meta finds a file: what it has already, what we upload first, or a link.
func reference(a event.Attachment, at string) (*outMedia, []file, error) {
	m := &outMedia{}
	switch {
	case a.Blob != "":
		if a.MIME == "" {
			return nil, nil, fault.At(at+"/mime", "media_type_unknown", "WhatsApp needs the media type of a file")
		}
		return m, []file{{a, m}}, nil
	case a.MediaRef != "":
		m.ID = a.MediaRef
	case a.URL != "":
		m.Link = a.URL
	default:
		return nil, nil, fault.At(at, "attachment_empty", "the attachment has neither a file nor a URL")
	}
	return m, nil, nil
}

func (b *outgoing) attach(kind event.MessageType, m *outMedia) error {
	b.Type = string(kind)
	switch kind {
	case event.Image:
		b.Image = m
	case event.Video:
		b.Video = m
	case event.Audio:
		b.Audio = m
	case event.Document:
		b.Document = m
	case event.Sticker:
		b.Sticker = m
	default:
		return fault.At("/attachments", "media_not_supported", "WhatsApp takes no attachment of type %s", kind)
	}
	return nil
}
