package rcs

import (
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// number reads a phone number as platforms write it: +86…, tel:+86…, sip:+86…@…ims.mnc000.mcc460.3gppnetwork.org, some of them with spaces.
// It is empty for what is no number with a country code.
func number(address string) string {
	s := strings.Join(strings.Fields(address), "")
	for _, scheme := range []string{"tel:", "sip:", "sips:"} {
		if len(s) > len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			s = s[len(scheme):]
			break
		}
	}
	s, _, _ = strings.Cut(s, "@")
	s, _, _ = strings.Cut(s, ";")
	digits := strings.TrimPrefix(s, "+")
	if digits == s || len(digits) < 5 || len(digits) > 15 || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	return s
}

// who is the peer of an event: the number, or for somebody who hides it what the platform calls them.
func who(address, original string) (peer string, sender *event.Profile) {
	for _, a := range []string{address, original} {
		if n := number(a); n != "" {
			return n, &event.Profile{Phone: n}
		}
	}
	return strings.TrimSpace(address), nil
}

// tel is a peer as the Chinese platforms address it.
func tel(peer string) string {
	if strings.Contains(peer, ":") {
		return peer
	}
	return "tel:" + peer
}

// talk is the id that all messages of a channel with somebody share: a UUID, because platforms want one.
func talk(ch channel.Channel, peer string) string { return channel.RetryKey(ch.ID+" "+peer, 0) }
