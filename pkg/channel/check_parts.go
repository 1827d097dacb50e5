package channel

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/tributaryhq/tributary/pkg/event"
)

// part is one part of a message: how to see whether it is there and whether a channel takes it, and the refusal where it does not.
type part struct {
	name    string // as the API calls it; its pointer is a slash and the name
	in      func(event.Content) bool
	taken   func(Rules) bool
	code    string
	instead string
	beside  bool // it cannot be a message by itself
}

// parts lists every part that a message can have. Text that is the body of an interactive message is no part beside that.
var parts = []part{
	{name: "text", in: func(c event.Content) bool { _, text := InteractiveBody(c); return !blank(text) },
		taken: func(r Rules) bool { return r.takes(event.Text) || r.Send.Caption.Max > 0 },
		code:  "part_not_supported", instead: "leave the text out"},
	{name: "html", in: func(c event.Content) bool { return !blank(c.HTML) }, taken: func(r Rules) bool { return r.Send.HTML },
		code: "part_not_supported", instead: "give the text without markup"},
	{name: "subject", in: func(c event.Content) bool { return !blank(c.Subject) }, taken: func(r Rules) bool { return r.Send.Subject },
		code: "subject_not_supported", instead: "put it into the text", beside: true},
	{name: "attachments", in: func(c event.Content) bool { return len(c.Attachments) > 0 }, taken: func(r Rules) bool { return r.Send.Attachments > 0 },
		code: "part_not_supported", instead: "send them as links, with as_link"},
	{name: "sticker", in: func(c event.Content) bool { return c.Sticker != nil }, taken: func(r Rules) bool { return r.Send.StickerPackages },
		code: "part_not_supported", instead: "send a picture"},
	{name: "location", in: func(c event.Content) bool { return c.Location != nil }, taken: func(r Rules) bool { return r.takes(event.LocationType) },
		code: "part_not_supported", instead: "send the address or a link to a map in the text"},
	{name: "contacts", in: func(c event.Content) bool { return len(c.Contacts) > 0 }, taken: func(r Rules) bool { return r.takes(event.ContactsType) },
		code: "part_not_supported", instead: "write names and numbers into the text"},
	{name: "interactive", in: func(c event.Content) bool { return c.Interactive != nil }, taken: func(r Rules) bool { return r.takes(event.InteractType) },
		code: "part_not_supported", instead: "ask in the text"},
	{name: "template", in: func(c event.Content) bool { return c.Template != nil }, taken: func(r Rules) bool { return r.takes(event.TemplateType) },
		code: "part_not_supported", instead: "send the text itself"},
	{name: "reaction", in: func(c event.Content) bool { return c.Reaction != nil }, taken: func(r Rules) bool { return r.takes(event.ReactionType) },
		code: "part_not_supported", instead: "send the emoji as a text"},
	{name: "reply_to", in: func(c event.Content) bool { return c.ReplyTo != nil }, taken: func(r Rules) bool { return r.Send.ReplyTo },
		code: "reply_not_supported", instead: "send it without reply_to", beside: true},
	{name: "message_tag", in: func(c event.Content) bool { return c.MessageTag != "" },
		taken: func(r Rules) bool {
			return slices.ContainsFunc(r.Window.Outside, func(o string) bool { return strings.HasPrefix(o, "message_tag") })
		},
		code: "part_not_supported", instead: "leave the tag out", beside: true},
}

// mainParts are the parts of which a message of a type has at least one.
var mainParts = map[event.MessageType][]string{
	event.Image: {"attachments"}, event.Audio: {"attachments"}, event.Video: {"attachments"}, event.Document: {"attachments"},
	event.Sticker: {"attachments", "sticker"}, event.LocationType: {"location"}, event.ContactsType: {"contacts"},
	event.InteractType: {"interactive"}, event.TemplateType: {"template"}, event.ReactionType: {"reaction"},
}

func (r Rules) takes(t event.MessageType) bool { return slices.Contains(r.Send.Types, t) }

// checkParts refuses a type or part that the channel does not take, parts that cannot stand together, and a message without any.
func (r Rules) checkParts(out *problems, c event.Content) {
	var there []part
	alone := false
	for _, p := range parts {
		if p.in(c) {
			there, alone = append(there, p), alone || !p.beside
		}
	}
	switch {
	case !r.takes(c.Type):
		instead := ""
		if isFile(c.Type) {
			instead = orLink
		}
		out.add("/type", "type_not_supported", "%s takes no messages of type %q; it takes %s%s", r.Title, c.Type, join(r.Send.Types), instead)
	case !alone && len(c.Raw) == 0:
		out.add("/text", "empty_message", "there is nothing to send; give a text, an attachment, a template or another part")
	case len(mainParts[c.Type]) > 0 && !slices.ContainsFunc(there, func(p part) bool { return slices.Contains(mainParts[c.Type], p.name) }):
		out.add("/type", "type_mismatch", "a message of type %q has the part %s, this one has not; leave the type out, or give that part",
			c.Type, strings.Join(mainParts[c.Type], " or "))
	}
	for _, p := range there {
		if !p.taken(r) {
			out.add("/"+p.name, p.code, "%s takes no %s; %s", r.Title, p.name, p.instead)
		}
	}
	r.checkTogether(out, c, there)
}

