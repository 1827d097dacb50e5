// Package mediatype says what a file is, from what its sender declared and what its bytes look like.
//
// A media type has one canonical spelling here ([Canonical]). Containers hold audio and video alike (MP4, WebM, Ogg, 3GPP), and their
// first bytes seldom show which: there the declaration decides. Everywhere else the bytes do, unless they look like something that
// many formats look like; a declaration of another kind than the bytes is never believed.
package mediatype

import (
	"mime"
	"path"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Unknown is the type of bytes that nothing is known about.
const Unknown = "application/octet-stream"

// aliases are the spellings in use besides the canonical one: that of the IANA registry, or the one that providers name.
var aliases = map[string]string{
	"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png", "image/x-ms-bmp": "image/bmp", "image/x-bmp": "image/bmp",
	"image/tif": "image/tiff", "image/x-tiff": "image/tiff", "image/heic-sequence": "image/heic", "image/heif-sequence": "image/heif",
	"audio/x-m4a": "audio/mp4", "audio/m4a": "audio/mp4", "audio/x-mp4a": "audio/mp4", "audio/mp4a-latm": "audio/mp4", "audio/x-m4b": "audio/mp4",
	"audio/mp3": "audio/mpeg", "audio/x-mp3": "audio/mpeg", "audio/x-mpeg": "audio/mpeg", "audio/mpeg3": "audio/mpeg", "audio/x-mpeg-3": "audio/mpeg",
	"audio/x-wav": "audio/wav", "audio/wave": "audio/wav", "audio/vnd.wave": "audio/wav", "audio/x-pn-wav": "audio/wav",
	"audio/x-aac": "audio/aac", "audio/aacp": "audio/aac", "audio/x-hx-aac-adts": "audio/aac", "audio/amr-nb": "audio/amr", "audio/x-amr": "audio/amr",
	"audio/x-flac": "audio/flac", "audio/x-aiff": "audio/aiff", "audio/x-ogg": "audio/ogg", "audio/opus": "audio/ogg", "audio/vorbis": "audio/ogg",
	"application/ogg": "audio/ogg", "application/x-ogg": "audio/ogg", "audio/3gp": "audio/3gpp", "audio/x-matroska": "audio/matroska",
	"video/x-m4v": "video/mp4", "video/m4v": "video/mp4", "application/mp4": "video/mp4", "video/x-quicktime": "video/quicktime",
	"video/3gp": "video/3gpp", "video/3g2": "video/3gpp2", "video/x-matroska": "video/matroska", "video/avi": "video/x-msvideo",
	"video/msvideo": "video/x-msvideo", "video/x-ogg": "video/ogg",
	"application/x-pdf": "application/pdf", "application/x-zip": "application/zip", "application/x-zip-compressed": "application/zip",
	"text/xml": "application/xml", "application/x-javascript": "text/javascript", "application/javascript": "text/javascript",
	"binary/octet-stream": Unknown, "application/x-download": Unknown, "application/force-download": Unknown,
}

// container is a format that holds audio alone, or video.
type container struct{ audio, video string }

var (
	mp4     = container{"audio/mp4", "video/mp4"}
	mov     = container{"audio/mp4", "video/quicktime"}
	ogg     = container{"audio/ogg", "video/ogg"}
	webm    = container{"audio/webm", "video/webm"}
	mkv     = container{"audio/matroska", "video/matroska"}
	threeGP = container{"audio/3gpp", "video/3gpp"}
	threeG2 = container{"audio/3gpp2", "video/3gpp2"}
	asf     = container{"audio/x-ms-wma", "video/x-ms-asf"}
)

// containers are found by the type that the bytes look like.
var containers = map[string]container{
	"audio/mp4": mp4, "video/mp4": mp4, "video/quicktime": mov, "audio/ogg": ogg, "video/ogg": ogg, "video/webm": webm, "audio/webm": webm,
	"video/matroska": mkv, "audio/matroska": mkv, "video/3gpp": threeGP, "video/3gpp2": threeG2, "video/x-ms-asf": asf,
}

// names are the endings of file names that say which of the two a container holds.
var names = map[string]event.MessageType{
	".m4a": event.Audio, ".m4b": event.Audio, ".oga": event.Audio, ".ogg": event.Audio, ".opus": event.Audio, ".weba": event.Audio,
	".mka": event.Audio, ".3ga": event.Audio, ".wma": event.Audio,
	".mp4": event.Video, ".m4v": event.Video, ".mov": event.Video, ".ogv": event.Video, ".webm": event.Video, ".mkv": event.Video,
	".3gp": event.Video, ".3g2": event.Video, ".wmv": event.Video,
}

// vague are the types that many formats look like, with the types that are believed all the same if they are declared. Every
// declaration is believed of bytes that look like nothing.
var vague = map[string][]string{
	Unknown:                     {""},
	"text/plain":                {"text/", "application/"},
	"application/xml":           {"text/", "application/", "image/svg+xml"},
	"application/json":          {"application/", "text/"},
	"application/zip":           {"application/"},
	"application/x-ole-storage": {"application/"},
}

// Canonical returns the one spelling of a media type: lower case, without parameters. A text that is no media type is "".
func Canonical(s string) string {
	bare, _, _ := strings.Cut(s, ";")
	bare = strings.ToLower(strings.TrimSpace(bare))
	if major, minor, ok := strings.Cut(bare, "/"); !ok || major == "" || minor == "" || strings.ContainsAny(bare, " \t\r\n\"*") {
		return ""
	}
	if known, ok := aliases[bare]; ok {
		return known
	}
	return bare
}

// Decide returns the type of a file that its sender declared as one type under a name, and whose bytes look like another. Text keeps
// the character set that its bytes show.
func Decide(declared, name, sniffed string) string {
	d, s := Canonical(declared), Canonical(sniffed)
	if s == "" {
		s = Unknown
	}
	if c, ok := containers[s]; ok {
		return c.decide(d, name, s)
	}
	believed := slices.ContainsFunc(vague[s], func(prefix string) bool { return strings.HasPrefix(d, prefix) })
	if d == "" || d == Unknown || !believed {
		d = s
	}
	if _, params, err := mime.ParseMediaType(sniffed); err == nil && strings.HasPrefix(d, "text/") && params["charset"] != "" {
		return d + "; charset=" + params["charset"]
	}
	return d
}

func (c container) decide(declared, name, sniffed string) string {
	kind := Kind(declared)
	if kind != event.Audio && kind != event.Video {
		kind = names[strings.ToLower(path.Ext(name))]
	}
	switch kind {
	case event.Audio:
		return c.audio
	case event.Video:
		return c.video
	}
	return sniffed
}

// Kind returns how a file of a type is sent: as image, audio, video or document.
func Kind(mediaType string) event.MessageType {
	major, _, _ := strings.Cut(mediaType, "/")
	switch major {
	case "image":
		return event.Image
	case "audio":
		return event.Audio
	case "video":
		return event.Video
	}
	return event.Document
}

// As returns how a file that is sent as one kind is shown, if its type contradicts that: as what it is. Every file may be a document
// or a sticker, and a moving picture a video.
func As(kind event.MessageType, mediaType string) event.MessageType {
	is := Canonical(mediaType)
	switch kind {
	case event.Image, event.Audio, event.Video:
	default:
		return kind
	}
	if is == "" || is == Unknown || kind == event.Video && is == "image/gif" {
		return kind
	}
	return Kind(is)
}

// Sent returns the type with which a file is sent as a kind, and whether it can be: a container as audio and as video, everything as a
// document, and a sticker of any type that its channel takes.
func Sent(mediaType string, kind event.MessageType) (string, bool) {
	is := Canonical(mediaType)
	if c, both := containers[is]; both && kind == event.Audio {
		return c.audio, true
	} else if both && kind == event.Video {
		return c.video, true
	}
	return mediaType, As(kind, is) == kind
}

// Inline reports whether a browser may show a file of a type in place: nothing in it can act on the page's origin.
func Inline(mediaType string) bool {
	switch Canonical(mediaType) {
	case "image/jpeg", "image/png", "image/webp", "image/gif", "audio/ogg", "audio/mpeg", "audio/mp4", "audio/aac", "audio/amr", "audio/wav",
		"audio/webm", "video/mp4", "video/webm", "video/3gpp", "application/pdf":
		return true
	}
	return false
}
