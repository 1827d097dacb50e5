package rcs

import (
	"cmp"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/stage"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// google plays rcsbusinessmessaging.googleapis.com, and the address that gives access tokens.
type google struct{ *Provider }

// made is the key of made-up service accounts: one for all of a process, as a key takes long to make. Their names differ.
var made = sync.OnceValue(func() string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // its source never fails
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err) // our own key: cannot fail
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
})

// ServiceAccount is the JSON file of a service account that is made up.
func ServiceAccount() string {
	b, _ := json.Marshal(obj{ // texts alone: cannot fail
		"type": "service_account", "client_email": "sim-" + account.Hex(6) + "@simulated.iam.gserviceaccount.com",
		"private_key_id": account.Hex(20), "private_key": made(),
	})
	return string(b)
}

func (g *google) account(in account.Registration, c *account.Config) error {
	if err := in.Need("client_token", "service_account"); err != nil {
		return err
	}
	var sa struct {
		Email string `json:"client_email"`
		Key   string `json:"private_key"`
	}
	bad := fault.At("/secrets/service_account", "bad_format", "want the JSON file of a service account")
	if json.Unmarshal([]byte(in.Secrets["service_account"]), &sa) != nil || sa.Email == "" {
		return bad
	}
	block, _ := pem.Decode([]byte(sa.Key))
	if block == nil {
		return bad
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	private, ok := key.(*rsa.PrivateKey)
	if err != nil || !ok {
		return bad
	}
	o := ownFrom(in)
	o.app, o.key = sa.Email, &private.PublicKey
	c.Own, c.Also = o, strings.TrimSuffix(c.ID, "@rbm.goog")
	c.Key = googleToken(sa.Email, c.ID)
	return nil
}

// googleToken is an account's access token: it follows from its names, so that it is the same after a new start.
func googleToken(email, agent string) string {
	h := sha256.Sum256([]byte(email + " " + agent))
	return "ya29.sim-" + hex.EncodeToString(h[:])
}

func (g *google) words() stage.Words { return googleWords{} }

type googleWords struct{}

var googleNames = map[int]string{400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE"}

func googleNo(status int, text string) stage.Answer {
	name := cmp.Or(googleNames[status], "UNKNOWN")
	return stage.Answer{Status: status, Code: status, Body: obj{"error": obj{"code": status, "message": cmp.Or(text, name), "status": name}}}
}

// Failure implements stage.Words. With a status but no code an answer from 500 on is a page, as a proxy gives it.
func (googleWords) Failure(f *account.Failure) stage.Answer {
	if status := cmp.Or(f.Status, 502); f.Code == 0 && status >= 500 {
		return stage.Answer{Status: status, RetryAfter: f.RetryAfter, Body: cmp.Or(f.Message, "<html><title>Bad Gateway</title></html>")}
	}
	no := googleNo(cmp.Or(f.Status, f.Code), f.Message)
	no.RetryAfter = f.RetryAfter
	return no
}

// Throttled implements stage.Words.
func (googleWords) Throttled(string, time.Duration) stage.Answer { return googleNo(429, "") }

func (g *google) serve(w http.ResponseWriter, r *http.Request, path string) {
	if path == "/token" {
		g.token(w, r)
		return
	}
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a := g.Accounts.ByKey(typeName+"-google", bearer)
	part := strings.Split(strings.Trim(path, "/"), "/")
	if a == nil && len(part) == 2 && part[0] == "files" { // the address of a file is its own credential
		for _, one := range g.Accounts.Where(func(c *account.Config) bool { return c.Type == typeName }) {
			if g.Files.File(one, part[1]) != nil {
				g.file(w, one, path)
				return
			}
		}
	}
	switch {
	case a == nil || bearer == "":
		stage.Write(w, googleNo(401, ""))
	case r.URL.Query().Get("agentId") != "" && strings.TrimSuffix(r.URL.Query().Get("agentId"), "@rbm.goog") != a.Config().Also:
		stage.Write(w, googleNo(403, "the agent is another's"))
	case r.Method == "POST" && path == "/upload/v1/files":
		g.upload(w, r, a)
	case len(part) < 4 || part[0] != "v1" || part[1] != "phones":
		stage.Write(w, googleNo(404, ""))
	case r.Method == "POST" && part[3] == "agentMessages":
		g.send(w, r, a, part[2])
	case r.Method == "DELETE" && part[3] == "agentMessages" && len(part) == 5:
		g.revoke(w, r, a, part[4])
	case r.Method == "POST" && part[3] == "agentEvents":
		g.event(w, r, a, part[2])
	case r.Method == "GET" && part[3] == "capabilities":
		g.capabilities(w, r, a, part[2])
	default:
		stage.Write(w, googleNo(404, ""))
	}
}

// token gives an access token for an assertion that the service account's key has signed.
func (g *google) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	no := stage.Answer{Status: 400, Code: 400, Body: obj{"error": "invalid_grant", "error_description": "Invalid JWT Signature."}}
	part := strings.Split(r.FormValue("assertion"), ".")
	var claims struct {
		Issuer  string `json:"iss"`
		Scope   string `json:"scope"`
		For     string `json:"aud"`
		Expires int64  `json:"exp"`
	}
	if len(part) != 3 {
		stage.Write(w, no)
		return
	}
	body, _ := base64.RawURLEncoding.DecodeString(part[1])
	sig, err := base64.RawURLEncoding.DecodeString(part[2])
	if err != nil || json.Unmarshal(body, &claims) != nil || claims.For != "https://oauth2.googleapis.com/token" || claims.Expires <= g.Now().Unix() {
		stage.Write(w, no)
		return
	}
	sum := sha256.Sum256([]byte(part[0] + "." + part[1]))
	for _, a := range g.Accounts.Where(func(c *account.Config) bool { return c.Base == typeName+"-google" && ownOf(c).app == claims.Issuer }) {
		key, _ := ownOf(a.Config()).key.(*rsa.PublicKey)
		if key == nil || rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig) != nil {
			continue
		}
		g.Play(w, r, a, "token", googleWords{}, func() stage.Act {
			return stage.Act{Name: "token", Do: func() stage.Answer {
				return stage.Answer{Status: 200, Body: obj{"access_token": a.Config().Key, "expires_in": 3599, "token_type": "Bearer"}}
			}}
		})
		return
	}
	stage.Write(w, no)
}

