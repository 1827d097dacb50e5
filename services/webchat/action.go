package webchat

import (
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// actions: texts and buttons change, files and places do not. A mailbox keeps both actions once, by the action's id.
var actions = map[event.ActionKind]channel.ActionRule{
	event.ActionEdit: {
		Types: []event.MessageType{event.Text, event.Image, event.Audio, event.Video, event.Document, event.InteractType}, Repeatable: true,
		Interactive: []string{"buttons", "list", "link"},
	},
	event.ActionUnsend: {Repeatable: true},
}

// action turns an edit or a deletion into a frame for each id that the message has: another one for every attempt.
func action(msg event.Outbound) ([]channel.Request, error) {
	f := sent{T: "delete", TS: msg.CreatedAt.UnixMilli()}
	if msg.Action.Kind == event.ActionEdit {
		f.T, f.Text, f.Interactive = "edit", msg.Content.Text, msg.Content.Interactive
	}
	var reqs []channel.Request
	for _, f.ID = range msg.Action.Target.ExternalIDs() {
		req, err := request(msg, tagAction, f)
		if err != nil {
			return nil, err
		}
		req.Key = msg.AttemptID + ":" + f.ID
		reqs = append(reqs, req)
	}
	if len(reqs) == 0 {
		return nil, fault.New(fault.Invalid, "target_missing", "the visitor does not have the message")
	}
	return reqs, nil
}
