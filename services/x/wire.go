package x

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// What X posts. Fields that nothing here reads are left out. Ids are texts: they do not fit into a float.

// webhook is a call of either API: the newer one has everything below data.
type webhook struct {
	Data *struct {
		UUID   channel.Opaque `json:"event_uuid"` // of the delivery
		Filter struct {
			User channel.Opaque `json:"user_id"`
		} `json:"filter"`
		Type    string          `json:"event_type"`
		Payload json.RawMessage `json:"payload"`
	} `json:"data"`
	For    channel.Opaque `json:"for_user_id"`
	Events *struct {
		Revoke revoke `json:"revoke"`
	} `json:"user_event"`
	happened
}

// look is what tells whose a call is, of either API.
type look struct {
	For    channel.Opaque `json:"for_user_id"`
	Events struct {
		Revoke revoke `json:"revoke"`
	} `json:"user_event"`
	parties
	Data struct {
		Filter struct {
			User channel.Opaque `json:"user_id"`
		} `json:"filter"`
		Payload struct {
			User         channel.Opaque `json:"user_id"`
			Sender       channel.Opaque `json:"sender_id"`
			Conversation channel.Opaque `json:"conversation_id"`
			parties
		} `json:"payload"`
	} `json:"data"`
}

// parties are who takes part in what a call tells.
type parties struct {
	Messages channel.Few[struct {
		Create party `json:"message_create"`
	}] `json:"direct_message_events"`
	Typing channel.Few[party] `json:"direct_message_indicate_typing_events"`
	Read   channel.Few[party] `json:"direct_message_mark_read_events"`
}

type party struct {
	Sender channel.Opaque `json:"sender_id"`
	Target target         `json:"target"`
}

func (p parties) ids() (out []channel.Opaque) {
	for _, m := range p.Messages {
		out = append(out, m.Create.Sender, m.Create.Target.Recipient)
	}
	for _, t := range append(p.Typing, p.Read...) {
		out = append(out, t.Sender, t.Target.Recipient)
	}
	return out
}

// accounts are whose the call is: those that it names, or else all who take part in what it tells.
func (l look) accounts() []channel.Opaque {
	p := l.Data.Payload
	of := []channel.Opaque{l.For, l.Events.Revoke.Source.User, cmp.Or(l.Data.Filter.User, p.User)}
	if slices.ContainsFunc(of, func(id channel.Opaque) bool { return id != "" }) {
		return of
	}
	of = append(append(l.ids(), p.ids()...), p.Sender)
	for id := range strings.FieldsFuncSeq(string(p.Conversation), between) {
		of = append(of, channel.Opaque(id))
	}
	return of
}

// between separates the ids in the name of a conversation.
func between(c rune) bool { return c == ':' || c == '-' }

// happened are the arrays that both APIs have.
type happened struct {
	Messages []channel.Item[message] `json:"direct_message_events"`
	Typing   []channel.Item[typing]  `json:"direct_message_indicate_typing_events"`
	Read     []channel.Item[read]    `json:"direct_message_mark_read_events"`
	Users    map[string]user         `json:"users"`
}

// payload is that of the newer API, where it is no array.
type payload struct {
	happened
	ID           channel.Opaque `json:"id"`
	Sender       channel.Opaque `json:"sender_id"`
	Conversation channel.Opaque `json:"conversation_id"`
	Created      channel.Stamp  `json:"created_at_msec"`
	User         channel.Opaque `json:"user_id"`
	At           string         `json:"date_time"`
}

type message struct {
	Type    string         `json:"type"`
	ID      channel.Opaque `json:"id"`
	Created channel.Stamp  `json:"created_timestamp"`
	Via     *struct {
		Tweet   channel.Opaque `json:"tweet_id"`
		Welcome channel.Opaque `json:"welcome_message_id"`
	} `json:"initiated_via"`
	Create *struct {
		Target target         `json:"target"`
		Sender channel.Opaque `json:"sender_id"`
		Data   messageData    `json:"message_data"`
	} `json:"message_create"`
}

type target struct {
	Recipient    channel.Opaque `json:"recipient_id"`
	Conversation channel.Opaque `json:"conversation_id"` // of a group
}

type messageData struct {
	Text       string `json:"text"` // with &amp; &lt; &gt;
	Attachment *struct {
		Type     string    `json:"type"`
		Media    *media    `json:"media"`
		Location *location `json:"location"`
	} `json:"attachment"`
	Chosen *struct {
		Type string `json:"type"`
		Data string `json:"metadata"`
	} `json:"quick_reply_response"`
}

type media struct {
	Type  string `json:"type"` // photo, video, animated_gif
	URL   string `json:"media_url_https"`
	Short string `json:"url"` // as it stands in the text
	Video *struct {
		Variants []channel.Item[variant] `json:"variants"`
	} `json:"video_info"`
}

type variant struct {
	Rate int64  `json:"bitrate"`
	Kind string `json:"content_type"`
	URL  string `json:"url"`
}

type location struct {
	Shared *struct {
		Coordinates struct {
			LonLat []float64 `json:"coordinates"` // the longitude first
		} `json:"coordinates"`
	} `json:"shared_coordinate"`
}

type typing struct {
	Created channel.Stamp  `json:"created_timestamp"`
	Sender  channel.Opaque `json:"sender_id"`
}

type read struct {
	Created channel.Stamp  `json:"created_timestamp"`
	Sender  channel.Opaque `json:"sender_id"`
	Last    channel.Opaque `json:"last_read_event_id"`
}

type revoke struct {
	At     string `json:"date_time"`
	Source struct {
		User channel.Opaque `json:"user_id"`
	} `json:"source"`
}

// user is what both APIs say of somebody; the newer one says it below data.
type user struct {
	Name    string `json:"name"`
	Handle  string `json:"screen_name"`
	Picture string `json:"profile_image_url_https"`
	Data    *struct {
		Name    string `json:"name"`
		Handle  string `json:"username"`
		Picture string `json:"profile_image_url"`
	} `json:"data"`
}