type googleSuggested struct {
	Reply  *googleTap `json:"reply"`
	Action *googleTap `json:"action"`
}

type googleTap struct {
	Text string `json:"text"`
	Data string `json:"postbackData"`
}

type googleContents struct {
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Media       *googleFileName   `json:"media"`
	Suggestions []googleSuggested `json:"suggestions"`
}

type googleFileName struct {
	File *struct {
		Name string `json:"fileName"`
	} `json:"uploadedRbmFile"`
}

// googleSent is an AgentMessage.
type googleSent struct {
	Content struct {
		Text string `json:"text"`
		File *struct {
			Name string `json:"fileName"`
		} `json:"uploadedRbmFile"`
		Card *struct {
			One *struct {
				Content googleContents `json:"cardContent"`
			} `json:"standaloneCard"`
			Many *struct {
				Contents []googleContents `json:"cardContents"`
			} `json:"carouselCard"`
		} `json:"richCard"`
		Suggestions []googleSuggested `json:"suggestions"`
	} `json:"contentMessage"`
}

// choices are what can be tapped: actions bring something back, too, but nobody says it.
func googleChoices(all []googleSuggested) (out []account.Choice, bad string) {
	for _, s := range all {
		tap, prefix := s.Reply, ""
		if tap == nil {
			tap, prefix = s.Action, "action:"
		}
		if tap == nil || tap.Text == "" || utf8.RuneCountInString(tap.Text) > 25 || len(tap.Data) > 2048 {
			return nil, "a suggestion is not as documented"
		}
		out = append(out, account.Choice{ID: prefix + tap.Data, Title: tap.Text})
	}
	return out, ""
}

