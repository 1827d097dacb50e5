package run

import (
	"container/list"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"github.com/tributaryhq/tributary/pkg/budget"
	"github.com/tributaryhq/tributary/pkg/httpapi"
)

// Connections at once: of a listener, and of one source. Proxies that are trusted stand for many sources and have no limit of
// their own.
const (
	connectionsAll    = 16_384
	connectionsSource = 1_024
)

// connections bounds the connections of a listener. Where there are too many, the one of the same source that has waited longest
// without a request under way is closed, so that those that are only held open do not keep out those that ask something.
type connections struct {
	net.Listener
	all, each int
	trusted   []netip.Prefix

	mu sync.Mutex
	n  int
	of map[string]*list.List // by source: *connection, the oldest first
}

type connection struct {
	net.Conn
	set    *connections
	source string
	at     *list.Element // nil once it is closed
	active bool          // a request is under way
}

func boundConnections(l net.Listener, trusted []netip.Prefix) *connections {
	return &connections{Listener: l, all: connectionsAll, each: connectionsSource, trusted: trusted, of: map[string]*list.List{}}
}

// Accept implements net.Listener.
func (s *connections) Accept() (net.Conn, error) {
	for {
		raw, err := s.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if c := s.admit(raw); c != nil {
			return c, nil
		}
		_ = raw.Close() // there is no room: the client sees a closed connection and tries again
	}
}

func (s *connections) admit(raw net.Conn) *connection {
	addr := httpapi.Peer(raw.RemoteAddr().String())
	c := &connection{Conn: raw, set: s, source: budget.Source(addr)}
	s.mu.Lock()
	var victim *connection
	mine := s.of[c.source]
	if mine == nil {
		mine = list.New()
	}
	switch {
	case mine.Len() >= s.each && !httpapi.Trusts(s.trusted, addr):
		victim = idlest(mine)
	case s.n >= s.all:
		victim = idlest(s.largest())
	default:
		victim = c // which stands for: nothing has to give way
	}
	if victim != nil {
		if victim != c {
			s.remove(victim)
		}
		s.of[c.source] = mine
		c.at = mine.PushBack(c)
		s.n++
	}
	s.mu.Unlock()
	switch victim {
	case nil:
		return nil
	case c:
		return c
	}
	_ = victim.Conn.Close()
	return c
}

// largest is the source with the most connections.
func (s *connections) largest() (most *list.List) {
	for _, l := range s.of {
		if most == nil || l.Len() > most.Len() {
			most = l
		}
	}
	return most
}

func idlest(l *list.List) *connection {
	for e := l.Front(); e != nil; e = e.Next() {
		if c := e.Value.(*connection); !c.active {
			return c
		}
	}
	return nil
}

func (s *connections) remove(c *connection) {
	if c.at == nil {
		return
	}
	l := s.of[c.source]
	l.Remove(c.at)
	if l.Len() == 0 {
		delete(s.of, c.source)
	}
	c.at = nil
	s.n--
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.set.mu.Lock()
	c.set.remove(c)
	c.set.mu.Unlock()
	return c.Conn.Close()
}

// CloseWrite ends our half of the connection: the client reads what was answered before it sees the end.
func (c *connection) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Conn.Close()
}

// changed is the server's hook: a connection with a request under way, or one that was taken over, is not closed for others.
func (s *connections) changed(conn net.Conn, state http.ConnState) {
	c, ok := conn.(*connection)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateActive, http.StateHijacked:
		c.active = true
	case http.StateIdle:
		c.active = false
		if c.at != nil {
			s.of[c.source].MoveToBack(c.at)
		}
	case http.StateNew, http.StateClosed:
	}
}
