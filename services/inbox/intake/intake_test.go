package intake_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

func TestAMessageOpensAConversation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	in := w.text("p", "hello")
	in.Sender = &event.Profile{Name: "Ada", Phone: "+44"}
	w.take(in)
	c, m := w.conversationOf(in), w.message(in)
	if c.Status != record.Open || c.Inbound != 1 || c.OUID != "ou_1" || !c.Unresponded || c.WaitingSince.IsZero() || c.LastMessageID != m.ID || c.Seq != 2 {
		t.Errorf("conversation %+v", c)
	}
	if m.Seq != 2 || m.Content.Text != "hello" || m.Sender.Name != "Ada" || m.ExternalIDs[0] != "x"+in.Ref {
		t.Errorf("message %+v", m)
	}
	if p := w.contact("p"); p.Name != "Ada" || p.Phone != "+44" || p.OUID != "ou_1" {
		t.Errorf("contact %+v", p)
	}
}

func TestAProfileIsLearnedUnlessPeopleHaveNamedTheContact(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	say := func(name string) {
		in := w.text("p", "x")
		in.Sender = &event.Profile{Name: name}
		w.take(in)
	}
	say("ada")
	say("Ada")
	if p := w.contact("p"); p.Name != "Ada" {
		t.Errorf("the name is %q", p.Name)
	}
	got[*record.Contact](w)(w.Record.Contacts.Update(t.Context(), w.contact("p").ID, func(c *record.Contact) error {
		c.Name, c.Named = "Lady Lovelace", true
		return nil
	}))
	say("ADA")
	if p := w.contact("p"); p.Name != "Lady Lovelace" {
		t.Errorf("the name that people gave became %q", p.Name)
	}
	w.must(w.Record.Contacts.Delete(t.Context(), w.contact("p").ID))
	say("nobody learns this") // and the message is in all the same
}

func TestReopenSettings(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		policy string
		after  time.Duration
		same   bool
	}{
		{`{}`, time.Minute, false},
		{`{"reopen":"new"}`, time.Minute, false},
		{`{"reopen":"reopen"}`, 1000 * time.Hour, true},
		{`{"reopen":"reopen_within_hours","reopen_within_hours":2}`, 2 * time.Hour, true},
		{`{"reopen":"reopen_within_hours","reopen_within_hours":2}`, 2*time.Hour + time.Second, false},
	} {
		w := newWorld(t, x.policy)
		first, second := w.text("p", "1"), w.text("p", "2")
		w.take(first)
		before := w.conversationOf(first)
		w.close(before)
		w.take(first) // what is in already opens and reopens nothing
		if c := w.conversationOf(first); c.Status != record.Closed || c.Next != "" {
			t.Fatalf("%s: a repeat made it %s, next %q", x.policy, c.Status, c.Next)
		}
		w.pass(x.after)
		second.ProviderAt = w.at()
		w.take(second)
		after := w.conversationOf(second)
		if same := after.ID == before.ID; same != x.same || after.Status != record.Open || after.HolderEpoch < 1 {
			t.Errorf("%s after %s: the same conversation: %v, %s", x.policy, x.after, same, after.Status)
		}
		if !x.same && (after.N != 2 || after.Inbound != 1) {
			t.Errorf("%s: the next conversation is %+v", x.policy, after)
		}
	}
}

func TestTheWindowGoesOnInTheNextConversation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	ad := w.text("p", "from an ad")
	ad.OpensWindow, ad.ProviderAt = "free_entry", w.at().Add(-time.Minute)
	w.take(ad)
	c := w.conversationOf(ad)
	if got, want := w.until(c), ad.ProviderAt.Add(72*time.Hour); got != want {
		t.Errorf("open until %s, want %s", got, want)
	}
	if c.Window.LastInboundAt != ad.ProviderAt || c.Window.LastInboundID != w.message(ad).ID || c.Window.LastInboundRef != "x"+ad.Ref {
		t.Errorf("anchor %+v", c.Window)
	}
	w.close(c)
	next, err := w.Record.Into(t.Context(), w.thread("p"), record.Rules{}, agent, "user", nil, w.at(), func(c *record.Conversation) error {
		if c.Status == record.Closed {
			return record.ErrNext
		}
		return nil
	})
	w.must(err)
	if diff := cmp.Diff(c.Window, next.Window); next.N != 2 || diff != "" {
		t.Errorf("conversation %d: %s", next.N, diff)
	}
	late := w.text("p", "an old message that comes late")
	late.ProviderAt = ad.ProviderAt.Add(-time.Hour)
	w.take(late)
	if got := w.conversationOf(late).Window; got.LastInboundAt != ad.ProviderAt || got.LastInboundID != w.message(late).ID {
		t.Errorf("the anchor went back: %+v", got)
	}
	ahead := w.text("p", "from a clock that is ahead")
	ahead.ProviderAt = w.at().Add(time.Hour)
	w.take(ahead)
	if got := w.conversationOf(ahead).Window.LastInboundAt; got != w.at() {
		t.Errorf("the anchor is ahead of our clock: %s", got)
	}
}

func TestACallOpensAWindowWithoutAMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	call := func() event.Inbound {
		return w.on(event.ContactReferred, func(in *event.Inbound) { in.OpensWindow, in.Referral = "call", &event.Referral{Source: "call"} })
	}
	w.take(call())
	if n, r := w.rows(w.contact("p").ID, "referred"); n != 1 || r.ConversationID != "" {
		t.Fatalf("%d rows, %+v: a call opens no conversation, it is the contact's", n, r)
	}
	in := w.text("p", "hello")
	w.take(in)
	c := w.conversationOf(in)
	if got, want := w.until(c), w.at().Add(24*time.Hour); got != want {
		t.Errorf("open until %s, want %s", got, want)
	}
	w.pass(time.Hour)
	w.take(call())
	if got, want := w.until(w.conversationOf(in)), w.at().Add(24*time.Hour); got != want {
		t.Errorf("in the open conversation: open until %s, want %s", got, want)
	}
}

func TestSnoozeWakesOnMessageIfTheTenantWantsIt(t *testing.T) {
	t.Parallel()
	for _, wakes := range []bool{false, true} {
		w := newWorld(t, `{}`)
		w.settings(func(s *directory.Settings) { s.SnoozeWakesOnMessage = wakes })
		in := w.text("p", "1")
		w.take(in)
		got[*record.Conversation](w)(w.Record.Conversations.Update(t.Context(), w.conversationOf(in).ID, func(c *record.Conversation) error {
			return c.Snooze(w.at().Add(time.Hour), agent, w.at())
		}))
		w.take(w.text("p", "2"))
		want := map[bool]string{false: record.Snoozed, true: record.Open}[wakes]
		if c := w.conversationOf(in); c.Status != want || c.Inbound != 2 || c.DueAt.IsZero() != wakes {
			t.Errorf("wakes %v: it is %s, due %s", wakes, c.Status, c.DueAt)
		}
	}
}

func TestASnoozeEndsAtItsTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	in := w.text("p", "1")
	w.take(in)
	id := w.conversationOf(in).ID
	got[*record.Conversation](w)(w.Record.Conversations.Update(t.Context(), id, func(c *record.Conversation) error {
		return c.Snooze(w.at().Add(time.Hour), agent, w.at())
	}))
	timers := w.Record.Timers(w.at)
	for _, step := range []struct {
		pass time.Duration
		want string
	}{{0, record.Snoozed}, {59 * time.Minute, record.Snoozed}, {time.Minute, record.Open}} {
		w.pass(step.pass)
		w.must(timers.Fire(t.Context()))
		if c := w.conversationOf(in); c.Status != step.want || c.DueAt.IsZero() != (step.want == record.Open) {
			t.Errorf("it is %s, due %s; want %s", c.Status, c.DueAt, step.want)
		}
	}
}

func TestCommentsAreThreadsOfTheirPosts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	comment := func(post string) event.Inbound {
		in := w.text("p", "nice")
		in.Post = &event.Post{ID: post}
		return in
	}
	a, b, again, direct := comment("a"), comment("b"), comment("a"), w.text("p", "hello")
	w.take(a, b, again, direct)
	ca, cb, cd := w.conversationOf(a), w.conversationOf(b), w.conversationOf(direct)
	if ca.ID == cb.ID || ca.ID == cd.ID || cb.ID == cd.ID || w.conversationOf(again).ID != ca.ID {
		t.Error("a post and the direct talk are each a thread of their own")
	}
	if ca.Kind != record.Comments || ca.Post.ID != "a" || cd.Kind != record.Messages || cd.Post != nil {
		t.Errorf("kinds %s %s", ca.Kind, cd.Kind)
	}
}

func TestRowsAreMadeOnce(t *testing.T) {
	t.Parallel()
	for _, open := range []bool{false, true} {
		w := newWorld(t, `{}`)
		in := w.text("p", "1")
		if open {
			w.take(in)
		}
		page := w.on(event.ContactPageViewed, func(in *event.Inbound) { in.Page = &event.Page{URL: "https://shop.example/"} })
		control := w.on(event.ThreadControlMoved, func(*event.Inbound) {})
		out := w.on(event.ContactConsented, func(in *event.Inbound) { in.Consent = &event.Consent{Category: "marketing", Value: "out"} })
		blocked := w.on(event.ContactMembership, func(in *event.Inbound) { in.Membership = &event.Membership{State: "blocked"} })
		w.take(page, control, out, blocked)
		if open {
			w.close(w.conversationOf(in))
			w.take(page, out) // also when the conversation it went into is closed
		}
		p := w.contact("p")
		if !p.OptedOut || p.Identities[0].Unreachable != "blocked" {
			t.Errorf("contact %+v", p)
		}
		for _, typ := range []string{"page_changed", "thread_control", "consent_changed", "blocked"} {
			if n, r := w.rows(p.ID, typ); n != 1 || (r.ConversationID != "") != open || (r.Seq > 0) != open {
				t.Errorf("open %v: %d rows %s, %+v", open, n, typ, r)
			}
		}
	}
}

