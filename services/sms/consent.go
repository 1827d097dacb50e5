package sms

import (
	"strings"
	"unicode"

	"github.com/tributaryhq/tributary/pkg/event"
)

// The whole message is such a word, whatever its case and the marks at its end: what carriers in North America demand, and Twilio and AWS
// take by default (https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out). A sentence that has such a word in it goes to people.
var words = map[string]event.Consent{
	"STOP": optOut, "STOPALL": optOut, "STOP ALL": optOut, "UNSUBSCRIBE": optOut, "CANCEL": optOut, "END": optOut, "QUIT": optOut, "REVOKE": optOut, "OPTOUT": optOut,
	"ARRET": optOut, "REMOVE": optOut,
	"START": optIn, "UNSTOP": optIn,
	"YES": {Category: event.ConsentMessages, Value: "in", Answer: true}, // to a question, unless they have opted out
}

var (
	optOut = event.Consent{Category: event.ConsentMessages, Value: "out"}
	optIn  = event.Consent{Category: event.ConsentMessages, Value: "in"}
)

// consentOf is what a text says about further messages; false: nothing.
func consentOf(text string) (event.Consent, bool) {
	word := strings.TrimRightFunc(strings.TrimSpace(text), func(r rune) bool { return unicode.IsPunct(r) || unicode.IsSpace(r) })
	c, ok := words[strings.ToUpper(strings.Join(strings.Fields(word), " "))]
	return c, ok
}

// consented is the event for a consent that the message e carries, or that a provider reports with it.
func consented(e event.Inbound, c event.Consent) event.Inbound {
	return event.Inbound{Type: event.ContactConsented, Ref: e.Ref + ":consent", Peer: e.Peer, Aliases: e.Aliases, ProviderAt: e.ProviderAt, Consent: &c}
}
