package channel

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// HubToken is the query parameter in which such a check has the verify token.
const HubToken = "hub.verify_token"

// HubChallenge answers a subscription check in the manner of PubSubHubbub, as Meta makes it: the challenge if the verify
// token is one of the live ones, else 403. The body is served as plain text, because anybody can choose it.
func HubChallenge(query url.Values, live []string) Parsed {
	if query.Get("hub.mode") != "subscribe" || SameSecret(query.Get(HubToken), live) != nil {
		return Parsed{Handshake: true, Reply: Reply{Status: 403}}
	}
	return Parsed{Handshake: true, Reply: Reply{Status: 200, ContentType: "text/plain", Body: []byte(query.Get("hub.challenge"))}}
}

// ClientRef is our own reference for providers that hand one back in receipts: the attempt and the part.
func ClientRef(attempt string, part int) string { return attempt + ":" + strconv.Itoa(part) }

// ParseClientRef reads what [ClientRef] wrote. ok is false for the references of others.
func ParseClientRef(ref string) (attempt string, part int, ok bool) {
	i := strings.LastIndexByte(ref, ':')
	if i <= 0 {
		return "", 0, false
	}
	part, err := strconv.Atoi(ref[i+1:])
	return ref[:i], part, err == nil && part >= 0
}

// RetryKey is a UUID for providers that do not repeat a call with a key they have seen: the same for every try of a part of an
// attempt.
func RetryKey(attempt string, part int) string {
	h := sha256.Sum256([]byte(ClientRef(attempt, part)))
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80 // version 8, variant 10: RFC 9562
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
