package wechat

import (
	"encoding/json"
	"encoding/xml"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Parse reads one push, which is one message or event. The answer is empty: it says that WeChat need not repeat the push, and shows the
// person nothing.
func (Adapter) Parse(ch channel.Keyed, in channel.Inbound) (channel.Parsed, error) {
	if in.Method == "GET" {
		return channel.Parsed{Handshake: true, Reply: channel.Reply{Status: 200, ContentType: "text/plain", Body: []byte(in.Query.Get("echostr"))}}, nil
	}
	r := reader{body: in.Body}
	if keyed(ch) { // only what was encrypted counts, also where a clear copy stands beside it
		e, err := readEnvelope(in.Body)
		if err != nil {
			return channel.Parsed{}, unreadable(err)
		}
		if r.body, err = open(ch, e.Encrypted); err != nil {
			return channel.Parsed{}, err
		}
	}
	if err := xml.Unmarshal(r.body, &r.p); err != nil {
		return channel.Parsed{}, unreadable(err)
	}
	if r.p.Encrypted != "" && r.p.From == "" && !keyed(ch) {
		return channel.Parsed{}, fault.New(fault.Invalid, "encrypted", "the push is encrypted, and the channel has no encoding_aes_key: enter it, then replay the push")
	}
	switch ours := ch.Settings.Text("original_id"); {
	case r.p.To != ours:
		r.out.Ignore(channel.OtherAccount, "")
	case r.p.From == "":
		r.out.Ignore("no_sender", "")
	case strings.EqualFold(r.p.Type, "event"):
		r.event(strings.ToLower(r.p.Event))
	default:
		r.message()
	}
	return r.out, nil
}

func unreadable(err error) error {
	return fault.New(fault.Invalid, "unreadable", "the body is not a push of WeChat: %w", err)
}

// reader collects what one push says.
type reader struct {
	p    push
	body []byte
	out  channel.Parsed
}

// message reads what somebody wrote. What is not known becomes a placeholder with the push as it came (P2).
func (r *reader) message() {
	out := r.begin(event.MessageReceived)
	if out.Ref = r.p.ID; out.Ref == "" {
		out.Ref = event.Hash(string(r.body))
	}
	out.ExternalID = out.Ref
	if out.Content = r.content(); out.Content == nil {
		out.Content = &event.Content{Type: event.Unsupported, Raw: r.raw()}
	}
	if r.p.Article != "" {
		out.Content.Referral = &event.Referral{Source: "article", SourceID: r.p.Article}
	}
	if r.p.Menu != "" {
		out.OpensWindow, out.Tap = byMenu, true
	}
	r.add(out)
}

// content is what a message says; nil for a kind that is not known.
func (r *reader) content() *event.Content {
	p := r.p
	switch strings.ToLower(p.Type) {
	case "text":
		if p.Menu != "" {
			return &event.Content{Type: event.InteractType, Text: p.Content, Interaction: &event.Interaction{Kind: "button", ID: p.Menu, Title: p.Content}}
		}
		return &event.Content{Type: event.Text, Text: p.Content}
	case "image":
		return file(event.Attachment{Type: event.Image, MediaRef: p.Media}, "")
	case "voice":
		return file(event.Attachment{Type: event.Audio, Voice: true, MediaRef: p.Media, MIME: voices[strings.ToLower(p.Format)]}, p.Heard)
	case "video", "shortvideo":
		return file(event.Attachment{Type: event.Video, MediaRef: p.Media}, "")
	case "location":
		lat, lon, ok := place(p.Lat, p.Lon)
		if !ok {
			return nil
		}
		return &event.Content{Type: event.LocationType, Location: &event.Location{Latitude: lat, Longitude: lon, Address: p.Label, CRS: "GCJ-02"}}
	case "link":
		return &event.Content{Type: event.Text, Text: lines(p.Title, p.About, p.URL)}
	}
	return nil
}

// voices are the formats of voice messages.
var voices = map[string]string{"amr": "audio/amr", "speex": "audio/speex", "mp3": "audio/mpeg"}

// file is a message with one file. Without a reference it is not known what it was.
func file(a event.Attachment, text string) *event.Content {
	if a.MediaRef == "" {
		return nil
	}
	return &event.Content{Type: a.Type, Text: text, Attachments: []event.Attachment{a}}
}

// lines are the texts that are not empty, each on a line of its own.
func lines(texts ...string) string {
	var out []string
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			out = append(out, t)
		}
	}
	return strings.Join(out, "\n")
}

// begin is what all events of people have in common.
func (r *reader) begin(t event.Type) event.Inbound {
	return event.Inbound{Type: t, Ref: r.ref(), Peer: r.p.From, ProviderAt: r.p.Created.Time()}
}

// ref names an event, which has no id of its own: two taps on one item of the menu within a second are one, as WeChat itself says.
func (r *reader) ref() string {
	ref := r.p.From + ":" + string(r.p.Created) + ":" + strings.ToLower(r.p.Event)
	if r.p.Key != "" {
		ref += ":" + r.p.Key
	}
	return ref
}

// raw is the push as it came, as a JSON text.
func (r *reader) raw() json.RawMessage { return quoted(string(r.body)) }

func (r *reader) add(e event.Inbound) { r.out.Events = append(r.out.Events, e) }
