package telegram

import (
	"errors"
	"net/http"
	"strings"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// method takes one call of a bot.
func (p *Provider) method(w http.ResponseWriter, r *http.Request, a *account.Account, name string) {
	p.Play(w, r, a, name, words{}, func() stage.Act {
		f, err := read(w, r, own(a.Config()).largest())
		act := stage.Act{Name: name, To: chatKey(&f), Kind: kindOf(name)}
		act.Do = func() stage.Answer {
			switch {
			case errors.Is(err, errTooLarge):
				return refusal(413, "Request Entity Too Large")
			case err != nil:
				return bad("can't parse the request")
			}
			return p.do(a, name, &f)
		}
		return act
	})
}

// chatKey is the chat as the gateway names it: chats of a business account have the connection's id before them.
func chatKey(f *fields) string {
	id := f.text("chat_id")
	if name, ok := strings.CutPrefix(id, "@"); ok {
		id = channelID(name)
	}
	if b := f.text("business_connection_id"); b != "" {
		return b + ":" + id
	}
	return id
}

func (p *Provider) do(a *account.Account, name string, f *fields) stage.Answer {
	switch strings.ToLower(name) {
	case "getme":
		return result(bot(a.Config()))
	case "setwebhook":
		return p.setWebhook(a, f)
	case "deletewebhook":
		a.Hook(func(c *account.Config) { c.WebhookURL = "" })
		return result(true)
	case "getwebhookinfo":
		return p.webhookInfo(a)
	case "getfile":
		return p.getFile(a, f)
	case "getuserprofilephotos":
		return result(obj{"total_count": 0, "photos": []any{}})
	case "answercallbackquery":
		if f.text("callback_query_id") == "" || f.runes("text") > 200 {
			return bad("query is too old and response timeout expired or query ID is invalid")
		}
		return result(true)
	}
	if name == "deleteBusinessMessages" {
		return p.removeBusiness(a, f)
	}
	return p.chatMethod(a, name, f)
}

// chatMethod is a call about a chat.
func (p *Provider) chatMethod(a *account.Account, name string, f *fields) stage.Answer {
	if kindOf(name) == "" && !signals[name] {
		return refusal(404, "Not Found")
	}
	if no, ok := p.reach(a, f); !ok {
		return no
	}
	switch name {
	case "sendChatAction", "readBusinessMessage":
		return result(true)
	case "getChat":
		return result(chat(f.text("chat_id"), "", ""))
	case "setMessageReaction":
		return p.react(a, f)
	case "sendMediaGroup":
		return p.album(a, f)
	case "editMessageText", "editMessageCaption":
		return p.edit(a, name, f)
	case "deleteMessage", "deleteMessages":
		return p.remove(a, name, f)
	}
	return p.send(a, name, f)
}

// signals are calls that leave no message behind.
var signals = map[string]bool{"sendChatAction": true, "readBusinessMessage": true, "getChat": true}

// kindOf is the kind of message that a method makes; "" for the rest.
func kindOf(name string) string {
	return map[string]string{
		"sendMessage": "text", "sendPhoto": "image", "sendVideo": "video", "sendAnimation": "video", "sendAudio": "audio", "sendVoice": "audio",
		"sendDocument": "document", "sendSticker": "sticker", "sendLocation": "location", "sendVenue": "location", "sendContact": "contacts",
		"sendMediaGroup": "album", "setMessageReaction": "reaction", "editMessageText": "edit", "editMessageCaption": "edit", "deleteMessage": "delete",
		"deleteMessages": "delete", "deleteBusinessMessages": "delete",
	}[name]
}

// reach refuses chats that a bot cannot write to.
func (p *Provider) reach(a *account.Account, f *fields) (no stage.Answer, ok bool) {
	id := f.text("chat_id")
	state := a.Script().Recipient(id)
	switch {
	case id == "":
		return bad("chat_id is empty"), false
	case !integer(id) && !strings.HasPrefix(id, "@"), id == "0", state == "unknown":
		return bad("chat not found"), false
	case state == "blocked", a.People.Known(chatKey(f)).Blocked:
		return refusal(403, "Forbidden: bot was blocked by the user"), false
	}
	return stage.Answer{}, true
}

// accepted puts a call into the ledger, with the messages that came of it.
func (p *Provider) accepted(a *account.Account, name string, f *fields, text string, v any, ids ...string) stage.Answer {
	out := result(v)
	m := &ledger.Message{IDs: ids, ID: ids[0], To: chatKey(f), Kind: kindOf(name), Text: text, Body: f.body, Choices: choices(f)}
	out.Message = m
	if m.Kind == "reaction" || m.Kind == "edit" || m.Kind == "delete" {
		for _, id := range ids {
			m.About = append(m.About, id[:strings.LastIndexByte(id, ':')]) // before what is done to it
		}
		return out
	}
	out.Done = func() {
		a.People.Change(m.To, func(w *account.Person) { w.Got(ids[len(ids)-1], m.Choices) })
	}
	return out
}

// choices are the buttons of a message that bring something back.
func choices(f *fields) (out []account.Choice) {
	var k struct {
		Inline [][]struct {
			Text string `json:"text"`
			Data string `json:"callback_data"`
		} `json:"inline_keyboard"`
	}
	f.into("reply_markup", &k)
	for _, row := range k.Inline {
		for _, b := range row {
			if b.Data != "" {
				out = append(out, account.Choice{ID: b.Data, Title: b.Text})
			}
		}
	}
	return out
}
