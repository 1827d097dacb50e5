package outgoing

import (
	"testing"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

func TestTheSenderChoosesWhatFilesAreSentAs(t *testing.T) {
	t.Parallel()
	file := func(mime string) event.Attachment {
		kinds := map[byte]event.MessageType{'i': event.Image, 'a': event.Audio, 'v': event.Video}
		a := event.Attachment{ID: "att_1", MIME: mime, Type: event.Document}
		if k, ok := kinds[mime[0]]; ok && mime != "application/pdf" {
			a.Type = k
		}
		return a
	}
	for _, c := range []struct {
		chosen, file string
		kind         event.MessageType // of the file; of the message, unless a type was chosen that is no file's
		message      event.MessageType
		mime         string
		voice        bool
	}{
		{"", "image/png", event.Image, event.Image, "image/png", false},
		{"document", "image/png", event.Document, event.Document, "image/png", false},
		{"document", "image/heic", event.Document, event.Document, "image/heic", false},
		{"document", "video/mp4", event.Document, event.Document, "video/mp4", false},
		{"sticker", "image/webp", event.Sticker, event.Sticker, "image/webp", false},
		{"sticker", "video/webm", event.Sticker, event.Sticker, "video/webm", false},
		{"voice", "audio/ogg", event.Audio, event.Audio, "audio/ogg", true},
		{"voice", "video/mp4", event.Audio, event.Audio, "audio/mp4", true},
		{"audio", "video/webm", event.Audio, event.Audio, "audio/webm", false},
		{"video", "audio/mp4", event.Video, event.Video, "video/mp4", false},
		{"video", "image/gif", event.Video, event.Video, "image/gif", false},
		{"text", "image/png", event.Image, event.Text, "image/png", false},
		{"image", "application/pdf", "", "", "", false},
		{"image", "video/mp4", "", "", "", false},
		{"voice", "image/png", "", "", "", false},
		{"audio", "application/pdf", "", "", "", false},
		{"video", "audio/mpeg", "", "", "", false},
	} {
		content := event.Content{Type: event.MessageType(c.chosen), Attachments: []event.Attachment{file(c.file), file(c.file)}}
		err := choose(&content)
		if c.kind == "" {
			if fe := fault.Of(err); fe == nil || fe.Pointer != "/type" {
				t.Errorf("%s as %q: %v", c.file, c.chosen, err)
			}
			continue
		}
		if err != nil || content.Type != c.message {
			t.Errorf("%s as %q: message %s, %v", c.file, c.chosen, content.Type, err)
		}
		for _, a := range content.Attachments {
			if a.Type != c.kind || a.MIME != c.mime || a.Voice != c.voice {
				t.Errorf("%s as %q: %+v", c.file, c.chosen, a)
			}
		}
	}
	for _, kind := range kinds {
		if err := choose(&event.Content{Type: kind, Text: "without a file"}); fault.Of(err) == nil || fault.Of(err).Pointer != "/attachment_ids" {
			t.Errorf("%s without a file: %v", kind, err)
		}
	}
}
