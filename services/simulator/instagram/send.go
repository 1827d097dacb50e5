package instagram

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
	maxText  = 1000 // bytes
	maxAlbum = 10
)

// outgoing is the body of POST /messages, as far as it is looked at.
type outgoing struct {
	Recipient struct {
		ID      string `json:"id"`
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
	Text        string        `json:"text"`
	Attachment  *attachment   `json:"attachment"`
	Attachments []attachment  `json:"attachments"`
	Quick       []graph.Quick `json:"quick_replies"`
}

type attachment struct {
	Type    string  `json:"type"`
	Payload payload `json:"payload"`
}

type payload struct {
	ID  string `json:"id"`
	URL string `json:"url"`
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
		to := p.recipient(a, &o)
		return stage.Act{Name: "messages", Kind: o.kind(), To: to, Do: func() stage.Answer {
			if no, bad := p.wrong(a, &o, to); bad {
				return no
			}
			if o.Action != "" {
				return stage.Answer{Status: 200, Body: obj{"recipient_id": to}}
			}
			return p.take(a, &o, to, body)
		}}
	})
}

// recipient is the id among messages of whom a call is for; empty if nobody is named.
func (p *Provider) recipient(a *account.Account, o *outgoing) string {
	switch {
	case o.Recipient.Comment != "":
		return p.comments.Author(a, graph.InMessages, o.Recipient.Comment)
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
	case len(m.Attachments) > 0:
		return "album"
	case m.Attachment != nil:
		return cmp.Or(m.Attachment.Payload.Layout, m.Attachment.Type)
	}
	return "text"
}

// wrong refuses what Meta refuses.
func (p *Provider) wrong(a *account.Account, o *outgoing, to string) (no stage.Answer, bad bool) {
	refuse := func(code int, text string) (stage.Answer, bool) { return refusal(code, text), true }
	script, who := a.Script(), a.People.Known(to)
	switch {
	case o.Recipient.Comment != "" && to == "":
		return graph.UnknownObject(o.Recipient.Comment), true
	case to == "":
		return refuse(100, "The parameter recipient is required")
	case script.Recipient(to) == "unknown":
		return refuse(2534014, "")
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
	case o.Tag != "HUMAN_AGENT" && script.Closed(who.Wrote, p.Now()):
		return refuse(2534022, "")
	}
	if o.Tag != "" && o.Tag != "HUMAN_AGENT" {
		return refuse(100, "This message tag is not supported any more")
	}
	if through := ownOf(a.Config()).page != ""; o.Tag != "" && through != (o.Type == "MESSAGE_TAG") {
		return refuse(100, "A message tag needs the messaging_type MESSAGE_TAG of accounts that are connected through a Page, and of no others")
	}
	if why := o.Message.wrong(); why != "" {
		return refuse(100, why)
	}
	return no, false
}

func (o *outgoing) wrongAction() (no stage.Answer, bad bool) {
	switch {
	case slices.Contains([]string{"typing_on", "typing_off", "mark_seen"}, o.Action):
		return no, false
	case o.Action == "react" && o.Payload.Message != "" && o.Payload.Reaction == "love", o.Action == "unreact" && o.Payload.Message != "":
		return no, false
	}
	return refusal(100, "Invalid sender_action, or its payload is not complete"), true
}

// wrong says what is wrong with a message; empty: nothing.
func (m *message) wrong() string {
	switch {
	case len(m.Text) > maxText:
		return fmt.Sprintf("Length of param message[text] must be less than or equal to %d bytes", maxText)
	case len(m.Quick) > graph.MaxQuick:
		return fmt.Sprintf("At most %d quick replies are allowed", graph.MaxQuick)
	case (m.Attachment != nil || len(m.Attachments) > 0) && m.Text != "":
		return "Cannot send text and attachment together"
	case len(m.Attachments) > maxAlbum:
		return fmt.Sprintf("At most %d pictures are allowed in one message", maxAlbum)
	case m.Attachment == nil && len(m.Attachments) == 0 && m.Text == "":
		return "The message has neither a text nor an attachment"
	}
	for _, q := range m.Quick {
		if q.Type != "text" || q.Title == "" || utf8.RuneCountInString(q.Title) > graph.MaxTitle || q.Payload == "" {
			return fmt.Sprintf("A quick reply is a text with a payload, and a title of 1 to %d characters", graph.MaxTitle)
		}
	}
	for _, at := range m.Attachments {
		if at.Type != "image" || !graph.Fetchable(at.Payload.URL) {
			return "Several attachments are pictures with a url"
		}
	}
	if m.Attachment != nil {
		return m.Attachment.wrong()
	}
	return ""
}

func (at *attachment) wrong() string {
	in := &at.Payload
	switch at.Type {
	case "image", "audio", "video", "file":
		if !graph.Fetchable(in.URL) {
			return "The url of the file is required"
		}
		return ""
	case "MEDIA_SHARE":
		if in.ID == "" {
			return "The id of the post is required"
		}
		return ""
	case "like_heart":
		return ""
	case "template":
	default:
		return "Param message[attachment][type] is not supported"
	}
	why, known := in.Wrong()
	if !known {
		return "Param template_type is not supported"
	}
	return why
}

// take accepts a message.
func (p *Provider) take(a *account.Account, o *outgoing, to string, body []byte) stage.Answer {
	m := &ledger.Message{ID: graph.NewMID(mids), To: to, Kind: o.kind(), Text: o.Message.words(), Body: body, Choices: o.Message.choices()}
	if id := o.Recipient.Comment; id != "" {
		m.Kind = "private_reply"
		p.comments.Tell(a, id)
	}
	return stage.Answer{Status: 200, Message: m, Done: func() { p.taken(a, o.Message, m) }, Body: obj{"recipient_id": to, "message_id": m.ID}}
}

func (m *message) words() string {
	if m.Text != "" || m.Attachment == nil {
		return m.Text
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
		if s.Status == "delivered" {
			continue // Instagram tells nothing of that
		}
		// A queue that is full is counted there: receipts may be lost with a real provider too.
		_ = p.Send(a, p.status(a, m, s, o))
	}
}
