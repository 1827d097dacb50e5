package x

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Tags say what a request is for.
const (
	tagSend     = "send"
	tagDelete   = "delete"
	tagBegin    = "upload begin"
	tagAppend   = "upload piece"
	tagFinish   = "upload end"
	tagProgress = "upload progress"
	tagFile     = "file"
	tagProfile  = "profile"
	tagSetup    = "setup"
)

// dm is a direct message: a text, a file, or both.
type dm struct {
	Text  string  `json:"text,omitempty"`
	Files []dmRef `json:"attachments,omitempty"`
}

type dmRef struct {
	ID string `json:"media_id"`
}

// Render turns a message into one direct message, whose file is uploaded first.
func (Adapter) Render(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	switch {
	case msg.Signal != "":
		return nil, nil
	case msg.Action != nil:
		return action(ch, msg)
	case msg.Peer == "":
		return nil, fault.At("/peer", "no_recipient", "the message has no recipient")
	}
	text := words(msg.Content)
	switch n := channel.Runes.Len(text); {
	case n > maxText:
		return nil, fault.At("/text", channel.CodeTextTooLong, "a message on X has at most %d characters, this one has %d with its choices", maxText, n)
	case len(msg.Content.Attachments) > 0:
		req, err := begin(ch, msg.Content.Attachments[0])
		return []channel.Request{req}, err
	case strings.TrimSpace(text) == "":
		return nil, fault.At("/text", "empty_message", "there is nothing to send")
	}
	return []channel.Request{send(ch, msg, "")}, nil
}

// words is the text of a message, with its choices as a list.
func words(c event.Content) string {
	body, text := channel.InteractiveBody(c)
	v := c.Interactive
	if v == nil {
		return text
	}
	var lines []string
	for _, s := range []string{text, v.Header, body} {
		if strings.TrimSpace(s) != "" {
			lines = append(lines, s)
		}
	}
	for n, b := range v.Buttons {
		line := strconv.Itoa(n+1) + ". " + b.Title
		if b.URL != "" {
			line += " " + b.URL
		}
		lines = append(lines, line)
	}
	if v.URL != "" {
		lines = append(lines, v.Button+": "+v.URL)
	}
	if v.Footer != "" {
		lines = append(lines, v.Footer)
	}
	return strings.Join(lines, "\n")
}

// send goes to a person, or into a group conversation.
func send(ch channel.Channel, msg event.Outbound, mediaID string) channel.Request {
	body := dm{Text: words(msg.Content)}
	if mediaID != "" {
		body.Files = []dmRef{{mediaID}}
	}
	path := "/2/dm_conversations/with/" + url.PathEscape(msg.Peer) + "/messages"
	if g, ok := strings.CutPrefix(msg.Peer, groupPrefix); ok {
		path = "/2/dm_conversations/" + url.PathEscape(g) + "/messages"
	}
	return channel.PostJSON(api(ch)+path, body, tagSend)
}

// action takes back what was sent: X deletes it for the account, and for the others where their apps do.
func action(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	id := msg.Action.Target.Part(0)
	if msg.Action.Kind != event.ActionUnsend || id == "" {
		return nil, fault.New(fault.Invalid, "target_missing", "the message has no id at X")
	}
	return []channel.Request{{Method: "DELETE", URL: api(ch) + "/2/dm_events/" + url.PathEscape(id), Tag: tagDelete}}, nil
}
