package channel

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/pkg/event"
)

// choiceNeeds says what a button or row of a kind needs. An id that a kind has no use for is accepted.
var choiceNeeds = map[string][]string{
	"reply": {"id", "title"}, "url": {"url", "title"}, "web_app": {"url", "title"}, "text": {"title"},
	"contact_request": {"title"}, "location_request": {"title"},
	"dial": {"phone", "title"}, "location": {"location", "title"}, "calendar": {"event", "title"},
}

// interactiveField is one thing that an interactive message can have: its name in the API, where it is, and its text.
type interactiveField struct{ name, at, text string }

func (r Rules) checkInteractive(out *problems, c event.Content) {
	v := c.Interactive
	rule, ok := r.Send.Interactive[v.Kind]
	if !ok {
		out.add("/interactive/kind", "interactive_not_supported", "%s takes no %q; it takes %s", r.Title, v.Kind, listed(sorted(r.Send.Interactive)))
		return
	}
	r.checkFields(out, c, rule)
	r.checkChoices(out, v, rule)
	switch n := len(v.Sections); {
	case rule.MaxSections > 0 && n > rule.MaxSections:
		out.add("/interactive/sections", "too_many_sections", "%s takes at most %d sections, these are %d", r.Title, rule.MaxSections, n)
	case n > 0 && n < rule.MinSections:
		out.add("/interactive/sections", "part_missing", "an interactive message of kind %s on %s has at least %d sections", v.Kind, r.Title, rule.MinSections)
	}
	for n, s := range v.Sections {
		at := fmt.Sprintf("/interactive/sections/%d", n)
		if len(s.Rows) == 0 && !rule.Cards {
			out.add(at+"/rows", "part_missing", "a section has at least one row; leave the section out")
		}
		if rule.MaxRows > 0 && len(s.Rows) > rule.MaxRows {
			out.add(at+"/rows", "too_many_choices", "%s takes at most %d choices in a section, these are %d", r.Title, rule.MaxRows, len(s.Rows))
		}
		r.checkLength(out, at+"/description", s.Description, Limit{rule.MaxSectionText, Runes})
		if rule.MaxSectionTitle > 0 && len(v.Sections) > 1 && blank(s.Title) {
			out.add(at+"/title", "part_missing", "every section of several has a title on %s", r.Title)
		}
		r.checkLength(out, at+"/title", s.Title, Limit{rule.MaxSectionTitle, Runes})
	}
	if v.Flow != nil && blank(v.Flow.ID) && slices.Contains(rule.Needs, "flow") {
		out.add("/interactive/flow/id", "part_missing", "a flow needs the id that it was published under")
	}
	if !blank(v.URL) && !linked(v.URL, "http", "https") {
		out.add("/interactive/url", "bad_url", "want a whole address that begins with https:// or http://")
	}
}

// checkFields refuses fields that a kind does not have on the channel or lacks, and those that are too long.
func (r Rules) checkFields(out *problems, c event.Content, rule InteractiveRule) {
	v := c.Interactive
	body, _ := InteractiveBody(c)
	have := []interactiveField{
		{"header", "/interactive/header", v.Header}, {"body", "/interactive/body", body}, {"footer", "/interactive/footer", v.Footer},
		{"button", "/interactive/button", v.Button}, {"url", "/interactive/url", v.URL},
		{"buttons", "/interactive/buttons", mark(len(v.Buttons) > 0)}, {"sections", "/interactive/sections", mark(len(v.Sections) > 0)},
		{"flow", "/interactive/flow", mark(v.Flow != nil)},
	}
	for n, s := range v.Sections {
		have = append(have, interactiveField{"section_title", fmt.Sprintf("/interactive/sections/%d/title", n), s.Title})
		if s.Description != "" {
			have = append(have, interactiveField{"section_description", fmt.Sprintf("/interactive/sections/%d/description", n), s.Description})
		}
	}
	each(v, func(at string, ch event.Choice) {
		have = append(have, interactiveField{"description", at + "/description", ch.Description})
	})
	if v.Body == "" && body != "" {
		have[1].at = "/text"
	}
	limits := map[string]int{"header": rule.MaxHeader, "body": rule.MaxBody, "footer": rule.MaxFooter, "button": rule.MaxLabel, "description": rule.MaxDescription}
	stated := len(rule.Needs)+len(rule.Takes) > 0 // a service of an earlier version announces neither
	for _, f := range have {
		switch needed := slices.Contains(rule.Needs, f.name); {
		case blank(f.text) && needed:
			out.add(f.at, "part_missing", "an interactive message of kind %s on %s needs %s", v.Kind, r.Title, f.name)
		case !blank(f.text) && stated && !needed && !slices.Contains(rule.Takes, f.name):
			out.add(f.at, "part_not_taken", "an interactive message of kind %s on %s has no %s; it has %s", v.Kind, r.Title, f.name, strings.Join(slices.Concat(rule.Needs, rule.Takes), ", "))
		default:
			r.checkLength(out, f.at, f.text, Limit{limits[f.name], Runes})
		}
	}
	if r.Send.HeaderMedia(c) != nil && !rule.Titled && !blank(v.Header) {
		out.add("/interactive/header", "not_together", "the first attachment is the header on %s; put this text into the body", r.Title)
	}
}

