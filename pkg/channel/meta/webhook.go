// Package meta holds what the channels of Meta have in common: the proof and the handshake of webhooks, the addresses of the Graph API,
// the meaning of its errors, until when a token is valid (https://developers.facebook.com/docs/graph-api), and the parts that conversations
// in Messenger and on Instagram share. It is pure, as adapters are.
package meta

import (
	"slices"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// SignatureHeader has the HMAC of a webhook's body.
const SignatureHeader = "X-Hub-Signature-256"

// OlderSignatureHeader has a SHA-1 that nothing is proved by.
const OlderSignatureHeader = "X-Hub-Signature"

// MaxBody bounds a webhook, in bytes. Meta sends up to 3 MB.
const MaxBody = 4 << 20

// Verify checks the HMAC-SHA256 of the raw body under the app secret, or one of other secrets of the channel. A GET proves itself by the
// token that [channel.HubChallenge] compares.
func Verify(ch channel.Keyed, in channel.Inbound, others ...string) error {
	if in.Method == "GET" {
		return nil
	}
	live := ch.Secrets["app_secret"]
	for _, key := range others {
		live = slices.Concat(live, ch.Secrets[key])
	}
	return channel.HMACSHA256Hex(in.Body, in.Header.Get(SignatureHeader), "sha256=", live)
}

// Subscribing returns the verify token by which a check of the app's callback names channels; nil if it has none.
func Subscribing(in channel.Inbound) []channel.Lookup {
	token := in.Query.Get(channel.HubToken)
	if token == "" {
		return nil
	}
	return []channel.Lookup{{Setting: "verify_token", Value: token}}
}
