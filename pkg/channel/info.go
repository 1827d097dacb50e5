package channel

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Info is the static description of a channel type. A type is a family: what one of its channels can do follows from that channel's
// settings, and [Info.For] says it. The rules in here are those of a channel with default settings, as GET /v1/channel-types shows them.
type Info struct {
	Type     event.ChannelType `json:"type"`
	Title    string            `json:"title"` // for people: "WhatsApp"
	Docs     string            `json:"docs"`  // the provider's documentation
	Settings []Field           `json:"settings"`
	Account  []string          `json:"account"` // settings that name the provider's account; claimed once across tenants
	Inbound  InboundRules      `json:"inbound"`
	Offline  bool              `json:"offline"` // offline messages apply
	// Session says that channels of the type may send and receive on one connection, which one process holds: outbound records of the
	// type are keyed by channel, so that one partition's owner sends them, and have the recipient as their lane.
	Session bool `json:"session,omitempty"`
	// Addresses are the forms in which people can write whom to reach; the first that fits is taken.
	Addresses []AddressForm `json:"addresses,omitempty"`
	RuleSet
	Variants []Variant `json:"variants,omitempty"` // channels of the type that have other rules; the first that matches counts
}

// Field is one field of the channel's form.
type Field struct {
	Key       string            `json:"key"` // may stand twice, for different values of another setting (When)
	Label     string            `json:"label"`
	Help      string            `json:"help,omitempty"`
	Kind      string            `json:"kind,omitempty"` // text (default), number, bool, list, object
	Item      string            `json:"item,omitempty"` // of a list, what its items are: text (default), origin
	Secret    bool              `json:"secret,omitempty"`
	Optional  bool              `json:"optional,omitempty"`
	OneOf     []string          `json:"one_of,omitempty"`
	Default   string            `json:"default,omitempty"`
	Pattern   string            `json:"pattern,omitempty"`    // of the text, or of every item of a list
	MinLength int               `json:"min_length,omitempty"` // characters of a secret that people choose; of a provider's: zero
	When      map[string]string `json:"when,omitempty"`       // only if that setting has that value, e.g. provider=cloud
	Names     bool              `json:"names,omitempty"`      // of one secret: app-level calls name the channel by it
}

// InboundRules is what comes in, and how.
type InboundRules struct {
	MaxBody  int64 `json:"max_body"`  // bytes of one webhook; more is 413
	Retries  bool  `json:"retries"`   // the provider calls again after a 5xx; if not, the spool keeps what Kafka cannot take
	AppLevel bool  `json:"app_level"` // one callback for many accounts
	// AnswerWithin is after how long the provider gives a call up; zero: it does not say. The host answers before that, if need be 503.
	AnswerWithin Duration `json:"answer_within,omitzero"`
	Redact       []string `json:"redact"` // headers the journal must not keep, besides Authorization and Cookie
	ReplyTo      bool     `json:"reply_to"`
	Reactions    bool     `json:"reactions"`
	Edits        bool     `json:"edits"`
	Deletes      bool     `json:"deletes"`
	Typing       bool     `json:"typing"`
	InParts      bool     `json:"in_parts,omitempty"`    // long messages come in parts (event.Piece), which the host puts together
	MediaFor     Duration `json:"media_for"`             // how long the provider keeps media; zero means no promise
	MaxMedia     int64    `json:"max_media"`             // bytes of a file that we fetch at most; a variant may have another limit
	MediaHosts   []string `json:"media_hosts,omitempty"` // hosts that may see our credentials while fetching
	// Profiles is how often the provider may be asked who people are; nil: it says so by itself, or not at all.
	Profiles *Rate `json:"profiles,omitempty"`
}

// SendRules is what goes out, with its limits.
type SendRules struct {
	Types           []event.MessageType             `json:"types"`
	Text            Limit                           `json:"text"`
	Split           int                             `json:"split,omitempty"` // messages that Render may split a longer text into; 0: never
	Caption         Limit                           `json:"caption"`
	Media           map[event.MessageType]MediaRule `json:"media,omitempty"`
	Interactive     map[string]InteractiveRule      `json:"interactive,omitempty"` // by kind: buttons, list …
	ReplyTo         bool                            `json:"reply_to"`
	Reactions       bool                            `json:"reactions"`
	Signals         []string                        `json:"signals,omitempty"` // typing_on, typing_off, read, ack
	Actions         map[event.ActionKind]ActionRule `json:"actions,omitempty"` // what can be done to messages that are there
	Attachments     int                             `json:"attachments"`       // per message; each may be a part of its own
	Subject         bool                            `json:"subject"`
	HTML            bool                            `json:"html"`
	Together        map[string][]string             `json:"together,omitempty"` // part of a message → the parts that can stand beside it; a part without an entry stands beside all
	Template        *TemplateRule                   `json:"template,omitempty"`
	Contact         *ContactRule                    `json:"contact,omitempty"`
	Groups          *GroupRule                      `json:"groups,omitempty"`
	Albums          map[event.MessageType]string    `json:"albums,omitempty"` // kinds of files that can be one message at the provider together → which
	AlbumMax        int                             `json:"album_max,omitempty"`
	StickerPackages bool                            `json:"sticker_packages,omitempty"` // stickers are sent by the ids of a package, too
	PerCall         int                             `json:"per_call,omitempty"`         // messages that go to the provider in one call; 0: one
	Whole           bool                            `json:"whole,omitempty"`            // everything is one message at the provider; otherwise each part is one
	Idempotent      bool                            `json:"idempotent"`                 // the provider takes an idempotency key
	Concurrency     int                             `json:"concurrency"`                // calls at once per channel
	Rates           []Rate                          `json:"rates"`
	Timeout         Duration                        `json:"timeout"`         // of one call
	Upload          Duration                        `json:"upload,omitzero"` // what a call with files may take longer; zero: the host's own time
}

