package rcs

import (
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// TokenRequest asks for a short-lived token, on the platforms whose calls need one.
func (Adapter) TokenRequest(ch channel.Keyed, at time.Time, nonce string) (channel.Request, error) {
	l, ok := of(ch.Channel).(lender)
	if !ok {
		return channel.Request{}, nil
	}
	req, err := l.token(ch, at, nonce)
	req.Tag = strings.TrimSpace(tagToken + " " + ch.Settings.Text("provider"))
	return req, err
}

// ParseToken reads the token and its lifetime, as the platform writes them that was asked.
func (Adapter) ParseToken(resp channel.Response) (string, time.Duration, error) {
	if resp.Tag == tagToken+" "+byCTCU {
		return ctcu{}.parseToken(resp)
	}
	return google{}.parseToken(resp)
}

// noToken is an answer from which no token can be read.
func noToken() error {
	return fault.New(fault.Unavailable, channel.CodeUnavailable, "the platform answered with something that has no token")
}
