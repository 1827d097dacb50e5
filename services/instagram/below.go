package instagram

import (
	"cmp"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// answered answers below a post: the comment that is quoted, or else the newest of the person
// (https://developers.facebook.com/docs/instagram-platform/comment-moderation). Where the account was mentioned the post is of others.
func answered(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	c := msg.Content
	if strings.TrimSpace(c.Text) == "" {
		return nil, fault.At("/text", "empty_message", "there is nothing to send")
	}
	if id, ok := strings.CutPrefix(msg.Peer, mentioned); ok {
		body := struct {
			Media   string `json:"media_id"`
			Comment string `json:"comment_id,omitempty"`
			Message string `json:"message"`
		}{msg.Post.ID, id, c.Text}
		if id == msg.Post.ID {
			body.Comment = "" // in its caption
		}
		return []channel.Request{channel.PostJSON(account(ch)+"/mentions", body, tagComment)}, nil
	}
	under := cmp.Or(msg.InReplyTo, msg.Post.Comment)
	if c.ReplyTo != nil {
		under = cmp.Or(c.ReplyTo.ExternalID, under)
	}
	to := node(ch, msg.Post.ID) + "/comments"
	if under != "" {
		to = node(ch, under) + "/replies"
	}
	return []channel.Request{channel.PostJSON(to, meta.Worded{Message: c.Text}, tagComment)}, nil
}

// action renders what is done to a comment. A private reply is a message to whoever wrote it, whose id among messages its answer tells.
func action(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	id := msg.Action.Target.Part(0)
	if id == "" {
		return nil, fault.New(fault.Invalid, "target_missing", "the message has no id at Instagram")
	}
	var req channel.Request
	switch msg.Action.Kind {
	case event.ActionHide:
		req = channel.Request{Method: "POST", URL: node(ch, id) + "?hide=true", Tag: tagChange}
	case event.ActionUnhide:
		req = channel.Request{Method: "POST", URL: node(ch, id) + "?hide=false", Tag: tagChange}
	case event.ActionUnsend:
		req = channel.Request{Method: "DELETE", URL: node(ch, id), Tag: tagChange}
	case event.ActionPrivateReply:
		req = channel.PostJSON(sender(ch)+"/messages", call{Recipient: recipient{Comment: id}, Message: &outgoing{Text: msg.Content.Text}}, tagPrivate)
	default:
		return nil, fault.New(fault.Invalid, "action_not_supported", "Instagram does not take the action %s", msg.Action.Kind)
	}
	return []channel.Request{req}, nil
}
