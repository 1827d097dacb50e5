package sms

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// vonageMessages is the Messages API, of which this channel uses SMS (https://developer.vonage.com/en/api/messages-olympus).
type vonageMessages struct{}

// hookClaims are those of a token that proves a call (https://developer.vonage.com/en/getting-started/concepts/webhooks#decoding-signed-webhooks).
type hookClaims struct {
	jwt.RegisteredClaims
	Key  string `json:"api_key"`
	Body string `json:"payload_hash"`
}

// verify checks the token: signed with the signature secret of our account, for this body. It is as fresh as a repeated call may be.
func (vonageMessages) verify(ch channel.Keyed, in channel.Inbound) error {
	if in.Method == "GET" && len(in.Query) == 0 {
		return nil // the dashboard's look at the URL
	}
	token, ok := strings.CutPrefix(in.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return channel.ErrForged
	}
	reading := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithoutClaimsValidation(), jwt.WithStrictDecoding())
	for _, secret := range ch.Secrets["signature_secret"] {
		var c hookClaims
		if _, err := reading.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return []byte(secret), nil }); err != nil || secret == "" {
			continue
		}
		sum := sha256.Sum256(in.Body)
		if c.IssuedAt == nil || stale(c.IssuedAt.Time, in.At) || !slices.Contains(ch.Secrets["api_key"], c.Key) ||
			subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(strings.ToLower(c.Body))) != 1 {
			return channel.ErrForged
		}
		return nil
	}
	return channel.ErrForged
}

// vonageHook is a message, or with a status what became of one.
type vonageHook struct {
	ID        string `json:"message_uuid"`
	To        string `json:"to"`
	From      string `json:"from"`
	Timestamp string `json:"timestamp"`
	Type      string `json:"message_type"`
	Text      string `json:"text"`
	Status    string `json:"status"`
	ClientRef string `json:"client_ref"`
	Error     *struct {
		Type   string         `json:"type"`
		Title  channel.Opaque `json:"title"`
		Detail string         `json:"detail"`
	} `json:"error"`
}

func (vonageMessages) parse(_ channel.Keyed, in channel.Inbound) (channel.Parsed, error) {
	var r reader
	if in.Method == "GET" {
		r.out.Handshake = true
		return r.out, nil
	}
	var h vonageHook
	if err := json.Unmarshal(in.Body, &h); err != nil && !channel.Malformed(err) {
		return channel.Parsed{}, fault.New(fault.Invalid, "unreadable", "the body is not JSON: %w", err)
	}
	at, err := time.Parse(time.RFC3339, h.Timestamp)
	when := event.At(at)
	if err != nil {
		when = event.Time{}
	}
	switch s, ok := vonageMessageStatuses[h.Status]; {
	case h.Status == "":
		c := content(h.Text, nil)
		if h.Type != "text" {
			c = &event.Content{Type: event.Unsupported, Raw: in.Body}
		}
		r.message(event.Inbound{Ref: h.ID, ExternalID: h.ID, Peer: peerOf(h.From), ProviderAt: when, Content: c}, nil)
	case !ok:
		r.out.Ignore("status", h.Status)
	default:
		e := event.Inbound{
			Ref: h.ID + ":" + h.Status, ExternalID: h.ID, Peer: peerOf(h.To), ProviderAt: when,
			Receipt: &event.Receipt{Status: s, ClientRef: h.ClientRef},
		}
		if s == event.Failed {
			e.Receipt.Error = h.failure()
		}
		r.receipt(e, false)
	}
	return r.out, nil
}

// vonageMessageStatuses are what status hooks say.
var vonageMessageStatuses = map[string]event.DeliveryStatus{
	"submitted": event.Sent, "delivered": event.Delivered, "read": event.Read, "rejected": event.Failed, "undeliverable": event.Failed,
}

// failure is why a message did not arrive. Their codes are those of the troubleshooting pages for each error (title "1260").
func (h vonageHook) failure() *event.Error {
	if h.Error == nil {
		return failure(fault.Invalid, channel.CodeContentRejected, h.Status, "")
	}
	code := string(h.Error.Title)
	c, ok := vonageMessageCodes[code]
	if !ok {
		c = class{fault.Invalid, channel.CodeContentRejected}
	}
	return failure(c.kind, c.code, code, h.Error.Detail)
}

