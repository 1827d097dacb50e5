package line

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf16"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

const (
	maxBody = 2 << 20 // bytes; more is 413
	perCall = 5       // message objects
)

// outgoing is the body of a reply or a push.
type outgoing struct {
	Token    string            `json:"replyToken"`
	To       string            `json:"to"`
	Messages []json.RawMessage `json:"messages"`

	objects []object // the messages, as far as they are looked at
}

// read reads the body of a call that sends. A message object that cannot be read is one without a type.
func (o *outgoing) read(body []byte) error {
	err := json.Unmarshal(body, o)
	for _, m := range o.Messages {
		var x object
		if json.Unmarshal(m, &x) != nil {
			x = object{unreadable: true}
		}
		o.objects = append(o.objects, x)
	}
	return err
}

// take reads a call that sends, and lets do decide.
func (p *Provider) take(w http.ResponseWriter, r *http.Request, a *account.Account, name string, do func(o *outgoing, body []byte) stage.Answer, to func(*outgoing) string) {
	p.Play(w, r, a, name, words{}, func() stage.Act {
		body, ok := stage.Read(w, r, maxBody)
		var o outgoing
		err := o.read(body)
		act := stage.Act{Name: name, To: to(&o), Kind: o.kind(), Ref: r.Header.Get("X-Line-Retry-Key")}
		act.Do = func() stage.Answer {
			switch {
			case !ok:
				return refusal(413, usual[413])
			case err != nil:
				return refusal(400, "The request body could not be parsed as JSON (line: -, column: -)")
			}
			if no, bad := o.wrong(); bad {
				return no
			}
			return do(&o, body)
		}
		return act
	})
}

// reply uses a token once, within a minute of the event.
func (p *Provider) reply(w http.ResponseWriter, r *http.Request, a *account.Account) {
	key := func(o *outgoing) string { return a.Config().ID + " " + o.Token }
	p.take(w, r, a, "reply", func(o *outgoing, body []byte) stage.Answer {
		t, ok := p.tokens.Get(key(o))
		if !ok || !p.tokens.Remove(key(o)) || p.Now().After(t.until) { // of two calls at once one has it
			return refusal(400, "Invalid reply token")
		}
		return p.accepted(a, o, t.chat, body, nil)
	}, func(o *outgoing) string { t, _ := p.tokens.Peek(key(o)); return t.chat })
}

