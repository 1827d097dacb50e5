package wechat

import (
	"strconv"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// templateMessage is a message that WeChat approved. It needs no window, and has receipts.
type templateMessage struct {
	To       string           `json:"touser"`
	Template string           `json:"template_id"`
	URL      string           `json:"url,omitempty"`
	Ref      string           `json:"client_msg_id"` // the same for every try: WeChat sends it once in ten minutes
	Data     map[string]value `json:"data"`
}

type value struct {
	Value string `json:"value"`
}

// templateRequest fills a template: the body's parameters by their names (thing1, time2 …), those without a name by their place
// (keyword1 …), and the address that the message leads to.
func templateRequest(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	t := msg.Content.Template
	m := templateMessage{To: msg.Peer, Template: t.Name, Ref: channel.RetryKey(msg.AttemptID, 0)[:32], Data: map[string]value{}}
	for _, c := range t.Components {
		for n, p := range c.Parameters {
			switch {
			case c.Type == "button":
				m.URL = p.Text
			case p.Name != "":
				m.Data[p.Name] = value{p.Text}
			default:
				m.Data["keyword"+strconv.Itoa(n+1)] = value{p.Text}
			}
		}
	}
	req := channel.PostJSON(api(ch)+"/cgi-bin/message/template/send", m, tagTemplate)
	req.Key = m.Ref
	return []channel.Request{req}, nil
}
