package channel

import (
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// family is a type with channels at its provider's server, at one of their own, and at one in local mode.
var family = func() Info {
	i := sample
	i.Settings = []Field{{Key: "server", Default: "cloud"}, {Key: "base"}}
	i.Inbound.MaxMedia, i.Send.Timeout, i.Send.Upload = 20<<20, Duration(time.Minute), 0
	local := i.RuleSet
	local.Send.Media = map[event.MessageType]MediaRule{event.Video: {MaxBytes: 2000 << 20}}
	local.Send.Upload = Duration(4 * time.Minute)
	i.Variants = []Variant{
		{When: map[string]string{"server": "local", "base": "*"}, MaxMedia: 2000 << 20, RuleSet: local},
		{When: map[string]string{"base": "*"}, RuleSet: i.RuleSet},
	}
	return i
}()

func TestRulesFollowFromSettings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings Settings
		variant  int
		maxMedia int64
		upload   time.Duration
	}{
		"none":                 {nil, -1, 20 << 20, 100 * time.Second},
		"the default":          {Settings{"server": "cloud"}, -1, 20 << 20, 100 * time.Second},
		"one of two":           {Settings{"server": "local"}, -1, 20 << 20, 100 * time.Second},
		"both":                 {Settings{"server": "local", "base": "http://x"}, 0, 2000 << 20, 5 * time.Minute},
		"a later variant":      {Settings{"base": "http://x"}, 1, 20 << 20, 100 * time.Second},
		"an unknown value":     {Settings{"server": "other"}, -1, 20 << 20, 100 * time.Second},
		"the value of another": {Settings{"server": "*"}, -1, 20 << 20, 100 * time.Second},
	} {
		rules := family.For(c.settings)
		upload := rules.Send.CallTime(true, time.Hour, 40*time.Second)
		if got := family.Variant(c.settings); got != c.variant || rules.MaxMedia != c.maxMedia || upload != c.upload {
			t.Errorf("%s: variant %d, files of %d bytes, uploads of %s", name, got, rules.MaxMedia, upload)
		}
		if text := rules.Send.CallTime(false, time.Hour, 40*time.Second); text != time.Minute {
			t.Errorf("%s: a call without files may take %s", name, text)
		}
	}
	if got := family.LongestCall(20*time.Second, 40*time.Second); got != 5*time.Minute {
		t.Errorf("the longest call takes %s", got)
	}
	if got := (Info{}).LongestCall(20*time.Second, 40*time.Second); got != time.Minute {
		t.Errorf("where no rule says, the longest call takes %s", got)
	}
}

// TestTheTableShowsWhatVariantsChange, and nothing that they do not.
func TestTheTableShowsWhatVariantsChange(t *testing.T) {
	t.Parallel()
	table := Table(family)
	for _, want := range []string{
		"| · video, if base is set and server is local | up to 2000 MiB |\n",
		"| Media is kept | files up to 20 MiB are fetched |\n",
		"| Media is kept, if base is set and server is local | files up to 2000 MiB are fetched |\n",
	} {
		if !strings.Contains(table, want) {
			t.Errorf("no %q in\n%s", want, table)
		}
	}
	if strings.Contains(table, ", if base is set |") || strings.Contains(table, "Text, if") {
		t.Errorf("rows that are as the type's:\n%s", table)
	}
}

// Below a post the rules are those of comments, with the channel's limits of calls; a private reply is one message.
func TestRulesBelowAPost(t *testing.T) {
	t.Parallel()
	i := sample
	i.Send = SendRules{
		Types: []event.MessageType{event.Text, event.InteractType}, Text: Limit{Max: 10, Unit: Runes}, Split: 3, Concurrency: 7,
		Interactive: map[string]InteractiveRule{"buttons": {}},
	}
	i.Window = Window{Opens: map[string]Opening{ByMessage: {For: Duration(time.Hour)}}}
	week := Duration(7 * 24 * time.Hour)
	i.Comments = &SendRules{
		Types: []event.MessageType{event.Text}, Text: Limit{Max: 20, Unit: Runes},
		Actions: map[event.ActionKind]ActionRule{event.ActionHide: {}, event.ActionPrivateReply: {For: week}},
	}
	r, post, now := i.For(nil), &event.Post{ID: "p"}, event.At(time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC))
	text := func(n int) event.Content { return event.Content{Type: event.Text, Text: strings.Repeat("x", n)} }
	ended := now.Add(-time.Hour)
	action := func(kind event.ActionKind) *event.Action {
		return &event.Action{Kind: kind, Target: event.Target{Type: event.Text, At: now}}
	}
	for name, c := range map[string]struct {
		msg  event.Outbound
		code string
	}{
		"a message":                 {event.Outbound{Content: text(25)}, ""},
		"a message after the end":   {event.Outbound{Content: text(5), WindowUntil: ended}, "window_closed"},
		"a comment":                 {event.Outbound{Post: post, Content: text(20)}, ""},
		"a comment that is longer":  {event.Outbound{Post: post, Content: text(21)}, "text_too_long"},
		"a comment with buttons":    {event.Outbound{Post: post, Content: event.Content{Type: event.InteractType, Interactive: &event.Interactive{Kind: "buttons"}}}, "type_not_supported"},
		"hiding a comment":          {event.Outbound{Post: post, Action: action(event.ActionHide)}, ""},
		"hiding a message":          {event.Outbound{Action: action(event.ActionHide)}, "action_not_supported"},
		"a private reply":           {event.Outbound{Post: post, Content: text(10), Action: action(event.ActionPrivateReply)}, ""},
		"a private reply too long":  {event.Outbound{Post: post, Content: text(11), Action: action(event.ActionPrivateReply)}, "text_too_long"},
		"a typing signal of a post": {event.Outbound{Post: post, Signal: "typing_on"}, "signal_not_supported"},
	} {
		err := r.Admit(c.msg, now.Time)
		if got := fault.Of(err); (got == nil) != (c.code == "") || got != nil && got.Code != c.code {
			t.Errorf("%s: %v, want %q", name, err, c.code)
		}
	}
	if below := r.Under(post); below.Send.Concurrency != 7 || len(below.Window.Opens) > 0 || below.Under(post).Send.Text.Max != 20 {
		t.Errorf("below a post: %+v", below)
	}
}
