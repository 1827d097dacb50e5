package inbox_test

import (
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// TestP8_AWindowThatCounts uses up a window that allows three messages: what is more is refused before it leaves, what provably did not
// happen is given back, and a message of the customer opens it anew.
func TestP8_AWindowThatCounts(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	in := w.wrote(event.WeChat, "p", "hello")
	conversation := "/v1/conversations/" + in.ConversationID
	left := func(want float64, state string) {
		t.Helper()
		a := w.get(w.key, conversation)
		if got := a.at("window", "remaining_messages"); got != want || a.text("window", "state") != state {
			t.Errorf("%v messages are left, state %s; want %v, %s", got, a.text("window", "state"), want, state)
		}
	}
	left(3, "open")
	first := w.say(w.key, in.ConversationID, object{"text": "one"}).want(202).text("id")
	left(2, "open")
	long := object{"text": "a text that is three of them"}
	w.say(w.key, in.ConversationID, long).want(422, "window_closed")
	check := w.post(w.key, conversation+"/messages/check", long).want(200)
	if check.at("ok") != false || check.text("errors", 0, "code") != "window_closed" || check.at("window", "remaining_messages") != 2.0 {
		t.Errorf("%s", check.raw)
	}
	two := w.say(w.key, in.ConversationID, object{"text": "one that is two"}).want(202).text("id")
	left(0, "expired")
	w.say(w.key, in.ConversationID, object{"text": "four"}).want(422, "window_closed")

	w.settle(first, 1, event.Accepted)
	w.settle(two, 1, event.Failed)
	left(2, "open")
	w.settle(two, 1, event.Failed)
	left(2, "open") // a repeat gives nothing back
	w.post(w.key, "/v1/messages/"+two+"/resend", nil).want(202)
	left(0, "expired")
	w.settle(two, 2, event.Failed)
	w.settle(two, 1, event.Failed)
	left(2, "open")

	again := w.wrote(event.WeChat, "p", "again")
	if again.ConversationID != in.ConversationID {
		t.Fatal("another conversation")
	}
	left(3, "open")
	w.say(w.key, in.ConversationID, object{"text": "one that is two"}).want(202)
	w.wrote(event.WeChat, "p", "and again")
	left(1, "open") // what is under way may reach the provider after that
}

// TestAnEventOpensAWindowOfItsOwn clicks a menu: two messages within a minute, beside those that a message allows.
func TestAnEventOpensAWindowOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	w.late = 49 * time.Hour
	in := w.wrote(event.WeChat, "p", "hello")
	window := func() *answer { return w.get(w.key, "/v1/conversations/"+in.ConversationID) }
	if a := window(); a.text("window", "state") != "expired" || a.at("window", "remaining_messages") != nil {
		t.Errorf("%s", a.raw)
	}
	w.say(w.key, in.ConversationID, object{"text": "late"}).want(422, "window_closed")
	w.late = 0
	w.happened(event.WeChat, "p", event.ContactReferred, func(in *event.Inbound) {
		in.OpensWindow, in.Referral = "menu", &event.Referral{Source: "menu"}
	})
	if a := window(); a.text("window", "state") != "expiring" || a.at("window", "remaining_messages") != 2.0 {
		t.Errorf("%s", a.raw)
	}
	w.say(w.key, in.ConversationID, object{"text": "one"}).want(202)
	w.say(w.key, in.ConversationID, object{"text": "two"}).want(202)
	w.say(w.key, in.ConversationID, object{"text": "three"}).want(422, "window_closed")
}

// TestATapOpensNoWindowOfMessages: what the provider counts as no message is one for people, and allows what taps allow.
func TestATapOpensNoWindowOfMessages(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	w.late = 49 * time.Hour
	in := w.wrote(event.WeChat, "p", "hello")
	w.late = 0
	w.happened(event.WeChat, "p", event.MessageReceived, func(in *event.Inbound) {
		in.Tap, in.OpensWindow, in.ExternalID = true, "menu", "tap"
		in.Content = &event.Content{Type: event.InteractType, Interaction: &event.Interaction{Kind: "postback", ID: "help"}}
	})
	a := w.get(w.key, "/v1/conversations/"+in.ConversationID)
	if a.text("window", "state") != "expiring" || a.at("window", "remaining_messages") != 2.0 || a.text("last_message", "type") != "interactive" {
		t.Errorf("%s", a.raw)
	}
}

// TestAWindowThatOpenedBeforeAConversation calls by phone, which opens no conversation: the business may answer as it likes.
func TestAWindowThatOpenedBeforeAConversation(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	start := func(peer string) *answer {
		return w.post(w.key, "/v1/conversations", object{"channel_id": w.channel(event.WhatsApp), "peer": peer, "message": object{"text": "you called"}}, header{"Idempotency-Key": peer})
	}
	w.happened(event.WhatsApp, "+4915112345678", event.ContactReferred, func(in *event.Inbound) {
		in.OpensWindow, in.Referral = "call", &event.Referral{Source: "call"}
	})
	start("+4915112345678").want(201)
	w.late = 25 * time.Hour
	w.happened(event.WhatsApp, "+4915112345679", event.ContactReferred, func(in *event.Inbound) {
		in.OpensWindow, in.Referral = "call", &event.Referral{Source: "call"}
	})
	start("+4915112345679").want(422, "window_closed")
}
