package wechat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// maxText is how many bytes a text may have.
const maxText = 2048

// outgoing is a customer service message.
type outgoing struct {
	To    string         `json:"touser"`
	Kind  string         `json:"msgtype"`
	Text  *outgoingText  `json:"text"`
	Image *outgoingMedia `json:"image"`
	Voice *outgoingMedia `json:"voice"`
	Video *outgoingMedia `json:"video"`
	Menu  *struct {
		Head string `json:"head_content"`
		List []struct {
			ID      string `json:"id"`
			Content string `json:"content"`
		} `json:"list"`
		Tail string `json:"tail_content"`
	} `json:"msgmenu"`
	News *struct {
		Articles []struct {
			Title string `json:"title"`
			About string `json:"description"`
			URL   string `json:"url"`
		} `json:"articles"`
	} `json:"news"`
}

type outgoingText struct {
	Content string `json:"content"`
}

type outgoingMedia struct {
	ID string `json:"media_id"`
}

func (p *Provider) send(w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "custom", words{}, func() stage.Act {
		body, ok := stage.Read(w, r, maxBody)
		var o outgoing
		err := json.Unmarshal(body, &o)
		return stage.Act{Name: "custom", To: o.To, Kind: o.Kind, Do: func() stage.Answer {
			switch {
			case !ok || err != nil:
				return refusal(47001, "")
			case bytes.Contains(body, []byte(`\u`)):
				return refusal(40033, "") // WeChat takes characters, no escapes
			}
			if no := p.reachable(a, o.To); no != 0 {
				return refusal(no, "")
			}
			if no := p.wrong(a, &o); no != 0 {
				return refusal(no, "")
			}
			return p.accepted(a, o.To, o.Kind, o.words(), body, o.choices(), obj{"errcode": 0, "errmsg": "ok"}, nil)
		}}
	})
}

// reachable is the error for somebody who cannot be written to now, 0 if they can. A window counts if the script has one.
func (p *Provider) reachable(a *account.Account, to string) int {
	who := a.People.Known(to)
	switch {
	case a.Script().Recipient(to) == "unknown" || !who.Seen:
		return 40003
	case a.Script().Recipient(to) == "blocked" || who.Blocked:
		return 43004
	case a.Script().Closed(who.Wrote, p.Now()):
		return 45015
	}
	return 0
}

// wrong is the error for a message that is not as documented, 0 if it is.
func (p *Provider) wrong(a *account.Account, o *outgoing) int {
	file := map[string]*outgoingMedia{"image": o.Image, "voice": o.Voice, "video": o.Video}
	switch m, isFile := file[o.Kind]; {
	case o.Kind == "text" && (o.Text == nil || o.Text.Content == ""):
		return 44004
	case o.Kind == "text" && len(o.Text.Content) > maxText:
		return 45002
	case isFile && (m == nil || p.Files.File(a, m.ID) == nil):
		return 40007
	case o.Kind == "msgmenu" && (o.Menu == nil || len(o.Menu.List) == 0):
		return 44004
	case o.Kind == "news" && (o.News == nil || len(o.News.Articles) != 1):
		return 45008
	case o.Kind != "text" && !isFile && o.Kind != "msgmenu" && o.Kind != "news":
		return 40008
	}
	return 0
}

// words is the text of a message, as people see it.
func (o *outgoing) words() string {
	switch {
	case o.Text != nil:
		return o.Text.Content
	case o.Menu != nil:
		return strings.TrimSpace(o.Menu.Head + "\n" + o.Menu.Tail)
	case o.News != nil && len(o.News.Articles) > 0:
		n := o.News.Articles[0]
		return strings.Join([]string{n.Title, n.About, n.URL}, "\n")
	}
	return ""
}

func (o *outgoing) choices() (out []account.Choice) {
	if o.Menu != nil {
		for _, c := range o.Menu.List {
			out = append(out, account.Choice{ID: c.ID, Title: c.Content})
		}
	}
	return out
}

// accepted puts a message into the ledger. Customer service messages have an id here only.
func (p *Provider) accepted(a *account.Account, to, kind, text string, body []byte, choices []account.Choice, answer obj, then func(m *ledger.Message)) stage.Answer {
	id := fmt.Sprint(p.ids.Add(1))
	m := &ledger.Message{ID: id, IDs: []string{id}, To: to, Kind: kind, Text: text, Body: body, Choices: choices}
	if kind == "template" {
		answer["msgid"] = json.Number(id)
	}
	return stage.Answer{Status: 200, Body: answer, Message: m, Done: func() {
		a.People.Change(to, func(w *account.Person) { w.Got(id, choices) })
		if then != nil {
			then(m)
		}
	}}
}

// template takes a template message, which needs no window and is told about later.
func (p *Provider) template(w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "template", words{}, func() stage.Act {
		body, ok := stage.Read(w, r, maxBody)
		var o struct {
			To       string `json:"touser"`
			Template string `json:"template_id"`
			Ref      string `json:"client_msg_id"`
			Data     map[string]struct {
				Value string `json:"value"`
			} `json:"data"`
		}
		err := json.Unmarshal(body, &o)
		return stage.Act{Name: "template", To: o.To, Kind: "template", Ref: o.Ref, Do: func() stage.Answer {
			switch no := p.reachable(a, o.To); {
			case !ok || err != nil:
				return refusal(47001, "")
			case o.Template == "":
				return refusal(40037, "")
			case no != 0 && no != 45015:
				return refusal(no, "")
			}
			var text []string
			for _, v := range o.Data {
				text = append(text, v.Value)
			}
			return p.accepted(a, o.To, "template", strings.Join(text, "\n"), body, nil, obj{"errcode": 0, "errmsg": "ok"}, func(m *ledger.Message) { p.finished(a, m) })
		}}
	})
}

func (p *Provider) typing(w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "typing", words{}, func() stage.Act {
		body, ok := stage.Read(w, r, maxBody)
		var o struct {
			To      string `json:"touser"`
			Command string `json:"command"`
		}
		err := json.Unmarshal(body, &o)
		return stage.Act{Name: "typing", To: o.To, Kind: "typing", Do: func() stage.Answer {
			switch no := p.reachable(a, o.To); {
			case !ok || err != nil || o.Command != "Typing" && o.Command != "CancelTyping":
				return refusal(47001, "")
			case no != 0:
				return refusal(no, "")
			}
			return stage.Answer{Status: 200, Body: obj{"errcode": 0, "errmsg": "ok"}}
		}}
	})
}
