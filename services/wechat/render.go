package wechat

import (
	"fmt"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Tags say what a request is for.
const (
	tagSend     = "send"
	tagTemplate = "template"
	tagUpload   = "upload"
	tagSignal   = "signal"
	tagToken    = "token"
	tagSetup    = "setup"
	tagProfile  = "profile"
	tagMedia    = "media"
	tagFile     = "file"
)

// customer is one customer service message: each of them takes a place of the window.
type customer struct {
	To    string    `json:"touser"`
	Kind  string    `json:"msgtype"`
	Text  *says     `json:"text,omitempty"`
	Image *media    `json:"image,omitempty"`
	Voice *media    `json:"voice,omitempty"`
	Video *media    `json:"video,omitempty"`
	Menu  *menu     `json:"msgmenu,omitempty"`
	News  *articles `json:"news,omitempty"`
}

type says struct {
	Content string `json:"content"`
}

type media struct {
	ID     string `json:"media_id"`
	Poster string `json:"thumb_media_id,omitempty"` // of a video
	Title  string `json:"title,omitempty"`
}

type menu struct {
	Head string   `json:"head_content"`
	List []choice `json:"list"`
	Tail string   `json:"tail_content,omitempty"`
}

type choice struct {
	ID      string `json:"id"`
	Content string `json:"content"`
}

// articles is one card with a link: WeChat takes no more than one in a customer service message.
type articles struct {
	Articles []article `json:"articles"`
}

type article struct {
	Title string `json:"title"`
	About string `json:"description"`
	URL   string `json:"url"`
}

// part is one message at WeChat, with the file that is uploaded for it first.
type part struct {
	body customer
	file *event.Attachment
}

// Render turns a message into parts: files first, then the text, then what is to be chosen.
func (Adapter) Render(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	if msg.Peer == "" {
		return nil, fault.At("/peer", "no_recipient", "the message has no recipient")
	}
	if msg.Signal != "" {
		return signal(ch, msg)
	}
	if msg.Content.Template != nil {
		return templateRequest(ch, msg)
	}
	parts, err := plan(msg)
	if err != nil {
		return nil, err
	}
	if len(parts) == 0 {
		return nil, fault.At("/text", "empty_message", "there is nothing to send")
	}
	reqs := make([]channel.Request, len(parts))
	for n, p := range parts {
		reqs[n] = p.request(ch, n, "")
	}
	return reqs, nil
}

// request is the call that comes next for a part: the upload of its file, or the send.
func (p part) request(ch channel.Channel, n int, mediaID string) channel.Request {
	if p.file != nil && mediaID == "" {
		return upload(ch, *p.file, n)
	}
	if p.file != nil {
		p.body.fill(mediaID)
	}
	return channel.PostJSON(api(ch)+"/cgi-bin/message/custom/send", p.body, tagSend)
}

// plan says which messages a message becomes.
func plan(msg event.Outbound) (parts []part, err error) {
	c := msg.Content
	for n, a := range c.Attachments {
		p, err := filePart(msg.Peer, a, fmt.Sprintf("/attachments/%d", n))
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	body, text := channel.InteractiveBody(c)
	if strings.TrimSpace(text) != "" {
		for _, piece := range sending.Text.Split(text) {
			parts = append(parts, part{body: customer{To: msg.Peer, Kind: "text", Text: &says{piece}}})
		}
	}
	if c.Interactive != nil {
		v := *c.Interactive
		v.Body = body
		parts = append(parts, part{body: chosen(msg.Peer, v)})
	}
	return parts, nil
}

// chosen is a message with something to choose, whose parts the table of the channel has checked.
func chosen(to string, v event.Interactive) customer {
	if v.Kind == "link" {
		title := v.Header
		if title == "" {
			title = v.Button
		}
		return customer{To: to, Kind: "news", News: &articles{[]article{{title, v.Body, v.URL}}}}
	}
	m := &menu{Head: lines(v.Header, v.Body), Tail: v.Footer}
	for _, b := range v.Buttons {
		m.List = append(m.List, choice{b.ID, b.Title})
	}
	return customer{To: to, Kind: "msgmenu", Menu: m}
}
