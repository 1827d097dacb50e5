package instagram

import (
	"encoding/json"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
)

// What Meta posts (https://developers.facebook.com/docs/instagram-platform/webhooks/examples). Fields that nothing here reads are left out.

type batch struct {
	Object string                `json:"object"`
	Entry  []channel.Item[entry] `json:"entry"`
}

// entry is what happened on one account. A change comes in a list, or as the entry itself; of conversations, too.
type entry struct {
	ID        channel.Opaque         `json:"id"`   // of the account
	Time      channel.Stamp          `json:"time"` // of comments the only one
	Messaging []channel.Item[item]   `json:"messaging"`
	Standby   []channel.Item[item]   `json:"standby"`
	Changes   []channel.Item[change] `json:"changes"`
	change
}

// change is one that happened to a field that the app is subscribed to.
type change struct {
	Field string          `json:"field"`
	Value json.RawMessage `json:"value"`
}

type party struct {
	ID channel.Opaque `json:"id"`
}

// item is one thing that happened in a conversation: who, when, and one of the parts.
type item struct {
	Sender    party         `json:"sender"`
	Recipient party         `json:"recipient"`
	Timestamp channel.Stamp `json:"timestamp"` // milliseconds, in places seconds

	Message  *message       `json:"message"`
	Postback *meta.Postback `json:"postback"`
	Referral *meta.Referral `json:"referral"`
	Reaction *meta.Reaction `json:"reaction"`
	Edit     *meta.Edit     `json:"message_edit"`
	Read     *seen          `json:"read"`
	Passed   *meta.Control  `json:"pass_thread_control"`
	Taken    *meta.Control  `json:"take_thread_control"`
	Asked    *struct{}      `json:"request_thread_control"`
	Roles    meta.AppRoles  `json:"app_roles"`
}

// seen is a receipt: a message, and all before it.
type seen struct {
	MID channel.Opaque `json:"mid"`
}

type message struct {
	MID         channel.Opaque           `json:"mid"`
	Text        string                   `json:"text"`
	Echo        bool                     `json:"is_echo"`
	Self        bool                     `json:"is_self"` // the account writes to itself
	Deleted     bool                     `json:"is_deleted"`
	Unsupported bool                     `json:"is_unsupported"`
	QuickReply  *meta.QuickReply         `json:"quick_reply"`
	ReplyTo     *reply                   `json:"reply_to"`
	Attachments []channel.Item[attached] `json:"attachments"`
	Referral    *meta.Referral           `json:"referral"`
}

// reply names the message that is answered, or the story of the account.
type reply struct {
	MID   channel.Opaque `json:"mid"`
	Story *struct {
		ID  channel.Opaque `json:"id"`
		URL string         `json:"url"`
	} `json:"story"`
}

type attached struct {
	Type    string  `json:"type"`
	Payload payload `json:"payload"`
}

type payload struct {
	URL     string         `json:"url"`
	Title   string         `json:"title"`
	Text    string         `json:"text"` // of a button template that the account sent
	Cards   []meta.Element `json:"elements"`
	Generic *cards         `json:"generic"`
	Product *cards         `json:"product"`
}

type cards struct {
	Elements []meta.Element `json:"elements"`
}

// comment is what somebody wrote below a post, an ad or a broadcast.
type comment struct {
	ID      channel.Opaque `json:"id"`
	Older   channel.Opaque `json:"comment_id"` // the id, in places
	Parent  channel.Opaque `json:"parent_id"`  // the comment that is answered
	Text    string         `json:"text"`
	MediaID channel.Opaque `json:"media_id"` // of a mention: the post, which can be of others
	From    struct {
		ID       channel.Opaque `json:"id"`
		Username string         `json:"username"`
		Self     channel.Opaque `json:"self_ig_scoped_id"` // another id of the account itself
	} `json:"from"`
	Media struct {
		ID      channel.Opaque `json:"id"`
		Product string         `json:"media_product_type"` // FEED, REELS, STORY, AD, LIVE …
		AdID    channel.Opaque `json:"ad_id"`
		AdTitle string         `json:"ad_title"`
	} `json:"media"`
}
