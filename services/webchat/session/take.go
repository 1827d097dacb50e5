package session

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

const (
	maxText  = 4096 // bytes
	maxID    = 100  // bytes of a clientId, and of the id of a message
	maxFiles = 10   // of one message
)

// call is what the adapter reads: one frame, and who sent it.
type call struct {
	Visitor  string             `json:"visitor"`
	Identity string             `json:"identity,omitempty"`
	Peer     string             `json:"peer,omitempty"`
	Profile  *event.Profile     `json:"profile,omitempty"`
	Files    []event.Attachment `json:"files,omitempty"`
	Frame    json.RawMessage    `json:"frame"`
}

func (v session) says(frame json.RawMessage) call {
	return call{Visitor: v.Subject, Identity: v.Identity, Profile: v.Profile, Frame: frame}
}

// incoming is what we look at in a frame of a browser; the adapter reads the rest.
type incoming struct {
	T        string   `json:"t"`
	ID       string   `json:"id"`
	ClientID string   `json:"clientId"`
	Text     string   `json:"text"`
	Title    string   `json:"title"`
	Form     string   `json:"form"`
	ReplyTo  string   `json:"replyTo"`
	FileID   string   `json:"fileId"`
	FileIDs  []string `json:"fileIds"`
	UpTo     string   `json:"upTo"`
	URL      string   `json:"url"`
	On       *bool    `json:"on"`
	Email    string   `json:"email"`
	Phone    string   `json:"phone"`

	Token   string `json:"token"` // hello
	LastSeq int64  `json:"lastSeq"`
}

// ack tells a browser that we have its message: durably, and at this place.
type ack struct {
	T         string `json:"t"`
	ClientID  string `json:"clientId"`
	ID        string `json:"id"`
	Seq       int64  `json:"seq"`
	TS        int64  `json:"ts"`
	Duplicate bool   `json:"duplicate"`
}

func read(raw []byte) (in incoming, err error) {
	if err := json.Unmarshal(raw, &in); err != nil {
		return in, fault.New(fault.Invalid, "bad_json", "a frame is a JSON object {t, …}")
	}
	return in, nil
}

// take handles one frame of a browser. What is to be answered is the ack, if there is one; a *fault.Error says what is wrong.
func (s *server) take(ctx context.Context, ch channel.Keyed, v session, in incoming, raw []byte) (*ack, error) {
	if err := s.limit.frames.Take(v.Subject); err != nil {
		return nil, err
	}
	switch in.T {
	case "message", "", "postback", "form":
		return s.message(ctx, ch, v, in, raw)
	case "typing":
	case "read":
		return nil, s.read(ctx, ch, v, in, raw)
	case "page":
		if full := s.limit.pages.Take(v.ID); in.URL == "" || fault.Is(full, fault.Throttled) { // enough is known of this visit
			return nil, nil
		}
	default:
		return nil, fault.At("/t", "bad_value", "there is no frame %.40q", in.T)
	}
	return nil, s.deliver(ctx, ch, v.says(raw))
}

// message takes what a visitor says: onto Kafka first, then into the mailbox, where the visitor's other tabs see it. A browser
// that repeats itself gets the same answer.
func (s *server) message(ctx context.Context, ch channel.Keyed, v session, in incoming, raw []byte) (*ack, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	a := &ack{T: "ack", ClientID: in.ClientID, ID: event.DeriveID("msg", ch.Tenant, ch.ID, v.Subject+":"+in.ClientID)} // as the inbox calls it
	key := ofVisitor(v.Subject, in.ClientID)
	known, looked, err := s.glance(ctx, v.mailbox(), key)
	if err != nil {
		return nil, away(err)
	}
	if known != nil {
		a.Seq, a.TS, a.Duplicate = known.Seq, known.At.UnixMilli(), true
		return a, nil
	}
	files, err := s.named(ctx, v, in)
	if err != nil {
		return nil, err
	}
	if err := s.limit.messages.Take(v.Subject); err != nil { // before the channel's: who is over their own limit costs others nothing
		return nil, err
	}
	if err := s.limit.channel.Take(ch.ID); err != nil {
		return nil, err
	}
	if err := s.send(ctx, v, files); err != nil {
		return nil, err
	}
	c := v.says(raw)
	for _, f := range files {
		c.Files = append(c.Files, f.attachment())
	}
	if err := s.deliver(ctx, ch, c); err != nil {
		return nil, err
	}
	l, again, err := s.put(ctx, ch.Tenant, key, letter{Mailbox: v.mailbox(), Via: v.via, Body: string(encode(in.shown(a.ID, files, s.Now().UnixMilli())))}, looked)
	if err != nil {
		return nil, away(err)
	}
	s.wake(ctx, l.Mailbox, nil)
	a.Seq, a.TS, a.Duplicate = l.Seq, l.At.UnixMilli(), again
	return a, nil
}

