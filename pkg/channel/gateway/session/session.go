// Package session hosts the connections on which a channel both sends and receives, such as an SMPP bind.
//
// The owner of the partition in which a channel's outbound records lie holds its connection, so that what is sent needs no other
// process. Which partition that is follows from the record key, the channel. A lease per channel lets the owner before let go first:
// one process at a time has a channel's connection. What comes in takes the way of webhooks, and is acknowledged once it is durable.
package session

import (
	"context"
	"net"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// Session opens the connections of a channel type. It is safe for concurrent use, and keeps nothing of a channel.
type Session interface {
	// Wants reports whether a channel has a connection; others of the type are called by HTTP.
	Wants(ch channel.Channel) bool
	// Open connects for ch and proves who we are. It returns within ctx, which does not bound the connection. A *fault.Error of kind
	// Denied says that the provider takes none of the channel's credentials, and is tried again rarely; After is how long to wait at
	// least, for instance until an old connection of ours has been given up by the provider.
	Open(ctx context.Context, ch channel.Keyed, l Link) (Conn, error)
}

// Conn is a channel's connection, or several that serve as one. It is safe for concurrent use.
type Conn interface {
	// Do makes a call and returns its answer; as many at once as the channel's rules allow. The error says whether anything left, like
	// that of every transport: Unavailable, Invalid, Denied and Gone mean that surely nothing of req was written; where it was, or a
	// part of it, and no answer came, Unknown. Nothing is written after ctx has ended.
	Do(ctx context.Context, req channel.Request) (channel.Response, error)
	// Wait returns once the connection serves no more, and says why.
	Wait() error
	// Close begins no call any more, lets those under way end until ctx does, says goodbye if the protocol has a word for it, and lets go
	// of everything. Wait returns then.
	Close(ctx context.Context) error
}

// Link is what the host gives to a connection.
type Link struct {
	// Deliver makes what the provider said durable. nil means that it is: only then may it be acknowledged. An error of kind Invalid
	// says that it never will be, all others that the provider should bring it again; nothing else bounds what is under way, so a
	// connection reads no more than it has room for.
	Deliver func(ctx context.Context, in channel.Inbound) (channel.Reply, error)
	// Dial opens a TCP connection to "host:port", with TLS if secure is set. The host closes it when the process must not hold the
	// channel's connection any more, whatever Close does; a write that takes longer than 10 s breaks it.
	Dial func(ctx context.Context, addr string, secure bool) (net.Conn, error)
	// Fence is larger with every connection of the channel.
	Fence int64
	Now   func() time.Time
}
