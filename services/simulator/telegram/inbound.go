package telegram

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// Inbound is the update of something that a person did, and the id of the message in it.
func (p *Provider) Inbound(a *account.Account, act account.Action) (webhook.Post, string, error) {
	s, err := p.scene(a, &act)
	if err != nil {
		return webhook.Post{}, "", err
	}
	kind, content, id, err := s.update()
	if err != nil {
		return webhook.Post{}, "", err
	}
	if !wants(a.Config(), kind) {
		return webhook.Post{}, "", fault.New(fault.Conflict, "conflict", "the bot did not ask for updates of the kind %s (allowed_updates of setWebhook)", kind)
	}
	n := p.nextUpdate()
	return webhook.Post{Key: a.Config().ID + " " + s.key, About: webhook.About{Peer: s.key}, Make: func() webhook.Call {
		c := a.Config()
		h := http.Header{"Content-Type": {"application/json"}}
		if secret := c.Secrets["webhook_secret"]; secret != "" {
			h.Set("X-Telegram-Bot-Api-Secret-Token", secret)
		}
		return webhook.Call{URL: c.WebhookURL, Header: h, Body: webhook.ASCII(obj{"update_id": n, kind: content})}
	}}, id, nil
}

// scene is who does something, and where.
type scene struct {
	p     *Provider
	a     *account.Account
	act   *account.Action
	key   string // of the chat, as the gateway names it
	where obj
	who   obj
	at    time.Time
	known account.Person
}

func (p *Provider) scene(a *account.Account, act *account.Action) (*scene, error) {
	from := account.Bare(act.From)
	if !integer(from) || strings.HasPrefix(from, "-") {
		return nil, fault.At("/from", "bad_format", "want the number of a Telegram user; a phone number will do")
	}
	if act.Group != "" && (!integer(act.Group) || !strings.HasPrefix(act.Group, "-")) {
		return nil, fault.At("/group", "bad_format", "want the number of a group, which is negative")
	}
	at, err := act.Time(p.Now())
	if err != nil {
		return nil, err
	}
	name := cmp.Or(act.Name, "Simulated "+from[max(0, len(from)-4):])
	s := &scene{p: p, a: a, act: act, at: at, key: cmp.Or(act.Group, from), who: user(from, name, act.Username), where: chat(cmp.Or(act.Group, from), name, act.Username)}
	if act.Business != "" {
		s.key = act.Business + ":" + s.key
	}
	s.known = a.People.Known(s.key)
	return s, nil
}

// update makes the update's content, and says what kind it is.
func (s *scene) update() (kind string, content obj, id string, err error) {
	switch s.act.Kind {
	case "button", "list", "quick_reply":
		return s.press()
	case "reaction":
		return s.react()
	case "edit":
		return s.edit()
	case "delete":
		return s.remove()
	case "block", "unblock":
		return s.member()
	case "echo":
		return s.echo()
	}
	m := s.message()
	if err := s.fill(m); err != nil {
		return "", nil, "", err
	}
	id = s.key + ":" + fmt.Sprint(m["message_id"])
	s.a.People.Change(s.key, func(w *account.Person) { w.Wrote, w.LastIn, w.Blocked = s.at, id, false })
	return cmp.Or(map[bool]string{true: "business_message"}[s.act.Business != ""], "message"), m, id, nil
}

// message is a new message of the person in the chat.
func (s *scene) message() obj {
	var n int64
	if given := number(s.act.ID); given > 0 {
		n = given
	} else {
		s.a.People.Change(s.key, func(w *account.Person) { n = w.Number(s.p.Now()) })
	}
	m := obj{"message_id": n, "from": s.who, "chat": s.where, "date": s.at.Unix()}
	if s.act.Business != "" {
		m["business_connection_id"] = s.act.Business
	}
	if to := number(s.act.ReplyTo); to > 0 {
		m["reply_to_message"] = obj{"message_id": to, "from": bot(s.a.Config()), "chat": s.where, "date": s.at.Unix(), "text": "…"}
	}
	if s.act.Forwarded {
		m["forward_origin"] = obj{"type": "hidden_user", "sender_user_name": "Somebody", "date": s.at.Unix()}
	}
	return m
}

