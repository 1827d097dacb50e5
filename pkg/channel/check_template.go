package channel

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/tributaryhq/tributary/pkg/event"
)

func (r Rules) checkTemplate(out *problems, t event.Template) {
	rule := r.Send.Template
	if len(t.Name) > rule.MaxName || !matches(rule.Name, t.Name) {
		out.add("/template/name", "template_name", "a template's name on %s has 1 to %d characters of the form %s; copy it from the provider's list",
			r.Title, rule.MaxName, rule.Name)
	}
	if !matches(rule.Language, t.Language) {
		out.add("/template/language", "template_language", "give the code of the language that the template was approved in, such as en or pt_BR (%s)", rule.Language)
	}
	r.checkComponents(out, t.Components, "/template/components", true)
}

// checkComponents refuses components and parameters that a template does not have. Only a template itself has carousels, its cards do not.
func (r Rules) checkComponents(out *problems, cs []event.Component, at string, outer bool) {
	rule := r.Send.Template
	for n, c := range cs {
		at, key := fmt.Sprintf("%s/%d", at, n), c.Type
		if c.Type == "button" {
			key += ":" + c.SubType
		}
		takes, ok := rule.Components[key]
		switch {
		case !ok && c.Type == "button":
			out.add(at+"/sub_type", "template_component", "a template's button on %s is one of %s", r.Title, subTypes(rule))
			continue
		case !ok || !outer && c.Type == "carousel":
			out.add(at+"/type", "template_component", "a template on %s has no component %q here; it has %s", r.Title, c.Type, strings.Join(sorted(rule.Components), ", "))
			continue
		case c.Type == "button" && (len(c.Index) != 1 || c.Index < "0" || c.Index > "9"):
			out.add(at+"/index", "template_component", "a button's parameters need its index, 0 to 9")
		}
		for k, p := range c.Parameters {
			r.checkParameter(out, p, takes, fmt.Sprintf("%s/parameters/%d", at, k), key)
		}
		r.checkCards(out, c, at)
	}
}

func (r Rules) checkCards(out *problems, c event.Component, at string) {
	limit := r.Send.Template.MaxCards
	switch n := len(c.Cards); {
	case c.Type != "carousel" && n > 0:
		out.add(at+"/cards", "template_component", "only a carousel has cards")
	case c.Type == "carousel" && (n == 0 || n > limit):
		out.add(at+"/cards", "template_component", "a carousel has 1 to %d cards, this one has %d", limit, n)
	default:
		for k, card := range c.Cards {
			r.checkComponents(out, card.Plain(), fmt.Sprintf("%s/cards/%d/components", at, k), false)
		}
	}
}

// checkParameter refuses a parameter of a kind that its component does not take, and one without its value.
func (r Rules) checkParameter(out *problems, p event.Parameter, takes []string, at, component string) {
	if !slices.Contains(takes, p.Type) {
		out.add(at+"/type", "template_parameter", "%s of a template on %s takes parameters of the kinds %s, not %q", component, r.Title, listed(takes), p.Type)
		return
	}
	for _, v := range []struct {
		kind, field string
		given       bool
	}{
		{"text", "text", !blank(p.Text)}, {"payload", "payload", !blank(p.Payload)}, {"currency", "currency", p.Currency != nil},
		{"date_time", "date_time", p.DateTime != nil}, {"location", "location", p.Location != nil},
		{"coupon_code", "coupon_code", !blank(p.CouponCode)}, {"action", "action", p.Action != nil},
		{"limited_time_offer", "limited_time_offer", p.Offer != nil}, {"image", "attachment", p.Attachment != nil},
		{"video", "attachment", p.Attachment != nil}, {"document", "attachment", p.Attachment != nil},
	} {
		needed := v.kind == p.Type
		switch {
		case needed && !v.given:
			out.add(at+"/"+v.field, "template_parameter", "a parameter of the kind %s needs %s", p.Type, v.field)
		case !needed && v.given && v.field != fieldOf(p.Type):
			out.add(at+"/"+v.field, "template_parameter", "a parameter of the kind %s has no %s; leave it out, or give the parameter the kind %s", p.Type, v.field, v.kind)
			return
		}
	}
	r.checkValue(out, p, at)
}

// checkValue refuses values that no template takes.
func (r Rules) checkValue(out *problems, p event.Parameter, at string) {
	switch {
	case p.Currency != nil && (!matches(`^[A-Z]{3}$`, p.Currency.Code) || blank(p.Currency.Fallback)):
		out.add(at+"/currency", "template_parameter", "a currency needs an ISO 4217 code of three capitals and a fallback_value")
	case p.DateTime != nil && blank(p.DateTime.Fallback):
		out.add(at+"/date_time/fallback_value", "template_parameter", "a date_time needs a fallback_value: the time as it is shown")
	case p.Offer != nil && p.Offer.ExpirationMS <= 0:
		out.add(at+"/limited_time_offer/expiration_time_ms", "template_parameter", "an offer needs the Unix time of its end in milliseconds")
	case p.Action != nil && len(p.Action.Data) > 0 && !json.Valid(p.Action.Data):
		out.add(at+"/action/flow_action_data", "template_parameter", "want JSON")
	case p.Attachment != nil && p.Attachment.Type != "" && string(p.Attachment.Type) != p.Type:
		out.add(at+"/attachment", "media_not_supported", "a parameter of the kind %s needs a file of that kind, this is %s", p.Type, p.Attachment.Type)
	case p.Attachment != nil:
		a := *p.Attachment
		a.Type = event.MessageType(p.Type)
		r.checkMedia(out, at+"/attachment", a, "")
	}
}

// fieldOf is the field that has the value of a kind of parameter.
func fieldOf(kind string) string {
	switch kind {
	case "image", "video", "document":
		return "attachment"
	}
	return kind
}

func subTypes(rule *TemplateRule) string {
	var out []string
	for _, key := range sorted(rule.Components) {
		if sub, ok := strings.CutPrefix(key, "button:"); ok {
			out = append(out, sub)
		}
	}
	return listed(out)
}

func listed(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

// patterns are those of rules, compiled once; there are as many as the adapters declare.
var patterns sync.Map

// matches reports whether text has the form of a rule's pattern; a pattern that is not one matches nothing.
func matches(pattern, text string) bool {
	re, ok := patterns.Load(pattern)
	if !ok {
		compiled, err := regexp.Compile(pattern)
		if err != nil {
			return false
		}
		re, _ = patterns.LoadOrStore(pattern, compiled)
	}
	return re.(*regexp.Regexp).MatchString(text)
}
