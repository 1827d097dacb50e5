package graph

import (
	"cmp"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

type obj = map[string]any

// Talk is how a product tells an account what people do in their conversations with it: what differs from product to product.
type Talk struct {
	Name      string // in refusals
	Object    string // of webhooks: page, instagram
	MID       string // what ids of messages begin with
	Source    string // of a referral that names none
	Inbox     any    // the app that Meta's own inbox is
	FromInbox string // what is written there, unless an action says it
	Unsends   bool   // people can take back what they wrote
	CDN       CDN
	App       func(c *account.Config) string // which the account is connected with
	Next      func() int64                   // a number that nothing has yet
	// Own is a message of a kind that not every product has; of one that this product does not have either Unheard.
	Own func(s *Scene, kind string) (map[string]any, error)
}

// Scene is who does what in a conversation.
type Scene struct {
	Talk
	Account *account.Account
	Act     *account.Action
	At      time.Time
	Who     string // as messages name them
	Known   account.Person
}

// Inbound is the webhook of something that a person did in a conversation, and the id of the message in it.
func (t Talk) Inbound(a *account.Account, act *account.Action, at time.Time) (webhook.Post, string, error) {
	who := Scoped(a.Config(), InMessages, act.From)
	s := Scene{Talk: t, Account: a, Act: act, At: at, Who: who, Known: a.People.Known(who)}
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
	return webhook.Post{About: webhook.About{Peer: who}, Make: func() webhook.Call { return t.Call(a.Config(), at, list, item) }}, id, nil
}

// Call signs a webhook with one item of a conversation, in the list that says who has it.
func (t Talk) Call(c *account.Config, at time.Time, list string, item map[string]any) webhook.Call {
	return Hook(c, t.Object, obj{"id": c.ID, "time": at.UnixMilli(), list: []obj{item}})
}

// Item is one of a conversation, as yet without what happened.
func Item(from, to string, at time.Time) map[string]any {
	return obj{"sender": obj{"id": from}, "recipient": obj{"id": to}, "timestamp": at.UnixMilli()}
}

// Echo is a message of the account as webhooks tell it: with its text, or with the kind of its attachment.
func Echo(id, text, attached string) map[string]any {
	out := obj{"mid": id, "is_echo": true}
	if attached != "" {
		out["attachments"] = []obj{{"type": attached, "payload": obj{}}}
	} else {
		out["text"] = text
	}
	return out
}

// Number is a number that nothing has yet.
func (t Talk) Number() string { return strconv.FormatInt(t.Next(), 10) }

// Link is where a file of a person is fetched from.
func (s *Scene) Link(f *media.File) string { return s.CDN.Link(s.Account, f, s.Number()) }

// Attached is a message with something attached, beside the text of the action.
func (s *Scene) Attached(kind string, payload map[string]any) map[string]any {
	m := obj{"attachments": []obj{{"type": kind, "payload": payload}}}
	if s.Act.Text != "" {
		m["text"] = s.Act.Text
	}
	return m
}

// target is the message that something is about.
func (s *Scene) target(usual ...string) (string, error) {
	id := cmp.Or(append([]string{s.Act.Target}, usual...)...)
	if id == "" {
		return "", fault.At("/target", "required", "there is no message yet that it could be about: name one")
	}
	return id, nil
}

// item makes what happened, with the id of the message in it.
func (s *Scene) item() (item map[string]any, id string, err error) {
	us := s.Account.Config()
	item = Item(s.Who, us.ID, s.At)
	kind := cmp.Or(s.Act.Kind, "text")
	if kind == "delete" && !s.Unsends {
		return nil, "", s.Unheard(kind)
	}
	switch kind {
	case "button", "list":
		c := account.Pick(s.Act, s.Known)
		id = s.mid()
		item["postback"] = obj{"mid": id, "title": c.Title, "payload": c.ID}
	case "reaction":
		if id, err = s.target(s.Known.LastOut, s.Known.LastIn); err != nil {
			return nil, "", err
		}
		did := obj{"mid": id, "action": "react", "emoji": s.Act.Emoji(), "reaction": "other"}
		if s.Act.Removed {
			did = obj{"mid": id, "action": "unreact"}
		}
		item["reaction"] = did
	case "edit":
		if id, err = s.target(s.Known.LastIn); err != nil {
			return nil, "", err
		}
		item["message_edit"] = obj{"mid": id, "text": cmp.Or(s.Act.Text, "Hello (edited)"), "num_edit": s.Next()}
	case "delete":
		if id, err = s.target(s.Known.LastIn); err != nil {
			return nil, "", err
		}
		item["message"] = obj{"mid": id, "is_deleted": true}
	case "referral":
		item["referral"] = s.referral()
	case "thread_control":
		item["pass_thread_control"] = obj{"previous_owner_app_id": nil, "new_owner_app_id": cmp.Or(s.Act.Target, s.App(us)), "metadata": s.Act.Text}
	case "echo":
		id = s.mid()
		item = Item(us.ID, s.Who, s.At)
		echo := Echo(id, cmp.Or(s.Act.Text, s.FromInbox), "")
		echo["app_id"] = s.Inbox
		item["message"] = echo
	default:
		id = s.mid()
		m, err := s.message(kind)
		if err != nil {
			return nil, "", err
		}
		m["mid"] = id
		if s.Act.ReplyTo != "" {
			m["reply_to"] = obj{"mid": s.Act.ReplyTo}
		}
		if s.Act.Referral != nil {
			m["referral"] = s.referral()
		}
		item["message"] = m
	}
	return item, id, nil
}

// mid is the id of a new message.
func (s *Scene) mid() string { return cmp.Or(s.Act.ID, NewMID(s.MID)) }

// Unheard is the refusal of a kind that the product does not have.
func (s *Scene) Unheard(kind string) error {
	return fault.At("/kind", "not_applicable", "%s tells an account nothing of the kind %s", s.Name, kind)
}

// message is what a person writes.
func (s *Scene) message(kind string) (map[string]any, error) {
	switch kind {
	case "text":
		return obj{"text": cmp.Or(s.Act.Text, "Hello")}, nil
	case "quick_reply":
		c := account.Pick(s.Act, s.Known)
		return obj{"text": c.Title, "quick_reply": obj{"payload": c.ID}}, nil
	case "image", "audio", "video", "document":
		f, err := media.Of(s.Account, s.Act)
		if err != nil {
			return nil, err
		}
		if kind == "document" {
			kind = "file"
		}
		return s.Attached(kind, obj{"url": s.Link(f)}), nil
	}
	return s.Own(s, kind)
}

// referral is the link or the ad over which somebody came.
func (s *Scene) referral() map[string]any {
	r := s.Act.Referral
	if r == nil {
		r = &account.Referral{}
	}
	out := obj{"ref": cmp.Or(r.Code, "spring"), "source": cmp.Or(r.Source, s.Source), "type": "OPEN_THREAD"}
	if r.SourceID != "" {
		out["ad_id"] = r.SourceID
	}
	if r.Headline != "" {
		out["ads_context_data"] = obj{"ad_title": r.Headline}
	}
	return out
}