// checkChoices refuses buttons and rows that are too many, incomplete, of a kind that the channel does not show, or named twice.
func (r Rules) checkChoices(out *problems, v *event.Interactive, rule InteractiveRule) {
	seen, items := map[string]bool{}, 0
	each(v, func(at string, c event.Choice) {
		items++
		kind := choiceKind(c, rule)
		if len(rule.Choices) > 0 && !slices.Contains(rule.Choices, kind) {
			out.add(at+"/kind", "choice_not_supported", "an interactive message of kind %s on %s has no choices of kind %q; it has %s", v.Kind, r.Title, kind, strings.Join(rule.Choices, ", "))
			return
		}
		values := map[string]string{"id": c.ID, "title": c.Title, "url": c.URL, "phone": c.Phone, "location": mark(c.Location != nil), "event": mark(c.Event != nil)}
		for _, name := range choiceNeeds[kind] {
			if len(rule.Choices) > 0 && blank(values[name]) {
				out.add(at+"/"+name, "part_missing", "a choice of kind %q needs %s", kind, name)
			}
		}
		if c.URL != "" && (kind == "web_app" && !linked(c.URL, "https") || kind == "url" && !linked(c.URL, "http", "https", "tg")) {
			out.add(at+"/url", "bad_url", "want a whole address that begins with https://")
		}
		if c.URL != "" && kind != "url" && kind != "web_app" {
			out.add(at+"/url", "part_not_taken", "a choice of kind %q opens no page; give it the kind url", kind)
		}
		for _, name := range []string{"phone", "location", "event"} {
			if values[name] != "" && !slices.Contains(choiceNeeds[kind], name) {
				out.add(at+"/"+name, "part_not_taken", "a choice of kind %q has no %s", kind, name)
			}
		}
		if c.Phone != "" && kind == "dial" && !matches(`^\+[1-9][0-9]{4,14}$`, c.Phone) {
			out.add(at+"/phone", "bad_format", "want a phone number with + and its country code, without spaces")
		}
		if e := c.Event; e != nil && kind == "calendar" && (e.Start.IsZero() || !e.End.After(e.Start)) {
			out.add(at+"/event/end", "out_of_range", "want a time after the start")
		}
		if c.ID != "" && kind == "reply" && seen[c.ID] {
			out.add(at+"/id", "duplicate_id", "another choice has the id %q: what is picked could not be told apart", c.ID)
		}
		seen[c.ID] = seen[c.ID] || kind == "reply"
		r.checkLength(out, at+"/id", c.ID, Limit{rule.MaxID, rule.IDUnit})
		r.checkLength(out, at+"/title", c.Title, Limit{rule.MaxTitle, rule.TitleUnit})
	})
	if rule.MaxItems > 0 && items > rule.MaxItems {
		out.add("/interactive", "too_many_choices", "%s takes at most %d choices in an interactive message of kind %s, these are %d", r.Title, rule.MaxItems, v.Kind, items)
	}
}

func (r Rules) checkLength(out *problems, at, text string, limit Limit) {
	if limit.Unit == "" {
		limit.Unit = Runes
	}
	if limit.Over(text) > 0 {
		out.add(at, "text_too_long", "%s takes at most %d %s here, these are %d", r.Title, limit.Max, limit.Unit.words(), limit.Unit.Len(text))
	}
}

// choiceKind returns what a choice does: what it says, or opens its page, or what the first kind of the rule does.
func choiceKind(c event.Choice, rule InteractiveRule) string {
	switch {
	case c.Kind != "":
		return c.Kind
	case c.URL != "":
		return "url"
	case len(rule.Choices) > 0:
		return rule.Choices[0]
	}
	return "reply"
}

// each calls f with every button and row, and its pointer.
func each(v *event.Interactive, f func(at string, c event.Choice)) {
	for n, b := range v.Buttons {
		f(fmt.Sprintf("/interactive/buttons/%d", n), b)
	}
	for n, s := range v.Sections {
		for k, row := range s.Rows {
			f(fmt.Sprintf("/interactive/sections/%d/rows/%d", n, k), row)
		}
	}
}

// mark is the text that stands for a field which is a list or an object: blank if there is nothing in it.
func mark(there bool) string {
	if there {
		return "+"
	}
	return ""
}

// linked reports whether text is a whole URL of one of these schemes.
func linked(text string, schemes ...string) bool {
	u, err := url.Parse(text)
	return err == nil && slices.Contains(schemes, u.Scheme) && (u.Host != "" || u.Scheme == "tg")
}
