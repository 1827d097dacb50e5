package sms

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio signs with no other
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/stage"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

type twilio struct{}

func (twilio) account(in account.Registration) (account.Config, error) {
	sid := in.Text("account_sid")
	c := account.Config{ID: cmp.Or(in.Text("messaging_service_sid"), in.Text("sender"), sid), Key: sid, Display: in.Text("messaging_service_sid"), Secrets: in.Secrets}
	if !strings.HasPrefix(sid, "AC") {
		return c, fault.At("/settings/account_sid", "bad_format", "want AC and 32 hex digits")
	}
	return c, in.Need("auth_token")
}

func twilioRefusal(status, code int, message string) stage.Answer {
	return stage.Answer{Status: status, Code: code, Body: obj{"code": code, "message": message, "more_info": "https://www.twilio.com/docs/errors/" + strconv.Itoa(code), "status": status}}
}

func (twilio) serve(p *Provider, w http.ResponseWriter, r *http.Request, path string) {
	sid, token, _ := r.BasicAuth()
	a := p.Accounts.ByKey("twilio", sid)
	if a == nil || token != a.Config().Secrets["auth_token"] {
		stage.Write(w, twilioRefusal(401, 20003, "Authenticate"))
		return
	}
	of := "/2010-04-01/Accounts/" + sid
	part := strings.Split(path, "/")
	switch do := r.Method + " " + path; {
	case do == "POST "+of+"/Messages.json":
		twilio{}.send(p, w, r, a)
	case do == "GET "+of+".json":
		stage.Write(w, stage.Answer{Status: 200, Body: obj{"sid": sid, "status": "active", "friendly_name": "Simulated"}})
	case r.Method == "POST" && strings.HasPrefix(path, "/v1/Services/MG"):
		twilio{}.hook(p, w, r, a)
	case r.Method == "GET" && strings.HasPrefix(path, of+"/Messages/") && strings.Contains(path, "/Media/"):
		p.file(w, a, strings.TrimPrefix(part[len(part)-1], "ME"), twilioRefusal(404, 20404, "The requested resource was not found"))
	default:
		stage.Write(w, twilioRefusal(404, 20404, "The requested resource "+path+" was not found"))
	}
}

// hook is the URL for what people write to a messaging service.
func (twilio) hook(p *Provider, w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "setup", twilioWords{}, func() stage.Act {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		to := r.PostFormValue("InboundRequestUrl")
		return stage.Act{Name: "setup", Do: func() stage.Answer {
			if !p.Allowed(to) {
				return twilioRefusal(400, 21502, "InboundRequestUrl is not a valid URL")
			}
			a.Hook(func(c *account.Config) { c.WebhookURL = to })
			return stage.Answer{Status: 200, Body: obj{"sid": strings.TrimPrefix(r.URL.Path, "/simulator/twilio/v1/Services/"), "inbound_request_url": to}}
		}}
	})
}

func (twilio) send(p *Provider, w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "message", twilioWords{}, func() stage.Act {
		body, ok := stage.Read(w, r, maxBody)
		f, err := url.ParseQuery(string(body))
		to, kind := f.Get("To"), "text"
		if f.Has("MediaUrl") {
			kind = "media"
		}
		back := callback{url: f.Get("StatusCallback")}
		return stage.Act{Name: "message", To: to, Kind: kind, Ref: ref(back.url), Do: func() stage.Answer {
			state := p.refused(a, to)
			switch {
			case !ok || err != nil || !f.Has("From") && !f.Has("MessagingServiceSid"):
				return twilioRefusal(400, 21603, "A 'From' phone number is required.")
			case !number.MatchString(to[strings.IndexByte(to, ':')+1:]) || state == "unknown":
				return twilioRefusal(400, 21211, "The 'To' number "+to+" is not a valid phone number.")
			case f.Get("Body") == "" && kind == "text":
				return twilioRefusal(400, 21602, "Message body is required.")
			case len([]rune(f.Get("Body"))) > 1600:
				return twilioRefusal(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
			case len(f["MediaUrl"]) > 10:
				return twilioRefusal(400, 21623, "Number of media files exceeds allowed limit.")
			case state == "blocked":
				return twilioRefusal(400, 21610, "Attempt to send to unsubscribed recipient")
			}
			m := p.accepted(to, kind, f.Get("Body"), body, back, twilio{}.id(p.nextID()))
			return stage.Answer{
				Status: 201, Body: obj{"sid": m.ID, "status": "queued", "to": to, "from": f.Get("From"), "error_code": nil, "error_message": nil}, Message: m,
				Done: func() { p.sent(a, m) },
			}
		}}
	})
}

