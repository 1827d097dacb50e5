package line

import (
	"encoding/json"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// What LINE posts. Fields that nothing here reads are left out.

type webhook struct {
	Destination channel.Opaque            `json:"destination"` // the user id of the bot that the events are for
	Events      []channel.Item[lineEvent] `json:"events"`
}

type lineEvent struct {
	Type       string         `json:"type"`
	ID         channel.Opaque `json:"webhookEventId"` // the same when LINE sends the event again
	Timestamp  channel.Stamp  `json:"timestamp"`      // milliseconds; when it happened, also in a redelivery
	Mode       string         `json:"mode"`           // active or standby
	ReplyToken string         `json:"replyToken"`
	Source     source         `json:"source"`
	Delivery   struct {
		Again bool `json:"isRedelivery"`
	} `json:"deliveryContext"`

	Message  *message  `json:"message"`
	Unsend   *unsend   `json:"unsend"`
	Follow   *follow   `json:"follow"`
	Joined   *members  `json:"joined"`
	Left     *members  `json:"left"`
	Postback *postback `json:"postback"`
	Beacon   *beacon   `json:"beacon"`
}

// source says in which chat an event happened and, unless LINE leaves it out, who did it.
type source struct {
	Type  string         `json:"type"` // user, group or room
	User  channel.Opaque `json:"userId"`
	Group channel.Opaque `json:"groupId"`
	Room  channel.Opaque `json:"roomId"`
}

type message struct {
	Type        string          `json:"type"`
	ID          channel.Opaque  `json:"id"`
	Text        string          `json:"text"`
	QuoteToken  string          `json:"quoteToken"`
	Quoted      channel.Opaque  `json:"quotedMessageId"`
	ReadToken   string          `json:"markAsReadToken"`
	Emojis      json.RawMessage `json:"emojis"`
	Mention     json.RawMessage `json:"mention"`
	Provider    provider        `json:"contentProvider"`
	Set         *imageSet       `json:"imageSet"`
	Duration    int64           `json:"duration"` // milliseconds
	FileName    string          `json:"fileName"`
	FileSize    int64           `json:"fileSize"`
	Title       string          `json:"title"`
	Address     string          `json:"address"`
	Latitude    float64         `json:"latitude"`
	Longitude   float64         `json:"longitude"`
	Package     channel.Opaque  `json:"packageId"`
	Sticker     channel.Opaque  `json:"stickerId"`
	StickerKind string          `json:"stickerResourceType"`
	Keywords    []string        `json:"keywords"`
}

// provider says who has the file of a message: LINE, or a URL that the sender's app chose.
type provider struct {
	Type string `json:"type"`
	URL  string `json:"originalContentUrl"`
}

type imageSet struct {
	ID channel.Opaque `json:"id"`
}

type unsend struct {
	Message channel.Opaque `json:"messageId"`
}

type follow struct {
	Unblocked bool `json:"isUnblocked"`
}

type members struct {
	Members []source `json:"members"`
}

type postback struct {
	Data   string          `json:"data"`
	Params json.RawMessage `json:"params"`
}

type beacon struct {
	Device  string `json:"hwid"`
	Kind    string `json:"type"`
	Message string `json:"dm"`
}
