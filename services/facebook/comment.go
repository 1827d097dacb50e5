package facebook

import (
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
)

// author is who commented. Of people who have not allowed the app to see them Meta names nobody: the comment's own id stands in, which
// an answer needs and nothing more.
func (v *feedValue) author() (id, name string) {
	if v.From != nil && v.From.ID != "" {
		return string(v.From.ID), v.From.Name
	}
	if v.SenderID != "" {
		return string(v.SenderID), v.SenderName
	}
	return string(v.CommentID), ""
}

// feed reads what happened below a post: comments, and reactions to them. What the Page itself writes there comes, too, and names nobody
// whom it is written to.
func (r *reader) feed(i channel.Item[feedValue]) {
	v := &i.V
	who, name := v.author()
	switch {
	case v.CommentID == "" || v.Item != "comment" && v.Item != "reaction":
		r.out.Ignore("feed", v.Item)
		return
	case who == r.page:
		r.out.Ignore("own_comment", v.Verb)
		return
	case v.PostID == "":
		r.out.Ignore("no_post", v.Verb)
		return
	}
	id := string(v.CommentID)
	e := event.Inbound{Ref: id + ":" + v.Verb + ":" + meta.StampText(v.Created), ExternalID: id, Peer: who, ProviderAt: v.Created.Time(), Post: v.post()}
	if name != "" {
		e.Sender = &event.Profile{Name: name}
	}
	switch {
	case v.Item == "reaction":
		e.Type, e.Target = event.MessageReacted, id
		e.Ref = id + ":reaction:" + who + ":" + v.Verb + ":" + meta.StampText(v.Created) + ":" + v.Reaction
		e.Reaction = meta.Reacted(id, "", v.Reaction, v.Verb == "remove")
	case v.Verb == "add":
		e.Type, e.Content = event.MessageReceived, v.content(i)
	case v.Verb == "edited" || v.Verb == "edit":
		e.Type, e.Target, e.Content = event.MessageEdited, id, v.content(i)
		e.Ref += ":" + event.Hash(v.Message, v.Photo, v.Video)
	case v.Verb == "remove":
		e.Type, e.Target = event.MessageDeleted, id
	case v.Verb == "hide" || v.Verb == "unhide": // by the Page, or by Facebook for it: the comment's author is named, and not who did it
		hidden := v.Verb == "hide"
		e.Type, e.Target, e.Hidden, e.Echo = event.MessageHidden, id, &hidden, true
	default:
		r.out.Ignore("comment", v.Verb)
		return
	}
	r.out.Add(e)
}

// post is what the comment is written under, and below which other comment.
func (v *feedValue) post() *event.Post {
	p := &event.Post{ID: string(v.PostID), URL: meta.Absolute(v.Post.URL)}
	if v.ParentID != v.PostID {
		p.Comment = string(v.ParentID)
	}
	return p
}

// content is what a comment says; without anything that is known it is a placeholder (P2).
func (v *feedValue) content(i channel.Item[feedValue]) *event.Content {
	c := &event.Content{Type: event.Text, Text: v.Message}
	for _, file := range []attached{{Type: "image", Payload: payload{URL: v.Photo}}, {Type: "video", Payload: payload{URL: v.Video}}} {
		if file.Payload.URL != "" {
			meta.Below(c, file.file(c, kinds[file.Type]))
		}
	}
	if meta.Emptied(c) {
		c.Text = meta.Absolute(v.Link)
	}
	if meta.Emptied(c) || i.Err != nil {
		c = &event.Content{Type: event.Unsupported, Raw: i.Raw}
	}
	if v.ParentID != v.PostID && v.ParentID != "" {
		c.ReplyTo = &event.Quote{ExternalID: string(v.ParentID)}
	}
	return c
}
