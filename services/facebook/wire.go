package facebook

import (
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
)

// What Meta posts. Fields that nothing here reads are left out.

type batch struct {
	Object string                `json:"object"`
	Entry  []channel.Item[entry] `json:"entry"`
}

// entry is what happened on one Page. Standby has what happened in conversations that another app owns.
type entry struct {
	ID        channel.Opaque         `json:"id"` // of the Page
	Messaging []channel.Item[item]   `json:"messaging"`
	Standby   []channel.Item[item]   `json:"standby"`
	Changes   []channel.Item[change] `json:"changes"`
}

type party struct {
	ID      channel.Opaque `json:"id"`
	UserRef channel.Opaque `json:"user_ref"` // of the checkbox plugin, before or beside the id
}

// item is one thing that happened in a conversation: who, when, and one of the parts.
type item struct {
	Sender    party         `json:"sender"`
	Recipient party         `json:"recipient"`
	Timestamp channel.Stamp `json:"timestamp"` // milliseconds, in places seconds or a text

	Message  *message       `json:"message"`
	Postback *meta.Postback `json:"postback"`
	Referral *meta.Referral `json:"referral"`
	Reaction *meta.Reaction `json:"reaction"`
	Edit     *meta.Edit     `json:"message_edit"`
	Delivery *mark          `json:"delivery"`
	Read     *mark          `json:"read"`
	Optin    *optin         `json:"optin"`
	Order    *order         `json:"order"`
	Linking  *linking       `json:"account_linking"`
	Policy   *policy        `json:"policy_enforcement"`
	Passed   *meta.Control  `json:"pass_thread_control"`
	Taken    *meta.Control  `json:"take_thread_control"`
	Asked    *struct{}      `json:"request_thread_control"`
	Roles    meta.AppRoles  `json:"app_roles"`
}

type message struct {
	MID         channel.Opaque            `json:"mid"`
	Text        string                    `json:"text"`
	Echo        bool                      `json:"is_echo"`
	App         channel.Opaque            `json:"app_id"` // of an echo: who sent it
	Metadata    string                    `json:"metadata"`
	QuickReply  *meta.QuickReply          `json:"quick_reply"`
	ReplyTo     *reply                    `json:"reply_to"`
	Attachments []channel.Item[attached]  `json:"attachments"`
	Referral    *meta.Referral            `json:"referral"`
	Commands    []channel.Item[commanded] `json:"commands"`
	Sticker     channel.Opaque            `json:"sticker_id"` // of echoes
}

type commanded struct {
	Name string `json:"name"`
}

type reply struct {
	MID channel.Opaque `json:"mid"`
}

type attached struct {
	Type    string  `json:"type"`
	Title   string  `json:"title"` // of a shared link, in older payloads
	URL     string  `json:"url"`
	Payload payload `json:"payload"`
}

type payload struct {
	URL         string         `json:"url"`
	Title       string         `json:"title"`
	Sticker     channel.Opaque `json:"sticker_id"`
	Coordinates *struct {
		Latitude  float64 `json:"lat"`
		Longitude float64 `json:"long"`
	} `json:"coordinates"`
	Text    string         `json:"text"` // of a button template that the Page sent
	Cards   []meta.Element `json:"elements"`
	Product *struct {
		Elements []meta.Element `json:"elements"`
	} `json:"product"`
}

// mark is a receipt: messages by their ids, and everything up to a time.
type mark struct {
	MIDs      []channel.Opaque `json:"mids"`
	Watermark channel.Stamp    `json:"watermark"`
}

type optin struct {
	Type    string         `json:"type"`
	Ref     string         `json:"ref"`
	UserRef channel.Opaque `json:"user_ref"`
	Payload string         `json:"payload"`
	Status  string         `json:"notification_messages_status"`
}

type order struct {
	Products []struct {
		ID       channel.Opaque `json:"id"`
		Retailer channel.Opaque `json:"retailer_id"`
		Price    channel.Opaque `json:"unit_price"`
		Currency string         `json:"currency"`
		Quantity channel.Opaque `json:"quantity"`
	} `json:"products"`
	Note string `json:"note"`
}

type linking struct {
	Status string `json:"status"`
}

type policy struct {
	Action string `json:"action"`
	Reason string `json:"reason"`
}

// change is news of the Page's feed, or of its templates.
type change struct {
	Field string                  `json:"field"`
	Value channel.Item[feedValue] `json:"value"`
}

type feedValue struct {
	Item      string         `json:"item"` // comment, reaction, post, status, photo …
	Verb      string         `json:"verb"` // add, edited, remove, hide, unhide
	CommentID channel.Opaque `json:"comment_id"`
	PostID    channel.Opaque `json:"post_id"`
	ParentID  channel.Opaque `json:"parent_id"`
	From      *struct {
		ID   channel.Opaque `json:"id"`
		Name string         `json:"name"`
	} `json:"from"`
	SenderID   channel.Opaque `json:"sender_id"` // who, in older payloads
	SenderName string         `json:"sender_name"`
	Message    string         `json:"message"`
	Photo      string         `json:"photo"`
	Video      string         `json:"video"`
	Link       string         `json:"link"`
	Reaction   string         `json:"reaction_type"`
	Created    channel.Stamp  `json:"created_time"` // seconds
	Post       struct {
		URL string `json:"permalink_url"`
	} `json:"post"`

	// Of message_template_status_update.
	Event    string         `json:"event"`
	Template string         `json:"message_template_name"`
	Language string         `json:"message_template_language"`
	Reason   channel.Opaque `json:"reason"`
}
