package webchat

import (
	"encoding/json"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// call is what package session hands over: one frame of a browser, and what is known about who sent it.
type call struct {
	Visitor  channel.Opaque     `json:"visitor"`
	Identity string             `json:"identity"` // who the visitor has proved to be, in the page's own terms
	Peer     channel.Opaque     `json:"peer"`     // of receipts: the visitor that our message was addressed to, where it is another
	Profile  *event.Profile     `json:"profile"`
	Files    []event.Attachment `json:"files"` // those that the frame names, in their order
	Frame    json.RawMessage    `json:"frame"`
}

// frame is what a browser sends. Which fields are set follows from T; a message that comes by HTTP has none.
type frame struct {
	T        string         `json:"t"`
	ClientID channel.Opaque `json:"clientId"` // made by the browser, the same when it repeats
	TS       channel.Stamp  `json:"ts"`       // by the browser's clock
	Text     string         `json:"text"`
	ReplyTo  channel.Opaque `json:"replyTo"`

	On   *bool            `json:"on"`   // typing
	UpTo channel.Opaque   `json:"upTo"` // read
	IDs  []channel.Opaque `json:"ids"`  // delivered: said by package session, not by browsers

	URL      string `json:"url"` // page
	Title    string `json:"title"`
	Referrer string `json:"referrer"`

	Kind    string         `json:"kind"` // postback: button or list
	ID      channel.Opaque `json:"id"`
	Payload string         `json:"payload"`

	Form   string          `json:"form"` // form: pre_chat, offline …
	Fields json.RawMessage `json:"fields"`

	Name    string `json:"name"` // the offline form has its fields beside the text
	Email   string `json:"email"`
	Phone   string `json:"phone"`
	Consent *bool  `json:"consent"`
	Page    string `json:"page"`
}

// offline reports whether a message without a kind is the offline form.
func (f frame) offline() bool {
	return f.T == "" && (f.Email != "" || f.Name != "" || f.Phone != "" || f.Consent != nil)
}

// sent is what a browser gets. Its place in the mailbox, seq, is put in when it is taken there.
type sent struct {
	T           string             `json:"t"`
	ID          string             `json:"id,omitempty"`
	Author      string             `json:"author,omitempty"` // agent, bot or system
	Name        string             `json:"name,omitempty"`
	Text        string             `json:"text,omitempty"`
	Attachments []file             `json:"attachments,omitempty"`
	Location    *event.Location    `json:"location,omitempty"`
	Interactive *event.Interactive `json:"interactive,omitempty"`
	ReplyTo     string             `json:"replyTo,omitempty"`
	Quote       string             `json:"quote,omitempty"` // the beginning of what is answered
	TS          int64              `json:"ts,omitempty"`
	On          *bool              `json:"on,omitempty"`
	UpTo        string             `json:"upTo,omitempty"`
}

// file is how a browser sees an attachment: it fetches it by its id.
type file struct {
	ID   string            `json:"id"`
	Type event.MessageType `json:"type"`
	MIME string            `json:"mime,omitempty"`
	Name string            `json:"name,omitempty"`
	Size int64             `json:"size,omitempty"`
}
