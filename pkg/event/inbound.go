package event

import "encoding/json"

// Inbound is one thing that a channel reported: the payload of everything adapters produce. Which sections are set follows
// from the event's type.
type Inbound struct {
	Type        Type        `json:"type"`
	ChannelID   string      `json:"channel_id"`   // set by the host
	ChannelType ChannelType `json:"channel_type"` // set by the host
	// Ref is unique per channel and occurrence: the same when the provider sends the event again, another one for the next
	// edit, reaction or receipt. The adapter composes it; the event's id is derived from (tenant, channel, type, ref).
	Ref        string   `json:"ref"`
	Peer       string   `json:"peer,omitempty"`        // the person (or group) in the provider's terms; empty for account events
	Aliases    []string `json:"aliases,omitempty"`     // other ids of the same peer that this event proves
	ExternalID string   `json:"external_id,omitempty"` // the provider's id of the message this is, or is about
	ProviderAt Time     `json:"provider_at,omitzero"`  // when it happened, by the provider's clock; shown, never sorted by
	ReceivedAt Time     `json:"received_at,omitzero"`  // when we got it; set by the host
	Post       *Post    `json:"post,omitempty"`        // comments: which post; part of the thread's identity
	// Standby says that another app of the account has the conversation, after what happened here: it is recorded, and no machine answers.
	Standby bool `json:"standby,omitempty"`

	// Sender is who did it. In a chat with one person that is the peer; in a group it is the one of them whom Author names.
	Sender *Profile `json:"sender,omitempty"`
	// Profile is what the provider says about the peer, where the peer is not the sender: a group's subject, and the customer's name
	// with what the business wrote or did itself.
	Profile *Profile `json:"profile,omitempty"`
	Echo    bool     `json:"echo,omitempty"` // the business did it from another client: an edit, a deletion, a reaction, a comment that was hidden

	Content     *Content        `json:"content,omitempty"`      // received, echoed, edited
	Target      string          `json:"target,omitempty"`       // edited, deleted, reacted, hidden: the provider's id of the message meant
	Reaction    *Reaction       `json:"reaction,omitempty"`     // reacted
	Hidden      *bool           `json:"hidden,omitempty"`       // hidden: true, or false for what is shown again
	Typing      *bool           `json:"typing,omitempty"`       // typing on or off
	Referral    *Referral       `json:"referral,omitempty"`     // referred
	Membership  *Membership     `json:"membership,omitempty"`   // membership
	Identity    *Identity       `json:"identity,omitempty"`     // identified
	Consent     *Consent        `json:"consent,omitempty"`      // consented
	Page        *Page           `json:"page,omitempty"`         // page viewed
	Account     *Account        `json:"account,omitempty"`      // account
	Receipt     *Receipt        `json:"receipt,omitempty"`      // receipt received, watermark
	ReplyHandle *ReplyHandle    `json:"reply_handle,omitempty"` // received: lets the business answer this message by it
	OpensWindow string          `json:"opens_window,omitempty"` // kind of window this opens beyond the channel's rule: "free_entry", "call"; of what is no message "message", if it opens what messages do
	Piece       *Piece          `json:"-"`                      // received: it is a part of a longer message, which the host puts together
	Tap         bool            `json:"tap,omitempty"`          // received: for the provider it is no message, and opens no window but that of OpensWindow
	Raw         json.RawMessage `json:"raw,omitempty"`          // the provider's object, where the sections above lose something
}

// PeerProfile returns what the event says about the peer; nil if it says nothing.
func (in Inbound) PeerProfile() *Profile {
	if in.Profile != nil || in.Sender == nil || in.Sender.Author != "" || in.Type == MessageEchoed || in.Echo {
		return in.Profile
	}
	return in.Sender
}

// OfGroup reports whether the peer is a group: the event says so, or who of it the sender is.
func (in Inbound) OfGroup() bool {
	return in.Profile != nil && in.Profile.Group || in.Sender != nil && in.Sender.Author != ""
}

// Post is what comments are written under.
type Post struct {
	ID      string `json:"id"`
	URL     string `json:"url,omitempty"`
	Comment string `json:"comment,omitempty"` // the parent comment
}

// Profile is what the provider says about a person or a group. Names and phone numbers are traits, never identities.
type Profile struct {
	Name      string `json:"name,omitempty"`
	Username  string `json:"username,omitempty"`
	Phone     string `json:"phone,omitempty"` // E.164 with +
	Email     string `json:"email,omitempty"`
	Locale    string `json:"locale,omitempty"`
	AvatarRef string `json:"avatar_ref,omitempty"` // the picture: an https URL, or a reference that only the channel can follow
	Author    string `json:"author,omitempty"`     // groups: who of the group wrote, in the provider's terms
	Group     bool   `json:"group,omitempty"`      // it is of a group or a channel: the name is its subject
	Verified  bool   `json:"verified,omitempty"`
}

