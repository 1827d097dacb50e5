// Package instagram plays professional accounts of Instagram, by the login of Instagram and by that of Facebook: the Send API with its
// profiles, the comments below posts, the renewal of tokens, and the webhooks of all that.
package instagram

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/graph"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

const typeName = "instagram"

const (
	maxJSON  = 1 << 20            // the largest body of a call, in bytes
	tokenFor = 60 * 24 * 3600     // seconds that a renewed token is valid
	renewal  = "~"                // stands between a token and how often it was renewed
	inbox    = "1217981644879628" // the app that Meta's own inbox is
	mids     = "aWdf"             // what ids of messages begin with
)

type obj = map[string]any

// Provider plays graph.instagram.com, and graph.facebook.com for accounts that are connected through a Page.
type Provider struct {
	*stage.Stage
	Accounts *account.Registry
	Files    *media.Store
	// PublicURL is where files of people are fetched from.
	PublicURL string

	ids      atomic.Int64
	comments *graph.Comments
}

// own is what an account has besides its id.
type own struct {
	page string // by which it is connected; empty: by the login of Instagram
	app  string
}

// New returns the provider.
func New(s *stage.Stage, accounts *account.Registry, files *media.Store, publicURL string) *Provider {
	p := &Provider{Stage: s, Accounts: accounts, Files: files, PublicURL: publicURL, comments: graph.NewComments()}
	p.ids.Store(s.Now().UnixMilli())
	return p
}

// Type implements the simulator's provider.
func (p *Provider) Type() string { return typeName }

// MadeUp implements the simulator's provider.
func (p *Provider) MadeUp() account.Registration {
	return account.Registration{
		Type: typeName, Settings: map[string]any{"account_id": "17841" + account.Digits()[:12], "login": "instagram", "app_id": account.Digits()},
		Secrets: map[string]string{"app_secret": account.Hex(16), "access_token": "IGAA" + account.Hex(24), "verify_token": account.Hex(12)},
	}
}

// Account reads an account's registration.
func (p *Provider) Account(in account.Registration) (account.Config, error) {
	o := own{app: in.Text("app_id")}
	if in.Text("login") == "facebook" {
		if o.page = in.Text("page_id"); !graph.Digits(o.page) {
			return account.Config{}, fault.At("/settings/page_id", "bad_format", "want the digits of the Page's id")
		}
	}
	c := account.Config{Type: typeName, ID: in.Text("account_id"), Key: in.Secrets["access_token"], Base: typeName, Display: "Simulated account", Own: o}
	if !graph.Digits(c.ID) {
		return c, fault.At("/settings/account_id", "bad_format", "want the digits of an account's id")
	}
	return c, in.Need("app_secret", "access_token")
}

// ownOf is what an account of this provider has besides its id.
func ownOf(c *account.Config) own {
	o, _ := c.Own.(own)
	return o
}

// APIs implements the simulator's provider.
func (p *Provider) APIs() map[string]func(http.ResponseWriter, *http.Request, string) {
	return map[string]func(http.ResponseWriter, *http.Request, string){typeName: p.serve}
}

// serve takes /v26.0/<node>/<edge>, and the renewal of a token, which has no version. Files of people need no token.
func (p *Provider) serve(w http.ResponseWriter, r *http.Request, path string) {
	if id, ok := strings.CutPrefix(path, graph.FilePath); ok {
		p.cdn().Serve(w, r, id)
		return
	}
	token, _, _ := strings.Cut(graph.Token(r), renewal)
	a := p.Accounts.ByKey(typeName, token)
	version, rest, _ := strings.Cut(strings.Trim(path, "/"), "/")
	node, edge, _ := strings.Cut(rest, "/")
	switch {
	case token == "":
		stage.Write(w, refusal(190, "An access token is required to request this resource."))
	case a == nil:
		stage.Write(w, refusal(190, ""))
	case version == "refresh_access_token":
		p.renew(w, r, a, token)
	case !strings.HasPrefix(version, "v") || node == "":
		stage.Write(w, graph.UnknownObject(node))
	case node == a.Config().ID || node == ownOf(a.Config()).page || node == "me":
		p.account(w, r, a, r.Method+" "+edge)
	case (edge == "replies" || edge == "comments") && r.Method == http.MethodPost:
		p.answer(w, r, a, node, edge)
	case edge == "" && (r.Method == http.MethodPost || r.Method == http.MethodDelete):
		p.change(w, r, a, node)
	case edge == "" && r.Method == http.MethodGet:
		p.profile(w, r, a, node)
	default:
		stage.Write(w, graph.UnknownObject(node))
	}
}

// account serves what belongs to the account itself, or to its Page.
func (p *Provider) account(w http.ResponseWriter, r *http.Request, a *account.Account, do string) {
	switch do {
	case "POST messages":
		p.messages(w, r, a)
	case "POST mentions":
		p.mentions(w, r, a)
	case "POST subscribed_apps", "GET subscribed_apps":
		p.subscribe(w, r, a)
	case "GET ":
		p.me(w, r, a)
	default:
		stage.Write(w, graph.UnknownObject(a.Config().ID))
	}
}

// cdn has the files that people send.
func (p *Provider) cdn() graph.CDN {
	return graph.CDN{Type: typeName, Accounts: p.Accounts, Files: p.Files, PublicURL: p.PublicURL}
}

func (p *Provider) number() string { return strconv.FormatInt(p.ids.Add(1), 10) }
