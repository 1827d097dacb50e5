package sms

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/stage"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// vonage plays the SMS API, and the Messages API for accounts that use that.
type vonage struct{}

func (vonage) account(in account.Registration) (account.Config, error) {
	c := account.Config{ID: in.Text("sender"), Key: in.Secrets["api_key"], Secrets: in.Secrets}
	if in.Text("api") == "messages" {
		c.Also = cmp.Or(in.Text("application_id"), c.ID)
	}
	return c, in.Need("api_key", "api_secret", "signature_secret")
}

// newer reports whether an account uses the Messages API: then its Also is the application.
func newer(a *account.Account) bool { return a.Config().Also != "" }

func (v vonage) serve(p *Provider, w http.ResponseWriter, r *http.Request, path string) {
	switch r.Method + " " + path {
	case "POST /sms/json":
		v.send(p, w, r)
	case "POST /v1/messages":
		v.message(p, w, r)
	case "GET /account/get-balance":
		if byKey(p, r, r.URL.Query()) == nil {
			stage.Write(w, stage.Answer{Status: 401, Code: 401, Body: obj{"error-code": "401", "error-code-label": "authentication failed"}})
			return
		}
		stage.Write(w, stage.Answer{Status: 200, Body: obj{"value": 10.28, "autoReload": false}})
	default:
		stage.Write(w, stage.Answer{Status: 404, Code: 404, Body: obj{"type": "https://developer.vonage.com/api-errors#not-found", "title": "Not Found"}})
	}
}

// vonageAnswer is the answer of the SMS API: 200, whatever it says.
func vonageAnswer(code int, words string) stage.Answer {
	return stage.Answer{Status: 200, Code: code, Body: obj{"message-count": "1", "messages": []obj{{"status": strconv.Itoa(code), "error-text": words}}}}
}

func (vonage) send(p *Provider, w http.ResponseWriter, r *http.Request) {
	body, ok := stage.Read(w, r, maxBody)
	f, err := url.ParseQuery(string(body))
	a := byKey(p, r, f)
	if !ok || err != nil || a == nil {
		stage.Write(w, vonageAnswer(4, "Bad Credentials"))
		return
	}
	p.Play(w, r, a, "message", vonageWords{}, func() stage.Act {
		to := "+" + f.Get("to")
		return stage.Act{Name: "message", To: to, Kind: "text", Ref: f.Get("client-ref"), Do: func() stage.Answer {
			switch state := p.refused(a, to); {
			case f.Get("text") == "" || f.Get("from") == "":
				return vonageAnswer(2, "Missing parameter")
			case !number.MatchString(to) || state == "unknown":
				return vonageAnswer(6, "Unroutable message - rejected")
			case state == "blocked":
				return vonageAnswer(7, "Number barred")
			}
			var ids []string
			var told []obj
			for range parts(f.Get("text")) {
				id := strings.ToUpper(account.Hex(8))
				ids = append(ids, id)
				told = append(told, obj{"to": f.Get("to"), "message-id": id, "status": "0", "remaining-balance": "10.28", "message-price": "0.0333", "network": "23410"})
			}
			m := p.accepted(to, "text", f.Get("text"), nil, callback{f.Get("callback"), f.Get("client-ref")}, ids...)
			return stage.Answer{Status: 200, Body: obj{"message-count": strconv.Itoa(len(ids)), "messages": told}, Message: m, Done: func() { p.sent(a, m) }}
		}}
	})
}

// byKey is the account of a call with key and secret: in the header, or among the parameters.
func byKey(p *Provider, r *http.Request, in url.Values) *account.Account {
	key, secret, ok := r.BasicAuth()
	if !ok {
		key, secret = in.Get("api_key"), in.Get("api_secret")
	}
	if a := p.Accounts.ByKey("vonage", key); a != nil && secret == a.Config().Secrets["api_secret"] {
		return a
	}
	return nil
}

