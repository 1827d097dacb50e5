package rcs

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/stage"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// ctcu plays the CSP interface of China Telecom and China Unicom.
type ctcu struct{ *Provider }

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

func (p *ctcu) account(in account.Registration, c *account.Config) error {
	c.Own = ownFrom(in)
	c.Key = "ct" + digest(in.Text("app_id"), " ", in.Secrets["app_key"], " ", c.ID) // its access token: the same after a new start
	return in.Need("app_key", "token")
}

func (p *ctcu) words() stage.Words { return ctcuWords{} }

type ctcuWords struct{}

var ctcuNames = map[int]string{-1: "system busy", 20002: "bad request", 30003: "too fast", 40001: "wrong credentials", 40014: "wrong token", 42001: "the token has expired", 46003: "the user is restricted", 60001: "illegal content"}

// ctcuNo is an error: with status 200.
func ctcuNo(code int, text string) stage.Answer {
	return stage.Answer{Status: 200, Code: code, Body: obj{"errorCode": code, "errorMessage": cmp.Or(text, ctcuNames[code], "error")}}
}

// Failure implements stage.Words. With a status but no code the answer is a page, as a proxy gives it.
func (ctcuWords) Failure(f *account.Failure) stage.Answer {
	if f.Code == 0 {
		return stage.Answer{Status: cmp.Or(f.Status, 502), RetryAfter: f.RetryAfter, Body: cmp.Or(f.Message, "<html><title>Bad Gateway</title></html>")}
	}
	return ctcuNo(f.Code, f.Message)
}

// Throttled implements stage.Words.
func (ctcuWords) Throttled(string, time.Duration) stage.Answer { return ctcuNo(30003, "") }

func (p *ctcu) serve(w http.ResponseWriter, r *http.Request, path string) {
	part := strings.Split(strings.Trim(path, "/"), "/")
	if len(part) < 4 || part[0] != "bot" {
		stage.Write(w, stage.Answer{Status: 404, Code: 404, Body: "<html>404</html>"})
		return
	}
	if part[3] == "accessToken" {
		p.token(w, r, part[2])
		return
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "accessToken ")
	a := p.Accounts.ByKey(typeName+"-ctcu", token)
	switch {
	case a == nil || token == "":
		stage.Write(w, ctcuNo(40014, ""))
	case part[2] != a.Config().ID:
		stage.Write(w, ctcuNo(20002, "the chatbot is another's"))
	case r.Method == "POST" && part[3] == "messages":
		p.send(w, r, a)
	case r.Method == "POST" && part[3] == "revoke":
		p.revoke(w, r, a)
	case r.Method == "POST" && part[3] == "medias" && len(part) == 5:
		p.upload(w, r, a)
	case r.Method == "GET" && part[3] == "medias":
		p.file(w, a, r.Header.Get("url"))
	default:
		stage.Write(w, ctcuNo(20002, ""))
	}
}

func (p *ctcu) token(w http.ResponseWriter, r *http.Request, bot string) {
	var in struct {
		App string `json:"appId"`
		Key string `json:"appKey"`
	}
	body, _ := stage.Read(w, r, maxBody)
	_ = json.Unmarshal(body, &in) // without it there is no such account
	a := p.Accounts.ByKey(typeName+"-ctcu", "ct"+digest(in.App, " ", in.Key, " ", bot))
	if a == nil {
		stage.Write(w, ctcuNo(40001, ""))
		return
	}
	p.Play(w, r, a, "accessToken", ctcuWords{}, func() stage.Act {
		return stage.Act{Name: "accessToken", Do: func() stage.Answer {
			return stage.Answer{Status: 200, Body: obj{"accessToken": a.Config().Key, "expires": 7200, "url": ownOf(a.Config()).base, "errorCode": 0}}
		}}
	})
}

func (p *ctcu) send(w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "messages", ctcuWords{}, func() stage.Act {
		body, ok := stage.Read(w, r, maxBody)
		var o struct {
			ID   string `json:"messageId"`
			List []struct {
				Type    string          `json:"contentType"`
				Content json.RawMessage `json:"contentText"`
			} `json:"messageList"`
			To   []string `json:"destinationAddress"`
			From string   `json:"senderAddress"`
			SMS  bool     `json:"smsSupported"`
			Text string   `json:"smsContent"`
		}
		err := json.Unmarshal(body, &o)
		s := sending{body: body, ref: o.ID}
		if len(o.To) == 1 {
			s.to = number(o.To[0])
		}
		for _, i := range o.List {
			text := string(i.Content)
			var plain string
			if json.Unmarshal(i.Content, &plain) == nil {
				text = plain
			}
			s.content(i.Type, text)
		}
		return stage.Act{Name: "messages", To: s.to, Kind: s.kind, Ref: o.ID, Do: func() stage.Answer {
			switch {
			case !ok || err != nil || s.bad != "" || s.to == "" || o.ID == "" || len(o.List) == 0 || o.From != a.Config().ID || o.SMS && o.Text == "":
				return ctcuNo(20002, s.bad)
			case a.Script().Recipient(s.to) == "blocked":
				return ctcuNo(46003, "")
			case s.file != "" && p.Files.File(a, s.file[strings.LastIndexByte(s.file, '/')+1:]) == nil:
				return ctcuNo(20003, "there is no such file")
			}
			return p.take(a, s, o.ID, 200, obj{"messageId": o.ID, "errorCode": 0, "errorMessage": "success"}, "")
		}}
	})
}

