package telegram

import (
	"encoding/json"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// What Telegram posts. Fields that nobody reads are left out.

type update struct {
	ID                channel.Opaque  `json:"update_id"`
	Message           *message        `json:"message"`
	EditedMessage     *message        `json:"edited_message"`
	ChannelPost       *message        `json:"channel_post"`
	EditedChannelPost *message        `json:"edited_channel_post"`
	BusinessMessage   *message        `json:"business_message"`
	EditedBusiness    *message        `json:"edited_business_message"`
	GuestMessage      *message        `json:"guest_message"`
	Callback          *callback       `json:"callback_query"`
	Reaction          *reactionChange `json:"message_reaction"`
	MyMember          *memberChange   `json:"my_chat_member"`
	Member            *memberChange   `json:"chat_member"`
	Connection        *connection     `json:"business_connection"`
	Deleted           *deletion       `json:"deleted_business_messages"`
}

type user struct {
	ID        channel.Opaque `json:"id"`
	IsBot     bool           `json:"is_bot"`
	FirstName string         `json:"first_name"`
	LastName  string         `json:"last_name"`
	Username  string         `json:"username"`
	Language  string         `json:"language_code"`
}

type chat struct {
	ID        channel.Opaque `json:"id"`
	Type      string         `json:"type"` // private, group, supergroup or channel
	Title     string         `json:"title"`
	FirstName string         `json:"first_name"` // of a private one
	LastName  string         `json:"last_name"`
	Username  string         `json:"username"`
}

type message struct {
	ID         channel.Opaque  `json:"message_id"`
	Business   channel.Opaque  `json:"business_connection_id"`
	Topic      channel.Opaque  `json:"message_thread_id"`
	IsTopic    bool            `json:"is_topic_message"`
	From       *user           `json:"from"`
	SenderChat *chat           `json:"sender_chat"`
	SenderBot  *user           `json:"sender_business_bot"`
	Chat       chat            `json:"chat"`
	Date       channel.Stamp   `json:"date"`
	EditDate   channel.Stamp   `json:"edit_date"`
	Origin     json.RawMessage `json:"forward_origin"`
	Album      channel.Opaque  `json:"media_group_id"`

	ReplyTo       *replied  `json:"reply_to_message"`
	ExternalReply *external `json:"external_reply"`
	ReplyToStory  *story    `json:"reply_to_story"`
	Quote         *struct {
		Text string `json:"text"`
	} `json:"quote"`

	Text      string   `json:"text"`
	Entities  []entity `json:"entities"`
	Caption   string   `json:"caption"`
	CEntities []entity `json:"caption_entities"`

	Animation *file     `json:"animation"`
	LivePhoto *file     `json:"live_photo"`
	Video     *file     `json:"video"`
	VideoNote *file     `json:"video_note"`
	Voice     *file     `json:"voice"`
	Audio     *file     `json:"audio"`
	Sticker   *file     `json:"sticker"`
	Document  *file     `json:"document"`
	Photo     []file    `json:"photo"`
	Venue     *venue    `json:"venue"`
	Location  *location `json:"location"`
	Contact   *card     `json:"contact"`
	Dice      *dice     `json:"dice"`
	Markup    *markup   `json:"reply_markup"`

	Members     []user         `json:"new_chat_members"`
	Left        *user          `json:"left_chat_member"`
	MigrateTo   channel.Opaque `json:"migrate_to_chat_id"`
	MigrateFrom channel.Opaque `json:"migrate_from_chat_id"`
	NewTitle    string         `json:"new_chat_title"`
	UsersShared *usersShared   `json:"users_shared"`
	ChatShared  *chatShared    `json:"chat_shared"`
	WebApp      *webApp        `json:"web_app_data"`
	Poll        *titled        `json:"poll"`
	Game        *titled        `json:"game"`
	Invoice     *titled        `json:"invoice"`
	Checklist   *titled        `json:"checklist"`
}

type replied struct {
	ID      channel.Opaque `json:"message_id"`
	Chat    chat           `json:"chat"`
	Text    string         `json:"text"`
	Caption string         `json:"caption"`
}

type external struct {
	Chat *chat          `json:"chat"`
	ID   channel.Opaque `json:"message_id"`
}

type story struct {
	Chat chat           `json:"chat"`
	ID   channel.Opaque `json:"id"`
}

type entity struct {
	Type     string         `json:"type"`
	Offset   int            `json:"offset"` // in UTF-16 units, like Length
	Length   int            `json:"length"`
	URL      string         `json:"url,omitempty"`
	User     *user          `json:"user,omitempty"`
	Language string         `json:"language,omitempty"`
	Emoji    channel.Opaque `json:"custom_emoji_id,omitempty"`
}

type file struct {
	ID         string `json:"file_id"`
	Name       string `json:"file_name"`
	MIME       string `json:"mime_type"`
	Size       int64  `json:"file_size"`
	Width      int64  `json:"width"`
	Height     int64  `json:"height"`
	Emoji      string `json:"emoji"`
	IsAnimated bool   `json:"is_animated"`
	IsVideo    bool   `json:"is_video"`
	Thumbnail  *file  `json:"thumbnail"`
}

type location struct {
	Latitude   float64 `json:"latitude"`
	Longitude  float64 `json:"longitude"`
	LivePeriod int64   `json:"live_period"`
}

type venue struct {
	Title    string   `json:"title"`
	Address  string   `json:"address"`
	Location location `json:"location"`
}

type card struct {
	Phone     string         `json:"phone_number"`
	FirstName string         `json:"first_name"`
	LastName  string         `json:"last_name"`
	VCard     string         `json:"vcard"`
	UserID    channel.Opaque `json:"user_id"`
}

type dice struct {
	Emoji string `json:"emoji"`
	Value int    `json:"value"`
}

type usersShared struct {
	Users []sharedUser `json:"users"`
}

// sharedUser is a user, whose id has another name.
type sharedUser struct {
	ID        channel.Opaque `json:"user_id"`
	FirstName string         `json:"first_name"`
	LastName  string         `json:"last_name"`
	Username  string         `json:"username"`
}

type chatShared struct {
	ID    channel.Opaque `json:"chat_id"`
	Title string         `json:"title"`
}

// titled is a part of which we show the title.
type titled struct {
	Title    string `json:"title"`
	Question string `json:"question"`
}

type webApp struct {
	Data   string `json:"data"`
	Button string `json:"button_text"`
}

type markup struct {
	Inline [][]struct {
		Text string `json:"text"`
		Data string `json:"callback_data"`
	} `json:"inline_keyboard"`
}

type callback struct {
	ID      channel.Opaque `json:"id"`
	From    user           `json:"from"`
	Message *message       `json:"message"`
	Inline  channel.Opaque `json:"inline_message_id"`
	Data    string         `json:"data"`
	Game    string         `json:"game_short_name"`
}

type reactionChange struct {
	Chat  chat           `json:"chat"`
	ID    channel.Opaque `json:"message_id"`
	User  *user          `json:"user"`
	Actor *chat          `json:"actor_chat"`
	Date  channel.Stamp  `json:"date"`
	Old   []reaction     `json:"old_reaction"`
	New   []reaction     `json:"new_reaction"`
}

type reaction struct {
	Type   string         `json:"type"` // emoji, custom_emoji or paid
	Emoji  string         `json:"emoji"`
	Custom channel.Opaque `json:"custom_emoji_id"`
}

type memberChange struct {
	Chat chat          `json:"chat"`
	From user          `json:"from"`
	Date channel.Stamp `json:"date"`
	Old  member        `json:"old_chat_member"`
	New  member        `json:"new_chat_member"`
}

type member struct {
	Status   string `json:"status"`
	User     user   `json:"user"`
	IsMember bool   `json:"is_member"` // of a restricted one
}

type connection struct {
	ID      channel.Opaque `json:"id"`
	User    user           `json:"user"`
	Date    channel.Stamp  `json:"date"`
	Enabled bool           `json:"is_enabled"`
}

type deletion struct {
	Business channel.Opaque   `json:"business_connection_id"`
	Chat     chat             `json:"chat"`
	IDs      []channel.Opaque `json:"message_ids"`
}
