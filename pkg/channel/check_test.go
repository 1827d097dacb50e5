package channel

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

var sample = Info{
	Title: "Sample",
	Send: SendRules{
		Types: []event.MessageType{event.Text, event.Image, event.Audio, event.InteractType, event.TemplateType},
		Text:  Limit{Max: 10, Unit: Runes}, Split: 2, Caption: Limit{Max: 5, Unit: UTF16},
		Media: map[event.MessageType]MediaRule{
			event.Image: {MIME: []string{"image/png", "video/*"}, MaxBytes: 100},
			event.Audio: {MIME: []string{"audio/*"}, Voice: []string{"audio/ogg"}},
		},
		Interactive: map[string]InteractiveRule{"buttons": {MaxItems: 2, MaxTitle: 3, MaxBody: 8}},
		Signals:     []string{"typing_on"}, Attachments: 1,
	},
	Window: Window{Kind: "inbound", Outside: []string{"template", "message_tag:HUMAN_AGENT"}},
}

func TestP8_CheckRefusesWhatCannotSucceed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	image := func(mime string, size int64, caption string) event.Outbound {
		return event.Outbound{Content: event.Content{Type: event.Image, Text: caption, Attachments: []event.Attachment{{Type: event.Image, MIME: mime, Size: size}}}}
	}
	text := func(s string) event.Outbound {
		return event.Outbound{Content: event.Content{Type: event.Text, Text: s}}
	}
	buttons := func(cs ...event.Choice) event.Outbound {
		return event.Outbound{Content: event.Content{Type: event.InteractType, Interactive: &event.Interactive{Kind: "buttons", Body: "choose", Buttons: cs}}}
	}
	spoken := func(mime string) event.Outbound {
		return event.Outbound{Content: event.Content{Type: event.Audio, Attachments: []event.Attachment{{Type: event.Audio, MIME: mime, Voice: true}}}}
	}
	late := event.At(now.Add(-time.Second))
	cases := []struct {
		name, code, pointer string
		msg                 event.Outbound
	}{
		{"text fits", "", "", text("0123456789")},
		{"text is split", "", "", text(strings.Repeat("x", 20))},
		{"text too long even split", "text_too_long", "/text", text(strings.Repeat("x", 21))},
		{"nothing to say", "empty_message", "/text", text("")},
		{"unknown type", "type_not_supported", "/type", event.Outbound{Content: event.Content{Type: event.Video, Text: "x"}}},
		{"image fits", "", "", image("image/png; charset=x", 100, "12345")},
		{"wildcard", "", "", image("video/mp4", 1, "")},
		{"caption counts in UTF-16", "text_too_long", "/text", image("image/png", 1, "😀😀😀")},
		{"wrong media type", "media_type_not_supported", "/attachments/0/mime", image("image/gif", 1, "")},
		{"media too large", "media_too_large", "/attachments/0/size", image("image/png", 101, "")},
		{"too many choices", "too_many_choices", "/interactive", buttons(event.Choice{}, event.Choice{}, event.Choice{})},
		{"choice too long", "text_too_long", "/interactive/buttons/1/title", buttons(event.Choice{}, event.Choice{Title: "long"})},
		{"voice", "", "", spoken("audio/ogg; codecs=opus")},
		{"voice of another type", "media_type_not_supported", "/attachments/0/mime", spoken("audio/mpeg")},
		{"voice where there is none", "voice_not_supported", "/attachments/0/type", event.Outbound{Content: event.Content{Type: event.Image,
			Attachments: []event.Attachment{{Type: event.Image, MIME: "image/png", Voice: true}}}}},
		{"signal", "", "", event.Outbound{Signal: "typing_on"}},
		{"unknown signal", "signal_not_supported", "/signal", event.Outbound{Signal: "dance"}},
		{"quote", "reply_not_supported", "/reply_to", event.Outbound{Content: event.Content{Type: event.Text, Text: "x", ReplyTo: &event.Quote{}}}},
		{"window closed", "window_closed", "", event.Outbound{WindowUntil: late, Content: event.Content{Type: event.Text, Text: "x"}}},
		{"template outside the window", "", "", event.Outbound{WindowUntil: late, Content: event.Content{Type: event.TemplateType, Template: &event.Template{}}}},
		{"tag outside the window", "", "", event.Outbound{WindowUntil: late, Content: event.Content{Type: event.Text, Text: "x", MessageTag: "HUMAN_AGENT"}}},
		{"other tag outside the window", "window_closed", "", event.Outbound{WindowUntil: late, Content: event.Content{Type: event.Text, Text: "x", MessageTag: "OTHER"}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := sample.Check(c.msg, now)
			got := [2]string{}
			if err != nil {
				got = [2]string{fault.Of(err).Code, fault.Of(err).Pointer}
			}
			if diff := cmp.Diff([2]string{c.code, c.pointer}, got); diff != "" {
				t.Errorf("%v (-want +got)\n%s", err, diff)
			}
		})
	}
}

func TestSegmentsAgreeWithPublishedCounts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 1, strings.Repeat("a", 160): 1, strings.Repeat("a", 161): 2, strings.Repeat("€", 80): 1, strings.Repeat("€", 81): 2,
		strings.Repeat("я", 70): 1, strings.Repeat("я", 71): 2, strings.Repeat("😀", 35): 1, strings.Repeat("😀", 67): 3,
	} {
		if got := Segments.Len(text); got != want {
			t.Errorf("%d × %.4q: %d segments, want %d", len([]rune(text)), text, got, want)
		}
	}
}

func TestSplitKeepsTheTextAndTheLimit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := Limit{Max: rapid.IntRange(4, 40).Draw(t, "max"), Unit: rapid.SampledFrom([]Unit{Runes, Bytes, UTF16}).Draw(t, "unit")}
		text := rapid.String().Draw(t, "text")
		pieces := l.Split(text)
		if got := strings.Join(pieces, ""); got != text {
			t.Fatalf("the pieces are not the text: %q", pieces)
		}
		for _, p := range pieces {
			if l.Over(p) > 0 {
				t.Fatalf("%q is over %v", p, l)
			}
		}
	})
}