// caller is the account of a call to the Messages API: by its key and secret, or by a token of its application.
func (vonage) caller(p *Provider, r *http.Request) *account.Account {
	if _, _, ok := r.BasicAuth(); ok {
		return byKey(p, r, nil)
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	var of *account.Account
	_, err := jwt.Parse(token, func(t *jwt.Token) (any, error) {
		claims, _ := t.Claims.(jwt.MapClaims)
		id, _ := claims["application_id"].(string)
		all := p.Accounts.Where(func(c *account.Config) bool { return c.Type == typeName && c.Also != "" && c.Also == id })
		if len(all) == 0 {
			return nil, jwt.ErrTokenUnverifiable
		}
		of = all[0]
		key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(of.Config().Secrets["private_key"]))
		if err != nil {
			return nil, err
		}
		return &key.PublicKey, nil
	}, jwt.WithValidMethods([]string{"RS256"}))
	if err != nil {
		return nil
	}
	return of
}

func problem(status, code int, title string) stage.Answer {
	return stage.Answer{Status: status, Code: code, Body: obj{"type": "https://developer.vonage.com/api-errors/messages#" + strconv.Itoa(code), "title": title, "detail": title, "instance": account.Hex(8)}}
}

func (v vonage) message(p *Provider, w http.ResponseWriter, r *http.Request) {
	a := v.caller(p, r)
	if a == nil {
		stage.Write(w, stage.Answer{Status: 401, Code: 401, Body: obj{"type": "https://developer.vonage.com/api-errors#unauthorized", "title": "Unauthorized"}})
		return
	}
	p.Play(w, r, a, "message", problemWords{}, func() stage.Act {
		body, ok := stage.Read(w, r, maxBody)
		var in struct {
			Channel string `json:"channel"`
			Type    string `json:"message_type"`
			To      string `json:"to"`
			From    string `json:"from"`
			Text    string `json:"text"`
			Ref     string `json:"client_ref"`
		}
		err := json.Unmarshal(body, &in)
		to := "+" + in.To
		return stage.Act{Name: "message", To: to, Kind: "text", Ref: in.Ref, Do: func() stage.Answer {
			switch state := p.refused(a, to); {
			case !ok || err != nil || in.Channel != "sms" || in.Type != "text" || in.Text == "" || in.From == "":
				return problem(422, 1020, "Invalid params")
			case !number.MatchString(to) || state == "unknown":
				return problem(422, 1170, "Invalid or Missing Msisdn Param")
			case state == "blocked":
				return problem(403, 1240, "Illegal Number")
			}
			m := p.accepted(to, "text", in.Text, body, callback{ref: in.Ref}, uuid.NewString())
			return stage.Answer{Status: 202, Body: obj{"message_uuid": m.ID}, Message: m, Done: func() { p.sent(a, m) }}
		}}
	})
}

func (vonage) id(string) string { return uuid.NewString() }

func (v vonage) wrote(p *Provider, a *account.Account, m incoming) (out []webhook.Call) {
	to, from := account.Bare(ownOf(a).sender), account.Bare(m.from)
	if newer(a) {
		return []webhook.Call{v.hook(p, a, obj{
			"channel": "sms", "message_uuid": m.id, "to": to, "from": from, "timestamp": m.at.UTC().Format(time.RFC3339), "message_type": "text", "text": m.text,
			"sms": obj{"num_messages": strconv.Itoa(len(parts(m.text)))}, "usage": obj{"currency": "EUR", "price": "0.0333"},
		})}
	}
	all := parts(m.text)
	for n, text := range all {
		id := m.id
		if n > 0 {
			id = uuid.NewString()
		}
		f := url.Values{
			"msisdn": {from}, "to": {to}, "messageId": {id}, "text": {text}, "type": {"text"},
			"keyword": {strings.ToUpper(strings.SplitN(text, " ", 2)[0])}, "message-timestamp": {m.at.UTC().Format(time.DateTime)},
		}
		if len(all) > 1 {
			f.Set("concat", "true")
			f.Set("concat-ref", m.id[max(0, len(m.id)-3):])
			f.Set("concat-total", strconv.Itoa(len(all)))
			f.Set("concat-part", strconv.Itoa(n+1))
		}
		out = append(out, v.call(p, a, a.Config().WebhookURL, f))
	}
	return out
}

// vonageTold are their words for what becomes of a message.
var vonageTold = map[string]string{"sent": "accepted", "delivered": "delivered", "failed": "failed", "read": "delivered"}