func (p *ctcu) revoke(w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "revoke", ctcuWords{}, func() stage.Act {
		body, _ := stage.Read(w, r, maxBody)
		var o struct {
			ID string `json:"messageId"`
		}
		_ = json.Unmarshal(body, &o) // without it there is no such message
		return stage.Act{Name: "revoke", Kind: "revoke", Ref: o.ID, Do: func() stage.Answer {
			m, ok := p.Ledger.Message(a, o.ID)
			if !ok {
				return ctcuNo(20003, "there is no such message")
			}
			_ = p.Send(a, webhook.Post{About: webhook.About{Kind: "revoked", Peer: m.To, Message: m.ID}, Make: func() webhook.Call { return p.told(a.Config(), m, "revokeOk", 0) }})
			return stage.Answer{Status: 200, Body: obj{"errorCode": 0, "errorMessage": "success"}}
		}}
	})
}

func (p *ctcu) upload(w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "upload", ctcuWords{}, func() stage.Act {
		f := readFile(w, r, a)
		return stage.Act{Name: "upload", Do: func() stage.Answer {
			if f == nil {
				return ctcuNo(20002, "want a file")
			}
			id := p.nextID()
			p.Files.Put(id, f)
			return stage.Answer{Status: 200, Body: obj{"errorCode": 0, "fileCount": 1, "fileInfo": []obj{{
				"type": "file", "url": ownOf(a.Config()).base + "/files/" + id, "fileName": f.Name, "contentType": f.MIME, "fileSize": len(f.Data),
			}}}}
		}}
	})
}

// readFile reads the part File of a form; nil if there is none.
func readFile(w http.ResponseWriter, r *http.Request, a *account.Account) *media.File {
	r.Body = http.MaxBytesReader(w, r.Body, 12<<20)
	part, head, err := r.FormFile("File")
	if err != nil {
		return nil
	}
	data, err := io.ReadAll(part)
	if err != nil || len(data) == 0 {
		return nil
	}
	return &media.File{Of: a, MIME: head.Header.Get("Content-Type"), Name: head.Filename, Data: data}
}

// push signs a push: token, time and nonce, sorted.
func (p *ctcu) push(c *account.Config, suffix string, v any) webhook.Call {
	call := say(c.WebhookURL+suffix, v)
	at, nonce := strconv.FormatInt(p.Now().Unix(), 10), p.nextID()
	parts := []string{c.Secrets["token"], at, nonce}
	slices.Sort(parts)
	call.Header.Set("timestamp", at)
	call.Header.Set("nonce", nonce)
	call.Header.Set("signature", digest(parts...))
	return call
}

func (p *ctcu) person(c *account.Config, h happening) webhook.Call {
	one := obj{"contentType": "text/plain", "contentText": h.text}
	switch h.kind {
	case "file":
		one = obj{"contentType": "application/vnd.gsma.rcs-ft-http", "contentEncoding": "utf8", "contentText": []obj{{
			"type": "file", "fileSize": len(h.file.Data), "fileName": h.file.Name, "contentType": h.file.MIME, "url": h.fileAt,
		}}}
	case "location":
		one["contentText"] = geo(h)
	case "reply", "action":
		one = obj{"contentType": "application/vnd.gsma.botsuggestion.response.v1.0+json", "contentEncoding": "utf8", "contentText": tap(h)}
	case "unsupported":
		one = obj{"contentType": "application/hologram", "contentText": "x"}
	}
	v := obj{
		"messageId": h.id, "messageList": []obj{one}, "dateTime": h.at.Format(time.RFC3339Nano), "destinationAddress": c.ID, "senderAddress": "tel:" + h.from,
		"conversationId": "sim-" + h.from, "contributionId": "ctrb-" + h.id,
	}
	if h.reply != "" {
		v["inReplyTo"] = h.reply
	}
	return p.push(c, "/messageNotification/"+c.ID+"/messages", v)
}

func (p *ctcu) status(c *account.Config, m ledger.Message, status string) (webhook.Call, bool) {
	word := map[string]string{"sent": "sent", "delivered": "delivered", "read": "displayed", "failed": "failed", "sms": "deliveredToNetwork"}[status]
	if word == "" {
		return webhook.Call{}, false
	}
	return p.told(c, m, word, 2), true
}

// told is what became of a message; code counts for one that failed: 2 is a phone without 5G messages.
func (p *ctcu) told(c *account.Config, m ledger.Message, word string, code int) webhook.Call {
	d := obj{"messageId": m.ID, "senderAddress": "tel:" + m.To, "status": word, "dateTime": p.Now().Format(time.RFC3339)}
	if word == "failed" {
		d["errorCode"] = code
	}
	return p.push(c, "/deliveryNotification/"+c.ID+"/status", obj{"deliveryInfoList": []obj{d}})
}