// read takes a message apart.
func (m *googleSent) read(s *sending) {
	c := m.Content
	s.kind, s.text = "text", c.Text
	s.choices, s.bad = googleChoices(c.Suggestions)
	if len(c.Suggestions) > 11 || utf8.RuneCountInString(c.Text) > 3072 {
		s.bad = "the message is too long"
	}
	var cards []googleContents
	switch {
	case c.File != nil:
		s.kind, s.file = "file", c.File.Name
	case c.Card != nil && c.Card.One != nil:
		s.kind, cards = "card", []googleContents{c.Card.One.Content}
	case c.Card != nil && c.Card.Many != nil:
		s.kind, cards = "carousel", c.Card.Many.Contents
		if n := len(cards); n < 2 || n > 10 {
			s.bad = "a carousel has 2 to 10 cards"
		}
	case c.Text == "":
		s.bad = "there is no content"
	}
	for _, one := range cards {
		s.text = strings.TrimSpace(strings.Join([]string{s.text, one.Title, one.Description}, "\n"))
		more, bad := googleChoices(one.Suggestions)
		if len(more) > 4 {
			bad = "a card has 4 suggestions"
		}
		s.choices, s.bad = append(s.choices, more...), cmp.Or(s.bad, bad)
		if one.Media != nil && one.Media.File != nil {
			s.file = one.Media.File.Name
		}
	}
}

func (g *google) send(w http.ResponseWriter, r *http.Request, a *account.Account, to string) {
	id := r.URL.Query().Get("messageId")
	g.Play(w, r, a, "agentMessages", googleWords{}, func() stage.Act {
		body, ok := stage.Read(w, r, maxBody)
		s := sending{to: to, ref: id, body: body}
		var m googleSent
		if json.Unmarshal(body, &m) == nil {
			m.read(&s)
		} else {
			s.bad = "the body is not JSON"
		}
		return stage.Act{Name: "agentMessages", To: to, Kind: s.kind, Ref: id, Do: func() stage.Answer {
			who := a.People.Known(to)
			answer := obj{"name": "phones/" + to + "/agentMessages/" + id, "sendTime": g.Now().UTC().Format(time.RFC3339)}
			switch {
			case !ok || s.bad != "" || id == "" || len(body) > 250<<10:
				return googleNo(400, s.bad)
			case a.Script().Recipient(to) == "unknown":
				return googleNo(404, "Requested entity was not found.")
			case a.Script().Recipient(to) == "blocked" || who.Blocked:
				return googleNo(403, "the user has unsubscribed")
			case s.file != "" && g.Files.File(a, strings.TrimPrefix(s.file, "files/")) == nil:
				return googleNo(400, "there is no such file")
			}
			if _, twice := g.Ledger.Message(a, id); twice { // it is ignored
				return stage.Answer{Status: 200, Body: answer}
			}
			return g.take(a, s, id, 200, answer, "")
		}}
	})
}

func (g *google) upload(w http.ResponseWriter, r *http.Request, a *account.Account) {
	g.Play(w, r, a, "upload", googleWords{}, func() stage.Act {
		data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 101<<20))
		return stage.Act{Name: "upload", Do: func() stage.Answer {
			if err != nil || len(data) == 0 || r.Header.Get("Content-Type") == "" {
				return googleNo(400, "want the bytes of a file and its type")
			}
			id := g.nextID()
			g.Files.Put(id, &media.File{Of: a, MIME: r.Header.Get("Content-Type"), Data: data})
			return stage.Answer{Status: 200, Body: obj{"name": "files/" + id}}
		}}
	})
}

func (g *google) revoke(w http.ResponseWriter, r *http.Request, a *account.Account, id string) {
	g.Play(w, r, a, "revoke", googleWords{}, func() stage.Act {
		return stage.Act{Name: "revoke", Kind: "revoke", Ref: id, Do: func() stage.Answer {
			if _, ok := g.Ledger.Message(a, id); !ok {
				return googleNo(404, "")
			}
			return stage.Answer{Status: 200, Body: obj{}}
		}}
	})
}