// ref is the reference in a callback of the gateway.
func ref(callback string) string {
	if u, err := url.Parse(callback); err == nil {
		return u.Query().Get("ref")
	}
	return ""
}

func (twilio) id(n string) string { return "SM" + strings.Repeat("0", max(0, 32-len(n))) + n }

func (twilio) wrote(_ *Provider, a *account.Account, m incoming) []webhook.Call {
	c := a.Config()
	sid := m.id
	f := url.Values{
		"MessageSid": {sid}, "SmsSid": {sid}, "SmsMessageSid": {sid}, "AccountSid": {c.Key}, "From": {m.from}, "To": {ownOf(a).sender}, "Body": {m.text},
		"NumMedia": {"0"}, "NumSegments": {strconv.Itoa(len(parts(m.text)))}, "SmsStatus": {"received"}, "ApiVersion": {"2010-04-01"}, "FromCity": {""},
	}
	if m.file != nil {
		f.Set("NumMedia", "1")
		f.Set("MediaContentType0", m.file.MIME)
		f.Set("MediaUrl0", ownOf(a).base+"/2010-04-01/Accounts/"+c.Key+"/Messages/"+sid+"/Media/ME"+m.fileID)
	}
	return []webhook.Call{twilioCall(a, c.WebhookURL, f)}
}

func (twilio) receipt(_ *Provider, a *account.Account, r receipt) webhook.Call {
	f := url.Values{
		"MessageSid": {r.id}, "SmsSid": {r.id}, "AccountSid": {a.Config().Key}, "To": {r.to}, "From": {ownOf(a).sender},
		"MessageStatus": {r.status}, "SmsStatus": {r.status}, "ApiVersion": {"2010-04-01"},
	}
	if r.status == "failed" {
		f.Set("MessageStatus", "undelivered")
		f.Set("ErrorCode", strconv.Itoa(cmp.Or(r.code, 30008)))
	}
	return twilioCall(a, r.back.url, f)
}

// twilioCall signs a call: the URL, then every name and value in the order of the names.
func twilioCall(a *account.Account, to string, f url.Values) webhook.Call {
	text := to
	for _, k := range slices.Sorted(maps.Keys(f)) {
		text += k + f.Get(k)
	}
	mac := hmac.New(sha1.New, []byte(a.Config().Secrets["auth_token"]))
	mac.Write([]byte(text))
	return webhook.Call{URL: to, Body: []byte(f.Encode()), Header: http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "X-Twilio-Signature": {base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	}}
}

// twilioWords is how Twilio says no.
type twilioWords struct{}

// Failure implements stage.Words. With a status but no code it is a page, as a proxy gives it.
func (twilioWords) Failure(f *account.Failure) stage.Answer {
	if f.Code == 0 {
		return page(f)
	}
	return twilioRefusal(cmp.Or(f.Status, 400), f.Code, cmp.Or(f.Message, "Refused"))
}

// Throttled implements stage.Words.
func (twilioWords) Throttled(string, time.Duration) stage.Answer {
	return twilioRefusal(429, 20429, "Too Many Requests")
}

// page is what something between a provider and the gateway answers.
func page(f *account.Failure) stage.Answer {
	return stage.Answer{Status: cmp.Or(f.Status, 502), RetryAfter: f.RetryAfter, Body: cmp.Or(f.Message, "<html><title>Bad Gateway</title></html>")}
}
