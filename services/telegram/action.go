package telegram

import (
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// actions are what bots can do to their own messages (https://core.telegram.org/bots/api#updating-messages, #deletemessage): text, captions
// and inline keyboards change, files and places do not. Messages with another keyboard cannot be edited. Both calls do nothing the second
// time, and Telegram says so.
var actions = map[event.ActionKind]channel.ActionRule{
	event.ActionEdit: {
		Types:       []event.MessageType{event.Text, event.Image, event.Audio, event.Video, event.Document, event.InteractType},
		Interactive: []string{"buttons", "list", "link"}, Repeatable: true,
	},
	event.ActionUnsend: {For: channel.Duration(48 * time.Hour), Repeatable: true},
}

// action renders what is done to a message of ours. Its provider's ids say where it is: a group may have got another id since.
func action(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	switch msg.Action.Kind {
	case event.ActionEdit:
		return edits(ch, msg)
	case event.ActionUnsend:
		return deletions(ch, msg.Action.Target)
	}
	return nil, fault.New(fault.Invalid, "action_not_supported", "Telegram does not take the action %s", msg.Action.Kind)
}

// edits are one call for each part of the message that has a text: the caption of an album is that of its first file.
func edits(ch channel.Channel, msg event.Outbound) (reqs []channel.Request, err error) {
	parts, err := contentParts(msg.Content)
	if err != nil {
		return nil, err
	}
	for n, p := range parts {
		m := p.edit()
		if m.name == "" {
			continue
		}
		at, number, ok := place(msg.Action.Target.Part(n))
		if !ok {
			return nil, unplaced(msg.Action.Target.Part(n))
		}
		m.fields = append(append(at.fields(false), field{"message_id", id(number)}), m.fields...)
		reqs = append(reqs, m.request(ch, tagEdit))
	}
	if len(reqs) == 0 {
		return nil, fault.At("/text", "action_not_for_type", "nothing in the message has a text or caption on Telegram; send a new message")
	}
	return reqs, nil
}

// edit is the call that gives a part of a message the text and the keyboard of m, which would send it; without a name where it has neither.
func (m method) edit() (out method) {
	switch {
	case m.name == "sendMessage":
		out = method{name: "editMessageText", fields: m.fields}
	case m.caption != nil: // an empty one takes the caption away
		out = method{name: "editMessageCaption", fields: []field{{"caption", *m.caption}}}
	}
	return out
}

// deletions are one call for each place that the message has parts in.
func deletions(ch channel.Channel, t event.Target) ([]channel.Request, error) {
	var places []address
	numbers := map[address][]any{}
	for _, key := range t.ExternalIDs() {
		at, number, ok := place(key)
		if !ok {
			return nil, unplaced(key)
		}
		if numbers[at] == nil {
			places = append(places, at)
		}
		numbers[at] = append(numbers[at], id(number))
	}
	reqs := make([]channel.Request, len(places))
	for n, at := range places {
		reqs[n] = deleteAt(at, numbers[at]).request(ch, tagDelete)
	}
	if len(reqs) == 0 {
		return nil, unplaced("")
	}
	return reqs, nil
}

func deleteAt(at address, numbers []any) (m method) {
	switch {
	case at.business != "":
		m.name = "deleteBusinessMessages"
		m.set("business_connection_id", at.business)
		m.set("message_ids", numbers)
		return m
	case len(numbers) == 1:
		m = method{name: "deleteMessage", fields: at.fields(false)}
		m.set("message_id", numbers[0])
		return m
	}
	m = method{name: "deleteMessages", fields: at.fields(false)}
	m.set("message_ids", numbers)
	return m
}

// place takes the provider's id of a message apart: its chat, and its number there.
func place(key string) (at address, n string, ok bool) {
	i := strings.LastIndexByte(key, ':')
	if n = number(key); n == "" {
		return at, "", false
	}
	at = split(key[:i])
	return at, n, at.chat != ""
}

func unplaced(key string) error {
	return fault.New(fault.Invalid, "target_missing", "%q is no message at Telegram", key)
}

// acted reads the answer to an action: that it is done already is success.
func acted(req channel.Request, a answer) bool {
	switch req.Tag {
	case tagEdit:
		return a.OK || a.Code == 400 && a.says("message is not modified")
	case tagDelete:
		return a.OK || a.Code == 400 && a.says("message to delete not found")
	}
	return false
}
