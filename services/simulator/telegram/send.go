package telegram

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// The limits of the Bot API: characters, and bytes of what a button brings back.
const (
	maxText    = 4096
	maxCaption = 1024
	maxData    = 64
)

// places say which field of a send method holds its file.
var places = map[string]string{"sendPhoto": "photo", "sendVideo": "video", "sendAnimation": "animation", "sendAudio": "audio",
	"sendVoice": "voice", "sendDocument": "document", "sendSticker": "sticker"}

// send takes a method that makes one message.
func (p *Provider) send(a *account.Account, name string, f *fields) stage.Answer {
	if why := wrong(name, f); why != "" {
		return bad(why)
	}
	m := p.message(a, f)
	text := f.text("text")
	switch field := places[name]; {
	case field != "":
		v, no, ok := p.fileOf(a, field, f.text(field), f)
		if !ok {
			return no
		}
		m[field] = v
		if text = f.text("caption"); text != "" {
			m["caption"] = text
		}
	case name == "sendMessage":
		m["text"] = text
	case name == "sendContact":
		m["contact"] = obj{"phone_number": f.text("phone_number"), "first_name": f.text("first_name")}
		text = f.text("first_name")
	default:
		lat, _ := f.degrees("latitude", 90)
		lon, _ := f.degrees("longitude", 180)
		m["location"] = obj{"latitude": lat, "longitude": lon}
		text = f.text("title")
	}
	return p.accepted(a, name, f, text, m, key(f, m))
}

func wrong(name string, f *fields) string {
	_, lat := f.degrees("latitude", 90)
	_, lon := f.degrees("longitude", 180)
	switch {
	case name == "sendMessage" && strings.TrimSpace(f.text("text")) == "":
		return "message text is empty"
	case f.runes("text") > maxText:
		return "message is too long"
	case f.runes("caption") > maxCaption:
		return "message caption is too long"
	case name == "sendContact" && (f.text("phone_number") == "" || f.text("first_name") == ""):
		return "contact phone number and first name must be non-empty"
	case (name == "sendLocation" || name == "sendVenue") && (!lat || !lon):
		return "latitude and longitude must be specified"
	case name == "sendVenue" && f.text("title") == "":
		return "title must be non-empty"
	}
	for _, c := range choices(f) {
		if len(c.ID) > maxData {
			return "BUTTON_DATA_INVALID"
		}
	}
	return ""
}

// message is a new message of the bot in the chat.
func (p *Provider) message(a *account.Account, f *fields) obj {
	now := p.Now()
	var n int64
	a.People.Change(chatKey(f), func(w *account.Person) { n = w.Number(now) })
	m := obj{"message_id": n, "from": bot(a.Config()), "chat": chat(f.text("chat_id"), "", ""), "date": now.Unix()}
	if b := f.text("business_connection_id"); b != "" {
		m["business_connection_id"] = b
	}
	var reply struct {
		ID int64 `json:"message_id"`
	}
	if f.into("reply_parameters", &reply) {
		m["reply_to_message"] = obj{"message_id": reply.ID, "chat": m["chat"], "date": now.Unix()}
	}
	return m
}

// key is how the gateway names a message: its chat and its number.
func key(f *fields, m obj) string {
	return chatKey(f) + ":" + strconv.FormatInt(m["message_id"].(int64), 10)
}

// fileOf is the file that a value stands for: its id, a URL, or a part of the form.
func (p *Provider) fileOf(a *account.Account, kind, ref string, f *fields) (v any, no stage.Answer, ok bool) {
	part, attached := strings.CutPrefix(ref, "attach://")
	up, uploaded := f.files[part]
	if ref == "" {
		up, uploaded = f.files[kind]
	}
	switch {
	case uploaded && kind == "photo" && len(up.data) > maxPhoto:
		return nil, refusal(413, "Request Entity Too Large"), false
	case uploaded && len(up.data) == 0:
		return nil, bad("file must be non-empty"), false
	case uploaded:
		file := &media.File{Of: a, Kind: kind, MIME: up.mime, Name: up.name, Data: up.data}
		return described(p.keep(file), file), no, true
	case attached || ref == "":
		return nil, bad(fmt.Sprintf("there is no %s in the request", kind)), false
	case strings.HasPrefix(ref, "http://") || strings.HasPrefix(ref, "https://"):
		file := &media.File{Of: a, Kind: kind, MIME: "application/octet-stream", Name: "remote"} // nothing is fetched
		return described(p.keep(file), file), no, true
	}
	file := p.Files.File(a, ref)
	if file == nil {
		return nil, bad("wrong file identifier/HTTP URL specified"), false
	}
	return described(ref, file), no, true
}

// album takes sendMediaGroup: one call, several messages.
func (p *Provider) album(a *account.Account, f *fields) stage.Answer {
	var items []struct {
		Type    string `json:"type"`
		Media   string `json:"media"`
		Caption string `json:"caption"`
	}
	if !f.into("media", &items) || len(items) < 2 || len(items) > 10 {
		return bad("group send failed: 2 to 10 media are needed")
	}
	group, text := rand.Text()[:16], ""
	var out []obj
	var ids []string
	for _, it := range items {
		v, no, ok := p.fileOf(a, it.Type, it.Media, f)
		if !ok {
			return no
		}
		m := p.message(a, f)
		m["media_group_id"], m[it.Type] = group, v
		if it.Caption != "" {
			m["caption"] = it.Caption
			text = it.Caption
		}
		out, ids = append(out, m), append(ids, key(f, m))
	}
	return p.accepted(a, "sendMediaGroup", f, text, out, ids...)
}

// react takes setMessageReaction.
func (p *Provider) react(a *account.Account, f *fields) stage.Answer {
	n, ok := f.integer("message_id")
	if !ok || n <= 0 {
		return bad("message to react not found")
	}
	var list []struct {
		Emoji  string `json:"emoji"`
		Custom string `json:"custom_emoji_id"`
	}
	text := ""
	if f.into("reaction", &list) && len(list) > 0 {
		if len(list) > 1 {
			return bad("REACTIONS_TOO_MANY")
		}
		text = list[0].Emoji + list[0].Custom
	}
	return p.accepted(a, "setMessageReaction", f, text, true, chatKey(f)+":"+strconv.FormatInt(n, 10)+":reaction")
}
