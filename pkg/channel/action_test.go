package channel

import (
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

func TestP8_ActionsAreRefusedByTheRules(t *testing.T) {
	t.Parallel()
	at := event.At(time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC))
	rules := Rules{Title: "Toy", RuleSet: RuleSet{Send: SendRules{
		Types: []event.MessageType{event.Text, event.InteractType}, Text: Limit{Max: 10, Unit: Runes}, Split: 2,
		Interactive: map[string]InteractiveRule{"buttons": {Needs: []string{"body"}}, "menu": {Needs: []string{"body"}}},
		Actions: map[event.ActionKind]ActionRule{
			event.ActionEdit:   {Types: []event.MessageType{event.Text, event.InteractType}, Interactive: []string{"buttons"}},
			event.ActionUnsend: {For: Duration(time.Hour)}, event.ActionPrivateReply: {},
		},
	}}}
	text := func(s string) event.Content { return event.Content{Type: event.Text, Text: s} }
	menu := event.Content{Type: event.InteractType, Interactive: &event.Interactive{Kind: "menu", Body: "x"}}
	target := func(typ event.MessageType, kind string, age time.Duration) event.Target {
		return event.Target{Type: typ, Interactive: kind, Of: 1, At: at.Add(-age)}
	}
	for name, c := range map[string]struct {
		kind          event.ActionKind
		target        event.Target
		content       event.Content
		code, pointer string
	}{
		"an edit":                           {event.ActionEdit, target(event.Text, "", time.Hour), text("x"), "", ""},
		"an edit that is too long":          {event.ActionEdit, target(event.Text, "", 0), text(strings.Repeat("x", 21)), "text_too_long", "/text"},
		"an edit into two messages":         {event.ActionEdit, target(event.Text, "", 0), text(strings.Repeat("x", 11)), "edit_changes_parts", "/text"},
		"an edit of a picture":              {event.ActionEdit, target(event.Image, "", 0), event.Content{Type: event.Image}, "action_not_for_type", ""},
		"an edit of a menu":                 {event.ActionEdit, target(event.InteractType, "menu", 0), menu, "action_not_for_type", ""},
		"an edit into a menu":               {event.ActionEdit, target(event.InteractType, "buttons", 0), menu, "action_not_for_type", "/interactive/kind"},
		"an edit to nothing":                {event.ActionEdit, target(event.Text, "", 0), text(""), "empty_message", "/text"},
		"taking back":                       {event.ActionUnsend, target(event.Image, "", time.Hour-time.Millisecond), event.Content{Type: event.Image}, "", ""},
		"taking back too late":              {event.ActionUnsend, target(event.Text, "", time.Hour), event.Content{Type: event.Text}, "action_too_late", ""},
		"hiding":                            {event.ActionHide, target(event.Text, "", 0), event.Content{Type: event.Text}, "action_not_supported", ""},
		"a kind of a later version":         {"pin", target(event.Text, "", 0), event.Content{Type: event.Text}, "action_not_supported", ""},
		"a private reply":                   {event.ActionPrivateReply, target(event.Text, "", 0), text("x"), "", ""},
		"a private reply that says nothing": {event.ActionPrivateReply, target(event.Text, "", 0), text(""), "empty_message", "/text"},
	} {
		all := rules.ActionProblems(event.Outbound{Content: c.content, Action: &event.Action{Kind: c.kind, Target: c.target}}, at.Time)
		if c.code == "" {
			if len(all) > 0 {
				t.Errorf("%s: %v", name, all[0])
			}
			continue
		}
		if len(all) == 0 || all[0].Code != c.code || all[0].Pointer != c.pointer {
			t.Errorf("%s: %v, want %s at %q", name, all, c.code, c.pointer)
			continue
		}
		if able, _ := all[0].Extra["actions"].([]string); strings.HasPrefix(c.code, "action_") && c.pointer == "" && strings.Join(able, " ") != "edit private_reply unsend" {
			t.Errorf("%s: what the channel can do instead: %v", name, able)
		}
	}
}
