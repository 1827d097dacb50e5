package instagram

import (
	"encoding/json"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
)

// The peers below posts of whom Meta names no id: what they wrote stands for them.
const (
	anonymous = "comment:"
	mentioned = "mention:"
)

// comment reads what somebody wrote below a post, an ad or a broadcast of the account. What the account itself writes there comes, too, and
// names nobody whom it is written to. Edits and removals are not told.
func (r *reader) comment(raw json.RawMessage, at channel.Stamp) {
	var i channel.Item[comment]
	_ = i.UnmarshalJSON(raw) // never fails: what is wrong stands in the item
	v := &i.V
	id, who := meta.First(string(v.ID), string(v.Older)), string(v.From.ID)
	switch {
	case id == "":
		r.out.Ignore("no_comment", "")
		return
	case who == r.account || who != "" && who == string(v.From.Self):
		r.out.Ignore("own_comment", "")
		return
	case v.Media.ID == "":
		r.out.Ignore("no_post", "")
		return
	}
	e := event.Inbound{
		Type: event.MessageReceived, Ref: id, ExternalID: id, Peer: meta.First(who, anonymous+id), ProviderAt: at.Time(),
		Post: &event.Post{ID: string(v.Media.ID), Comment: string(v.Parent)}, Content: v.content(i),
	}
	if v.From.Username != "" {
		e.Sender = &event.Profile{Username: v.From.Username}
	}
	r.out.Add(e)
}

// content is what a comment says, and the ad that it stands below; without a text it is a placeholder (P2).
func (v *comment) content(i channel.Item[comment]) *event.Content {
	c := &event.Content{Type: event.Text, Text: v.Text}
	if v.Text == "" || i.Err != nil {
		c = &event.Content{Type: event.Unsupported, Text: v.Text, Raw: i.Raw}
	}
	if v.Parent != "" {
		c.ReplyTo = &event.Quote{ExternalID: string(v.Parent)}
	}
	if v.Media.AdID != "" || v.Media.AdTitle != "" {
		c.Referral = &event.Referral{Source: v.Media.Product, SourceID: string(v.Media.AdID), Headline: v.Media.AdTitle}
	}
	return c
}

// mention reads that somebody has named the account, in a comment or in the caption of a post: Meta tells where, and neither who nor what.
func (r *reader) mention(raw json.RawMessage, at channel.Stamp) {
	var i channel.Item[comment]
	_ = i.UnmarshalJSON(raw) // never fails: what is wrong stands in the item
	media := string(i.V.MediaID)
	if media == "" {
		r.out.Ignore("no_post", "mention")
		return
	}
	id := meta.First(string(i.V.Older), media)
	r.out.Add(event.Inbound{
		Type: event.MessageReceived, Ref: id, ExternalID: id, Peer: mentioned + id, ProviderAt: at.Time(), Post: &event.Post{ID: media},
		Content: &event.Content{Type: event.Unsupported, Raw: i.Raw},
	})
}
