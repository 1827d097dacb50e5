package event

import (
	"encoding/json"
	"slices"
)

// ChannelType is one of the eleven families.
type ChannelType string

// The channel types.
const (
	WhatsApp  ChannelType = "whatsapp"
	Instagram ChannelType = "instagram"
	Facebook  ChannelType = "facebook"
	Telegram  ChannelType = "telegram"
	Line      ChannelType = "line"
	WeChat    ChannelType = "wechat"
	X         ChannelType = "x"
	RCS       ChannelType = "rcs"
	Email     ChannelType = "email"
	SMS       ChannelType = "sms"
	WebChat   ChannelType = "webchat"
)

// ChannelTypes lists all channel types in the order people see them.
var ChannelTypes = []ChannelType{WhatsApp, Instagram, Facebook, Telegram, Line, WeChat, X, RCS, Email, SMS, WebChat}

// MessageType says what a message is, for people and filters; the parts that are set say what it carries.
type MessageType string

// The message types.
const (
	Text         MessageType = "text"
	Image        MessageType = "image"
	Audio        MessageType = "audio"
	Video        MessageType = "video"
	Document     MessageType = "document"
	Sticker      MessageType = "sticker"
	LocationType MessageType = "location"
	ContactsType MessageType = "contact"
	InteractType MessageType = "interactive" // outbound: buttons, list …; inbound: what was chosen
	TemplateType MessageType = "template"
	ReactionType MessageType = "reaction"
	OrderType    MessageType = "order"
	StoryMention MessageType = "story_mention" // the business is named in somebody's story
	Story        MessageType = "story"         // a shared story; of an attachment: what a story shows, a picture or a video
	SystemType   MessageType = "system"
	Unsupported  MessageType = "unsupported" // a placeholder: Raw has what the provider sent (P2)
)

// Content is what a message says, in both directions. Which parts a channel takes is in its capabilities.
type Content struct {
	Type        MessageType     `json:"type"`
	Text        string          `json:"text,omitempty"`    // plain text, or the caption of the first attachment
	HTML        string          `json:"html,omitempty"`    // email; sanitised before anybody sees it
	Subject     string          `json:"subject,omitempty"` // email
	Attachments []Attachment    `json:"attachments,omitempty"`
	Location    *Location       `json:"location,omitempty"`
	Contacts    []Card          `json:"contacts,omitempty"`
	Interaction *Interaction    `json:"interaction,omitempty"` // inbound: a button, list row, form or postback was chosen
	Interactive *Interactive    `json:"interactive,omitempty"` // outbound: something to choose from
	Template    *Template       `json:"template,omitempty"`    // outbound: a message the provider approved
	Reaction    *Reaction       `json:"reaction,omitempty"`    // outbound: a reaction to the message with that provider id
	Order       *Order          `json:"order,omitempty"`
	ReplyTo     *Quote          `json:"reply_to,omitempty"`
	Referral    *Referral       `json:"referral,omitempty"` // the ad or link that led to this message
	Forwarded   bool            `json:"forwarded,omitempty"`
	Group       string          `json:"group,omitempty"`       // album: the provider's id shared by its items
	QuoteToken  string          `json:"quote_token,omitempty"` // inbound: what the provider wants back where this message is quoted
	ReadToken   string          `json:"read_token,omitempty"`  // inbound: what it wants back when this message was read
	Sticker     *StickerRef     `json:"sticker,omitempty"`     // a sticker of the provider's own packages
	MessageTag  string          `json:"message_tag,omitempty"` // Facebook: why it may be sent outside the window
	AsLink      bool            `json:"as_link,omitempty"`     // outbound: attachments that the channel does not take go as public URLs in the text
	Raw         json.RawMessage `json:"raw,omitempty"`         // the provider's own object, only where nothing else holds it
}