// Limit is a maximum length. Zero Max means no limit.
type Limit struct {
	Max  int  `json:"max"`
	Unit Unit `json:"unit"`
}

// Unit is how a provider counts text.
type Unit string

// The units.
const (
	Runes    Unit = "runes"
	Bytes    Unit = "bytes"
	UTF16    Unit = "utf16"
	Segments Unit = "segments"
)

// MediaRule is what files of one kind may be.
type MediaRule struct {
	MIME     []string `json:"mime"` // "image/jpeg", or "image/*"
	MaxBytes int64    `json:"max_bytes"`
	Caption  bool     `json:"caption"`
	Voice    []string `json:"voice,omitempty"` // of audio: the types that are played like a spoken message if the sender chooses so
}

// InteractiveRule says what one kind of interactive message has, by the names of the API: header, body, footer, button, buttons,
// sections, section_title, section_description, description, url, flow. Everything that is neither needed nor taken is refused.
type InteractiveRule struct {
	Needs           []string            `json:"needs,omitempty"`
	Takes           []string            `json:"takes,omitempty"`
	Choices         []string            `json:"choices,omitempty"`      // kinds of buttons and rows; the first is that of a choice without kind or url
	HeaderMedia     []event.MessageType `json:"header_media,omitempty"` // a first attachment of these kinds is the header
	Titled          bool                `json:"titled,omitempty"`       // a header of words stands beside such an attachment
	Cards           bool                `json:"cards,omitempty"`        // sections are cards side by side, the attachments of kinds in HeaderMedia their pictures, in order
	MaxItems        int                 `json:"max_items"`              // buttons, or rows over all sections
	MaxRows         int                 `json:"max_rows,omitempty"`     // of one section
	MinSections     int                 `json:"min_sections,omitempty"`
	MaxSections     int                 `json:"max_sections,omitempty"`
	MaxSectionTitle int                 `json:"max_section_title,omitempty"`
	MaxSectionText  int                 `json:"max_section_text,omitempty"` // the description of a section
	MaxTitle        int                 `json:"max_title"`
	TitleUnit       Unit                `json:"title_unit,omitempty"` // how a title is counted; runes if empty
	MaxID           int                 `json:"max_id"`
	IDUnit          Unit                `json:"id_unit,omitempty"` // how an id is counted; runes if empty
	MaxDescription  int                 `json:"max_description,omitempty"`
	MaxBody         int                 `json:"max_body"`
	MaxHeader       int                 `json:"max_header,omitempty"`
	MaxFooter       int                 `json:"max_footer,omitempty"`
	MaxLabel        int                 `json:"max_label,omitempty"` // of the button that opens it
}

// TemplateRule says how a template is named and filled.
type TemplateRule struct {
	Name       string              `json:"name"` // pattern
	MaxName    int                 `json:"max_name"`
	Language   string              `json:"language"`            // pattern
	Components map[string][]string `json:"components"`          // kind of component, of a button "button:<sub_type>" → kinds of its parameters
	MaxCards   int                 `json:"max_cards,omitempty"` // of a carousel
}

// ContactRule says what a contact card has.
type ContactRule struct {
	Needs    []string `json:"needs"`               // name, phones
	MaxVCard int      `json:"max_vcard,omitempty"` // bytes
	Each     bool     `json:"each,omitempty"`      // every card is a message of its own at the provider
}

// GroupRule says what is refused in groups. All peers are groups that People, a pattern, does not match.
type GroupRule struct {
	People  string   `json:"people"`
	Refuses []string `json:"refuses"` // parts of a message, kinds of interactive messages, kinds of choices
}

// NamingSecret is the key of the secret by which app-level calls name channels; empty if they do not.
func (i Info) NamingSecret() string {
	for _, f := range i.Settings {
		if f.Secret && f.Names {
			return f.Key
		}
	}
	return ""
}

// Rate is a documented limit: N calls Every so long Per scope, with Burst in reserve.
type Rate struct {
	Per   string   `json:"per"` // channel or peer
	N     int      `json:"n"`
	Every Duration `json:"every"`
	Burst int      `json:"burst"`
	// Setting names the channel's setting that gives another N, if it is set; Burst moves in proportion.
	Setting string `json:"setting,omitempty"`
}

// Starts says whether the business may open a conversation with somebody who never wrote.
type Starts struct {
	May  bool   `json:"may"`
	With string `json:"with,omitempty"` // template: only with one
}

// Duration is a time.Duration that is written as text ("24h0m0s").
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}