func (v vonage) receipt(p *Provider, a *account.Account, r receipt) webhook.Call {
	if newer(a) {
		h := obj{
			"message_uuid": r.id, "to": account.Bare(r.to), "from": account.Bare(ownOf(a).sender), "timestamp": p.Now().UTC().Format(time.RFC3339), "channel": "sms",
			"status": map[string]string{"sent": "submitted", "failed": "undeliverable"}[r.status], "client_ref": r.back.ref,
		}
		if h["status"] == "" {
			h["status"] = r.status
		}
		if r.status == "failed" {
			r.code = cmp.Or(r.code, 1330)
			h["error"] = obj{"type": "https://developer.vonage.com/api-errors/messages#" + strconv.Itoa(r.code), "title": r.code, "detail": "Simulated", "instance": account.Hex(8)}
		}
		return v.hook(p, a, h)
	}
	f := url.Values{
		"msisdn": {account.Bare(r.to)}, "to": {account.Bare(ownOf(a).sender)}, "messageId": {r.id}, "status": {vonageTold[r.status]}, "err-code": {"0"},
		"client-ref": {r.back.ref}, "network-code": {"23410"}, "price": {"0.0333"}, "scts": {p.Now().UTC().Format("0601021504")}, "message-timestamp": {p.Now().UTC().Format(time.DateTime)},
	}
	if r.status == "failed" {
		f.Set("err-code", strconv.Itoa(cmp.Or(r.code, 99)))
	}
	return v.call(p, a, r.back.url, f)
}

// call signs the parameters with HMAC-SHA256, which is the method that their SDK checks.
func (vonage) call(p *Provider, a *account.Account, to string, f url.Values) webhook.Call {
	c := a.Config()
	f.Set("api-key", c.Key)
	f.Set("nonce", account.Hex(8))
	f.Set("timestamp", strconv.FormatInt(p.Now().Unix(), 10))
	text := ""
	for _, k := range slices.Sorted(maps.Keys(f)) {
		text += "&" + k + "=" + strings.NewReplacer("&", "_", "=", "_").Replace(f.Get(k))
	}
	mac := hmac.New(sha256.New, []byte(c.Secrets["signature_secret"]))
	mac.Write([]byte(text))
	f.Set("sig", hex.EncodeToString(mac.Sum(nil)))
	return webhook.Call{URL: to, Body: []byte(f.Encode()), Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}
}

// hook is a call of the Messages API, with its token.
func (vonage) hook(p *Provider, a *account.Account, v obj) webhook.Call {
	c := a.Config()
	body, _ := json.Marshal(v) // our own types always marshal
	sum := sha256.Sum256(body)
	token, _ := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{ // a secret of bytes always signs
		"iat": p.Now().Unix(), "jti": uuid.NewString(), "iss": "Vonage", "payload_hash": hex.EncodeToString(sum[:]), "api_key": c.Key, "application_id": c.Also,
	}).SignedString([]byte(c.Secrets["signature_secret"]))
	return webhook.Call{URL: c.WebhookURL, Body: body, Header: http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}}}
}

// vonageWords is how the SMS API says no.
type vonageWords struct{}

// Failure implements stage.Words.
func (vonageWords) Failure(f *account.Failure) stage.Answer {
	if f.Code == 0 {
		return page(f)
	}
	return vonageAnswer(f.Code, cmp.Or(f.Message, "Refused"))
}

// Throttled implements stage.Words.
func (vonageWords) Throttled(_ string, wait time.Duration) stage.Answer {
	return vonageAnswer(1, "Throughput Rate Exceeded - please wait [ "+strconv.FormatInt(wait.Milliseconds(), 10)+" ] and retry")
}

// problemWords is how the Messages API says no.
type problemWords struct{}

// Failure implements stage.Words.
func (problemWords) Failure(f *account.Failure) stage.Answer {
	if f.Code == 0 {
		return page(f)
	}
	return problem(cmp.Or(f.Status, 422), f.Code, cmp.Or(f.Message, "Refused"))
}

// Throttled implements stage.Words.
func (problemWords) Throttled(string, time.Duration) stage.Answer {
	return problem(429, 1000, "Throttled")
}
