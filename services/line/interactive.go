package line

import (
	"cmp"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// altLength is how much of a message shows where choices cannot be drawn: notifications, lists of chats.
const altLength = 400

// action is what a button does.
type action struct {
	Type  string `json:"type"` // postback, message, uri or location
	Label string `json:"label"`
	Data  string `json:"data,omitempty"`
	Shown string `json:"displayText,omitempty"` // what the user seems to have written
	Text  string `json:"text,omitempty"`
	URI   string `json:"uri,omitempty"`
}

// chosen sends a choice's id back as a postback and shows its title as the user's words, or opens its link.
func chosen(c event.Choice) action {
	if c.URL != "" {
		return action{Type: "uri", Label: c.Title, URI: c.URL}
	}
	return action{Type: "postback", Label: c.Title, Data: c.ID, Shown: c.Title}
}

type quickReply struct {
	Items []quickItem `json:"items"`
}

type quickItem struct {
	Type   string `json:"type"`
	Action action `json:"action"`
}

// template is a message in one of LINE's fixed layouts.
type template struct {
	Type string `json:"type"`
	Alt  string `json:"altText"`
	Body layout `json:"template"`
}

type layout struct {
	Type    string   `json:"type"`
	Title   string   `json:"title,omitempty"`
	Text    string   `json:"text"`
	Actions []action `json:"actions"`
}

// interactiveObject draws a message whose parts the table of the channel has checked.
func interactiveObject(v event.Interactive) (any, error) {
	switch v.Kind {
	case "buttons":
		return buttons(v, actionsOf(v.Buttons))
	case "link":
		return buttons(v, []action{{Type: "uri", Label: v.Button, URI: v.URL}})
	case "list":
		return listBubble(v), nil
	case "location_request":
		return textObject{Type: "text", Text: whole(v), Quick: &quickReply{Items: []quickItem{
			{Type: "action", Action: action{Type: "location", Label: cmp.Or(v.Button, "Location")}},
		}}}, nil
	}
	q := &quickReply{}
	for _, c := range v.Buttons {
		q.Items = append(q.Items, quickItem{Type: "action", Action: action{Type: "message", Label: c.Title, Text: c.Title}})
	}
	return textObject{Type: "text", Text: whole(v), Quick: q}, nil
}

func actionsOf(choices []event.Choice) []action {
	out := make([]action, len(choices))
	for n, c := range choices {
		out[n] = chosen(c)
	}
	return out
}

// How long the text of a button template may be, below a title and without one.
const titled, untitled = 60, 160

// buttons is a button template. It has no footer: that becomes a line of the text. A text too long to stand below a title takes
// the title into itself.
func buttons(v event.Interactive, actions []action) (any, error) {
	text := v.Body
	if v.Footer != "" {
		text += "\n" + v.Footer
	}
	title := v.Header
	if title != "" && len(cut(text, titled)) < len(text) {
		title, text = "", title+"\n"+text
	}
	if n := channel.UTF16.Len(text); n > untitled {
		return nil, fault.At("/interactive/body", channel.CodeTextTooLong, "header, body and footer together have at most %d characters on LINE, these have %d", untitled, n)
	}
	return template{Type: "template", Alt: cut(v.Body, altLength), Body: layout{Type: "buttons", Title: title, Text: text, Actions: actions}}, nil
}

// whole is header, body and footer as one text.
func whole(v event.Interactive) string {
	var lines []string
	for _, s := range []string{v.Header, v.Body, v.Footer} {
		if s != "" {
			lines = append(lines, s)
		}
	}
	return strings.Join(lines, "\n\n")
}

// flex is a message in LINE's free layout.
type flex struct {
	Type     string `json:"type"`
	Alt      string `json:"altText"`
	Contents bubble `json:"contents"`
}

type bubble struct {
	Type   string `json:"type"`
	Header *box   `json:"header,omitempty"`
	Body   *box   `json:"body"`
	Footer *box   `json:"footer,omitempty"`
}

type box struct {
	Type     string `json:"type"`
	Layout   string `json:"layout"`
	Spacing  string `json:"spacing,omitempty"`
	Contents []any  `json:"contents"`
}

type flexText struct {
	Type   string `json:"type"`
	Text   string `json:"text"`
	Weight string `json:"weight,omitempty"`
	Size   string `json:"size,omitempty"`
	Color  string `json:"color,omitempty"`
	Wrap   bool   `json:"wrap"`
}

type flexButton struct {
	Type   string `json:"type"`
	Style  string `json:"style"`
	Height string `json:"height"`
	Action action `json:"action"`
}

// quiet is the colour of what stands beside the matter.
const quiet = "#8c8c8c"

// listBubble is a list as a bubble: LINE has none of its own that opens.
func listBubble(v event.Interactive) any {
	body := box{Type: "box", Layout: "vertical", Spacing: "md", Contents: []any{flexText{Type: "text", Text: v.Body, Wrap: true}}}
	for _, s := range v.Sections {
		if s.Title != "" {
			body.Contents = append(body.Contents, flexText{Type: "text", Text: s.Title, Weight: "bold", Wrap: true})
		}
		for m, a := range actionsOf(s.Rows) {
			body.Contents = append(body.Contents, flexButton{Type: "button", Style: "secondary", Height: "sm", Action: a})
			if d := s.Rows[m].Description; d != "" {
				body.Contents = append(body.Contents, flexText{Type: "text", Text: d, Size: "sm", Color: quiet, Wrap: true})
			}
		}
	}
	b := bubble{Type: "bubble", Body: &body}
	if v.Header != "" {
		b.Header = &box{Type: "box", Layout: "vertical", Contents: []any{flexText{Type: "text", Text: v.Header, Weight: "bold", Size: "lg", Wrap: true}}}
	}
	if v.Footer != "" {
		b.Footer = &box{Type: "box", Layout: "vertical", Contents: []any{flexText{Type: "text", Text: v.Footer, Size: "sm", Color: quiet, Wrap: true}}}
	}
	return flex{Type: "flex", Alt: cut(v.Body, altLength), Contents: b}
}
