package sms

import (
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Render turns a message into the one call that sends it: the provider cuts a long text into parts, and people get it whole.
func (Adapter) Render(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	switch {
	case msg.Signal != "":
		return nil, nil
	case msg.Peer == "":
		return nil, fault.At("/peer", "no_recipient", "the message has no recipient")
	case strings.TrimSpace(msg.Content.Text) == "" && len(msg.Content.Attachments) == 0:
		return nil, fault.At("/text", "empty_message", "there is nothing to send")
	}
	for n, a := range msg.Content.Attachments {
		if a.Blob == "" {
			return nil, fault.At(pointer(n), "attachment_not_ready", "the file is not in the blob store")
		}
	}
	req, err := of(ch).send(ch, msg)
	if err != nil {
		return nil, err
	}
	return []channel.Request{req}, nil
}

// callback is our URL for what becomes of a message. The reference in it names the message even before the provider's answer has come.
func callback(ch channel.Channel, msg event.Outbound) string {
	return ch.WebhookURL + "?ref=" + channel.ClientRef(msg.AttemptID, 0)
}

func pointer(n int) string { return "/attachments/" + strconv.Itoa(n) }