// Files returns every file of a content: its attachments, and those that fill a template.
func (c Content) Files() []Attachment {
	out := slices.Clone(c.Attachments)
	if c.Template != nil {
		out = filesOf(out, c.Template.Components)
	}
	return out
}

func filesOf(out []Attachment, cs []Component) []Attachment {
	for _, c := range cs {
		for _, p := range c.Parameters {
			if p.Attachment != nil {
				out = append(out, *p.Attachment)
			}
		}
		for _, card := range c.Cards {
			out = filesOf(out, card.Plain())
		}
	}
	return out
}

// Attachment is a file by reference. Inbound it starts pending, with MediaRef or URL saying where the provider has it.
type Attachment struct {
	ID       string      `json:"id,omitempty"` // att_…, derived for inbound
	Type     MessageType `json:"type"`         // image, audio, video, document, sticker or story
	MIME     string      `json:"mime,omitempty"`
	Name     string      `json:"name,omitempty"`
	Size     int64       `json:"size,omitempty"` // bytes
	Voice    bool        `json:"voice,omitempty"`
	Animated bool        `json:"animated,omitempty"`
	SHA256   string      `json:"sha256,omitempty"`    // hex, of the stored bytes or as the provider announced it
	MediaRef string      `json:"media_ref,omitempty"` // the provider's media id
	URL      string      `json:"url,omitempty"`       // the provider's URL inbound; never shown to people
	Blob     string      `json:"blob,omitempty"`      // key in the blob store once it is there
	Bytes    []byte      `json:"-"`                   // from an adapter: the file, if it came in the call itself
	Shape
	State   AttachmentState `json:"state,omitempty"`
	Until   Time            `json:"until,omitzero"` // of a remote file: the provider has it no longer; set by the host
	Error   *Error          `json:"error,omitempty"`
	Warning *Error          `json:"warning,omitempty"` // the file is there, and something about it is not as it was announced
}

// Shape is what a stored file shows of itself. What is not known is zero.
type Shape struct {
	Width      int    `json:"width,omitempty"`       // pixels, of a picture or video as it is shown
	Height     int    `json:"height,omitempty"`      // pixels
	DurationMs int64  `json:"duration_ms,omitempty"` // of audio and video
	Preview    string `json:"preview,omitempty"`     // key in the blob store of a small JPEG
}

// AttachmentState says whether the bytes are in our blob store.
type AttachmentState string

// The states of an attachment.
const (
	Pending AttachmentState = "pending"
	Ready   AttachmentState = "ready"
	Lost    AttachmentState = "failed"
	// Remote is a file that the provider lets nobody keep: it is never fetched, and shown from where the provider has it.
	Remote AttachmentState = "remote"
)

// StickerRef names a sticker of a provider's package, which needs no file to be sent.
type StickerRef struct {
	PackageID string `json:"package_id"`
	ID        string `json:"sticker_id"`
}

// Location is a place on earth (WGS 84) unless CRS says otherwise.
type Location struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name,omitempty"`
	Address   string  `json:"address,omitempty"`
	URL       string  `json:"url,omitempty"`
	CRS       string  `json:"crs,omitempty"` // e.g. GCJ-02 from WeChat
	Live      bool    `json:"live,omitempty"`
}

// Card is a shared contact card.
type Card struct {
	Name   string   `json:"name"`
	First  string   `json:"first_name,omitempty"`
	Last   string   `json:"last_name,omitempty"`
	Phones []string `json:"phones,omitempty"`
	Emails []string `json:"emails,omitempty"`
	URLs   []string `json:"urls,omitempty"`
	Org    string   `json:"org,omitempty"`
	VCard  string   `json:"vcard,omitempty"`
	Peer   string   `json:"peer,omitempty"` // the person's id on this channel, if the card has it
	Own    bool     `json:"own,omitempty"`  // the sender's own card
}

