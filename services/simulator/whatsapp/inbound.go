package whatsapp

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// Inbound is the webhook of something that a person did, and the id of the message in it.
func (p *Provider) Inbound(a *account.Account, act account.Action) (webhook.Post, string, error) {
	from := account.Bare(act.From)
	if !number(from) && !scoped(from) {
		return webhook.Post{}, "", fault.At("/from", "bad_format", "want a phone number in international form, with or without +, or a user id (CC.…)")
	}
	at, err := act.Time(p.Now())
	if err != nil {
		return webhook.Post{}, "", err
	}
	if act.Kind == "block" || act.Kind == "unblock" { // nobody is told; messages just do not arrive any more
		a.People.Change(from, func(w *account.Person) { w.Blocked = act.Kind == "block" })
		return webhook.Post{}, "", nil
	}
	m := obj{"id": cmp.Or(act.ID, newID(from)), "timestamp": unix(at)}
	if act.Kind == "echo" {
		return p.echo(a, &act, from, m), m["id"].(string), nil
	}
	if err := p.fill(a, &act, m, a.People.Known(cmp.Or(act.Group, from))); err != nil {
		return webhook.Post{}, "", err
	}
	p.sender(a, &act, from, m)
	id := m["id"].(string)
	a.People.Change(cmp.Or(act.Group, from), func(w *account.Person) { wrote(w, from, m["type"].(string), id, at) })
	return webhook.Post{About: webhook.About{Peer: cmp.Or(act.Group, from)}, Make: func() webhook.Call {
		value := obj{"messages": []obj{m}}
		if m["type"] != "system" { // who changed is told in the message alone
			value["contacts"] = []obj{contactOf(a, &act, from)}
		}
		return call(a.Config(), value)
	}}, id, nil
}

// contactOf is the contact object of somebody: how they call themselves, and their ids.
func contactOf(a *account.Account, act *account.Action, id string) obj {
	c := obj{"profile": profileOf(nameOf(act, id), act.Username), "user_id": userID(a.Config(), id)}
	if number(id) {
		c["wa_id"] = id
	}
	return c
}

func nameOf(act *account.Action, id string) string {
	return cmp.Or(act.Name, "Simulated "+id[max(0, len(id)-4):])
}

func wrote(w *account.Person, from, kind, id string, at time.Time) {
	w.Author = from
	if at.After(w.Wrote) {
		w.Wrote = at
	}
	if kind != "reaction" && kind != "edit" && kind != "revoke" {
		w.LastIn = id
	}
}

// echo is what somebody of the business wrote to the person in the WhatsApp Business app.
func (p *Provider) echo(a *account.Account, act *account.Action, to string, m obj) webhook.Post {
	c := a.Config()
	m["from"], m["to_user_id"], m["type"], m["text"] = account.Bare(c.Display), userID(c, to), "text", obj{"body": cmp.Or(act.Text, "Hello from the app")}
	if number(to) {
		m["to"] = to
	}
	contact := contactOf(a, act, to)
	return webhook.Post{About: webhook.About{Peer: to}, Make: func() webhook.Call {
		return change(a.Config(), "smb_message_echoes", obj{"contacts": []obj{contact}, "message_echoes": []obj{m}})
	}}
}

func profileOf(name, username string) obj {
	out := obj{"name": name}
	if username != "" {
		out["username"] = "@" + strings.TrimPrefix(username, "@")
	}
	return out
}

// sender says who wrote: by number and user id, or, if the number is hidden, by user id alone.
func (p *Provider) sender(a *account.Account, act *account.Action, from string, m obj) {
	system, _ := m["system"].(obj)
	if number(from) && (system == nil || system["wa_id"] != nil) {
		m["from"] = from
	}
	if system == nil { // a notice names the ids, old and new, by itself
		m["from_user_id"] = userID(a.Config(), from)
	}
	if act.Group != "" {
		m["group_id"] = act.Group
	}
}

// fill writes what the message says.
func (p *Provider) fill(a *account.Account, act *account.Action, m obj, known account.Person) error {
	if act.ReplyTo != "" {
		m["context"] = obj{"from": account.Bare(a.Config().Display), "id": act.ReplyTo}
	} else if act.Forwarded {
		m["context"] = obj{"forwarded": true}
	}
	kind := cmp.Or(act.Kind, "text")
	m["type"] = kind
	switch kind {
	case "text", "referral":
		m["type"] = "text"
		m["text"] = obj{"body": cmp.Or(act.Text, "Hello")}
	case "image", "audio", "video", "document", "sticker":
		f, err := p.attach(a, act)
		m[kind] = f
		return err
	case "location":
		m["location"] = place(act)
	case "contacts":
		m["contacts"] = cards(act)
	case "button", "list", "quick_reply":
		press(a, act, m, known)
	case "reaction":
		target := cmp.Or(act.Target, known.LastOut, known.LastIn)
		m["reaction"] = obj{"message_id": target, "emoji": act.Emoji()}
		return needs(target)
	case "edit", "delete":
		return changed(act, m, known)
	case "number_changed":
		return moved(a, act, m)
	case "unsupported":
		m["errors"] = []obj{{"code": 131051, "title": "Message type unknown", "message": "Message type unknown", "error_data": obj{"details": "Message type is currently not supported."}}}
		m["unsupported"] = obj{"type": cmp.Or(act.Text, "poll")}
	default:
		return fault.At("/kind", "not_applicable", "WhatsApp tells a business nothing of the kind %q", kind)
	}
	refer(act, m)
	return nil
}

