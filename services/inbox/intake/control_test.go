package intake_test

import (
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// TestRoutingLeavesAloneWhatAnotherAppHas: what came on standby, and who was said to have the conversation last, decides what routing sees.
func TestRoutingLeavesAloneWhatAnotherAppHas(t *testing.T) {
	t.Parallel()
	type step struct {
		what    string
		standby bool
		ago     time.Duration // by the provider's clock
	}
	for name, c := range map[string]struct {
		steps  []step
		before func(*record.Conversation) // after the first step
		want   string
		epochs int64 // by which the last step moves the epoch
	}{
		"ours":                                 {[]step{{"message", false, 2}, {"message", false, 1}}, nil, event.Waiting, 0},
		"on standby from the first message":    {[]step{{"message", true, 2}}, nil, event.Out, 0},
		"on standby again":                     {[]step{{"message", true, 2}, {"message", true, 1}}, nil, event.Out, 0},
		"taken between messages":               {[]step{{"message", false, 2}, {"control", true, 1}}, nil, event.Out, 1},
		"seen to be taken by the next message": {[]step{{"message", false, 2}, {"message", true, 1}}, nil, event.Out, 1},
		"seen by an answer of the other app":   {[]step{{"message", false, 2}, {"echo", true, 1}}, nil, event.Out, 1},
		"an echo of a tool that has nothing":   {[]step{{"message", true, 2}, {"echo", false, 1}}, nil, event.Out, 0},
		"passed to us":                         {[]step{{"message", true, 2}, {"control", false, 1}}, nil, event.Waiting, 1},
		"ours by the next message":             {[]step{{"message", true, 2}, {"message", false, 1}}, nil, event.Waiting, 1},
		"an older word that comes late":        {[]step{{"control", true, 3}, {"message", true, 2}, {"control", false, 1}, {"control", true, 2}}, nil, event.Waiting, 0},
		"an older message that comes late":     {[]step{{"message", false, 1}, {"message", true, 2}}, nil, event.Waiting, 0},
		"an older one of ours that comes late": {[]step{{"message", true, 1}, {"message", false, 2}}, nil, event.Out, 0},
		"held by a person": {[]step{{"message", false, 2}, {"control", true, 1}},
			func(c *record.Conversation) { c.Assign(record.Target{AgentID: "agt_1"}, agent, "", c.UpdatedAt) }, event.Held, 1},
		"held by a bot": {[]step{{"message", false, 3}, {"control", true, 2}, {"control", false, 1}},
			func(c *record.Conversation) { c.Assign(record.Target{BotID: "bot_1"}, agent, "", c.UpdatedAt) }, event.Waiting, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, `{}`)
			var last *record.Conversation
			epoch := int64(0)
			for n, s := range c.steps {
				if last != nil {
					epoch = last.HolderEpoch
				}
				in := w.text("p", s.what)
				switch s.what {
				case "control":
					in = w.on(event.ThreadControlMoved, func(*event.Inbound) {})
				case "echo":
					in.Type = event.MessageEchoed
				}
				in.Standby, in.ProviderAt = s.standby, w.at().Add(-s.ago*time.Minute)
				w.take(in)
				if s.what == "control" && last == nil {
					continue // of no conversation yet
				}
				last = got[*record.Conversation](w)(w.Record.Tail(t.Context(), w.thread("p")))
				if n == 0 {
					epoch = last.HolderEpoch
					if c.before != nil {
						last = got[*record.Conversation](w)(w.Record.Conversations.Update(t.Context(), last.ID, func(d *record.Conversation) error { c.before(d); return nil }))
						epoch = last.HolderEpoch
					}
				}
			}
			if last.State() != c.want || last.Standby != (c.want == event.Out || name == "held by a person") {
				t.Errorf("routing sees %s, standby %v; want %s", last.State(), last.Standby, c.want)
			}
			if moved := last.HolderEpoch - epoch; moved != c.epochs {
				t.Errorf("the epoch moved by %d, want %d", moved, c.epochs)
			}
			if last.Standby && last.BotActive || last.Standby == (last.AdmitsBot() == nil) {
				t.Error("a bot has what another app has")
			}
		})
	}
}

// TestAReactionOpensTheWindow where the provider says so, without a message, a conversation or a row.
func TestAReactionOpensTheWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	react := func() event.Inbound {
		return w.on(event.MessageReacted, func(in *event.Inbound) {
			in.Target, in.Reaction, in.OpensWindow = "ours", &event.Reaction{Target: "ours", Emoji: "👍", Action: "add"}, channel.ByMessage
		})
	}
	w.take(react()) // of somebody unknown
	in := w.text("p", "hello")
	w.take(in)
	w.pass(23 * time.Hour)
	w.take(react())
	c := w.conversationOf(in)
	if got, want := w.until(c), w.at().Add(24*time.Hour); got != want {
		t.Errorf("in the open conversation: open until %s, want %s", got, want)
	}
	if c.Inbound != 1 || c.Window.LastInboundID != w.message(in).ID {
		t.Errorf("it counts as a message: %+v", c)
	}
	w.close(c)
	w.pass(time.Hour)
	w.take(react())
	next := w.text("p", "again")
	next.ProviderAt = w.at().Add(-2 * time.Hour) // late
	w.take(next)
	if got, want := w.until(w.conversationOf(next)), w.at().Add(24*time.Hour); got != want {
		t.Errorf("in the conversation to come: open until %s, want %s", got, want)
	}
}

// TestACommentThatIsHiddenAtTheProvider is shown so, and again when it is, however often.
func TestACommentThatIsHiddenAtTheProvider(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	post := &event.Post{ID: "post_1"}
	in := w.text("p", "nice")
	in.Post = post
	said := w.on(event.MessageHidden, func(e *event.Inbound) {
		hidden := true
		e.Post, e.Target, e.ExternalID, e.Hidden, e.Echo = post, in.ExternalID, in.ExternalID, &hidden, true
	})
	w.take(said, in) // the first comes before the comment
	for n, hidden := range []bool{true, false, false, true} {
		if n > 0 {
			said.Hidden, said.ReceivedAt = &hidden, w.at().Add(time.Duration(n)*time.Second) // the ref may be that of an earlier one
			w.take(said)
		}
		if m := w.message(in); m.Hidden != hidden {
			t.Errorf("step %d: hidden is %v", n, m.Hidden)
		}
	}
	w.must(w.Record.Applier.Flush(t.Context()))
	told := map[string]int{}
	ids := map[string]bool{}
	for _, e := range w.log.Topic(event.TopicConversations) {
		if p := got[event.Conversation](w)(event.Decode[event.Conversation](e)); e.Type == event.MessageUpdated && !ids[e.ID] {
			ids[e.ID] = true
			told[p.Happened.Type]++
		}
	}
	if told["hide"] != 2 || told["unhide"] != 1 {
		t.Errorf("told %v", told)
	}
}
