// Package x plays the API of X as far as direct messages go: it takes messages and uploads in pieces, serves files and profiles, and posts what
// people do as the X Activity API does.
package x

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/stage"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

const typeName = "x"

const (
	maxBody = 1 << 20 // bytes of a call without a file
	uploads = 1000    // that are under way, of all accounts together
)

type obj = map[string]any

// Provider plays api.x.com.
type Provider struct {
	*stage.Stage
	Accounts *account.Registry
	Files    *media.Store
	// Allowed says whether an account may send its webhooks to a URL.
	Allowed func(url string) bool

	ids  atomic.Int64                 // the latest id of anything
	open *lru.Cache[string, *arrival] // uploads under way, by media id
}

// New returns the provider.
func New(s *stage.Stage, accounts *account.Registry, files *media.Store, allowed func(string) bool) *Provider {
	p := &Provider{Stage: s, Accounts: accounts, Files: files, Allowed: allowed}
	p.ids.Store(s.Now().UnixNano())
	p.open, _ = lru.New[string, *arrival](uploads) // fails only without a size
	return p
}

// Type implements the simulator's provider.
func (p *Provider) Type() string { return typeName }

var someID = regexp.MustCompile(`^[0-9]{1,19}$`)

// Account reads an account's registration.
func (p *Provider) Account(in account.Registration) (account.Config, error) {
	c := account.Config{Type: typeName, ID: in.Text("user_id"), Key: in.Secrets["access_token"], Base: typeName, Display: "@simulated", Own: strings.TrimSuffix(in.Text("api_base_url"), "/")}
	if !someID.MatchString(c.ID) {
		return c, fault.At("/settings/user_id", "bad_format", "want the account's number")
	}
	return c, in.Need("consumer_key", "consumer_secret", "access_token", "access_token_secret")
}

// MadeUp implements the simulator's provider.
func (p *Provider) MadeUp() account.Registration {
	id := account.Digits()
	return account.Registration{
		Type: typeName, Settings: map[string]any{"user_id": id},
		Secrets: map[string]string{"consumer_key": account.Hex(12), "consumer_secret": account.Hex(25), "access_token": id + "-" + account.Hex(20), "access_token_secret": account.Hex(22)},
	}
}

// APIs implements the simulator's provider.
func (p *Provider) APIs() map[string]func(http.ResponseWriter, *http.Request, string) {
	return map[string]func(http.ResponseWriter, *http.Request, string){typeName: p.serve}
}

var oauthField = regexp.MustCompile(`(oauth_[a-z_]+)="([^"]*)"`)

// caller is the account whose credentials a call has; nil without them, or with those of another app.
func (p *Provider) caller(r *http.Request) *account.Account {
	given := map[string]string{}
	for _, f := range oauthField.FindAllStringSubmatch(r.Header.Get("Authorization"), -1) {
		given[f[1]], _ = url.QueryUnescape(f[2])
	}
	a := p.Accounts.ByKey(typeName, given["oauth_token"])
	if a == nil || given["oauth_token"] == "" || given["oauth_signature"] == "" || given["oauth_consumer_key"] != a.Config().Secrets["consumer_key"] {
		return nil
	}
	return a
}

func (p *Provider) serve(w http.ResponseWriter, r *http.Request, path string) {
	a := p.caller(r)
	if a == nil {
		stage.Write(w, refusal(401, ""))
		return
	}
	part := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case r.Method == "POST" && len(part) == 5 && strings.HasPrefix(path, "/2/dm_conversations/with/") && part[4] == "messages":
		p.send(w, r, a, part[3])
	case r.Method == "POST" && len(part) == 4 && part[1] == "dm_conversations" && part[3] == "messages":
		p.send(w, r, a, "group:"+part[2])
	case r.Method == "DELETE" && len(part) == 3 && part[1] == "dm_events":
		p.delete(w, r, a, part[2])
	case len(part) >= 3 && part[1] == "media" && part[2] == "upload":
		p.upload(w, r, a, part[3:])
	case r.Method == "GET" && len(part) == 3 && part[1] == "users":
		p.user(w, r, a, part[2])
	case r.Method == "GET" && len(part) == 2 && part[0] == "ton":
		p.file(w, a, part[1])
	default:
		stage.Write(w, refusal(404, ""))
	}
}

// user is a person who has done something with the account, or the account itself.
func (p *Provider) user(w http.ResponseWriter, r *http.Request, a *account.Account, id string) {
	p.Play(w, r, a, "profile", words{}, func() stage.Act {
		return stage.Act{Name: "profile", To: id, Do: func() stage.Answer {
			if id == "me" {
				return stage.Answer{Status: 200, Body: obj{"data": obj{"id": a.Config().ID, "name": "Simulated", "username": "simulated"}}}
			}
			who := a.People.Known(id)
			if !who.Seen {
				return stage.Answer{Status: 200, Body: obj{"errors": []obj{{"title": "Not Found Error", "detail": "Could not find user with id: [" + id + "]."}}}}
			}
			return stage.Answer{Status: 200, Body: obj{"data": obj{"id": id, "name": nameOf(who, id), "username": "sim_" + id[max(0, len(id)-8):]}}}
		}}
	})
}

func nameOf(who account.Person, id string) string {
	if who.Name != "" {
		return who.Name
	}
	return "Simulated " + id[max(0, len(id)-4):]
}

// file serves a file of a message.
func (p *Provider) file(w http.ResponseWriter, a *account.Account, id string) {
	f := p.Files.File(a, id)
	if f == nil {
		stage.Write(w, refusal(404, ""))
		return
	}
	w.Header().Set("Content-Type", f.MIME)
	_, _ = w.Write(f.Data)
}

// Receipt implements the control API: that somebody has read what was sent.
func (p *Provider) Receipt(a *account.Account, id, status string, _ int) (webhook.Post, error) {
	m, ok := p.Ledger.Message(a, id)
	switch {
	case status != "read":
		return webhook.Post{}, fault.At("/status", "bad_value", "want read: X tells no more")
	case !ok:
		return webhook.Post{}, fault.At("/id", "not_found", "X tells who has read: the message must be one that was accepted here")
	}
	return p.readBy(a, m.To, id), nil
}

func (p *Provider) nextID() string { return fmt.Sprint(p.ids.Add(1)) }
