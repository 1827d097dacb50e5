// Package wechat plays the API of WeChat Official Accounts: it gives tokens, takes customer service and template messages, keeps files for
// three days, and pushes what people do, encrypted where the account has an AES key.
package wechat

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
	"sync/atomic"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/stage"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

const typeName = "wechat"

const maxBody = 1 << 20 // bytes of a call without a file

type obj = map[string]any

// Provider plays api.weixin.qq.com.
type Provider struct {
	*stage.Stage
	Accounts *account.Registry
	Files    *media.Store
	// Allowed says whether an account may send its webhooks to a URL.
	Allowed func(url string) bool

	ids atomic.Int64 // the latest id of a message
}

// New returns the provider.
func New(s *stage.Stage, accounts *account.Registry, files *media.Store, allowed func(string) bool) *Provider {
	p := &Provider{Stage: s, Accounts: accounts, Files: files, Allowed: allowed}
	p.ids.Store(s.Now().UnixNano())
	return p
}

// Type implements the simulator's provider.
func (p *Provider) Type() string { return typeName }

var originalID = regexp.MustCompile(`^gh_[0-9a-zA-Z]{4,32}$`)

// own is what only WeChat knows of an account.
type own struct {
	app string // its AppID, which is in encrypted pushes and in calls for a token
	aes string // the EncodingAESKey; empty: pushes are plain
}

func ownOf(c *account.Config) own { o, _ := c.Own.(own); return o }

// Account reads an official account's registration. Its token follows from its secret: it is the same after a new start.
func (p *Provider) Account(in account.Registration) (account.Config, error) {
	c := account.Config{
		Type: typeName, ID: in.Text("original_id"), Also: in.Text("app_id"), Key: tokenOf(in.Text("app_id"), in.Secrets["app_secret"]), Base: typeName,
		Display: "Simulated", Own: own{app: in.Text("app_id"), aes: in.Secrets["encoding_aes_key"]},
	}
	if !originalID.MatchString(c.ID) {
		return c, fault.At("/settings/original_id", "bad_format", "want the account's original id: gh_ and letters or digits")
	}
	return c, in.Need("app_secret", "token")
}

func tokenOf(app, secret string) string {
	h := sha256.Sum256([]byte(app + " " + secret))
	return "70_" + hex.EncodeToString(h[:])
}

// MadeUp implements the simulator's provider: an account whose pushes are encrypted.
func (p *Provider) MadeUp() account.Registration {
	return account.Registration{
		Type: typeName, Settings: map[string]any{"app_id": "wx" + account.Hex(8), "original_id": "gh_" + account.Hex(6)},
		Secrets: map[string]string{"app_secret": account.Hex(16), "token": account.Hex(12), "encoding_aes_key": account.Hex(21) + "A"},
	}
}

// APIs implements the simulator's provider.
func (p *Provider) APIs() map[string]func(http.ResponseWriter, *http.Request, string) {
	return map[string]func(http.ResponseWriter, *http.Request, string){typeName: p.serve}
}

func (p *Provider) serve(w http.ResponseWriter, r *http.Request, path string) {
	if path == "/cgi-bin/stable_token" {
		p.token(w, r)
		return
	}
	token := r.URL.Query().Get("access_token")
	a := p.Accounts.ByKey(typeName, token)
	if a == nil || token == "" {
		stage.Write(w, refusal(40001, ""))
		return
	}
	switch r.Method + " " + path {
	case "POST /cgi-bin/message/custom/send":
		p.send(w, r, a)
	case "POST /cgi-bin/message/template/send":
		p.template(w, r, a)
	case "POST /cgi-bin/message/custom/typing":
		p.typing(w, r, a)
	case "POST /cgi-bin/media/upload":
		p.upload(w, r, a)
	case "GET /cgi-bin/media/get":
		p.file(w, r, a)
	case "GET /cgi-bin/user/info":
		p.profile(w, r, a)
	case "POST /cgi-bin/callback/check":
		p.check(w, r, a)
	default:
		stage.Write(w, stage.Answer{Status: 404, Code: 404, Body: "<html>404</html>"})
	}
}

// token gives the account's token: the same within its life.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Grant  string `json:"grant_type"`
		App    string `json:"appid"`
		Secret string `json:"secret"`
	}
	body, ok := stage.Read(w, r, maxBody)
	if !ok || json.Unmarshal(body, &in) != nil || in.Grant != "client_credential" {
		stage.Write(w, refusal(40002, ""))
		return
	}
	a := p.Accounts.ByKey(typeName, tokenOf(in.App, in.Secret))
	if a == nil {
		stage.Write(w, refusal(40125, ""))
		return
	}
	p.Play(w, r, a, "token", words{}, func() stage.Act {
		return stage.Act{Name: "token", Do: func() stage.Answer {
			return stage.Answer{Status: 200, Body: obj{"access_token": a.Config().Key, "expires_in": 7200}}
		}}
	})
}

// profile is a follower's: without name and picture, as it is since 2021, but with the remark that the account gave.
func (p *Provider) profile(w http.ResponseWriter, r *http.Request, a *account.Account) {
	id := r.URL.Query().Get("openid")
	p.Play(w, r, a, "profile", words{}, func() stage.Act {
		return stage.Act{Name: "profile", To: id, Do: func() stage.Answer {
			who := a.People.Known(id)
			switch {
			case !who.Seen:
				return refusal(40003, "")
			case who.Blocked:
				return stage.Answer{Status: 200, Body: obj{"subscribe": 0, "openid": id}}
			}
			return stage.Answer{Status: 200, Body: obj{"subscribe": 1, "openid": id, "nickname": "", "headimgurl": "", "language": "zh_CN", "remark": who.Name}}
		}}
	})
}

// check calls the server that the account has, as the console's test of the network does.
func (p *Provider) check(w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "webhook", words{}, func() stage.Act {
		return stage.Act{Name: "webhook", Do: func() stage.Answer {
			if got := p.Hooks.Deliver(r.Context(), webhook.Post{Make: func() webhook.Call { return p.echo(a.Config()) }}); !got.OK() {
				return refusal(10018, "")
			}
			return stage.Answer{Status: 200, Body: obj{"dns": []obj{{"ip": "127.0.0.1", "real_operator": "DEFAULT"}}, "ping": []obj{{"ip": "127.0.0.1", "package_loss": "0%", "time": "1ms"}}}}
		}}
	})
}
