package telegram

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// deletableFor is how long a bot's message can be deleted.
const deletableFor = 48 * time.Hour

const notModified = "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message"

// edit takes editMessageText and editMessageCaption.
func (p *Provider) edit(a *account.Account, name string, f *fields) stage.Answer {
	id := chatKey(f) + ":" + f.text("message_id")
	m, known := p.Ledger.Message(a, id)
	text, limit := f.text("text"), maxText
	if name == "editMessageCaption" {
		text, limit = f.text("caption"), maxCaption
	}
	was := m
	if last, ok := p.Ledger.Message(a, id+":edit"); ok {
		was = last
	}
	switch {
	case !known || p.deleted(a, id):
		return bad("message to edit not found")
	case name == "editMessageText" && text == "":
		return bad("message text is empty")
	case len([]rune(text)) > limit:
		return bad("message is too long")
	case text == was.Text && markup(was.Body) == f.text("reply_markup"):
		return bad(notModified)
	}
	n, _ := f.integer("message_id")
	v := obj{"message_id": n, "from": bot(a.Config()), "chat": chat(f.text("chat_id"), "", ""), "date": m.At.Unix(), "edit_date": p.Now().Unix(), "text": text}
	return p.accepted(a, name, f, text, v, id+":edit")
}

// markup is the keyboard that a call gave its message, as the call wrote it.
func markup(body json.RawMessage) string {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return ""
	}
	return string(fields["reply_markup"])
}

func (p *Provider) deleted(a *account.Account, id string) bool {
	_, gone := p.Ledger.Message(a, id+":deleted")
	return gone
}

// remove takes deleteMessage and deleteMessages, which passes over what is not there.
func (p *Provider) remove(a *account.Account, name string, f *fields) stage.Answer {
	numbers, ok := f.numbers(name == "deleteMessage")
	if !ok {
		return bad("message identifiers are not specified")
	}
	var ids []string
	for _, n := range numbers {
		id := chatKey(f) + ":" + n.String()
		m, known := p.Ledger.Message(a, id)
		known = known && !p.deleted(a, id)
		switch {
		case !known && name == "deleteMessage":
			return bad("message to delete not found")
		case known && p.Now().Sub(m.At) >= deletableFor:
			return bad("message can't be deleted for everyone")
		case known:
			ids = append(ids, id+":deleted")
		}
	}
	if len(ids) == 0 {
		return result(true)
	}
	return p.accepted(a, name, f, "", true, ids...)
}

// removeBusiness takes deleteBusinessMessages. It names no chat, so what it deletes is not looked up.
func (p *Provider) removeBusiness(a *account.Account, f *fields) stage.Answer {
	numbers, ok := f.numbers(false)
	if !ok || f.text("business_connection_id") == "" {
		return bad("message identifiers are not specified")
	}
	var ids []string
	for _, n := range numbers {
		ids = append(ids, chatKey(f)+":"+n.String()+":deleted")
	}
	return p.accepted(a, "deleteBusinessMessages", f, "", true, ids...)
}

// numbers are the messages that a call names: one, or 1 to 100.
func (f *fields) numbers(one bool) (out []json.Number, ok bool) {
	if one {
		n, ok := f.integer("message_id")
		return []json.Number{json.Number(strconv.FormatInt(n, 10))}, ok && n > 0
	}
	return out, f.into("message_ids", &out) && len(out) >= 1 && len(out) <= 100
}
