package channel

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// length is one text of an interactive message with its limit in runes; zero means no limit.
type length struct {
	at, text string
	max      int
}

func (i Info) checkInteractive(c event.Content) error {
	v := c.Interactive
	if v == nil {
		return nil
	}
	rule, ok := i.Send.Interactive[v.Kind]
	if !ok {
		return fault.At("/interactive/kind", "interactive_not_supported", "%s takes no %q; it takes %s", i.Title, v.Kind, kinds(i.Send.Interactive))
	}
	if n := len(v.Sections); rule.MaxSections > 0 && n > rule.MaxSections {
		return fault.At("/interactive/sections", "too_many_sections", "%s takes at most %d sections, these are %d", i.Title, rule.MaxSections, n)
	}
	items, lengths := measured(v, rule)
	if rule.MaxItems > 0 && items > rule.MaxItems {
		return fault.At("/interactive", "too_many_choices", "%s takes at most %d choices in a %s, these are %d", i.Title, rule.MaxItems, v.Kind, items)
	}
	for _, l := range lengths {
		if n := utf8.RuneCountInString(l.text); l.max > 0 && n > l.max {
			return fault.At("/interactive"+l.at, "text_too_long", "%s takes at most %d characters here, these are %d", i.Title, l.max, n)
		}
	}
	return nil
}

// measured lists what of v has a limited length, and counts its choices.
func measured(v *event.Interactive, rule InteractiveRule) (items int, out []length) {
	out = append(out, length{"/header", v.Header, rule.MaxHeader}, length{"/body", v.Body, rule.MaxBody},
		length{"/footer", v.Footer, rule.MaxFooter}, length{"/button", v.Button, rule.MaxLabel})
	choice := func(at string, c event.Choice) {
		items++
		out = append(out, length{at + "/id", c.ID, rule.MaxID}, length{at + "/title", c.Title, rule.MaxTitle},
			length{at + "/description", c.Description, rule.MaxDescription})
	}
	for n, b := range v.Buttons {
		choice(fmt.Sprintf("/buttons/%d", n), b)
	}
	for n, s := range v.Sections {
		for k, r := range s.Rows {
			choice(fmt.Sprintf("/sections/%d/rows/%d", n, k), r)
		}
	}
	return items, out
}

func kinds(m map[string]InteractiveRule) string {
	if len(m) == 0 {
		return "none"
	}
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
