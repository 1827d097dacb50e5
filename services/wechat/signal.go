package wechat

import (
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// commands are WeChat's words for our signals. What it shows ends by itself after 15 s.
var commands = map[string]string{"typing_on": "Typing", "typing_off": "CancelTyping"}

// signal renders what is no message.
func signal(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	command := commands[msg.Signal]
	if command == "" {
		return nil, nil
	}
	req := channel.PostJSON(api(ch)+"/cgi-bin/message/custom/typing", struct {
		To      string `json:"touser"`
		Command string `json:"command"`
	}{msg.Peer, command}, tagSignal)
	req.Safe = true
	return []channel.Request{req}, nil
}
