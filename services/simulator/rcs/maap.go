package rcs

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/stage"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// maap plays a platform in the manner of the GSMA's FNW.11.
type maap struct{ *Provider }

func (p *maap) account(in account.Registration, c *account.Config) error {
	c.Key, c.Own = in.Secrets["access_token"], ownFrom(in)
	return in.Need("access_token", "webhook_secret")
}

func (p *maap) words() stage.Words { return maapWords{} }

type maapWords struct{}

func maapNo(status int, text string) stage.Answer {
	return stage.Answer{Status: status, Code: status, Body: obj{"error": obj{"code": status, "message": cmp.Or(text, http.StatusText(status))}}}
}

// Failure implements stage.Words. With a status but no code the answer is a page, as a proxy gives it.
func (maapWords) Failure(f *account.Failure) stage.Answer {
	if f.Code == 0 {
		return stage.Answer{Status: cmp.Or(f.Status, 502), RetryAfter: f.RetryAfter, Body: cmp.Or(f.Message, "<html><title>Bad Gateway</title></html>")}
	}
	no := maapNo(cmp.Or(f.Status, f.Code), f.Message)
	no.RetryAfter = f.RetryAfter
	return no
}

// Throttled implements stage.Words.
func (maapWords) Throttled(string, time.Duration) stage.Answer { return maapNo(429, "") }

func (p *maap) serve(w http.ResponseWriter, r *http.Request, path string) {
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a := p.Accounts.ByKey(typeName+"-maap", bearer)
	part := strings.Split(strings.Trim(path, "/"), "/")
	if len(part) == 2 && part[0] == "files" { // the address of a file is its own credential
		for _, one := range p.Accounts.Where(func(c *account.Config) bool { return c.Type == typeName }) {
			if p.Files.File(one, part[1]) != nil {
				p.file(w, one, path)
				return
			}
		}
	}
	switch {
	case a == nil || bearer == "":
		stage.Write(w, maapNo(401, ""))
	case len(part) < 2 || part[0] != a.Config().ID:
		stage.Write(w, maapNo(404, "there is no such bot"))
	case r.Method == "POST" && part[1] == "messages" && len(part) == 2:
		p.send(w, r, a)
	case r.Method == "PUT" && part[1] == "messages" && len(part) == 4:
		p.change(w, r, a, part[2])
	case r.Method == "GET" && part[1] == "contactCapabilities":
		p.capabilities(w, r, a)
	case r.Method == "POST" && part[1] == "files":
		p.upload(w, r, a)
	case r.Method == "GET" && part[1] == "files" && len(part) == 3:
		p.upload(w, r, a)
	default:
		stage.Write(w, maapNo(404, ""))
	}
}

func (p *maap) send(w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "messages", maapWords{}, func() stage.Act {
		body, ok := stage.Read(w, r, maxBody)
		var o struct {
			Message struct {
				Text   string     `json:"textMessage"`
				Cards  *gsmaCards `json:"richcardMessage"`
				Typing string     `json:"isTyping"`
				Chips  gsmaChips  `json:"suggestedChipList"`
				Place  *struct {
					Pos string `json:"pos"`
				} `json:"geolocationPushMessage"`
				File  *maapFile `json:"fileMessage"`
				Audio *maapFile `json:"audioMessage"`
			} `json:"RCSMessage"`
			Contact struct {
				Number string `json:"userContact"`
				Chat   string `json:"chatId"`
			} `json:"messageContact"`
		}
		err := json.Unmarshal(body, &o)
		m, s := o.Message, sending{to: cmp.Or(o.Contact.Number, o.Contact.Chat), body: body}
		s.kind, s.text = "text", m.Text
		s.choices, s.bad = gsmaChoices(m.Chips.Suggestions, 11, false)
		file := m.File
		if file == nil {
			file = m.Audio
		}
		switch {
		case m.Cards != nil:
			s.cards(*m.Cards, false)
		case file != nil:
			s.kind, s.file = "file", file.URL
		case m.Place != nil:
			s.kind, s.text = "location", m.Place.Pos
		case m.Typing != "":
			s.kind = "typing"
		case m.Text == "":
			s.bad = "there is no content"
		}
		return stage.Act{Name: "messages", To: s.to, Kind: s.kind, Do: func() stage.Answer {
			switch {
			case !ok || err != nil || s.bad != "" || s.to == "":
				return maapNo(400, s.bad)
			case s.kind == "typing":
				return stage.Answer{Status: 202, Body: obj{}}
			case a.Script().Recipient(s.to) == "unknown":
				return maapNo(404, "the contact has no RCS")
			case a.Script().Recipient(s.to) == "blocked":
				return maapNo(403, "the contact has blocked the bot")
			case s.file != "" && p.Files.File(a, s.file[strings.LastIndexByte(s.file, '/')+1:]) == nil:
				return maapNo(400, "there is no such file")
			}
			id := p.nextID()
			return p.take(a, s, id, 202, obj{"RCSMessage": obj{"msgId": id, "status": "pending", "timestamp": p.Now().UTC().Format(time.RFC3339)}}, "")
		}}
	})
}

