package sms

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/stage"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

type infobip struct{}

func (infobip) account(in account.Registration) (account.Config, error) {
	c := account.Config{ID: in.Text("sender"), Key: cmp.Or(in.Text("username"), in.Secrets["api_key"]), Secrets: in.Secrets}
	need := "api_key"
	if in.Text("username") != "" {
		need = "password"
	}
	return c, in.Need(need, "webhook_secret")
}

func (infobip) id(n string) string { return n }

func infobipRefusal(status int, words string) stage.Answer {
	return stage.Answer{Status: status, Code: status, Body: obj{"requestError": obj{"serviceException": obj{"messageId": "REFUSED", "text": words}}}}
}

func (infobip) caller(p *Provider, r *http.Request) *account.Account {
	if user, password, ok := r.BasicAuth(); ok {
		if a := p.Accounts.ByKey("infobip", user); a != nil && password == a.Config().Secrets["password"] {
			return a
		}
		return nil
	}
	key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "App ")
	return p.Accounts.ByKey("infobip", key)
}

func (i infobip) serve(p *Provider, w http.ResponseWriter, r *http.Request, path string) {
	a := i.caller(p, r)
	if a == nil {
		stage.Write(w, infobipRefusal(401, "Invalid login details"))
		return
	}
	switch do := r.Method + " " + path; {
	case do == "POST /sms/3/messages":
		i.send(p, w, r, a, "text")
	case do == "POST /mms/2/messages":
		i.send(p, w, r, a, "media")
	case do == "GET /account/1/balance":
		stage.Write(w, stage.Answer{Status: 200, Body: obj{"balance": 47.8, "currency": "EUR"}})
	case strings.HasPrefix(do, "GET /mms/1/inbound/media/"):
		p.file(w, a, strings.TrimPrefix(path, "/mms/1/inbound/media/"), infobipRefusal(404, "Not found"))
	default:
		stage.Write(w, infobipRefusal(404, "Requested URL not found"))
	}
}

func (infobip) send(p *Provider, w http.ResponseWriter, r *http.Request, a *account.Account, kind string) {
	p.Play(w, r, a, "message", infobipWords{}, func() stage.Act {
		body, ok := stage.Read(w, r, maxBody)
		var in struct {
			Messages []struct {
				Sender       string `json:"sender"`
				Destinations []struct {
					To string `json:"to"`
					ID string `json:"messageId"`
				} `json:"destinations"`
				Content struct {
					Text     string `json:"text"`
					Segments []struct {
						Kind string `json:"type"`
						Text string `json:"text"`
					} `json:"messageSegments"`
				} `json:"content"`
				Webhooks struct {
					Delivery struct {
						URL string `json:"url"`
					} `json:"delivery"`
				} `json:"webhooks"`
			} `json:"messages"`
		}
		err := json.Unmarshal(body, &in)
		if err != nil || !ok || len(in.Messages) != 1 || len(in.Messages[0].Destinations) != 1 {
			return stage.Act{Name: "message", Do: func() stage.Answer { return infobipRefusal(400, "Bad Request") }}
		}
		m, d := in.Messages[0], in.Messages[0].Destinations[0]
		to, text := "+"+d.To, m.Content.Text
		for _, s := range m.Content.Segments {
			text += s.Text
		}
		return stage.Act{Name: "message", To: to, Kind: kind, Ref: d.ID, Do: func() stage.Answer {
			switch state := p.refused(a, to); {
			case m.Sender == "" || kind == "text" && text == "" || kind == "media" && len(m.Content.Segments) == 0:
				return infobipRefusal(400, "Bad Request")
			case !number.MatchString(to) || state == "unknown":
				return infobipAnswer(d.ID, 5, "REJECTED", "REJECTED_DESTINATION")
			case state == "blocked":
				return infobipAnswer(d.ID, 5, "REJECTED", "EC_USER_IN_BLACKLIST")
			}
			done := p.accepted(to, kind, text, body, callback{url: m.Webhooks.Delivery.URL}, cmp.Or(d.ID, account.Hex(16)))
			answer := infobipAnswer(done.ID, 1, "PENDING", "PENDING_ACCEPTED")
			answer.Message, answer.Done = done, func() { p.sent(a, done) }
			return answer
		}}
	})
}

