package whatsapp

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// The limits that Meta checks before it accepts a message, in characters.
const (
	maxText    = 4096
	maxCaption = 1024
	maxBody    = 1024
	maxButton  = 20
	maxRow     = 24
)

// check refuses what Meta refuses at once; ok is true for the rest.
func (p *Provider) check(a *account.Account, o *outgoing) (no stage.Answer, ok bool) {
	peer := o.peer()
	switch {
	case o.Product != "whatsapp":
		return refusal(100, "The parameter messaging_product is required and must be whatsapp."), false
	case peer == "":
		return refusal(100, "The parameter to is required."), false
	case o.RecipientType != "group" && !number(peer) && !scoped(peer):
		return refusal(131009, "The recipient is neither a phone number nor a user id."), false
	case account.Bare(a.Config().Display) == peer:
		return refusal(131021, ""), false
	case len(o.ClientRef) > 512:
		return refusal(131009, "biz_opaque_callback_data may have at most 512 characters."), false
	}
	why, code := p.wrong(a, o)
	if code != 0 {
		return refusal(code, why), false
	}
	return stage.Answer{}, true
}

// wrong says what is wrong with the content; code 0: nothing.
func (p *Provider) wrong(a *account.Account, o *outgoing) (why string, code int) {
	switch o.Type {
	case "text":
		if o.Text == nil || o.Text.Body == "" {
			return "The parameter text['body'] is required.", 100
		}
		return tooLong("text['body']", o.Text.Body, maxText)
	case "image", "video", "audio", "document", "sticker":
		return p.wrongFile(a, o.Type, o.file())
	case "interactive":
		return o.Interactive.wrong()
	case "template":
		if o.Template == nil || o.Template.Name == "" || o.Template.Language.Code == "" {
			return "The parameters template['name'] and template['language']['code'] are required.", 131008
		}
	case "reaction":
		if o.Reaction == nil || o.Reaction.MessageID == "" {
			return "The parameter reaction['message_id'] is required.", 131008
		}
	case "location":
		if o.Location == nil {
			return "The parameter location is required.", 131008
		}
	case "contacts":
		if len(o.Contacts) == 0 {
			return "The parameter contacts is required.", 131008
		}
	default:
		return "Param type must be one of {AUDIO, CONTACTS, DOCUMENT, IMAGE, INTERACTIVE, LOCATION, REACTION, STICKER, TEMPLATE, TEXT, VIDEO}.", 100
	}
	return "", 0
}

func (p *Provider) wrongFile(a *account.Account, kind string, f *file) (string, int) {
	switch {
	case f == nil || f.ID == "" && f.Link == "":
		return fmt.Sprintf("%s['id'] or %s['link'] is required.", kind, kind), 131008
	case f.ID != "" && p.Files.File(a, f.ID) == nil:
		return "There is no media with that id.", 131009
	case f.Link != "" && !strings.HasPrefix(f.Link, "https://") && !strings.HasPrefix(f.Link, "http://"):
		return "The link is no URL.", 131009
	case f.Caption != "" && (kind == "audio" || kind == "sticker"):
		return kind + " takes no caption.", 131009
	}
	return tooLong(kind+"['caption']", f.Caption, maxCaption)
}

func (i *interactive) wrong() (string, int) {
	if i == nil || i.Type == "" {
		return "The parameter interactive['type'] is required.", 131008
	}
	choices, most, title := i.choices(), 10, maxRow
	if i.Type == "button" {
		most, title = 3, maxButton
	}
	if (i.Type == "button" || i.Type == "list") && (len(choices) == 0 || len(choices) > most) {
		return fmt.Sprintf("Between 1 and %d choices are allowed.", most), 131009
	}
	seen := []string{}
	for _, c := range choices {
		switch {
		case c.ID == "" || c.Title == "" || utf8.RuneCountInString(c.Title) > title:
			return fmt.Sprintf("A choice needs an id, and a title of 1 to %d characters.", title), 131009
		case slices.Contains(seen, c.ID):
			return "The ids of choices must differ.", 131009
		}
		seen = append(seen, c.ID)
	}
	if i.Body.Text == "" {
		return "The parameter interactive['body']['text'] is required.", 131008
	}
	return tooLong("interactive['body']['text']", i.Body.Text, maxBody)
}

func tooLong(name, text string, most int) (string, int) {
	if n := utf8.RuneCountInString(text); n > most {
		return fmt.Sprintf("Param %s must be at most %d characters long.", name, most), 100
	}
	return "", 0
}

func number(s string) bool {
	return len(s) >= 7 && len(s) <= 15 && strings.Trim(s, "0123456789") == ""
}

// scoped reports whether s looks like a business-scoped user id: a country, a dot, letters and digits.
func scoped(s string) bool {
	country, rest, ok := strings.Cut(s, ".")
	return ok && len(country) == 2 && rest != "" && len(rest) <= 140
}
