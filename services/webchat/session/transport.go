package session

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Do implements provider.Transport for ws://mailbox/{visitor}: a place in the visitor's mailbox is acceptance. The same
// message has the same place, so that it may be asked again after an error.
func (s *server) Do(ctx context.Context, ch channel.Keyed, req channel.Request) (channel.Response, error) {
	who, err := s.addressee(ctx, ch, req.URL)
	if errors.Is(err, store.ErrNotFound) {
		return channel.Response{Status: http.StatusNotFound}, nil
	}
	if err != nil {
		return channel.Response{}, away(err) // nothing was written yet
	}
	body, files := req.Body, req.Form
	if len(files) > 0 {
		body, files = []byte(files[0].Value), files[1:]
	}
	if req.Tag == tagAction {
		return s.revise(ctx, ch, who, req.Key, body)
	}
	if req.Key == "" { // typing, read: for whoever looks just now
		s.wake(ctx, who.Mailbox, body)
		return channel.Response{Status: http.StatusOK}, nil
	}
	if err := s.share(ctx, ch, who.Mailbox, files); err != nil {
		return channel.Response{}, away(err)
	}
	in, err := read(body)
	if err != nil {
		return channel.Response{}, err
	}
	l, _, err := s.put(ctx, ch.Tenant, ofMessage(in.ID), letter{Mailbox: who.Mailbox, Message: in.ID, Peer: who.Visitor, Body: string(body)}, 0)
	if err != nil {
		return channel.Response{}, &fault.Error{Kind: fault.Unknown, Code: channel.CodeUnclear, Err: err}
	}
	s.wake(ctx, who.Mailbox, nil)
	return channel.Response{Status: http.StatusOK, Body: encode(object{"seq": l.Seq})}, nil
}

func (s *server) addressee(ctx context.Context, ch channel.Keyed, address string) (*visitor, error) {
	peer, err := url.PathUnescape(strings.TrimPrefix(address, "ws://mailbox/"))
	if err != nil {
		return nil, fault.New(fault.Invalid, "bad_url", "%q is no mailbox", address)
	}
	return s.visitors.Get(ctx, visitorID(ch.Tenant, ch.ID, peer))
}

// tagAction is the Tag of the adapter's requests that change a message.
const tagAction = "action"

// ofVisitor is the key of what a visitor says.
func ofVisitor(visitor, clientID string) string { return "visitor:" + visitor + ":" + clientID }

// ofMessage is the key of a message of ours. Its id is another one for every attempt.
func ofMessage(id string) string { return "message:" + id }
