// Package whatsapp plays Meta's Cloud API and 360dialog: it takes messages and media, and makes their webhooks.
package whatsapp

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/graph"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// Provider plays both.
type Provider struct {
	*stage.Stage
	Accounts *account.Registry
	Files    *media.Store
	// Allowed says whether an account may send its webhooks to a URL.
	Allowed func(url string) bool
}

// maxJSON is the largest body of a message, in bytes.
const maxJSON = 1 << 20

// APIs implements the simulator's provider.
func (p *Provider) APIs() map[string]func(http.ResponseWriter, *http.Request, string) {
	return map[string]func(http.ResponseWriter, *http.Request, string){typeName: p.Cloud, dialog: p.Dialog}
}

// Cloud serves graph.facebook.com: path is what follows the API's base, "/v26.0/<phone_number_id>/messages".
func (p *Provider) Cloud(w http.ResponseWriter, r *http.Request, path string) {
	if strings.HasPrefix(path, filePath) {
		p.file(w, r, p.bearer(r, r.URL.Query().Get("phone_number_id")))
		return
	}
	version, rest, _ := strings.Cut(strings.Trim(path, "/"), "/")
	node, edge, _ := strings.Cut(rest, "/")
	if !strings.HasPrefix(version, "v") || node == "" {
		stage.Write(w, unknownObject(version))
		return
	}
	if node == "debug_token" {
		p.debug(w, r)
		return
	}
	if edge == "subscribed_apps" {
		p.subscribe(w, r, node)
		return
	}
	number := node
	if edge == "" && p.number(node) == nil {
		number = cmp.Or(r.URL.Query().Get("phone_number_id"), p.holder(graph.Token(r), node))
	}
	a := p.bearer(r, number)
	switch {
	case graph.Token(r) == "":
		stage.Write(w, refusal(190, "An access token is required to request this resource."))
	case a == nil && p.number(number) != nil:
		stage.Write(w, refusal(190, ""))
	case a == nil:
		stage.Write(w, unknownObject(node))
	case edge == "messages" && r.Method == http.MethodPost:
		p.messages(w, r, a)
	case edge == "media" && r.Method == http.MethodPost:
		p.upload(w, r, a)
	case edge == "" && node == a.Config().ID && r.Method == http.MethodGet:
		stage.Write(w, stage.Answer{Status: 200, Body: profile(a.Config())})
	case edge == "":
		p.lookup(w, r, a, node)
	default:
		stage.Write(w, unknownObject(node))
	}
}

// Dialog serves waba-v2.360dialog.io: the key says which number it is.
func (p *Provider) Dialog(w http.ResponseWriter, r *http.Request, path string) {
	a := p.Accounts.ByKey(dialog, r.Header.Get("D360-API-KEY"))
	if a == nil || r.Header.Get("D360-API-KEY") == "" {
		stage.Write(w, stage.Answer{Status: 401, Body: obj{"meta": obj{"success": false, "http_code": 401, "developer_message": "Invalid api key"}}})
		return
	}
	switch rest := strings.Trim(path, "/"); {
	case strings.HasPrefix(path, filePath):
		p.file(w, r, a)
	case rest == "messages" && r.Method == http.MethodPost:
		p.messages(w, r, a)
	case rest == "media" && r.Method == http.MethodPost:
		p.upload(w, r, a)
	case rest == "v1/configs/webhook":
		p.configure(w, r, a)
	case rest != "" && !strings.Contains(rest, "/"):
		p.lookup(w, r, a, rest)
	default:
		stage.Write(w, stage.Answer{Status: 404, Body: obj{"meta": obj{"success": false, "http_code": 404, "developer_message": "Not found"}}})
	}
}

type obj = map[string]any

// bearer is the account of a number if the request has its token.
func (p *Provider) bearer(r *http.Request, number string) *account.Account {
	a := p.number(number)
	if a == nil || isDialog(a.Config()) || graph.Token(r) == "" || graph.Token(r) != a.Config().Secrets["access_token"] {
		return nil
	}
	return a
}

// holder is the number that has a file, of those with the token: a look-up need not name the number.
func (p *Provider) holder(token, file string) string {
	for _, a := range p.Accounts.Where(func(c *account.Config) bool {
		return c.Type == typeName && !isDialog(c) && c.Secrets["access_token"] == token
	}) {
		if token != "" && p.Files.File(a, file) != nil {
			return a.Config().ID
		}
	}
	return ""
}

func profile(c *account.Config) obj {
	return obj{"id": c.ID, "display_phone_number": c.Display, "verified_name": "Simulated", "quality_rating": "GREEN", "code_verification_status": "VERIFIED"}
}