func TestMembershipAndConsentAreAsTheNewestSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	member := func(state string, ago time.Duration) event.Inbound {
		return w.on(event.ContactMembership, func(in *event.Inbound) {
			in.Membership, in.ProviderAt = &event.Membership{State: state}, w.at().Add(-ago)
		})
	}
	left, back := member("left", time.Hour), member("joined", time.Minute)
	w.take(back, left, back, left)
	if p := w.contact("p"); p.Identities[0].Unreachable != "" {
		t.Errorf("unreachable: %s, although they have come back since", p.Identities[0].Unreachable)
	}
	out := w.on(event.ContactConsented, func(in *event.Inbound) { in.Consent, in.ProviderAt = &event.Consent{Value: "out"}, w.at() })
	in := w.on(event.ContactConsented, func(in *event.Inbound) {
		in.Consent, in.ProviderAt = &event.Consent{Value: "in"}, w.at().Add(-time.Hour)
	})
	w.take(out, in)
	if !w.contact("p").OptedOut {
		t.Error("an older consent took back a newer opt-out")
	}
}

func TestTypingPassesThrough(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	on := true
	typing := w.on(event.ContactTyping, func(in *event.Inbound) { in.Typing = &on })
	w.must(w.Handle(t.Context(), w.record(typing)))
	if len(w.typing) > 0 {
		t.Error("typing was passed on although nothing is open")
	}
	w.take(w.text("p", "1"))
	w.must(w.Handle(t.Context(), w.record(typing)))
	if !cmp.Equal(w.typing, []bool{true}) {
		t.Errorf("typing: %v", w.typing)
	}
}

func TestOddEventsStopNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	empty := func(typ event.Type) event.Inbound { return w.on(typ, func(in *event.Inbound) { in.Target = "x" }) }
	for _, in := range []event.Inbound{empty(event.MessageReceived), empty(event.MessageEchoed), empty(event.MessageEdited)} {
		if err := w.Handle(t.Context(), w.record(in)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s without content: %v, want poison", in.Type, err)
		}
	}
	for _, m := range []bus.Message{
		{Event: event.Event{Type: event.MessageReceived, Tenant: w.id, Data: []byte(`[]`)}},
		{Event: event.Event{Type: event.AttachmentReady, Tenant: w.id, Data: []byte(`[]`)}},
	} {
		if err := w.Handle(t.Context(), m); !fault.Is(err, fault.Invalid) {
			t.Errorf("not decodable: %v, want poison", err)
		}
	}
	w.take(empty("contact.waved"), empty(event.ContactMembership), empty(event.ContactConsented), empty(event.ContactTyping), empty(event.ContactIdentified))
	w.take(w.on(event.AccountChanged, func(in *event.Inbound) { in.Peer = "" }))
	gone := w.text("p", "of a channel that was deleted meanwhile")
	gone.ChannelID = "gone_" + w.id
	w.take(gone)
	if _, err := w.Record.Messages.Get(t.Context(), record.MessageID(w.id, "gone_"+w.id, gone.Ref)); err != nil {
		t.Errorf("the message of a deleted channel: %v", err)
	}
}

func TestP4_OneWebhooksMessagesKeepItsOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	var last int64
	for range 20 {
		in := w.text("p", "x")
		in.ProviderAt = event.Time{} // the provider's clock orders nothing
		w.take(in)
		if m := w.message(in); m.Seq != last+1 && last != 0 {
			t.Fatalf("seq %d after %d", m.Seq, last)
		} else {
			last = m.Seq
		}
	}
}

// until is when the window of a conversation ends.
func (w *world) until(c *record.Conversation) event.Time {
	w.Helper()
	info, err := w.Channels.Type(w.Context(), event.WhatsApp)
	w.must(err)
	return info.For(nil).Window.State(c.Window.Opened(), w.now()).Until
}

// TestAConversationThatFollowsIsNeverSeenWithoutItsMessage reads the fact that opens it, which is all that somebody else needs to insert
// it if the one who opened it dies: the message and what it opened the window with are in it (docs/models/facts.pml, WITH).
func TestAConversationThatFollowsIsNeverSeenWithoutItsMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	in := w.text("p", "hello")
	w.take(in)
	first := w.conversationOf(in)
	w.close(first)
	again, more := w.text("p", "again"), w.text("p", "and more")
	w.together(again, more)
	w.must(w.Record.Applier.Flush(t.Context()))
	var carried record.Conversation
	for _, e := range w.log.Topic(event.TopicConversations) {
		p, err := event.Decode[event.Conversation](e)
		w.must(err)
		if e.Type == event.ConversationFollow && p.ConversationID == first.ID {
			w.must(json.Unmarshal(p.Carry, &carried))
		}
	}
	if carried.Inbound != 1 || carried.Window.LastInboundID != w.message(again).ID || len(carried.Pending) != 2 {
		t.Errorf("the fact carries %d messages, the window %+v, %d facts", carried.Inbound, carried.Window, len(carried.Pending))
	}
	if c := w.conversationOf(more); c.ID != carried.ID || c.Inbound != 2 || w.conversationOf(again).ID != c.ID {
		t.Errorf("conversation %s has %d messages", c.ID, c.Inbound)
	}
}
