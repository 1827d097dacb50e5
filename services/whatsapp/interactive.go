package whatsapp

import (
	"cmp"
	"encoding/json"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

type outInteractive struct {
	Type   string     `json:"type"`
	Header *outHeader `json:"header,omitempty"`
	Body   *worded    `json:"body,omitempty"`
	Footer *worded    `json:"footer,omitempty"`
	Action outAction  `json:"action"`
}

type outHeader struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type worded struct {
	Text string `json:"text"`
}

type outAction struct {
	Name       string       `json:"name,omitempty"`
	Button     string       `json:"button,omitempty"`
	Buttons    []outButton  `json:"buttons,omitempty"`
	Sections   []outSection `json:"sections,omitempty"`
	Parameters any          `json:"parameters,omitempty"`
}

type outButton struct {
	Type  string   `json:"type"`
	Reply outReply `json:"reply"`
}

type outReply struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

type outSection struct {
	Title string   `json:"title,omitempty"`
	Rows  []outRow `json:"rows"`
}

type outRow struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
}

type outLink struct {
	Text string `json:"display_text"`
	URL  string `json:"url"`
}

type outFlow struct {
	Version string      `json:"flow_message_version"`
	ID      string      `json:"flow_id"`
	Token   string      `json:"flow_token,omitempty"`
	Label   string      `json:"flow_cta"`
	Action  string      `json:"flow_action,omitempty"`
	Payload *outFlowOne `json:"flow_action_payload,omitempty"`
}

type outFlowOne struct {
	Screen string          `json:"screen"`
	Data   json.RawMessage `json:"data,omitempty"`
}

// interactivePart is a body to choose under; text stands in for a body that was left out.
func interactivePart(v *event.Interactive, text string) (part, error) {
	out := &outInteractive{Body: &worded{cmp.Or(v.Body, text)}}
	if out.Body.Text == "" {
		return part{}, fault.At("/interactive/body", "body_missing", "WhatsApp shows no interactive message without a body")
	}
	if v.Header != "" {
		out.Header = &outHeader{"text", v.Header}
	}
	if v.Footer != "" {
		out.Footer = &worded{v.Footer}
	}
	return part{body: outgoing{Type: "interactive", Interactive: out}}, out.choices(v)
}

func (out *outInteractive) choices(v *event.Interactive) error {
	switch v.Kind {
	case "buttons":
		out.Type = "button"
		for _, b := range v.Buttons {
			out.Action.Buttons = append(out.Action.Buttons, outButton{"reply", outReply{b.ID, b.Title}})
		}
		if len(v.Buttons) == 0 {
			return fault.At("/interactive/buttons", "choices_missing", "give 1 to 3 buttons")
		}
	case "list":
		return out.list(v)
	case "link":
		out.Type = "cta_url"
		if v.URL == "" || v.Button == "" {
			return fault.At("/interactive/url", "link_incomplete", "a link needs a url and the text of its button")
		}
		out.Action.Name, out.Action.Parameters = "cta_url", outLink{v.Button, v.URL}
	case "location_request":
		out.Type, out.Action.Name = "location_request_message", "send_location"
	case "flow":
		return out.flow(v)
	}
	return nil
}

func (out *outInteractive) list(v *event.Interactive) error {
	out.Type, out.Action.Button = "list", v.Button
	for _, s := range v.Sections {
		sec := outSection{Title: s.Title}
		for _, r := range s.Rows {
			sec.Rows = append(sec.Rows, outRow{r.ID, r.Title, r.Description})
		}
		out.Action.Sections = append(out.Action.Sections, sec)
	}
	if v.Button == "" || len(v.Sections) == 0 {
		return fault.At("/interactive/sections", "choices_missing", "a list needs sections with rows, and the text of the button that opens it")
	}
	return nil
}

func (out *outInteractive) flow(v *event.Interactive) error {
	if v.Flow == nil || v.Flow.ID == "" || v.Button == "" {
		return fault.At("/interactive/flow", "flow_incomplete", "a flow needs its id and the text of its button")
	}
	f := outFlow{Version: "3", ID: v.Flow.ID, Token: v.Flow.Token, Label: v.Button, Action: v.Flow.Action}
	if v.Flow.Screen != "" {
		f.Payload = &outFlowOne{v.Flow.Screen, v.Flow.Data}
	}
	out.Type, out.Action.Name, out.Action.Parameters = "flow", "flow", f
	return nil
}
