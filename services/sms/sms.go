// Package sms translates between short messages and the gateway, for numbers at Twilio (https://www.twilio.com/docs/messaging), Vonage
// (https://developer.vonage.com/en/messaging/sms) and Infobip (https://www.infobip.com/docs/api/channels/sms). The setting provider says which
// of them serves a channel.
package sms

import (
	"cmp"
	"encoding/base64"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// Adapter is the SMS channel.
type Adapter struct{}

var _ interface {
	channel.Adapter
	channel.MediaFetcher
	channel.Setup
} = Adapter{}

// provider is the wire format of one provider. All its methods are pure.
type provider interface {
	verify(ch channel.Keyed, in channel.Inbound) error
	// parse reads one call; from whom and what it is about, the provider's own way.
	parse(ch channel.Keyed, in channel.Inbound) (channel.Parsed, error)
	// send is the one call that sends a message.
	send(ch channel.Channel, msg event.Outbound) (channel.Request, error)
	sign(ch channel.Keyed, req channel.Request, at time.Time, nonce string) (channel.Request, error)
	settle(resp channel.Response) (channel.Outcome, error)
	// refusal judges an answer that is no success.
	refusal(resp channel.Response) error
	// setup are the calls that try the credentials, or tell the provider our URL where one call can.
	setup(ch channel.Channel, webhookURL string) []channel.Request
}

// of returns the provider of a channel.
func of(ch channel.Channel) provider {
	switch ch.Settings.Text("provider") {
	case "vonage":
		if ch.Settings.Text("api") == "messages" {
			return vonageMessages{}
		}
		return vonage{}
	case "infobip":
		return infobip{}
	}
	return twilio{}
}

// Verify checks the provider's proof.
func (Adapter) Verify(ch channel.Keyed, in channel.Inbound) error {
	return of(ch.Channel).verify(ch, in)
}

// Sign adds the account's credentials.
func (Adapter) Sign(ch channel.Keyed, req channel.Request, at time.Time, nonce string) (channel.Request, error) {
	if req.Header = req.Header.Clone(); req.Header == nil {
		req.Header = channel.Header{}
	}
	return of(ch.Channel).sign(ch, req, at, nonce)
}

// SetupRequests try the credentials. What each provider has to be told by hand stands in README.md.
func (Adapter) SetupRequests(ch channel.Keyed, webhookURL string) ([]channel.Request, error) {
	return of(ch.Channel).setup(ch.Channel, webhookURL), nil
}

// api is where a provider's API is, without a slash at the end: the channel's own address of it, or the usual one.
func api(ch channel.Channel, usual string) string {
	return cmp.Or(strings.TrimSuffix(ch.Settings.Text("api_base_url"), "/"), usual)
}

// basic is the header of HTTP's Basic scheme (RFC 7617).
func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// Tags say what a request is for.
const (
	tagSend  = "send"
	tagFile  = "file"
	tagSetup = "setup"
)