// vonageMessageCodes are those of failed messages and of refused calls (https://developer.vonage.com/en/api-errors/messages).
var vonageMessageCodes = map[string]class{
	// Too fast, or not now: later.
	"1000": {fault.Throttled, channel.CodeRateLimited}, "1241": {fault.Throttled, channel.CodeRateLimited},
	"1030": {fault.Unavailable, channel.CodeUnavailable}, "1100": {fault.Unavailable, channel.CodeUnavailable},
	"1230": {fault.Unavailable, channel.CodeUnavailable}, "1330": {fault.Unavailable, channel.CodeUnavailable},
	// Not to this person.
	"1040": {fault.Gone, channel.CodeRecipientUnknown}, "1170": {fault.Gone, channel.CodeRecipientUnknown}, "1190": {fault.Gone, channel.CodeRecipientUnknown},
	"1250": {fault.Gone, channel.CodeRecipientUnknown}, "1300": {fault.Gone, channel.CodeRecipientUnknown},
	"1050": {fault.Gone, channel.CodeRecipientBlocked}, "1240": {fault.Gone, channel.CodeRecipientOptedOut},
	"1160": {fault.Gone, channel.CodeRecipientNotAllowed}, "1200": {fault.Gone, channel.CodeRecipientNotAllowed}, "1270": {fault.Gone, channel.CodeRecipientNotAllowed},
	"1280": {fault.Gone, channel.CodeRecipientNotAllowed}, "1290": {fault.Gone, channel.CodeRecipientNotAllowed}, "1310": {fault.Gone, channel.CodeRecipientNotAllowed},
	"1180": {fault.Gone, "recipient_unavailable"}, "1220": {fault.Gone, "recipient_unavailable"}, "1260": {fault.Gone, "recipient_unavailable"},
	"1360": {fault.Gone, "recipient_unavailable"},
	// Not like this.
	"1090": {fault.Invalid, channel.CodeTextTooLong},
	// The account: an operator has to act.
	"1060": {fault.Denied, channel.CodeAccountRestricted}, "1070": {fault.Denied, channel.CodeAccountRestricted}, "1080": {fault.Denied, channel.CodePermission},
	"1110": {fault.Denied, channel.CodeCredentials}, "1120": {fault.Denied, channel.CodePermission}, "1140": {fault.Denied, channel.CodePermission},
}

const vonageAPI = "https://api.nexmo.com"

type vonageOut struct {
	Channel   string `json:"channel"`
	Type      string `json:"message_type"`
	To        string `json:"to"`
	From      string `json:"from"`
	Text      string `json:"text"`
	ClientRef string `json:"client_ref"`
}

func (vonageMessages) send(ch channel.Channel, msg event.Outbound) (channel.Request, error) {
	return channel.PostJSON(api(ch, vonageAPI)+"/v1/messages", vonageOut{
		Channel: "sms", Type: "text", To: bare(msg.Peer), From: bare(ch.Settings.Text("sender")), Text: msg.Content.Text,
		ClientRef: channel.ClientRef(msg.AttemptID, 0),
	}, tagSend), nil
}

// vonageTokenFor is how long a token of ours is taken; each call has one of its own.
const vonageTokenFor = 5 * time.Minute

// sign proves a call by the application's key, if the channel has it, or else by key and secret of the account.
func (vonageMessages) sign(ch channel.Keyed, req channel.Request, at time.Time, nonce string) (channel.Request, error) {
	pem := ch.Secrets.Current("private_key")
	if pem == "" || req.Tag == tagSetup {
		return vonage{}.sign(ch, req, at, nonce)
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(pem))
	if err != nil {
		return req, fault.New(fault.Denied, channel.CodeCredentials, "the private key of the application is no RSA key in PEM")
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"application_id": ch.Settings.Text("application_id"), "iat": at.Unix(), "exp": at.Add(vonageTokenFor).Unix(), "jti": nonce,
	}).SignedString(key)
	if err != nil {
		return req, fmt.Errorf("the token of the application: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return req, nil
}

func (v vonageMessages) settle(resp channel.Response) (channel.Outcome, error) {
	if resp.Status < 200 || resp.Status > 299 {
		return channel.Outcome{}, v.refusal(resp)
	}
	var a struct {
		ID string `json:"message_uuid"`
	}
	if err := json.Unmarshal(resp.Body, &a); err != nil || a.ID == "" {
		return channel.Outcome{}, unclear("Vonage", resp.Status)
	}
	return channel.Outcome{Refs: []string{a.ID}, Status: event.Accepted}, nil
}

// refusal reads a problem (RFC 7807), whose type ends with their code.
func (vonageMessages) refusal(resp channel.Response) error {
	var a struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}
	_ = json.Unmarshal(resp.Body, &a) // what is no JSON has no words
	words := strings.Join(notEmpty(a.Title, a.Detail), ": ")
	if _, code, ok := strings.Cut(a.Type, "#"); ok && resp.Status >= 400 && resp.Status < 500 && resp.Status != 401 {
		if c, known := vonageMessageCodes[code]; known {
			return c.error(code, "Vonage: %s", words)
		}
	}
	return refused("Vonage", resp.Status, words)
}

// setup tries the credentials of the account.
func (vonageMessages) setup(ch channel.Channel, webhookURL string) []channel.Request {
	return vonage{}.setup(ch, webhookURL)
}
