package line

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/stage"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// loading starts the animation that shows that somebody is writing, in a talk with one user.
func (p *Provider) loading(w http.ResponseWriter, r *http.Request, a *account.Account) {
	var in struct {
		Chat    string `json:"chatId"`
		Seconds int    `json:"loadingSeconds"`
	}
	p.signal(w, r, a, "loading", "typing", &in, func() stage.Answer {
		if !userID.MatchString(in.Chat) || in.Seconds < 5 || in.Seconds > 60 || in.Seconds%5 != 0 {
			return invalid("loadingSeconds", "Must be a multiple of 5 between 5 and 60")
		}
		return stage.Answer{Status: 202, Body: obj{}}
	})
}

func (p *Provider) markAsRead(w http.ResponseWriter, r *http.Request, a *account.Account) {
	var in struct {
		Token string `json:"markAsReadToken"`
	}
	p.signal(w, r, a, "markAsRead", "read", &in, func() stage.Answer {
		if in.Token == "" {
			return invalid("markAsReadToken", "May not be empty")
		}
		return stage.Answer{Status: 200, Body: obj{}}
	})
}

func (p *Provider) signal(w http.ResponseWriter, r *http.Request, a *account.Account, name, kind string, in any, do func() stage.Answer) {
	p.Play(w, r, a, name, words{}, func() stage.Act {
		body, ok := stage.Read(w, r, maxBody)
		return stage.Act{Name: name, Kind: kind, Do: func() stage.Answer {
			if !ok || json.Unmarshal(body, in) != nil {
				return refusal(400, "The request body could not be parsed as JSON (line: -, column: -)")
			}
			return do()
		}}
	})
}

// hook is where webhooks go: told, asked, tried.
func (p *Provider) hook(w http.ResponseWriter, r *http.Request, a *account.Account, do string) {
	var in struct {
		Endpoint string `json:"endpoint"`
	}
	p.Play(w, r, a, "webhook", words{}, func() stage.Act {
		body, _ := stage.Read(w, r, maxBody)
		return stage.Act{Name: "webhook", Do: func() stage.Answer {
			if len(body) > 0 && json.Unmarshal(body, &in) != nil {
				return refusal(400, "The request body could not be parsed as JSON (line: -, column: -)")
			}
			switch do {
			case "PUT channel/webhook/endpoint":
				if !p.Allowed(in.Endpoint) || len(in.Endpoint) > 500 {
					return invalid("endpoint", "Invalid webhook endpoint URL")
				}
				a.Hook(func(c *account.Config) { c.WebhookURL = in.Endpoint })
				return stage.Answer{Status: 200, Body: obj{}}
			case "GET channel/webhook/endpoint":
				return stage.Answer{Status: 200, Body: obj{"endpoint": a.Config().WebhookURL, "active": true}}
			case "POST channel/webhook/test":
				return p.try(r, a, in.Endpoint)
			}
			return refusal(404, usual[404])
		}}
	})
}

// try posts a webhook without events, as LINE's Verify button does.
func (p *Provider) try(r *http.Request, a *account.Account, to string) stage.Answer {
	c := a.Config()
	if to == "" {
		to = c.WebhookURL
	}
	if !p.Allowed(to) {
		return invalid("endpoint", "Invalid webhook endpoint URL")
	}
	body := webhook.JSON(obj{"destination": c.ID, "events": []obj{}})
	got := p.Hooks.Deliver(r.Context(), webhook.Post{Make: func() webhook.Call {
		return webhook.Call{URL: to, Header: signed(c, body), Body: body}
	}})
	out := obj{"success": got.OK(), "timestamp": p.Now().UTC().Format(time.RFC3339), "statusCode": got.Status, "reason": "OK", "detail": ""}
	if !got.OK() {
		out["reason"], out["detail"] = "ERROR_STATUS_CODE", got.Error
	}
	return stage.Answer{Status: 200, Body: out}
}

// get serves files, profiles and groups.
func (p *Provider) get(w http.ResponseWriter, r *http.Request, a *account.Account, rest string) {
	if id, ok := strings.CutPrefix(rest, "message/"); ok && strings.HasSuffix(id, "/content") {
		p.content(w, a, strings.TrimSuffix(id, "/content"))
		return
	}
	p.Play(w, r, a, "profile", words{}, func() stage.Act {
		return stage.Act{Name: "profile", Do: func() stage.Answer {
			part := strings.Split(rest, "/")
			switch {
			case len(part) == 2 && part[0] == "profile":
				return p.profile(a, part[1], part[1])
			case len(part) == 4 && (part[0] == "group" || part[0] == "room") && part[2] == "member":
				return p.profile(a, member(part[1], part[3]), part[3])
			case len(part) == 3 && part[0] == "group" && part[2] == "summary":
				return p.summary(a, part[1])
			case rest == "message/quota":
				return stage.Answer{Status: 200, Body: obj{"type": "limited", "value": 1000}}
			case rest == "message/quota/consumption":
				return stage.Answer{Status: 200, Body: obj{"totalUsage": 0}}
			}
			return refusal(404, usual[404])
		}}
	})
}

// profile is a user's who has done something with the account, as a friend or a member, and has not blocked it.
func (p *Provider) profile(a *account.Account, key, id string) stage.Answer {
	who := a.People.Known(key)
	if !userID.MatchString(id) || !who.Seen || a.People.Known(id).Blocked {
		return refusal(404, usual[404])
	}
	name := cmp.Or(who.Name, "Simulated "+id[len(id)-4:])
	return stage.Answer{Status: 200, Body: obj{"userId": id, "displayName": name, "language": "en", "pictureUrl": pictureOf(id)}}
}

// summary is a group's that the account is in.
func (p *Provider) summary(a *account.Account, id string) stage.Answer {
	if !a.People.Known(id).Seen {
		return refusal(404, usual[404])
	}
	return stage.Answer{Status: 200, Body: obj{"groupId": id, "groupName": "Simulated group " + id[len(id)-4:], "pictureUrl": pictureOf(id)}}
}

// pictureOf is a URL at a host that is reserved for examples: nothing is fetched from it.
func pictureOf(id string) string { return "https://profile.example/" + id }

func (p *Provider) content(w http.ResponseWriter, a *account.Account, id string) {
	f := p.Files.File(a, id)
	if f == nil {
		stage.Write(w, refusal(404, usual[404]))
		return
	}
	write(w, f)
}

// sticker is the same picture for all stickers.
func (p *Provider) sticker(w http.ResponseWriter) {
	f, err := media.Of(nil, &account.Action{Kind: "sticker"})
	if err != nil {
		stage.Write(w, refusal(404, usual[404]))
		return
	}
	write(w, f)
}

func write(w http.ResponseWriter, f *media.File) {
	w.Header().Set("Content-Type", f.MIME)
	_, _ = w.Write(f.Data)
}
