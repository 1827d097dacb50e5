// Package webchat is our own web chat: a widget on the business's page and the protocol it speaks
// (https://datatracker.ietf.org/doc/html/rfc6455 for the socket; the frames are described in README.md).
//
// The files here only translate: frames of browsers into events, messages into frames. Sessions, sockets and the mailboxes
// that keep frames until a browser comes for them are in the package session.
package webchat

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// Adapter is the web chat channel.
type Adapter struct{}

var _ channel.Adapter = Adapter{}

// Verify lets pass what came over a session, whose token package session has checked. Nobody else has a reason to call.
func (Adapter) Verify(_ channel.Keyed, in channel.Inbound) error {
	if !in.Pulled {
		return channel.ErrForged
	}
	return nil
}

// Sign adds nothing: a mailbox is our own.
func (Adapter) Sign(_ channel.Keyed, req channel.Request, _ time.Time, _ string) (channel.Request, error) {
	return req, nil
}
