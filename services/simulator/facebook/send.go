package facebook

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/graph"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// The limits that Meta checks before it takes a message.
const (
	maxText = 2000
)

// outgoing is the body of POST /messages, as far as it is looked at.
type outgoing struct {
	Recipient struct {
		ID      string `json:"id"`
		UserRef string `json:"user_ref"`
		Comment string `json:"comment_id"`
	} `json:"recipient"`
	Type    string `json:"messaging_type"`
	Tag     string `json:"tag"`
	Action  string `json:"sender_action"`
	Payload struct {
		Message  string `json:"message_id"`
		Reaction string `json:"reaction"`
	} `json:"payload"`
	Message *message `json:"message"`
}

type message struct {
	Text       string      `json:"text"`
	Metadata   string      `json:"metadata"`
	Sticker    json.Number `json:"sticker_id"`
	Attachment *struct {
		Type    string  `json:"type"`
		Payload payload `json:"payload"`
	} `json:"attachment"`
	Template *struct {
		Name     string `json:"name"`
		Language struct {
			Code string `json:"code"`
		} `json:"language"`
	} `json:"template"`
	Quick []graph.Quick `json:"quick_replies"`
}

type payload struct {
	ID   string `json:"attachment_id"`
	URL  string `json:"url"`
	Name string `json:"recipient_name"` // of a receipt
	graph.Template
}

// messages takes POST /messages: a message, a private reply to a comment, or an action of the sender.
func (p *Provider) messages(w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "messages", words, func() stage.Act {
		body, ok := stage.Read(w, r, maxJSON)
		body = graph.JSON(r, body)
		var o outgoing
		if err := json.Unmarshal(body, &o); err != nil || !ok {
			return stage.Act{Name: "messages", Do: func() stage.Answer { return refusal(100, "The body is not JSON of the documented shape.") }}
		}
		o.Action = strings.ToLower(o.Action) // words are taken in any case
		to, act := p.recipient(a, &o), stage.Act{Name: "messages", Kind: o.kind()}
		act.To = to
		if o.Message != nil {
			act.Ref = o.Message.Metadata
		}
		act.Do = func() stage.Answer {
			if no, bad := p.wrong(a, &o, to); bad {
				return no
			}
			if o.Action != "" {
				return stage.Answer{Status: 200, Body: obj{"recipient_id": to}}
			}
			return p.take(a, &o, to, body)
		}
		return act
	})
}

// recipient is the id among messages of whom a call is for; empty if nobody is named.
func (p *Provider) recipient(a *account.Account, o *outgoing) string {
	switch c := a.Config(); {
	case o.Recipient.Comment != "":
		return p.comments.Author(a, graph.InMessages, o.Recipient.Comment)
	case o.Recipient.UserRef != "":
		return graph.Scoped(c, graph.InMessages, "user_ref:"+o.Recipient.UserRef)
	case graph.Digits(o.Recipient.ID):
		return o.Recipient.ID
	}
	return ""
}

func (o *outgoing) kind() string {
	m := o.Message
	switch {
	case o.Action != "":
		return o.Action
	case m == nil:
		return ""
	case m.Template != nil:
		return "utility"
	case m.Sticker != "":
		return "sticker"
	case m.Attachment != nil:
		return cmp.Or(m.Attachment.Payload.Layout, m.Attachment.Type)
	}
	return "text"
}

