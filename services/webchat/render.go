package webchat

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/url"
	"strconv"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Render turns a message into one frame for the visitor's mailbox, however many files it has: they travel as ids.
func (Adapter) Render(_ channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	if msg.Peer == "" {
		return nil, fault.At("/peer", "no_recipient", "the message has no recipient")
	}
	switch {
	case msg.Signal != "":
		return signal(msg)
	case msg.Action != nil:
		return action(msg)
	}
	c := msg.Content
	f := sent{
		T: "message", ID: external(msg), Author: author(msg.By), Text: c.Text,
		Location: c.Location, Interactive: c.Interactive, TS: msg.CreatedAt.UnixMilli(),
	}
	if msg.By.Kind == "user" || msg.By.Kind == "bot" { // the name of an API key is nothing for visitors
		f.Name = msg.By.Name
	}
	if c.ReplyTo != nil {
		f.ReplyTo, f.Quote = cmp.Or(c.ReplyTo.MessageID, c.ReplyTo.ExternalID), c.ReplyTo.Excerpt
	}
	var blobs []channel.Part
	for n, a := range c.Attachments {
		if a.Blob == "" {
			return nil, fault.At("/attachments/"+strconv.Itoa(n), "attachment_not_ready", "the file is not there (yet)")
		}
		id := cmp.Or(a.ID, external(msg)+"-"+strconv.Itoa(n))
		f.Attachments = append(f.Attachments, file{ID: id, Type: a.Type, MIME: a.MIME, Name: a.Name, Size: a.Size})
		blobs = append(blobs, channel.Part{Name: id, Blob: a.Blob, File: a.Name, MIME: a.MIME})
	}
	req, err := request(msg, tagMessage, f)
	if err != nil {
		return nil, err
	}
	req.Key = msg.AttemptID
	if len(blobs) > 0 { // the mailbox lets the visitor fetch these
		req.Form, req.Body = append([]channel.Part{{Name: partFrame, Value: string(req.Body)}}, blobs...), nil
	}
	return []channel.Request{req}, nil
}

// Tags say what a request is for, to package session too.
const (
	tagMessage = "message"
	tagAction  = "action"
	tagSignal  = "signal" // passed on to whoever looks just now

	partFrame = "frame" // the part of a form that holds the frame
)

func signal(msg event.Outbound) ([]channel.Request, error) {
	f := sent{T: "typing"}
	switch on := msg.Signal == "typing_on"; msg.Signal {
	case "read":
		if msg.InReplyTo == "" {
			return nil, nil
		}
		f = sent{T: "read", UpTo: msg.InReplyTo}
	default:
		f.On = &on
	}
	req, err := request(msg, tagSignal, f)
	req.Safe = true
	return []channel.Request{req}, err
}

func request(msg event.Outbound, tag string, f sent) (channel.Request, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(f)
	return channel.Request{
		Method: "APPEND", URL: "ws://mailbox/" + url.PathEscape(msg.Peer), Tag: tag, Body: bytes.TrimSpace(b.Bytes()),
	}, err
}

// external is the id that browsers and receipts name a message by: another one for every attempt.
func external(msg event.Outbound) string {
	if msg.Attempt <= 1 {
		return msg.MessageID
	}
	return msg.MessageID + "." + strconv.Itoa(msg.Attempt)
}

func author(by event.Actor) string {
	switch by.Kind {
	case "user", "api":
		return "agent"
	case "bot":
		return "bot"
	}
	return "system"
}