// press is a button of an earlier message.
func (s *scene) press() (string, obj, string, error) {
	c := account.Pick(s.act, s.known)
	target := number(cmp.Or(s.act.Target, s.known.OfferID, s.known.LastOut))
	if target == 0 {
		target = 1
	}
	id := s.act.ID
	if id == "" {
		n, err := rand.Int(rand.Reader, big.NewInt(9e18))
		if err != nil {
			return "", nil, "", err
		}
		id = n.String()
	}
	m := obj{"message_id": target, "from": bot(s.a.Config()), "chat": s.where, "date": s.at.Unix(), "text": "…",
		"reply_markup": obj{"inline_keyboard": [][]obj{{{"text": c.Title, "callback_data": c.ID}}}}}
	s.a.People.Change(s.key, func(w *account.Person) { w.Wrote = s.at })
	return "callback_query", obj{"id": id, "from": s.who, "message": m, "chat_instance": "-4812003344556677889", "data": c.ID}, id, nil
}

func (s *scene) react() (string, obj, string, error) {
	target := cmp.Or(s.act.Target, s.known.LastOut, s.known.LastIn)
	n := number(target)
	if n == 0 {
		return "", nil, "", needs()
	}
	was, is := []obj{}, []obj{{"type": "emoji", "emoji": s.act.Emoji()}}
	if s.act.Removed {
		was, is = []obj{{"type": "emoji", "emoji": cmp.Or(s.act.Text, "👍")}}, was
	}
	return "message_reaction", obj{"chat": s.where, "message_id": n, "user": s.who, "date": s.at.Unix(), "old_reaction": was, "new_reaction": is}, s.key + ":" + strconv.FormatInt(n, 10), nil
}

func (s *scene) edit() (string, obj, string, error) {
	n := number(cmp.Or(s.act.Target, s.known.LastIn))
	if n == 0 {
		return "", nil, "", needs()
	}
	kind := "edited_message"
	m := obj{"message_id": n, "from": s.who, "chat": s.where, "date": s.at.Unix(), "edit_date": s.p.Now().Unix(), "text": cmp.Or(s.act.Text, "Hello (edited)")}
	if s.act.Business != "" {
		kind, m["business_connection_id"] = "edited_business_message", s.act.Business
	}
	return kind, m, s.key + ":" + strconv.FormatInt(n, 10), nil
}

// remove tells of a deletion, which a bot hears of only in the chats of a business account.
func (s *scene) remove() (string, obj, string, error) {
	n := number(cmp.Or(s.act.Target, s.known.LastIn))
	switch {
	case s.act.Business == "":
		return "", nil, "", fault.At("/kind", "not_applicable", "Telegram tells a bot of deletions only in the chats of a connected business account: set business")
	case n == 0:
		return "", nil, "", needs()
	}
	return "deleted_business_messages", obj{"business_connection_id": s.act.Business, "chat": s.where, "message_ids": []int64{n}}, s.key + ":" + strconv.FormatInt(n, 10), nil
}

// echo is what the owner of a connected business account wrote to the person.
func (s *scene) echo() (string, obj, string, error) {
	if s.act.Business == "" {
		return "", nil, "", fault.At("/kind", "not_applicable", "Telegram tells a bot what the business writes only for a connected business account: set business")
	}
	m := s.message()
	m["from"] = user("7000009", "Business Owner", "")
	m["text"] = cmp.Or(s.act.Text, "Hello from the app")
	return "business_message", m, s.key + ":" + fmt.Sprint(m["message_id"]), nil
}

func (s *scene) member() (string, obj, string, error) {
	was, is := "member", "kicked"
	if s.act.Kind == "unblock" {
		was, is = is, was
	}
	s.a.People.Change(s.key, func(w *account.Person) { w.Blocked = is == "kicked" })
	return "my_chat_member", obj{"chat": s.where, "from": s.who, "date": s.at.Unix(), "old_chat_member": s.status(was), "new_chat_member": s.status(is)}, "", nil
}

// status is what the bot is in the chat. One that is banned is so until a date; 0 is for ever.
func (s *scene) status(status string) obj {
	m := obj{"status": status, "user": bot(s.a.Config())}
	if status == "kicked" {
		m["until_date"] = 0
	}
	return m
}

func needs() error {
	return fault.At("/target", "required", "there is no message yet that it could be about: name one")
}

// number is the number of a message, from its id with or without the chat; 0 if there is none.
func number(id string) int64 {
	n, err := strconv.ParseInt(id[strings.LastIndexByte(id, ':')+1:], 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func integer(s string) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	return err == nil && n != 0 && n < 1<<52 && n > -1<<52 && strconv.FormatInt(n, 10) == s
}
