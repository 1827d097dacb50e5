package mediatype

import (
	"testing"

	"github.com/tributaryhq/tributary/pkg/event"
)

func TestOneTypeHasOneSpelling(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"audio/x-m4a": "audio/mp4", "AUDIO/MP4": "audio/mp4", "audio/ogg; codecs=opus": "audio/ogg", "application/ogg": "audio/ogg",
		"video/x-m4v": "video/mp4", "image/jpg": "image/jpeg", "audio/x-wav": "audio/wav", "video/x-matroska": "video/matroska",
		"text/plain; charset=utf-8": "text/plain", " image/png ": "image/png", "application/vnd.x+json": "application/vnd.x+json",
		"": "", "image": "", "image/": "", "/png": "", "image/*": "", "a b/c": "", "image/p\"ng": "",
	} {
		if got := Canonical(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
	for from, to := range aliases {
		if Canonical(to) != to {
			t.Errorf("%s leads to %s, which is itself an alias", from, to)
		}
	}
	for from := range containers {
		if Canonical(from) != from {
			t.Errorf("the container %s is an alias", from)
		}
	}
	for from := range vague {
		if Canonical(from) != from {
			t.Errorf("the vague type %s is an alias", from)
		}
	}
}

func TestTheDeclarationDecidesForContainersAndTheBytesElsewhere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ declared, name, sniffed, want string }{
		// Containers: what was declared, or else the name, or else what the bytes show.
		{"audio/mp4", "memo.mp4", "video/mp4", "audio/mp4"},
		{"audio/x-m4a", "", "video/mp4", "audio/mp4"},
		{"audio/aac", "", "audio/x-m4a", "audio/mp4"}, // as Apple's players name M4A
		{"video/mp4", "", "audio/x-m4a", "video/mp4"},
		{"video/mp4", "clip.m4v", "video/x-m4v", "video/mp4"},
		{"application/octet-stream", "memo.m4a", "video/mp4", "audio/mp4"},
		{"", "MEMO.M4A", "video/mp4", "audio/mp4"},
		{"application/octet-stream", "memo.m4a", "audio/x-m4a", "audio/mp4"},
		{"", "", "audio/x-m4a", "audio/mp4"},
		{"", "", "video/mp4", "video/mp4"},
		{"audio/webm;codecs=opus", "rec.webm", "video/webm", "audio/webm"},
		{"", "rec.webm", "video/webm", "video/webm"},
		{"audio/ogg; codecs=opus", "", "application/ogg", "audio/ogg"},
		{"video/ogg", "", "audio/ogg", "video/ogg"},
		{"audio/amr", "", "video/3gpp", "audio/3gpp"},
		{"audio/mp4", "", "video/quicktime", "audio/mp4"},
		{"image/png", "", "video/mp4", "video/mp4"},
		{"text/html", "", "video/mp4", "video/mp4"},
		// The bytes of everything else.
		{"image/jpeg", "", "image/png", "image/png"},
		{"image/png", "photo.png", "text/html; charset=utf-8", "text/html; charset=utf-8"},
		{"text/html", "", "image/png", "image/png"},
		{"audio/mpeg", "", "audio/wav", "audio/wav"},
		{"image/heic", "IMG_1.HEIC", "image/heic", "image/heic"},
		{"application/pdf", "", "application/pdf", "application/pdf"},
		// Bytes that many formats look like.
		{"text/csv", "", "text/plain; charset=utf-8", "text/csv; charset=utf-8"},
		{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "", "application/zip",
			"application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"application/msword", "", "application/x-ole-storage", "application/msword"},
		{"image/png", "", "text/plain; charset=utf-8", "text/plain; charset=utf-8"},
		{"audio/mpeg", "", "application/zip", "application/zip"},
		{"image/jpeg", "", "application/octet-stream", "image/jpeg"},
		{"application/x-tgsticker", "", "application/octet-stream", "application/x-tgsticker"},
		{"", "", "text/plain; charset=utf-8", "text/plain; charset=utf-8"},
		{"no type", "", "", "application/octet-stream"},
		{"application/octet-stream", "", "text/plain; charset=utf-8", "text/plain; charset=utf-8"},
	} {
		if got := Decide(c.declared, c.name, c.sniffed); got != c.want {
			t.Errorf("declared %q as %q, bytes %q: %q, want %q", c.declared, c.name, c.sniffed, got, c.want)
		}
	}
}

func TestWhatAFileCanBeSentAs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mime  string
		kind  event.MessageType
		shown event.MessageType
		sent  string // "": it cannot be
	}{
		{"image/png", event.Image, event.Image, "image/png"}, {"image/png", event.Document, event.Document, "image/png"},
		{"image/png", event.Sticker, event.Sticker, "image/png"}, {"image/png", event.Video, event.Image, ""}, {"image/png", event.Audio, event.Image, ""},
		{"image/gif", event.Video, event.Video, "image/gif"}, {"text/html", event.Image, event.Document, ""},
		{"video/mp4", event.Audio, event.Video, "audio/mp4"}, {"audio/mp4", event.Video, event.Audio, "video/mp4"},
		{"audio/x-m4a", event.Audio, event.Audio, "audio/mp4"}, {"audio/mpeg", event.Video, event.Audio, ""}, {"video/mp4", event.Image, event.Video, ""},
		{"video/mp4", event.Document, event.Document, "video/mp4"}, {"application/pdf", event.Document, event.Document, "application/pdf"},
		{"application/octet-stream", event.Audio, event.Audio, "application/octet-stream"},
	} {
		if got := As(c.kind, c.mime); got != c.shown {
			t.Errorf("%s that came as %s is shown as %s, want %s", c.mime, c.kind, got, c.shown)
		}
		got, ok := Sent(c.mime, c.kind)
		if !ok {
			got = ""
		}
		if got != c.sent {
			t.Errorf("%s is sent as %s with the type %q, want %q", c.mime, c.kind, got, c.sent)
		}
	}
}
