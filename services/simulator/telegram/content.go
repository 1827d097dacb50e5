package telegram

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/media"
)

// fill writes what a message says.
func (s *scene) fill(m obj) error {
	act := s.act
	switch act.Kind {
	case "text":
		m["text"] = cmp.Or(act.Text, "Hello")
		command(m)
	case "referral":
		code := "ad1"
		if act.Referral != nil {
			code = cmp.Or(act.Referral.Code, code)
		}
		m["text"] = "/start " + code
		command(m)
	case "image", "audio", "video", "document", "sticker":
		return s.attach(m)
	case "location":
		l := act.Location
		if l == nil {
			l = &account.Location{Latitude: 52.520008, Longitude: 13.404954, Name: act.Text}
		}
		m["location"] = obj{"latitude": l.Latitude, "longitude": l.Longitude}
		if l.Name != "" {
			m["venue"] = obj{"title": l.Name, "address": l.Address, "location": m["location"]}
		}
	case "contacts":
		c := account.Contact{Name: cmp.Or(act.Text, "Ben Simulated"), Phone: "+4915198765432"}
		if len(act.Contacts) > 0 {
			c = act.Contacts[0]
		}
		first, last, _ := strings.Cut(c.Name, " ")
		m["contact"] = obj{"phone_number": account.Bare(c.Phone), "first_name": first, "last_name": last}
	case "unsupported":
		sticker := obj{"file_id": "CAACAgIAAxkBAAI1", "file_unique_id": "AgADEwADwDZPEw", "type": "regular", "width": 512, "height": 512, "is_animated": true, "is_video": false}
		m["gift"] = obj{"gift": obj{"id": "5170233102089322756", "sticker": sticker, "star_count": 15}}
	default:
		return fault.At("/kind", "not_applicable", "Telegram tells a bot nothing of the kind %q", act.Kind)
	}
	return nil
}

// command marks a text that begins with one.
func command(m obj) {
	text := m["text"].(string)
	if !strings.HasPrefix(text, "/") {
		return
	}
	word, _, _ := strings.Cut(text, " ")
	m["entities"] = []obj{{"type": "bot_command", "offset": 0, "length": len(utf16.Encode([]rune(word)))}}
}

func (s *scene) attach(m obj) error {
	f, err := media.Of(s.a, s.act)
	if err != nil {
		return err
	}
	kind := s.act.Kind
	if kind == "audio" && s.act.Voice {
		kind = "voice"
	}
	f.Kind = kind
	field := map[string]string{"image": "photo"}[kind]
	m[cmp.Or(field, kind)] = described(s.p.keep(f), f)
	if s.act.Text != "" && kind != "sticker" {
		m["caption"] = s.act.Text
	}
	return nil
}

func bot(c *account.Config) obj {
	id, err := strconv.ParseInt(c.Also, 10, 64)
	if err != nil {
		id = 7000001
	}
	return obj{"id": id, "is_bot": true, "first_name": c.Display, "username": c.ID}
}

func user(id, name, username string) obj {
	first, last, _ := strings.Cut(name, " ")
	out := obj{"id": json.Number(id), "is_bot": false, "first_name": first, "language_code": "en"}
	return named(out, last, username)
}

// channelID is the id of the channel with that name.
func channelID(name string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.ToLower(name)))
	return fmt.Sprintf("-100%010d", h.Sum32())
}

// chat is the chat of an id: a private one, a group, or a channel by its name.
func chat(id, name, username string) obj {
	switch {
	case strings.HasPrefix(id, "@"):
		return obj{"id": json.Number(channelID(id[1:])), "type": "channel", "title": id[1:], "username": id[1:]}
	case strings.HasPrefix(id, "-100"):
		return obj{"id": json.Number(id), "type": "supergroup", "title": "Simulated group"}
	case strings.HasPrefix(id, "-"):
		return obj{"id": json.Number(id), "type": "group", "title": "Simulated group"}
	}
	first, last, _ := strings.Cut(name, " ")
	out := obj{"id": json.Number(id), "type": "private", "first_name": first}
	return named(out, last, username)
}

func named(out obj, last, username string) obj {
	if last != "" {
		out["last_name"] = last
	}
	if username != "" {
		out["username"] = strings.TrimPrefix(username, "@")
	}
	return out
}
