package telegram

import (
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Tags say what a request is for.
const (
	tagSetup  = "setup"
	tagSignal = "signal"
	tagPart   = "part"
	tagEdit   = "edit"
	tagDelete = "delete"
	tagLookup = "file path"
	tagFile   = "file"
)

// partState is the state of a part's call: which part it is, and why it is sent again.
type partState struct {
	Part     int  `json:"part"`
	Unquoted bool `json:"unquoted,omitempty"` // the quoted message is gone: sent again without quote
	Moved    bool `json:"moved,omitempty"`    // the group has another id now: sent again to that
}

// Render turns a message into calls, one for each part.
func (Adapter) Render(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	if msg.Signal != "" {
		return signal(ch, msg)
	}
	if msg.Action != nil {
		return action(ch, msg)
	}
	parts, err := plan(msg)
	if err != nil {
		return nil, err
	}
	reqs := make([]channel.Request, len(parts))
	for n, p := range parts {
		reqs[n] = p.part(ch, partState{Part: n})
	}
	return reqs, nil
}

// plan lays a message out as calls. It is made again when one has to be repeated, so it depends on nothing but msg.
func plan(msg event.Outbound) ([]method, error) {
	to := split(msg.Peer)
	if to.chat == "" {
		return nil, fault.At("/peer", "no_recipient", "the message has no recipient")
	}
	parts, err := contentParts(msg.Content)
	if err != nil {
		return nil, err
	}
	if len(parts) == 0 {
		return nil, fault.At("/text", "empty_message", "there is nothing to send")
	}
	if to.business != "" && msg.Content.Reaction != nil {
		return nil, fault.At("/reaction", "reaction_not_supported", "Telegram takes no reactions in the chats of a business account")
	}
	for n := range parts {
		parts[n].fields = append(to.fields(parts[n].name != reactionMethod), parts[n].fields...)
	}
	if q := msg.Content.ReplyTo; q != nil && msg.Content.Reaction == nil {
		parts[0].reply(q)
	}
	return parts, nil
}

// reply quotes a message, if that is what is answered: a pressed button is none.
func (m *method) reply(q *event.Quote) {
	if n := number(q.ExternalID); n != "" {
		m.set("reply_parameters", struct {
			ID    any  `json:"message_id"`
			Allow bool `json:"allow_sending_without_reply"`
		}{id(n), true})
	}
}

func contentParts(c event.Content) ([]method, error) {
	if c.Reaction != nil {
		return reactionPart(c.Reaction)
	}
	body, text := channel.InteractiveBody(c)
	parts, text, err := mediaParts(c.Attachments, text)
	if err != nil {
		return nil, err
	}
	if c.Location != nil {
		parts = append(parts, placePart(c.Location))
	}
	for _, e := range c.Contacts {
		parts = append(parts, contactPart(e))
	}
	if c.Interactive != nil {
		p, err := interactivePart(c.Interactive, body)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	if strings.TrimSpace(text) != "" {
		for _, piece := range sending.Text.Split(text) {
			p := method{name: "sendMessage"}
			p.set("text", piece)
			parts = append(parts, p)
		}
	}
	return parts, nil
}

func placePart(l *event.Location) method {
	p := method{name: "sendLocation"}
	if l.Name != "" {
		p.name = "sendVenue"
	}
	p.set("latitude", l.Latitude)
	p.set("longitude", l.Longitude)
	if l.Name != "" {
		p.set("title", l.Name)
		p.fields = append(p.fields, field{"address", l.Address}) // must be there
	}
	return p
}

func contactPart(e event.Card) method {
	p := method{name: "sendContact"}
	first := e.First
	if first == "" {
		first = e.Name
	}
	if len(e.Phones) > 0 {
		p.set("phone_number", e.Phones[0])
	}
	p.set("first_name", first)
	p.set("last_name", e.Last)
	p.set("vcard", e.VCard)
	return p
}

// reactionMethod is the one way to send that takes no topic: a message is known without.
const reactionMethod = "setMessageReaction"

func reactionPart(r *event.Reaction) ([]method, error) {
	n := number(r.Target)
	if n == "" {
		return nil, fault.At("/reaction/target", "no_target", "a reaction needs the provider's id of a message")
	}
	type kind struct {
		Type   string `json:"type"`
		Emoji  string `json:"emoji,omitempty"`
		Custom string `json:"custom_emoji_id,omitempty"`
	}
	list := []kind{}
	if custom, ok := strings.CutPrefix(r.Emoji, "custom:"); ok {
		list = append(list, kind{Type: "custom_emoji", Custom: custom})
	} else if r.Emoji != "" {
		list = append(list, kind{Type: "emoji", Emoji: r.Emoji})
	}
	p := method{name: reactionMethod}
	p.set("message_id", id(n))
	p.fields = append(p.fields, field{"reaction", list})
	return []method{p}, nil
}
