package instagram

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/graph"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// renew takes GET /refresh_access_token: another token, beside which the older ones stay good.
func (p *Provider) renew(w http.ResponseWriter, r *http.Request, a *account.Account, token string) {
	p.Play(w, r, a, "refresh_access_token", words, func() stage.Act {
		grant := r.URL.Query().Get("grant_type")
		return stage.Act{Name: "refresh_access_token", Do: func() stage.Answer {
			switch {
			case ownOf(a.Config()).page != "":
				return refusal(100, "The token is not one of Instagram")
			case grant != "ig_refresh_token":
				return refusal(100, "The parameter grant_type is required")
			}
			return stage.Answer{Status: 200, Body: obj{"access_token": token + renewal + p.number(), "token_type": "bearer", "expires_in": tokenFor}}
		}}
	})
}

// me serves GET /me and GET /<account>.
func (p *Provider) me(w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "me", words, func() stage.Act {
		return stage.Act{Name: "me", Do: func() stage.Answer {
			id := a.Config().ID
			return stage.Answer{Status: 200, Body: obj{"user_id": id, "id": graph.Scoped(a.Config(), "app", id), "username": "simulated.account"}}
		}}
	})
}

// subscribe takes POST and GET /subscribed_apps.
func (p *Provider) subscribe(w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "subscribed_apps", words, func() stage.Act {
		body, _ := stage.Read(w, r, maxJSON)
		return stage.Act{Name: "subscribed_apps", Do: func() stage.Answer {
			if r.Method == http.MethodGet {
				return stage.Answer{Status: 200, Body: obj{"data": []obj{{"id": ownOf(a.Config()).app, "name": "Simulated app"}}}}
			}
			var in struct {
				Fields json.RawMessage `json:"subscribed_fields"` // a list, or names with commas between
			}
			err := json.Unmarshal(graph.JSON(r, body), &in)
			asked := cmp.Or(r.URL.Query().Get("subscribed_fields"), string(in.Fields))
			names := strings.FieldsFunc(asked, func(c rune) bool { return strings.ContainsRune(`[]", `, c) })
			if err != nil && asked == "" || !slices.Contains(names, "messages") {
				return refusal(100, "Param subscribed_fields is required, and has no messages")
			}
			return stage.Answer{Status: 200, Body: obj{"success": true}}
		}}
	})
}

// profile serves GET /{igsid}: of people who have written to the account. Who has only commented has not agreed to it.
func (p *Provider) profile(w http.ResponseWriter, r *http.Request, a *account.Account, id string) {
	p.Play(w, r, a, "profile", words, func() stage.Act {
		return stage.Act{Name: "profile", To: id, Do: func() stage.Answer {
			who := a.People.Known(id)
			switch {
			case !graph.Digits(id):
				return graph.UnknownObject(id)
			case !who.Seen:
				return refusal(230, "")
			}
			last := id[max(0, len(id)-4):]
			return stage.Answer{Status: 200, Body: obj{
				"name": cmp.Or(who.Name, "Simulated "+last), "username": "simulated." + last, "profile_pic": "https://profile.example/" + id, "is_verified_user": false, "id": id,
			}}
		}}
	})
}

// said is the body of a comment that the account writes.
type said struct {
	Message string `json:"message"`
	Media   string `json:"media_id"`
	Comment string `json:"comment_id"`
}

func readSaid(w http.ResponseWriter, r *http.Request) (in said, body []byte) {
	body, _ = stage.Read(w, r, maxJSON)
	body = graph.JSON(r, body)
	_ = json.Unmarshal(body, &in) // what is no object says nothing
	for name, at := range map[string]*string{"message": &in.Message, "media_id": &in.Media, "comment_id": &in.Comment} {
		*at = cmp.Or(*at, r.URL.Query().Get(name))
	}
	return in, body
}

// answer takes POST /{comment}/replies and POST /{post}/comments.
func (p *Provider) answer(w http.ResponseWriter, r *http.Request, a *account.Account, node, edge string) {
	p.Play(w, r, a, edge, words, func() stage.Act {
		in, body := readSaid(w, r)
		about, known := p.comments.Get(a, node)
		to, post := node, node
		if known {
			post = about.Post
			if about.From != "" {
				to = graph.Scoped(a.Config(), graph.InComments, about.From)
			}
		}
		return stage.Act{Name: edge, To: to, Kind: "text", Do: func() stage.Answer {
			if known != (edge == "replies") || !graph.Digits(node) {
				return graph.UnknownObject(node)
			}
			return p.wrote(a, in.Message, to, post, body)
		}}
	})
}

// mentions takes POST /{account}/mentions: a comment where the account was named.
func (p *Provider) mentions(w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "mentions", words, func() stage.Act {
		in, body := readSaid(w, r)
		to := cmp.Or(in.Comment, in.Media)
		return stage.Act{Name: "mentions", To: to, Kind: "text", Do: func() stage.Answer {
			if !graph.Digits(in.Media) {
				return refusal(100, "The parameter media_id is required")
			}
			return p.wrote(a, in.Message, to, in.Media, body)
		}}
	})
}

// wrote accepts a comment of the account.
func (p *Provider) wrote(a *account.Account, text, to, post string, body []byte) stage.Answer {
	if text == "" || len(text) > 4*2200 {
		return refusal(100, "The parameter message is required, and has a limit")
	}
	m := &ledger.Message{ID: "18" + p.number(), To: to, Kind: "comment", Text: text, Body: body}
	return stage.Answer{Status: 200, Message: m, Body: obj{"id": m.ID}, Done: func() {
		p.comments.Add(a, m.ID, graph.Comment{Post: post, At: m.At})
		a.People.Change(to+" "+post, func(w *account.Person) { w.LastOut = m.ID })
	}}
}

// change takes POST and DELETE /{comment}: it is hidden or shown, or is deleted.
func (p *Provider) change(w http.ResponseWriter, r *http.Request, a *account.Account, id string) {
	p.Play(w, r, a, "comment", words, func() stage.Act {
		_, _ = stage.Read(w, r, maxJSON)
		c, known := p.comments.Get(a, id)
		hide := r.URL.Query().Get("hide")
		act := stage.Act{Name: "comment", Kind: map[string]string{"true": "hide", "false": "unhide"}[hide]}
		if r.Method == http.MethodDelete {
			act.Kind = "delete"
		}
		if known && c.From != "" {
			act.To = graph.Scoped(a.Config(), graph.InComments, c.From)
		}
		act.Do = func() stage.Answer {
			switch {
			case !known:
				return graph.UnknownObject(id)
			case act.Kind == "":
				return refusal(100, "The parameter hide is required")
			case act.Kind == "delete":
				p.comments.Remove(a, id)
			}
			return stage.Answer{Status: 200, Body: obj{"success": true}}
		}
		return act
	})
}
