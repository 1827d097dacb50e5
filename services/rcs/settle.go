package rcs

import (
	"cmp"
	"fmt"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Settle reads the answer to a call. What a platform has taken is accepted: what becomes of it, its receipts tell.
func (Adapter) Settle(ch channel.Channel, msg event.Outbound, req channel.Request, resp channel.Response) (channel.Outcome, error) {
	p := of(ch)
	switch req.Tag {
	case tagSend:
		ids, err := p.sent(resp)
		if err != nil {
			return channel.Outcome{}, err
		}
		return channel.Outcome{Status: taken(ch), Refs: ids}, nil
	case tagRevoke:
		_, done := p.revoke(ch, msg.Peer, "")
		if err := done(resp); err != nil {
			return channel.Outcome{}, err
		}
		return channel.Outcome{Status: event.Sent}, nil
	case tagSignal:
		if s, ok := p.(signaller); ok {
			return channel.Outcome{Status: event.Accepted}, s.signalled(resp)
		}
	case tagCapability, tagUpload, tagReady:
		return prepared(ch, msg, req, resp)
	}
	return channel.Outcome{}, fault.New(fault.Internal, "tag_unexpected", "no call has the tag %q", req.Tag)
}

// taken is how far a message is that the platform has taken: where it tells later that it was sent, it is not yet.
func taken(ch channel.Channel) event.DeliveryStatus {
	if ch.Settings.Text("provider") == byGoogle || ch.Settings.Text("provider") == "" {
		return event.Sent
	}
	return event.Accepted
}

// prepared goes on with the part that a call has prepared.
func prepared(ch channel.Channel, msg event.Outbound, req channel.Request, resp channel.Response) (channel.Outcome, error) {
	all, err := plan(ch, msg)
	if err != nil {
		return channel.Outcome{}, fmt.Errorf("after a step: %w", err)
	}
	var s step
	if !req.ReadState(&s) || s.Part < 0 || s.Part >= len(all) || len(s.Files) > len(all[s.Part].files()) {
		return channel.Outcome{}, fault.New(fault.Internal, "step_unexpected", "the message has no such step")
	}
	m := all[s.Part]
	if req.Tag == tagCapability {
		c, ok := of(ch).(capable)
		if !ok {
			return channel.Outcome{}, fault.New(fault.Internal, "step_unexpected", "the platform tells nothing of phones")
		}
		if err := c.reaches(resp, m.message); err != nil {
			return channel.Outcome{}, err
		}
		s.Asked = true
		return channel.Outcome{Next: []channel.Request{next(m, s)}}, nil
	}
	u, ok := of(ch).(uploader)
	if !ok || len(s.Files) == len(m.files()) {
		return channel.Outcome{}, fault.New(fault.Internal, "step_unexpected", "the message has no such upload")
	}
	file, err := u.uploaded(resp)
	switch {
	case err != nil:
		return channel.Outcome{}, err
	case file.URL == "" && file.Name == "":
		s.Open = file.ID
	default:
		a := m.files()[len(s.Files)]
		file.MIME, file.Size = cmp.Or(file.MIME, a.MIME), cmp.Or(file.Size, a.Size)
		if file.Name == "" {
			file.Name = a.Name
		}
		s.Files, s.Open = append(s.Files, file), ""
	}
	return channel.Outcome{Next: []channel.Request{next(m, s)}}, nil
}
