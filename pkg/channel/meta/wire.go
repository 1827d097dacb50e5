package meta

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// What Meta posts about conversations, alike in Messenger and on Instagram. Fields that nothing here reads are left out.

// Postback is a pressed button.
type Postback struct {
	MID      channel.Opaque `json:"mid"` // older ones have none
	Title    string         `json:"title"`
	Payload  string         `json:"payload"` // only the app that sent the button gets it
	Referral *Referral      `json:"referral"`
}

// QuickReply is what somebody chose above the text field.
type QuickReply struct {
	Payload string `json:"payload"`
}

// Referral is the link, the ad or the product that led to a conversation.
type Referral struct {
	Ref     string         `json:"ref"`
	Source  string         `json:"source"`
	Type    string         `json:"type"`
	AdID    channel.Opaque `json:"ad_id"`
	URI     string         `json:"referer_uri"`
	Product *struct {
		ID channel.Opaque `json:"id"`
	} `json:"product"`
	Ad struct {
		Title string         `json:"ad_title"`
		Photo string         `json:"photo_url"`
		Video string         `json:"video_url"`
		Post  channel.Opaque `json:"post_id"`
	} `json:"ads_context_data"`
}

// Reaction is an emoji on a message, or its taking back.
type Reaction struct {
	MID    channel.Opaque `json:"mid"`
	Action string         `json:"action"` // react or unreact
	Word   string         `json:"reaction"`
	Emoji  string         `json:"emoji"`
}

// Edit is another text of a message.
type Edit struct {
	MID  channel.Opaque `json:"mid"`
	Text string         `json:"text"`
	Nth  channel.Opaque `json:"num_edit"`
}

// AppRoles are the roles of apps by their ids.
type AppRoles map[string][]string

// Control says which app has a conversation now.
type Control struct {
	Owner channel.Opaque `json:"new_owner_app_id"` // older events of a conversation that is taken have none: it is another's
}

// Element is a card or a product.
type Element struct {
	Title    string `json:"title"`
	Subtitle string `json:"subtitle"`
}

// StampText is a stamp as it stands in a Ref.
func StampText(s channel.Stamp) string { return strconv.FormatInt(int64(s), 10) }

// KeysOf lists the keys of an object as it came.
func KeysOf(raw json.RawMessage) []string {
	var m map[string]json.RawMessage
	_ = json.Unmarshal(raw, &m) // what is no object has none
	return slices.Sorted(maps.Keys(m))
}

// Kind is the name of the part of an item that says what happened.
func Kind(raw json.RawMessage) string {
	for _, k := range KeysOf(raw) {
		if k != "sender" && k != "recipient" && k != "timestamp" && k != "hop_context" {
			return k
		}
	}
	return "nothing"
}

// Collected are the events of one batch for one channel. The same may stand in a batch twice.
type Collected struct {
	channel.Parsed
	seen map[string]bool
}

// Add takes an event over, once.
func (c *Collected) Add(e event.Inbound) {
	key := string(e.Type) + " " + e.Ref
	if c.seen[key] {
		c.Ignore("repeated", "")
		return
	}
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	c.seen[key] = true
	c.Events = append(c.Events, e)
}

// Named lists the accounts that a batch names, as values of a setting. A subscription check names a channel by its verify token alone.
func Named(in channel.Inbound, setting string) []channel.Lookup {
	if in.Method == "GET" {
		return Subscribing(in)
	}
	var b struct {
		Entry channel.Few[struct {
			ID channel.Opaque `json:"id"`
		}] `json:"entry"`
	}
	if err := json.Unmarshal(in.Body, &b); err != nil && !channel.Malformed(err) {
		return nil
	}
	var out []channel.Lookup
	seen := map[channel.Opaque]bool{"": true}
	for _, e := range b.Entry {
		if !seen[e.ID] {
			seen[e.ID] = true
			out = append(out, channel.Lookup{Setting: setting, Value: string(e.ID)})
		}
	}
	return out
}

// IsAd reports whether a click on an ad led here, which opens a longer window.
func (f *Referral) IsAd() bool { return strings.EqualFold(f.Source, "ADS") }

// Event is the referral as events have it.
func (f *Referral) Event() *event.Referral {
	return &event.Referral{
		Code: f.Ref, Source: f.Source, SourceID: First(string(f.AdID), string(f.Ad.Post)), URL: f.URI, Headline: f.Ad.Title,
		MediaURL: First(f.Ad.Photo, f.Ad.Video),
	}
}

// Lead adds the ad or link that led to a message, or the product that it is about; a nil referral adds nothing. free is the kind of window
// that a click on an ad opens; empty: none of its own.
func (f *Referral) Lead(e *event.Inbound, free string) {
	if f == nil {
		return
	}
	if f.Product != nil && f.Product.ID != "" {
		if e.Content.ReplyTo == nil {
			e.Content.ReplyTo = &event.Quote{}
		}
		e.Content.ReplyTo.Product = string(f.Product.ID)
	}
	if ref := f.Event(); *ref != (event.Referral{}) {
		e.Content.Referral = ref
	}
	if f.IsAd() {
		e.OpensWindow = free
	}
}

// Content is a pressed button as a message.
func (p *Postback) Content() *event.Content {
	return &event.Content{Type: event.InteractType, Text: p.Title,
		Interaction: &event.Interaction{Kind: "postback", ID: p.Payload, Title: p.Title, Payload: p.Payload}}
}

// emojis are those of Meta's words for reactions, in conversations and below posts.
var emojis = map[string]string{
	"smile": "😆", "haha": "😆", "angry": "😠", "anger": "😠", "sad": "😢", "sorry": "😢", "wow": "😮", "love": "❤️", "like": "👍",
	"dislike": "👎", "care": "🤗",
}

// Reacted is a reaction by its emoji, else by Meta's word for it.
func Reacted(target, emoji, word string, removed bool) *event.Reaction {
	if removed {
		return &event.Reaction{Target: target, Action: "remove"}
	}
	return &event.Reaction{Target: target, Emoji: First(emoji, emojis[word], "👍"), Action: "add"}
}
