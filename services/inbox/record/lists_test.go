package record_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

func listed(change func(*record.Conversation)) *record.Conversation {
	c := &record.Conversation{
		Kind: record.Messages, Status: record.Open, ChannelID: "chn", ChannelType: event.SMS, ContactID: "con", LastMessageAt: noon,
	}
	change(c)
	return c
}

func TestListsOfAConversation(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		of   func(*record.Conversation)
		want string // besides those of channel, type and contact
	}{
		"nobody has it":     {func(*record.Conversation) {}, "*/un free/un"},
		"waits in a queue":  {func(c *record.Conversation) { c.QueueID = "q1" }, "*/un q:q1/un"},
		"customer waits":    {func(c *record.Conversation) { c.QueueID, c.Unresponded = "q1", true }, "*/un */ur q:q1/un q:q1/ur"},
		"held":              {func(c *record.Conversation) { c.AssigneeID, c.Agents = "a1", []string{"a2", "a1"} }, "*/as a:a1/as"},
		"held in a queue":   {func(c *record.Conversation) { c.AssigneeID, c.QueueID = "a1", "q1" }, "*/as a:a1/as q:q1/as"},
		"a bot has it":      {func(c *record.Conversation) { c.BotID, c.BotActive = "b", true }, "*/un free/un"},
		"snoozed":           {func(c *record.Conversation) { c.Status, c.AssigneeID, c.Unresponded = record.Snoozed, "a1", true }, "*/sn a:a1/sn"},
		"snoozed by nobody": {func(c *record.Conversation) { c.Status = record.Snoozed }, "*/sn free/sn"},
		"closed": {func(c *record.Conversation) {
			c.Status, c.Agents, c.QueueID, c.Unresponded = record.Closed, []string{"a1", "a2"}, "q1", true
		},
			"*/cl a:a1/cl a:a2/cl q:q1/cl"},
		"closed and held": {func(c *record.Conversation) { c.Status, c.AssigneeID, c.Agents = record.Closed, "a1", []string{"a1"} }, "*/cl a:a1/cl"},
		"blocked":         {func(c *record.Conversation) { c.Blocked, c.AssigneeID, c.Unresponded = true, "a1", true }, "*/bl a:a1/bl"},
		"blocked, closed": {func(c *record.Conversation) { c.Blocked, c.Status, c.Agents = true, record.Closed, []string{"a1"} }, "*/bl a:a1/bl"},
		"in a unit":       {func(c *record.Conversation) { c.OUID = "u1" }, "*/un free/un u:u1/un"},
		"tagged":          {func(c *record.Conversation) { c.Tags = []string{"x", "y"} }, "*/un free/un tag:x tag:y"},
		"hostile": {func(c *record.Conversation) {
			c.QueueID, c.Tags = "q/un|*/as", []string{"*/un", "messages|*/cl", "a:b/c", "", "é\x00\n\xff"}
		},
			"*/un q:q/un|*/as/un tag:*/un tag:messages|*/cl tag:a:b/c tag: tag:é\x00\n\xff"},
	} {
		var want []string
		for _, l := range append(strings.Split(tt.want, " "), "ch:chn", "ty:sms", "ct:con") {
			want = append(want, "messages|"+l)
		}
		got := listed(tt.of).Tokens()
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got := listed(func(c *record.Conversation) { c.Kind = record.Comments }).Tokens(); slices.ContainsFunc(got, func(l string) bool { return !strings.HasPrefix(l, "comments|") }) {
		t.Errorf("of comments: %v", got)
	}
}

// TestListsAreToldApart: whatever ids and tags are, lists of different things have different names.
func TestListsAreToldApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.StringOf(rapid.SampledFrom([]rune("a:/|*uncl"))), rapid.String())
		lists := map[string][]string{}
		add := func(list string, of ...string) {
			if was, known := lists[list]; known && !slices.Equal(was, of) {
				t.Fatalf("%q is the list of %q and of %q", list, was, of)
			}
			lists[list] = of
		}
		for range 8 {
			kind, x := rapid.SampledFrom([]string{record.Messages, record.Comments}).Draw(t, "kind"), text.Draw(t, "text")
			for _, state := range []record.State{record.Unassigned, record.Ended, record.Waits} {
				for what, scope := range map[string]record.Scope{"q": record.OfQueue(x), "a": record.OfAgent(x), "u": record.OfUnit(x)} {
					add(record.ScopeList(kind, scope, state), kind, what, x, string(state))
				}
				add(record.ScopeList(kind, record.Everyone, state), kind, "*", string(state))
				add(record.ScopeList(kind, record.Free, state), kind, "free", string(state))
			}
			add(record.ChannelList(kind, x), kind, "channel", x)
			add(record.TypeList(kind, x), kind, "type", x)
			add(record.ContactList(kind, x), kind, "contact", x)
			add(record.TagList(kind, x), kind, "tag", x)
		}
	})
}