type maapFile struct {
	URL string `json:"fileUrl"`
}

// change is that one of theirs was read, or that one of ours is taken back.
func (p *maap) change(w http.ResponseWriter, r *http.Request, a *account.Account, id string) {
	p.Play(w, r, a, "status", maapWords{}, func() stage.Act {
		body, _ := stage.Read(w, r, maxBody)
		var o struct {
			Message struct {
				Status string `json:"status"`
			} `json:"RCSMessage"`
		}
		err := json.Unmarshal(body, &o)
		return stage.Act{Name: "status", Kind: o.Message.Status, Ref: id, Do: func() stage.Answer {
			_, ours := p.Ledger.Message(a, id)
			if err != nil || o.Message.Status != "displayed" && (o.Message.Status != "cancelled" || !ours) {
				return maapNo(400, "")
			}
			return stage.Answer{Status: 200, Body: obj{"RCSMessage": obj{"msgId": id, "status": o.Message.Status}}}
		}}
	})
}

func (p *maap) capabilities(w http.ResponseWriter, r *http.Request, a *account.Account) {
	of := r.URL.Query().Get("userContact")
	p.Play(w, r, a, "contactCapabilities", maapWords{}, func() stage.Act {
		return stage.Act{Name: "contactCapabilities", To: of, Do: func() stage.Answer {
			has := []string{"chat", "fileTransfer", "geolocationPush"}
			if a.Script().Recipient(of) == "unknown" {
				has = []string{}
			}
			return stage.Answer{Status: 200, Body: obj{"contactCapabilities": obj{"capabilities": has}}}
		}}
	})
}

// upload takes a file, which is ready when it is asked for again.
func (p *maap) upload(w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "files", maapWords{}, func() stage.Act {
		f := &media.File{Of: a}
		if r.Method == "POST" {
			r.Body = http.MaxBytesReader(w, r.Body, 101<<20)
			if part, head, err := r.FormFile("fileContent"); err == nil {
				f.MIME, f.Name = head.Header.Get("Content-Type"), head.Filename
				f.Data, _ = io.ReadAll(part)
			}
		}
		return stage.Act{Name: "files", Do: func() stage.Answer {
			if r.Method == "GET" {
				id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
				have := p.Files.File(a, id)
				if have == nil {
					return maapNo(404, "")
				}
				return stage.Answer{Status: 200, Body: obj{"file": obj{"fileId": id, "fileUrl": ownOf(a.Config()).base + "/files/" + id, "fileSize": len(have.Data), "status": "ready"}}}
			}
			if len(f.Data) == 0 || r.FormValue("fileType") == "" || r.FormValue("until") == "" {
				return maapNo(400, "want fileContent, fileType and until")
			}
			id := p.nextID()
			p.Files.Put(id, f)
			return stage.Answer{Status: 202, Body: obj{"file": obj{"fileId": id, "status": "pending"}}}
		}}
	})
}

func (p *maap) push(c *account.Config, event, to string, message obj) webhook.Call {
	return say(c.WebhookURL+"?secret="+c.Secrets["webhook_secret"], obj{"RCSMessage": message, "messageContact": obj{"userContact": to}, "event": event})
}

func (p *maap) person(c *account.Config, h happening) webhook.Call {
	m, event := obj{"msgId": h.id, "timestamp": h.at.UTC().Format(time.RFC3339Nano)}, "message"
	switch h.kind {
	case "text":
		m["textMessage"] = h.text
	case "file":
		kind := "fileMessage"
		if strings.HasPrefix(h.file.MIME, "audio/") {
			kind = "audioMessage"
		}
		m[kind] = obj{"fileUrl": h.fileAt, "fileName": h.file.Name, "fileMIMEType": h.file.MIME, "fileSize": len(h.file.Data)}
	case "location":
		at, _, _ := strings.Cut(strings.TrimPrefix(geo(h), "geo:"), ";")
		m["geolocationPushMessage"] = obj{"pos": strings.Replace(at, ",", " ", 1), "label": h.label}
	case "reply", "action":
		event, m["suggestedResponse"] = "response", tap(h)
	case "typing":
		event, m["isTyping"] = "isTyping", "active"
	default:
		m["hologramMessage"] = obj{"x": 1}
	}
	return p.push(c, event, h.from, m)
}

func (p *maap) status(c *account.Config, m ledger.Message, status string) (webhook.Call, bool) {
	word := map[string]string{"sent": "sent", "delivered": "delivered", "read": "displayed", "failed": "failed"}[status]
	if word == "" {
		return webhook.Call{}, false
	}
	return p.push(c, "messageStatus", m.To, obj{"msgId": m.ID, "status": word, "timestamp": p.Now().UTC().Format(time.RFC3339Nano)}), true
}
