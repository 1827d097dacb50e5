package channel

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/event"
)

func TestWhatAChannelDoesNotTakeGoesAsALinkWhereItsAuthorSaysSo(t *testing.T) {
	t.Parallel()
	file := func(kind event.MessageType, mime string, size int64) event.Attachment {
		return event.Attachment{Type: kind, MIME: mime, Size: size, Blob: string(kind) + "/" + mime}
	}
	png, large, pdf := file(event.Image, "image/png", 10), file(event.Image, "image/png", 101), file(event.Document, "application/pdf", 10)
	spoken := event.Attachment{Type: event.Audio, MIME: "audio/mpeg", Voice: true, Blob: "voice"}
	foreign := event.Attachment{Type: event.Document, MIME: "application/pdf", MediaRef: "at the provider"}
	bare := sample.For(nil)
	bare.Send.Attachments = 0
	for name, c := range map[string]struct {
		rules Rules
		in    event.Content
		want  event.Content
	}{
		"not asked for": {sample.For(nil), event.Content{Type: event.Document, Attachments: []event.Attachment{pdf}}, event.Content{Type: event.Document, Attachments: []event.Attachment{pdf}}},
		"taken as it is": {sample.For(nil), event.Content{AsLink: true, Type: event.Image, Text: "a", Attachments: []event.Attachment{png}},
			event.Content{AsLink: true, Type: event.Image, Text: "a", Attachments: []event.Attachment{png}}},
		"kind": {sample.For(nil), event.Content{AsLink: true, Type: event.Document, Attachments: []event.Attachment{pdf}},
			event.Content{AsLink: true, Type: event.Text, Text: "<document/application/pdf>"}},
		"size": {sample.For(nil), event.Content{AsLink: true, Type: event.Image, Text: "a", Attachments: []event.Attachment{large}},
			event.Content{AsLink: true, Type: event.Text, Text: "a\n<image/image/png>"}},
		"format of a voice message": {sample.For(nil), event.Content{AsLink: true, Type: event.Audio, Attachments: []event.Attachment{spoken}},
			event.Content{AsLink: true, Type: event.Text, Text: "<voice>"}},
		"they alone": {sample.For(nil), event.Content{AsLink: true, Type: event.Document, Text: "a", Attachments: []event.Attachment{pdf, png, large}},
			event.Content{AsLink: true, Type: event.Image, Text: "a\n<document/application/pdf>\n<image/image/png>", Attachments: []event.Attachment{png}}},
		"a channel without files": {bare, event.Content{AsLink: true, Type: event.Image, Attachments: []event.Attachment{png}},
			event.Content{AsLink: true, Type: event.Text, Text: "<image/image/png>"}},
		"a file that is not here": {sample.For(nil), event.Content{AsLink: true, Type: event.Document, Attachments: []event.Attachment{foreign}},
			event.Content{AsLink: true, Type: event.Document, Attachments: []event.Attachment{foreign}}},
		"beside something else": {sample.For(nil), event.Content{AsLink: true, Type: event.InteractType, Interactive: &event.Interactive{Body: "b"}, Attachments: []event.Attachment{pdf}},
			event.Content{AsLink: true, Type: event.InteractType, Interactive: &event.Interactive{Body: "b"}, Text: "<document/application/pdf>"}},
	} {
		before := len(c.in.Attachments)
		got := c.rules.Linked(c.in, func(a event.Attachment) string { return "<" + a.Blob + ">" })
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if len(c.in.Attachments) != before {
			t.Errorf("%s: the content was changed", name)
		}
	}
	long := event.Content{AsLink: true, Type: event.Document, Text: "a", Attachments: []event.Attachment{pdf}}
	long = sample.For(nil).Linked(long, func(event.Attachment) string { return strings.Repeat("x", 20) })
	if err := sample.For(nil).Check(event.Outbound{Content: long}, WindowState{}); err == nil || !strings.Contains(err.Error(), "this one has 22") {
		t.Errorf("a link counts in the text's length: %v", err)
	}
}