func (g *google) event(w http.ResponseWriter, r *http.Request, a *account.Account, to string) {
	g.Play(w, r, a, "agentEvents", googleWords{}, func() stage.Act {
		body, _ := stage.Read(w, r, maxBody)
		var e struct {
			Type    string `json:"eventType"`
			Message string `json:"messageId"`
		}
		err := json.Unmarshal(body, &e)
		return stage.Act{Name: "agentEvents", To: to, Kind: e.Type, Do: func() stage.Answer {
			if err != nil || e.Type != "IS_TYPING" && (e.Type != "READ" || e.Message == "") || r.URL.Query().Get("eventId") == "" {
				return googleNo(400, "")
			}
			return stage.Answer{Status: 200, Body: obj{"name": "phones/" + to + "/agentEvents/" + r.URL.Query().Get("eventId")}}
		}}
	})
}

func (g *google) capabilities(w http.ResponseWriter, r *http.Request, a *account.Account, of string) {
	g.Play(w, r, a, "capabilities", googleWords{}, func() stage.Act {
		return stage.Act{Name: "capabilities", To: of, Do: func() stage.Answer {
			if a.Script().Recipient(of) == "unknown" {
				return googleNo(404, "")
			}
			return stage.Answer{Status: 200, Body: obj{"features": []string{
				"RICHCARD_STANDALONE", "RICHCARD_CAROUSEL", "ACTION_OPEN_URL", "ACTION_DIAL", "ACTION_VIEW_LOCATION", "ACTION_SHARE_LOCATION", "ACTION_CREATE_CALENDAR_EVENT",
			}}}
		}}
	})
}

// push wraps what happened as Pub/Sub does, and signs what the data decodes to.
func (g *google) push(c *account.Config, kind string, v obj) webhook.Call {
	v["agentId"] = c.ID
	data, err := json.Marshal(v)
	if err != nil {
		panic("rcs: " + err.Error()) // our own types: cannot fail
	}
	call := say(c.WebhookURL, obj{"message": obj{
		"attributes": obj{"business_id": c.ID, "event_type": "", "project_number": "1", "type": kind},
		"data":       base64.StdEncoding.EncodeToString(data), "messageId": g.nextID(), "publishTime": g.Now().UTC().Format(time.RFC3339Nano),
	}, "subscription": "projects/simulated/subscriptions/rbm-agent-subscription"})
	mac := hmac.New(sha512.New, []byte(c.Secrets["client_token"]))
	mac.Write(data)
	call.Header.Set("X-Goog-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	call.Header.Set("X-Goog-Webhook-Type", "message_callback")
	return call
}

func (g *google) person(c *account.Config, h happening) webhook.Call {
	v := obj{"senderPhoneNumber": h.from, "messageId": h.id, "sendTime": h.at.UTC().Format(time.RFC3339Nano)}
	event := func(kind string) webhook.Call {
		return g.push(c, "event", obj{"senderPhoneNumber": h.from, "eventType": kind, "eventId": h.id, "sendTime": v["sendTime"]})
	}
	switch h.kind {
	case "text":
		v["text"] = h.text
	case "file":
		v["userFile"] = obj{"payload": obj{"mimeType": h.file.MIME, "fileSizeBytes": len(h.file.Data), "fileUri": h.fileAt, "fileName": h.file.Name}}
	case "location":
		v["location"] = obj{"latitude": h.lat, "longitude": h.lon}
	case "reply":
		v["suggestionResponse"] = obj{"postbackData": h.data, "text": h.text, "type": "REPLY"}
	case "action":
		v["suggestionResponse"] = obj{"postbackData": h.data, "text": h.text, "type": "ACTION"}
	case "typing":
		return event("IS_TYPING")
	case "in":
		return event("SUBSCRIBE")
	case "out":
		return event("UNSUBSCRIBE")
	default:
		v["hologram"] = obj{"x": 1}
	}
	return g.push(c, "message", v)
}

func (g *google) status(c *account.Config, m ledger.Message, status string) (webhook.Call, bool) {
	v := obj{"messageId": m.ID, "eventId": g.nextID(), "sendTime": g.Now().UTC().Format(time.RFC3339Nano)}
	switch status {
	case "delivered", "read":
		v["senderPhoneNumber"], v["eventType"] = m.To, strings.ToUpper(status)
	case "failed":
		v["phoneNumber"], v["eventType"] = m.To, "TTL_EXPIRATION_REVOKED"
	default:
		return webhook.Call{}, false
	}
	return g.push(c, "event", v), true
}
