package rcs

import (
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Tags say what a request is for.
const (
	tagSend       = "send"
	tagUpload     = "upload"
	tagReady      = "upload ready"
	tagCapability = "capability"
	tagSignal     = "signal"
	tagRevoke     = "revoke"
	tagToken      = "token"
	tagFile       = "file"
)

// step is how far a part has got: the phone was asked, and so many of its files are at the platform.
type step struct {
	Part  int      `json:"part"`
	Asked bool     `json:"asked,omitempty"`
	Files []stored `json:"files,omitempty"`
	Open  string   `json:"open,omitempty"` // the id of a file that the platform is still reading
}

// again is how long to wait before asking once more about such a file.
const again = 2 * time.Second

// Render turns a message into those of the platform. Each begins with what it needs: a look at the phone, uploads.
func (Adapter) Render(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	switch {
	case msg.Signal != "":
		return signal(ch, msg), nil
	case msg.Action != nil:
		return action(ch, msg)
	case msg.Peer == "":
		return nil, fault.At("/peer", "no_recipient", "the message has no recipient")
	}
	all, err := plan(ch, msg)
	if err != nil {
		return nil, err
	}
	if err := lasting(ch, msg.Content.Attachments); err != nil {
		return nil, err
	}
	out := make([]channel.Request, len(all))
	for n, m := range all {
		out[n] = next(m, step{Part: n})
	}
	return out, nil
}

// next is the call after what is done already.
func next(m outgoing, s step) channel.Request {
	p := of(m.ch)
	if c, ok := p.(capable); ok && !s.Asked && m.ch.Settings.Bool("capability_check") {
		req := c.capabilities(m.ch, m.peer)
		req.Tag, req.State, req.Safe = tagCapability, channel.State(s), true
		return req
	}
	if u, ok := p.(uploader); ok {
		if s.Open != "" {
			req := u.ready(m.ch, s.Open)
			req.Tag, req.State, req.Safe, req.After = tagReady, channel.State(s), true, again
			return req
		}
		if files := m.files(); len(s.Files) < len(files) {
			req := u.upload(m.ch, files[len(s.Files)], m.msg.CreatedAt)
			req.Tag, req.State, req.Safe = tagUpload, channel.State(s), true
			return req
		}
	}
	req := p.send(m, s.Files)
	req.Tag = tagSend
	return req
}

// lasting refuses what plays longer than the Chinese platforms take.
func lasting(ch channel.Channel, files []event.Attachment) error {
	if p := ch.Settings.Text("provider"); p != byCTCU && p != byCMCC {
		return nil
	}
	longest := map[event.MessageType]int64{event.Audio: 90, event.Video: 60}
	for n, a := range files {
		if most, ok := longest[a.Type]; ok && a.DurationMs > most*1000 {
			return fault.At(fmt.Sprintf("/attachments/%d", n), "media_too_long", "%s on this platform lasts %d s at most, this one lasts %d s", a.Type, most, a.DurationMs/1000)
		}
	}
	return nil
}

// signal renders what is no message.
func signal(ch channel.Channel, msg event.Outbound) []channel.Request {
	s, ok := of(ch).(signaller)
	if !ok || msg.Signal == "read" && msg.InReplyTo == "" {
		return nil
	}
	req := s.signal(ch, msg)
	if req == nil {
		return nil
	}
	req.Tag, req.Safe = tagSignal, true
	return []channel.Request{*req}
}

// action takes back what was sent, part by part, where it has not arrived.
func action(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	if msg.Action.Kind != event.ActionUnsend || msg.Action.Target.Part(0) == "" {
		return nil, fault.New(fault.Invalid, "target_missing", "the message has no id on the platform")
	}
	var out []channel.Request
	for _, p := range msg.Action.Target.Parts {
		if len(p.ExternalIDs) == 0 {
			continue
		}
		req, _ := of(ch).revoke(ch, msg.Peer, p.ExternalIDs[0])
		req.Tag, req.Safe = tagRevoke, true
		out = append(out, req)
	}
	return out, nil
}
