// Package facebook plays Pages of Facebook: the Send API of Messenger with its files and profiles, the comments below posts, and the
// webhooks of both.
package facebook

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

const typeName = "facebook"

const (
	maxJSON    = 1 << 20         // the largest body of a call without a file, in bytes
	maxFile    = 25 << 20        // the largest file
	defaultApp = "263000000001"  // the app of a registration that names none
	inbox      = 263902037430900 // the app that Meta's own inbox is
	mids       = "m_"            // what ids of messages begin with
)

type obj = map[string]any

// Provider plays graph.facebook.com.
type Provider struct {
	*stage.Stage
	Accounts *account.Registry
	Files    *media.Store
	// Allowed says whether an account may send its webhooks to a URL.
	Allowed func(url string) bool
	// PublicURL is where files of people are fetched from.
	PublicURL string

	ids      atomic.Int64
	comments *graph.Comments
}

// New returns the provider.
func New(s *stage.Stage, accounts *account.Registry, files *media.Store, allowed func(string) bool, publicURL string) *Provider {
	p := &Provider{Stage: s, Accounts: accounts, Files: files, Allowed: allowed, PublicURL: publicURL, comments: graph.NewComments()}
	p.ids.Store(s.Now().UnixMilli())
	return p
}

// Type implements the simulator's provider.
func (p *Provider) Type() string { return typeName }

// MadeUp implements the simulator's provider.
func (p *Provider) MadeUp() account.Registration {
	return account.Registration{
		Type: typeName, Settings: map[string]any{"page_id": account.Digits(), "app_id": account.Digits()},
		Secrets: map[string]string{"app_secret": account.Hex(16), "page_access_token": "EAAG" + account.Hex(24), "verify_token": account.Hex(12)},
	}
}

// Account reads a Page's registration.
func (p *Provider) Account(in account.Registration) (account.Config, error) {
	c := account.Config{Type: typeName, ID: in.Text("page_id"), Key: in.Secrets["page_access_token"], Base: typeName, Display: "Simulated Page", Own: in.Text("app_id")}
	if !graph.Digits(c.ID) {
		return c, fault.At("/settings/page_id", "bad_format", "want the digits of a Page's id")
	}
	return c, in.Need("app_secret", "page_access_token")
}

func app(c *account.Config) string {
	if id, _ := c.Own.(string); id != "" {
		return id
	}
	return defaultApp
}

// APIs implements the simulator's provider.
func (p *Provider) APIs() map[string]func(http.ResponseWriter, *http.Request, string) {
	return map[string]func(http.ResponseWriter, *http.Request, string){typeName: p.serve}
}

// serve takes /v26.0/<node>/<edge>. Files of people need no token.
func (p *Provider) serve(w http.ResponseWriter, r *http.Request, path string) {
	if id, ok := strings.CutPrefix(path, graph.FilePath); ok {
		p.cdn().Serve(w, r, id)
		return
	}
	version, rest, _ := strings.Cut(strings.Trim(path, "/"), "/")
	node, edge, _ := strings.Cut(rest, "/")
	a := p.Accounts.ByKey(typeName, graph.Token(r))
	switch {
	case graph.Token(r) == "":
		stage.Write(w, refusal(190, "An access token is required to request this resource."))
	case a == nil:
		stage.Write(w, refusal(190, ""))
	case !strings.HasPrefix(version, "v") || node == "":
		stage.Write(w, graph.UnknownObject(node))
	case node == "debug_token":
		stage.Write(w, debug(r))
	case node == a.Config().ID || node == "me":
		p.page(w, r, a, r.Method+" "+edge)
	case edge == "comments" && r.Method == http.MethodPost:
		p.answer(w, r, a, node)
	case edge == "" && strings.Contains(node, "_") && (r.Method == http.MethodPost || r.Method == http.MethodDelete):
		p.change(w, r, a, node)
	case edge == "" && r.Method == http.MethodGet:
		p.profile(w, r, a, node)
	default:
		stage.Write(w, graph.UnknownObject(node))
	}
}

// debug is what Meta says of an access token when it asks about itself: those of accounts here do not end.
func debug(r *http.Request) stage.Answer {
	if r.URL.Query().Get("input_token") != graph.Token(r) {
		return refusal(100, "You must provide an app access token.")
	}
	return stage.Answer{Status: 200, Body: obj{"data": obj{"type": "PAGE", "is_valid": true, "expires_at": 0}}}
}

// page serves what belongs to the Page itself.
func (p *Provider) page(w http.ResponseWriter, r *http.Request, a *account.Account, do string) {
	switch do {
	case "POST messages":
		p.messages(w, r, a)
	case "POST message_attachments":
		p.upload(w, r, a)
	case "POST subscribed_apps", "GET subscribed_apps":
		p.subscribe(w, r, a)
	case "POST take_thread_control", "POST request_thread_control", "POST pass_thread_control":
		p.control(w, r, a, strings.TrimPrefix(do, "POST "))
	default:
		stage.Write(w, graph.UnknownObject(a.Config().ID))
	}
}

func (p *Provider) number() string { return strconv.FormatInt(p.ids.Add(1), 10) }

// cdn has the files that people send.
func (p *Provider) cdn() graph.CDN {
	return graph.CDN{Type: typeName, Accounts: p.Accounts, Files: p.Files, PublicURL: p.PublicURL}
}
