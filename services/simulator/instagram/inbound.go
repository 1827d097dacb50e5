package instagram

import (
	"cmp"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/graph"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// Inbound is the webhook of something that a person did, and the id of the message in it. With a post it is a comment.
func (p *Provider) Inbound(a *account.Account, act account.Action) (webhook.Post, string, error) {
	at, err := act.Time(p.Now())
	if err != nil {
		return webhook.Post{}, "", err
	}
	if act.Post != "" {
		return p.commented(a, &act, at)
	}
	who := graph.Scoped(a.Config(), graph.InMessages, act.From)
	s := scene{p: p, a: a, act: &act, at: at, who: who, known: a.People.Known(who)}
	a.People.Change(who, func(w *account.Person) { w.Seen, w.Name = true, cmp.Or(act.Name, w.Name) })
	if act.Kind == "block" || act.Kind == "unblock" { // nobody is told; messages just do not arrive any more
		a.People.Change(who, func(w *account.Person) { w.Blocked = act.Kind == "block" })
		return webhook.Post{}, "", nil
	}
	item, id, err := s.item()
	if err != nil {
		return webhook.Post{}, "", err
	}
	if act.Kind != "echo" && act.Kind != "delete" && act.Kind != "thread_control" {
		a.People.Change(who, func(w *account.Person) {
			if w.Wrote.Before(at) {
				w.Wrote = at
			}
			if item["message"] != nil {
				w.LastIn, w.Blocked = id, false
			}
		})
	}
	list := "messaging"
	if act.Standby {
		list = "standby"
	}
	return webhook.Post{About: webhook.About{Peer: who}, Make: func() webhook.Call { return call(a.Config(), at, list, item) }}, id, nil
}

// call signs a webhook with one item of a conversation, in the list that says who has it.
func call(c *account.Config, at time.Time, list string, item obj) webhook.Call {
	return graph.Hook(c, "instagram", obj{"id": c.ID, "time": at.UnixMilli(), list: []obj{item}})
}

// scene is who does something in a conversation.
type scene struct {
	p     *Provider
	a     *account.Account
	act   *account.Action
	at    time.Time
	who   string
	known account.Person
}

// target is the message that something is about.
func (s *scene) target(usual ...string) (string, error) {
	id := cmp.Or(append([]string{s.act.Target}, usual...)...)
	if id == "" {
		return "", fault.At("/target", "required", "there is no message yet that it could be about: name one")
	}
	return id, nil
}

// item makes what happened, with the id of the message in it.
func (s *scene) item() (item obj, id string, err error) {
	item = obj{"sender": obj{"id": s.who}, "recipient": obj{"id": s.a.Config().ID}, "timestamp": s.at.UnixMilli()}
	switch kind := cmp.Or(s.act.Kind, "text"); kind {
	case "button", "list":
		c := account.Pick(s.act, s.known)
		id = cmp.Or(s.act.ID, newMID())
		item["postback"] = obj{"mid": id, "title": c.Title, "payload": c.ID}
	case "reaction":
		if id, err = s.target(s.known.LastOut, s.known.LastIn); err != nil {
			return nil, "", err
		}
		did := obj{"mid": id, "action": "react", "emoji": s.act.Emoji(), "reaction": "other"}
		if s.act.Removed {
			did = obj{"mid": id, "action": "unreact"}
		}
		item["reaction"] = did
	case "edit":
		if id, err = s.target(s.known.LastIn); err != nil {
			return nil, "", err
		}
		item["message_edit"] = obj{"mid": id, "text": cmp.Or(s.act.Text, "Hello (edited)"), "num_edit": s.p.ids.Add(1)}
	case "delete":
		if id, err = s.target(s.known.LastIn); err != nil {
			return nil, "", err
		}
		item["message"] = obj{"mid": id, "is_deleted": true}
	case "referral":
		item["referral"] = referral(s.act.Referral)
	case "thread_control":
		item["pass_thread_control"] = obj{"previous_owner_app_id": nil, "new_owner_app_id": cmp.Or(s.act.Target, ownOf(s.a.Config()).app), "metadata": s.act.Text}
	case "echo":
		id = cmp.Or(s.act.ID, newMID())
		item["sender"], item["recipient"] = item["recipient"], item["sender"]
		item["message"] = obj{"mid": id, "is_echo": true, "app_id": inbox, "text": cmp.Or(s.act.Text, "Hello from Meta's inbox")}
	default:
		id = cmp.Or(s.act.ID, newMID())
		m, err := s.message(kind)
		if err != nil {
			return nil, "", err
		}
		m["mid"] = id
		if s.act.ReplyTo != "" {
			m["reply_to"] = obj{"mid": s.act.ReplyTo}
		}
		if s.act.Referral != nil {
			m["referral"] = referral(s.act.Referral)
		}
		item["message"] = m
	}
	return item, id, nil
}

// message is what a person writes.
func (s *scene) message(kind string) (obj, error) {
	attached := func(kind string, payload obj) obj {
		m := obj{"attachments": []obj{{"type": kind, "payload": payload}}}
		if s.act.Text != "" {
			m["text"] = s.act.Text
		}
		return m
	}
	switch kind {
	case "text":
		return obj{"text": cmp.Or(s.act.Text, "Hello")}, nil
	case "quick_reply":
		c := account.Pick(s.act, s.known)
		return obj{"text": c.Title, "quick_reply": obj{"payload": c.ID}}, nil
	case "sticker":
		return obj{"attachments": []obj{{"type": "like_heart"}}}, nil
	case "unsupported":
		return obj{"is_unsupported": true}, nil
	case "share":
		return attached("ig_post", obj{"ig_post_media_id": s.p.number(), "title": "A jacket", "url": "https://www.instagram.example/p/" + s.p.number()}), nil
	case "story", "story_mention", "story_reply":
		picture, err := media.Of(s.a, &account.Action{Kind: "image", Media: s.act.Media})
		if err != nil {
			return nil, err
		}
		from := s.p.cdn().Link(s.a, picture, s.p.number())
		if kind == "story_reply" {
			return obj{"text": cmp.Or(s.act.Text, "Love it"), "reply_to": obj{"story": obj{"id": s.p.number(), "url": from}}}, nil
		}
		return attached(map[string]string{"story": "ig_story", "story_mention": kind}[kind], obj{"url": from}), nil
	case "image", "audio", "video", "document":
		f, err := media.Of(s.a, s.act)
		if err != nil {
			return nil, err
		}
		if kind == "document" {
			kind = "file"
		}
		return attached(kind, obj{"url": s.p.cdn().Link(s.a, f, s.p.number())}), nil
	}
	return nil, fault.At("/kind", "not_applicable", "Instagram tells an account nothing of the kind %s", kind)
}

func referral(r *account.Referral) obj {
	if r == nil {
		r = &account.Referral{}
	}
	out := obj{"ref": cmp.Or(r.Code, "spring"), "source": cmp.Or(r.Source, "IGME-SOURCE-LINK"), "type": "OPEN_THREAD"}
	if r.SourceID != "" {
		out["ad_id"] = r.SourceID
	}
	if r.Headline != "" {
		out["ads_context_data"] = obj{"ad_title": r.Headline}
	}
	return out
}

// commented is the webhook of what a person writes below a post of the account, or of a mention.
func (p *Provider) commented(a *account.Account, act *account.Action, at time.Time) (webhook.Post, string, error) {
	c := a.Config()
	if !graph.Digits(act.Post) {
		return webhook.Post{}, "", fault.At("/post", "bad_format", "want the digits of a post's id")
	}
	id := cmp.Or(act.ID, "18"+p.number())
	who := graph.Scoped(c, graph.InComments, act.From)
	field := "comments"
	var v obj
	switch cmp.Or(act.Kind, "text") {
	case "text":
		name := cmp.Or(act.Username, strings.ToLower(strings.Join(strings.Fields(act.Name), ".")), "simulated."+who[max(0, len(who)-4):])
		v = obj{"id": id, "text": cmp.Or(act.Text, "Hello"), "from": obj{"id": who, "username": name}, "media": obj{"id": act.Post, "media_product_type": "FEED"}}
		if act.ReplyTo != "" {
			v["parent_id"] = act.ReplyTo
		}
		if r := act.Referral; r != nil {
			v["media"] = obj{"id": act.Post, "media_product_type": "AD", "ad_id": r.SourceID, "ad_title": r.Headline}
		}
		p.comments.Add(a, id, graph.Comment{From: act.From, Post: act.Post, At: at})
		a.People.Change(who+" "+act.Post, func(w *account.Person) { w.LastIn = id })
	case "mention":
		field, v = "mentions", obj{"media_id": act.Post, "comment_id": id}
	default:
		return webhook.Post{}, "", fault.At("/kind", "not_applicable", "Instagram tells an account nothing of the kind %s below a post", act.Kind)
	}
	return webhook.Post{About: webhook.About{Peer: who}, Make: func() webhook.Call {
		return graph.Hook(a.Config(), "instagram", obj{"id": a.Config().ID, "time": at.Unix(), "changes": []obj{{"field": field, "value": v}}})
	}}, id, nil
}

// status is the webhook of one step of a message: its echo, or that it was seen. The message is nil for a step by hand.
func (p *Provider) status(a *account.Account, m *ledger.Message, s account.Step, said *message) webhook.Post {
	id, to, text, at := m.ID, m.To, m.Text, m.At.Add(s.At)
	return webhook.Post{Key: "status " + id, After: s.After, About: webhook.About{Kind: s.Status, Peer: to, Message: id}, Make: func() webhook.Call {
		c := a.Config()
		item := obj{"sender": obj{"id": to}, "recipient": obj{"id": c.ID}, "timestamp": at.UnixMilli()}
		if s.Status == "read" {
			item["read"] = obj{"mid": id}
			return call(c, at, "messaging", item)
		}
		echo := obj{"mid": id, "is_echo": true, "text": text}
		if o := ownOf(c); o.app != "" {
			echo["app_id"] = o.app
		}
		if said != nil && said.Attachment != nil {
			delete(echo, "text")
			echo["attachments"] = []obj{{"type": said.Attachment.Type, "payload": obj{}}}
		}
		item["sender"], item["recipient"] = item["recipient"], item["sender"]
		item["message"] = echo
		return call(c, at, "messaging", item)
	}}
}

// Receipt is a receipt sent by hand.
func (p *Provider) Receipt(a *account.Account, id, status string, _ int) (webhook.Post, error) {
	if status != "sent" && status != "read" {
		return webhook.Post{}, fault.At("/status", "bad_value", "want sent (the echo) or read: Instagram tells nothing else")
	}
	m, ok := p.Ledger.Message(a, id)
	if !ok {
		return webhook.Post{}, fault.At("/id", "bad_value", "want the id of a message that was taken")
	}
	m.At = p.Now()
	return p.status(a, &m, account.Step{Status: status}, nil), nil
}