// wrong refuses what Meta refuses.
func (p *Provider) wrong(a *account.Account, o *outgoing, to string) (no stage.Answer, bad bool) {
	refuse := func(code int, words string) (stage.Answer, bool) { return refusal(code, words), true }
	script, who := a.Script(), a.People.Known(to)
	switch {
	case o.Recipient.Comment != "" && to == "":
		return graph.UnknownObject(o.Recipient.Comment), true
	case to == "":
		return refuse(100, "The parameter recipient is required")
	case script.Recipient(to) == "unknown":
		return refuse(2018001, "")
	case script.Recipient(to) == "blocked" || who.Blocked:
		return refuse(551, "")
	case o.Action != "":
		return o.wrongAction()
	case o.Message == nil:
		return refuse(100, "The parameter message is required")
	case script.Receipts.FailWith != 0: // a message that fails is refused at once: nothing is told later
		return refuse(script.Receipts.FailWith, "")
	case o.Recipient.Comment != "":
		if code := p.comments.WrongPrivate(a, o.Recipient.Comment, p.Now()); code != 0 {
			return refuse(code, "")
		}
	case o.Type != "UTILITY" && o.Tag != "HUMAN_AGENT" && script.Closed(who.Wrote, p.Now()):
		return refuse(2018278, "")
	}
	if o.Tag != "" && o.Tag != "HUMAN_AGENT" {
		return refuse(100, "This message tag is not supported any more")
	}
	if why, code := p.wrongContent(a, o.Message); code != 0 {
		return refuse(code, why)
	}
	return no, false
}

func (o *outgoing) wrongAction() (no stage.Answer, bad bool) {
	switch o.Action {
	case "typing_on", "typing_off", "mark_seen":
		return no, false
	case "react", "unreact":
		if o.Payload.Message != "" && (o.Action == "unreact" || o.Payload.Reaction != "") {
			return no, false
		}
	}
	return refusal(100, "Invalid sender_action, or its payload is not complete"), true
}

// wrongContent says what is wrong with a message; code 0: nothing.
func (p *Provider) wrongContent(a *account.Account, m *message) (why string, code int) {
	if len(m.Metadata) > 1000 {
		return "Length of param message[metadata] must be less than or equal to 1000", 100
	}
	if n := utf8.RuneCountInString(m.Text); n > maxText {
		return fmt.Sprintf("Length of param message[text] must be less than or equal to %d", maxText), 100
	}
	if len(m.Quick) > graph.MaxQuick {
		return fmt.Sprintf("At most %d quick replies are allowed", graph.MaxQuick), 100
	}
	for _, q := range m.Quick {
		if q.Type == "text" && (q.Title == "" || utf8.RuneCountInString(q.Title) > graph.MaxTitle || q.Payload == "") {
			return fmt.Sprintf("A quick reply needs a payload, and a title of 1 to %d characters", graph.MaxTitle), 100
		}
	}
	switch {
	case m.Attachment != nil && m.Text != "":
		return "Cannot send text and attachment together", 100
	case m.Template != nil:
		if m.Template.Name == "" || m.Template.Language.Code == "" {
			return "The parameters name and language of the template are required", 100
		}
	case m.Attachment != nil:
		return p.wrongAttachment(a, m.Attachment.Type, &m.Attachment.Payload)
	case m.Text == "" && m.Sticker == "":
		return "Must upload exactly one file or provide attachment, target_id or url", 100
	}
	return "", 0
}

func (p *Provider) wrongAttachment(a *account.Account, kind string, at *payload) (why string, code int) {
	switch kind {
	case "image", "audio", "video", "file":
		return p.wrongFile(a, at.ID, at.URL)
	case "template":
	default:
		return "Param message[attachment][type] must be one of {IMAGE, AUDIO, VIDEO, FILE, TEMPLATE}", 100
	}
	if why, known := at.Wrong(); why != "" {
		return why, 100
	} else if known {
		return "", 0
	}
	switch at.Layout {
	case "media":
		if len(at.Elements) != 1 || at.Elements[0].Media != "image" && at.Elements[0].Media != "video" {
			return "A media template has one element, an image or a video", 100
		}
		if why, code := p.wrongFile(a, at.Elements[0].ID, at.Elements[0].URL); code != 0 {
			return why, code
		}
		if why := graph.WrongButtons(at.Elements[0].Buttons, false); why != "" {
			return why, 100
		}
	case "receipt":
		if at.Name == "" {
			return "The parameter recipient_name is required", 100
		}
	default:
		return "Param template_type is not supported", 100
	}
	return "", 0
}

func (p *Provider) wrongFile(a *account.Account, id, url string) (why string, code int) {
	switch {
	case id != "" && p.Files.File(a, id) == nil:
		return "", 2018074
	case id == "" && !graph.Fetchable(url):
		return "Either attachment_id or url is required", 100
	}
	return "", 0
}

