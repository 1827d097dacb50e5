// Package channel defines what a messaging channel is to the rest of the gateway.
//
// An [Adapter] only translates. It does no I/O, reads no clock and keeps no state, so a channel can be understood from its
// golden files and tested without a network. Everything impure (HTTP, retries, limits, media, tokens, journal) is written
// once, in package gateway.
package channel

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Adapter translates between one provider's wire format and the gateway's events. All methods are pure and safe for
// concurrent use: the same arguments give the same answer.
type Adapter interface {
	// Info describes the channel type. It returns the same value every time.
	Info() Info

	// Verify reports whether in really came from the provider, over the raw bytes. The host calls it before anything else.
	// An error of kind Denied is answered 401.
	Verify(ch Keyed, in Inbound) error

	// Parse reads one verified call. It yields only what is addressed to ch; something valid that carries nothing for us
	// yields no events and no error. What it does not know becomes a placeholder (P2). A file whose bytes are in the call itself
	// is an attachment with Bytes, which the host puts into the blob store. An error means that the body cannot be
	// understood at all: it is journaled, counted and answered 200.
	Parse(ch Keyed, in Inbound) (Parsed, error)

	// Render turns a message into the unsigned requests that deliver it, in order; each is a part with its own provider id.
	// An Invalid or Window error refuses the message before the provider is called (P8).
	Render(ch Channel, msg event.Outbound) ([]Request, error)

	// Sign adds credentials, just before each try. at is the time of the call, nonce 32 random hex digits.
	Sign(ch Keyed, req Request, at time.Time, nonce string) (Request, error)

	// Settle reads the provider's answer to req, one of the requests of msg. A *fault.Error says what to do: Throttled and
	// Unavailable only where the provider documents that nothing was sent; a 5xx or an unreadable answer is Unknown.
	Settle(ch Channel, msg event.Outbound, req Request, resp Response) (Outcome, error)
}

// The interfaces below are optional, and pure as well.

// AppLevel is implemented by types whose provider posts one batch for many accounts to one URL: the type's (/webhooks/{type}), or that of one
// of the channels, where others are looked for once Parse has counted something as [OtherAccount].
type AppLevel interface {
	// Named peeks by which of their settings a call names channels, without trusting it. Only the channels named are verified, each
	// with its own secret. The host looks at the first [MaxNamed].
	Named(in Inbound) []Lookup
}

// MaxNamed bounds by how many settings one call may name channels.
const MaxNamed = 1000

// Lookup names a channel by the value of one of its settings: of the account ([Info.Account]), or of the secret whose [Field] says that
// it names channels.
type Lookup struct{ Setting, Value string }

// Profiler is implemented by types whose provider says who somebody is when it is asked. The host asks off the path of webhooks, and
// remembers the answer for a day.
type Profiler interface {
	// ProfileRequest returns the unsigned call that asks; false where the provider tells nothing about who.
	ProfileRequest(ch Channel, who Who) (Request, bool)

	// ParseProfile reads the answer. An error of kind Gone or Invalid says that the provider tells nothing about who, and is
	// remembered; Denied that it takes none of the channel's credentials; anything else that it may be asked again later.
	ParseProfile(ch Channel, who Who, resp Response) (event.Profile, error)
}

// Who is whom a profile is of, in the provider's terms: the peer, a person or a group, or with Author that member of the group.
type Who struct {
	Peer   string `json:"peer"`
	Author string `json:"author,omitempty"`
}

// MediaFetcher is implemented by types whose inbound media is not a plain URL.
type MediaFetcher interface {
	// MediaRequest returns the next unsigned request that leads to the bytes of a. prev is nil at first, then the answer to
	// the request before. done means that prev's body is the file itself. Plain URLs need no MediaFetcher.
	MediaRequest(ch Channel, a event.Attachment, prev *Response) (req Request, done bool, err error)
}

