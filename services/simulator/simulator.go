// Package simulator plays the providers of messaging channels: it sends signed webhooks as WhatsApp (Cloud API and 360dialog), Facebook,
// Instagram, Telegram, LINE, WeChat, X, the platforms of RCS, Twilio, Vonage and Infobip do, takes what the gateway sends, and answers with
// receipts and errors. It serves the demo, end-to-end tests, benchmarks and people; README.md tells how to call it. Everything is in memory.
// It plays the provider of every channel whose setting api_base_url is its own, and of accounts that are registered.
package simulator

import (
	"context"
	_ "embed"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/facebook"
	"github.com/tributaryhq/tributary/services/simulator/instagram"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/line"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/rcs"
	"github.com/tributaryhq/tributary/services/simulator/sms"
	"github.com/tributaryhq/tributary/services/simulator/stage"
	"github.com/tributaryhq/tributary/services/simulator/telegram"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
	"github.com/tributaryhq/tributary/services/simulator/wechat"
	"github.com/tributaryhq/tributary/services/simulator/whatsapp"
	"github.com/tributaryhq/tributary/services/simulator/x"
)

//go:embed openapi.yaml
var openapi []byte

// Service is the simulator.
var Service = run.Service{Name: "simulator", New: New}

// maxBody bounds a call of the control API, in bytes: files may be in it.
const maxBody = 96 << 20

// provider plays the API of a channel type: what comes in from people, what the gateway calls.
type provider interface {
	Type() string
	// Account reads a registration; its Own part and its Key are the provider's.
	Account(in account.Registration) (account.Config, error)
	// MadeUp is a registration that Account takes, with an id and secrets that nothing else has.
	MadeUp() account.Registration
	// Inbound makes the webhook of what a person did. A post without Make tells the account nothing.
	Inbound(a *account.Account, act account.Action) (post webhook.Post, id string, err error)
	// Receipt makes the webhook of a receipt sent by hand; code is the provider's, for a failure.
	Receipt(a *account.Account, id, status string, code int) (webhook.Post, error)
	// APIs serve what the gateway calls, by their base below /simulator/; path is what follows it.
	APIs() map[string]func(w http.ResponseWriter, r *http.Request, path string)
}

type server struct {
	stage     *stage.Stage
	accounts  *account.Registry
	played    *played
	providers map[string]provider // by type
	publicURL string
	permitted func(netip.AddrPort) bool // what else of this machine webhooks may go to
	stopping  <-chan struct{}
}

// New builds the service.
func New(_ context.Context, env *run.Env) (*run.Parts, error) {
	permitted, err := env.Config.Permits()
	if err != nil {
		return nil, err
	}
	spec, err := httpapi.LoadSpec(openapi)
	if err != nil {
		return nil, err
	}
	client := webhook.Client()
	s := &server{
		stage:    &stage.Stage{Ledger: ledger.New(), Hooks: webhook.New(client, env.Log), Now: env.Now},
		accounts: &account.Registry{}, providers: map[string]provider{},
		publicURL: env.PublicURL, permitted: permitted, stopping: env.Stopping,
	}
	files := &media.Store{}
	var types []event.ChannelType
	for _, p := range []provider{
		&whatsapp.Provider{Stage: s.stage, Accounts: s.accounts, Files: files, Allowed: s.allowed},
		&telegram.Provider{Stage: s.stage, Accounts: s.accounts, Files: files, Allowed: s.allowed},
		line.New(s.stage, s.accounts, files, s.allowed),
		facebook.New(s.stage, s.accounts, files, s.allowed, s.publicURL),
		instagram.New(s.stage, s.accounts, files, s.publicURL),
		wechat.New(s.stage, s.accounts, files, s.allowed),
		x.New(s.stage, s.accounts, files, s.allowed),
		rcs.New(s.stage, s.accounts, files, s.allowed),
		sms.New(s.stage, s.accounts, files, s.allowed),
	} {
		s.providers[p.Type()] = p
		types = append(types, event.ChannelType(p.Type()))
	}
	s.played = newPlayed(env.Directory, types, s.accounts, s.configOf, env.Log)
	return &run.Parts{
		Routes: func(r gin.IRouter) { s.routes(r, env.Auth, spec) },
		Loops:  []run.Loop{{Name: "webhooks", Run: s.stage.Hooks.Run}, {Name: "channels", Run: s.played.run}},
		Close: func() error {
			client.CloseIdleConnections()
			return nil
		},
	}, nil
}

func (s *server) allowed(url string) bool { return webhook.Allowed(url, s.publicURL, s.permitted) }

// routes: the control API for whoever may set up channels, and the providers, which check their own credentials.
func (s *server) routes(r gin.IRouter, who httpapi.Authenticator, spec *httpapi.Spec) {
	g := r.Group("/simulator", httpapi.LimitBody(maxBody), httpapi.Authenticate(who), httpapi.Require(auth.ChannelsWrite), spec.Validate(), s.settled)
	g.GET("/types", s.offers)
	g.POST("/accounts", s.register)
	g.GET("/accounts", s.list)
	g.POST("/inbound", s.inbound)
	g.POST("/receipts", s.receipt)
	g.PUT("/script", s.play)
	g.GET("/script", s.script)
	g.GET("/messages", s.messages)
	g.DELETE("/messages", s.clear)
	g.GET("/calls", s.calls)
	g.GET("/webhooks", s.webhooks)
	g.GET("/webhooks/log", s.hooks)

	for _, p := range s.providers {
		for base, serve := range p.APIs() {
			r.Any("/simulator/"+base+"/*path", s.settled, func(c *gin.Context) { serve(c.Writer, c.Request, c.Param("path")) })
		}
	}
}

// settled lets a call see the channels as they were configured before it.
func (s *server) settled(c *gin.Context) {
	if err := s.played.settle(c.Request.Context()); err != nil {
		httpapi.Fail(c, &fault.Error{Kind: fault.Unavailable, Code: "unavailable", Err: err})
	}
}

// types are the channel types that are played, for messages to people.
func (s *server) types() string { return strings.Join(slices.Sorted(maps.Keys(s.providers)), ", ") }