func (in incoming) check() error {
	switch {
	case in.ClientID == "" || len(in.ClientID) > maxID:
		return fault.At("/clientId", "out_of_range", "a message needs a clientId of 1 to %d bytes, the same when it is repeated", maxID)
	case len(in.Text) > maxText:
		return fault.At("/text", "too_long", "a text has at most %d bytes, this one has %d", maxText, len(in.Text))
	case len(in.ReplyTo) > maxID:
		return fault.At("/replyTo", "too_long", "an id has at most %d bytes", maxID)
	case len(in.files()) > maxFiles:
		return fault.At("/fileIds", "too_long", "a message has at most %d files", maxFiles)
	case (in.T == "message" || in.T == "") && in.Text == "" && len(in.files()) == 0 && in.Email == "" && in.Phone == "":
		return fault.At("/text", "required", "a message needs a text or a file")
	}
	return nil
}

func (in incoming) files() []string {
	if in.FileID != "" {
		return append([]string{in.FileID}, in.FileIDs...)
	}
	return in.FileIDs
}

// shown is the visitor's message as its own tabs see it.
func (in incoming) shown(id string, files []*file, ts int64) object {
	o := object{"t": "message", "id": id, "clientId": in.ClientID, "author": "visitor", "ts": ts}
	for key, text := range map[string]string{"text": in.Text, "replyTo": in.ReplyTo, "form": in.Form} {
		if text != "" {
			o[key] = text
		}
	}
	if in.Text == "" && len(files) == 0 {
		o["text"] = cmp.Or(in.Title, in.Form, "…")
	}
	var shown []object
	for _, f := range files {
		shown = append(shown, f.shown())
	}
	if shown != nil {
		o["attachments"] = shown
	}
	return o
}

// read passes on how far a visitor has read; it is said of the visitor that the message was addressed to.
func (s *server) read(ctx context.Context, ch channel.Keyed, v session, in incoming, raw []byte) error {
	if in.UpTo == "" || len(in.UpTo) > maxID {
		return fault.At("/upTo", "out_of_range", "upTo is the id of a message, of 1 to %d bytes", maxID)
	}
	c := v.says(raw)
	if v.Identity != "" {
		l, err := s.find(ctx, v.mailbox(), ofMessage(in.UpTo))
		if err != nil {
			return away(err)
		}
		if l != nil {
			c.Peer = l.Peer
		}
	}
	return s.deliver(ctx, ch, c)
}

// confirm reports our messages up to a place as delivered. It is called again at the next occasion if it fails.
func (s *server) confirm(ctx context.Context, ch channel.Keyed, v session, upTo int64) {
	err := func() error {
		ls, err := s.undelivered(ctx, v.mailbox(), upTo)
		if err != nil || len(ls) == 0 {
			return err
		}
		ids := map[string][]string{}
		for _, l := range ls {
			if l.Message != "" {
				ids[l.Peer] = append(ids[l.Peer], l.Message)
			}
		}
		for peer, of := range ids {
			c := v.says(encode(object{"t": "delivered", "ids": of}))
			c.Peer = peer
			if err := s.deliver(ctx, ch, c); err != nil {
				return err
			}
		}
		return s.reported(ctx, v.mailbox(), upTo)
	}()
	if err != nil && ctx.Err() == nil {
		s.Log.WarnContext(ctx, "deliveries are reported later", "channel", ch.ID, "error", err)
	}
}

// away says that the store did not do it, or may have: the browser repeats.
func away(err error) error {
	if fault.KindOf(err) == fault.Internal {
		return &fault.Error{Kind: fault.Unavailable, Code: "unavailable", Err: err}
	}
	return err
}

func encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("chat: %v", err)) // our own structs and valid JSON always marshal
	}
	return bytes.TrimSpace(b.Bytes())
}
