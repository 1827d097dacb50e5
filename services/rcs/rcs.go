// Package rcs translates between RCS and the gateway, for agents on five platforms that speak five dialects: Google's RCS for Business
// (https://developers.google.com/business-communications/rcs-business-messaging), platforms in the manner of GSMA FNW.11 (MaaP), China
// Mobile (XML of OMA), China Telecom and China Unicom (CSP interface V1.0.4), and Huawei's Message over 5G
// (https://support.huaweicloud.com/api-messageover5g/). The setting provider says which of them serves an agent. Each has a file of its
// own; what they share, cards, suggestions and files above all, stands once.
package rcs

import (
	"net/url"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// Adapter is the RCS channel.
type Adapter struct{}

var _ interface {
	channel.Adapter
	channel.MediaFetcher
	channel.TokenSource
} = Adapter{}

// platform is one dialect. All methods are pure.
type platform interface {
	// verify reports whether a call came from the platform.
	verify(ch channel.Keyed, in channel.Inbound) error
	// parse reads a verified call.
	parse(ch channel.Keyed, in channel.Inbound) (channel.Parsed, error)
	// send is the call that sends a message of whose files the platform has those that are named.
	send(m outgoing, files []stored) channel.Request
	// sent reads the answer to send: the ids of the message.
	sent(resp channel.Response) ([]string, error)
	// revoke is the call that takes a message back; ok reports whether its answer says that it is done.
	revoke(ch channel.Channel, peer, id string) (req channel.Request, ok func(channel.Response) error)
	// sign adds the credentials to a call.
	sign(ch channel.Keyed, req channel.Request, at time.Time, nonce string) channel.Request
}

// uploader is a platform that takes files before messages name them.
type uploader interface {
	upload(ch channel.Channel, a event.Attachment, created event.Time) channel.Request
	// uploaded reads the answer; a file that is not ready yet has only its ID.
	uploaded(resp channel.Response) (stored, error)
	// ready asks again for a file with only an ID.
	ready(ch channel.Channel, id string) channel.Request
}

// signaller is a platform that shows typing and reading; nil for a signal that it does not have.
type signaller interface {
	signal(ch channel.Channel, msg event.Outbound) *channel.Request
	signalled(resp channel.Response) error
}

// capable is a platform that tells what somebody's phone can show.
type capable interface {
	capabilities(ch channel.Channel, peer string) channel.Request
	// reaches judges the answer for a message: an error says that the phone cannot show it.
	reaches(resp channel.Response, m message) error
}

// lender is a platform whose calls need a short-lived token.
type lender interface {
	token(ch channel.Keyed, at time.Time, nonce string) (channel.Request, error)
	parseToken(resp channel.Response) (token string, lifetime time.Duration, err error)
}

// keeper is a platform whose files of people are not plain URLs.
type keeper interface {
	download(ch channel.Channel, at string) channel.Request
}

// The values of the setting provider.
const (
	byGoogle = "google"
	byMaaP   = "maap"
	byCMCC   = "cmcc"
	byCTCU   = "ctcu"
	byHuawei = "huawei"
)

var platforms = map[string]platform{byGoogle: google{}, byMaaP: maap{}, byCMCC: cmcc{}, byCTCU: ctcu{}, byHuawei: huawei{}}

// of is the platform of a channel.
func of(ch channel.Channel) platform {
	if p, ok := platforms[ch.Settings.Text("provider")]; ok {
		return p
	}
	return google{}
}

// Verify checks a call as its platform proves it.
func (Adapter) Verify(ch channel.Keyed, in channel.Inbound) error {
	return of(ch.Channel).verify(ch, in)
}

// Sign adds the credentials of the platform. A file's own address gets none.
func (Adapter) Sign(ch channel.Keyed, req channel.Request, at time.Time, nonce string) (channel.Request, error) {
	if req.Header = req.Header.Clone(); req.Header == nil {
		req.Header = channel.Header{}
	}
	return of(ch.Channel).sign(ch, req, at, nonce), nil
}

// base is where the platform's API is, without a slash at the end.
func base(ch channel.Channel, usual string) string {
	if own := strings.TrimSuffix(ch.Settings.Text("api_base_url"), "/"); own != "" {
		return own
	}
	return usual
}

// version is the part of the API's addresses that says which version is called.
func version(ch channel.Channel) string {
	if v := ch.Settings.Text("api_version"); v != "" {
		return v
	}
	return "v1"
}

// bot is the chatbot's id in an address, where colons and at signs stand as they are.
func bot(ch channel.Channel) string {
	return strings.NewReplacer("%40", "@", "%3A", ":").Replace(url.PathEscape(ch.Settings.Text("chatbot_id")))
}