// moved is the notice that somebody has another number, and a new user id with it; or a new user id alone, if no number is to be told.
func moved(a *account.Account, act *account.Action, m obj) error {
	old, now := account.Bare(act.From), account.Bare(act.Target)
	if now != "" && !number(now) && !scoped(now) {
		return fault.At("/target", "bad_format", "want the new phone number in international form, or the new user id (CC.…)")
	}
	s := obj{"type": "user_changed_user_id", "user_id": userID(a.Config(), now), "previous_user_id": userID(a.Config(), old)}
	if number(now) {
		s["type"], s["wa_id"] = "user_changed_number", now
	} else {
		old = userID(a.Config(), old)
	}
	s["body"] = fmt.Sprintf("User %s changed from %s to %s", nameOf(act, old), old, now)
	m["type"], m["system"] = "system", s
	return needs(now)
}

func needs(target string) error {
	if target == "" {
		return fault.At("/target", "required", "there is no message yet that it could be about: name one")
	}
	return nil
}

// changed is an edit or a deletion of an earlier message of the person.
func changed(act *account.Action, m obj, known account.Person) error {
	target := cmp.Or(act.Target, known.LastIn)
	if act.Kind == "delete" {
		m["type"], m["revoke"] = "revoke", obj{"original_message_id": target}
	} else {
		m["edit"] = obj{"original_message_id": target, "message": obj{"type": "text", "text": obj{"body": cmp.Or(act.Text, "Hello (edited)")}, "context": obj{"id": "M0"}}}
	}
	return needs(target)
}

// press is a button or a row that was chosen: by its id, its title, or the first one that was offered. If this account offered none,
// another client of the number did.
func press(a *account.Account, act *account.Action, m obj, known account.Person) {
	c := account.Pick(act, known)
	target := cmp.Or(act.Target, known.OfferID)
	if target == "" && act.Kind != "quick_reply" { // only what a template offered may come without its message
		target = cmp.Or(known.LastOut, newID(account.Bare(a.Config().Display)))
	}
	if target != "" {
		m["context"] = obj{"from": account.Bare(a.Config().Display), "id": target}
	}
	switch act.Kind {
	case "quick_reply":
		m["type"], m["button"] = "button", obj{"payload": c.ID, "text": c.Title}
	case "list":
		m["type"], m["interactive"] = "interactive", obj{"type": "list_reply", "list_reply": obj{"id": c.ID, "title": c.Title}}
	default:
		m["type"], m["interactive"] = "interactive", obj{"type": "button_reply", "button_reply": obj{"id": c.ID, "title": c.Title}}
	}
}

func place(act *account.Action) obj {
	l := act.Location
	if l == nil {
		l = &account.Location{Latitude: 52.520008, Longitude: 13.404954, Name: cmp.Or(act.Text, "Alexanderplatz"), Address: "10178 Berlin"}
	}
	out := obj{"latitude": l.Latitude, "longitude": l.Longitude}
	if l.Name != "" {
		out["name"], out["address"] = l.Name, l.Address
	}
	return out
}

func cards(act *account.Action) (out []obj) {
	list := act.Contacts
	if len(list) == 0 {
		list = []account.Contact{{Name: cmp.Or(act.Text, "Ben Simulated"), Phone: "+4915198765432"}}
	}
	for _, c := range list {
		first, last, _ := strings.Cut(c.Name, " ")
		out = append(out, obj{"name": obj{"formatted_name": c.Name, "first_name": first, "last_name": last},
			"phones": []obj{{"phone": c.Phone, "wa_id": account.Bare(c.Phone), "type": "CELL"}}})
	}
	return out
}

// refer adds the ad by which the person came.
func refer(act *account.Action, m obj) {
	r := act.Referral
	if r == nil && act.Kind == "referral" {
		r = &account.Referral{}
	}
	if r == nil {
		return
	}
	m["referral"] = obj{"source_url": cmp.Or(r.URL, "https://fb.example/3xAmpLe"), "source_id": cmp.Or(r.SourceID, "120210000000000456"),
		"source_type": cmp.Or(r.Source, "ad"), "headline": cmp.Or(r.Headline, "Free delivery"), "body": cmp.Or(r.Body, "Write to us"),
		"media_type": "image", "image_url": "https://scontent.example/ad.jpg", "ctwa_clid": cmp.Or(r.Code, "ARsimulatedClick"),
		"welcome_message": obj{"text": "How can we help?"}}
}

// attach keeps the file and describes it.
func (p *Provider) attach(a *account.Account, act *account.Action) (obj, error) {
	f, err := media.Of(a, act)
	if err != nil {
		return nil, err
	}
	id := p.keep(f)
	out := obj{"id": id, "mime_type": f.MIME, "sha256": digest(f.Data)}
	switch act.Kind {
	case "audio":
		out["voice"] = act.Voice
		if act.Voice {
			out["mime_type"] = "audio/ogg; codecs=opus"
		}
	case "sticker":
		out["animated"] = false
	case "document":
		out["filename"] = f.Name
	}
	if act.Text != "" && act.Kind != "audio" && act.Kind != "sticker" {
		out["caption"] = act.Text
	}
	return out, nil
}

// userID is a person's business-scoped user id: the same for one business, another for the next.
func userID(c *account.Config, from string) string {
	if !number(from) {
		return from
	}
	h := sha256.Sum256([]byte(own(c).waba + "\x00" + from))
	return fmt.Sprintf("%s.%020s", country(from), new(big.Int).SetBytes(h[:8]))
}

// country guesses from the number's beginning; it need only look like one.
func country(number string) string {
	for prefix, c := range map[string]string{"49": "DE", "55": "BR", "52": "MX", "54": "AR", "44": "GB", "33": "FR", "34": "ES", "91": "IN"} {
		if strings.HasPrefix(number, prefix) {
			return c
		}
	}
	return "US"
}
