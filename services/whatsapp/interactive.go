package whatsapp

import (
	"encoding/json"

	"github.com/tributaryhq/tributary/pkg/event"
)

type outInteractive struct {
	Type   string     `json:"type"`
	Header *outHeader `json:"header,omitempty"`
	Body   *worded    `json:"body,omitempty"`
	Footer *worded    `json:"footer,omitempty"`
	Action outAction  `json:"action"`
}

type outHeader struct {
	Type     string    `json:"type"`
	Text     string    `json:"text,omitempty"`
	Image    *outMedia `json:"image,omitempty"`
	Video    *outMedia `json:"video,omitempty"`
	Document *outMedia `json:"document,omitempty"`
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

// interactivePart is a body to choose under. Its header is a text or a file.
func interactivePart(v *event.Interactive, body string, header *event.Attachment) (part, error) {
	out := &outInteractive{Body: &worded{body}}
	p := part{body: outgoing{Type: "interactive", Interactive: out}}
	switch {
	case header != nil:
		m, files, err := reference(*header, "/attachments/0")
		if err != nil {
			return part{}, err
		}
		out.Header, p.files = headed(header, m), files
	case v.Header != "":
		out.Header = &outHeader{Type: "text", Text: v.Header}
	}
	if v.Footer != "" {
		out.Footer = &worded{v.Footer}
	}
	out.choices(v)
	return p, nil
}

// headed is a header with a file of one of the kinds in headerMedia.
func headed(a *event.Attachment, m *outMedia) *outHeader {
	h := &outHeader{Type: string(a.Type)}
	switch a.Type {
	case event.Image:
		h.Image = m
	case event.Video:
		h.Video = m
	default:
		h.Document, m.Filename = m, a.Name
	}
	return h
}

func (out *outInteractive) choices(v *event.Interactive) {
	switch v.Kind {
	case "buttons":
		out.Type = "button"
		for _, b := range v.Buttons {
			out.Action.Buttons = append(out.Action.Buttons, outButton{"reply", outReply{b.ID, b.Title}})
		}
	case "list":
		out.list(v)
	case "link":
		out.Type, out.Action.Name, out.Action.Parameters = "cta_url", "cta_url", outLink{v.Button, v.URL}
	case "location_request":
		out.Type, out.Action.Name = "location_request_message", "send_location"
	case "flow":
		out.flow(v)
	}
}

func (out *outInteractive) list(v *event.Interactive) {
	out.Type, out.Action.Button = "list", v.Button
	for _, s := range v.Sections {
		sec := outSection{Title: s.Title}
		for _, r := range s.Rows {
			sec.Rows = append(sec.Rows, outRow{r.ID, r.Title, r.Description})
		}
		out.Action.Sections = append(out.Action.Sections, sec)
	}
}

func (out *outInteractive) flow(v *event.Interactive) {
	f := outFlow{Version: "3", ID: v.Flow.ID, Token: v.Flow.Token, Label: v.Button, Action: v.Flow.Action}
	if v.Flow.Screen != "" {
		f.Payload = &outFlowOne{v.Flow.Screen, v.Flow.Data}
	}
	out.Type, out.Action.Name, out.Action.Parameters = "flow", "flow", f
}
