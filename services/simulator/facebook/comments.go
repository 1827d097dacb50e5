package facebook

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/graph"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/stage"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// commented is the webhook of what a person does below a post of the Page.
func (p *Provider) commented(a *account.Account, act *account.Action, at time.Time) (webhook.Post, string, error) {
	c := a.Config()
	post := act.Post
	if !strings.Contains(post, "_") {
		post = c.ID + "_" + post
	}
	who := graph.Scoped(c, graph.InComments, act.From)
	last := a.People.Known(who + " " + post).LastIn
	v := obj{
		"from": obj{"id": who, "name": cmp.Or(act.Name, "Simulated "+who[max(0, len(who)-4):])}, "item": "comment", "verb": "add", "post_id": post,
		"parent_id": cmp.Or(act.ReplyTo, post), "created_time": at.Unix(),
		"post": obj{"id": post, "permalink_url": "https://www.facebook.example/" + post},
	}
	id := cmp.Or(act.Target, last)
	switch kind := cmp.Or(act.Kind, "text"); kind {
	case "text", "image", "video":
		_, number, _ := strings.Cut(post, "_")
		id = cmp.Or(act.ID, number+"_"+p.number())
		if err := p.worded(a, act, kind, v); err != nil {
			return webhook.Post{}, "", err
		}
		p.comments.Add(a, id, graph.Comment{From: act.From, Post: post, At: at})
		a.People.Change(who+" "+post, func(w *account.Person) { w.LastIn = id })
	case "edit":
		v["verb"], v["message"] = "edited", cmp.Or(act.Text, "Hello (edited)")
	case "delete":
		v["verb"] = "remove"
	case "reaction":
		id = cmp.Or(act.Target, a.People.Known(who+" "+post).LastOut, last)
		v["item"], v["reaction_type"] = "reaction", "love"
		if act.Removed {
			v["verb"] = "remove"
		}
	default:
		return webhook.Post{}, "", fault.At("/kind", "not_applicable", "Facebook tells a Page nothing of the kind %s below a post", kind)
	}
	if id == "" {
		return webhook.Post{}, "", fault.At("/target", "required", "there is no comment yet that it could be about: name one")
	}
	v["comment_id"] = id
	return webhook.Post{About: webhook.About{Peer: who}, Make: func() webhook.Call {
		return graph.Hook(a.Config(), "page", obj{"id": a.Config().ID, "time": at.Unix(), "changes": []obj{{"field": "feed", "value": v}}})
	}}, id, nil
}

// worded puts the words and the file into a comment.
func (p *Provider) worded(a *account.Account, act *account.Action, kind string, v obj) error {
	if kind == "text" {
		v["message"] = cmp.Or(act.Text, "Hello")
		return nil
	}
	f, err := media.Of(a, act)
	if err != nil {
		return err
	}
	if act.Text != "" {
		v["message"] = act.Text
	}
	v[map[string]string{"image": "photo", "video": "video"}[kind]] = p.cdn().Link(a, f, p.number())
	return nil
}

// answer takes POST /{post or comment}/comments.
func (p *Provider) answer(w http.ResponseWriter, r *http.Request, a *account.Account, node string) {
	p.Play(w, r, a, "comments", words, func() stage.Act {
		in, ok := read(w, r, a, "source")
		about, known := p.comments.Get(a, node)
		to, post := node, node
		if known {
			post = about.Post
			if about.From != "" {
				to = graph.Scoped(a.Config(), graph.InComments, about.From)
			}
		}
		kind := "text"
		if in.file != nil || in.values["attachment_url"] != "" {
			kind = "image"
		}
		return stage.Act{Name: "comments", To: to, Kind: kind, Do: func() stage.Answer {
			number, _, isPost := strings.Cut(node, "_")
			switch {
			case !ok:
				return refusal(2018109, "")
			case !known && (!isPost || number != a.Config().ID):
				return graph.UnknownObject(node)
			case in.values["message"] == "" && kind == "text":
				return refusal(100, "One of message, attachment_id, attachment_url or source is required")
			case len(in.values["message"]) > 4*8000:
				return refusal(100, "The comment is too long")
			}
			_, number, _ = strings.Cut(post, "_")
			m := &ledger.Message{ID: number + "_" + p.number(), To: to, Kind: "comment", Text: in.values["message"], Body: in.body}
			return stage.Answer{Status: 200, Message: m, Body: obj{"id": m.ID}, Done: func() {
				p.comments.Add(a, m.ID, graph.Comment{Post: post, At: m.At})
				a.People.Change(to+" "+post, func(w *account.Person) { w.LastOut = m.ID })
			}}
		}}
	})
}

// change takes POST and DELETE /{comment}: it is hidden or shown, gets another text, or is deleted.
func (p *Provider) change(w http.ResponseWriter, r *http.Request, a *account.Account, id string) {
	p.Play(w, r, a, "comment", words, func() stage.Act {
		in, _ := read(w, r, a, "source")
		c, known := p.comments.Get(a, id)
		act := stage.Act{Name: "comment", Kind: "edit"}
		if known && c.From != "" {
			act.To = graph.Scoped(a.Config(), graph.InComments, c.From)
		}
		hidden, hides := in.values["is_hidden"]
		switch {
		case r.Method == http.MethodDelete:
			act.Kind = "delete"
		case hides:
			act.Kind = map[bool]string{true: "hide", false: "unhide"}[hidden == "true"]
		}
		act.Do = func() stage.Answer {
			switch {
			case !known:
				return graph.UnknownObject(id)
			case act.Kind == "delete":
				p.comments.Remove(a, id)
			case hides: // nobody sees here whether it is
			case in.values["message"] == "":
				return refusal(100, "Nothing is to be changed")
			case c.From != "":
				return refusal(200, "(#200) Only comments of the Page can be edited")
			}
			return stage.Answer{Status: 200, Body: obj{"success": true}}
		}
		return act
	})
}