// checkGroup refuses what a group does not get.
func (r Rules) checkGroup(out *problems, peer string, c event.Content) {
	rule := r.Send.Groups
	if rule == nil || peer == "" || matches(rule.People, peer) {
		return
	}
	refuse := func(at, what string) {
		if slices.Contains(rule.Refuses, what) {
			out.add(at, "not_in_groups", "groups on %s take no %s; write it as text, or send it to a single person", r.Title, what)
		}
	}
	for _, p := range parts {
		if p.in(c) {
			refuse("/"+p.name, p.name)
		}
	}
	if v := c.Interactive; v != nil {
		refuse("/interactive/kind", v.Kind)
		each(v, func(at string, c event.Choice) { refuse(at+"/kind", c.Kind) })
	}
}

func (r Rules) checkContacts(out *problems, c event.Content) {
	rule := r.Send.Contact
	if rule == nil || !r.takes(event.ContactsType) {
		return
	}
	for n, card := range c.Contacts {
		at := fmt.Sprintf("/contacts/%d", n)
		if slices.Contains(rule.Needs, "name") && blank(card.Name+card.First+card.Last) {
			out.add(at+"/name", "part_missing", "a contact on %s needs a name", r.Title)
		}
		if slices.Contains(rule.Needs, "phones") && len(card.Phones) == 0 {
			out.add(at+"/phones", "part_missing", "a contact on %s needs a phone number", r.Title)
		}
		if rule.MaxVCard > 0 && len(card.VCard) > rule.MaxVCard {
			out.add(at+"/vcard", "vcard_too_long", "a vCard on %s has at most %d bytes, this one has %d", r.Title, rule.MaxVCard, len(card.VCard))
		}
	}
}

// Parts returns how many calls to the provider a message becomes, each with a result of its own, if it is sent without problems.
func (r Rules) Parts(c event.Content) int {
	if r.Send.Whole {
		return 1
	}
	per := max(1, r.Send.PerCall)
	return (r.messages(c) + per - 1) / per
}

// messages returns how many messages the recipient gets, albums counted once.
func (r Rules) messages(c event.Content) int {
	if c.Template != nil || c.Reaction != nil {
		return 1
	}
	_, text := InteractiveBody(c)
	n := 0
	if !blank(text) && !r.captioned(c) {
		n += len(r.Send.Text.Split(text))
	}
	n += r.Send.albums(c.Attachments[r.Send.Inside(c):])
	for _, there := range []bool{c.Location != nil, c.Interactive != nil, c.Sticker != nil} {
		if there {
			n++
		}
	}
	if len(c.Contacts) > 0 && (r.Send.Contact == nil || !r.Send.Contact.Each) {
		return n + 1
	}
	return n + len(c.Contacts)
}

// albums returns how many messages files become: those of one album that follow each other are one.
func (r SendRules) albums(files []event.Attachment) (n int) {
	album, size := "", 0
	for _, a := range files {
		of := r.Albums[a.Type]
		if a.Animated || a.Voice || a.MIME == "image/gif" {
			of = "" // it stands alone
		}
		if of == "" || of != album || size == r.AlbumMax {
			n, size = n+1, 0
		}
		album, size = of, size+1
	}
	return n
}

// checkTogether refuses what would be dropped because of what stands beside it.
func (r Rules) checkTogether(out *problems, c event.Content, there []part) {
	for _, p := range there {
		with, limited := r.Send.Together[p.name]
		for _, q := range there {
			switch {
			case !limited || q.name == p.name || slices.Contains(with, q.name) || !q.taken(r):
			case p.name == "interactive" && q.name == "text" && r.captioned(c):
			default:
				out.add("/"+q.name, "not_together", "on %s a message with %s takes no %s; %s", r.Title, p.name, q.name, apart(p.name, q.name))
			}
		}
	}
}

// captioned reports whether the text beside the files is the caption of the first.
func (r Rules) captioned(c event.Content) bool {
	return len(c.Attachments) > 0 && r.Send.Media[c.Attachments[0].Type].Caption && r.Send.HeaderMedia(c) == nil
}

// apart is what to do instead of sending part q beside part p.
func apart(p, q string) string {
	switch {
	case p == "template" && q == "attachments":
		return "name the file in a parameter of the template's header, or send it as a message of its own"
	case p == "interactive" && q == "text":
		return "put it into interactive.body, or send it as a message of its own"
	}
	return "send it as a message of its own"
}

// InteractiveBody returns the body of an interactive message and the text that is left beside it: without a body of its own, the text is
// the body. Of any other message the body is empty.
func InteractiveBody(c event.Content) (body, text string) {
	switch {
	case c.Interactive == nil:
		return "", c.Text
	case c.Interactive.Body != "":
		return c.Interactive.Body, c.Text
	}
	return c.Text, ""
}

// Inside returns how many of the first attachments are no messages of their own but part of the interactive message: its header, or the
// pictures of its cards.
func (r SendRules) Inside(c event.Content) (n int) {
	if c.Interactive == nil {
		return 0
	}
	rule, most := r.Interactive[c.Interactive.Kind], 1
	if rule.Cards {
		most = len(c.Interactive.Sections)
	}
	for n < most && n < len(c.Attachments) && slices.Contains(rule.HeaderMedia, c.Attachments[n].Type) {
		n++
	}
	return n
}

// HeaderMedia returns the attachment that is the header of an interactive message, nil if there is none.
func (r SendRules) HeaderMedia(c event.Content) *event.Attachment {
	if c.Interactive == nil || len(c.Attachments) == 0 {
		return nil
	}
	if !slices.Contains(r.Interactive[c.Interactive.Kind].HeaderMedia, c.Attachments[0].Type) {
		return nil
	}
	return &c.Attachments[0]
}

// blank reports whether a text shows nothing: it is empty, or white space and formatting characters alone.
func blank(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r) }) < 0
}