// ReplyHandle is what a provider gives with a message so that the answer can name it: a reply token, the id of a call that may be
// answered. It is taken by one message for each of its uses.
type ReplyHandle struct {
	Token string `json:"token"`
	Until Time   `json:"until"` // the provider takes it no longer
	Uses  int    `json:"uses"`  // how many messages may use it
}

// Membership says how the person stands to the account now.
type Membership struct {
	State string `json:"state"` // followed, unfollowed, blocked, unblocked, joined, left
}

// Identity is a change of ids: everything in Old is, from now on, New (unless New is empty: old ids are retired). Without Old the ids in
// New are further ones of the person; without any the event says what their profile says.
type Identity struct {
	Old    []string `json:"old"`
	New    []string `json:"new"`
	Reason string   `json:"reason"`
}

// Piece says which part of a longer message this is, for providers that hand over what networks carry in parts.
type Piece struct {
	Ref   string `json:"ref"`   // what the parts of one message have in common; networks use the same again after a while
	Part  int    `json:"part"`  // 1, 2 …
	Total int    `json:"total"` // how many there are
}

// ConsentMessages is the category of a consent to any message on the channel, whatever it is about.
const ConsentMessages = "messages"

// Consent is an opt-in or opt-out.
type Consent struct {
	Category string `json:"category"`         // marketing, or ConsentMessages: then it is about the channel alone
	Value    string `json:"value"`            // in or out
	Answer   bool   `json:"answer,omitempty"` // a word that people also answer questions with: it counts only from who has opted out
}

// Page is a page of the customer's visit.
type Page struct {
	URL   string `json:"url"`
	Title string `json:"title,omitempty"`
}

// Account is news about the channel's account.
type Account struct {
	What   string `json:"what"` // the provider's name of the field: template_status, quality, error …
	Detail string `json:"detail,omitempty"`
	Error  *Error `json:"error,omitempty"`
}

// Receipt is a provider's word about our messages. A receipt names one message (Inbound.ExternalID); a watermark covers
// everything to that peer up to UpTo, or up to and including the message Inbound.ExternalID.
type Receipt struct {
	Status      DeliveryStatus `json:"status"`
	Error       *Error         `json:"error,omitempty"`
	UpTo        Time           `json:"up_to,omitzero"`
	Participant string         `json:"participant,omitempty"` // groups: who of the group
	ClientRef   string         `json:"client_ref,omitempty"`  // our own reference, where the provider hands it back
	Billing     string         `json:"billing,omitempty"`     // the provider's pricing category
	Via         string         `json:"via,omitempty"`         // it went another way than the channel's: sms, video_sms
}

// DeliveryStatus is how far a message got.
type DeliveryStatus string

// The statuses. Their order is [DeliveryStatus.Rank].
const (
	Queued    DeliveryStatus = "queued"
	Unsure    DeliveryStatus = "unknown" // it may have been sent; only a receipt, an echo or a person can tell
	Accepted  DeliveryStatus = "accepted"
	Sent      DeliveryStatus = "sent"
	Failed    DeliveryStatus = "failed"
	Delivered DeliveryStatus = "delivered"
	Read      DeliveryStatus = "read"
)

var ranks = map[DeliveryStatus]int{Queued: 1, Unsure: 2, Accepted: 3, Sent: 4, Failed: 5, Delivered: 6, Read: 7}

// Rank orders statuses: queued < unknown < accepted < sent < failed < delivered < read. An unknown word ranks 0.
func (s DeliveryStatus) Rank() int { return ranks[s] }

// Webhook is a call as the journal keeps it: headers redacted, the body whole or in the blob store.
type Webhook struct {
	ChannelID string              `json:"channel_id,omitempty"`
	Type      ChannelType         `json:"channel_type"`
	Method    string              `json:"method"`
	Path      string              `json:"path"`
	Query     map[string][]string `json:"query,omitempty"`
	Header    map[string][]string `json:"header,omitempty"`
	Body      []byte              `json:"body,omitempty"`
	BodyBlob  string              `json:"body_blob,omitempty"`
	Verdict   string              `json:"verdict"` // accepted, handshake, unparsable, ignored, replayed
	Reason    string              `json:"reason,omitempty"`
	Events    []string            `json:"events,omitempty"`  // ids of what it gave rise to
	Dropped   map[string]int      `json:"dropped,omitempty"` // reason → how many items were not for us
	At        Time                `json:"at"`
}

// WantedMedia asks the channel's service to fetch a file.
type WantedMedia struct {
	ChannelID  string     `json:"channel_id"`
	Peer       string     `json:"peer"`
	Ref        string     `json:"ref"` // of the message
	Index      int        `json:"index"`
	Attachment Attachment `json:"attachment"`
	ExpiresAt  Time       `json:"expires_at,omitzero"` // after that the provider has it no more
}

// Attached says that a file was fetched, or never will be.
type Attached struct {
	ChannelID   string      `json:"channel_id"`
	ChannelType ChannelType `json:"channel_type"`
	Peer        string      `json:"peer"`
	Ref         string      `json:"ref"` // of the message
	Attachment  Attachment  `json:"attachment"`
}