// TokenSource is implemented by types whose calls need a short-lived token besides the secrets. The host fetches it, caches it
// under a lease and refreshes it; Sign finds it in Keyed.Token. What follows a space in the token is no secret: where it is taken.
type TokenSource interface {
	// TokenRequest returns the call that asks for a token; one without a URL says that the channel's calls need none.
	TokenRequest(ch Keyed, at time.Time, nonce string) (Request, error)
	ParseToken(resp Response) (token string, lifetime time.Duration, err error)
}

// Expirer is implemented by types whose provider says until when the credentials that operators gave a channel are valid. The host asks
// once a day, so that operators hear of it before they end.
type Expirer interface {
	// ExpiryRequest returns the unsigned call that asks; false where the provider does not say.
	ExpiryRequest(ch Keyed) (Request, bool)

	// ParseExpiry reads the answer, which came at that time. A zero time means that the credentials do not end. An error of kind Gone or
	// Invalid says that the provider does not tell; Denied that it takes them no more; anything else that it may be asked again later.
	ParseExpiry(resp Response, at time.Time) (time.Time, error)
}

// Renewer is implemented by types with [Expirer] whose provider answers the same call with a credential that is valid for longer. The host
// keeps that, sealed, for as long as the channel has the secret that it replaces: Sign finds it in Keyed.Token, which is empty before.
type Renewer interface {
	// Renewable is the key of the secret that is renewed.
	Renewable() string

	// ParseRenewal reads the credential in an answer that ParseExpiry has read; empty: there is none.
	ParseRenewal(resp Response) string
}

// Setup is implemented by types that can be told their webhook URL through an API.
type Setup interface {
	// SetupRequests are the unsigned calls that register webhookURL; POST /v1/channels/{id}/test makes them.
	SetupRequests(ch Keyed, webhookURL string) ([]Request, error)
}

// SetupReader is implemented by types with [Setup] whose provider refuses with a status of success, too.
type SetupReader interface {
	// ParseSetup reads the answer to one of these calls. An error says that the provider did not take it.
	ParseSetup(resp Response) error
}

// Channel is one configured account, without its secrets.
type Channel struct {
	ID       string            `json:"id"`
	Tenant   string            `json:"tenant"`
	Type     event.ChannelType `json:"type"`
	Name     string            `json:"name"`
	Settings Settings          `json:"settings"`
	Enabled  bool              `json:"enabled"`
	Version  int64             `json:"version"`
	OUID     string            `json:"ou_id,omitempty"`
	Policy   Policy            `json:"policy,omitzero"`
	// WebhookURL is where the provider reaches the channel, for those that are told with each message. The host sets it.
	WebhookURL string `json:"-"`
}

// WebhookURL is where providers reach a channel of an installation, whose public URL has no slash at its end.
func WebhookURL(publicURL string, t event.ChannelType, id string) string {
	return publicURL + "/webhooks/" + string(t) + "/" + id
}

// Keyed is a channel with its secrets and current provider token. Render and Settle never see one.
type Keyed struct {
	Channel
	Secrets Secrets `json:"secrets"`
	Token   string  `json:"-"`
}

// Parsed is what a call said, and what the provider wants to hear back.
type Parsed struct {
	Events []event.Inbound
	Reply  Reply // zero means 200 with no body
	// Handshake says that the call only proves that the URL is ours, and carries nothing else. Its query and body are not journaled,
	// as they may hold a secret; those of every other call are, so that it can be read again.
	Handshake bool
	Ignored   map[string]int // what was understood and is not for us: label → count
}

// Outcome is what became of a request.
type Outcome struct {
	Refs   []string             // the provider's ids for the message, matched by later receipts
	Status event.DeliveryStatus // Accepted or Sent; empty for a request that only prepares (an upload)
	Next   []Request            // what must follow in the same part: the send after an upload, the push after a stale reply token
	Peer   string               // the provider's canonical id of the recipient, if it differs from the one addressed
	// Aliases are other ids of the recipient that the answer proves.
	Aliases []string
}