// take accepts a message.
func (p *Provider) take(a *account.Account, o *outgoing, to string, body []byte) stage.Answer {
	m := &ledger.Message{ID: graph.NewMID(mids), To: to, Kind: o.kind(), Text: o.Message.words(), ClientRef: o.Message.Metadata, Body: body, Choices: o.Message.choices()}
	if id := o.Recipient.Comment; id != "" {
		m.Kind = "private_reply"
		p.comments.Tell(a, id)
	}
	return stage.Answer{Status: 200, Message: m, Done: func() { p.taken(a, o.Message, m) }, Body: obj{"recipient_id": to, "message_id": m.ID}}
}

func (m *message) words() string {
	switch {
	case m.Text != "":
		return m.Text
	case m.Template != nil:
		return m.Template.Name
	case m.Attachment == nil:
		return ""
	}
	return m.Attachment.Payload.Words()
}

// choices are the buttons that bring something back.
func (m *message) choices() []account.Choice {
	if m.Attachment == nil {
		return graph.Choices(m.Quick, nil)
	}
	return graph.Choices(m.Quick, &m.Attachment.Payload.Template)
}

// taken remembers what a person can answer to, and begins with the echo and the receipts.
func (p *Provider) taken(a *account.Account, o *message, m *ledger.Message) {
	a.People.Change(m.To, func(w *account.Person) { w.Got(m.ID, m.Choices) })
	for _, s := range a.Script().Receipts.Plan() {
		// A queue that is full is counted there: receipts may be lost with a real provider too.
		_ = p.Send(a, p.status(a, m, s, o))
	}
}

// subscribe takes POST and GET /subscribed_apps.
func (p *Provider) subscribe(w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "subscribed_apps", words, func() stage.Act {
		body, _ := stage.Read(w, r, maxJSON)
		return stage.Act{Name: "subscribed_apps", Do: func() stage.Answer {
			if r.Method == http.MethodGet {
				return stage.Answer{Status: 200, Body: obj{"data": []obj{{"id": app(a.Config()), "name": "Simulated app"}}}}
			}
			var in struct {
				Fields json.RawMessage `json:"subscribed_fields"` // a list, or names with commas between
			}
			err := json.Unmarshal(graph.JSON(r, body), &in)
			names := strings.FieldsFunc(string(in.Fields), func(c rune) bool { return strings.ContainsRune(`[]", `, c) })
			if err != nil || !slices.Contains(names, "messages") {
				return refusal(100, "Param subscribed_fields is required, and has no messages")
			}
			return stage.Answer{Status: 200, Body: obj{"success": true}}
		}}
	})
}

// control takes what apps do to have a conversation.
func (p *Provider) control(w http.ResponseWriter, r *http.Request, a *account.Account, name string) {
	p.Play(w, r, a, name, words, func() stage.Act {
		body, _ := stage.Read(w, r, maxJSON)
		var o outgoing
		err := json.Unmarshal(graph.JSON(r, body), &o)
		return stage.Act{Name: name, To: o.Recipient.ID, Kind: "control", Do: func() stage.Answer {
			if err != nil || !graph.Digits(o.Recipient.ID) {
				return refusal(100, "The parameter recipient is required")
			}
			return stage.Answer{Status: 200, Body: obj{"success": true}}
		}}
	})
}

// profile serves GET /{psid}: of people who have done something with the Page.
func (p *Provider) profile(w http.ResponseWriter, r *http.Request, a *account.Account, id string) {
	p.Play(w, r, a, "profile", words, func() stage.Act {
		return stage.Act{Name: "profile", To: id, Do: func() stage.Answer {
			who := a.People.Known(id)
			if !graph.Digits(id) || !who.Seen {
				return graph.UnknownObject(id)
			}
			first, last, _ := strings.Cut(cmp.Or(who.Name, "Simulated "+id[max(0, len(id)-4):]), " ")
			return stage.Answer{Status: 200, Body: obj{"first_name": first, "last_name": last, "profile_pic": "https://profile.example/" + id, "id": id}}
		}}
	})
}