// Interaction is what a person chose.
type Interaction struct {
	Kind        string          `json:"kind"` // button, list, postback, form, quick_reply, call_permission, command
	ID          string          `json:"id,omitempty"`
	Title       string          `json:"title,omitempty"`
	Description string          `json:"description,omitempty"`
	Payload     string          `json:"payload,omitempty"`
	Data        json.RawMessage `json:"data,omitempty"` // a form's answers
	Ack         string          `json:"ack,omitempty"`  // what the provider wants acknowledged (Telegram callback_query id)
}

// Acknowledged reports whether the provider waits for an acknowledgement of what was chosen.
func (c *Content) Acknowledged() bool {
	return c != nil && c.Interaction != nil && c.Interaction.Ack != ""
}

// Interactive is something to choose from.
type Interactive struct {
	Kind     string    `json:"kind"` // buttons, list, link, location_request, contact_request, flow, reply_keyboard, force_reply, carousel
	Header   string    `json:"header,omitempty"`
	Body     string    `json:"body,omitempty"`
	Footer   string    `json:"footer,omitempty"`
	Button   string    `json:"button,omitempty"` // the label that opens a list, a link or a flow
	Buttons  []Choice  `json:"buttons,omitempty"`
	Sections []Section `json:"sections,omitempty"`
	URL      string    `json:"url,omitempty"`
	Flow     *Flow     `json:"flow,omitempty"`
}

// Choice is one button or list row. Kind says what it does: reply (brings its id back), url (opens a page), web_app (opens a page inside
// the app), text (writes its title), contact_request, location_request, dial (calls Phone), location (shows Location on a map), calendar
// (offers Event to the calendar). Without it a choice with a URL opens that, and any other does what the interactive message's first kind
// of choice on the channel does.
type Choice struct {
	Kind        string         `json:"kind,omitempty"`
	ID          string         `json:"id"`
	Title       string         `json:"title"`
	Description string         `json:"description,omitempty"`
	URL         string         `json:"url,omitempty"`
	Phone       string         `json:"phone,omitempty"` // E.164 with +
	Location    *Location      `json:"location,omitempty"`
	Event       *CalendarEvent `json:"event,omitempty"`
}

// CalendarEvent is what a choice offers to the calendar of whoever takes it.
type CalendarEvent struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Start       Time   `json:"start"`
	End         Time   `json:"end"`
}

// Section groups list rows, or is one card of several side by side, whose rows are its buttons.
type Section struct {
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"` // of a card
	Rows        []Choice `json:"rows"`
}

// Flow is a WhatsApp form.
type Flow struct {
	ID     string          `json:"id"`
	Token  string          `json:"token,omitempty"`
	Action string          `json:"action,omitempty"`
	Screen string          `json:"screen,omitempty"`
	Data   json.RawMessage `json:"data,omitempty"`
}

// Template names an approved message and fills its places.
type Template struct {
	Name       string      `json:"name"`
	Language   string      `json:"language"`
	Components []Component `json:"components,omitempty"`
}

// Component is one part of a template with its parameters.
type Component struct {
	Type       string         `json:"type"` // header, body, button, limited_time_offer, carousel
	SubType    string         `json:"sub_type,omitempty"`
	Index      string         `json:"index,omitempty"`
	Parameters []Parameter    `json:"parameters,omitempty"`
	Cards      []TemplateCard `json:"cards,omitempty"` // of a carousel
}

// TemplateCard is one card of a carousel.
type TemplateCard struct {
	Index      int             `json:"card_index"`
	Components []CardComponent `json:"components,omitempty"`
}

// CardComponent is one part of a card: a component that has no cards.
type CardComponent struct {
	Type       string      `json:"type"` // header, body or button
	SubType    string      `json:"sub_type,omitempty"`
	Index      string      `json:"index,omitempty"`
	Parameters []Parameter `json:"parameters,omitempty"`
}

