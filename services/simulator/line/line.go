// Package line plays the Messaging API of LINE: it takes replies and pushes, serves files and profiles, and makes webhooks.
package line

import (
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/stage"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

const typeName = "line"

const (
	replyTokenLife = time.Minute    // LINE says about that
	retryKeyLife   = 24 * time.Hour // how long a retry key is remembered
	remembered     = 100_000        // reply tokens, retry keys: of all accounts together
)

type obj = map[string]any

// Provider plays api.line.me and api-data.line.me.
type Provider struct {
	*stage.Stage
	Accounts *account.Registry
	Files    *media.Store
	// Allowed says whether an account may send its webhooks to a URL.
	Allowed func(url string) bool

	ids     atomic.Int64                   // the latest message id
	tokens  *lru.Cache[string, replyToken] // by account and token
	retries *lru.Cache[string, firstPush]  // by account and retry key
}

// replyToken allows one reply into a chat.
type replyToken struct {
	chat  string
	until time.Time
}

// firstPush is the call that was accepted with a retry key.
type firstPush struct {
	request string
	sent    []obj
	until   time.Time
}

// New returns the provider.
func New(s *stage.Stage, accounts *account.Registry, files *media.Store, allowed func(string) bool) *Provider {
	p := &Provider{Stage: s, Accounts: accounts, Files: files, Allowed: allowed}
	p.ids.Store(s.Now().UnixNano())
	p.tokens, _ = lru.New[string, replyToken](remembered) // fails only without a size
	p.retries, _ = lru.New[string, firstPush](remembered)
	return p
}

// Type implements the simulator's provider.
func (p *Provider) Type() string { return typeName }

var userID = regexp.MustCompile(`^U[0-9a-f]{32}$`)

// Account reads a bot's registration.
func (p *Provider) Account(in account.Registration) (account.Config, error) {
	c := account.Config{Type: typeName, ID: in.Text("destination"), Key: in.Secrets["channel_access_token"], Base: typeName, Display: "Simulated"}
	if !userID.MatchString(c.ID) {
		return c, fault.At("/settings/destination", "bad_format", "want the bot's user id: U and 32 hex digits")
	}
	return c, in.Need("channel_secret", "channel_access_token")
}

// MadeUp implements the simulator's provider.
func (p *Provider) MadeUp() account.Registration {
	return account.Registration{
		Type: typeName, Settings: map[string]any{"destination": "U" + account.Hex(16)},
		Secrets: map[string]string{"channel_secret": account.Hex(16), "channel_access_token": account.Hex(24)},
	}
}

// Receipt implements the control API: there are none.
func (p *Provider) Receipt(*account.Account, string, string, int) (webhook.Post, error) {
	return webhook.Post{}, fault.At("/type", "not_applicable", "LINE tells an account nothing about what became of a message")
}

// APIs implements the simulator's provider.
func (p *Provider) APIs() map[string]func(http.ResponseWriter, *http.Request, string) {
	return map[string]func(http.ResponseWriter, *http.Request, string){typeName: p.serve}
}

// serve serves both hosts: their paths do not meet. Pictures of stickers need no token.
func (p *Provider) serve(w http.ResponseWriter, r *http.Request, path string) {
	if strings.HasPrefix(path, "/stickershop/") {
		p.sticker(w)
		return
	}
	if do := r.Method + " " + path; do == "POST /v2/oauth/verify" || do == "GET /oauth2/v2.1/verify" {
		p.verify(w, r)
		return
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a := p.Accounts.ByKey(typeName, token)
	if a == nil || token == "" {
		stage.Write(w, refusal(401, "Authentication failed. Confirm that the access token in the authorization header is valid."))
		return
	}
	rest, v2 := strings.CutPrefix(path, "/v2/bot/")
	switch do := r.Method + " " + rest; {
	case !v2:
		stage.Write(w, refusal(404, "Not found"))
	case do == "POST message/reply":
		p.reply(w, r, a)
	case do == "POST message/push":
		p.push(w, r, a)
	case do == "POST chat/loading/start":
		p.loading(w, r, a)
	case do == "POST chat/markAsRead":
		p.markAsRead(w, r, a)
	case strings.HasPrefix(rest, "channel/webhook/"):
		p.hook(w, r, a, do)
	case r.Method == http.MethodGet:
		p.get(w, r, a, rest)
	default:
		stage.Write(w, refusal(404, "Not found"))
	}
}

// verify is what LINE says of a channel access token: those of accounts here do not end.
func (p *Provider) verify(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	token := r.FormValue("access_token")
	if token == "" || p.Accounts.ByKey(typeName, token) == nil {
		stage.Write(w, stage.Answer{Status: 400, Body: obj{"error": "invalid_request", "error_description": "access token expired"}})
		return
	}
	stage.Write(w, stage.Answer{Status: 200, Body: obj{"client_id": "1350031035", "scope": "P"}})
}

func (p *Provider) nextID() int64 { return p.ids.Add(1) }
