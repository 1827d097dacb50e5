package whatsapp

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/url"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/graph"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// debug is what Meta says of an access token when it asks about itself: those of accounts here do not end.
func (p *Provider) debug(w http.ResponseWriter, r *http.Request) {
	known := p.Accounts.Where(func(c *account.Config) bool {
		return c.Type == typeName && !isDialog(c) && graph.Token(r) != "" && graph.Token(r) == c.Secrets["access_token"]
	})
	switch {
	case len(known) == 0:
		stage.Write(w, refusal(190, ""))
	case r.URL.Query().Get("input_token") != graph.Token(r):
		stage.Write(w, refusal(100, "You must provide an app access token."))
	default:
		stage.Write(w, stage.Answer{Status: 200, Body: obj{"data": obj{"type": "SYSTEM_USER", "is_valid": true, "expires_at": 0}}})
	}
}

// subscribe takes POST /{waba}/subscribed_apps: with an override the callback must pass the handshake.
func (p *Provider) subscribe(w http.ResponseWriter, r *http.Request, waba string) {
	var numbers []*account.Account
	for _, a := range p.Accounts.Where(func(c *account.Config) bool { return c.Type == typeName && own(c).waba == waba }) {
		if !isDialog(a.Config()) && graph.Token(r) != "" && graph.Token(r) == a.Config().Secrets["access_token"] {
			numbers = append(numbers, a)
		}
	}
	if len(numbers) == 0 {
		stage.Write(w, refusal(190, ""))
		return
	}
	p.Play(w, r, numbers[0], "subscribed_apps", words{}, func() stage.Act {
		body, _ := stage.Read(w, r, maxJSON)
		return stage.Act{Name: "subscribed_apps", Do: func() stage.Answer {
			var in struct {
				URL   string `json:"override_callback_uri"`
				Token string `json:"verify_token"`
			}
			if len(body) > 0 && json.Unmarshal(body, &in) != nil {
				return refusal(100, "The body is not JSON.")
			}
			if in.URL != "" && !p.handshake(r, in.URL, in.Token) {
				return refusal(100, "The callback URL or verify token couldn't be validated.")
			}
			for _, a := range numbers {
				if in.URL != "" {
					a.Hook(func(c *account.Config) { c.WebhookURL = in.URL })
				}
			}
			return stage.Answer{Status: 200, Body: obj{"success": true}}
		}}
	})
}

// handshake calls the callback as Meta does, and wants the challenge back.
func (p *Provider) handshake(r *http.Request, to, token string) bool {
	u, err := url.Parse(to)
	if err != nil || !p.Allowed(to) {
		return false
	}
	n, err := rand.Int(rand.Reader, big.NewInt(2e9))
	if err != nil {
		return false
	}
	challenge := n.String()
	q := u.Query()
	q.Set("hub.mode", "subscribe")
	q.Set("hub.verify_token", token)
	q.Set("hub.challenge", challenge)
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, u.String(), nil)
	if err != nil {
		return false
	}
	resp, err := p.Hooks.Client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	said, err := io.ReadAll(io.LimitReader(resp.Body, 1024))
	return err == nil && resp.StatusCode == http.StatusOK && string(said) == challenge
}

// configure takes 360dialog's POST and GET /v1/configs/webhook.
func (p *Provider) configure(w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "webhook", words{}, func() stage.Act {
		body, _ := stage.Read(w, r, maxJSON)
		return stage.Act{Name: "webhook", Do: func() stage.Answer {
			if r.Method == http.MethodGet {
				return stage.Answer{Status: 200, Body: obj{"url": a.Config().WebhookURL}}
			}
			var in struct {
				URL     string            `json:"url"`
				Headers map[string]string `json:"headers"`
			}
			if err := json.Unmarshal(body, &in); err != nil || !p.Allowed(in.URL) {
				return stage.Answer{Status: 400, Code: 400, Body: obj{"meta": obj{"success": false, "http_code": 400, "developer_message": "Invalid webhook url"}}}
			}
			a.Hook(func(c *account.Config) {
				c.WebhookURL, c.Own = in.URL, ownNumber{waba: own(c).waba, header: in.Headers}
			})
			return stage.Answer{Status: 200, Body: obj{"url": in.URL, "headers": in.Headers}}
		}}
	})
}