// Plain returns the card's components as those of a template.
func (c TemplateCard) Plain() []Component {
	out := make([]Component, len(c.Components))
	for i, p := range c.Components {
		out[i] = Component{Type: p.Type, SubType: p.SubType, Index: p.Index, Parameters: p.Parameters}
	}
	return out
}

// Parameter fills one place of a template. Type names the field that has the value; image, video and document are attachments.
type Parameter struct {
	Type       string      `json:"type"`
	Name       string      `json:"parameter_name,omitempty"`
	Text       string      `json:"text,omitempty"`
	Payload    string      `json:"payload,omitempty"`
	Attachment *Attachment `json:"attachment,omitempty"`
	Currency   *Currency   `json:"currency,omitempty"`
	DateTime   *DateTime   `json:"date_time,omitempty"`
	Location   *Location   `json:"location,omitempty"`
	CouponCode string      `json:"coupon_code,omitempty"`
	Action     *FlowAction `json:"action,omitempty"`
	Offer      *Offer      `json:"limited_time_offer,omitempty"`
}

// Currency is an amount in thousandths of the currency's unit. Fallback is shown where the provider cannot write it in the reader's way.
type Currency struct {
	Fallback   string `json:"fallback_value"`
	Code       string `json:"code"` // ISO 4217
	Amount1000 int64  `json:"amount_1000"`
}

// DateTime is a time as it is shown.
type DateTime struct {
	Fallback string `json:"fallback_value"`
}

// FlowAction is what the button of a flow starts with.
type FlowAction struct {
	Token string          `json:"flow_token,omitempty"`
	Data  json.RawMessage `json:"flow_action_data,omitempty"`
}

// Offer is an offer that ends: the provider shows how much time is left.
type Offer struct {
	ExpirationMS int64 `json:"expiration_time_ms"` // Unix time in milliseconds
}

// Reaction is an emoji on a message; an empty emoji takes the reaction back.
type Reaction struct {
	Target string   `json:"target"`           // the provider's id of the message
	Emoji  string   `json:"emoji"`            // "" takes it back
	All    []string `json:"all,omitempty"`    // every reaction of that person now, where the provider says so
	Action string   `json:"action,omitempty"` // add or remove
}

// Order is a basket.
type Order struct {
	CatalogID string `json:"catalog_id"`
	Note      string `json:"note,omitempty"`
	Items     []Item `json:"items"`
}

// Item is a line of an order. Price is a decimal text in Currency.
type Item struct {
	ProductID string `json:"product_id"`
	Quantity  int    `json:"quantity"`
	Price     string `json:"price"`
	Currency  string `json:"currency"`
}

// Quote points at the message that is answered.
type Quote struct {
	MessageID  string `json:"message_id,omitempty"`  // ours, where it is known
	ExternalID string `json:"external_id,omitempty"` // the provider's
	Excerpt    string `json:"excerpt,omitempty"`
	Token      string `json:"token,omitempty"`   // outbound: the quoted message's quote token, where the provider gave one
	Story      string `json:"story,omitempty"`   // a story's id or URL
	Product    string `json:"product,omitempty"` // a product that is asked about
}

// Referral is the ad, post or link that led somebody here.
type Referral struct {
	Code     string `json:"code,omitempty"` // the payload of a deep link, or the click id of an ad
	Source   string `json:"source,omitempty"`
	SourceID string `json:"source_id,omitempty"`
	URL      string `json:"url,omitempty"`
	Headline string `json:"headline,omitempty"`
	Body     string `json:"body,omitempty"`
	MediaURL string `json:"media_url,omitempty"`
}

// Error is a failure as people see it: catalogued code, the provider's own words, and whether trying again can help.
type Error struct {
	Kind         string `json:"kind,omitempty"` // a fault kind
	Code         string `json:"code"`
	ProviderCode string `json:"provider_code,omitempty"`
	Title        string `json:"title,omitempty"`
	Detail       string `json:"detail,omitempty"`
	Retryable    bool   `json:"retryable"`
}