var (
	chatID   = regexp.MustCompile(`^[UCR][0-9a-f]{32}$`)
	retryKey = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

// push takes a message to a chat. To somebody who blocked the account it is taken as well, and goes nowhere.
func (p *Provider) push(w http.ResponseWriter, r *http.Request, a *account.Account) {
	retry := r.Header.Get("X-Line-Retry-Key")
	key := a.Config().ID + " " + retry
	p.take(w, r, a, "push", func(o *outgoing, body []byte) stage.Answer {
		switch {
		case !chatID.MatchString(o.To):
			return refusal(400, "The property, 'to', in the request body is invalid (line: -, column: -)")
		case a.Script().Recipient(o.To) == "unknown":
			return refusal(400, "Failed to send messages")
		case retry != "" && !retryKey.MatchString(retry):
			return refusal(400, "The retry key is invalid")
		}
		if before, ok := p.retries.Get(key); retry != "" && ok && p.Now().Before(before.until) {
			w.Header().Set("X-Line-Accepted-Request-Id", before.request)
			out := refusal(409, usual[409])
			out.Body.(obj)["sentMessages"] = before.sent
			return out
		}
		return p.accepted(a, o, o.To, body, func(sent []obj) {
			if retry != "" {
				p.retries.Add(key, firstPush{request: account.Hex(16), sent: sent, until: p.Now().Add(retryKeyLife)})
			}
		})
	}, func(o *outgoing) string { return o.To })
}

// accepted puts a call into the ledger, with the messages that came of it.
func (p *Provider) accepted(a *account.Account, o *outgoing, chat string, body []byte, then func(sent []obj)) stage.Answer {
	var sent []obj
	var ids []string
	for range o.Messages {
		id := fmt.Sprint(p.nextID())
		ids = append(ids, id)
		sent = append(sent, obj{"id": id, "quoteToken": account.Hex(24)})
	}
	if then != nil {
		then(sent)
	}
	m := &ledger.Message{ID: ids[0], IDs: ids, To: chat, Kind: o.kind(), Text: o.text(), Body: body, Choices: choices(o.Messages)}
	return stage.Answer{Status: 200, Body: obj{"sentMessages": sent}, Message: m, Done: func() {
		a.People.Change(chat, func(w *account.Person) { w.Got(ids[len(ids)-1], m.Choices) })
	}}
}

// object is a message object, as far as it is looked at.
type object struct {
	unreadable bool

	Type     string  `json:"type"`
	Text     *string `json:"text"`
	URL      string  `json:"originalContentUrl"`
	Preview  string  `json:"previewImageUrl"`
	Duration *int64  `json:"duration"`
	Package  string  `json:"packageId"`
	Sticker  string  `json:"stickerId"`
	Title    string  `json:"title"`
	Address  string  `json:"address"`
	Alt      string  `json:"altText"`
}

// wrong says what of a call LINE would not take; one bad object fails all.
func (o *outgoing) wrong() (stage.Answer, bool) {
	if n := len(o.objects); n < 1 || n > perCall {
		return invalid("messages", "Size must be between 1 and 5"), true
	}
	for n, x := range o.objects {
		at := fmt.Sprintf("messages[%d]", n)
		if x.unreadable {
			return invalid(at, "Could not be parsed"), true
		}
		if property, message := x.wrong(); property != "" {
			return invalid(at+"."+property, message), true
		}
	}
	return stage.Answer{}, false
}

func (o *object) wrong() (property, message string) {
	const empty = "May not be empty"
	switch o.Type {
	case "text":
		if o.Text == nil || strings.TrimSpace(*o.Text) == "" {
			return "text", empty
		}
		if len(utf16.Encode([]rune(*o.Text))) > 5000 {
			return "text", "Length must be between 0 and 5000"
		}
	case "image", "video":
		if !link(o.URL) {
			return "originalContentUrl", "Must be a URL"
		}
		if !link(o.Preview) {
			return "previewImageUrl", "Must be a URL"
		}
	case "audio":
		if !link(o.URL) {
			return "originalContentUrl", "Must be a URL"
		}
		if o.Duration == nil || *o.Duration <= 0 {
			return "duration", "Must be a positive number"
		}
	case "sticker":
		if o.Package == "" || o.Sticker == "" {
			return "packageId", empty
		}
	case "location":
		if o.Title == "" || o.Address == "" || len([]rune(o.Title)) > 100 || len([]rune(o.Address)) > 100 {
			return "title", "Length must be between 1 and 100"
		}
	case "template", "flex":
		if o.Alt == "" || len([]rune(o.Alt)) > 1500 {
			return "altText", empty
		}
	default:
		return "type", "Must be one of the following values: [text, image, video, audio, sticker, location, template, flex]"
	}
	return "", ""
}

// link takes http as well, which LINE does not: the gateway of a demo has no certificate.
func link(s string) bool {
	return len(s) <= 2000 && (strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://"))
}

// kind is the type of the first message, by which people know the call.
func (o *outgoing) kind() string {
	for _, x := range o.objects {
		if !x.unreadable {
			return x.Type
		}
	}
	return ""
}

// text is what a call says: a text, or what stands for a layout.
func (o *outgoing) text() string {
	for _, x := range o.objects {
		switch {
		case x.Text != nil:
			return *x.Text
		case x.Alt != "":
			return x.Alt
		}
	}
	return ""
}

// choices are the buttons of a call's messages that bring something back, wherever in an object they stand.
func choices(messages []json.RawMessage) (out []account.Choice) {
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case obj:
			label, _ := v["label"].(string)
			switch data, _ := v["data"].(string); v["type"] {
			case "postback":
				out = append(out, account.Choice{ID: data, Title: label})
			case "message":
				out = append(out, account.Choice{ID: label, Title: label})
			}
			for _, e := range v {
				walk(e)
			}
		}
	}
	for _, m := range messages {
		var v any
		if json.Unmarshal(m, &v) == nil {
			walk(v)
		}
	}
	return out
}
