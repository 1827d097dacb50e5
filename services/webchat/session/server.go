// Package session is the impure half of the web chat: sessions of browsers, sockets and long polls, the mailboxes that keep frames
// until a browser comes for them, uploaded files, and the widget itself.
//
// A frame of a visitor is acknowledged once it is on Kafka and has its place in the visitor's mailbox. A message of ours is sent
// once it has such a place; whoever holds the visitor's socket, in whatever replica, is woken over Redis, and looks by itself
// where Redis is away.
package session

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/golang-jwt/jwt/v5"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/budget"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Limits of what browsers may do. All are per replica.
type Limits struct {
	Sessions, Visitors, Connects     budget.Rate // per IP address: sessions begun, visitors made, sockets opened
	Messages, Frames, Uploads, Pages budget.Rate // per visitor; pages per session
	Address, Channel                 budget.Rate // messages per IP address and per channel
	Bytes                            ByteLimits  // of uploads
	Sockets                          SocketLimits
}

// ByteLimits are bytes of uploaded files, whose announced size counts.
type ByteLimits struct{ Visitor, Address, Channel, Tenant budget.Rate }

// SocketLimits are sockets at a time: of all browsers, and of one IP address.
type SocketLimits struct{ All, Address int64 }

// DefaultLimits are those of the facts (20 messages a minute, 50 pages a session), and for the rest more than a person needs.
var DefaultLimits = Limits{
	Sessions: rate(60, time.Minute, 60), Visitors: rate(30, time.Minute, 60), Connects: rate(120, time.Minute, 120),
	Messages: rate(20, time.Minute, 20), Frames: rate(120, time.Minute, 60), Uploads: rate(10, time.Minute, 10), Pages: rate(50, 12*time.Hour, 50),
	Address: rate(300, time.Minute, 300), Channel: rate(6000, time.Minute, 1000),
	Bytes: ByteLimits{
		Visitor: rate(200<<20, 24*time.Hour, 60<<20), Address: rate(1<<30, 24*time.Hour, 120<<20),
		Channel: rate(10<<30, 24*time.Hour, 1<<30), Tenant: rate(40<<30, 24*time.Hour, 4<<30),
	},
	Sockets: SocketLimits{All: 20_000, Address: 512},
}

func rate(n int, per time.Duration, burst int) budget.Rate {
	return budget.Rate{N: n, Per: per, Burst: burst}
}

// Collections are those of the web chat, besides those of every channel.
var Collections = []store.Spec{headSpec, letterSpec, visitorSpec, fileSpec}

// New builds the web chat's part of a channel service; [gateway.With] takes it.
func New(ctx context.Context, h *gateway.Host) (gateway.Extra, error) {
	return With(DefaultLimits)(ctx, h)
}

// With is New with limits of one's own.
func With(l Limits) func(context.Context, *gateway.Host) (gateway.Extra, error) {
	return func(ctx context.Context, h *gateway.Host) (gateway.Extra, error) {
		s, err := build(ctx, h, l)
		if err != nil {
			return gateway.Extra{}, err
		}
		return gateway.Extra{
			Transports: map[string]provider.Transport{"ws": s}, Routes: s.routes,
			Loops: []run.Loop{{Name: "signals", Run: s.probe}}, Close: s.close,
		}, nil
	}
}

// server is the web chat of one replica.
type server struct {
	*gateway.Host
	mailboxes
	visitors *store.Collection[visitor]
	files    *store.Collection[file]
	key      []byte                 // signs session tokens
	keys     jwt.VerificationKeySet // verify them
	limit    limits
	sockets  *budget.Shares
	polls    polls
	deaf     atomic.Bool // Redis is away: nobody wakes us
	links    sync.WaitGroup
}

func build(ctx context.Context, h *gateway.Host, l Limits) (*server, error) {
	if err := h.DB.Require(ctx, Collections...); err != nil {
		return nil, fmt.Errorf("collections: %w", err)
	}
	secrets, err := h.Config.Keys()
	if err != nil {
		return nil, err
	}
	key, keys, err := auth.SigningKeys("tributary web chat sessions", secrets[0], secrets[1:]...)
	if err != nil {
		return nil, err
	}
	return &server{
		Host: h, key: key, keys: keys, limit: newLimits(l, h.Now), sockets: budget.NewShares(l.Sockets.All, l.Sockets.Address),
		polls: polls{open: map[string]*poll{}},
		mailboxes: mailboxes{
			heads: store.NewCollection[head](h.DB, headSpec, store.Recall()), letters: store.NewCollection[letter](h.DB, letterSpec), now: h.Now,
		},
		visitors: store.NewCollection[visitor](h.DB, visitorSpec), files: store.NewCollection[file](h.DB, fileSpec),
	}, nil
}

// close waits for the sockets, which end when the process begins to stop.
func (s *server) close() error {
	s.links.Wait()
	return nil
}

const maxJSON = 32 << 10 // bytes of a request that is no file

func (s *server) routes(r gin.IRouter) {
	pages := r.Group("/chat/:channel", s.lookup)
	for path, p := range assets {
		pages.GET("/"+path, p.serve)
	}
	g := r.Group("/chat/:channel", s.lookup, s.origin)
	plain := []gin.HandlerFunc{httpapi.LimitBody(maxJSON), httpapi.Deadline(30 * time.Second)}
	g.POST("/sessions", append(plain, s.begin)...)
	g.POST("/messages", append(plain, s.member(s.post))...)
	g.GET("/messages", append(plain, s.member(s.history))...)
	g.GET("/poll", s.member(s.poll))
	g.GET("/ws", s.socket)
	g.POST("/files", httpapi.LimitBody(maxFile+maxJSON), httpapi.Deadline(2*time.Minute), s.member(s.upload))
	g.GET("/files/:file", s.member(s.download))
	for _, path := range []string{"/sessions", "/messages", "/poll", "/files", "/files/:file"} {
		g.OPTIONS(path, func(c *gin.Context) { c.Status(http.StatusNoContent) })
	}
}

// lookup finds the channel: enabled, and ours.
func (s *server) lookup(c *gin.Context) {
	ch, err := s.enabled(c.Request.Context(), c.Param("channel"))
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	c.Set("channel", ch)
}

func channelOf(c *gin.Context) channel.Keyed {
	ch, _ := c.Get("channel") // lookup has set it
	return ch.(channel.Keyed)
}

// deliver hands one frame to the path of all webhooks: nil once it is on Kafka.
func (s *server) deliver(ctx context.Context, ch channel.Keyed, call call) error {
	_, err := s.Deliver(ctx, ch, channel.Inbound{
		Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/json"}}, Body: encode(call), At: s.Now(), Pulled: true,
	})
	return err
}
