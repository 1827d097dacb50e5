package whatsapp

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// outgoing is the body of POST /messages, as far as it is looked at.
type outgoing struct {
	Product   string `json:"messaging_product"`
	Status    string `json:"status"` // read: a signal, no message
	MessageID string `json:"message_id"`
	Typing    *struct {
		Type string `json:"type"`
	} `json:"typing_indicator"`

	RecipientType string `json:"recipient_type"`
	To            string `json:"to"`
	Recipient     string `json:"recipient"`
	ClientRef     string `json:"biz_opaque_callback_data"`
	Type          string `json:"type"`
	Text          *struct {
		Body string `json:"body"`
	} `json:"text"`
	Image       *file            `json:"image"`
	Video       *file            `json:"video"`
	Audio       *file            `json:"audio"`
	Document    *file            `json:"document"`
	Sticker     *file            `json:"sticker"`
	Location    *json.RawMessage `json:"location"`
	Contacts    []any            `json:"contacts"`
	Reaction    *reaction        `json:"reaction"`
	Interactive *interactive     `json:"interactive"`
	Template    *struct {
		Name     string `json:"name"`
		Language struct {
			Code string `json:"code"`
		} `json:"language"`
	} `json:"template"`
}

type file struct {
	ID      string `json:"id"`
	Link    string `json:"link"`
	Caption string `json:"caption"`
}

type reaction struct {
	MessageID string `json:"message_id"`
	Emoji     string `json:"emoji"`
}

type interactive struct {
	Type string `json:"type"`
	Body struct {
		Text string `json:"text"`
	} `json:"body"`
	Action struct {
		Buttons []struct {
			Reply choice `json:"reply"`
		} `json:"buttons"`
		Sections []struct {
			Rows []choice `json:"rows"`
		} `json:"sections"`
	} `json:"action"`
}

type choice struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

func (i *interactive) choices() (out []account.Choice) {
	for _, b := range i.Action.Buttons {
		out = append(out, account.Choice(b.Reply))
	}
	for _, s := range i.Action.Sections {
		for _, r := range s.Rows {
			out = append(out, account.Choice(r))
		}
	}
	return out
}

// peer is who gets it, as the ledger and receipts name them.
func (o *outgoing) peer() string {
	if o.To != "" {
		return account.Bare(strings.NewReplacer(" ", "", "-", "").Replace(o.To))
	}
	return o.Recipient
}

// messages takes POST /messages: a message, or a signal.
func (p *Provider) messages(w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "messages", words{}, func() stage.Act {
		body, ok := stage.Read(w, r, maxJSON)
		var o outgoing
		if err := json.Unmarshal(body, &o); err != nil || !ok {
			return stage.Act{Name: "messages", Do: func() stage.Answer { return refusal(100, "The body is not JSON of the documented shape.") }}
		}
		if o.Status != "" {
			return o.signal()
		}
		if o.Type == "" {
			o.Type = "text"
		}
		return stage.Act{Name: "messages", To: o.peer(), Kind: o.Type, Ref: o.ClientRef, Do: func() stage.Answer {
			if no, ok := p.check(a, &o); !ok {
				return no
			}
			return p.take(a, &o, body)
		}}
	})
}

func (o *outgoing) signal() stage.Act {
	kind := "read"
	if o.Typing != nil {
		kind = "typing"
	}
	return stage.Act{Name: "messages", Kind: kind, Do: func() stage.Answer {
		if o.Status != "read" || !strings.HasPrefix(o.MessageID, "wamid.") {
			return refusal(131009, "message_id must be the id of a message that was received.")
		}
		return stage.Answer{Status: 200, Body: obj{"success": true}}
	}}
}

// take accepts a message: 200 says no more than that; what becomes of it comes as statuses.
func (p *Provider) take(a *account.Account, o *outgoing, body []byte) stage.Answer {
	peer := o.peer()
	m := &ledger.Message{ID: newID(peer), To: peer, Kind: o.Type, Text: o.text(), ClientRef: o.ClientRef, Body: body}
	if o.Interactive != nil {
		m.Choices = o.Interactive.choices()
	}
	if o.Reaction != nil {
		m.About = []string{o.Reaction.MessageID}
	}
	contact := obj{"input": o.To, "wa_id": peer}
	if o.To == "" {
		contact = obj{"input": o.Recipient, "user_id": o.Recipient}
	}
	return stage.Answer{Status: 200, Message: m, Done: func() { p.taken(a, o, m) },
		Body: obj{"messaging_product": "whatsapp", "contacts": []obj{contact}, "messages": []obj{{"id": m.ID, "message_status": "accepted"}}}}
}

// taken remembers what a person can answer to, and begins with the receipts.
func (p *Provider) taken(a *account.Account, o *outgoing, m *ledger.Message) {
	var who account.Person
	a.People.Change(m.To, func(w *account.Person) {
		if o.Type != "reaction" { // which is no message that one could be about
			w.Got(m.ID, m.Choices)
		}
		who = *w
	})
	p.receipts(a, o, m, who)
}

func (o *outgoing) text() string {
	switch {
	case o.Text != nil:
		return o.Text.Body
	case o.Interactive != nil:
		return o.Interactive.Body.Text
	case o.Template != nil:
		return o.Template.Name
	case o.Reaction != nil:
		return o.Reaction.Emoji
	case o.file() != nil:
		return o.file().Caption
	}
	return ""
}

func (o *outgoing) file() *file {
	return map[string]*file{"image": o.Image, "video": o.Video, "audio": o.Audio, "document": o.Document, "sticker": o.Sticker}[o.Type]
}

// newID looks like Meta's: wamid. and base64, the number readable in it.
func newID(peer string) string {
	return "wamid." + base64.StdEncoding.EncodeToString([]byte("\x1d\x18"+peer+"\x15\x02\x00\x11\x18"+rand.Text()[:20]+"\x00"))
}
