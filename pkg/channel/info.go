package channel

import (
	"slices"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Info is the static description of a channel type. The composer, the validator, the router, the documentation table and
// GET /v1/channel-types all read this same value.
type Info struct {
	Type     event.ChannelType      `json:"type"`
	Title    string                 `json:"title"` // for people: "WhatsApp"
	Docs     string                 `json:"docs"`  // the provider's documentation
	Settings []Field                `json:"settings"`
	Account  []string               `json:"account"` // settings that name the provider's account; claimed once across tenants
	Inbound  InboundRules           `json:"inbound"`
	Send     SendRules              `json:"send"`
	Window   Window                 `json:"window"`
	Statuses []event.DeliveryStatus `json:"statuses"` // what the provider reports after accepting
	Offline  bool                   `json:"offline"`  // offline messages apply
	Starts   Starts                 `json:"starts"`   // may the business write first
	// Addresses are the forms in which people can write whom to reach; the first that fits is taken.
	Addresses []AddressForm `json:"addresses,omitempty"`
}

// Field is one field of the channel's form.
type Field struct {
	Key       string            `json:"key"`
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
	MediaFor     Duration `json:"media_for"`             // how long the provider keeps media; zero means no promise
	MaxMedia     int64    `json:"max_media"`             // bytes we fetch at most
	MediaHosts   []string `json:"media_hosts,omitempty"` // hosts that may see our credentials while fetching
}

// SendRules is what goes out, with its limits.
type SendRules struct {
	Types       []event.MessageType             `json:"types"`
	Text        Limit                           `json:"text"`
	Split       int                             `json:"split,omitempty"` // messages that Render may split a longer text into; 0: never
	Caption     Limit                           `json:"caption"`
	Media       map[event.MessageType]MediaRule `json:"media,omitempty"`
	Interactive map[string]InteractiveRule      `json:"interactive,omitempty"` // by kind: buttons, list …
	ReplyTo     bool                            `json:"reply_to"`
	Reactions   bool                            `json:"reactions"`
	Signals     []string                        `json:"signals,omitempty"` // typing_on, typing_off, read, ack
	Attachments int                             `json:"attachments"`       // per message; each may be a part of its own
	Subject     bool                            `json:"subject"`
	Idempotent  bool                            `json:"idempotent"`  // the provider takes an idempotency key
	Concurrency int                             `json:"concurrency"` // calls at once per channel
	Rates       []Rate                          `json:"rates"`
	Timeout     Duration                        `json:"timeout"` // of one call
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

// InteractiveRule limits one kind of interactive message.
type InteractiveRule struct {
	MaxItems       int `json:"max_items"` // buttons, or rows over all sections
	MaxSections    int `json:"max_sections,omitempty"`
	MaxTitle       int `json:"max_title"`
	MaxID          int `json:"max_id"`
	MaxDescription int `json:"max_description,omitempty"`
	MaxBody        int `json:"max_body"`
	MaxHeader      int `json:"max_header,omitempty"`
	MaxFooter      int `json:"max_footer,omitempty"`
	MaxLabel       int `json:"max_label,omitempty"` // of the button that opens it
}

// Rate is a documented limit: N calls Every so long Per scope, with Burst in reserve.
type Rate struct {
	Per   string   `json:"per"` // channel or peer
	N     int      `json:"n"`
	Every Duration `json:"every"`
	Burst int      `json:"burst"`
}

// Window says when the business may write.
type Window struct {
	Kind      string   `json:"kind"` // none (always), inbound (for a time after the customer wrote), reply (needs an inbound once)
	For       Duration `json:"for,omitzero"`
	FreeEntry Duration `json:"free_entry,omitzero"` // after an ad or a page button
	Outside   []string `json:"outside,omitempty"`   // what may still be sent: template, message_tag:HUMAN_AGENT
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

// Carries reports whether the channel takes a signal: typing_on, typing_off, read, ack.
func (i Info) Carries(signal string) bool { return slices.Contains(i.Send.Signals, signal) }