func infobipAnswer(id string, group int, groupName, name string) stage.Answer {
	a := stage.Answer{Status: 200, Body: obj{"bulkId": account.Hex(8), "messages": []obj{{"messageId": id, "status": obj{
		"groupId": group, "groupName": groupName, "id": 7, "name": name, "description": strings.ToLower(name),
	}}}}}
	if group > 1 {
		a.Code = group
	}
	return a
}

const infobipTime = "2006-01-02T15:04:05.000-0700"

func (infobip) wrote(_ *Provider, a *account.Account, m incoming) []webhook.Call {
	r := obj{
		"messageId": m.id, "from": account.Bare(m.from), "to": account.Bare(ownOf(a).sender), "receivedAt": m.at.UTC().Format(infobipTime),
		"price": obj{"pricePerMessage": 0, "currency": "EUR"},
	}
	if m.file != nil {
		r["message"] = []obj{{"contentType": "text/plain", "value": m.text}, {"contentType": m.file.MIME, "url": ownOf(a).base + "/mms/1/inbound/media/" + m.fileID}}
	} else {
		r["text"], r["cleanText"], r["keyword"], r["smsCount"] = m.text, m.text, strings.ToUpper(strings.SplitN(m.text, " ", 2)[0]), len(parts(m.text))
	}
	return []webhook.Call{infobipCall(a.Config().WebhookURL, obj{"results": []obj{r}, "messageCount": 1, "pendingMessageCount": 0}, "App "+a.Config().Secrets["webhook_secret"])}
}

var infobipTold = map[string]obj{
	"sent":      {"groupId": 1, "groupName": "PENDING", "id": 3, "name": "PENDING_WAITING_DELIVERY", "description": "Message sent, waiting for delivery"},
	"delivered": {"groupId": 3, "groupName": "DELIVERED", "id": 5, "name": "DELIVERED_TO_HANDSET", "description": "Message delivered to handset"},
	"read":      {"groupId": 3, "groupName": "DELIVERED", "id": 5, "name": "DELIVERED_TO_HANDSET", "description": "Message delivered to handset"},
	"failed":    {"groupId": 2, "groupName": "UNDELIVERABLE", "id": 9, "name": "UNDELIVERABLE_NOT_DELIVERED", "description": "Message sent not delivered"},
}

// infobipErrors are some of their errors, by number.
var infobipErrors = map[int]string{1: "EC_UNKNOWN_SUBSCRIBER", 9: "EC_ILLEGAL_SUBSCRIBER", 13: "EC_CALL_BARRED", 27: "EC_ABSENT_SUBSCRIBER", 51: "EC_USER_IN_BLACKLIST"}

func (infobip) receipt(p *Provider, a *account.Account, r receipt) webhook.Call {
	e := obj{"groupId": 0, "groupName": "OK", "id": 0, "name": "NO_ERROR", "description": "No Error", "permanent": false}
	if r.status == "failed" {
		r.code = cmp.Or(r.code, 27)
		e = obj{"groupId": 2, "groupName": "USER_ERRORS", "id": r.code, "name": cmp.Or(infobipErrors[r.code], "EC_"+strconv.Itoa(r.code)), "description": "Simulated", "permanent": true}
	}
	now := p.Now().UTC().Format(infobipTime)
	return infobipCall(r.back.url, obj{"results": []obj{{
		"bulkId": account.Hex(8), "messageId": r.id, "to": account.Bare(r.to), "sender": account.Bare(ownOf(a).sender), "sentAt": now, "doneAt": now, "messageCount": 1,
		"status": infobipTold[r.status], "error": e,
	}}}, "")
}

func infobipCall(to string, v obj, auth string) webhook.Call {
	body, _ := json.Marshal(v) // our own types always marshal
	h := http.Header{"Content-Type": {"application/json"}}
	if auth != "" {
		h.Set("Authorization", auth)
	}
	return webhook.Call{URL: to, Body: body, Header: h}
}

// infobipWords is how Infobip says no.
type infobipWords struct{}

// Failure implements stage.Words.
func (infobipWords) Failure(f *account.Failure) stage.Answer {
	if f.Code == 0 {
		return page(f)
	}
	return infobipRefusal(cmp.Or(f.Status, f.Code), cmp.Or(f.Message, "Refused"))
}

// Throttled implements stage.Words.
func (infobipWords) Throttled(string, time.Duration) stage.Answer {
	return infobipRefusal(429, "Too many requests")
}
