package whatsapp

import (
	"encoding/json"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
)

// What Meta posts. Fields that nobody reads are left out.

type batch struct {
	Object string  `json:"object"`
	Entry  []entry `json:"entry"`
}

type entry struct {
	ID      channel.Opaque `json:"id"` // of the WhatsApp Business Account
	Changes []change       `json:"changes"`
}

type change struct {
	Field string `json:"field"`
	Value value  `json:"value"`
}

type value struct {
	Metadata    metadata                   `json:"metadata"`
	Contacts    []contact                  `json:"contacts"`
	Messages    []channel.Item[message]    `json:"messages"`
	Echoes      []channel.Item[message]    `json:"message_echoes"`
	Statuses    []channel.Item[status]     `json:"statuses"`
	Preferences []channel.Item[preference] `json:"user_preferences"`
	IDUpdates   []channel.Item[idUpdate]   `json:"user_id_update"`
	Calls       []channel.Item[call]       `json:"calls"`
	Errors      []meta.Problem             `json:"errors"`
}

type metadata struct {
	Number channel.Opaque `json:"phone_number_id"`
}

type contact struct {
	Profile struct {
		Name     string `json:"name"`
		Username string `json:"username"`
	} `json:"profile"`
	WaID         channel.Opaque `json:"wa_id"`
	UserID       channel.Opaque `json:"user_id"`
	ParentUserID channel.Opaque `json:"parent_user_id"`
}

type message struct {
	ID           channel.Opaque `json:"id"`
	From         channel.Opaque `json:"from"`
	FromUserID   channel.Opaque `json:"from_user_id"`
	FromParentID channel.Opaque `json:"from_parent_user_id"`
	To           channel.Opaque `json:"to"`
	ToUserID     channel.Opaque `json:"to_user_id"`
	ToParentID   channel.Opaque `json:"to_parent_user_id"`
	Group        channel.Opaque `json:"group_id"`
	Timestamp    channel.Stamp  `json:"timestamp"`
	Type         string         `json:"type"`
	Origin       string         `json:"origin"`
	Context      *quoted        `json:"context"`
	Referral     *referral      `json:"referral"`

	Text        *textPart       `json:"text"`
	Image       *media          `json:"image"`
	Video       *media          `json:"video"`
	Audio       *media          `json:"audio"`
	Voice       *media          `json:"voice"`
	Document    *media          `json:"document"`
	Sticker     *media          `json:"sticker"`
	Location    *location       `json:"location"`
	Contacts    []card          `json:"contacts"`
	Reaction    *reaction       `json:"reaction"`
	Interactive *interactive    `json:"interactive"`
	Button      *templateButton `json:"button"`
	Order       *order          `json:"order"`
	System      *system         `json:"system"`
	Edit        *edit           `json:"edit"`
	Revoke      *revoke         `json:"revoke"`
}

type quoted struct {
	ID                  channel.Opaque `json:"id"`
	Forwarded           bool           `json:"forwarded"`
	FrequentlyForwarded bool           `json:"frequently_forwarded"`
	Product             *struct {
		ID channel.Opaque `json:"product_retailer_id"`
	} `json:"referred_product"`
}

type referral struct {
	SourceURL  string         `json:"source_url"`
	SourceID   channel.Opaque `json:"source_id"`
	SourceType string         `json:"source_type"`
	Headline   string         `json:"headline"`
	Body       string         `json:"body"`
	ImageURL   string         `json:"image_url"`
	VideoURL   string         `json:"video_url"`
	ClickID    string         `json:"ctwa_clid"`
}

type textPart struct {
	Body string `json:"body"`
}

type media struct {
	ID       channel.Opaque `json:"id"`
	MIME     string         `json:"mime_type"`
	SHA256   string         `json:"sha256"` // base64
	Caption  string         `json:"caption"`
	Filename string         `json:"filename"`
	URL      string         `json:"url"`
	Voice    bool           `json:"voice"`
	Animated bool           `json:"animated"`
}

type location struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name,omitempty"`
	Address   string  `json:"address,omitempty"`
	URL       string  `json:"url,omitempty"`
}

type reaction struct {
	MessageID string `json:"message_id"`
	Emoji     string `json:"emoji"`
}

type interactive struct {
	Type   string  `json:"type"`
	Button *choice `json:"button_reply"`
	List   *choice `json:"list_reply"`
	Form   *struct {
		Name     string          `json:"name"`
		Body     string          `json:"body"`
		Response json.RawMessage `json:"response_json"`
	} `json:"nfm_reply"`
	CallPermission json.RawMessage `json:"call_permission_reply"`
}

type choice struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

type templateButton struct {
	Payload string `json:"payload"`
	Text    string `json:"text"`
}

type order struct {
	CatalogID channel.Opaque `json:"catalog_id"`
	Text      string         `json:"text"`
	Items     []struct {
		Product  channel.Opaque `json:"product_retailer_id"`
		Quantity channel.Opaque `json:"quantity"`
		Price    channel.Opaque `json:"item_price"`
		Currency string         `json:"currency"`
	} `json:"product_items"`
}

type system struct {
	Body             string         `json:"body"`
	Type             string         `json:"type"`
	WaID             channel.Opaque `json:"wa_id"`     // the new number
	NewWaID          channel.Opaque `json:"new_wa_id"` // the same, in older payloads
	UserID           channel.Opaque `json:"user_id"`
	ParentUserID     channel.Opaque `json:"parent_user_id"`
	PreviousUserID   channel.Opaque `json:"previous_user_id"`
	PreviousParentID channel.Opaque `json:"previous_parent_user_id"`
}

type edit struct {
	Original channel.Opaque `json:"original_message_id"`
	Message  *message       `json:"message"`
}

type revoke struct {
	Original channel.Opaque `json:"original_message_id"`
}

type status struct {
	ID                channel.Opaque `json:"id"`
	Status            string         `json:"status"`
	Timestamp         channel.Stamp  `json:"timestamp"`
	Recipient         channel.Opaque `json:"recipient_id"`
	RecipientUser     channel.Opaque `json:"recipient_user_id"`
	RecipientParent   channel.Opaque `json:"parent_recipient_user_id"`
	RecipientType     string         `json:"recipient_type"`
	ParticipantNumber channel.Opaque `json:"recipient_participant_id"`
	ParticipantUser   channel.Opaque `json:"recipient_participant_user_id"`
	ClientRef         string         `json:"biz_opaque_callback_data"`
	Pricing           struct {
		Category string `json:"category"`
	} `json:"pricing"`
	Errors []meta.Problem `json:"errors"`
}

type preference struct {
	WaID      channel.Opaque `json:"wa_id"`
	UserID    channel.Opaque `json:"user_id"`
	ParentID  channel.Opaque `json:"parent_user_id"`
	Category  string         `json:"category"`
	Value     string         `json:"value"`
	Timestamp channel.Stamp  `json:"timestamp"`
}

type idUpdate struct {
	WaID      channel.Opaque `json:"wa_id"`
	UserID    turned         `json:"user_id"`
	ParentID  turned         `json:"parent_user_id"`
	Timestamp channel.Stamp  `json:"timestamp"`
}

type turned struct {
	Previous channel.Opaque `json:"previous"`
	Current  channel.Opaque `json:"current"`
}

type call struct {
	ID         channel.Opaque `json:"id"`
	From       channel.Opaque `json:"from"`
	FromUserID channel.Opaque `json:"from_user_id"`
	Event      string         `json:"event"`
	Direction  string         `json:"direction"`
	Timestamp  channel.Stamp  `json:"timestamp"`
}
