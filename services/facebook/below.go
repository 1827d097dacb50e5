package facebook

import (
	"cmp"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// comment answers below a post: the comment that is quoted, or else the newest of the person
// (https://developers.facebook.com/docs/graph-api/reference/object/comments).
func comment(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	c := msg.Content
	under := cmp.Or(msg.InReplyTo, msg.Post.Comment, msg.Post.ID)
	if c.ReplyTo != nil {
		under = cmp.Or(c.ReplyTo.ExternalID, under)
	}
	to := meta.Node(ch, under) + "/comments"
	if len(c.Attachments) == 0 {
		if strings.TrimSpace(c.Text) == "" {
			return nil, fault.At("/text", "empty_message", "there is nothing to send")
		}
		return []channel.Request{channel.PostJSON(to, meta.Worded{Message: c.Text}, tagComment)}, nil
	}
	a := c.Attachments[0]
	if err := meta.There(&a, 0); err != nil {
		return nil, err
	}
	if a.Blob == "" {
		if a.URL == "" {
			return nil, fault.At("/attachments/0", "attachment_empty", "a comment takes a file or a URL, not what was uploaded for messages")
		}
		return []channel.Request{channel.PostJSON(to, struct {
			Message string `json:"message,omitempty"`
			URL     string `json:"attachment_url"`
		}{c.Text, a.URL}, tagComment)}, nil
	}
	req := channel.Request{Method: "POST", URL: to, Tag: tagComment}
	if c.Text != "" {
		req.Form = append(req.Form, channel.Part{Name: "message", Value: c.Text})
	}
	req.Form = append(req.Form, channel.Part{Name: "source", Blob: a.Blob, File: cmp.Or(a.Name, string(a.Type)), MIME: a.MIME})
	return []channel.Request{req}, nil
}

// action renders what is done to a comment. A private reply is a message to whoever wrote it, whose id among messages its answer tells.
func action(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	id := msg.Action.Target.Part(0)
	if id == "" {
		return nil, fault.New(fault.Invalid, "target_missing", "the message has no id at Facebook")
	}
	node := meta.Node(ch, id)
	var req channel.Request
	switch msg.Action.Kind {
	case event.ActionHide, event.ActionUnhide:
		req = channel.PostJSON(node, struct {
			Hidden bool `json:"is_hidden"`
		}{msg.Action.Kind == event.ActionHide}, tagChange)
	case event.ActionEdit:
		req = channel.PostJSON(node, meta.Worded{Message: msg.Content.Text}, tagChange)
	case event.ActionUnsend:
		req = channel.Request{Method: "DELETE", URL: node, Tag: tagChange}
	case event.ActionPrivateReply:
		req = channel.PostJSON(page(ch)+"/messages", call{
			Recipient: recipient{Comment: id}, Type: "RESPONSE",
			Message: &outgoing{Text: msg.Content.Text, Metadata: channel.ClientRef(msg.AttemptID, 0)},
		}, tagPrivate)
	default:
		return nil, fault.New(fault.Invalid, "action_not_supported", "Facebook does not take the action %s", msg.Action.Kind)
	}
	return []channel.Request{req}, nil
}
